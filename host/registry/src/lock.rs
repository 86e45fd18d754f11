//! The lock file: which version of what is installed, by digest. It is written in one piece and read as if a stranger had written it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::RegistryError;
use crate::item::{ItemKind, ItemName};
use crate::needs::PluginNeeds;
use crate::release::{DataNeeded, Release};

/// The name of a lock file.
pub const LOCK_FILE: &str = "bench.lock";
/// The largest lock file that is read: 4 MiB.
pub const LARGEST_LOCK: u64 = 4 << 20;
const LAYOUT: u32 = 1;

/// Something installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// What it is.
    pub kind: ItemKind,
    /// Its name.
    pub name: ItemName,
    /// Its version.
    pub version: Version,
    /// The registry that it came from, by its name in the configuration; or the reference by which it was pulled, `oci://` and so on
    /// with the digest of its manifest, which is no such name.
    pub registry: String,
    /// SHA-256 in hex.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// The versions that the user asked for.
    pub wanted: VersionReq,
    /// Stays as it is when others are updated.
    #[serde(default, skip_serializing_if = "is_false")]
    pub pinned: bool,
    /// The world of a plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub world: Option<String>,
    /// Versions of the host that can use it.
    pub host: VersionReq,
    /// Memory in bytes that it asks for beyond the usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// What a plugin asks the user for. Absent where it was installed before this was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<PluginNeeds>,
    /// Files of a suite that are not in its archive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<DataNeeded>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Locked {
    /// A release as it is locked.
    #[must_use]
    pub fn of(release: &Release, registry: &str, sha256: &str, bytes: u64, wanted: VersionReq) -> Self {
        Self {
            kind: release.kind,
            name: release.name.clone(),
            version: release.version.clone(),
            registry: registry.to_owned(),
            sha256: sha256.to_owned(),
            bytes,
            wanted,
            pinned: false,
            world: release.world.clone(),
            host: release.host.clone(),
            memory: release.memory,
            needs: release.needs.clone().filter(|needs| !needs.is_empty()),
            data: release.data.clone(),
        }
    }

    /// Digest and size of everything in the store that belongs to it.
    pub fn stored(&self) -> impl Iterator<Item = (&str, u64)> {
        let data = self.data.iter().map(|data| (data.sha256.as_str(), data.bytes));
        std::iter::once((self.sha256.as_str(), self.bytes)).chain(data)
    }
}

/// A lock file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    layout: u32,
    /// By kind and name, each once.
    #[serde(default, rename = "item")]
    items: Vec<Locked>,
}

impl Default for Lock {
    fn default() -> Self {
        Self { layout: LAYOUT, items: Vec::new() }
    }
}

impl Lock {
    /// Reads a lock file's text. `path` is for messages.
    ///
    /// # Errors
    /// [`RegistryError::BadLock`] when it is damaged, of a later layout, or has something twice.
    pub fn parse(text: &str, path: &Path) -> Result<Self, RegistryError> {
        let bad = |problem: String| RegistryError::BadLock { path: path.to_owned(), problem };
        let mut lock: Self = toml::from_str(text).map_err(|error| bad(error.message().to_owned()))?;
        if lock.layout != LAYOUT {
            return Err(bad(format!("its layout is {}; this version reads {LAYOUT}", lock.layout)));
        }
        lock.sort();
        if let Some(pair) = lock.items.windows(2).find(|pair| key(&pair[0]) == key(&pair[1])) {
            return Err(bad(format!("it has {} {} twice", pair[0].kind, pair[0].name)));
        }
        match lock.items.iter().find(|item| !item.stored().all(|(sha256, _)| is_digest(sha256))) {
            Some(item) => Err(bad(format!("{} {} has no SHA-256", item.kind, item.name))),
            None => Ok(lock),
        }
    }

