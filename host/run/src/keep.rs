//! The last look at a record before it is written.

use bench_record::{RecordError, RunRecord, Store};
use bench_wire::Secrets;

use crate::error::RunError;

/// Writes a record, unless a part of a key is still in it: texts of servers are without keys by then, and a record is handed out.
pub(crate) fn save_record(store: &Store, secrets: &Secrets, record: &RunRecord) -> Result<(), RunError> {
    let json = serde_json::to_string(record).map_err(|error| RecordError::Unwritable { reason: error.to_string() })?;
    if secrets.leaks(&json) {
        return Err(RunError::KeyInRecord { run: record.id.to_string() });
    }
    store.save(record)?;
    Ok(())
}
