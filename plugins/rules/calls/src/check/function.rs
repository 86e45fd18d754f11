//! One call against the description of its function and what is accepted.

use std::cell::OnceCell;

use bench_scoring::python;

use crate::call::Call;
use crate::check::{Checked, Fault, Language, Terms, Wanted, compare, types};
use crate::convert;
use crate::json;
use crate::python::to_float;
use crate::rules::{Rules, Stop};
use crate::value::{Dict, Kind, Value};

/// What is said about a function. Its parameters are read once they are looked at, since most functions that are offered are not
/// called.
#[derive(Debug)]
pub struct Function<'v> {
    /// Its name.
    pub name: String,
    description: Option<&'v str>,
    parameters: OnceCell<Option<Dict>>,
}

impl<'v> Function<'v> {
    /// Reads a description of the form `{"name": …, "parameters": {"properties": …, "required": …}}`, or one of the form
    /// `{"type": "function", "function": …}`.
    ///
    /// # Errors
    /// It has no name.
    pub fn read(description: &'v str) -> Result<Self, Stop> {
        let wrong = |_| Stop::Task("a description of a function is no object".to_owned());
        let mut fields = json::fields(description).map_err(wrong)?;
        let find = |fields: &[(String, &'v str)], name: &str| {
            fields.iter().rev().find(|(other, _)| other == name).map(|(_, value)| *value)
        };
        if let Some(inner) = find(&fields, "function").filter(|inner| inner.starts_with('{')) {
            fields = json::fields(inner).map_err(wrong)?;
        }
        let name = find(&fields, "name").and_then(|name| json::parse(name).ok());
        let Some(Value::Str(name)) = name else {
            return Err(Stop::Task("a description of a function has no name".to_owned()));
        };
        Ok(Self { name, description: find(&fields, "parameters"), parameters: OnceCell::new() })
    }

    fn parameters(&self) -> Result<&Dict, Stop> {
        let read = || match json::parse_without(self.description?, &["description", "default", "enum"]) {
            Ok(Value::Dict(parameters)) => Some(parameters),
            _ => None,
        };
        self.parameters.get_or_init(read).as_ref().ok_or_else(|| self.lacks("parameters"))
    }

    /// Its name as a backend knows it.
    pub fn called(&self, terms: Terms) -> String {
        if terms.underscores { self.name.replace('.', "_") } else { self.name.clone() }
    }

    fn lacks(&self, what: &str) -> Stop {
        Stop::Task(format!("the description of `{}` has no {what}", self.name))
    }

    /// Compares a call with a wanted one.
    ///
    /// # Errors
    /// The comparison cannot be made.
    pub fn check(&self, call: &Call, wanted: &Wanted<'_>, terms: Terms) -> Checked {
        let accepted =
            wanted.accepted.as_dict().ok_or_else(|| Stop::Task("the reference is no list of calls".to_owned()))?;
        let parameters = self.parameters()?;
        let properties = parameters.find("properties").and_then(Value::as_dict);
        let required = parameters.find("required").and_then(Value::as_list);
        let none = Dict::default();
        let (properties, required) = match terms.rules {
            Rules::Fixed => (properties.unwrap_or(&none), required.unwrap_or_default()),
            Rules::Reference => {
                let properties = properties.ok_or_else(|| self.lacks("`properties`"))?;
                (properties, required.ok_or_else(|| self.lacks("list of required parameters"))?)
            }
        };
        let name = self.called(terms);
        if call.name.as_str() != Some(name.as_str()) {
            let message = format!("`{name}` is wanted, and {} is called", call.name.repr());
            return Ok(Err(Fault::new("simple_function_checker:wrong_func_name", message)));
        }
        let given =
            call.arguments.as_dict().ok_or_else(|| Stop::Answer("the arguments are no dictionary".to_owned()))?;
        for name in required {
            if given.get(name).is_none() {
                let message = format!("the required parameter {} is missing", name.repr());
                return Ok(Err(Fault::new("simple_function_checker:missing_required", message)));
            }
        }
        for (name, value) in given.iter() {
            let (Some(property), Some(accepted)) = (properties.get(name), accepted.get(name)) else {
                let message = format!("the parameter {} is not expected", name.repr());
                return Ok(Err(Fault::new("simple_function_checker:unexpected_param", message)));
            };
            let parameter = Parameter { name: name.as_str().unwrap_or_default(), property, accepted };
            if let Err(fault) = parameter.check(value, terms)? {
                return Ok(Err(fault));
            }
        }
        for (name, accepted) in accepted.iter() {
            let optional = accepted.as_list().is_none_or(|accepted| accepted.iter().any(Value::is_empty_text));
            if given.get(name).is_none() && !optional {
                let message = format!("the parameter {} is missing", name.repr());
                return Ok(Err(Fault::new("simple_function_checker:missing_optional", message)));
            }
        }
        Ok(Ok(()))
    }
}

/// A parameter: what is said about it, and what is accepted for it.
struct Parameter<'v> {
    name: &'v str,
    property: &'v Value,
    accepted: &'v Value,
}

