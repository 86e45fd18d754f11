//! What the values of a text would take, without building them.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::budget::Budget;
use crate::cost::{Costs, text_cost};
use crate::read::JsonError;

/// Walks through a text and spends what its values would take.
///
/// # Errors
/// As [`crate::value`].
pub fn measure(text: &str, budget: &Budget) -> Result<(), JsonError> {
    measure_with(text.as_bytes(), &Costs::VALUES, budget)
}

/// Walks through a text and spends what its parts take by `costs`.
///
/// # Errors
/// As [`crate::value`].
pub fn measure_with(text: &[u8], costs: &Costs, budget: &Budget) -> Result<(), JsonError> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    budget.take_exceeded();
    let walked = Walk { costs, budget, in_list: false }.deserialize(&mut deserializer);
    walked.and_then(|()| deserializer.end()).map_err(|error| JsonError::tell(error, budget))
}

#[derive(Clone, Copy)]
struct Walk<'b> {
    costs: &'b Costs,
    budget: &'b Budget,
    in_list: bool,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.budget.spend(text_cost(text.len())).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let mut index = 0;
        while elements.next_element_seed(Self { in_list: true, ..self })?.is_some() {
            self.budget.spend(self.costs.of_element(index)).map_err(A::Error::custom)?;
            index += 1;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut index = 0;
        if self.in_list {
            self.budget.spend(self.costs.listed).map_err(A::Error::custom)?;
        }
        let within = Self { in_list: false, ..self };
        while entries.next_key_seed(within)?.is_some() {
            self.budget.spend(self.costs.of_entry(index)).map_err(A::Error::custom)?;
            entries.next_value_seed(within)?;
            index += 1;
        }
        Ok(())
    }
}
