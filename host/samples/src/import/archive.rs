//! inspect's `.eval` archives: an entry for the log and one for each sample.

use std::path::Path;

use bench_json::JsonError;
use bench_unpack::archive::{Archive, ArchiveLimits, Refusal};
use serde_json::Value;

use super::detect::Bounds;
use super::inspect::{Collected, Header};
use super::{Note, not_a_log};
use crate::error::SamplesError;
use crate::read::open_file;
use crate::record::SampleRecord;

/// Most entries of an archive.
const MOST_ENTRIES: u64 = 200_000;

/// Reads an archive.
pub(super) fn samples(
    path: &Path,
    bounds: Bounds<'_>,
    notes: &mut Vec<Note>,
) -> Result<Vec<SampleRecord>, SamplesError> {
    let limits = bounds.limits;
    let refused = |error: Refusal| match error {
        Refusal::TooLarge { limit, .. } => SamplesError::TooLarge { path: path.to_owned(), limit },
        Refusal::Damaged(error) => not_a_log(path, error.to_string()),
        error => SamplesError::Archive { path: path.to_owned(), error },
    };
    let sizes = ArchiveLimits {
        entries: limits.lines.min(MOST_ENTRIES),
        entry_bytes: limits.line_bytes.min(limits.part()),
        bytes: limits.file_bytes,
    };
    let mut archive = Archive::open(open_file(path)?, sizes).map_err(refused)?;
    let mut names = Vec::new();
    for index in 0..archive.len() {
        names.push(archive.entry(index).map_err(refused)?.0);
    }
    let mut entry = |name: &str| -> Result<Value, SamplesError> {
        let broken = |reason: String| not_a_log(path, format!("{name}: {reason}"));
        let bytes = archive.read_named(name, u64::MAX).map_err(|error| match error {
            Refusal::Io(error) => broken(error.to_string()),
            error => refused(error),
        })?;
        let text = std::str::from_utf8(&bytes).map_err(|error| broken(error.to_string()))?;
        let part = bounds.budget.part(limits.part());
        bench_json::value(text, &part).map_err(|error| match error {
            JsonError::OverBudget(error) => SamplesError::Memory { path: path.to_owned(), error },
            JsonError::Syntax(error) => broken(error.to_string()),
        })
    };
    // A run that was killed has only the beginning of its journal.
    let header = if names.iter().any(|name| name == "header.json") {
        entry("header.json")?
    } else if names.iter().any(|name| name == "_journal/start.json") {
        notes.push(Note::new("unfinished-log", format!("{} was never finished", path.display())));
        entry("_journal/start.json")?
    } else {
        return Err(not_a_log(path, "the archive has no header.json"));
    };
    let header = Header::of(&header).ok_or_else(|| not_a_log(path, "its header names no task"))?;
    let mut collected = Collected::default();
    for name in names.iter().filter(|name| name.starts_with("samples/") && name.ends_with(".json")) {
        let value = entry(name)?;
        collected.add(&value, &header, bounds.budget).map_err(|fault| fault.named(path, name))?;
    }
    Ok(collected.finish(notes))
}
