//! What a registry holds, and what it may be called.
//!
//! A name becomes part of a path on the author's disk, of an address, and of a path on the user's disk. So there is one narrow
//! alphabet, in which nothing has a second spelling: no upper case, no dots, nothing beyond ASCII. A path from metadata is read back
//! into its parts and written again; what does not come out the same is no path of ours.

use std::fmt;
use std::str::FromStr;

use bench_plugin::Kind;
use bench_text::{clean_sentence, spell_name};
use semver::Version;
use serde::{Deserialize, Serialize};

/// Most characters of one part of a name.
const LONGEST_PART: usize = 64;
/// Most characters of a version.
const LONGEST_VERSION: usize = 64;
/// Names that some file systems keep for devices.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The kinds of thing that a registry distributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// Talks to a backend.
    Driver,
    /// Says what to ask.
    Workload,
    /// Grades answers.
    Scorer,
    /// Hands results to a leaderboard.
    Publisher,
    /// Prompts, data and settings.
    Suite,
    /// The program itself, for one platform; its name is the platform's.
    Host,
}

impl ItemKind {
    /// All kinds.
    pub const ALL: [ItemKind; 6] =
        [ItemKind::Driver, ItemKind::Workload, ItemKind::Scorer, ItemKind::Publisher, ItemKind::Suite, ItemKind::Host];

    /// As it is typed and as it stands in paths.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            ItemKind::Driver => "driver",
            ItemKind::Workload => "workload",
            ItemKind::Scorer => "scorer",
            ItemKind::Publisher => "publisher",
            ItemKind::Suite => "suite",
            ItemKind::Host => "host",
        }
    }

    /// The kind of plugin, where it is one.
    #[must_use]
    pub const fn plugin(self) -> Option<Kind> {
        match self {
            ItemKind::Driver => Some(Kind::Driver),
            ItemKind::Workload => Some(Kind::Workload),
            ItemKind::Scorer => Some(Kind::Scorer),
            ItemKind::Publisher => Some(Kind::Publisher),
            ItemKind::Suite | ItemKind::Host => None,
        }
    }
}

impl From<Kind> for ItemKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Driver => ItemKind::Driver,
            Kind::Workload => ItemKind::Workload,
            Kind::Scorer => ItemKind::Scorer,
            Kind::Publisher => ItemKind::Publisher,
        }
    }
}

impl fmt::Display for ItemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for ItemKind {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let known = ItemKind::ALL.into_iter().find(|kind| kind.word() == text);
        known.ok_or_else(|| NameError { text: shown(text), problem: "is no kind of plugin, nor `suite` or `host`" })
    }
}

/// A text that is no name, version, kind or path of a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {problem}", text = clean_sentence(.text))]
pub struct NameError {
    /// The beginning of it, made printable.
    pub text: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl NameError {
    /// Stable identifier.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "bad-name"
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(
            "a name is `name` or `publisher/name`, in lower-case letters, digits and hyphens; a version is like 1.2.3"
                .to_owned(),
        )
    }
}

fn shown(text: &str) -> String {
    spell_name(text)
}

/// The name of an item: `name`, or `publisher/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ItemName(String);

impl ItemName {
    /// Reads a name.
    ///
    /// # Errors
    /// When it is not one or two parts of `a-z`, `0-9` and inner `-`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let problem = match text.split('/').collect::<Vec<_>>().as_slice() {
            [] => Some("is empty"),
            [name] => bad_part(name),
            [publisher, name] => bad_part(publisher).or_else(|| bad_part(name)),
            _ => Some("has more than two parts"),
        };
        match problem {
            None => Ok(Self(text.to_owned())),
            Some(problem) => Err(NameError { text: shown(text), problem }),
        }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The item's own part, which is what a plugin calls itself.
    #[must_use]
    pub fn own(&self) -> &str {
        self.0.split_once('/').map_or(self.as_str(), |(_, own)| own)
    }

    /// The publisher's part, where there is one.
    #[must_use]
    pub fn publisher(&self) -> Option<&str> {
        self.0.split_once('/').map(|(publisher, _)| publisher)
    }
}

/// What is wrong with one part of a name.
pub(crate) fn bad_part(part: &str) -> Option<&'static str> {
    let port = |prefix: &str| {
        part.strip_prefix(prefix).is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    if part.is_empty() {
        Some("has an empty part")
    } else if part.len() > LONGEST_PART {
        Some("has a part of more than 64 characters")
    } else if !part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        Some("holds other characters than a-z, 0-9 and -")
    } else if part.starts_with('-') || part.ends_with('-') {
        Some("has a part that begins or ends with a hyphen")
    } else if DEVICES.contains(&part) || port("com") || port("lpt") {
        Some("is a name that some systems keep for devices")
    } else {
        None
    }
}

