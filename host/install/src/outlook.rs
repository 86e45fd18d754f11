//! Looking without changing: what is newer, what there is to find, what an update would bring.

use bench_registry::{Entry, Index, ItemKind, ItemName, Lock, Locked, components};
use bench_text::clean_name;
use semver::Version;
use serde::Serialize;

use crate::config::Follow;
use crate::error::InstallError;
use crate::installer::{Change, Installer, Note, Outcome, Pick, change};
use crate::pull::origin;
use crate::reader::{Reader as _, TufReader};
use crate::request::Request;

/// The timestamp is the smallest file of a registry.
const LARGEST_TIMESTAMP: u64 = 16 << 10;

/// Something that search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// The registry that has it.
    pub registry: String,
    /// What it is.
    #[serde(flatten)]
    pub entry: Entry,
}

impl Installer {
    /// What the registries' indices have for `words`. Where two have a name, the one that installing would take comes first.
    ///
    /// # Errors
    /// When no registry could be asked.
    pub async fn search(&mut self, words: &str) -> Result<(Vec<Hit>, Vec<Note>), InstallError> {
        let mut hits = Vec::new();
        let mut notes = Vec::new();
        let mut last = InstallError::NoRegistry;
        for place in 0..self.sources.len() {
            match self.index_of(place).await {
                Ok(index) => {
                    let registry = &self.sources[place].name;
                    let found = index.search(words).into_iter();
                    hits.extend(found.map(|entry| Hit { registry: registry.clone(), entry: entry.clone() }));
                }
                Err(error) => {
                    notes.push(Note::of(&error));
                    last = error;
                }
            }
        }
        if notes.len() == self.sources.len() { Err(last) } else { Ok((hits, notes)) }
    }

    async fn index_of(&mut self, place: usize) -> Result<Index, InstallError> {
        let now = self.options.now;
        self.reader(place).await?.index(now).await
    }

    /// What [`Installer::update`] would change. Costs one small request per registry while that has nothing new: its timestamp is what it
    /// was, so everything that it names is.
    ///
    /// # Errors
    /// When the lock cannot be read. A registry that fails is noted.
    pub async fn outdated(&mut self) -> Result<Outcome, InstallError> {
        let lock = Lock::read(&self.home.lock)?;
        for place in 0..self.sources.len() {
            self.look_at_the_timestamp(place).await;
        }
        let mut outcome = Outcome::default();
        let picks = self.newer(&lock, &[], &mut outcome).await?;
        outcome.changes = picks.iter().map(|pick| changed(pick, &lock)).collect();
        Ok(outcome)
    }

    /// Where the registry's timestamp is the one that was verified last, what was fetched then is all there is, and is read again from
    /// here. In any doubt this does nothing, and the registry is asked in full.
    async fn look_at_the_timestamp(&mut self, place: usize) {
        if self.options.offline || self.readers.contains_key(&place) {
            return;
        }
        let source = self.sources[place].clone();
        let folder = self.home.metadata(&source.name);
        let Ok(Some(known)) = self.files.read(&folder.join("timestamp.json"), LARGEST_TIMESTAMP) else { return };
        let Ok(Some(now)) = source.transport.get("metadata/timestamp.json", LARGEST_TIMESTAMP).await else { return };
        if known != now {
            return;
        }
        let Ok(mut reader) =
            TufReader::offline(&source.name, &source.root, std::sync::Arc::clone(&self.files), &folder)
        else {
            return;
        };
        if reader.refresh(self.options.now).await.is_ok() {
            self.readers.insert(place, reader);
        }
    }

    /// Newer versions of what is installed and of what registries are followed for.
    pub(crate) async fn newer(
        &mut self,
        lock: &Lock,
        requests: &[Request],
        outcome: &mut Outcome,
    ) -> Result<Vec<Pick>, InstallError> {
        let mut picks = Vec::new();
        for request in requests {
            let named = |item: &&Locked| item.name == request.name && request.kind.is_none_or(|kind| kind == item.kind);
            if !lock.items().iter().any(|item| named(&item)) {
                return Err(InstallError::NotInstalled { what: request.to_string() });
            }
        }
        for place in 0..self.sources.len() {
            match self.newer_of(place, lock, requests, outcome).await {
                Ok(found) => picks.extend(found),
                Err(error) if requests.is_empty() => outcome.failures.push(Note::of(&error)),
                Err(error) => return Err(error),
            }
        }
        for item in lock.items().iter().filter(|item| !self.sources.iter().any(|source| source.name == item.registry)) {
            if origin(item).is_some() {
                // Nothing is newer than a digest. Who asks by name is told.
                let named =
                    requests.iter().any(|it| it.name == item.name && it.kind.is_none_or(|kind| kind == item.kind));
                outcome.notes.extend(named.then(|| by_digest(item)));
                continue;
            }
            let error = InstallError::UnknownRegistry { registry: item.registry.clone() };
            outcome.notes.push(Note {
                text: format!("{} {} stays as it is: {error}", item.kind, item.name),
                ..Note::of(&error)
            });
        }
        Ok(picks)
    }