    /// Reads a lock file. One that does not exist is an empty one.
    ///
    /// # Errors
    /// As [`Lock::parse`], and when the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, RegistryError> {
        match crate::store::read_bounded(path, LARGEST_LOCK) {
            Ok(bytes) => {
                let text = String::from_utf8(bytes).map_err(|_| RegistryError::BadLock {
                    path: path.to_owned(),
                    problem: "it is no text".to_owned(),
                })?;
                Self::parse(&text, path)
            }
            Err(RegistryError::Unreadable { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            Err(error) => Err(error),
        }
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> String {
        // Plain structs of strings and numbers always serialise.
        let body = toml::to_string(self).unwrap_or_default();
        format!("# Written by `bench plugin` and `bench suite`. The digests are what is trusted.\n{body}")
    }

    /// SHA-256 of the text in hex, by which a record names the lock that it ran with.
    #[must_use]
    pub fn digest(&self) -> String {
        hex(&Sha256::digest(self.text().as_bytes()))
    }

    /// What is installed, by kind and name.
    #[must_use]
    pub fn items(&self) -> &[Locked] {
        &self.items
    }

    /// The item of this kind and name.
    #[must_use]
    pub fn get(&self, kind: ItemKind, name: &str) -> Option<&Locked> {
        self.items.iter().find(|item| item.kind == kind && item.name.as_str() == name)
    }

    /// Puts an item in, in place of another version of it.
    pub fn put(&mut self, item: Locked) {
        self.items.retain(|other| key(other) != key(&item));
        self.items.push(item);
        self.sort();
    }

    /// Takes an item out.
    pub fn remove(&mut self, kind: ItemKind, name: &str) -> Option<Locked> {
        let place = self.items.iter().position(|item| item.kind == kind && item.name.as_str() == name)?;
        Some(self.items.remove(place))
    }

    fn sort(&mut self) {
        self.items.sort_by(|one, other| key(one).cmp(&key(other)));
    }
}

fn key(item: &Locked) -> (ItemKind, &ItemName) {
    (item.kind, &item.name)
}

/// Is this a SHA-256 in lower-case hex?
#[must_use]
pub fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a text never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The lock that applies to a suite: the one in the suite's folder where there is one, else the user's.
#[must_use]
pub fn lock_for(suite: Option<&Path>, users: &Path) -> PathBuf {
    let beside = suite.map(|folder| folder.join(LOCK_FILE)).filter(|path| path.is_file());
    beside.unwrap_or_else(|| users.to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item(name: &str, version: &str) -> Locked {
        Locked {
            kind: ItemKind::Driver,
            name: ItemName::parse(name).unwrap(),
            version: Version::parse(version).unwrap(),
            registry: "main".to_owned(),
            sha256: "ab".repeat(32),
            bytes: 7,
            wanted: VersionReq::parse("^1").unwrap(),
            pinned: false,
            world: None,
            host: VersionReq::STAR,
            memory: Some(1 << 20),
            needs: Some(PluginNeeds { programs: ["fast".to_owned()].into(), ..PluginNeeds::default() }),
            data: Vec::new(),
        }
    }

    fn read(text: &str) -> Result<Lock, RegistryError> {
        Lock::parse(text, Path::new("bench.lock"))
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut lock = Lock::default();
        lock.put(item("b", "1.0.0"));
        lock.put(item("acme/a", "1.0.0"));
        lock.put(item("b", "1.1.0"));
        assert_eq!(read(&lock.text()).unwrap(), lock);
        assert_eq!(lock.items().len(), 2);
        assert_eq!(lock.get(ItemKind::Driver, "b").unwrap().version, Version::new(1, 1, 0));
        assert!(lock.get(ItemKind::Scorer, "b").is_none());
        let before = lock.digest();
        assert!(lock.remove(ItemKind::Driver, "b").is_some());
        assert_ne!(lock.digest(), before);
    }

    #[test]
    fn damage_is_refused() {
        let mut lock = Lock::default();
        lock.put(item("b", "1.0.0"));
        let text = lock.text();
        for (from, to) in [
            ("layout = 1", "layout = 2"),
            ("\"b\"", "\"../b\""),
            ("abab", "ABAB"),
            ("abab", "ab"),
            ("bytes", "bites"),
            ("\"driver\"", "\"drivel\""),
        ] {
            let error = read(&text.replacen(from, to, 1)).unwrap_err();
            assert_eq!(error.code(), "lock-unreadable", "{from} to {to}");
        }
        let second = &text[text.find("[[item]]").unwrap()..];
        assert!(read(&format!("{text}\n{second}")).unwrap_err().to_string().contains("twice"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
            let _ = read(&text);
        }
    }
}
