//! How long signatures last and how many of them a role needs, as the registry's owner decided. It stands in `registry.toml` beside the
//! metadata and is for the owner's tools alone: what clients hold a registry to is in its signed root.

use std::num::NonZeroU64;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::RepositoryError;
use crate::files;

/// The policy's file.
pub(crate) const POLICY_FILE: &str = "registry.toml";

/// Lifetimes in days, and thresholds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Days that a root lasts.
    pub root_days: u32,
    /// Days that the list of targets lasts.
    pub targets_days: u32,
    /// Days that a publisher's list lasts.
    pub publisher_days: u32,
    /// Days that a snapshot lasts.
    pub snapshot_days: u32,
    /// Days that a timestamp lasts. Until it ends, a client may be kept from news unnoticed.
    pub timestamp_days: u32,
    /// Signatures of root that a root needs, once the registry exists.
    pub root_threshold: u64,
    /// Signatures that the list of targets needs.
    pub targets_threshold: u64,
    /// Keep targets under their plain names, without the digest before them, for a registry under version control. `serve` and `export`
    /// give them the names that clients ask for.
    pub plain_targets: bool,
}

impl Default for Policy {
    /// For a served registry whose online roles are signed again every day.
    fn default() -> Self {
        Self {
            root_days: 365,
            targets_days: 90,
            publisher_days: 365,
            snapshot_days: 7,
            timestamp_days: 2,
            root_threshold: 2,
            targets_threshold: 2,
            plain_targets: false,
        }
    }
}

impl Policy {
    /// For a registry of files under version control that nobody signs again for a year, such as the project's own.
    #[must_use]
    pub fn long() -> Self {
        Self {
            plain_targets: true,
            root_days: 5 * 365,
            targets_days: 2 * 365,
            snapshot_days: 365,
            timestamp_days: 365,
            ..Self::default()
        }
    }

    /// Reads the policy of the registry in `folder`; the default where it has none.
    pub(crate) fn read(folder: &Path) -> Result<Self, RepositoryError> {
        let path = folder.join(POLICY_FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let bad = |problem: String| RepositoryError::BadMetadata { file: POLICY_FILE.to_owned(), problem };
        let text = String::from_utf8(files::read(&path, 64 << 10)?).map_err(|_| bad("it is no text".to_owned()))?;
        toml::from_str(&text).map_err(|error| bad(error.message().to_owned()))
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<(), RepositoryError> {
        // A plain struct of numbers always serialises.
        let text = toml::to_string(self).unwrap_or_default();
        files::write(&folder.join(POLICY_FILE), text.as_bytes())
    }
}

/// `now` and some days, in whole seconds: one of the readers takes no fractions.
pub(crate) fn after(now: Timestamp, days: u32) -> Timestamp {
    let whole = Timestamp::from_second(now.as_second()).unwrap_or(now);
    whole.checked_add(SignedDuration::from_hours(i64::from(days) * 24)).unwrap_or(Timestamp::MAX)
}

/// A version or threshold; zero counts as one.
pub(crate) fn positive(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).unwrap_or(NonZeroU64::MIN)
}
