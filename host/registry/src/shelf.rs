//! Looking things up: first what the lock has, then the embedded set. A path means the file, but for the name of a publisher's plugin that
//! is in the lock.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use bench_plugin::Kind;
use semver::Version;

use crate::archive::{ArchiveLimits, Files, put_data, unpack};
use crate::error::RegistryError;
use crate::item::{ItemKind, NameError};
use crate::lock::{Lock, Locked};
use crate::release::DataNeeded;
use crate::resolve::{self, Found, Source, means_file};
use crate::store::Store;

/// What can be named: the installed set, and behind it the embedded one. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    installed: Option<Arc<Installed>>,
}

#[derive(Debug)]
struct Installed {
    lock: Lock,
    digest: String,
    store: Store,
}

impl Shelf {
    /// The embedded set alone.
    #[must_use]
    pub fn embedded() -> Self {
        Self::default()
    }

    /// With what `lock` lists and `store` holds. A lock that does not exist is an empty one.
    ///
    /// # Errors
    /// When the lock cannot be read: a run must not go on with other plugins than the ones that were asked for.
    pub fn open(lock: &Path, store: Store) -> Result<Self, RegistryError> {
        Ok(Self::of_lock(Lock::read(lock)?, store))
    }

    /// With what `lock` lists and `store` holds.
    #[must_use]
    pub fn of_lock(lock: Lock, store: Store) -> Self {
        let digest = lock.digest();
        Self { installed: Some(Arc::new(Installed { lock, digest, store })) }
    }

    /// What is installed.
    pub fn locked(&self) -> impl Iterator<Item = &Locked> {
        self.installed.iter().flat_map(|installed| installed.lock.items())
    }

    /// The plugin that `reference` names: the path of a component, a name of the lock, or a name of the embedded set.
    ///
    /// # Errors
    /// See [`RegistryError`].
    pub fn plugin(&self, kind: Kind, reference: &str) -> Result<Found, RegistryError> {
        match self.in_lock(kind.into(), reference) {
            Some((installed, item)) => installed.found(item),
            None => resolve::plugin(kind, reference),
        }
    }

    /// The plugin of any kind that `reference` names. A name that no kind has is answered as an unknown driver.
    ///
    /// # Errors
    /// See [`RegistryError`].
    pub fn any_plugin(&self, reference: &str) -> Result<Found, RegistryError> {
        let mut kinds = Kind::ALL.into_iter();
        match kinds.find_map(|kind| self.in_lock(kind.into(), reference)) {
            Some((installed, item)) => installed.found(item),
            None => resolve::any_plugin(reference),
        }
    }

    /// The files of the installed suite of this name, those of its archive and its data. `None` when none is installed.
    ///
    /// # Errors
    /// When what is installed is damaged.
    pub fn suite(&self, name: &str) -> Result<Option<Files>, RegistryError> {
        let found = self.in_lock(ItemKind::Suite, name);
        found.map(|(installed, item)| installed.suite(item)).transpose()
    }

    /// SHA-256 of the lock that chooses the suite of this name. `None` when it is not from a lock.
    #[must_use]
    pub fn suite_lock(&self, name: &str) -> Option<&str> {
        self.in_lock(ItemKind::Suite, name).map(|(installed, _)| installed.digest.as_str())
    }

    fn in_lock(&self, kind: ItemKind, reference: &str) -> Option<(&Installed, &Locked)> {
        let installed = self.installed.as_deref()?;
        // `publisher/name` has a slash and is no path while it is in the lock: the lock is the user's own list.
        let item = installed.lock.get(kind, reference)?;
        (!means_file(reference) || item.name.publisher().is_some()).then_some((installed, item))
    }
}