impl fmt::Display for ItemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ItemName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ItemName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<ItemName> for String {
    fn from(name: ItemName) -> String {
        name.0
    }
}

/// One version of one item, as its path in a registry says it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemPath {
    /// What it is.
    pub kind: ItemKind,
    /// Its name.
    pub name: ItemName,
    /// Its version.
    pub version: Version,
}

impl ItemPath {
    /// Reads a path such as `driver/acme/fast/1.2.0.wasm`.
    ///
    /// # Errors
    /// When it is not exactly what [`ItemPath`] would write.
    pub fn parse(path: &str) -> Result<Self, NameError> {
        let bad = |problem| NameError { text: shown(path), problem };
        let (kind, rest) = path.split_once('/').ok_or(bad("is no path of a registry"))?;
        let kind: ItemKind = kind.parse()?;
        let (name, file) = rest.rsplit_once('/').ok_or(bad("is no path of a registry"))?;
        let version = match kind {
            ItemKind::Host => file.strip_prefix("bench-"),
            ItemKind::Suite => file.strip_suffix(".zip"),
            _ => file.strip_suffix(".wasm"),
        };
        let version = read_version(version.ok_or(bad("has another file name than its kind asks for"))?)?;
        let item = Self { kind, name: ItemName::parse(name)?, version };
        if item.to_string() == path { Ok(item) } else { Err(bad("is not written as a registry writes it")) }
    }
}

impl fmt::Display for ItemPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, version } = self;
        match kind {
            ItemKind::Host => write!(f, "{kind}/{name}/bench-{version}"),
            ItemKind::Suite => write!(f, "{kind}/{name}/{version}.zip"),
            _ => write!(f, "{kind}/{name}/{version}.wasm"),
        }
    }
}

/// Reads a version as it may stand in a path.
///
/// # Errors
/// When it is no semantic version, is very long, or has build metadata, which has no order.
pub fn read_version(text: &str) -> Result<Version, NameError> {
    let bad = |problem| NameError { text: shown(text), problem };
    if text.len() > LONGEST_VERSION {
        return Err(bad("is longer than a version may be"));
    }
    let version = Version::parse(text).map_err(|_| bad("is no version such as 1.2.3"))?;
    if version.build.is_empty() { Ok(version) } else { Err(bad("has build metadata, which a registry does not order")) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_is_read_as_it_is_written() {
        for path in [
            "driver/openai/0.1.0.wasm",
            "scorer/acme/exact/1.0.0-rc.1.wasm",
            "suite/suite-v1/1.0.0.zip",
            "host/x86-64-linux/bench-0.2.0",
        ] {
            assert_eq!(ItemPath::parse(path).unwrap().to_string(), path);
        }
    }

    #[test]
    fn hostile_names_are_refused() {
        let long = "a".repeat(65);
        for name in [
            "",
            "/",
            "..",
            "../x",
            "a/../b",
            "/etc/passwd",
            "a//b",
            "a/b/c",
            "A",
            "Acme/x",
            "a.b",
            "a_b",
            "a b",
            "-a",
            "a-",
            "\u{430}cme/x",
            "a\u{0}",
            "a\\b",
            "nul",
            "com1",
            "acme/lpt9",
            "bench.lock",
            long.as_str(),
            "%2e%2e",
            "a\n",
        ] {
            let error = ItemName::parse(name).unwrap_err();
            assert_eq!(error.code(), "bad-name");
            assert!(error.to_string().is_ascii() && error.to_string().len() < 2000);
        }
    }

    #[test]
    fn hostile_paths_are_refused() {
        for path in [
            "driver/openai/../../x/0.1.0.wasm",
            "driver/openai/0.1.0.wasm/",
            "/driver/openai/0.1.0.wasm",
            "driver/openai/00.1.0.wasm",
            "driver/openai/0.1.0+x.wasm",
            "driver/openai/0.1.0.zip",
            "suite/x/1.0.0.wasm",
            "host/x86-64/bench-",
            "driver/0.1.0.wasm",
            "index/v1.json",
            "driver/bench.lock/1.0.0.wasm",
            "DRIVER/openai/0.1.0.wasm",
        ] {
            assert!(ItemPath::parse(path).is_err(), "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_read_as_it_is_written(text in "\\PC{0,80}") {
            if let Ok(path) = ItemPath::parse(&text) {
                prop_assert_eq!(path.to_string(), text);
            }
        }

        #[test]
        fn near_paths_too(text in "(driver|suite|host)/[a-zA-Z./-]{0,8}/(bench-)?[0-9a-z.+-]{0,9}(\\.wasm|\\.zip)?") {
            if let Ok(path) = ItemPath::parse(&text) {
                prop_assert_eq!(path.to_string(), text);
            }
        }
    }
}
