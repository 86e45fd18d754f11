//! The parameters, read.

use bench_sdk::types::Problem;
use bench_sdk::workload::{Arrivals, LoadStage, OpenLoop, Shape};
use bench_sdk::workload_kit::{Kind, MOST_TOKENS, Param, Params, Spec};
use serde::Deserialize;
use serde_json::Value;

use crate::lengths::{self, Lengths};

/// Name of the workload.
pub const NAME: &str = "traffic";

/// Most tokens of text that is made here, a sixteenth of what may be fitted: it has to fit into the sandbox.
pub const MOST_MADE: u32 = 1 << 20;

/// The parameters.
pub const SPEC: Spec = Spec {
    workload: NAME,
    params: &[
        Param {
            name: "prompt-tokens",
            about: "Tokens of each prompt, chat template included, without the shared prefix; in later turns, the tokens \
                    that the turn adds. A number or a distribution.",
            kind: Kind::Json { schema: lengths::SCHEMA, default: "512", quick: "64" },
        },
        Param {
            name: "answer-tokens",
            about: "Tokens of each answer. A number or a distribution.",
            kind: Kind::Json { schema: lengths::SCHEMA, default: "128", quick: "16" },
        },
        Param {
            name: "prefix-tokens",
            about: "Tokens that come before the prompt and are the same in all sessions of a group; 0 for none.",
            kind: Kind::Integer { default: 0, quick: 0, min: 0, max: MOST_MADE as u64 },
        },
        Param {
            name: "prefix-groups",
            about: "How many different prefixes there are.",
            kind: Kind::Integer { default: 1, quick: 1, min: 1, max: 1 << 20 },
        },
        Param {
            name: "prefix-share",
            about: "Share of the sessions that have a prefix in common with others, 0 to 1. The prompts of the rest are as \
                    long, with words of their own.",
            kind: Kind::Json { schema: r#"{"type": "number", "minimum": 0, "maximum": 1}"#, default: "1", quick: "1" },
        },
        Param {
            name: "turns",
            about: "Turns of each session; every turn repeats the conversation before it.",
            kind: Kind::Integer { default: 1, quick: 1, min: 1, max: 64 },
        },
        Param {
            name: "sessions",
            about: "Measured sessions of one repeat.",
            kind: Kind::Integer { default: 64, quick: 8, min: 1, max: 2_000_000 },
        },
        Param {
            name: "shape",
            about: "How sessions follow one another: \"sequential\", {\"closed-loop\": N} or {\"open-loop\": {\"arrivals\": \
                    \"poisson\", \"stages\": [{\"seconds\": 60, \"from-rate\": 1, \"to-rate\": 5}]}}.",
            kind: Kind::Json { schema: SHAPE_SCHEMA, default: r#"{"closed-loop": 8}"#, quick: r#"{"closed-loop": 4}"# },
        },
        Param::repeats("Times that the measured sessions are repeated.", 1, 1),
        Param::warmup("Sessions before the measured ones; they take the prefixes in turn.", 4, 0),
        Param {
            name: "request",
            about: "One request of a recorded trace, for a session that replays it: its lengths in tokens and the ids of the \
                    blocks that its prompt begins with. Blocks of one id are the same text in all sessions.",
            kind: Kind::Json { schema: REQUEST_SCHEMA, default: "null", quick: "null" },
        },
    ],
};

const SHAPE_SCHEMA: &str = r#"{
    "oneOf": [
        {"const": "sequential"},
        {"type": "object", "additionalProperties": false, "required": ["closed-loop"], "properties": {
            "closed-loop": {"type": "integer", "minimum": 1}}},
        {"type": "object", "additionalProperties": false, "required": ["open-loop"], "properties": {
            "open-loop": {"type": "object", "additionalProperties": false, "required": ["arrivals", "stages"], "properties": {
                "arrivals": {"oneOf": [
                    {"enum": ["constant", "poisson"]},
                    {"type": "object", "additionalProperties": false, "required": ["gamma"], "properties": {
                        "gamma": {"type": "number", "exclusiveMinimum": 0}}}]},
                "stages": {"type": "array", "minItems": 1, "maxItems": 1000, "items": {
                    "type": "object", "additionalProperties": false, "required": ["seconds", "from-rate", "to-rate"],
                    "properties": {
                        "seconds": {"type": "number", "exclusiveMinimum": 0},
                        "from-rate": {"type": "number", "minimum": 0},
                        "to-rate": {"type": "number", "minimum": 0}}}}}}}}
    ]
}"#;

const REQUEST_SCHEMA: &str = r#"{
    "type": ["object", "null"], "additionalProperties": false, "required": ["input", "output"], "properties": {
        "input": {"type": "integer", "minimum": 1},
        "output": {"type": "integer", "minimum": 1},
        "prefix": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "block-tokens": {"type": "integer", "minimum": 0}}
}"#;

/// Most stages of an open loop.
const MOST_STAGES: usize = 1000;