impl Installed {
    fn suite(&self, item: &Locked) -> Result<Files, RegistryError> {
        let damaged = |problem: NameError| RegistryError::Damaged {
            path: self.store.path(&item.sha256).unwrap_or_default(),
            problem: problem.to_string(),
        };
        let archive = self.store.read(&item.sha256, item.bytes)?;
        let mut files = unpack(&archive, ArchiveLimits::suite()).map_err(damaged)?;
        let read = |data: &DataNeeded| Ok((data.name.clone(), self.store.read(&data.sha256, data.bytes)?));
        let data: Vec<_> = item.data.iter().map(read).collect::<Result<_, RegistryError>>()?;
        put_data(&mut files, data).map_err(damaged)?;
        Ok(files)
    }

    fn found(&self, item: &Locked) -> Result<Found, RegistryError> {
        let host = Version::parse(env!("CARGO_PKG_VERSION")).ok();
        if let Some(host) = host.filter(|host| !item.host.matches(host)) {
            return Err(RegistryError::HostUnfit {
                name: item.name.to_string(),
                version: item.version.to_string(),
                needed: item.host.to_string(),
                host: host.to_string(),
            });
        }
        let bytes = self.store.read(&item.sha256, item.bytes)?;
        Ok(Found {
            bytes: Cow::Owned(bytes),
            sha256: Some(Cow::Owned(item.sha256.clone())),
            source: Source::Lock { registry: item.registry.clone(), lock: self.digest.clone() },
            memory: item.memory,
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use std::fs;

    use semver::VersionReq;
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::bundle::components;
    use crate::item::ItemName;
    use crate::lock::hex;

    fn installed(folder: &Path, kind: Kind, name: &str, bytes: &[u8], host: &str) -> Shelf {
        let sha256 = hex(&Sha256::digest(bytes));
        let store = Store::new(folder);
        let path = store.path(&sha256).unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        let mut lock = Lock::default();
        lock.put(Locked {
            kind: kind.into(),
            name: ItemName::parse(name).unwrap(),
            version: Version::new(9, 0, 0),
            registry: "main".to_owned(),
            sha256,
            bytes: bytes.len() as u64,
            wanted: VersionReq::STAR,
            pinned: false,
            world: None,
            host: VersionReq::parse(host).unwrap(),
            memory: None,
            needs: None,
            data: Vec::new(),
        });
        let path = folder.join("bench.lock");
        fs::write(&path, lock.text()).unwrap();
        Shelf::open(&path, store).unwrap()
    }

    #[test]
    fn a_file_comes_before_the_lock_and_the_lock_before_the_embedded_set() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = installed(folder.path(), Kind::Driver, "openai", b"installed", "*");
        assert!(matches!(shelf.plugin(Kind::Driver, "openai").unwrap().source, Source::Lock { .. }));
        assert_eq!(&*shelf.any_plugin("openai").unwrap().bytes, b"installed");
        assert_eq!(shelf.plugin(Kind::Driver, "ollama").unwrap().source, Source::Bundle);
        let file = folder.path().join("openai");
        fs::write(&file, "file").unwrap();
        let found = shelf.plugin(Kind::Driver, file.to_str().unwrap()).unwrap();
        assert_eq!((&*found.bytes, found.source), (&b"file"[..], Source::File(file)));
        // A driver of this name is no scorer of this name.
        assert_eq!(shelf.plugin(Kind::Scorer, "openai").unwrap_err().code(), "plugin-unknown");
        assert_eq!(Shelf::embedded().plugin(Kind::Driver, "openai").unwrap().source, Source::Bundle);
        assert!(components().iter().any(|component| component.name == "openai"));
    }

    #[test]
    fn a_publishers_plugin_is_found_by_both_parts_of_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = installed(folder.path(), Kind::Scorer, "acme/strict", b"x", "*");
        assert!(matches!(shelf.plugin(Kind::Scorer, "acme/strict").unwrap().source, Source::Lock { .. }));
        assert!(shelf.plugin(Kind::Scorer, "strict").is_err());
    }

    #[test]
    fn a_plugin_for_another_host_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = installed(folder.path(), Kind::Driver, "openai", b"x", ">=99");
        assert_eq!(shelf.plugin(Kind::Driver, "openai").unwrap_err().code(), "host-unfit");
    }
}
