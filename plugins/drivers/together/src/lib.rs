//! Driver for Together AI.
//!
//! Its model list is a bare array. The service documents no way to force an answer's length, to avoid its cache, or to learn
//! what came from it.

use bench_sdk::driver::{Backend, Capability, Evidence, Info, LaunchOptions, LaunchPlan, Locality, Target};
use bench_sdk::hosted;
use bench_sdk::openai::{self, Api, Dialect, Request};
use bench_sdk::params;
use bench_sdk::recognise::{self, Answers, number};
use bench_sdk::types::{Generation, HttpResponse, Problem};
use serde::Deserialize;
use serde_json::{Value, json};

/// What is different about Together AI.
#[derive(Debug)]
pub struct Together;

/// What `--param` may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// A level that the model knows.
    reasoning_effort: Option<String>,
}

/// Kinds of models that answer prompts.
const ANSWERING: &[&str] = &["chat", "language", "code"];

impl Dialect for Together {
    type Params = Params;

    fn info() -> Info {
        Info {
            name: "together".into(),
            title: "Together AI".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Together AI's hosted models".into(),
            locality: Locality::Hosted,
            endpoints: vec!["https://api.together.xyz".into()],
            capabilities: vec![Capability::FinalUsage, Capability::Tools, Capability::RawPrompt, Capability::Logprobs],
            evidence: Evidence::Documentation,
            secrets: hosted::key("TOGETHER_API_KEY"),
            params_schema: params::schema(&[(
                "reasoning_effort",
                json!({"type": "string", "description": "a level that the model knows"}),
            )]),
        }
    }

    fn api() -> Api {
        Api { secret: Some(hosted::KEY), top_k: true, stops: None, ..Api::OPENAI }
    }

    fn recognise(answers: Answers<'_>) -> Option<Backend> {
        let Value::Array(entries) = answers.json("models")? else { return None };
        let first = entries.first()?;
        if first.get("type").is_none() || first.get("organization").is_none() {
            return None;
        }
        let answering: Vec<&Value> = entries
            .iter()
            .filter(|entry| entry.get("type").and_then(Value::as_str).is_none_or(|kind| ANSWERING.contains(&kind)))
            .collect();
        let models = recognise::models(&json!({ "data": answering }), |entry, model| {
            model.context_length = number(entry, "/context_length").filter(|&tokens| tokens > 0);
        })?;
        Some(hosted::backend("together", models))
    }

    fn amend(request: &mut Request, generation: &Generation, _target: &Target, params: &Params) -> Result<(), Problem> {
        // `logprobs` is a number here: 1 asks for the chosen token's.
        if let Some(alternatives) = generation.logprobs {
            request.body.remove("top_logprobs");
            request.set("logprobs", alternatives.max(1));
        }
        if let Some(effort) = &params.reasoning_effort {
            request.set("reasoning_effort", effort.as_str());
        }
        Ok(())
    }

    fn launch(_model: &str, _options: &LaunchOptions, _params: &Params) -> Result<LaunchPlan, Problem> {
        hosted::launch()
    }

    fn explain(response: &HttpResponse) -> Problem {
        hosted::explain(response)
    }
}

/// The driver.
pub type Plugin = openai::Plugin<Together>;
bench_sdk::export_driver!(Plugin);