/// What the parameters say.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Tokens that each turn adds.
    pub prompt: Lengths,
    /// Tokens of each answer.
    pub answer: Lengths,
    /// Tokens of a shared prefix.
    pub prefix_tokens: u32,
    /// Different prefixes.
    pub prefix_groups: u64,
    /// Share of the sessions with a shared prefix.
    pub prefix_share: f64,
    /// Turns of a session.
    pub turns: u32,
    /// Measured sessions of a repeat.
    pub sessions: u32,
    /// How they follow one another.
    pub shape: Shape,
    /// Repeats.
    pub repeats: u32,
    /// Sessions before the measured ones.
    pub warmup: u32,
    /// What a session replays instead of all lengths above.
    pub request: Option<Replayed>,
}

/// A request of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Replayed {
    /// Tokens of its prompt.
    pub input: u32,
    /// Tokens of its answer.
    pub output: u32,
    /// Ids of the blocks that its prompt begins with.
    #[serde(default)]
    pub prefix: Vec<u64>,
    /// Tokens of a block.
    #[serde(default)]
    pub block_tokens: u32,
}

/// The shape as JSON: the interface's variants by name.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum GivenShape {
    Sequential,
    ClosedLoop(u32),
    OpenLoop(GivenLoop),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenLoop {
    arrivals: GivenArrivals,
    stages: Vec<GivenStage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum GivenArrivals {
    Constant,
    Poisson,
    Gamma(f64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct GivenStage {
    seconds: f64,
    from_rate: f64,
    to_rate: f64,
}

impl Settings {
    /// Reads the parameters.
    ///
    /// # Errors
    /// `bad-params`, `unknown-parameter` and `bad-parameter`.
    pub fn parse(text: &str, quick: bool) -> Result<Self, Problem> {
        let params = SPEC.parse(text, quick)?;
        let lengths = |name| Lengths::parse(params.json(name)).map_err(|why| SPEC.refuse(name, &why, lengths::HINT));
        Ok(Self {
            prompt: lengths("prompt-tokens")?,
            answer: lengths("answer-tokens")?,
            prefix_tokens: params.small("prefix-tokens"),
            prefix_groups: params.integer("prefix-groups"),
            prefix_share: share(&params)?,
            turns: params.small("turns"),
            sessions: params.small("sessions"),
            shape: shape(params.json("shape"))
                .map_err(|why| SPEC.refuse("shape", &why, "See the parameter's description for the three forms."))?,
            repeats: params.small("repeats"),
            warmup: params.small("warmup"),
            request: request(params.json("request"))
                .map_err(|why| SPEC.refuse("request", &why, "Leave it to the host, which takes it from a trace."))?,
        })
    }
}

fn share(params: &Params) -> Result<f64, Problem> {
    let given = params.json("prefix-share");
    given
        .as_f64()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| SPEC.refuse("prefix-share", &format!("{given} is no share"), "Give a number from 0 to 1."))
}

fn shape(value: &Value) -> Result<Shape, String> {
    Ok(match GivenShape::deserialize(value).map_err(|error| error.to_string())? {
        GivenShape::Sequential => Shape::Sequential,
        GivenShape::ClosedLoop(0) => return Err("a closed loop of no streams".into()),
        GivenShape::ClosedLoop(streams) => Shape::ClosedLoop(streams),
        GivenShape::OpenLoop(open) => Shape::OpenLoop(open_loop(open)?),
    })
}

fn open_loop(given: GivenLoop) -> Result<OpenLoop, String> {
    let arrivals = match given.arrivals {
        GivenArrivals::Constant => Arrivals::Constant,
        GivenArrivals::Poisson => Arrivals::Poisson,
        GivenArrivals::Gamma(shape) if shape > 0.0 && shape.is_finite() => Arrivals::Gamma(shape),
        GivenArrivals::Gamma(shape) => return Err(format!("a gamma distribution of shape {shape}")),
    };
    if given.stages.is_empty() || given.stages.len() > MOST_STAGES {
        return Err(format!("{} stages; it may have 1 to {MOST_STAGES}", given.stages.len()));
    }
    let rate = |rate: f64| (0.0..=1e6).contains(&rate);
    let stages = given.stages.into_iter().map(|GivenStage { seconds, from_rate, to_rate }| {
        let possible = seconds > 0.0 && seconds.is_finite() && rate(from_rate) && rate(to_rate);
        possible
            .then_some(LoadStage { seconds, from_rate, to_rate })
            .ok_or_else(|| format!("a stage of {seconds} s from {from_rate} to {to_rate} sessions per second"))
    });
    Ok(OpenLoop { arrivals, stages: stages.collect::<Result<_, _>>()? })
}

fn request(value: &Value) -> Result<Option<Replayed>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let request = Replayed::deserialize(value).map_err(|error| error.to_string())?;
    let tokens = |tokens: u32| (1..=MOST_TOKENS).contains(&u64::from(tokens));
    if !tokens(request.input) || !tokens(request.output) {
        return Err(format!("{} prompt and {} answer tokens", request.input, request.output));
    }
    let made = (request.prefix.len() as u64).saturating_mul(request.block_tokens.into());
    if made > u64::from(MOST_MADE) {
        return Err(format!("{made} tokens in blocks; at most {MOST_MADE} are possible"));
    }
    Ok(Some(request))
}
