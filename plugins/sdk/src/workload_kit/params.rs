//! Parameters as a table: one declaration gives the JSON schema, the defaults, the bounds and the parser.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{MOST_TOKENS, problem};
use crate::types::Problem;

/// Longest parameter text that is looked at, in bytes.
const LONGEST_TEXT: usize = 64 * 1024;

/// What a parameter holds. Defaults of a quick run stand apart from the others.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A whole number within bounds, both included.
    Integer {
        /// Without a value.
        default: u64,
        /// Without a value, in a quick run.
        quick: u64,
        /// Smallest value.
        min: u64,
        /// Largest value.
        max: u64,
    },
    /// Whole numbers, sorted and without duplicates. A single number and text such as `1,4,8` are taken as well, for the
    /// command line.
    List {
        /// Without a value.
        default: &'static [u64],
        /// Without a value, in a quick run.
        quick: &'static [u64],
        /// Smallest entry.
        min: u64,
        /// Largest entry.
        max: u64,
        /// Most entries.
        longest: usize,
    },
    /// Any JSON; the workload reads it from [`Params::json`] and refuses what it cannot use with [`Spec::refuse`].
    Json {
        /// Its JSON schema.
        schema: &'static str,
        /// Without a value, as JSON.
        default: &'static str,
        /// Without a value, in a quick run.
        quick: &'static str,
    },
}

/// One parameter.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Name in kebab case.
    pub name: &'static str,
    /// What it does, with its unit.
    pub about: &'static str,
    /// Type, defaults and bounds.
    pub kind: Kind,
}

/// The parameters of a workload.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// Name of the workload, for messages.
    pub workload: &'static str,
    /// The parameters, in the order in which they are shown.
    pub params: &'static [Param],
}

impl Param {
    /// A number of tokens, from one to [`MOST_TOKENS`].
    pub const fn tokens(name: &'static str, about: &'static str, default: u64, quick: u64) -> Self {
        Self { name, about, kind: Kind::Integer { default, quick, min: 1, max: MOST_TOKENS } }
    }

    /// `repeats`: how often the measured part runs, from 1 to 1000.
    pub const fn repeats(about: &'static str, default: u64, quick: u64) -> Self {
        Self { name: "repeats", about, kind: Kind::Integer { default, quick, min: 1, max: 1000 } }
    }

    /// `warmup`: what runs before the measured part, from 0 to 1000.
    pub const fn warmup(about: &'static str, default: u64, quick: u64) -> Self {
        Self { name: "warmup", about, kind: Kind::Integer { default, quick, min: 0, max: 1000 } }
    }
}

/// Values of all parameters of a [`Spec`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params {
    numbers: BTreeMap<&'static str, Vec<u64>>,
    json: BTreeMap<&'static str, Value>,
}

impl Params {
    /// The value of an integer parameter. A name that the table does not have reads as 0.
    pub fn integer(&self, name: &str) -> u64 {
        self.list(name).first().copied().unwrap_or(0)
    }

    /// The value of an integer parameter as 32 bits, clamped.
    pub fn small(&self, name: &str) -> u32 {
        u32::try_from(self.integer(name)).unwrap_or(u32::MAX)
    }

    /// The value of a list parameter. A name that the table does not have reads as empty.
    pub fn list(&self, name: &str) -> &[u64] {
        self.numbers.get(name).map_or(&[], Vec::as_slice)
    }

    /// The value of a JSON parameter. A name that the table does not have reads as null.
    pub fn json(&self, name: &str) -> &Value {
        self.json.get(name).unwrap_or(&Value::Null)
    }
}

impl Spec {
    /// The JSON schema of the parameters. `default` is the value of a full run and `x-quick-default` that of a quick one.
    pub fn schema(&self) -> String {
        let mut properties = Map::new();
        for param in self.params {
            let mut schema = match param.kind {
                Kind::Integer { default, quick, min, max } => json!({
                    "type": "integer", "minimum": min, "maximum": max, "default": default, "x-quick-default": quick,
                }),
                Kind::List { default, quick, min, max, longest } => json!({
                    "oneOf": [
                        {
                            "type": "array", "minItems": 1, "maxItems": longest,
                            "items": { "type": "integer", "minimum": min, "maximum": max },
                        },
                        { "type": "integer", "minimum": min, "maximum": max },
                        { "type": "string", "pattern": "^ *[0-9]+ *(, *[0-9]+ *)*$" },
                    ],
                    "default": default, "x-quick-default": quick,
                }),
                Kind::Json { schema, default, quick } => {
                    let mut object = read(schema);
                    if let Some(object) = object.as_object_mut() {
                        object.insert("default".into(), read(default));
                        object.insert("x-quick-default".into(), read(quick));
                    }
                    object
                }
            };
            if let Some(object) = schema.as_object_mut() {
                object.insert("description".into(), param.about.into());
            }
            properties.insert(param.name.into(), schema);
        }
        json!({ "type": "object", "additionalProperties": false, "properties": properties }).to_string()
    }

