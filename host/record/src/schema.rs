//! The record's schema, and reading by version.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{RecordError, RunRecord};

/// Version of the record's schema. Raised only when a reader of the version before would misread a record.
pub const SCHEMA_VERSION: u32 = 1;

/// Identifier of the schema, as records name it.
pub const SCHEMA_ID: &str = "urn:bench:schema:run:v1";

/// The JSON schema of [`RunRecord`], as committed in `schema/run-v1.json`.
pub fn schema_json() -> String {
    let mut schema = schemars::schema_for!(RunRecord);
    schema.insert("$id".to_owned(), SCHEMA_ID.into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads a record. `what` names its origin for messages.
///
/// # Errors
///
/// [`RecordError::NotARecord`] for anything else, [`RecordError::NewerVersion`] for a record of a newer version.
pub fn parse(json: &[u8], what: &str) -> Result<RunRecord, RecordError> {
    parse_as(json, what)
}

/// Reads as much of a record as `T` asks for.
pub(crate) fn parse_as<T: DeserializeOwned>(json: &[u8], what: &str) -> Result<T, RecordError> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: u64,
    }

    let wrong = |error: serde_json::Error| RecordError::NotARecord { what: what.to_owned(), reason: error.to_string() };
    let Version { schema_version: found } = serde_json::from_slice(json).map_err(wrong)?;
    if found > u64::from(SCHEMA_VERSION) {
        return Err(RecordError::NewerVersion { what: what.to_owned(), found, known: SCHEMA_VERSION });
    }
    serde_json::from_slice(json).map_err(wrong)
}
