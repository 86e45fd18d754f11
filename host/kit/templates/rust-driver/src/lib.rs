//! The driver {name}, for a server that speaks OpenAI's protocol. It states only what is different about its backend; the SDK in
//! `vendor/sdk` does the rest.

use bench_sdk::driver::{Backend, Capability, Evidence, Info, Locality, Secret, Target};
use bench_sdk::http;
use bench_sdk::openai::{self, Api, Dialect, Request, StreamUsage};
use bench_sdk::params;
use bench_sdk::recognise::{Answers, models};
use bench_sdk::types::{Generation, HttpRequest, Problem};
use serde_json::json;

/// What is different about this backend.
#[derive(Debug)]
pub struct Backends;

/// The driver.
pub type Plugin = openai::Plugin<Backends>;
bench_sdk::export_driver!(Plugin);

const SECRET: &str = "api-key";

impl Dialect for Backends {
    type Params = params::None;

    fn info() -> Info {
        Info {
            name: "{name}".to_owned(),
            title: "{name}".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "a server with /v1/chat/completions".to_owned(),
            locality: Locality::SelfHosted,
            endpoints: vec!["http://127.0.0.1:8000".to_owned()],
            // What is promised here is relied on: a capability that the backend lacks is a wrong number later.
            capabilities: vec![Capability::FinalUsage, Capability::Tools],
            // Recordings of a real server make this `RealServer`.
            evidence: Evidence::Documentation,
            secrets: vec![Secret { name: SECRET.to_owned(), environment: "BENCH_API_KEY".to_owned(), required: false }],
            params_schema: params::schema(&[]),
        }
    }

    fn api() -> Api {
        Api { secret: Some(SECRET), usage: StreamUsage::Unasked, ..Api::OPENAI }
    }

    fn amend(
        request: &mut Request,
        _generation: &Generation,
        _target: &Target,
        _params: &params::None,
    ) -> Result<(), Problem> {
        request.set("stream_options", json!({"include_usage": true}));
        Ok(())
    }

    fn telemetry() -> Vec<HttpRequest> {
        vec![http::get("/metrics")]
    }

    fn recognise(answers: Answers<'_>) -> Option<Backend> {
        let list = answers.json("models")?;
        let models = models(&list, |_entry, _model| {})?;
        Some(Backend {
            name: "{name}".to_owned(),
            version: None,
            build: Vec::new(),
            models,
            slots: None,
            // Above 10, the confidence of the driver that takes any such server, only where an answer proves the backend.
            confidence: 5,
            extra: None,
        })
    }
}
