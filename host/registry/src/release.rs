//! What a registry says of a version of an item. It stands in the signed metadata beside length and digest, so a user knows it
//! before a byte of the item is fetched.

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

use crate::item::{ItemKind, ItemName, ItemPath, NameError};
use crate::lock::is_digest;
use crate::needs::PluginNeeds;

/// The path of the list that serves search.
pub const INDEX_PATH: &str = "index/v1.json";

/// Who is meant to have a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// Everybody.
    #[default]
    Stable,
    /// Those who ask for it; what is stable is theirs as well.
    Preview,
}

/// Data that an item needs and does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataNeeded {
    /// Where in the suite's folder it belongs, such as `data/items.jsonl`.
    pub name: String,
    /// SHA-256 in hex.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Most pieces of data that one item needs.
pub const MOST_DATA: usize = 64;

impl DataNeeded {
    /// Where it is in a registry: beside the versions of the item that needs it, so that whoever speaks for those speaks for it, and one
    /// copy serves them all.
    #[must_use]
    pub fn path(&self, kind: ItemKind, name: &ItemName) -> String {
        format!("{kind}/{name}/{}.data", self.sha256)
    }
}

/// The item and the digest of a path that [`DataNeeded::path`] made; `None` for any other path.
#[must_use]
pub fn parse_data_path(path: &str) -> Option<(ItemKind, ItemName, &str)> {
    let (kind, rest) = path.split_once('/')?;
    let (name, file) = rest.rsplit_once('/')?;
    let sha256 = file.strip_suffix(".data").filter(|sha256| is_digest(sha256))?;
    Some((kind.parse().ok()?, ItemName::parse(name).ok()?, sha256))
}

/// One version of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// What it is.
    pub kind: ItemKind,
    /// Its name.
    pub name: ItemName,
    /// Its version.
    pub version: Version,
    /// A few words, for lists.
    #[serde(default)]
    pub title: String,
    /// The world of a plugin with its version, such as `bench:plugin/driver@0.1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub world: Option<String>,
    /// Versions of the host that can use it.
    #[serde(default = "any")]
    pub host: VersionReq,
    /// Memory in bytes that it asks for beyond the usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// What a plugin asks the user for. Absent in releases from before this was stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<PluginNeeds>,
    /// SPDX expression.
    #[serde(default)]
    pub licence: String,
    /// What else belongs to it: files of a suite that are not in its archive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<DataNeeded>,
    /// Who is meant to have it.
    #[serde(default)]
    pub channel: Channel,
    /// Why nobody should install it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yanked: Option<String>,
}

fn any() -> VersionReq {
    VersionReq::STAR
}

impl Release {
    /// A release that says nothing but what it is.
    #[must_use]
    pub fn new(path: ItemPath) -> Self {
        Self {
            kind: path.kind,
            name: path.name,
            version: path.version,
            title: String::new(),
            world: None,
            host: any(),
            memory: None,
            needs: None,
            licence: String::new(),
            data: Vec::new(),
            channel: Channel::default(),
            yanked: None,
        }
    }

    /// Where it is in a registry.
    #[must_use]
    pub fn path(&self) -> ItemPath {
        ItemPath { kind: self.kind, name: self.name.clone(), version: self.version.clone() }
    }

    /// The version of `bench:plugin` that it was built for.
    #[must_use]
    pub fn wit(&self) -> Option<Version> {
        self.world.as_deref()?.rsplit_once('@').and_then(|(_, version)| Version::parse(version).ok())
    }
}

/// A line of the index: a release and its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is.
    #[serde(flatten)]
    pub release: Release,
    /// SHA-256 in hex.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// `index/v1.json`: everything that a registry offers, in one small file. It serves search alone; what is installed is looked up in the
/// roles' own metadata.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Index {
    /// Version of this layout: 1.
    pub schema: u32,
    /// By kind, name and version.
    pub entries: Vec<Entry>,
}

/// Most entries that are read from an index.
const MOST_ENTRIES: usize = 100_000;

impl Index {
    /// Reads an index.
    ///
    /// # Errors
    /// When it is no index, of another layout, or enormous.
    pub fn parse(bytes: &[u8]) -> Result<Self, NameError> {
        let bad = |problem| NameError { text: INDEX_PATH.to_owned(), problem };
        let index: Self = serde_json::from_slice(bytes).map_err(|_| bad("is no index of a registry"))?;
        if index.schema != 1 {
            return Err(bad("has a layout that this version does not know"));
        }
        if index.entries.len() > MOST_ENTRIES {
            return Err(bad("has too many entries"));
        }
        Ok(index)
    }

    /// Entries whose name or title has `words`, all of them, the newest version of each item alone.
    #[must_use]
    pub fn search(&self, words: &str) -> Vec<&Entry> {
        let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
        let fits = |entry: &&Entry| {
            let text = format!("{} {} {}", entry.release.kind, entry.release.name, entry.release.title).to_lowercase();
            entry.release.yanked.is_none() && words.iter().all(|word| text.contains(word))
        };
        let mut found: Vec<&Entry> = self.entries.iter().filter(fits).collect();
        let key = |entry: &Entry| (entry.release.kind, entry.release.name.clone());
        found.sort_by(|one, other| {
            key(one).cmp(&key(other)).then_with(|| other.release.version.cmp(&one.release.version))
        });
        found.dedup_by_key(|entry| key(entry));
        found
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    fn entry(name: &str, version: &str, title: &str, yanked: Option<&str>) -> Entry {
        let release = Release {
            kind: ItemKind::Driver,
            name: ItemName::parse(name).unwrap(),
            version: Version::parse(version).unwrap(),
            title: title.to_owned(),
            world: Some("bench:plugin/driver@0.1.0".to_owned()),
            host: VersionReq::parse(">=0.1").unwrap(),
            memory: None,
            needs: None,
            licence: "Apache-2.0".to_owned(),
            data: Vec::new(),
            channel: Channel::Stable,
            yanked: yanked.map(str::to_owned),
        };
        Entry { release, sha256: "00".repeat(32), bytes: 1 }
    }

    #[test]
    fn search_gives_the_newest_version_that_is_not_yanked() {
        let index = Index {
            schema: 1,
            entries: vec![
                entry("acme/fast", "1.9.0", "A fast engine", None),
                entry("acme/fast", "1.10.0", "A fast engine", None),
                entry("acme/fast", "2.0.0", "A fast engine", Some("broken")),
                entry("slow", "1.0.0", "Another", None),
            ],
        };
        let again = Index::parse(&serde_json::to_vec(&index).unwrap()).unwrap();
        assert_eq!(again, index);
        let found: Vec<String> =
            index.search("FAST engine").iter().map(|entry| entry.release.path().to_string()).collect();
        assert_eq!(found, ["driver/acme/fast/1.10.0.wasm"]);
        assert_eq!(index.search("").len(), 2);
        assert!(index.search("fast nothing").is_empty());
        assert_eq!(index.entries[0].release.wit(), Some(Version::new(0, 1, 0)));
    }

    #[test]
    fn another_layout_is_refused() {
        assert!(Index::parse(br#"{"schema":2,"entries":[]}"#).is_err());
        assert!(Index::parse(b"[]").is_err());
        assert!(
            Index::parse(
                br#"{"schema":1,"entries":[{"kind":"driver","name":"../x","version":"1.0.0","sha256":"","bytes":1}]}"#
            )
            .is_err()
        );
    }
}
