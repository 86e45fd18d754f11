//! Is a value of the type that a parameter has?

use crate::check::Language;
use crate::rules::{Rules, Stop};
use crate::value::{Kind, Value};

/// What the check of a type found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Typed {
    /// The reference's name for what is wrong.
    pub fault: Option<&'static str>,
    /// The value stands for one of another type, as a name of a variable does.
    pub variable: bool,
}

/// The type that a parameter of a type has in Python.
///
/// # Errors
/// There is no such type, which is the task's fault.
pub fn expected(name: &str, language: Language, rules: Rules) -> Result<Kind, Stop> {
    let kind = match (language, name) {
        (Language::Python, "string" | "any") => Kind::Str,
        (Language::Python, "integer") => Kind::Int,
        (Language::Python, "float") => Kind::Float,
        (Language::Python, "boolean") => Kind::Bool,
        (Language::Python, "array" | "tuple") => Kind::List,
        (Language::Python, "dict") => Kind::Dict,
        (Language::Java, "byte" | "short" | "integer" | "long") => Kind::Int,
        (Language::Java, "float" | "double") => Kind::Float,
        (Language::Java, "boolean") => Kind::Bool,
        (Language::Java, "char" | "String" | "any") => Kind::Str,
        (Language::Java, "Array" | "ArrayList" | "Queue" | "Stack") => Kind::List,
        (Language::Java, "HashMap" | "Hashtable") => Kind::Dict,
        (Language::Java, "Set") => Kind::Other,
        (Language::Javascript, "String" | "any") => Kind::Str,
        (Language::Javascript, "integer" | "Bigint") => Kind::Int,
        (Language::Javascript, "float") => Kind::Float,
        (Language::Javascript, "Boolean") => Kind::Bool,
        (Language::Javascript, "dict") => Kind::Dict,
        (Language::Javascript, "array") => Kind::List,
        (Language::Python, _) if rules == Rules::Fixed => json_schema(name)?,
        _ => return Err(unknown(name)),
    };
    Ok(kind)
}

fn unknown(name: &str) -> Stop {
    Stop::Task(format!("a parameter of the unknown type `{name}`"))
}

/// The names that JSON schemas and people give to types that the reference knows by other names.
fn json_schema(name: &str) -> Result<Kind, Stop> {
    match name {
        "number" | "double" => Ok(Kind::Float),
        "object" => Ok(Kind::Dict),
        "list" => Ok(Kind::List),
        "bool" => Ok(Kind::Bool),
        "int" => Ok(Kind::Int),
        "str" => Ok(Kind::Str),
        "null" => Ok(Kind::None),
        _ => Err(unknown(name)),
    }
}

/// The type of the first accepted value that does not mean "may be left out".
fn accepted_kind(accepted: &[Value]) -> Option<Kind> {
    accepted.iter().find(|value| !value.is_empty_text()).map(Value::kind)
}

/// Compares a value's type with the one that is expected, or else with that of what is accepted.
pub fn check(value: &Value, accepted: &[Value], expected: Kind, nested: Option<Kind>, rules: Rules) -> Typed {
    let known = accepted_kind(accepted);
    let variable = known.is_some_and(|known| known != expected);
    let mut typed = Typed { fault: None, variable };
    if value.kind() == expected {
        let Some(nested) = nested else { return typed };
        if accepted.iter().any(|accepted| items(value, accepted, nested, rules)) {
            return typed;
        }
        typed.fault = Some("type_error:nested");
    }
    if known == Some(value.kind()) {
        return Typed { variable: true, ..typed };
    }
    Typed { fault: Some("type_error:simple"), variable: false }
}

/// Are the items of a list of the type that they should have, or of the type that those of an accepted list have?
fn items(value: &Value, accepted: &Value, nested: Kind, rules: Rules) -> bool {
    let Some(accepted) = accepted.as_list() else {
        // What is accepted is no list, and the reference looks no further.
        return rules == Rules::Reference;
    };
    let Value::List(items) = value else { return false };
    items.iter().all(|item| {
        let integer = rules == Rules::Fixed && nested == Kind::Float && item.kind() == Kind::Int;
        integer || check(item, accepted, nested, None, rules).fault.is_none()
    })
}
