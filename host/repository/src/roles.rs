//! Who may sign what: keys added and exchanged, publishers admitted.

use bench_registry::ItemKind;
use jiff::Timestamp;
use tough::schema::{DelegatedRole, Delegations, PathPattern, PathSet, RoleType, Root, Targets};

use crate::error::RepositoryError;
use crate::keys::{Keys, PublicKey};
use crate::policy::{after, positive};
use crate::repository::{INDEX_ROLE, Repository, TOP, authority, sign_root};

/// What happens to the keys of a role.
#[derive(Debug, Clone, Default)]
pub struct KeyChange {
    /// Keys that it gets.
    pub add: Vec<PublicKey>,
    /// Keys that it loses, by id or the beginning of one.
    pub remove: Vec<String>,
    /// Signatures that it needs from now on.
    pub threshold: Option<u64>,
}

/// The kinds that a publisher may publish: all but the program itself.
const PUBLISHED: [ItemKind; 5] =
    [ItemKind::Driver, ItemKind::Workload, ItemKind::Scorer, ItemKind::Publisher, ItemKind::Suite];

impl Repository {
    /// Changes the keys of a role and signs everything again that this touches. A new root is signed by the old root's keys and by its
    /// own, so clients follow it from any earlier one.
    ///
    /// # Errors
    /// When the role would have too few keys, or keys to sign with are missing.
    pub fn change_keys(
        &mut self,
        role: &str,
        change: &KeyChange,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<(), RepositoryError> {
        match role.parse::<RoleType>() {
            Ok(kind) if kind != RoleType::DelegatedTargets => {
                let before = self.root.signed.clone();
                let mut root = before.clone();
                change_top(&mut root, kind, change)?;
                root.version = positive(before.version.get() + 1);
                root.expires = after(now, self.policy().root_days);
                self.replace_root(sign_root(root, Some(&before), keys)?);
            }
            _ => {
                self.delegation(role)?;
                change_delegated(&mut self.targets, role, change)?;
            }
        }
        self.seal(keys, now)
    }

    /// Admits a publisher: its role may sign `KIND/PUBLISHER/NAME/VERSION` of every kind but the program itself, and nothing else. The
    /// patterns say their depth, since not every reader stops a `*` at a slash.
    ///
    /// # Errors
    /// When the name is not allowed, the publisher is there, or keys are missing.
    pub fn delegate(
        &mut self,
        publisher: &str,
        signers: &[PublicKey],
        threshold: u64,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<(), RepositoryError> {
        bench_registry::ItemName::parse(&format!("{publisher}/x"))?;
        let reserved = ["root", TOP, "snapshot", "timestamp", INDEX_ROLE, "delegated-targets"];
        if reserved.contains(&publisher) || self.delegation(publisher).is_ok() {
            return Err(RepositoryError::Refused {
                item: format!("the publisher `{publisher}`"),
                reason: "a role of this name exists".to_owned(),
                remedy: "choose another name; keys of a publisher are changed with `bench registry rotate`",
            });
        }
        let paths = PUBLISHED.iter().map(|kind| format!("{kind}/{publisher}/*/*")).collect();
        put_role(&mut self.targets, publisher, paths, signers, threshold)?;
        self.seal(keys, now)
    }

    /// Signs snapshot and timestamp again, and of the other roles those past half their life whose keys are at hand.
    ///
    /// # Errors
    /// When the keys of snapshot or timestamp are missing.
    pub fn refresh(&mut self, keys: &Keys, now: Timestamp) -> Result<(), RepositoryError> {
        let root = authority(&self.root.signed, RoleType::Root)?;
        let at_hand = root.keyids.iter().filter(|id| keys.find(id).is_some()).count() as u64;
        if at_hand >= root.threshold.get() && self.root.signed.expires < after(now, self.policy().root_days / 2) {
            return self.change_keys("root", &KeyChange::default(), keys, now);
        }
        self.seal(keys, now)
    }
}

fn enough(role: &str, keys: usize, threshold: u64) -> Result<(), RepositoryError> {
    if threshold == 0 || (keys as u64) < threshold {
        return Err(RepositoryError::TooFewKeys { role: role.to_owned(), keys, threshold });
    }
    Ok(())
}

fn change_top(root: &mut Root, kind: RoleType, change: &KeyChange) -> Result<(), RepositoryError> {
    let mut role = authority(root, kind)?.clone();
    remove_ids(&kind.to_string(), &mut role.keyids, &change.remove)?;
    for key in &change.add {
        if !role.keyids.contains(&key.id) {
            role.keyids.push(key.id.clone());
        }
        root.keys.insert(key.id.clone(), key.key.clone());
    }
    role.threshold = positive(change.threshold.unwrap_or(role.threshold.get()));
    enough(&kind.to_string(), role.keyids.len(), role.threshold.get())?;
    root.roles.insert(kind, role);
    let used: Vec<_> = root.roles.values().flat_map(|role| role.keyids.clone()).collect();
    root.keys.retain(|id, _| used.contains(id));
    Ok(())
}

fn change_delegated(targets: &mut Targets, name: &str, change: &KeyChange) -> Result<(), RepositoryError> {
    let unknown = || RepositoryError::UnknownRole { role: name.to_owned() };
    let delegations = targets.delegations.as_mut().ok_or_else(unknown)?;
    let role = delegations.roles.iter_mut().find(|role| role.name == name).ok_or_else(unknown)?;
    remove_ids(name, &mut role.keyids, &change.remove)?;
    for key in &change.add {
        if !role.keyids.contains(&key.id) {
            role.keyids.push(key.id.clone());
        }
        delegations.keys.insert(key.id.clone(), key.key.clone());
    }
    role.threshold = positive(change.threshold.unwrap_or(role.threshold.get()));
    enough(name, role.keyids.len(), role.threshold.get())?;
    let used: Vec<_> = delegations.roles.iter().flat_map(|role| role.keyids.clone()).collect();
    delegations.keys.retain(|id, _| used.contains(id));
    Ok(())
}

type Id = tough::schema::decoded::Decoded<tough::schema::decoded::Hex>;

fn remove_ids(role: &str, ids: &mut Vec<Id>, remove: &[String]) -> Result<(), RepositoryError> {
    for gone in remove {
        let fits = |id: &Id| bench_registry::hex(id).starts_with(gone.as_str());
        if gone.len() < 8 || ids.iter().filter(|id| fits(id)).count() != 1 {
            return Err(RepositoryError::BadKey {
                origin: format!("`{gone}`"),
                problem: format!("it names no single key of `{role}`; give at least 8 digits of its id"),
            });
        }
        ids.retain(|id| !fits(id));
    }
    Ok(())
}

/// Adds a delegated role. It is terminating: no other role may speak for its paths.
pub(crate) fn put_role(
    targets: &mut Targets,
    name: &str,
    paths: Vec<String>,
    signers: &[PublicKey],
    threshold: u64,
) -> Result<(), RepositoryError> {
    enough(name, signers.len(), threshold)?;
    let bad = |error: tough::schema::Error| RepositoryError::BadMetadata {
        file: name.to_owned(),
        problem: error.to_string(),
    };
    let patterns = paths.into_iter().map(PathPattern::new).collect::<Result<_, _>>().map_err(bad)?;
    let delegations = targets.delegations.get_or_insert_with(Delegations::new);
    delegations.keys.extend(signers.iter().map(|key| (key.id.clone(), key.key.clone())));
    delegations.roles.push(DelegatedRole {
        name: name.to_owned(),
        keyids: signers.iter().map(|key| key.id.clone()).collect(),
        threshold: positive(threshold),
        paths: PathSet::Paths(patterns),
        terminating: true,
        targets: None,
    });
    Ok(())
}
