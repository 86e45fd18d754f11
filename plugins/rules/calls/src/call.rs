//! A call that a model made.

use crate::value::Value;

/// A call: a name, which some formats allow to be anything, and arguments, which should be a dictionary.
#[derive(Debug, Clone)]
pub struct Call {
    /// The function's name.
    pub name: Value,
    /// What it is called with.
    pub arguments: Value,
}

impl Call {
    /// For people.
    pub fn describe(&self) -> String {
        let name = self.name.as_str().map_or_else(|| self.name.repr(), str::to_owned);
        let Some(arguments) = self.arguments.as_dict() else { return format!("{name}({})", self.arguments.repr()) };
        let argument = |(key, value): (&Value, &Value)| {
            format!("{}={}", key.as_str().map_or_else(|| key.repr(), str::to_owned), value.repr())
        };
        format!("{name}({})", arguments.iter().map(argument).collect::<Vec<_>>().join(", "))
    }
}

/// For people: all of them, in brackets.
pub fn describe(calls: &[Call]) -> String {
    format!("[{}]", calls.iter().map(Call::describe).collect::<Vec<_>>().join(", "))
}
