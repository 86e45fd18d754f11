//! The arguments of an instruction, as the task's data has them.

use bench_scoring::{Problem, problem};
use serde_json::{Map, Value};

use crate::Rules;

/// What is wrong with an item.
pub(crate) fn bad_target(message: String, hint: &str) -> Problem {
    problem("bad-target", message, hint)
}

const FILL_IN: &str = "state the argument in the item's `kwargs`";

/// Named values, taken one by one. What is left over is a mistake, as the reference has it.
pub(crate) struct Args<'v> {
    instruction: &'static str,
    rules: Rules,
    given: Vec<(&'v str, &'v Value)>,
}

impl<'v> Args<'v> {
    /// Absent values are left out: everything that Python takes for false. To the reference that includes a zero that was meant.
    pub(crate) fn new(instruction: &'static str, kwargs: Option<&'v Map<String, Value>>, rules: Rules) -> Self {
        let absent = |value: &Value| match value {
            Value::Null => true,
            Value::Bool(truth) => !truth,
            Value::Number(number) => rules == Rules::Reference && number.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty(),
            Value::Array(list) => list.is_empty(),
            Value::Object(fields) => fields.is_empty(),
        };
        let fields = kwargs.into_iter().flatten().filter(|(_, value)| !absent(value));
        Self { instruction, rules, given: fields.map(|(name, value)| (name.as_str(), value)).collect() }
    }

    fn take(&mut self, name: &str) -> Option<&'v Value> {
        let at = self.given.iter().position(|(given, _)| *given == name)?;
        Some(self.given.swap_remove(at).1)
    }

    /// That the reference would put a random value where this one is missing or of no use.
    pub(crate) fn unusable(&self, name: &str) -> Problem {
        bad_target(
            format!(
                "`{}` of instruction `{}` is missing or out of range, and the reference draws a random one",
                name, self.instruction
            ),
            FILL_IN,
        )
    }

    fn needed<T>(&mut self, name: &str, kind: &str, read: impl Fn(&'v Value) -> Option<T>) -> Result<T, Problem> {
        let value = self.take(name).ok_or_else(|| self.unusable(name))?;
        read(value).ok_or_else(|| {
            bad_target(format!("`{}` of instruction `{}` is not {kind}: {value}", name, self.instruction), FILL_IN)
        })
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<&'v str, Problem> {
        self.needed(name, "a text", Value::as_str)
    }

    /// A list of at least one text. To the reference a text is a list of its characters.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<String>, Problem> {
        let rules = self.rules;
        self.needed(name, "a list of texts", |value| match value {
            Value::Array(list) => list.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
            Value::String(text) if rules == Rules::Reference => Some(text.chars().map(String::from).collect()),
            _ => None,
        })
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<f64, Problem> {
        self.needed(name, "a number", Value::as_f64)
    }

    /// A number that counts something.
    pub(crate) fn count(&mut self, name: &str) -> Result<f64, Problem> {
        let number = self.number(name)?;
        if number < 0.0 { Err(self.unusable(name)) } else { Ok(number) }
    }

    /// Which one of several, counted from 1.
    pub(crate) fn place(&mut self, name: &str) -> Result<usize, Problem> {
        let place = self.needed(name, "a whole number", Value::as_i64)?;
        usize::try_from(place).ok().filter(|&place| place > 0).ok_or_else(|| self.unusable(name))
    }

    /// A number and which side of it to be on.
    pub(crate) fn bound(&mut self, relation: &str, limit: f64) -> Result<Bound, Problem> {
        match self.text(relation)? {
            "less than" => Ok(Bound::LessThan(limit)),
            "at least" => Ok(Bound::AtLeast(limit)),
            other => Err(bad_target(
                format!("`{relation}` of instruction `{}` is `{other}`", self.instruction),
                "relations are `less than` and `at least`",
            )),
        }
    }

    /// That nothing is left over.
    pub(crate) fn end(self) -> Result<(), Problem> {
        match self.given.first() {
            None => Ok(()),
            Some((name, _)) => Err(bad_target(
                format!("instruction `{}` has no argument `{name}`", self.instruction),
                "see the task's `kwargs`",
            )),
        }
    }
}

/// How many of something there may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    LessThan(f64),
    AtLeast(f64),
}

impl Bound {
    pub(crate) fn holds(self, count: usize) -> bool {
        match self {
            Self::LessThan(limit) => (count as f64) < limit,
            Self::AtLeast(limit) => count as f64 >= limit,
        }
    }
}