/// What a language makes of a value: the value, the type that it should have, and the type that its items should have.
struct Prepared {
    value: Value,
    expected: Kind,
    nested: Option<Kind>,
}

impl Parameter<'_> {
    fn lacks(&self, what: &str) -> Stop {
        Stop::Task(format!("the parameter `{}` has no {what}", self.name))
    }

    fn kind(&self) -> Result<&str, Stop> {
        let kind = self.property.as_dict().and_then(|property| property.find("type"));
        kind.and_then(Value::as_str).ok_or_else(|| self.lacks("type"))
    }

    /// The type of its items.
    fn nested(&self) -> Result<&str, Stop> {
        let items = self.property.as_dict().and_then(|property| property.find("items"));
        let kind = items.and_then(Value::as_dict).and_then(|items| items.find("type"));
        kind.and_then(Value::as_str).ok_or_else(|| self.lacks("type of its items"))
    }

    fn check(&self, value: &Value, terms: Terms) -> Checked {
        let Prepared { value, expected, nested } = match self.prepare(value, terms)? {
            Ok(prepared) => prepared,
            Err(fault) => return Ok(Err(fault)),
        };
        let accepted = self.accepted.as_list();
        let accepted =
            accepted.ok_or_else(|| Stop::Task(format!("what is accepted for `{}` is no list", self.name)))?;
        let typed = types::check(&value, accepted, expected, nested, terms.rules);
        if let Some(kind) = typed.fault {
            let message = format!("{} is of the wrong type for `{}`", value.repr(), self.name);
            return Ok(Err(Fault::new(kind, message)));
        }
        let result = match (&value, expected) {
            (Value::Dict(value), Kind::Dict) if !typed.variable => compare::dict(value, accepted, terms.rules)?,
            (Value::List(items), Kind::List) if !typed.variable && nested == Some(Kind::Dict) => {
                compare::dicts(items, accepted, terms.rules)?
            }
            (Value::Str(text), Kind::Str) if !typed.variable => compare::text(text, accepted, terms.rules),
            (Value::List(items), Kind::List) if !typed.variable => compare::list(items, accepted, terms.rules)?,
            _ if accepted.iter().any(|accepted| value.equals(accepted)) => Ok(()),
            _ => Err(Fault::new("value_error:others", format!("{} is not accepted", value.repr()))),
        };
        let named = |fault: Fault| Fault { message: format!("`{}`: {}", self.name, fault.message), ..fault };
        Ok(result.map_err(named))
    }

    fn prepare(&self, value: &Value, terms: Terms) -> Result<Result<Prepared, Fault>, Stop> {
        let kind = self.kind()?;
        let expected = types::expected(kind, terms.language, terms.rules)?;
        let fault = |code| {
            let message = format!("`{}` takes a text, not {}", self.name, value.repr());
            Ok(Err(Fault::new(code, message)))
        };
        let (value, nested) = match (terms.language, value) {
            (Language::Python, value) => return self.prepare_python(value, kind, expected, terms.rules).map(Ok),
            (Language::Java, Value::Str(text)) => {
                let nested = if matches!(kind, "Array" | "ArrayList") { Some(self.nested()?) } else { None };
                (convert::java(text, kind, nested)?, nested)
            }
            (Language::Javascript, Value::Str(text)) => {
                let nested = if kind == "array" { Some(self.nested()?) } else { None };
                (convert::javascript(text, kind, nested)?, nested)
            }
            (Language::Java, _) => return fault("type_error:java"),
            (Language::Javascript, _) => return fault("type_error:js"),
        };
        let nested = nested.map(|nested| types::expected(nested, terms.language, terms.rules)).transpose()?;
        Ok(Ok(Prepared { value, expected, nested }))
    }

    fn prepare_python(&self, value: &Value, kind: &str, expected: Kind, rules: Rules) -> Result<Prepared, Stop> {
        let nested = match kind {
            "array" | "tuple" if rules == Rules::Reference => {
                Some(types::expected(self.nested()?, Language::Python, rules)?)
            }
            // Items of any type are allowed where none is named.
            "array" | "tuple" | "list" => match self.nested() {
                Ok(nested) => Some(types::expected(nested, Language::Python, rules)?),
                Err(_) => None,
            },
            _ => None,
        };
        let value = match (kind, value) {
            ("tuple", Value::Tuple(items)) => Value::List(items.clone()),
            (_, Value::Int(number)) if expected == Kind::Float => {
                let float = to_float(number);
                match (float, rules) {
                    (Some(float), _) => Value::Float(float),
                    (None, Rules::Fixed) => value.clone(),
                    (None, Rules::Reference) => {
                        return Err(Stop::Answer(format!(
                            "an integer of {} digits is no float",
                            python::len(&number.to_string())
                        )));
                    }
                }
            }
            _ => value.clone(),
        };
        Ok(Prepared { value, expected, nested })
    }
}
