//! Comma-separated values after RFC 4180, for spreadsheets and data frames.

use super::columns::{COLUMNS, Cell};
use crate::record::SampleRecord;

/// A header line, and a line for each sample.
pub(super) fn text(records: &[SampleRecord]) -> String {
    let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
    let mut out = names.join(",") + "\r\n";
    for record in records {
        for (place, column) in COLUMNS.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            match (column.of)(record) {
                Cell::Text(text) => out.push_str(&field(text.as_deref().unwrap_or_default())),
                Cell::Integer(number) => out.push_str(&number.map(|n| n.to_string()).unwrap_or_default()),
                Cell::Number(number) => out.push_str(&number.map(|n| n.to_string()).unwrap_or_default()),
            }
        }
        out.push_str("\r\n");
    }
    out
}

/// A text as a field. Spreadsheets take a text that begins like a formula for one, and answers come from a model, so it gets an
/// apostrophe in front; numbers are spared.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
