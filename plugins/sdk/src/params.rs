//! Driver parameters: what the user says with `--param key=value`.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::problem::problem;
use crate::types::Problem;

/// For drivers without parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct None {}

/// Reads a target's `params`. `P` should deny unknown fields; the problem names the key that it does not know. An empty
/// text means no parameters.
pub fn parse<P: DeserializeOwned + Default>(params: &str) -> Result<P, Problem> {
    if params.trim().is_empty() {
        return Ok(P::default());
    }
    serde_json::from_str(params).map_err(|error| {
        let message = format!("parameters of the driver: {error}");
        problem(crate::problem::BAD_REQUEST, message, "see the driver's parameters with `bench plugin inspect NAME`")
    })
}

/// The JSON schema of an object with these optional properties, each a name and its own schema.
pub fn schema(properties: &[(&str, Value)]) -> String {
    let properties: Map<String, Value> =
        properties.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    schema.to_string()
}
