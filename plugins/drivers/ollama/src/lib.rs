//! Driver for Ollama, over its own API and not the OpenAI-compatible one: only the former reports durations and digests.
//!
//! What Ollama cannot do, and the interface therefore does not promise: it has no way to ignore the end-of-sequence token, no
//! switch against its prompt cache, no counters and no tokenizer. `prompt_eval_count` is the whole prompt, cached
//! tokens included; recent releases add `prompt_eval_cached_count`, and only with it is the number of evaluated tokens known.

mod decode;
mod encode;
mod recognise;

use bench_sdk::driver::{
    Backend, Capability, CountStep, CountSteps, Counter, Driver, Encoded, Evidence, Info, LaunchOptions, LaunchPlan,
    Locality, Probe, ProbeAnswer, Target,
};
use bench_sdk::http;
use bench_sdk::params;
use bench_sdk::problem::{self, not_supported};
use bench_sdk::stream::Stream;
use bench_sdk::types::{Generation, HttpRequest, HttpResponse, Problem};
use serde_json::json;

/// The driver.
pub struct Ollama;

impl Driver for Ollama {
    type Decoder = Stream<decode::Stream>;
    type Count = NoCount;

    fn describe() -> Info {
        Info {
            name: "ollama".into(),
            title: "Ollama".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Ollama over its native API, with its own durations and model digests".into(),
            locality: Locality::SelfHosted,
            endpoints: vec!["http://127.0.0.1:11434".into()],
            capabilities: vec![
                Capability::CachedTokens,
                Capability::FinalUsage,
                Capability::ServerTiming,
                Capability::Launch,
                Capability::Tools,
                Capability::RawPrompt,
                Capability::Logprobs,
            ],
            evidence: Evidence::Documentation,
            secrets: Vec::new(),
            params_schema: params::schema(&[
                ("num_ctx", json!({"type": "integer", "minimum": 1, "description": "context to allocate, in tokens"})),
                ("keep_alive", json!({"type": ["string", "number"], "description": "how long the model stays loaded"})),
                ("think", json!({"type": ["boolean", "string"], "description": "thinking on, off, or its level"})),
                ("options", json!({"type": "object", "description": "further entries of the request's `options`"})),
            ]),
        }
    }

    fn probes() -> Vec<Probe> {
        recognise::probes()
    }

    fn recognise(answers: Vec<ProbeAnswer>) -> Option<Backend> {
        recognise::recognise(&answers)
    }

    fn launch(model: String, options: LaunchOptions) -> Result<LaunchPlan, Problem> {
        params::parse::<encode::Params>(&options.params)?;
        if model.contains('\\') || model.starts_with(['/', '.', '~']) || model.ends_with(".gguf") {
            return Err(problem::problem(
                problem::NOT_SUPPORTED,
                format!("Ollama serves models by name and cannot be given the file {model}"),
                "import the file with `ollama create NAME -f Modelfile`, then name it with --model",
            ));
        }
        let mut environment = vec![("OLLAMA_HOST".to_owned(), format!("127.0.0.1:{}", options.port))];
        let mut set = |name: &str, value: Option<u32>| {
            environment.extend(value.map(|value| (name.to_owned(), value.to_string())));
        };
        set("OLLAMA_CONTEXT_LENGTH", options.context);
        set("OLLAMA_NUM_PARALLEL", options.slots);
        Ok(LaunchPlan {
            program: "ollama".into(),
            arguments: vec!["serve".into()],
            environment,
            ready: http::get("/api/version"),
            ready_timeout_ms: 60_000,
        })
    }

    fn encode(generation: Generation, target: Target) -> Result<Encoded, Problem> {
        encode::encode(&generation, &target)
    }

    fn explain(response: HttpResponse) -> Problem {
        let problem = problem::from_response(&response);
        if problem.code == problem::MODEL_NOT_FOUND {
            let hint = "list what is there with `bench models`, or fetch the model with `ollama pull`";
            return Problem { hint: Some(hint.into()), ..problem };
        }
        problem
    }

    fn telemetry() -> Vec<HttpRequest> {
        Vec::new()
    }

    fn counters(_answers: Vec<Option<HttpResponse>>) -> Vec<Counter> {
        Vec::new()
    }
}

/// Ollama has no tokenizer to ask.
pub struct NoCount;

impl CountSteps for NoCount {
    fn new(_generation: Generation, _target: Target) -> Self {
        Self
    }

    fn step(&self, _previous: Option<HttpResponse>) -> Result<CountStep, Problem> {
        Err(not_supported("Ollama's API cannot count the tokens of a prompt"))
    }
}

bench_sdk::export_driver!(Ollama);
