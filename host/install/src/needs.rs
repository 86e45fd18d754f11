//! What installed plugins ask the user for. Installing grants nothing, with one exception: a driver
//! from the project's own registry keeps the fixed grants of the driver that the binary carries.

use bench_grants::{AskedNeeds, Grant, GrantSource, Grants, carried_needs};
use bench_registry::{ItemKind, Lock, Locked, PluginNeeds};

use crate::config::{OWN_REGISTRY, Source};
use crate::error::InstallError;
use crate::installer::{Change, Installer, Note, Pick};

/// Whether this is the project's own registry, by the root that the binary carries.
fn is_own(source: &Source) -> bool {
    source.name == OWN_REGISTRY && source.root == bench_registry::own_root()
}

/// What an installed item asks for.
pub(crate) fn asked(item: &Locked) -> AskedNeeds {
    AskedNeeds {
        kind: item.kind,
        name: item.name.clone(),
        source: Some(GrantSource::of_registry(&item.registry)),
        needs: item.needs.clone().unwrap_or_default(),
        memory: item.memory,
    }
}

/// The fixed grants that a driver of this name has when it comes from the project's own registry.
fn fixed_needs(source: &Source, item: &Locked) -> PluginNeeds {
    if is_own(source) && item.kind == ItemKind::Driver {
        carried_needs(item.name.as_str())
    } else {
        PluginNeeds::default()
    }
}

impl Installer {
    pub(crate) fn grants(&self) -> Result<Grants, InstallError> {
        Ok(Grants::read(&self.home.data)?)
    }

    /// What changed plugins ask for and were not granted.
    pub(crate) fn missing_grants(&self, changes: &[Change], lock: &Lock) -> Result<Vec<AskedNeeds>, InstallError> {
        let grants = self.grants()?;
        let changed = changes.iter().filter(|change| change.to.is_some());
        let items = changed.filter_map(|change| lock.get(change.kind, change.name.as_str()));
        Ok(items.map(|item| asked(item).missing_from(&grants)).filter(|asked| !asked.is_empty()).collect())
    }

    /// Fills in the needs of releases from before needs were stated, by asking the component.
    pub(crate) async fn settle_needs(&self, picks: &mut [Pick]) -> Result<(), InstallError> {
        for pick in picks.iter_mut().filter(|pick| pick.locked.needs.is_none()) {
            if pick.locked.kind == ItemKind::Driver {
                self.fetch(std::slice::from_ref(pick)).await?;
                pick.locked.needs = self.prove(std::slice::from_ref(pick))?.into_iter().next().flatten();
            }
        }
        Ok(())
    }

    /// Takes out of an update what asks for more than the version before it did and than was granted:
    /// such a version needs a new yes.
    pub(crate) fn hold_back(
        &self,
        before: &Lock,
        picks: Vec<Pick>,
        notes: &mut Vec<Note>,
    ) -> Result<Vec<Pick>, InstallError> {
        let grants = self.grants()?;
        let (mut kept, mut held) = (Vec::new(), Vec::new());
        for pick in picks {
            let Some(old) = before.get(pick.locked.kind, pick.locked.name.as_str()) else {
                kept.push(pick);
                continue;
            };
            let missing = asked(&pick.locked).missing_from(&grants);
            let known = asked(old).needs.with(&fixed_needs(&self.sources[pick.source], &pick.locked));
            let more = AskedNeeds {
                needs: missing.needs.beyond(&known),
                memory: missing.memory.filter(|memory| old.memory.is_none_or(|old| *memory > old)),
                ..missing
            };
            if more.is_empty() { kept.push(pick) } else { held.push(needs_grant(&pick.locked, old, &more)) }
        }
        notes.append(&mut held);
        Ok(kept)
    }

    /// Writes down the fixed grants of drivers from the project's own registry.
    pub(crate) fn grant_fixed(&self, picks: &[Pick]) -> Result<(), InstallError> {
        let mut grants = self.grants()?;
        let before = grants.clone();
        for pick in picks {
            let fixed = fixed_needs(&self.sources[pick.source], &pick.locked);
            let source = GrantSource::of_registry(&pick.locked.registry);
            if !fixed.is_empty() {
                let known = grants.get(pick.locked.kind, pick.locked.name.as_str(), &source).cloned();
                let mut grant = known.unwrap_or_else(|| Grant::new(pick.locked.kind, pick.locked.name.clone(), source));
                grant.add_needs(&fixed);
                grants.put(grant);
            }
        }
        if grants == before { Ok(()) } else { Ok(grants.write(&self.home.data)?) }
    }
}

fn needs_grant(new: &Locked, old: &Locked, more: &AskedNeeds) -> Note {
    Note {
        code: "needs-grant".to_owned(),
        text: format!(
            "{} {} stays at {}: version {} asks for more, it {}",
            new.kind,
            new.name,
            old.version,
            new.version,
            more.sentences().join(", and ")
        ),
        hint: Some(format!("if you agree, take it with `bench plugin add {}@{} --grant`", new.name, new.version)),
    }
}
