//! Values of Java.

use bench_scoring::python;

use crate::convert::{begins, find_all, number_or_text, pattern, search, string, without_ends};
use crate::number;
use crate::rules::Stop;
use crate::value::{Dict, Value};

pattern!(FLOAT, r"^-?\d+(\.\d+)?([eE][+-]?\d+)?[fF]$");
pattern!(DOUBLE, r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$");
pattern!(LONG, r"^-?\d+[lL]$");
pattern!(AS_LIST, r"new\s+ArrayList<\w*>\(Arrays\.asList\((.+?)\)\)");
pattern!(ADDED, r"new\s+ArrayList<\w*>\(\)\s*\{\{\s*(.+?)\s*\}\}", dot_all);
pattern!(ADD, r"add\((.+?)\)");
pattern!(EMPTY_LIST, r"new\s+ArrayList<\w*>\(\)");
pattern!(ARRAY, r"new\s+\w+\[\]\s*\{(.*?)\}");
pattern!(MAP, r"new\s+HashMap<.*?>\s*\(\)\s*\{\s*\{?\s*(.*?)\s*\}?\s*\}", dot_all);
pattern!(PUT, "put\\(\"(.*?)\",\\s*(.*?)\\)");
pattern!(EMPTY_MAP, r"new\s+HashMap<.*?>\s*\(\)");

/// The value of a text by the type of its parameter, and the type of that one's items.
///
/// # Errors
/// There is no such type, or the reference has no conversion for it.
pub fn java(text: &str, kind: &str, nested: Option<&str>) -> Result<Value, Stop> {
    let value = match kind {
        "byte" | "short" | "integer" if number::is_plain(text) => number::int(text).map(Value::Int),
        "float" if begins(&FLOAT, text) => python::float(without_suffix(text, ['f', 'F'])).map(Value::Float),
        "double" if begins(&DOUBLE, text) => python::float(text).map(Value::Float),
        "long" if begins(&LONG, text) => number::int(without_suffix(text, ['l', 'L'])).map(Value::Int),
        "boolean" if text == "true" || text == "false" => Some(Value::Bool(text == "true")),
        "ArrayList" => return array_list(text, nested),
        "Array" => return array(text, nested),
        "HashMap" => return Ok(hash_map(text)),
        "byte" | "short" | "integer" | "float" | "double" | "long" | "boolean" | "char" | "String" | "any" => None,
        _ => return Err(Stop::Task(format!("no values of the type `{kind}` can be read"))),
    };
    Ok(value.unwrap_or_else(|| string(text)))
}

/// Without a last letter, which may have a line feed behind it.
fn without_suffix(text: &str, letters: [char; 2]) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix(letters).unwrap_or(text)
}

fn element(text: &str, nested: Option<&str>) -> Result<Value, Stop> {
    match nested {
        Some("char" | "String") => Ok(string(without_ends(text))),
        Some(nested) => java(text, nested, None),
        None => Ok(untyped(text)),
    }
}

fn array_list(text: &str, nested: Option<&str>) -> Result<Value, Stop> {
    if let Some(found) = search(&AS_LIST, text) {
        let items = found.group(1).unwrap_or_default().split(',');
        return items.map(|item| element(python::strip(item), nested)).collect::<Result<_, _>>().map(Value::List);
    }
    if let Some(found) = search(&ADDED, text) {
        let added = find_all(&ADD, found.group(1).unwrap_or_default());
        let items = added.iter().map(|item| element(python::strip(item.group(1).unwrap_or_default()), nested));
        return items.collect::<Result<_, _>>().map(Value::List);
    }
    Ok(if search(&EMPTY_LIST, text).is_some() { Value::List(Vec::new()) } else { string(text) })
}

fn array(text: &str, nested: Option<&str>) -> Result<Value, Stop> {
    let Some(found) = search(&ARRAY, text) else { return Ok(string(text)) };
    let items = found.group(1).unwrap_or_default().split(',').map(python::strip).filter(|item| !item.is_empty());
    let one = |item| nested.map_or_else(|| Ok(untyped(item)), |nested| java(item, nested, None));
    items.map(one).collect::<Result<_, _>>().map(Value::List)
}

fn hash_map(text: &str) -> Value {
    let mut entries = Dict::default();
    match search(&MAP, text) {
        Some(found) => {
            for put in find_all(&PUT, found.group(1).unwrap_or_default()) {
                entries.set(put.group(1).unwrap_or_default(), untyped(python::strip(put.group(2).unwrap_or_default())));
            }
        }
        None if search(&EMPTY_MAP, text).is_some() => {}
        None => return string(text),
    }
    Value::Dict(entries)
}

/// A value of a type that nobody named.
fn untyped(text: &str) -> Value {
    match text {
        "true" => return Value::Bool(true),
        "false" => return Value::Bool(false),
        _ => {}
    }
    if text.starts_with('"') && text.ends_with('"') {
        return string(without_ends(text));
    }
    if begins(&LONG, text) {
        return number::int(without_ends_right(text)).map_or_else(|| string(text), Value::Int);
    }
    if begins(&FLOAT, text) {
        return python::float(without_suffix(text, ['f', 'F'])).map_or_else(|| string(text), Value::Float);
    }
    number_or_text(text)
}

/// `text[:-1]`
fn without_ends_right(text: &str) -> &str {
    let mut chars = text.chars();
    chars.next_back();
    chars.as_str()
}
