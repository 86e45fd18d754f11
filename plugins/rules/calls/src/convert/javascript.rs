//! Values of JavaScript.

use bench_scoring::python;

use crate::convert::{begins, find_all, number_or_text, pattern, string, without_ends};
use crate::javascript::unquoted;
use crate::number;
use crate::rules::Stop;
use crate::value::{Dict, Value};

pattern!(FLOAT, r"^-?\d+(\.\d+)?$");
pattern!(BIG, r"^-?\d+n$");
pattern!(ARRAYS, r"\[\s*\[.*?\]\s*(,\s*\[.*?\]\s*)*\]|\bnew\s+Array\(\s*\[.*?\]\s*(,\s*\[.*?\]\s*)*\)");
pattern!(ARRAY, r"\[(.*?)\]|\bnew\s+Array\((.*?)\)");
pattern!(INNER, r"\[(.*?)\]");
pattern!(OBJECT, r"\{(.*?)\}");
pattern!(PAIR, r"([^:]+):\s*(.*?)(?:,\s*(?=[^,]+:)|$)");

/// The value of a text by the type of its parameter, and the type of that one's items.
///
/// # Errors
/// There is no such type.
pub fn javascript(text: &str, kind: &str, nested: Option<&str>) -> Result<Value, Stop> {
    let value = match kind {
        "String" => Some(string(unquoted(text))),
        "integer" if number::is_plain(text) => number::int(text).map(Value::Int),
        "float" if begins(&FLOAT, text) => python::float(text).map(Value::Float),
        "Bigint" if begins(&BIG, text) => number::int(text.trim_end_matches(['n', '\n'])).map(Value::Int),
        "Boolean" if text == "true" || text == "false" => Some(Value::Bool(text == "true")),
        "array" => Some(array(python::strip(text), nested)),
        "dict" => Some(object(python::strip(text))),
        "integer" | "float" | "Bigint" | "Boolean" | "any" => None,
        _ => return Err(Stop::Task(format!("no values of the type `{kind}` can be read"))),
    };
    Ok(value.unwrap_or_else(|| string(text)))
}

fn array(code: &str, nested: Option<&str>) -> Value {
    let start =
        |pattern: &'static Option<python::Regex>| pattern.as_ref().and_then(|p| p.matches_start(code).ok().flatten());
    if let Some(found) = start(&ARRAYS) {
        let inner = find_all(&INNER, found.text());
        let rows = inner.iter().enumerate().map(|(index, row)| {
            let row = python::strip(row.group(1).unwrap_or_default());
            // The first match begins at the outer bracket.
            let row = if index == 0 { row.strip_prefix('[').unwrap_or(row) } else { row };
            Value::List(row.split(',').map(untyped).collect())
        });
        return Value::List(rows.collect());
    }
    let Some(found) = start(&ARRAY) else { return string(code) };
    let items = python::strip(found.group(1).or_else(|| found.group(2)).unwrap_or_default());
    if items.is_empty() {
        return Value::List(Vec::new());
    }
    let mut values = Vec::new();
    for item in items.split(',').map(python::strip) {
        match nested {
            // A type that is none leaves all of it a text.
            Some(nested) => match javascript(item, nested, None) {
                Ok(value) => values.push(value),
                Err(_) => return string(code),
            },
            None => values.push(untyped(item)),
        }
    }
    Value::List(values)
}

fn object(code: &str) -> Value {
    if code == "{}" {
        return Value::Dict(Dict::default());
    }
    let found = OBJECT.as_ref().and_then(|pattern| pattern.matches_start(code).ok().flatten());
    let Some(found) = found else { return string(code) };
    let mut entries = Dict::default();
    for pair in find_all(&PAIR, found.group(1).unwrap_or_default()) {
        let key = python::strip_chars(python::strip(pair.group(1).unwrap_or_default()), "'\"");
        let value = python::strip(pair.group(2).unwrap_or_default());
        let value = if value.starts_with('[') && value.ends_with(']') {
            array(value, None)
        } else if value.starts_with('{') && value.ends_with('}') {
            object(value)
        } else {
            untyped(python::strip_chars(value, "'\""))
        };
        entries.set(key, value);
    }
    Value::Dict(entries)
}

/// A value of a type that nobody named.
fn untyped(text: &str) -> Value {
    let text = python::strip(text);
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ if text.len() > 1 && unquoted(text).len() + 2 == text.len() => string(without_ends(text)),
        "\"" | "'" => string(""),
        _ => number_or_text(text),
    }
}
