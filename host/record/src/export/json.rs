//! Records as they are: one record is an object, several are an array.

use super::Exporter;
use crate::{RecordError, RunRecord};

/// Indented JSON.
pub struct Json;

impl Exporter for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn export(&self, runs: &[RunRecord]) -> Result<String, RecordError> {
        let text = match runs {
            [one] => serde_json::to_string_pretty(one),
            all => serde_json::to_string_pretty(all),
        };
        text.map(|text| text + "\n").map_err(|error| RecordError::Unwritable { reason: error.to_string() })
    }
}
