//! Driver for OpenAI's own service.
//!
//! The service bounds answers by `max_completion_tokens`, reasoning included, and its reasoning models refuse settings of
//! sampling. It pads chunks with random text against traffic analysis unless told not to, which would cost bytes that are
//! not the model's; the driver switches that off.

use bench_sdk::driver::{Backend, Capability, Evidence, Info, Locality, Secret, Target};
use bench_sdk::openai::{self, Api, Dialect, Request};
use bench_sdk::params;
use bench_sdk::recognise::{Answers, models};
use bench_sdk::types::{Generation, Problem};
use serde::Deserialize;
use serde_json::json;

/// The service's differences from a plain OpenAI server.
#[derive(Debug)]
pub struct OpenAiApi;

/// The driver.
pub type Plugin = openai::Plugin<OpenAiApi>;
bench_sdk::export_driver!(Plugin);

/// What the user may set.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// How much a reasoning model may think, in the service's words.
    pub reasoning_effort: Option<String>,
    /// Which processing tier to ask for, in the service's words.
    pub service_tier: Option<String>,
}

const SECRET: &str = "api-key";

impl Dialect for OpenAiApi {
    type Params = Params;

    fn info() -> Info {
        Info {
            name: "openai-api".to_owned(),
            title: "OpenAI API".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "OpenAI's hosted service; the network is part of every number".to_owned(),
            locality: Locality::Hosted,
            endpoints: vec!["https://api.openai.com".to_owned()],
            capabilities: vec![
                Capability::CachedTokens,
                Capability::FinalUsage,
                Capability::Tools,
                Capability::Logprobs,
            ],
            evidence: Evidence::Documentation,
            secrets: vec![Secret { name: SECRET.to_owned(), environment: "OPENAI_API_KEY".to_owned(), required: true }],
            params_schema: params::schema(&[
                (
                    "reasoning_effort",
                    json!({"type": "string", "description": "How much a reasoning model may think, such as low"}),
                ),
                ("service_tier", json!({"type": "string", "description": "Processing tier, such as default or flex"})),
            ]),
        }
    }

    fn api() -> Api {
        Api { secret: Some(SECRET), chat_length: "max_completion_tokens", completions: None, ..Api::OPENAI }
    }

    fn amend(request: &mut Request, _generation: &Generation, target: &Target, params: &Params) -> Result<(), Problem> {
        request.set("stream_options", json!({"include_usage": true, "include_obfuscation": false}));
        if reasons(&target.model) {
            for name in ["temperature", "top_p", "seed", "logprobs", "top_logprobs", "stop"] {
                request.body.remove(name);
            }
            request.seeded = false;
        }
        for (name, value) in [("reasoning_effort", &params.reasoning_effort), ("service_tier", &params.service_tier)] {
            if let Some(value) = value {
                request.set(name, value.as_str());
            }
        }
        Ok(())
    }

    fn recognise(answers: Answers<'_>) -> Option<Backend> {
        let list = answers.json("models")?;
        let named = ["openai-version", "openai-processing-ms", "openai-organization"]
            .iter()
            .any(|name| answers.header("models", name).is_some());
        if !named {
            return None;
        }
        Some(Backend {
            name: "openai-api".to_owned(),
            version: answers.header("models", "openai-version").map(str::to_owned),
            build: Vec::new(),
            models: models(&list, |_, _| {})?,
            slots: None,
            confidence: 95,
            extra: None,
        })
    }
}

/// Whether a model is of the families that reason before they answer and refuse settings of sampling: `o1` and later of
/// that name, and `gpt-5` and later but for its chat variants.
fn reasons(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    // A fine-tuned model is named `ft:BASE:ORGANISATION:SUFFIX:ID`.
    let name = name.strip_prefix("ft:").unwrap_or(name);
    let generation = |prefix: &str| {
        let digits: String = name.strip_prefix(prefix)?.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    };
    let gpt = generation("gpt-").is_some_and(|number| number >= 5) && !name.contains("-chat");
    gpt || generation("o").is_some()
}