    async fn newer_of(
        &mut self,
        place: usize,
        lock: &Lock,
        requests: &[Request],
        outcome: &mut Outcome,
    ) -> Result<Vec<Pick>, InstallError> {
        let registry = self.sources[place].name.clone();
        let asked = |item: &Locked| {
            requests.is_empty()
                || requests.iter().any(|it| it.name == item.name && it.kind.is_none_or(|kind| kind == item.kind))
        };
        let mut picks = Vec::new();
        for item in lock.items().iter().filter(|item| item.registry == registry && asked(item)) {
            let now = self.options.now;
            let versions = self.reader(place).await?.versions(item.kind, &item.name, now).await?;
            let own = versions.iter().find(|offered| offered.release.version == item.version);
            if let Some(reason) = own.and_then(|own| own.release.yanked.as_ref()) {
                outcome.notes.push(yanked(item, reason));
            }
            if item.pinned && requests.is_empty() {
                continue;
            }
            match self.pick(place, item.kind, &item.name, Some(&item.wanted), &versions, lock).await {
                Ok(pick) if pick.offered.release.version > item.version => picks.push(pick),
                // What was exchanged under its version is for `add` to take, by name; and nothing becomes older by itself.
                Ok(_) => {}
                Err(error) => outcome.notes.push(Note::of(&error)),
            }
        }
        if requests.is_empty() && self.follows(place) != Follow::Installed {
            for (kind, name, have) in self.followed(place, lock).await? {
                let now = self.options.now;
                let versions = self.reader(place).await?.versions(kind, &name, now).await?;
                match self.pick(place, kind, &name, None, &versions, lock).await {
                    Ok(pick) if have.is_none_or(|have| pick.offered.release.version > have) => picks.push(pick),
                    Ok(_) => {}
                    Err(error) => outcome.notes.push(Note::of(&error)),
                }
            }
        }
        Ok(picks)
    }

    /// Items that a registry is followed for and that are not in the lock, with the version that the binary carries.
    async fn followed(
        &mut self,
        place: usize,
        lock: &Lock,
    ) -> Result<Vec<(ItemKind, ItemName, Option<Version>)>, InstallError> {
        let carried = components().iter().filter_map(|component| {
            let name = ItemName::parse(component.name).ok()?;
            Some((ItemKind::from(component.kind), name, Version::parse(component.version).ok()))
        });
        let carried: Vec<_> = carried.collect();
        let mut wanted = Vec::new();
        let now = self.options.now;
        match self.follows(place) {
            Follow::Installed => {}
            Follow::Carried => {
                // Which of them it has at all, the index says at the price of one file.
                let index = self.reader(place).await?.index(now).await?;
                let newer = |(kind, name, have): &(ItemKind, ItemName, Option<Version>)| {
                    index.entries.iter().any(|entry| {
                        entry.release.kind == *kind
                            && entry.release.name == *name
                            && have.as_ref().is_none_or(|have| entry.release.version > *have)
                    })
                };
                wanted.extend(carried.into_iter().filter(newer));
            }
            Follow::All => {
                let index = self.reader(place).await?.index(now).await?;
                for entry in index.search("").into_iter().filter(|entry| entry.release.kind != ItemKind::Host) {
                    let (kind, name) = (entry.release.kind, entry.release.name.clone());
                    let have = carried.iter().find(|(other, carried, _)| *other == kind && *carried == name);
                    wanted.push((kind, name, have.and_then(|(_, _, version)| version.clone())));
                }
            }
        }
        wanted.retain(|(kind, name, _)| lock.get(*kind, name.as_str()).is_none());
        Ok(wanted)
    }
}

fn yanked(item: &Locked, reason: &str) -> Note {
    let reason = clean_name(reason);
    Note {
        code: "version-yanked".to_owned(),
        text: format!(
            "{} {} {} is in use and was yanked by its publisher: {reason}",
            item.kind, item.name, item.version
        ),
        hint: Some("it goes on working; `bench plugin update` takes another version where there is one".to_owned()),
    }
}

fn by_digest(item: &Locked) -> Note {
    Note {
        code: "oci-pinned".to_owned(),
        text: format!("{} {} stays as it is: it came by its digest, from {}", item.kind, item.name, item.registry),
        hint: Some("`bench plugin add` with another digest changes it".to_owned()),
    }
}

fn changed(pick: &Pick, lock: &Lock) -> Change {
    let before = lock.get(pick.locked.kind, pick.locked.name.as_str());
    change(&pick.locked, before.map(|item| &item.version), Some(&pick.locked.version))
}
