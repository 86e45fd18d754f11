//! JSON Schema, drafts 6 and 7, 2019-09 and 2020-12.
//!
//! Written here because the crates for it cannot go into a component: `boon` and `jsonschema` seed their hash maps from the
//! system's randomness, which a component has no access to, and turn patterns over to engines whose classes and look-around
//! differ from the reference's. A grader needs one answer, not a report, so that little is lost.
//!
//! Formats are annotations, as in the reference's default. References lead to places within the schema only. The work is bounded
//! in depth and in steps.

mod check;
mod index;
mod number;
mod uri;

use std::collections::BTreeMap;

use bench_scoring::python::Regex;
use serde_json::Value;

pub use number::equal;

/// Whose reading of the drafts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// The reference's: multiples by dividing floating-point numbers, so that 0.3 is no multiple of 0.1; and in draft 2019-09 an
    /// item that `contains` finds is not unevaluated, while a property that a schema in `additionalProperties` allows is.
    Reference,
    /// That of the drafts: multiples by the decimal digits of the numbers, and in 2019-09 `contains` speaks of no item and
    /// `additionalProperties` of every other property.
    Exact,
}

/// Which rules a schema is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Draft {
    Seven,
    Draft2019,
    Draft2020,
}

/// A schema that has been read and makes sense.
#[derive(Debug)]
pub struct Schema {
    root: Value,
    draft: Draft,
    manner: Manner,
    /// Where each resource is: address to JSON pointer.
    resources: BTreeMap<String, String>,
    /// Where each named place is: address and name to JSON pointer.
    anchors: BTreeMap<String, String>,
    /// Those of the named places that a dynamic reference may be led to.
    dynamic: BTreeMap<String, String>,
    patterns: BTreeMap<String, Regex>,
}

/// Why an instance does not satisfy a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer into the instance.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

/// Why an instance could not be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unchecked {
    /// The schema makes no sense.
    Schema(String),
    /// More depth or more steps than are allowed.
    TooHard,
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn new(root: Value, manner: Manner) -> Result<Self, String> {
        let draft = match root.get("$schema").and_then(Value::as_str) {
            None => Draft::Draft2020,
            Some(name) => match name.trim_end_matches('#') {
                "https://json-schema.org/draft/2020-12/schema" => Draft::Draft2020,
                "https://json-schema.org/draft/2019-09/schema" => Draft::Draft2019,
                "http://json-schema.org/draft-07/schema" | "http://json-schema.org/draft-06/schema" => Draft::Seven,
                _ => return Err(format!("`$schema` is `{name}`, which is not draft 6, 7, 2019-09 or 2020-12")),
            },
        };
        index::read(root, draft, manner)
    }

    /// The first violation found, if any.
    ///
    /// # Errors
    /// [`Unchecked`], which is nobody's answer's fault.
    pub fn violation(&self, instance: &Value) -> Result<Option<Violation>, Unchecked> {
        check::violation(self, instance)
    }

    /// Where a reference leads, as a JSON pointer and the address of the resource that it is in.
    fn resolve(&self, reference: &str, base: &str) -> Result<(String, &str), String> {
        let (address, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let address = uri::join(base, address);
        let missing = || format!("`$ref` leads to `{reference}`, which is not in the schema");
        let (_, resource) = self.resources.get_key_value(&address).ok_or_else(missing)?;
        let pointer = if fragment.is_empty() {
            resource.clone()
        } else if fragment.starts_with('/') {
            format!("{resource}{}", uri::decoded(fragment))
        } else {
            self.anchors.get(&format!("{address}#{fragment}")).cloned().ok_or_else(missing)?
        };
        if self.root.pointer(&pointer).is_none() {
            return Err(missing());
        }
        let base = self.base(&pointer);
        Ok((pointer, base))
    }

    /// The address of the innermost resource that a place is in.
    fn base(&self, pointer: &str) -> &str {
        let within = |resource: &str| {
            pointer.strip_prefix(resource).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let innermost = self.resources.iter().filter(|(_, resource)| within(resource));
        innermost.max_by_key(|(_, resource)| resource.len()).map_or("", |(address, _)| address)
    }
}
