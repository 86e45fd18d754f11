//! Prints the formats of a task that measures how much the format matters, as tables of `suite.toml`. The items of the task need
//! their functions described in three fields: `functions-json`, `functions-python` and `functions-xml`. With lines of JSON that
//! have a list `function` on standard input, prints these lines with the three fields added instead.

use std::io::{BufRead, IsTerminal, Write};

use rules_calls::formats::{Documents, Variation, document};
use serde_json::{Map, Value};

const FIELDS: [(&str, Documents); 3] =
    [("functions-json", Documents::Json), ("functions-python", Documents::Python), ("functions-xml", Documents::Xml)];

fn tables(out: &mut impl Write) -> std::io::Result<()> {
    for variation in Variation::all() {
        let field =
            FIELDS.iter().find(|(_, documents)| *documents == variation.documents).map_or("", |(field, _)| field);
        // Braces of the text itself are doubled in a template.
        let system =
            variation.system("\u{1}").replace('{', "{{").replace('}', "}}").replace('\u{1}', &format!("{{{field}}}"));
        writeln!(out, "[[tasks.formats]]\nname = {:?}\ntools = false", variation.name())?;
        writeln!(out, "system = {}", Value::String(system))?;
        let config: Map<String, Value> = serde_json::from_str(&variation.config()).unwrap_or_default();
        let settings: Vec<String> = config.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        writeln!(out, "config = {{ {} }}\n", settings.join(", "))?;
    }
    Ok(())
}

fn described(line: &str) -> Result<Value, String> {
    let mut item: Map<String, Value> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let functions = item.get("function").ok_or("no `function`")?.to_string();
    for (field, documents) in FIELDS {
        item.insert(field.to_owned(), Value::String(document(&functions, documents)?));
    }
    Ok(Value::Object(item))
}

fn main() -> std::io::Result<()> {
    let (input, mut out) = (std::io::stdin(), std::io::stdout().lock());
    if input.is_terminal() {
        return tables(&mut out);
    }
    let mut lines = input.lock().lines().peekable();
    if lines.peek().is_none() {
        return tables(&mut out);
    }
    for line in lines {
        writeln!(out, "{}", described(&line?).map_err(std::io::Error::other)?)?;
    }
    Ok(())
}
