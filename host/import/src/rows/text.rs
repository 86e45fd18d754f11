//! Rows of JSON files.

use bench_json::{Budget, JsonError};
use serde_json::Value;

use super::{ROW, Row, columns};
use crate::error::ImportError;

pub(super) fn utf8<'t>(name: &str, bytes: &'t [u8]) -> Result<&'t str, ImportError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(ImportError::unreadable(name, "it is UTF-16; save it as UTF-8"));
    }
    std::str::from_utf8(bytes)
        .map_err(|error| ImportError::unreadable(name, format!("it is not UTF-8 after byte {}", error.valid_up_to())))
}

pub(super) fn check_count(name: &str, rows: &[Row]) -> Result<(), ImportError> {
    if rows.len() > bench_suite::MOST_ITEMS {
        return Err(ImportError::unreadable(name, format!("it has more than {} rows", bench_suite::MOST_ITEMS)));
    }
    Ok(())
}

/// What files that are one object call the list of their items.
const LISTS: [&str; 8] = ["data", "examples", "instances", "items", "questions", "rows", "samples", "test"];

/// One object a line, or a list of objects, which may be the only list of an object. Data sets call both forms `.json`.
pub(super) fn json(name: &str, bytes: &[u8], budget: &Budget) -> Result<Vec<Row>, ImportError> {
    let text = utf8(name, bytes)?;
    if text.trim_start().starts_with('[') {
        return listed(name, text, budget);
    }
    let begin = budget.spent();
    let mut rows = Vec::new();
    for (place, line) in text.split('\n').enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let place = format!("line {}", place + 1);
        let over = |place: &str| ImportError::memory(format!("{name}, {place}"));
        budget.spend(ROW).map_err(over(&place))?;
        match bench_json::object(line, budget) {
            Ok(fields) => rows.push(Row { place, fields, inexact: inexact(line) }),
            // An object over several lines ends in the middle of its first one.
            Err(error) if rows.is_empty() && error.is_eof() => {
                budget.give_back_to(begin);
                return listed(name, text, budget);
            }
            Err(JsonError::OverBudget(error)) => return Err(over(&place)(error)),
            Err(error) => {
                let reason = format!("no JSON object: {error}");
                return Err(ImportError::Row { name: name.to_owned(), place, reason });
            }
        }
        check_count(name, &rows)?;
    }
    // A file that is one object with a list of the items.
    let is_list = matches!(rows.as_slice(), [only]
        if LISTS.iter().any(|list| only.fields.get(*list).is_some_and(is_rows))
            || columns::layout(&only.fields).is_some());
    if is_list {
        drop(rows);
        budget.give_back_to(begin);
        return listed(name, text, budget);
    }
    Ok(rows)
}

fn is_rows(value: &Value) -> bool {
    value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_object))
}

fn listed(name: &str, text: &str, budget: &Budget) -> Result<Vec<Row>, ImportError> {
    let value = bench_json::value(text, budget).map_err(|error| match error {
        JsonError::OverBudget(error) => ImportError::memory(name)(error),
        JsonError::Syntax(error) => ImportError::unreadable(name, error),
    })?;
    let list = match value {
        Value::Array(list) => list,
        Value::Object(fields) => {
            if let Some(layout) = columns::layout(&fields) {
                return table(
                    name,
                    text,
                    columns::rows(fields, layout, budget).map_err(ImportError::memory(name))?,
                    budget,
                );
            }
            let mut lists: Vec<Value> = fields.into_iter().map(|(_, value)| value).filter(is_rows).collect();
            match (lists.pop(), lists.pop()) {
                (Some(Value::Array(list)), None) => list,
                _ => return Err(ImportError::unreadable(name, "it is neither lines of objects nor one list of them")),
            }
        }
        _ => return Err(ImportError::unreadable(name, "it is neither lines of objects nor a list of them")),
    };
    table(name, text, list, budget)
}

/// The rows of one list.
fn table(name: &str, text: &str, list: Vec<Value>, budget: &Budget) -> Result<Vec<Row>, ImportError> {
    // The list was one text, so a number that is not kept can be told no row.
    let inexact = inexact(text);
    let row = |(place, value): (usize, Value)| {
        let place = format!("item {}", place + 1);
        budget.spend(ROW).map_err(ImportError::memory(name))?;
        match value {
            Value::Object(fields) => Ok(Row { place, fields, inexact: inexact.clone() }),
            _ => Err(ImportError::Row { name: name.to_owned(), place, reason: "no JSON object".to_owned() }),
        }
    };
    let rows = list.into_iter().enumerate().map(row).collect::<Result<Vec<_>, _>>()?;
    check_count(name, &rows)?;
    Ok(rows)
}

/// The first whole number of a JSON text that needs more than 64 bits.
fn inexact(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some(at) = rest.find(|letter: char| letter == '"' || letter.is_ascii_digit()) {
        let from = rest.get(at..)?;
        if from.starts_with('"') {
            rest = from.get(quoted(from)..)?;
            continue;
        }
        let end = from.find(|letter: char| !letter.is_ascii_alphanumeric() && !".+-".contains(letter));
        let (number, after) = from.split_at(end.unwrap_or(from.len()));
        // A sign changes nothing: what does not fit without it does not fit with it, but for one number.
        if number.len() > 18 && number.bytes().all(|digit| digit.is_ascii_digit()) && number.parse::<u64>().is_err() {
            return Some(number.chars().take(40).collect());
        }
        rest = after;
    }
    None
}

/// Length of the JSON string at the beginning of a text.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whole_numbers_that_do_not_fit_are_found() {
        assert_eq!(inexact(r#"{"a": [18446744073709551615, -1, 1.5e300, "99999999999999999999"]}"#), None);
        assert_eq!(inexact(r#"{"q\"": "\\", "b": 100000000000000000000}"#).unwrap(), "100000000000000000000");
    }

    proptest! {
        #[test]
        fn any_bytes_are_rows_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = json("x.json", &bytes, &Budget::default());
        }

        #[test]
        fn what_looks_like_json_is_rows_or_an_error(text in "[\\[\\]{}\",:0-9a\\\\\n é]{0,60}") {
            let _ = json("x.json", text.as_bytes(), &Budget::default());
        }
    }
}
