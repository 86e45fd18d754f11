//! Rows of CSV and tab-separated files.
//!
//! The parser writes into buffers of this module, so that a row with millions of fields, or one that never ends, is refused before
//! there is memory for it.

use bench_json::{Budget, JsonError, cost_of_fields};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use serde_json::{Map, Value};

use super::text::{check_count, utf8};
use super::{ROW, Row};
use crate::error::ImportError;

/// Most columns.
const MOST_COLUMNS: usize = 4096;

/// Longest row, in bytes.
const LONGEST_ROW: usize = 24 << 20;

/// Bytes of a row that there is memory for at first.
const FIRST_ROW: usize = 1 << 16;

/// A header and rows of texts. A field that is a list or an object in JSON is taken for one.
pub(super) fn rows(name: &str, bytes: &[u8], separator: u8, budget: &Budget) -> Result<Vec<Row>, ImportError> {
    let text = utf8(name, bytes)?;
    let mut records = Records {
        name,
        core: ReaderBuilder::new().delimiter(separator).build(),
        input: text.as_bytes(),
        output: vec![0; FIRST_ROW],
        ends: vec![0; MOST_COLUMNS],
    };
    let Some((_, header)) = records.next_record()? else { return Ok(Vec::new()) };
    let header: Vec<String> = header.iter().map(|column| (*column).to_owned()).collect();
    let mut names = std::collections::BTreeSet::new();
    if let Some(twice) = header.iter().find(|column| !names.insert(*column)) {
        return Err(ImportError::unreadable(name, format!("the column {twice:.100?} is there twice")));
    }
    let mut rows = Vec::new();
    while let Some((line, record)) = records.next_record()? {
        let place = format!("line {line}");
        if record.len() != header.len() {
            let reason = format!("it has {} fields, and the header has {}", record.len(), header.len());
            return Err(ImportError::unreadable(name, format!("{place}: {reason}")));
        }
        let over = || ImportError::memory(format!("{name}, {place}"));
        let mut fields = Map::new();
        for (column, text) in header.iter().zip(record) {
            let value = cell(text, budget).map_err(|error| over()(error))?;
            fields.insert(column.clone(), value);
        }
        budget.spend(ROW + cost_of_fields(&fields)).map_err(over())?;
        rows.push(Row { place, fields, inexact: None });
        check_count(name, &rows)?;
    }
    Ok(rows)
}

struct Records<'t> {
    name: &'t str,
    core: Reader,
    input: &'t [u8],
    output: Vec<u8>,
    ends: Vec<usize>,
}

impl Records<'_> {
    /// The next record with its line, and nothing at the end.
    fn next_record(&mut self) -> Result<Option<(u64, Vec<&str>)>, ImportError> {
        let line = self.core.line();
        let wrong = |name: &str, reason: String| ImportError::Row {
            name: name.to_owned(),
            place: format!("line {line}"),
            reason,
        };
        let (mut written, mut fields) = (0, 0);
        loop {
            let output = self.output.get_mut(written..).unwrap_or_default();
            let ends = self.ends.get_mut(fields..).unwrap_or_default();
            let (found, read, wrote, ended) = self.core.read_record(self.input, output, ends);
            self.input = self.input.get(read..).unwrap_or_default();
            written += wrote;
            fields += ended;
            match found {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.output.len() >= LONGEST_ROW => {
                    return Err(wrong(self.name, format!("the row has more than {LONGEST_ROW} bytes")));
                }
                ReadRecordResult::OutputFull => {
                    let longer = (2 * self.output.len()).min(LONGEST_ROW);
                    self.output.resize(longer, 0);
                }
                ReadRecordResult::OutputEndsFull => {
                    return Err(wrong(self.name, format!("the row has more than {MOST_COLUMNS} fields")));
                }
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::Record => break,
            }
        }
        let mut start = 0;
        let mut record = Vec::with_capacity(fields);
        for end in self.ends.iter().take(fields) {
            let text = self.output.get(start..*end).unwrap_or_default();
            // The input is UTF-8, and separators are ASCII.
            record.push(std::str::from_utf8(text).map_err(|error| wrong(self.name, error.to_string()))?);
            start = *end;
        }
        Ok(Some((line, record)))
    }
}

/// The value of a field. What it takes is spent by the caller; only what may not be made is refused here.
fn cell(text: &str, budget: &Budget) -> Result<Value, bench_json::OverBudget> {
    let framed = (text.starts_with('[') && text.ends_with(']')) || (text.starts_with('{') && text.ends_with('}'));
    if framed {
        let part = budget.part(u64::MAX);
        match bench_json::value(text, &part) {
            Ok(value) => return Ok(value),
            Err(JsonError::OverBudget(_)) => {
                budget.spend(budget.left().saturating_add(1))?;
            }
            Err(JsonError::Syntax(_)) => {}
        }
    }
    Ok(Value::String(text.to_owned()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<Row>, ImportError> {
        rows("x.csv", text.as_bytes(), b',', &Budget::default())
    }

    #[test]
    fn rows_are_those_of_the_format() {
        let read = read("a,b\n1,\"x, \"\"y\"\"\nz\"\r\n\n\"[1, 2]\",\u{e9}\n").unwrap();
        let found: Vec<(&str, String)> =
            read.iter().map(|row| (row.place.as_str(), Value::Object(row.fields.clone()).to_string())).collect();
        assert_eq!(
            found,
            [
                ("line 2", r#"{"a":"1","b":"x, \"y\"\nz"}"#.to_owned()),
                ("line 3", r#"{"a":[1,2],"b":"\u{e9}"}"#.replace("\\u{e9}", "\u{e9}"))
            ]
        );
    }

    #[test]
    fn rows_that_are_too_wide_or_too_long_are_refused() {
        let wide = format!("a,b\n{}\n", ",".repeat(1_000_000));
        let long = format!("a,b\n\"{}\",x\n", "x,".repeat(15 << 20));
        for (text, words) in [
            (wide.as_str(), "more than 4096 fields"),
            (long.as_str(), "bytes"),
            ("a,b\n1\n", "it has 1 fields"),
            ("a,a\n", "twice"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error:.200}");
        }
        let nested = format!("a\n\"[{}0]\"\n", "0,".repeat(1 << 20));
        let error = rows("x.csv", nested.as_bytes(), b',', &Budget::new(16 << 20)).unwrap_err();
        assert_eq!(error.code(), "input-takes-too-much-memory");
    }

    proptest! {
        #[test]
        fn any_text_is_rows_or_an_error(text in "[a-b,\"\n\r\\[\\]{}0 \u{e9}]{0,60}") {
            let _ = read(&text);
        }
    }
}
