//! Names of runs.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset};

use crate::RecordError;

/// The name of a run: letters, digits, `-` and `_`, at most 64 of them, so that it can be a directory and never a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct RunId(String);

impl RunId {
    /// Takes `text` for an identifier.
    ///
    /// # Errors
    ///
    /// [`RecordError::BadId`] for anything that could not be one.
    pub fn new(text: impl Into<String>) -> Result<Self, RecordError> {
        let id = text.into();
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let reserved = matches!(id.as_str(), "latest" | "last");
        if (1..=64).contains(&id.len()) && id.chars().all(allowed) && !reserved && !id.starts_with('-') {
            Ok(Self(id))
        } else {
            Err(RecordError::BadId { id })
        }
    }

    /// An identifier that sorts by time: the moment in UTC to the second, then the entropy in hexadecimal, such as
    /// `20260911-140312-8f3a2c1e`.
    pub fn from_parts(started: OffsetDateTime, entropy: [u8; 4]) -> Self {
        let t = started.to_offset(UtcOffset::UTC);
        let day = format!("{:04}{:02}{:02}", t.year().clamp(0, 9999), u8::from(t.month()), t.day());
        let moment = format!("{:02}{:02}{:02}", t.hour(), t.minute(), t.second());
        Self(format!("{day}-{moment}-{:08x}", u32::from_be_bytes(entropy)))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RunId {
    type Error = RecordError;

    fn try_from(text: String) -> Result<Self, RecordError> {
        Self::new(text)
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}