    /// Reads a JSON object of parameters; empty text is an empty object. A value that is given wins over the default of a
    /// quick run too.
    ///
    /// # Errors
    /// `bad-params` for text that is no JSON object, `unknown-parameter` for a name that the table does not have, naming
    /// those that it has, and `bad-parameter` for a value of the wrong type or out of bounds.
    pub fn parse(&self, text: &str, quick: bool) -> Result<Params, Problem> {
        let given = self.object(text)?;
        if let Some(unknown) = given.keys().find(|name| !self.params.iter().any(|param| param.name == name.as_str())) {
            let known: Vec<&str> = self.params.iter().map(|param| param.name).collect();
            return Err(problem(
                "unknown-parameter",
                format!("workload {} has no parameter `{}`", self.workload, clip(unknown)),
                &format!("It knows: {}.", known.join(", ")),
            ));
        }
        let mut params = Params { numbers: BTreeMap::new(), json: BTreeMap::new() };
        for Param { name, kind, .. } in self.params {
            let value = given.get(*name);
            let numbers = match *kind {
                Kind::Integer { default, quick: in_quick_run, min, max } => match value {
                    Some(value) => self.numbers(name, value, min, max, None)?,
                    None => vec![if quick { in_quick_run } else { default }],
                },
                Kind::List { default, quick: in_quick_run, min, max, longest } => match value {
                    Some(value) => self.numbers(name, value, min, max, Some(longest))?,
                    None => (if quick { in_quick_run } else { default }).to_vec(),
                },
                Kind::Json { default, quick: in_quick_run, .. } => {
                    let value = value.cloned().unwrap_or_else(|| read(if quick { in_quick_run } else { default }));
                    params.json.insert(name, value);
                    continue;
                }
            };
            params.numbers.insert(name, numbers);
        }
        Ok(params)
    }

    /// The problem with a value that the table cannot judge. `why` says what is wrong with it, `hint` what would do.
    pub fn refuse(&self, param: &str, why: &str, hint: &str) -> Problem {
        let message = format!("parameter `{param}` of workload {}: {}", self.workload, clip(why));
        problem("bad-parameter", message, hint)
    }

    fn object(&self, text: &str) -> Result<Map<String, Value>, Problem> {
        let bad = |why: String| {
            problem(
                "bad-params",
                format!("parameters of workload {}: {why}", self.workload),
                "Give a JSON object, such as {\"repeats\": 3}.",
            )
        };
        if text.len() > LONGEST_TEXT {
            return Err(bad(format!("{} bytes, more than {LONGEST_TEXT}", text.len())));
        }
        if text.trim().is_empty() {
            return Ok(Map::new());
        }
        match serde_json::from_str(text) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(bad("not a JSON object".into())),
            Err(error) => Err(bad(error.to_string())),
        }
    }

    /// One number, or up to `longest` of them.
    fn numbers(
        &self,
        name: &str,
        value: &Value,
        min: u64,
        max: u64,
        longest: Option<usize>,
    ) -> Result<Vec<u64>, Problem> {
        let (list, longest) = (longest.is_some(), longest.unwrap_or(1));
        let parsed = match value {
            Value::Array(items) if list => items.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>(),
            Value::String(text) if list => text.split(',').map(|item| item.trim().parse().ok()).collect(),
            other => other.as_u64().map(|number| vec![number]),
        };
        let wanted = if list { format!("1 to {longest} whole numbers") } else { "a whole number".into() };
        let hint = format!("Give {wanted} from {min} to {max}.");
        let refused = |why: String| self.refuse(name, &why, &hint);
        let mut numbers = parsed.ok_or_else(|| refused(format!("{value} is not {wanted}")))?;
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.is_empty() || numbers.len() > longest {
            return Err(refused(format!("{} entries", numbers.len())));
        }
        match numbers.iter().find(|number| !(min..=max).contains(*number)) {
            Some(outside) => Err(refused(format!("{outside} is out of bounds"))),
            None => Ok(numbers),
        }
    }
}

