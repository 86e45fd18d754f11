//! Rows of a data file: JSON, JSON lines, CSV, tabs or Parquet, packed with gzip or not. The file may come from anywhere, so its
//! size is bounded also as it unpacks, and what is wrong is named with its place.

mod columns;
mod parquet;
mod separated;
mod text;

use std::path::Path;

use bench_json::Budget;
use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value};

use crate::error::ImportError;
use crate::tree::{bounded, largest_file, name_of, read_file};

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which one it is, such as `line 3`.
    pub place: String,
    /// Its fields.
    pub fields: Map<String, Value>,
    /// A whole number in it that this program would change, since it has more than 64 bits.
    pub inexact: Option<String>,
}

/// The rows of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The file's name, without its folder.
    pub name: String,
    /// SHA-256 of the file as it is, in hexadecimal.
    pub sha256: String,
    /// In the file's order; at least one.
    pub rows: Vec<Row>,
}

impl Table {
    /// An error about one of the rows.
    pub(crate) fn wrong(&self, row: &Row, reason: impl Into<String>) -> ImportError {
        ImportError::Row { name: self.name.clone(), place: row.place.clone(), reason: reason.into() }
    }
}

/// How much memory one row takes beside its fields, in bytes.
const ROW: u64 = 2 * size_of::<Row>() as u64 + 64;

/// The memory for all rows of an import. Rows become items and items become text, so rows are spent three times.
pub fn import_budget() -> Budget {
    Budget::new(bench_json::memory().saturating_mul(2))
}

/// How often each byte of a row is spent.
const SPENT_TIMES: u64 = 3;

/// Reads the rows of a file.
///
/// # Errors
/// [`ImportError::File`], [`ImportError::TooLarge`], [`ImportError::Memory`], [`ImportError::Unreadable`],
/// [`ImportError::Row`] and [`ImportError::Empty`].
pub fn read(path: &Path, budget: &Budget) -> Result<Table, ImportError> {
    parse(&name_of(path), read_file(path, largest_file())?, budget)
}

/// Reads the rows of a file that is in memory. Its name says of what form it is.
///
/// # Errors
/// As [`read`], but for [`ImportError::File`].
pub fn parse(name: &str, bytes: Vec<u8>, budget: &Budget) -> Result<Table, ImportError> {
    parse_within(name, bytes, largest_file(), budget)
}

fn parse_within(name: &str, bytes: Vec<u8>, limit: u64, budget: &Budget) -> Result<Table, ImportError> {
    let sha256 = bench_suite::Digest::of(&bytes).to_string();
    let lower = name.to_lowercase();
    let (form, unpacked) = match lower.strip_suffix(".gz") {
        Some(inner) => (inner.to_owned(), bounded(MultiGzDecoder::new(bytes.as_slice()), limit, name)?),
        None => (lower.clone(), Vec::new()),
    };
    // A file that was packed is not needed any more.
    let bytes = if form == lower { bytes } else { unpacked };
    // While they are read, rows may take the part that is theirs.
    let part = Budget::new(budget.left() / SPENT_TIMES);
    let rows = match form.rsplit_once('.').map(|(_, ending)| ending) {
        Some("parquet") => parquet::rows(name, bytes, &part)?,
        Some("csv") => separated::rows(name, &bytes, b',', &part)?,
        Some("tsv") => separated::rows(name, &bytes, b'\t', &part)?,
        Some("json" | "jsonl" | "ndjson") => text::json(name, &bytes, &part)?,
        _ => {
            let why = "its name ends in none of .json, .jsonl, .csv, .tsv and .parquet, with or without .gz";
            return Err(ImportError::unreadable(name, why));
        }
    };
    budget.spend(part.spent().saturating_mul(SPENT_TIMES)).map_err(ImportError::memory(name))?;
    if rows.is_empty() {
        return Err(ImportError::Empty { name: name.to_owned() });
    }
    Ok(Table { name: name.to_owned(), sha256, rows })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_unpacks_to_too_much_is_refused() {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(b"{\"a\": 1}\n").unwrap();
        // The members of such a file follow one another.
        let packed = packer.finish().unwrap().repeat(100);
        assert_eq!(parse_within("x.jsonl.gz", packed.clone(), 900, &import_budget()).unwrap().rows.len(), 100);
        assert_eq!(parse_within("x.jsonl.gz", packed, 899, &import_budget()).unwrap_err().code(), "import-too-large");
    }
}
