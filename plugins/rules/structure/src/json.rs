//! `json-schema`: the answer is JSON, satisfies a schema, and perhaps equals what is expected.
//!
//! JSON is what RFC 8259 says: `NaN`, trailing commas and comments are none. Of a name that an object has twice the last value
//! counts.

use std::borrow::Cow;

use bench_scoring::python;
use bench_scoring::{About, Grade, MetricAbout, Problem, Reason, Sample, Scorer, Target, metadata, problem};
use serde::Deserialize;
use serde_json::Value;

use crate::fences;
use crate::schema::{Manner, Schema, Unchecked, equal};

/// What becomes of Markdown fences around the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fences {
    /// The whole answer is the JSON.
    #[default]
    None,
    /// The answer may be one fenced block and nothing else.
    Allowed,
    /// The last fenced block that says `json` or nothing about itself; the whole answer where there is none.
    Last,
}

/// Whether the answer is compared with the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compare {
    /// It is not; the reference is not looked at.
    #[default]
    None,
    /// It equals the reference.
    Equal,
    /// It has everything that the reference has: an object may have further names at any depth.
    Subset,
}

/// Configuration of [`JsonSchema`] and [`JsonSchemaFixed`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct JsonSchemaConfig {
    /// The schema of every item.
    pub schema: Option<Value>,
    /// The item's field that has its schema, where `schema` is absent. An item without it is checked for being JSON.
    pub schema_field: String,
    /// What becomes of Markdown fences around the JSON.
    pub fences: Fences,
    /// Whether the answer is compared with the reference.
    pub compare: Compare,
}

impl Default for JsonSchemaConfig {
    fn default() -> Self {
        Self { schema: None, schema_field: "schema".to_owned(), fences: Fences::None, compare: Compare::None }
    }
}

#[derive(Debug)]
struct Rules {
    config: JsonSchemaConfig,
    schema: Option<Schema>,
    manner: Manner,
}

fn bad_schema(message: String) -> Problem {
    problem("bad-schema", message, "check the schema with a validator of its draft")
}

impl Rules {
    fn new(mut config: JsonSchemaConfig, manner: Manner) -> Result<Self, Problem> {
        let schema = config.schema.take().map(|schema| Schema::new(schema, manner)).transpose().map_err(bad_schema)?;
        Ok(Self { config, schema, manner })
    }

    /// The schema of an item, where that has one of its own.
    fn own_schema(&self, sample: &Sample) -> Result<Option<Schema>, Problem> {
        let schema = match metadata(sample)?.remove(&self.config.schema_field) {
            None | Some(Value::Null) => return Ok(None),
            // Data sets often hold a schema as text.
            Some(Value::String(text)) => serde_json::from_str(&text)
                .map_err(|error| bad_schema(format!("the schema of sample `{}`: {error}", sample.id)))?,
            Some(schema) => schema,
        };
        Schema::new(schema, self.manner).map(Some).map_err(bad_schema)
    }

    fn grade(&self, sample: &Sample) -> Grade {
        self.graded(sample).unwrap_or_else(Grade::failed)
    }

    fn graded(&self, sample: &Sample) -> Result<Grade, Problem> {
        let own = if self.schema.is_some() { None } else { self.own_schema(sample)? };
        let expected: Option<Value> =
            if self.config.compare == Compare::None { None } else { Some(Target::of(sample)?) };
        let text = body(sample.answer.as_deref().unwrap_or_default(), self.config.fences);
        let value: Value = match serde_json::from_str(&text) {
            Ok(value) => value,
            Err(error) => {
                return Ok(Grade::zero(Reason::InvalidFormat)
                    .extracted(text)
                    .explained(format!("not JSON: {error}"))
                    .with("valid-json", 0.0)
                    .with("schema-valid", 0.0));
            }
        };
        let violation = match self.schema.as_ref().or(own.as_ref()) {
            None => None,
            Some(schema) => schema.violation(&value).map_err(|unchecked| match unchecked {
                Unchecked::Schema(message) => bad_schema(message),
                Unchecked::TooHard => problem(
                    "schema-too-hard",
                    format!("checking sample `{}` takes too many steps or leads too deep", sample.id),
                    "look for a schema that refers to itself without end",
                ),
            })?,
        };
        if let Some(violation) = violation {
            let place =
                if violation.path.is_empty() { "the whole".to_owned() } else { format!("`{}`", violation.path) };
            return Ok(Grade::zero(Reason::Other("schema-violation".into()))
                .extracted(text)
                .explained(format!("{place} {}", violation.message))
                .with("valid-json", 1.0)
                .with("schema-valid", 0.0));
        }
        let as_expected = expected.is_none_or(|expected| match self.config.compare {
            Compare::Subset => holds(&value, &expected),
            _ => equal(&value, &expected),
        });
        let grade = Grade::binary(as_expected).extracted(text).with("valid-json", 1.0).with("schema-valid", 1.0);
        Ok(if as_expected { grade } else { grade.explained("satisfies the schema and is not the expected value") })
    }
}

