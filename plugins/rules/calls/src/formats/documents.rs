//! Descriptions of functions as text for a prompt.

use std::fmt::Write as _;

use crate::json;
use crate::value::{Dict, Value};

/// What functions are described in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Documents {
    /// Indented JSON, as the data has it.
    Json,
    /// A comment and a docstring for each.
    Python,
    /// An element for each.
    Xml,
}

/// Describes functions, which are a list in JSON.
///
/// # Errors
/// They are no list of descriptions.
pub fn document(functions: &str, documents: Documents) -> Result<String, String> {
    let functions = json::parse(functions)?;
    let mut out = String::new();
    if documents == Documents::Json {
        write_json(&functions, 0, &mut out);
        return Ok(out);
    }
    for function in functions.as_list().ok_or("the functions are no list")? {
        let function = function.as_dict().ok_or("a description that is no object")?;
        let parameters = function.find("parameters").and_then(Value::as_dict);
        let (name, summary) = (text(function, "name"), text(function, "description"));
        let properties = parameters.and_then(|parameters| parameters.find("properties")).and_then(Value::as_dict);
        let required = parameters.and_then(|parameters| parameters.find("required")).and_then(Value::as_list);
        match documents {
            Documents::Xml => {
                _ = writeln!(
                    out,
                    "<function name=\"{}\">\n  <desc>{}</desc>\n  <params>",
                    escape(name),
                    escape(summary)
                );
                for_each(properties, |name, about| xml(name, about, required, 2, &mut out));
                out.push_str("  </params>\n</function>\n");
            }
            Documents::Json | Documents::Python => {
                _ = writeln!(out, "# Function: {name}\n    \"\"\"\n    {summary}\n");
                out.push_str(if properties.is_some() { "    Args:\n" } else { "" });
                for_each(properties, |name, about| python(name, about, 2, &mut out));
                out.push_str("    \"\"\"\n\n");
            }
        }
    }
    Ok(out)
}

fn text<'v>(dict: &'v Dict, key: &str) -> &'v str {
    dict.find(key).and_then(Value::as_str).unwrap_or_default()
}

fn for_each(properties: Option<&Dict>, mut write: impl FnMut(&str, &Dict)) {
    for (name, about) in properties.into_iter().flat_map(Dict::iter) {
        if let (Some(name), Some(about)) = (name.as_str(), about.as_dict()) {
            write(name, about);
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// What it says, and what it allows.
fn summary(about: &Dict) -> String {
    let allowed = about.find("enum").map(|values| format!(" One of {}.", values.repr()));
    format!("{}{}", text(about, "description"), allowed.unwrap_or_default())
}

fn items(about: &Dict) -> Option<&Dict> {
    about.find("items").or_else(|| about.find("additionalProperties")).and_then(Value::as_dict)
}

fn xml(name: &str, about: &Dict, required: Option<&[Value]>, level: usize, out: &mut String) {
    let indent = "  ".repeat(level);
    let inner = items(about).map(|items| format!("[{}]", text(items, "type"))).unwrap_or_default();
    let needed = required.is_none_or(|required| required.iter().any(|other| other.as_str() == Some(name)));
    _ = write!(
        out,
        "{indent}<param name=\"{}\" type=\"{}{inner}\" required=\"{needed}\"",
        escape(name),
        text(about, "type")
    );
    if let Some(default) = about.find("default") {
        _ = write!(out, " default=\"{}\"", escape(&default.repr()));
    }
    _ = writeln!(out, ">\n{indent}  <desc>{}</desc>", escape(&summary(about)));
    if let Some(properties) = about.find("properties").and_then(Value::as_dict) {
        let required = about.find("required").and_then(Value::as_list);
        _ = writeln!(out, "{indent}  <params>");
        for_each(Some(properties), |name, about| xml(name, about, required, level + 2, out));
        _ = writeln!(out, "{indent}  </params>");
    }
    _ = writeln!(out, "{indent}</param>");
}

fn python_type(about: &Dict) -> String {
    let inner = || items(about).map_or_else(|| "str".to_owned(), python_type);
    match text(about, "type") {
        "string" | "" | "any" => "str".to_owned(),
        "integer" => "int".to_owned(),
        "number" | "float" => "float".to_owned(),
        "boolean" => "bool".to_owned(),
        "array" | "list" => format!("list[{}]", inner()),
        "tuple" => format!("tuple[{}, ...]", inner()),
        "object" | "dict" => "dict".to_owned(),
        other => other.to_owned(),
    }
}

fn python(name: &str, about: &Dict, level: usize, out: &mut String) {
    let indent = "    ".repeat(level);
    let default = about.find("default").map(|default| format!(", default={}", default.repr())).unwrap_or_default();
    _ = writeln!(out, "{indent}{name} ({}{default}): {}", python_type(about), summary(about));
    for_each(about.find("properties").and_then(Value::as_dict), |name, about| python(name, about, level + 1, out));
}

fn write_json(value: &Value, level: usize, out: &mut String) {
    let indent = "    ".repeat(level + 1);
    let separate = |out: &mut String, index: usize| {
        out.push_str(if index > 0 { ",\n" } else { "\n" });
        out.push_str(&indent);
    };
    match value {
        Value::List(items) if !items.is_empty() => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(out, index);
                write_json(item, level + 1, out);
            }
            _ = write!(out, "\n{}]", "    ".repeat(level));
        }
        Value::Dict(dict) if !dict.is_empty() => {
            out.push('{');
            for (index, (key, item)) in dict.iter().enumerate() {
                separate(out, index);
                write_text(key.as_str().unwrap_or_default(), out);
                out.push_str(": ");
                write_json(item, level + 1, out);
            }
            _ = write!(out, "\n{}}}", "    ".repeat(level));
        }
        Value::Str(text) => write_text(text, out),
        Value::None => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        other => out.push_str(&other.repr()),
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => {
                out.push('\\');
                out.push(char);
            }
            '\n' => out.push_str("\\n"),
            char if char < ' ' => _ = write!(out, "\\u{:04x}", u32::from(char)),
            char => out.push(char),
        }
    }
    out.push('"');
}
