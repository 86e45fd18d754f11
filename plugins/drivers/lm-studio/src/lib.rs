//! Driver for LM Studio.
//!
//! Generation goes over the OpenAI-compatible paths, whose streams report usage on request (0.3.18 and later); the parameter
//! `api` chooses the server's own `/api/v0` instead. The models come from `/api/v0/models`, which alone tells quantisation,
//! architecture, state and context. `stats` and `runtime` are documented for answers that are not streamed; where a stream
//! holds them they are recorded, but they are not promised.

use bench_sdk::driver::{Backend, Capability, Evidence, Info, Locality, Model, Probe, Secret, Target};
use bench_sdk::openai::{self, Api, Dialect, Request};
use bench_sdk::recognise::{self, Answers, get_probe, number, text};
use bench_sdk::stream::Out;
use bench_sdk::types::{Event, Generation, Problem, ServerTiming};
use bench_sdk::{params, problem};
use serde::Deserialize;
use serde_json::{Value, json};

/// What is different about LM Studio.
#[derive(Debug)]
pub struct LmStudio;

/// What `--param` may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Which paths to use.
    api: Paths,
    /// Seconds that a model stays loaded after a request.
    ttl: Option<u64>,
    /// A model to draft tokens with.
    draft_model: Option<String>,
}

/// The two families of paths.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Paths {
    /// `/v1`, compatible with OpenAI's.
    #[default]
    #[serde(rename = "v1")]
    OpenAi,
    /// `/api/v0`, the server's own.
    #[serde(rename = "v0")]
    Own,
}

const KEY: &str = "api-key";

impl Dialect for LmStudio {
    type Params = Params;

    fn info() -> Info {
        Info {
            name: "lm-studio".into(),
            title: "LM Studio".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "LM Studio's local server".into(),
            locality: Locality::SelfHosted,
            endpoints: vec!["http://127.0.0.1:1234".into()],
            capabilities: vec![Capability::FinalUsage, Capability::Tools, Capability::RawPrompt],
            evidence: Evidence::Documentation,
            secrets: vec![Secret { name: KEY.into(), environment: "LM_API_TOKEN".into(), required: false }],
            params_schema: params::schema(&[
                ("api", json!({"enum": ["v1", "v0"], "default": "v1", "description": "which family of paths to use"})),
                ("ttl", json!({"type": "integer", "minimum": 0, "description": "seconds that a model stays loaded"})),
                ("draft_model", json!({"type": "string", "description": "a model to draft tokens with"})),
            ]),
        }
    }

    fn api() -> Api {
        Api { secret: Some(KEY), top_k: true, logprobs: false, stops: None, ..Api::OPENAI }
    }

    fn probes() -> Vec<Probe> {
        vec![get_probe("models", "/api/v0/models", Self::api().auth())]
    }

    fn recognise(answers: Answers<'_>) -> Option<Backend> {
        let list = answers.json("models")?;
        let entries = list.get("data")?.as_array()?;
        // No other server lists how a model's file is to be run.
        if !entries.is_empty() && !entries.iter().any(|entry| entry.get("compatibility_type").is_some()) {
            return None;
        }
        let usable: Vec<&Value> =
            entries.iter().filter(|entry| entry.get("type").and_then(Value::as_str) != Some("embeddings")).collect();
        let loaded = |entry: &Value| entry.get("state").and_then(Value::as_str) == Some("loaded");
        let (running, resting): (Vec<&Value>, Vec<&Value>) = usable.into_iter().partition(|entry| loaded(entry));
        let formats = running.iter().filter_map(|entry| {
            let format = text(entry, "/compatibility_type")?;
            Some(format!("{}: {format}, {}", text(entry, "/id")?, text(entry, "/arch").unwrap_or_default()))
        });
        let build = formats.collect();
        let ordered: Vec<&Value> = running.into_iter().chain(resting).collect();
        let models = recognise::models(&json!({ "data": ordered }), |entry, model: &mut Model| {
            model.context_length =
                number(entry, "/loaded_context_length").or_else(|| number(entry, "/max_context_length"));
            model.quantization = text(entry, "/quantization");
        })?;
        Some(Backend {
            name: "lm-studio".into(),
            version: None,
            build,
            models,
            slots: None,
            confidence: if entries.is_empty() { 30 } else { 95 },
            extra: None,
        })
    }

    fn amend(
        request: &mut Request,
        _generation: &Generation,
        _target: &Target,
        params: &Params,
    ) -> Result<(), Problem> {
        if params.api == Paths::Own {
            request.path = format!("/api/v0{}", request.path.trim_start_matches("/v1"));
        }
        if let Some(ttl) = params.ttl {
            request.set("ttl", ttl);
        }
        if let Some(draft) = &params.draft_model {
            request.set("draft_model", draft.as_str());
        }
        Ok(())
    }

    fn launch(
        _model: &str,
        _options: &bench_sdk::driver::LaunchOptions,
        _params: &Params,
    ) -> Result<bench_sdk::driver::LaunchPlan, Problem> {
        Err(problem::problem(
            problem::NOT_SUPPORTED,
            "`lms server start` hands the server to a background service, which the host could not end",
            "start it yourself with `lms server start`, and load the model with `lms load`",
        ))
    }

    fn extra(message: &[u8], out: &mut Out<'_>) {
        let Ok(chunk) = serde_json::from_slice::<Vendor>(message) else { return };
        if let Some(stats) = &chunk.stats {
            let seconds = |name: &str| stats.get(name).and_then(Value::as_f64).map(|seconds| seconds * 1000.0);
            let drafted = number(stats, "/total_draft_tokens_count");
            let timing = ServerTiming {
                queue_ms: None,
                load_ms: seconds("model_load_time_seconds"),
                prefill_ms: None,
                prefill_tokens: None,
                decode_ms: seconds("generation_time"),
                decode_tokens: None,
                draft_tokens: drafted,
                accepted_tokens: number(stats, "/accepted_draft_tokens_count"),
            };
            if timing.decode_ms.is_some() || drafted.is_some() {
                out.event(Event::ServerTiming(timing));
            }
        }
        for (name, fields) in [("stats", &chunk.stats), ("runtime", &chunk.runtime), ("model_info", &chunk.model_info)]
        {
            if let Some(fields) = fields {
                out.event(Event::Other(json!({ name: fields }).to_string()));
            }
        }
    }
}

/// What LM Studio adds to an answer.
#[derive(Debug, Deserialize)]
struct Vendor {
    stats: Option<Value>,
    runtime: Option<Value>,
    model_info: Option<Value>,
}

/// The driver.
pub type Plugin = openai::Plugin<LmStudio>;
bench_sdk::export_driver!(Plugin);