/// Whether `value` has everything that `expected` has.
fn holds(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Object(value), Value::Object(expected)) => {
            expected.iter().all(|(name, expected)| value.get(name).is_some_and(|value| holds(value, expected)))
        }
        (Value::Array(value), Value::Array(expected)) => {
            value.len() == expected.len() && value.iter().zip(expected).all(|(value, expected)| holds(value, expected))
        }
        (value, expected) => equal(value, expected),
    }
}

/// The part of an answer that is meant to be JSON.
fn body(answer: &str, fences: Fences) -> Cow<'_, str> {
    let blocks = if fences == Fences::None { Vec::new() } else { fences::blocks(answer) };
    let is_json = |info: &str| {
        let language = info.split_whitespace().next().unwrap_or_default();
        language.is_empty() || language.eq_ignore_ascii_case("json")
    };
    let body = match fences {
        Fences::None => None,
        Fences::Last => blocks.iter().rev().find(|block| is_json(block.info)),
        Fences::Allowed => {
            let bare = python::strip(answer);
            let alone = blocks.len() == 1 && bare.starts_with(['`', '~']) && bare.ends_with(['`', '~']);
            blocks.first().filter(|block| alone && is_json(block.info))
        }
    };
    Cow::Borrowed(body.map_or(answer, |block| block.body))
}

const CONFIG: &str = r#"{
    "schema": { "type": ["object", "boolean"], "description": "The schema of every item: draft 6, 7, 2019-09 or 2020-12." },
    "schema-field": { "type": "string", "default": "schema",
        "description": "The item's field that has its schema, as an object or as text, where `schema` is absent." },
    "fences": { "enum": ["none", "allowed", "last"], "default": "none",
        "description": "Whether the JSON may be, or is looked for, in a Markdown fence." },
    "compare": { "enum": ["none", "equal", "subset"], "default": "none",
        "description": "Whether the answer has to be the reference too, or to have all that the reference has." }
}"#;

const fn about(name: &'static str, summary: &'static str) -> About {
    About {
        name,
        version: env!("CARGO_PKG_VERSION"),
        summary,
        reference: "jsonschema 4.26.0 (Python)",
        config: CONFIG,
        metrics: &[
            MetricAbout {
                name: "accuracy",
                summary: "Share of the answers that are JSON, satisfy the schema and are as expected.",
                unit: "ratio",
                higher_is_better: Some(true),
            },
            MetricAbout {
                name: "valid-json",
                summary: "Share of the answers that are JSON.",
                unit: "ratio",
                higher_is_better: Some(true),
            },
            MetricAbout {
                name: "schema-valid",
                summary: "Share of the answers that satisfy the schema.",
                unit: "ratio",
                higher_is_better: Some(true),
            },
        ],
        unbounded: false,
        needs_judge: false,
        needs_likelihoods: false,
    }
}

/// The answer is JSON that satisfies a schema, as Python's jsonschema decides it.
#[derive(Debug)]
pub struct JsonSchema(Rules);

impl Scorer for JsonSchema {
    const ABOUT: About = about("json-schema", "The answer is JSON that satisfies a schema.");
    type Config = JsonSchemaConfig;

    fn new(config: JsonSchemaConfig) -> Result<Self, Problem> {
        Rules::new(config, Manner::Reference).map(Self)
    }

    fn grade(&self, sample: &Sample) -> Grade {
        self.0.grade(sample)
    }
}

/// The answer is JSON that satisfies a schema, with multiples decided by their decimal digits.
#[derive(Debug)]
pub struct JsonSchemaFixed(Rules);

impl Scorer for JsonSchemaFixed {
    const ABOUT: About =
        about("json-schema-fixed", "The answer is JSON that satisfies a schema, with exact arithmetic.");
    type Config = JsonSchemaConfig;

    fn new(config: JsonSchemaConfig) -> Result<Self, Problem> {
        Rules::new(config, Manner::Exact).map(Self)
    }

    fn grade(&self, sample: &Sample) -> Grade {
        self.0.grade(sample)
    }
}
