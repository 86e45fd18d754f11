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

/// The parameters that every driver takes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Common {
    /// Fields of the body to leave out.
    pub omit: Vec<String>,
    /// Fields to add to the body, or to put in the place of those that are there.
    pub extra: Map<String, Value>,
}

impl Common {
    /// The common part of a target's `params`.
    ///
    /// # Errors
    /// `bad-request` for a value of the wrong kind.
    pub fn read(params: &str) -> Result<Self, Problem> {
        let params: Map<String, Value> = read(params)?;
        let bad = |what: &str| {
            bad_params(format!("{what}, as in --param 'omit=[\"top_p\"]' and --param 'extra={{\"user\":\"me\"}}'"))
        };
        let omit = match params.get("omit") {
            None => Vec::new(),
            // One name needs no list.
            Some(Value::String(name)) => vec![name.clone()],
            Some(list) => Vec::deserialize(list).map_err(|_| bad("`omit` is a list of names"))?,
        };
        let extra = match params.get("extra") {
            None => Map::new(),
            Some(Value::Object(extra)) => extra.clone(),
            Some(_) => return Err(bad("`extra` is an object of fields")),
        };
        Ok(Self { omit, extra })
    }
}

fn bad_params(what: impl std::fmt::Display) -> Problem {
    let message = format!("parameters of the driver: {what}");
    problem(crate::problem::BAD_REQUEST, message, "see the driver's parameters with `bench plugin inspect NAME`")
}

fn read(params: &str) -> Result<Map<String, Value>, Problem> {
    if params.trim().is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str(params).map_err(bad_params)
}

/// Reads a target's `params`. `P` should deny unknown fields; the problem names the key that it does not know. An empty
/// text means no parameters. Those that every driver takes are [`Common`]'s, and need not be among `P`'s.
pub fn parse<P: DeserializeOwned + Default>(params: &str) -> Result<P, Problem> {
    let mut params = read(params)?;
    params.remove("omit");
    if params.is_empty() {
        return Ok(P::default());
    }
    let parsed = P::deserialize(Value::Object(params.clone()));
    if parsed.is_err() && params.remove("extra").is_some() {
        return P::deserialize(Value::Object(params)).map_err(bad_params);
    }
    parsed.map_err(bad_params)
}

/// The JSON schema of an object with these optional properties, each a name and its own schema, beside those of [`Common`].
pub fn schema(properties: &[(&str, Value)]) -> String {
    let common = [
        ("extra", json!({"type": "object", "default": {}, "description": "Fields added to every request body"})),
        (
            "omit",
            json!({"type": "array", "items": {"type": "string"}, "default": [], "description": "Fields left out of every request body"}),
        ),
    ];
    let properties: Map<String, Value> =
        common.iter().chain(properties).map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    schema.to_string()
}
