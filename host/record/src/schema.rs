//! The record's schema, and reading by version.

use bench_json::{Budget, Costs, JsonError, measure_with};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{RecordError, RequestRecord, RunRecord};

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
/// [`RecordError::NotARecord`] for anything else, [`RecordError::NewerVersion`] for a record of a newer version,
/// [`RecordError::Memory`] for one that takes more memory than it may.
pub fn parse(json: &[u8], what: &str) -> Result<RunRecord, RecordError> {
    parse_as(json, what)
}

/// Reads as much of a record as `T` asks for.
pub(crate) fn parse_as<T: DeserializeOwned>(json: &[u8], what: &str) -> Result<T, RecordError> {
    parse_within(json, what, &Budget::default())
}

/// Reads as much of a record as `T` asks for, within a budget.
pub(crate) fn parse_within<T: DeserializeOwned>(json: &[u8], what: &str, budget: &Budget) -> Result<T, RecordError> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: u64,
    }

    let over = |error| RecordError::Memory { what: what.to_owned(), error };
    // The text stays in memory while the record is made of it.
    budget.spend(json.len() as u64).map_err(over)?;
    if let Err(JsonError::OverBudget(error)) = measure_with(json, &Costs::of_types(size_of::<RequestRecord>()), budget)
    {
        return Err(over(error));
    }
    let wrong = |error: serde_json::Error| RecordError::NotARecord { what: what.to_owned(), reason: error.to_string() };
    let Version { schema_version: found } = serde_json::from_slice(json).map_err(wrong)?;
    if found > u64::from(SCHEMA_VERSION) {
        return Err(RecordError::NewerVersion { what: what.to_owned(), found, known: SCHEMA_VERSION });
    }
    serde_json::from_slice(json).map_err(wrong)
}
