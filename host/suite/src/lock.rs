//! Lock files: which plugin of which digest stood for each workload of a suite, so that a run can be repeated exactly.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::manifest::syntax;
use crate::{Digest, SuiteError};

/// What a suite was resolved to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Lock {
    /// Name of the suite.
    pub suite: String,
    /// Version of the suite.
    pub version: Version,
    /// Digest of the suite's files, as [`crate::Suite::digest`] gives it.
    pub digest: Digest,
    /// The plugins by name.
    pub plugins: BTreeMap<String, LockedPlugin>,
}

/// One plugin of a [`Lock`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LockedPlugin {
    /// Its version.
    pub version: Version,
    /// Digest of the component's bytes.
    pub sha256: Digest,
}

impl Lock {
    /// Reads a lock file.
    ///
    /// # Errors
    /// [`SuiteError::Syntax`] with line and column.
    pub fn parse(text: &str) -> Result<Self, SuiteError> {
        toml::from_str(text).map_err(|error| syntax("suite.lock", text, &error))
    }

    /// The text of the lock file; the same lock always gives the same text.
    pub fn to_toml(&self) -> String {
        // A struct of strings and a map with string keys: nothing that TOML cannot say.
        toml::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    #[test]
    fn a_lock_survives_its_file() {
        let plugin = LockedPlugin { version: Version::new(0, 1, 0), sha256: Digest::of(b"component") };
        let lock = Lock {
            suite: "suite-v1".into(),
            version: Version::new(1, 0, 0),
            digest: Digest::of(b"suite"),
            plugins: BTreeMap::from([("chat-short".into(), plugin)]),
        };
        assert_eq!(Lock::parse(&lock.to_toml()).unwrap(), lock);
        let unknown = format!("colour = 1\n{}", lock.to_toml());
        let message = Lock::parse(&unknown).unwrap_err().to_string();
        assert!(message.contains("colour") && message.contains("plugins") && message.contains("line 1"), "{message}");
    }
}
