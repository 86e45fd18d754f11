//! Driver for Anthropic's Messages API.
//!
//! What differs from the OpenAI family: the system prompt stands beside the messages, prompt tokens are reported in three
//! parts (new, read from the cache, written to the cache), and nothing is cached unless a request asks for it, so a cold
//! request is cold by leaving that out. The answer's length cannot be forced, and the service reports no times.

mod errors;
mod messages;
mod stream;

use bench_sdk::count::{self, Counting};
use bench_sdk::driver::{
    Backend, Capability, CountStep, CountSteps, Counter, Driver, Encoded, Evidence, Info, LaunchOptions, LaunchPlan,
    Locality, Probe, ProbeAnswer, Secret, Target,
};
use bench_sdk::problem::{malformed, not_supported};
use bench_sdk::recognise::{Answers, get_probe, models, number};
use bench_sdk::stream::Stream;
use bench_sdk::types::{CacheMode, Generation, Header, HttpRequest, HttpResponse, Problem};
use bench_sdk::{hosted, http, params};
use serde_json::{Value, json};

/// The version of the API that the requests are written in.
const VERSION: &str = "2023-06-01";

/// The name of the key among the host's secrets.
const KEY: &str = "api-key";

/// The driver.
pub struct Anthropic;

impl Driver for Anthropic {
    type Decoder = Stream<stream::Messages>;
    type Count = Count;

    fn describe() -> Info {
        Info {
            name: "anthropic".into(),
            title: "Anthropic".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Anthropic's Messages API".into(),
            locality: Locality::Hosted,
            endpoints: vec!["https://api.anthropic.com".into()],
            capabilities: vec![
                Capability::CacheControl,
                Capability::CachedTokens,
                Capability::FinalUsage,
                Capability::Tokenize,
                Capability::Tools,
            ],
            evidence: Evidence::Documentation,
            secrets: vec![Secret { name: KEY.into(), environment: "ANTHROPIC_API_KEY".into(), required: true }],
            params_schema: params::schema(&[
                ("thinking", json!({"type": "object", "description": "the request's `thinking` object"})),
                ("service_tier", json!({"enum": ["auto", "standard_only"]})),
                (
                    "beta",
                    json!({"type": "array", "items": {"type": "string"}, "description": "`anthropic-beta` values"}),
                ),
            ]),
        }
    }

    fn probes() -> Vec<Probe> {
        vec![get_probe("models", "/v1/models?limit=1000", headers(&[])), Probe::Environment("ANTHROPIC_API_KEY".into())]
    }

    fn recognise(answers: Vec<ProbeAnswer>) -> Option<Backend> {
        let list = Answers(&answers).json("models")?;
        // OpenAI's list has `object` where this one has `type` and `display_name`.
        let entries = list.get("data")?.as_array()?;
        if entries.is_empty() || !entries.iter().all(|entry| entry.get("type").and_then(Value::as_str) == Some("model"))
        {
            return None;
        }
        let models = models(&list, |entry, model| model.context_length = number(entry, "/max_input_tokens"))?;
        Some(Backend {
            name: "anthropic".into(),
            version: Some(VERSION.into()),
            build: Vec::new(),
            models,
            slots: None,
            confidence: 80,
            extra: None,
        })
    }

    fn launch(_model: String, _options: LaunchOptions) -> Result<LaunchPlan, Problem> {
        Err(not_supported("a hosted service cannot be started"))
    }

    fn encode(generation: Generation, target: Target) -> Result<Encoded, Problem> {
        let params: messages::Params = params::parse(&target.params)?;
        let mut body = messages::body(&generation, &target, &params)?;
        let cold = matches!(generation.cache, CacheMode::Cold);
        if !cold {
            messages::mark_for_cache(&mut body);
        }
        Ok(Encoded {
            request: post("/v1/messages", Value::Object(body), &params.beta),
            forced_length: false,
            cache_off: cold,
            seeded: false,
        })
    }

    fn explain(response: HttpResponse) -> Problem {
        hosted::explain(&response)
    }

    fn telemetry() -> Vec<HttpRequest> {
        Vec::new()
    }

    fn counters(_answers: Vec<Option<HttpResponse>>) -> Vec<Counter> {
        Vec::new()
    }
}

/// Counts with `/v1/messages/count_tokens`. The service calls its answer an estimate; it leaves out what it adds itself.
pub struct Count(Counting);

impl CountSteps for Count {
    fn new(generation: Generation, target: Target) -> Self {
        Self(Counting::new(generation, target))
    }

    fn step(&self, previous: Option<HttpResponse>) -> Result<CountStep, Problem> {
        let next = |generation: &Generation, target: &Target, params: &messages::Params, answers: &[HttpResponse]| {
            let Some(answer) = answers.first() else {
                let body = Value::Object(messages::prompt(generation, target, params)?);
                return Ok(CountStep::Send(post("/v1/messages/count_tokens", body, &params.beta)));
            };
            let tokens = number(&count::document(answer)?, "/input_tokens");
            tokens.map(CountStep::Done).ok_or_else(|| malformed("the answer has no `input_tokens`"))
        };
        self.0.step(previous, Anthropic::explain, next)
    }
}

fn headers(beta: &[String]) -> Vec<Header> {
    let mut headers = vec![http::secret("x-api-key", KEY), http::header("anthropic-version", VERSION)];
    if !beta.is_empty() {
        headers.push(http::header("anthropic-beta", &beta.join(",")));
    }
    headers
}

fn post(path: &str, body: Value, beta: &[String]) -> HttpRequest {
    let mut request = http::post(path, &body);
    request.headers.extend(headers(beta));
    request
}

bench_sdk::export_driver!(Anthropic);
