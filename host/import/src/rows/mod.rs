//! Rows of a data file: JSON, JSON lines, CSV, tabs or Parquet, packed with gzip or not. The file may come from anywhere, so its
//! size is bounded also as it unpacks, and what is wrong is named with its place.

mod parquet;
mod text;

use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value};

use crate::error::ImportError;
use crate::tree::{LARGEST_FILE, bounded, name_of, read_file};

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

/// Reads the rows of a file.
///
/// # Errors
/// [`ImportError::Io`], [`ImportError::TooLarge`], [`ImportError::Unreadable`], [`ImportError::Row`] and
/// [`ImportError::Empty`].
pub fn read(path: &Path) -> Result<Table, ImportError> {
    parse(&name_of(path), read_file(path, LARGEST_FILE)?)
}

/// Reads the rows of a file that is in memory. Its name says of what form it is.
///
/// # Errors
/// As [`read`], but for [`ImportError::Io`].
pub fn parse(name: &str, bytes: Vec<u8>) -> Result<Table, ImportError> {
    parse_within(name, bytes, LARGEST_FILE)
}

fn parse_within(name: &str, bytes: Vec<u8>, limit: u64) -> Result<Table, ImportError> {
    let sha256 = bench_suite::Digest::of(&bytes).to_string();
    let lower = name.to_lowercase();
    let (form, bytes) = match lower.strip_suffix(".gz") {
        Some(inner) => (inner.to_owned(), bounded(MultiGzDecoder::new(bytes.as_slice()), limit, name)?),
        None => (lower.clone(), bytes),
    };
    let rows = match form.rsplit_once('.').map(|(_, ending)| ending) {
        Some("parquet") => parquet::rows(name, bytes)?,
        Some("csv") => text::separated(name, &bytes, b',')?,
        Some("tsv") => text::separated(name, &bytes, b'\t')?,
        Some("json" | "jsonl" | "ndjson") => text::json(name, &bytes)?,
        _ => {
            let why = "its name ends in none of .json, .jsonl, .csv, .tsv and .parquet, with or without .gz";
            return Err(ImportError::unreadable(name, why));
        }
    };
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
        assert_eq!(parse_within("x.jsonl.gz", packed.clone(), 900).unwrap().rows.len(), 100);
        assert_eq!(parse_within("x.jsonl.gz", packed, 899).unwrap_err().code(), "import-too-large");
    }
}
