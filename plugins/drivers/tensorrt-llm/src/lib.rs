//! Driver for TensorRT-LLM's own server, `trtllm-serve`.
//!
//! The server refuses requests with fields that it does not know, so a request carries only what its reference lists. Its JSON
//! statistics (`/metrics`) are a queue that a reader empties; the driver reads the Prometheus counters instead, which the server
//! keeps when it was started with `return_perf_metrics`.

use bench_sdk::driver::{
    Backend, Capability, Counter, CounterKind, Evidence, Info, LaunchOptions, LaunchPlan, Locality, Probe, Target,
};
use bench_sdk::openai::{self, Api, Dialect, Request, StreamUsage};
use bench_sdk::problem;
use bench_sdk::recognise::{self, Answers, get_probe, text};
use bench_sdk::stream::Out;
use bench_sdk::types::{CacheMode, Event, Generation, HttpRequest, HttpResponse, Problem, Prompt};
use bench_sdk::{http, params, prometheus};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What is different about `trtllm-serve`.
#[derive(Debug)]
pub struct TensorRtLlm;

/// What `--param` may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Passed to the chat template.
    chat_template_kwargs: Option<Map<String, Value>>,
    /// Launch: further arguments of the server.
    args: Vec<String>,
}

/// From this release on, as (major, minor), `cache_salt` goes into chat requests. A release that does not know the field refuses the
/// request, so this is rather late than early.
const SALTED_SINCE: (u32, u32) = (1, 2);

impl Dialect for TensorRtLlm {
    type Params = Params;

    fn info() -> Info {
        Info {
            name: "tensorrt-llm".into(),
            title: "TensorRT-LLM".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "NVIDIA TensorRT-LLM's server, trtllm-serve".into(),
            locality: Locality::SelfHosted,
            endpoints: vec!["http://127.0.0.1:8000".into()],
            capabilities: vec![
                Capability::ForceLength,
                Capability::CacheControl,
                Capability::CachedTokens,
                Capability::ChunkUsage,
                Capability::FinalUsage,
                Capability::Telemetry,
                Capability::Launch,
                Capability::Tools,
                Capability::RawPrompt,
                Capability::Logprobs,
            ],
            evidence: Evidence::Documentation,
            secrets: Vec::new(),
            params_schema: params::schema(&[
                ("chat_template_kwargs", json!({"type": "object", "description": "passed to the chat template"})),
                (
                    "args",
                    json!({"type": "array", "items": {"type": "string"}, "description": "launch: more arguments"}),
                ),
            ]),
        }
    }

    fn api() -> Api {
        Api { usage: StreamUsage::EveryChunk, top_k: true, stops: None, ..Api::OPENAI }
    }

    fn probes() -> Vec<Probe> {
        vec![
            get_probe("models", "/v1/models", Vec::new()),
            get_probe("version", "/version", Vec::new()),
            Probe::Binary("trtllm-serve".into()),
        ]
    }

    fn recognise(answers: Answers<'_>) -> Option<Backend> {
        let list = answers.json("models")?;
        if list.pointer("/data/0/owned_by").and_then(Value::as_str) != Some("tensorrt_llm") {
            return None;
        }
        Some(Backend {
            name: "tensorrt-llm".into(),
            version: answers.json("version").and_then(|document| text(&document, "/version")),
            build: Vec::new(),
            models: recognise::models(&list, |_, model| {
                model.path = Some(model.id.clone()).filter(|id| id.starts_with('/'));
            })?,
            slots: None,
            confidence: 95,
            extra: None,
        })
    }

    fn amend(request: &mut Request, generation: &Generation, target: &Target, params: &Params) -> Result<(), Problem> {
        if generation.force_length {
            request.set("ignore_eos", true);
            request.forced_length = true;
        }
        let Prompt::Messages(_) = &generation.prompt else { return Ok(()) };
        if !generation.tools.is_empty() {
            // The server's default is `none`, unlike OpenAI's.
            request.set("tool_choice", "auto");
        }
        let salted = release(target).is_some_and(|release| release >= SALTED_SINCE);
        if let (CacheMode::Cold, Some(salt), true) = (generation.cache, &generation.salt, salted) {
            request.set("cache_salt", salt.as_str());
            request.cache_off = true;
        }
        if let Some(kwargs) = &params.chat_template_kwargs {
            request.set("chat_template_kwargs", kwargs.clone());
        }
        Ok(())
    }

    fn launch(model: &str, options: &LaunchOptions, params: &Params) -> Result<LaunchPlan, Problem> {
        let mut arguments = vec![model.to_owned()];
        let mut pair = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        pair("--host", "127.0.0.1".to_owned());
        pair("--port", options.port.to_string());
        if let Some(context) = options.context {
            pair("--max_seq_len", context.to_string());
        }
        if let Some(slots) = options.slots {
            pair("--max_batch_size", slots.to_string());
        }
        arguments.extend(params.args.iter().cloned());
        Ok(LaunchPlan {
            program: "trtllm-serve".into(),
            arguments,
            environment: Vec::new(),
            ready: http::get("/health"),
            // Loading may build kernels first.
            ready_timeout_ms: 1_800_000,
        })
    }

    fn telemetry() -> Vec<HttpRequest> {
        vec![http::get("/prometheus/metrics")]
    }

    fn counters(answers: &[Option<HttpResponse>]) -> Vec<Counter> {
        let wanted = [
            ("trtllm_prompt_tokens_total", CounterKind::PromptTokens),
            ("trtllm_prompt_tokens_total", CounterKind::PrefixCacheQueries),
            ("trtllm_prompt_cached_tokens_total", CounterKind::PrefixCacheHits),
            ("trtllm_spec_decode_drafted_tokens_total", CounterKind::DraftTokens),
            ("trtllm_spec_decode_accepted_tokens_total", CounterKind::AcceptedTokens),
            ("trtllm_request_success_total", CounterKind::Other),
        ];
        prometheus::counters(answers.first().and_then(Option::as_ref), &wanted)
    }

    fn foreign(message: &[u8], out: &mut Out<'_>) -> Result<bool, Problem> {
        Ok(problem::from_error_object(message).map(|problem| out.event(Event::Error(problem))).is_some())
    }
}

/// Major and minor number of the backend's release.
fn release(target: &Target) -> Option<(u32, u32)> {
    let mut numbers = target.version.as_deref()?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The driver.
pub type Plugin = openai::Plugin<TensorRtLlm>;
bench_sdk::export_driver!(Plugin);