/// JSON that the table holds as text; null where the author of the workload made a mistake, which its tests show.
fn read(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or(Value::Null)
}

/// The beginning of a text that may be of any length.
fn clip(text: &str) -> String {
    let mut clipped: String = text.chars().take(80).collect();
    if clipped.len() < text.len() {
        clipped.push('…');
    }
    clipped
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    const SPEC: Spec = Spec {
        workload: "w",
        params: &[
            Param { name: "repeats", about: "Repeats.", kind: Kind::Integer { default: 3, quick: 1, min: 1, max: 10 } },
            Param {
                name: "streams",
                about: "Streams.",
                kind: Kind::List { default: &[1, 4, 8], quick: &[1, 4], min: 1, max: 64, longest: 4 },
            },
            Param {
                name: "mix",
                about: "Mix.",
                kind: Kind::Json { schema: r#"{"type": "object"}"#, default: r#"{"a": 1}"#, quick: "null" },
            },
        ],
    };

    #[test]
    fn defaults_depend_on_quick_and_given_values_win() {
        assert_eq!(SPEC.parse("", false).unwrap().integer("repeats"), 3);
        let quick = SPEC.parse(r#"{"repeats": 5}"#, true).unwrap();
        assert_eq!((quick.integer("repeats"), quick.list("streams")), (5, [1, 4].as_slice()));
    }

    #[test]
    fn lists_come_in_three_forms_and_leave_sorted_without_duplicates() {
        for text in [r#"{"streams": [8, 1, 8]}"#, r#"{"streams": " 8,1 "}"#] {
            assert_eq!(SPEC.parse(text, false).unwrap().list("streams"), [1, 8]);
        }
        assert_eq!(SPEC.parse(r#"{"streams": 8}"#, false).unwrap().list("streams"), [8]);
    }

    #[test]
    fn refusals_say_what_would_do() {
        for (text, code, word) in [
            (r#"{"repeat": 1}"#, "unknown-parameter", "repeats, streams, mix"),
            (r#"{"repeats": 0}"#, "bad-parameter", "1 to 10"),
            (r#"{"repeats": 1.5}"#, "bad-parameter", "a whole number"),
            (r#"{"repeats": "1"}"#, "bad-parameter", "a whole number"),
            (r#"{"streams": []}"#, "bad-parameter", "1 to 4"),
            (r#"{"streams": [1,2,3,4,5]}"#, "bad-parameter", "1 to 4"),
            (r#"{"streams": "1,,2"}"#, "bad-parameter", "1 to 4"),
            (r#"{"streams": [-1]}"#, "bad-parameter", "1 to 64"),
            ("[]", "bad-params", "JSON object"),
            ("{", "bad-params", "JSON object"),
        ] {
            let problem = SPEC.parse(text, false).unwrap_err();
            assert_eq!(problem.code, code, "{text}");
            assert!(problem.hint.as_deref().unwrap().contains(word), "{text}: {problem:?}");
        }
        assert!(SPEC.parse(&" ".repeat(LONGEST_TEXT + 1), false).is_err());
    }

    #[test]
    fn json_is_passed_on_as_it_came() {
        assert_eq!(SPEC.parse("", false).unwrap().json("mix"), &json!({"a": 1}));
        assert_eq!(SPEC.parse("", true).unwrap().json("mix"), &Value::Null);
        assert_eq!(SPEC.parse(r#"{"mix": [{}]}"#, true).unwrap().json("mix"), &json!([{}]));
        let problem = SPEC.refuse("mix", &"no ".repeat(100), "Give yes.");
        assert!(problem.code == "bad-parameter" && problem.message.contains("`mix`") && problem.message.len() < 200);
    }

    #[test]
    fn the_schema_declares_what_the_parser_takes() {
        let schema: Value = serde_json::from_str(&SPEC.schema()).unwrap();
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["repeats"]["default"], 3);
        assert_eq!(schema["properties"]["streams"]["x-quick-default"], json!([1, 4]));
        let mix = json!({"type": "object", "default": {"a": 1}, "x-quick-default": null, "description": "Mix."});
        assert_eq!(schema["properties"]["mix"], mix);
    }
}
