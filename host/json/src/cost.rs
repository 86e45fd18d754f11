//! What values take in memory.

use serde_json::{Map, Value};

/// Bytes that one value takes where it stands, without what it points to.
const VALUE: u64 = size_of::<Value>() as u64;

/// Bytes that the allocator takes for itself with each allocation, at most.
const ALLOCATION: u64 = 32;

/// Bytes of the first allocation of an object, whichever of its two kinds of map `serde_json` was built with.
const FIRST_ENTRY: u64 = 640;

/// Entries that the first allocation of an object has room for, at least.
const FIRST_ENTRIES: u64 = 3;

/// Elements that the first allocation of a list has room for.
const FIRST_ELEMENTS: u64 = 4;

/// What the parts of a JSON text take in memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Costs {
    /// An object with its first entries.
    pub object: u64,
    /// Each further entry, without its key and value.
    pub entry: u64,
    /// Each element of a list, without what it points to.
    pub element: u64,
    /// Each object that is an element of a list, beside the above.
    pub listed: u64,
}

impl Costs {
    /// Those of [`Value`].
    pub const VALUES: Self = Self { object: FIRST_ENTRY, entry: 2 * (VALUE + 32) + 16, element: 2 * VALUE, listed: 0 };

    /// Those of types whose structures hold other structures in place. `listed` is the size of the structures that stand in
    /// lists, in bytes.
    #[must_use]
    pub const fn of_types(listed: usize) -> Self {
        // The room of a list doubles.
        Self { object: 64, entry: 8, element: 32, listed: 2 * listed as u64 }
    }

    /// What the entry at `index` of an object adds.
    #[must_use]
    pub const fn of_entry(&self, index: u64) -> u64 {
        match index {
            0 => self.object,
            index if index < FIRST_ENTRIES => 0,
            _ => self.entry,
        }
    }

    /// What the element at `index` of a list adds.
    #[must_use]
    pub const fn of_element(&self, index: u64) -> u64 {
        match index {
            0 => FIRST_ELEMENTS * self.element / 2 + ALLOCATION,
            // The room of a list doubles.
            index if index < FIRST_ELEMENTS => 0,
            _ => self.element,
        }
    }
}

/// What a text takes on the heap, in bytes.
#[must_use]
pub const fn text_cost(length: usize) -> u64 {
    if length == 0 { 0 } else { length as u64 + ALLOCATION }
}

/// What a value takes on the heap, in bytes.
#[must_use]
pub fn cost_of(value: &Value) -> u64 {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text_cost(text.len()),
        Value::Array(list) => cost_of_room(list.capacity()) + list.iter().map(cost_of).sum::<u64>(),
        Value::Object(fields) => cost_of_fields(fields),
    }
}

/// What the room of a list takes, in bytes.
pub(crate) const fn cost_of_room(elements: usize) -> u64 {
    if elements == 0 { 0 } else { elements as u64 * VALUE + ALLOCATION }
}

/// What the fields of an object take on the heap, in bytes.
#[must_use]
pub fn cost_of_fields(fields: &Map<String, Value>) -> u64 {
    let entries = fields.iter().zip(0..);
    entries.map(|((key, value), index)| Costs::VALUES.of_entry(index) + text_cost(key.len()) + cost_of(value)).sum()
}
