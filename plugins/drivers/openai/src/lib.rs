//! Driver for any server that speaks OpenAI's protocol and has no driver of its own.
//!
//! It assumes nothing beyond the public interface: no forced length, no switch against caching, no counters that it would
//! understand. Most servers that people run themselves have metrics for Prometheus at the usual place, so those are asked
//! for and kept as they are. Known backends have drivers that can do more and answer with a higher confidence.

use bench_sdk::driver::{Backend, Capability, Evidence, Info, Locality, Secret, Target};
use bench_sdk::http;
use bench_sdk::openai::{self, Api, Dialect, Request, StreamUsage};
use bench_sdk::params;
use bench_sdk::recognise::{Answers, models, number, text};
use bench_sdk::types::{Generation, HttpRequest, Problem};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A plain OpenAI server.
#[derive(Debug)]
pub struct OpenAi;

/// The driver.
pub type Plugin = openai::Plugin<OpenAi>;
bench_sdk::export_driver!(Plugin);

/// What the user may set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Ask for counts at the end; a few servers refuse the field.
    pub include_usage: bool,
    /// Fields added to every request body.
    pub extra: Map<String, Value>,
}

impl Default for Params {
    fn default() -> Self {
        Self { include_usage: true, extra: Map::new() }
    }
}

const SECRET: &str = "api-key";

impl Dialect for OpenAi {
    type Params = Params;

    fn info() -> Info {
        Info {
            name: "openai".to_owned(),
            title: "OpenAI-compatible server".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "any server with /v1/chat/completions; lengths cannot be forced and prompts cannot be counted"
                .to_owned(),
            locality: Locality::SelfHosted,
            endpoints: vec!["http://127.0.0.1:8000".to_owned(), "http://127.0.0.1:8080".to_owned()],
            capabilities: vec![
                Capability::FinalUsage,
                Capability::CachedTokens,
                Capability::Telemetry,
                Capability::Tools,
                Capability::RawPrompt,
                Capability::Logprobs,
            ],
            evidence: Evidence::RealServer,
            secrets: vec![Secret { name: SECRET.to_owned(), environment: "BENCH_API_KEY".to_owned(), required: false }],
            params_schema: params::schema(&[
                (
                    "include_usage",
                    json!({"type": "boolean", "default": true, "description": "Ask for token counts at the end of a stream"}),
                ),
                (
                    "extra",
                    json!({"type": "object", "default": {}, "description": "Fields added to every request body"}),
                ),
            ]),
        }
    }

    fn api() -> Api {
        Api { secret: Some(SECRET), usage: StreamUsage::Unasked, ..Api::OPENAI }
    }

    fn amend(
        request: &mut Request,
        _generation: &Generation,
        _target: &Target,
        params: &Params,
    ) -> Result<(), Problem> {
        if params.include_usage {
            request.set("stream_options", json!({"include_usage": true}));
        }
        request.body.extend(params.extra.clone());
        Ok(())
    }

    fn telemetry() -> Vec<HttpRequest> {
        vec![http::get("/metrics")]
    }

    fn recognise(answers: Answers<'_>) -> Option<Backend> {
        let list = answers.json("models")?;
        let models = models(&list, |entry, model| {
            model.context_length = ["/max_model_len", "/context_length", "/context_window", "/meta/n_ctx"]
                .iter()
                .find_map(|pointer| number(entry, pointer));
        })?;
        Some(Backend {
            name: text(&list, "/data/0/owned_by").unwrap_or_else(|| "openai-compatible".to_owned()),
            version: None,
            build: Vec::new(),
            models,
            slots: None,
            confidence: 10,
            extra: None,
        })
    }
}
