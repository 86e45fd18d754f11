//! Values out of a text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::de::StrRead;
use serde_json::{Map, Number, Value};

use crate::budget::{Budget, OverBudget};
use crate::cost::{Costs, cost_of_room, text_cost};
use crate::lenient::plain_json;

/// Why a text gives no value.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The text is no JSON, or not of the form that is asked for.
    #[error(transparent)]
    Syntax(#[from] serde_json::Error),
    /// Its values take more memory than they may.
    #[error(transparent)]
    OverBudget(#[from] OverBudget),
}

impl JsonError {
    /// A stable identifier in kebab case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "not-json",
            Self::OverBudget(error) => error.code(),
        }
    }

    /// What to do next.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "correct the JSON at that place",
            Self::OverBudget(error) => error.hint(),
        }
    }

    /// Whether the text ends in the middle of a value.
    #[must_use]
    pub fn is_eof(&self) -> bool {
        matches!(self, Self::Syntax(error) if error.is_eof())
    }

    /// Tells a refused expense from a fault of the text.
    pub(crate) fn tell(error: serde_json::Error, budget: &Budget) -> Self {
        if budget.take_exceeded() { budget.refusal().into() } else { error.into() }
    }
}

/// Reads one value, as `serde_json::from_str` does with [`plain_json`]. Its memory stays spent.
///
/// # Errors
/// [`JsonError::Syntax`], and [`JsonError::OverBudget`] before the memory of the values exceeds the budget.
pub fn value(text: &str, budget: &Budget) -> Result<Value, JsonError> {
    read(text, budget, |deserializer| ValueSeed { budget }.deserialize(deserializer))
}

/// Reads one object. Its memory stays spent.
///
/// # Errors
/// As [`value`]; another value than an object is [`JsonError::Syntax`].
pub fn object(text: &str, budget: &Budget) -> Result<Map<String, Value>, JsonError> {
    read(text, budget, |deserializer| deserializer.deserialize_map(ObjectVisitor { budget }))
}

fn read<T>(
    text: &str,
    budget: &Budget,
    read: impl FnOnce(&mut serde_json::Deserializer<StrRead<'_>>) -> Result<T, serde_json::Error>,
) -> Result<T, JsonError> {
    let plain = plain_json(text);
    let copied = if matches!(plain, Cow::Owned(_)) { plain.len() as u64 } else { 0 };
    budget.spend(copied)?;
    budget.take_exceeded();
    let mut deserializer = serde_json::Deserializer::from_str(&plain);
    let read = read(&mut deserializer);
    let read = read.and_then(|value| deserializer.end().map(|()| value));
    budget.give_back(copied);
    read.map_err(|error| JsonError::tell(error, budget))
}

#[derive(Clone, Copy)]
struct ValueSeed<'b> {
    budget: &'b Budget,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        self.budget.spend(text_cost(text.len())).map_err(E::custom)?;
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        let mut spent = 0;
        while let Some(value) = elements.next_element_seed(self)? {
            let cost = Costs::VALUES.of_element(list.len() as u64);
            self.budget.spend(cost).map_err(A::Error::custom)?;
            spent += cost;
            list.push(value);
        }
        // The room of a list doubles while it grows, and what is spare goes back.
        list.shrink_to_fit();
        self.budget.give_back(spent.saturating_sub(cost_of_room(list.len())));
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Value, A::Error> {
        ObjectVisitor { budget: self.budget }.visit_map(entries).map(Value::Object)
    }
}

struct ObjectVisitor<'b> {
    budget: &'b Budget,
}

impl<'de> Visitor<'de> for ObjectVisitor<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = entries.next_key_seed(KeySeed { budget: self.budget })? {
            self.budget.spend(Costs::VALUES.of_entry(fields.len() as u64)).map_err(A::Error::custom)?;
            let value = entries.next_value_seed(ValueSeed { budget: self.budget })?;
            fields.insert(key, value);
        }
        Ok(fields)
    }
}

struct KeySeed<'b> {
    budget: &'b Budget,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<String, E> {
        self.budget.spend(text_cost(key.len())).map_err(E::custom)?;
        Ok(key.to_owned())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{cost_of, measure};

    #[test]
    fn small_texts_of_many_values_are_refused() {
        for text in [
            format!("[{}0]", "0,".repeat(1_000_000)),
            format!("[{}{{}}]", "{\"\":0},".repeat(100_000)),
            format!("{{{}\"x\":0}}", (0..100_000).map(|n| format!("\"{n}\":0,")).collect::<String>()),
            format!("[{}[]]", "[0],".repeat(200_000)),
        ] {
            let budget = Budget::new(8 << 20);
            assert_eq!(value(&text, &budget).unwrap_err().code(), "input-takes-too-much-memory");
            assert_eq!(measure(&text, &Budget::new(8 << 20)).unwrap_err().code(), "input-takes-too-much-memory");
            assert!(value(&text, &Budget::new(1 << 30)).is_ok());
        }
        let deep = "[".repeat(100_000);
        assert_eq!(value(&deep, &Budget::default()).unwrap_err().code(), "not-json");
    }

    #[test]
    fn a_refusal_marks_only_its_own_text() {
        let budget = Budget::new(100);
        assert!(matches!(value("[1,2,3,4,5,6]", &budget), Err(JsonError::OverBudget(_))));
        assert!(matches!(value("[", &budget), Err(JsonError::Syntax(error)) if error.is_eof()));
        assert!(matches!(object("[]", &Budget::default()), Err(JsonError::Syntax(_))));
    }

    proptest! {
        #[test]
        fn values_are_those_of_serde_json(text in "[\\[\\]{}\",:0-9a.eE+\\\\n -]{0,60}") {
            let budget = Budget::default();
            let ours = value(&text, &budget);
            match serde_json::from_str::<Value>(&text) {
                Ok(theirs) => {
                    let ours = ours.unwrap();
                    prop_assert_eq!(&ours, &theirs);
                    // A key that is there twice is spent twice.
                    prop_assert!(budget.spent() >= cost_of(&ours));
                    let measured = Budget::default();
                    measure(&text, &measured).unwrap();
                    prop_assert!(measured.spent() >= cost_of(&ours));
                }
                Err(_) => prop_assert!(ours.is_err()),
            }
        }
    }
}
