//! Driver for Fireworks AI.
//!
//! The service documents `ignore_eos`, and `prompt_cache_max_len: 0` for benchmarks that must not meet its prompt cache. Its
//! times come in the last chunk when `perf_metrics_in_response` asks for them: named as its response headers are, in seconds.

use bench_sdk::driver::{Backend, Capability, Evidence, Info, LaunchOptions, LaunchPlan, Locality, Target};
use bench_sdk::hosted;
use bench_sdk::openai::{self, Api, Dialect, Request};
use bench_sdk::params;
use bench_sdk::recognise::{self, Answers, number, text};
use bench_sdk::stream::Out;
use bench_sdk::types::{CacheMode, Event, Generation, HttpResponse, Problem, ServerTiming};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What is different about Fireworks.
#[derive(Debug)]
pub struct Fireworks;

/// What `--param` may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// A level that the model knows, or `none`.
    reasoning_effort: Option<String>,
    /// Ask for the ids of the produced tokens.
    return_token_ids: bool,
    /// Such as `priority`.
    service_tier: Option<String>,
}

impl Dialect for Fireworks {
    type Params = Params;

    fn info() -> Info {
        Info {
            name: "fireworks".into(),
            title: "Fireworks AI".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Fireworks AI's hosted models, with the service's own times".into(),
            locality: Locality::Hosted,
            endpoints: vec!["https://api.fireworks.ai/inference".into()],
            capabilities: vec![
                Capability::ForceLength,
                Capability::CacheControl,
                Capability::CachedTokens,
                Capability::FinalUsage,
                Capability::ServerTiming,
                Capability::TokenIds,
                Capability::Tools,
                Capability::RawPrompt,
                Capability::Logprobs,
            ],
            evidence: Evidence::Documentation,
            secrets: hosted::key("FIREWORKS_API_KEY"),
            params_schema: params::schema(&[
                (
                    "reasoning_effort",
                    json!({"type": "string", "description": "a level that the model knows, or `none`"}),
                ),
                ("return_token_ids", json!({"type": "boolean", "default": false, "description": "ask for token ids"})),
                ("service_tier", json!({"type": "string", "description": "such as `priority`"})),
            ]),
        }
    }

    fn api() -> Api {
        Api { secret: Some(hosted::KEY), top_k: true, ..Api::OPENAI }
    }

    fn recognise(answers: Answers<'_>) -> Option<Backend> {
        let list = answers.json("models")?;
        let first = list.pointer("/data/0")?;
        let own =
            text(first, "/id")?.starts_with("accounts/") || text(first, "/owned_by").as_deref() == Some("fireworks");
        if !own {
            return None;
        }
        let models = recognise::models(&list, |entry, model| model.context_length = number(entry, "/context_length"))?;
        Some(hosted::backend("fireworks", models))
    }

    fn amend(request: &mut Request, generation: &Generation, _target: &Target, params: &Params) -> Result<(), Problem> {
        request.set("perf_metrics_in_response", true);
        // An overlong prompt is an error, and not an answer cut to what is left.
        request.set("context_length_exceeded_behavior", "error");
        if generation.force_length {
            request.set("ignore_eos", true);
            request.forced_length = true;
        }
        if matches!(generation.cache, CacheMode::Cold) {
            request.set("prompt_cache_max_len", 0);
            request.cache_off = true;
        }
        if params.return_token_ids {
            request.set("return_token_ids", true);
        }
        for (name, value) in [("reasoning_effort", &params.reasoning_effort), ("service_tier", &params.service_tier)] {
            if let Some(value) = value {
                request.set(name, value.as_str());
            }
        }
        Ok(())
    }

    fn launch(_model: &str, _options: &LaunchOptions, _params: &Params) -> Result<LaunchPlan, Problem> {
        hosted::launch()
    }

    fn explain(response: &HttpResponse) -> Problem {
        hosted::explain(response)
    }

    fn foreign(message: &[u8], out: &mut Out<'_>) -> Result<bool, Problem> {
        // The metrics may come in a chunk of their own, after the one with the finish reason.
        Ok(perf_metrics(message, out))
    }

    fn extra(message: &[u8], out: &mut Out<'_>) {
        perf_metrics(message, out);
    }
}

#[derive(Debug, Deserialize)]
struct Chunk {
    #[serde(default)]
    perf_metrics: Option<Map<String, Value>>,
}

/// Adds what the service says of its times; answers whether it said anything.
fn perf_metrics(message: &[u8], out: &mut Out<'_>) -> bool {
    let Ok(Chunk { perf_metrics: Some(metrics) }) = serde_json::from_slice(message) else { return false };
    // Durations are in seconds, as numbers or as the text of a header.
    let ms = |name: &str| {
        let named = |key: &str| key.trim_start_matches("fireworks-").replace('_', "-") == name;
        let value = metrics.iter().find_map(|(key, value)| named(key).then_some(value))?;
        let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
        (seconds.is_finite() && seconds >= 0.0).then_some(seconds * 1000.0)
    };
    let timing = ServerTiming {
        queue_ms: ms("prefill-queue-duration"),
        load_ms: None,
        prefill_ms: ms("prefill-duration"),
        prefill_tokens: None,
        // There is a time in the queue of generation, but none of generation itself.
        decode_ms: None,
        decode_tokens: None,
        draft_tokens: None,
        accepted_tokens: None,
    };
    if timing.queue_ms.or(timing.prefill_ms).is_some() {
        out.event(Event::ServerTiming(timing));
    }
    out.event(Event::Other(json!({ "perf_metrics": metrics }).to_string()));
    true
}

/// The driver.
pub type Plugin = openai::Plugin<Fireworks>;
bench_sdk::export_driver!(Plugin);
