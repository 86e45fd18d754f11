//! Driver for Groq.
//!
//! The last chunk carries `x_groq.usage`: token counts together with the service's own times, in seconds. It comes unasked, so
//! OpenAI's usage chunk is not asked for: it would only repeat the counts.

use bench_sdk::driver::{Backend, Capability, Evidence, Info, LaunchOptions, LaunchPlan, Locality, Target};
use bench_sdk::hosted;
use bench_sdk::openai::{self, Api, Dialect, Request, StreamUsage};
use bench_sdk::params;
use bench_sdk::problem;
use bench_sdk::recognise::{self, Answers, number};
use bench_sdk::stream::Out;
use bench_sdk::types::{Event, Generation, HttpResponse, Problem};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

/// What is different about Groq.
#[derive(Debug)]
pub struct Groq;

/// What `--param` may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// `on_demand`, `flex`, `performance` or `auto`.
    service_tier: Option<String>,
    /// `parsed`, `raw` or `hidden`.
    reasoning_format: Option<String>,
    /// A level that the model knows.
    reasoning_effort: Option<String>,
}

impl Dialect for Groq {
    type Params = Params;

    fn info() -> Info {
        Info {
            name: "groq".into(),
            title: "Groq".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Groq's hosted models, with the service's own times".into(),
            locality: Locality::Hosted,
            endpoints: vec!["https://api.groq.com/openai".into()],
            capabilities: vec![
                Capability::CachedTokens,
                Capability::FinalUsage,
                Capability::ServerTiming,
                Capability::Tools,
            ],
            evidence: Evidence::Documentation,
            secrets: hosted::key("GROQ_API_KEY"),
            params_schema: params::schema(&[
                ("service_tier", json!({"enum": ["on_demand", "flex", "performance", "auto"], "default": "on_demand"})),
                ("reasoning_format", json!({"enum": ["parsed", "raw", "hidden"]})),
                ("reasoning_effort", json!({"type": "string", "description": "a level that the model knows"})),
            ]),
        }
    }

    fn api() -> Api {
        Api {
            completions: None,
            secret: Some(hosted::KEY),
            chat_length: "max_completion_tokens",
            usage: StreamUsage::Unasked,
            logprobs: false,
            ..Api::OPENAI
        }
    }

    fn recognise(answers: Answers<'_>) -> Option<Backend> {
        let list = answers.json("models")?;
        // Groq alone calls a model's context a window, and says whether it is active.
        let first = list.pointer("/data/0")?;
        if first.get("context_window").is_none() || first.get("active").is_none() {
            return None;
        }
        let models = recognise::models(&list, |entry, model| model.context_length = number(entry, "/context_window"))?;
        Some(hosted::backend("groq", models))
    }

    fn amend(
        request: &mut Request,
        _generation: &Generation,
        _target: &Target,
        params: &Params,
    ) -> Result<(), Problem> {
        let fields = [
            ("service_tier", &params.service_tier),
            ("reasoning_format", &params.reasoning_format),
            ("reasoning_effort", &params.reasoning_effort),
        ];
        for (name, value) in fields {
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
        // 498: the flex tier has no capacity left.
        if response.status == 498 {
            return problem::problem(
                problem::OVERLOADED,
                problem::from_response(response).message,
                "the flex tier is at its capacity; wait, or use --param service_tier=on_demand",
            );
        }
        hosted::explain(response)
    }

    fn extra(message: &[u8], out: &mut Out<'_>) {
        let Ok(Chunk { x_groq: Some(vendor) }) = serde_json::from_slice(message) else { return };
        if let Some((usage, timing)) = vendor.usage.and_then(|usage| openai::usage(usage.get())) {
            out.event(Event::Usage(usage));
            if let Some(timing) = timing {
                out.event(Event::ServerTiming(timing));
            }
        }
        if let Some(error) = vendor.error {
            let said = problem::Said { message: error, ..problem::Said::default() };
            out.event(Event::Error(problem::from_said(&said)));
        }
    }
}

#[derive(Debug, Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    x_groq: Option<Vendor<'a>>,
}

#[derive(Debug, Deserialize)]
struct Vendor<'a> {
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    /// Why the stream stopped early.
    #[serde(default)]
    error: Option<String>,
}

/// The driver.
pub type Plugin = openai::Plugin<Groq>;
bench_sdk::export_driver!(Plugin);
