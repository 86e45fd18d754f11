//! From what a model answered to calls.

use bench_scoring::ToolCall;
use bench_scoring::python::{self, Flags, Regex};
use serde::Deserialize;
use std::sync::LazyLock;

use crate::call::Call;
use crate::json;
use crate::number;
use crate::python as expression;
use crate::rules::Rules;
use crate::value::{Dict, Value};
use crate::xml::{self, Element};
use crate::{java, javascript};

/// What calls are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `[f(a=1), g(b="x")]`
    Python,
    /// `[{"function": "f", "parameters": {"a": 1}}]`
    Json,
    /// `<functions><function name="f"><params><param name="a" value="1" type="integer"/></params></function></functions>`
    VerboseXml,
    /// `<functions><function name="f"><param name="a" type="integer">1</param></function></functions>`
    ConciseXml,
    /// `f(a=1)` in Java.
    Java,
    /// `f(a=1)` in JavaScript.
    Javascript,
}

/// Why there are no calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undecoded {
    /// It cannot be read.
    Broken(String),
    /// It can, and is no list of calls.
    NoCalls(String),
}

/// Longest answer that is read. Longer ones are no list of calls, and would take some hundred bytes of memory for each of theirs.
const LONGEST: usize = 1 << 20;

/// Calls in a text.
///
/// # Errors
/// Why there are none. No calls at all, in a form that says so such as `[]`, are an empty list.
pub fn text(answer: &str, format: Format, tagged: bool, rules: Rules) -> Result<Vec<Call>, Undecoded> {
    if answer.len() > LONGEST {
        return Err(Undecoded::Broken(format!("an answer of more than {LONGEST} bytes")));
    }
    let calls = match bracketed(answer, format, tagged, rules) {
        Ok(Some(calls)) => calls,
        Ok(None) => return Err(Undecoded::NoCalls("no call in it".to_owned())),
        Err(what) => return Err(Undecoded::Broken(what)),
    };
    checked(calls)
}

/// Calls that the backend took apart already. `None` where an answer is a text instead.
///
/// # Errors
/// Which arguments are no JSON object.
pub fn structured(calls: &[ToolCall]) -> Result<Vec<Call>, Undecoded> {
    let call = |call: &ToolCall| {
        if call.arguments.len() > LONGEST {
            return Err(Undecoded::Broken(format!("arguments of more than {LONGEST} bytes")));
        }
        let arguments = json::parse(&call.arguments);
        let arguments =
            arguments.map_err(|what| Undecoded::Broken(format!("the arguments of `{}`: {what}", call.name)))?;
        Ok(Call { name: Value::Str(call.name.clone()), arguments })
    };
    checked(calls.iter().map(call).collect::<Result<_, _>>()?)
}

fn checked(calls: Vec<Call>) -> Result<Vec<Call>, Undecoded> {
    match calls.iter().find(|call| call.arguments.as_dict().is_none()) {
        Some(call) => Err(Undecoded::NoCalls(format!("the arguments of {} are no object", call.name.repr()))),
        None => Ok(calls),
    }
}

/// The reference puts brackets around every answer, whatever its format is, and each format takes what it needs out of that.
fn bracketed(answer: &str, format: Format, tagged: bool, rules: Rules) -> Result<Option<Vec<Call>>, String> {
    let answer = python::strip_chars(answer, "`\n ");
    let before = if answer.starts_with('[') { "" } else { "[" };
    let after = if answer.ends_with(']') { "" } else { "]" };
    let bracketed = format!("{before}{answer}{after}");
    let mut source = bracketed.as_str();
    if tagged {
        let inside = source.split_once("<TOOLCALL>").and_then(|(_, rest)| rest.split_once("</TOOLCALL>"));
        source = python::strip(inside.ok_or("no `<TOOLCALL>` tag")?.0);
    }
    match format {
        Format::Python => {
            let source = python::strip_chars(python::strip(source), "'");
            expression::calls(&expression::parse(source, rules)?, rules).map(Some)
        }
        Format::Json => objects(source).map(Some),
        Format::VerboseXml => verbose(&functions(source)?, rules).map(Some),
        Format::ConciseXml => concise(&functions(source)?, rules).map(Some),
        Format::Java => java::calls(without_ends(source), rules),
        Format::Javascript => javascript::calls(without_ends(source), rules),
    }
}

