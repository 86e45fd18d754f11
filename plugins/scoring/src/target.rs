//! References and other fields of an item, which come as JSON from whoever wrote the task.

use bench_sdk::scorer::Sample;
use bench_sdk::types::Problem;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::problem;

/// The reference of a sample, parsed. A type of a scorer's own can be asked for with [`Target::of`].
#[derive(Debug)]
pub struct Target;

impl Target {
    /// Reads the reference as `T`.
    ///
    /// # Errors
    /// `bad-target`: it is of another type, which is the task's fault and not the model's.
    pub fn of<T: DeserializeOwned>(sample: &Sample) -> Result<T, Problem> {
        serde_json::from_str(&sample.target).map_err(|error| {
            let message = format!("the reference of sample `{}`: {error}", sample.id);
            problem("bad-target", message, "check the field of the data set that the task takes as its reference")
        })
    }
}

/// The reference as text: a string, a number or a truth value as JSON writes it, or a list of these. Never an empty list.
///
/// # Errors
/// `bad-target` for anything else.
pub fn target_texts(sample: &Sample) -> Result<Vec<String>, Problem> {
    let one = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    };
    let target: Value = Target::of(sample)?;
    let texts = match target {
        Value::Array(list) => list.into_iter().map(one).collect(),
        single => one(single).map(|text| vec![text]),
    };
    texts.filter(|texts: &Vec<String>| !texts.is_empty()).ok_or_else(|| {
        let message = format!("the reference of sample `{}` is neither a text nor a list of texts", sample.id);
        problem("bad-target", message, "check the field of the data set that the task takes as its reference")
    })
}

/// The other fields of the item.
///
/// # Errors
/// `bad-metadata` where they are no JSON object.
pub fn metadata(sample: &Sample) -> Result<Map<String, Value>, Problem> {
    let text = if sample.metadata.is_empty() { "{}" } else { &sample.metadata };
    serde_json::from_str(text)
        .map_err(|error| problem("bad-metadata", format!("the fields of sample `{}`: {error}", sample.id), ""))
}