/// Without the first and the last character.
fn without_ends(source: &str) -> &str {
    let mut chars = source.chars();
    chars.next();
    chars.next_back();
    chars.as_str()
}

static OBJECTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let flags = Flags { dot_all: true, ..Flags::default() };
    Regex::new(r"\[\s*{.*?}\s*(?:,\s*{.*?}\s*)*\]", flags).ok()
});

fn objects(source: &str) -> Result<Vec<Call>, String> {
    let outer = source.find('[').zip(source.rfind(']')).filter(|(open, close)| open < close);
    let source = outer.and_then(|(open, close)| source.get(open..=close)).unwrap_or(source);
    let pattern = OBJECTS.as_ref().ok_or("a pattern of the scorer")?;
    let found = pattern.search(source).map_err(|_| "too hard to search")?;
    // What is no JSON is no call, and not an error either.
    let Ok(value) = json::parse(found.as_ref().map_or(source, |found| found.text())) else { return Ok(Vec::new()) };
    let items = match value {
        Value::List(items) => items,
        Value::Dict(_) | Value::Str(_) => return Ok(Vec::new()),
        _ => return Err("JSON that is no list".to_owned()),
    };
    let mut calls = Vec::new();
    for item in &items {
        let Value::Dict(item) = item else { continue };
        let name = item.find("function").ok_or("an object without `function`")?;
        let arguments = item.find("parameters").ok_or("an object without `parameters`")?;
        if name.key().is_none() {
            return Err("a name that is none".to_owned());
        }
        calls.push(Call { name: name.clone(), arguments: arguments.clone() });
    }
    Ok(calls)
}

fn functions(source: &str) -> Result<Element, String> {
    let (open, close) = ("<functions>", "</functions>");
    let start = source.find(open).ok_or("no `<functions>` tag")?;
    let rest = source.get(start..).unwrap_or_default();
    let end = rest.find(close).ok_or("no `</functions>` tag")?;
    xml::parse(rest.get(..end + close.len()).unwrap_or_default())
}

fn verbose(root: &Element, rules: Rules) -> Result<Vec<Call>, String> {
    let mut calls = Vec::new();
    for function in root.named("function") {
        let name = function.attribute("name").ok_or("a function without a name")?;
        let container = function.named("params").next().unwrap_or(function);
        let mut arguments = Dict::default();
        for param in container.named("param") {
            let key = param.attribute("name").map_or(Value::None, |name| Value::Str(name.to_owned()));
            let raw = param.attribute("value").unwrap_or_default();
            if !arguments.insert(key, typed(raw, param.attribute("type"), rules)?) {
                return Err("a name that is none".to_owned());
            }
        }
        calls.push(Call { name: Value::Str(name.to_owned()), arguments: Value::Dict(arguments) });
    }
    Ok(calls)
}

fn concise(root: &Element, rules: Rules) -> Result<Vec<Call>, String> {
    let mut calls = Vec::new();
    for function in root.named("function") {
        let name = function.attribute("name").ok_or("a function without a name")?;
        let mut arguments = Dict::default();
        for param in function.named("param") {
            let key = param.attribute("name").ok_or("a parameter without a name")?;
            arguments.set(key, typed(python::strip(&param.text), param.attribute("type"), rules)?);
        }
        calls.push(Call { name: Value::Str(name.to_owned()), arguments: Value::Dict(arguments) });
    }
    Ok(calls)
}

/// A value by the type that the model gave it.
fn typed(raw: &str, kind: Option<&str>, rules: Rules) -> Result<Value, String> {
    match kind.unwrap_or("string") {
        "integer" => number::int(raw).map(Value::Int).ok_or_else(|| "an integer that is none".to_owned()),
        "float" => python::float(raw).map(Value::Float).ok_or_else(|| "a float that is none".to_owned()),
        "boolean" => Ok(Value::Bool(python::lower(raw) == "true")),
        "null" => Ok(Value::None),
        "array" | "tuple" | "object" | "dict" => {
            let source = raw.trim_start_matches([' ', '\t']);
            expression::literal(&expression::parse(source, rules)?)
        }
        _ => Ok(Value::Str(raw.to_owned())),
    }
}
