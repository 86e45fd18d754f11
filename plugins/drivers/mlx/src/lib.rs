//! Driver for `mlx_lm.server` of mlx-lm.
//!
//! The server sends comments with the progress of the prefill before the first data, which are kept for the record. It has no
//! tokenizer endpoint, no switch against its prompt cache, no way to force the length and no counters, so a cold prompt
//! rests on the host's salt and is checked by the cached count that the server reports.

use bench_sdk::driver::{Backend, Capability, Evidence, Info, LaunchOptions, LaunchPlan, Locality, Probe, Target};
use bench_sdk::http;
use bench_sdk::openai::{self, Api, Dialect, Request};
use bench_sdk::params;
use bench_sdk::problem;
use bench_sdk::recognise::{Answers, get_probe, models};
use bench_sdk::types::{Generation, HttpResponse, Problem};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// mlx-lm's differences from a plain OpenAI server.
#[derive(Debug)]
pub struct Mlx;

/// The driver.
pub type Plugin = openai::Plugin<Mlx>;
bench_sdk::export_driver!(Plugin);

/// What the user may set.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Fields added to every request body.
    pub extra: Map<String, Value>,
    /// Arguments added to the command that starts the server.
    pub launch_arguments: Vec<String>,
}

impl Dialect for Mlx {
    type Params = Params;

    fn info() -> Info {
        Info {
            name: "mlx".to_owned(),
            title: "mlx-lm".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "mlx_lm.server; it cannot force the length of an answer, so lengths vary".to_owned(),
            locality: Locality::SelfHosted,
            endpoints: vec!["http://127.0.0.1:8080".to_owned()],
            capabilities: vec![
                Capability::CachedTokens,
                Capability::FinalUsage,
                Capability::Launch,
                Capability::Tools,
                Capability::RawPrompt,
            ],
            evidence: Evidence::RealServer,
            secrets: Vec::new(),
            params_schema: params::schema(&[
                (
                    "extra",
                    json!({"type": "object", "default": {}, "description": "Fields added to every request body"}),
                ),
                (
                    "launch_arguments",
                    json!({
                        "type": "array",
                        "items": {"type": "string"},
                        "default": [],
                        "description": "Arguments added to mlx_lm.server's",
                    }),
                ),
            ]),
        }
    }

    fn api() -> Api {
        Api { top_k: true, logprobs: false, stops: None, ..Api::OPENAI }
    }

    fn amend(
        request: &mut Request,
        _generation: &Generation,
        _target: &Target,
        params: &Params,
    ) -> Result<(), Problem> {
        request.body.extend(params.extra.clone());
        Ok(())
    }

    fn probes() -> Vec<Probe> {
        vec![
            get_probe("models", Self::api().models, Vec::new()),
            get_probe("health", "/health", Vec::new()),
            Probe::Binary("mlx_lm.server".to_owned()),
        ]
    }

    /// The server does not name itself. What it is known by: Python's plain HTTP server, a health page of that very form,
    /// and a model list whose entries have no owner.
    fn recognise(answers: Answers<'_>) -> Option<Backend> {
        let plain = ["models", "health"].iter().any(|id| {
            answers.header(id, "server").is_some_and(|name| name.starts_with("BaseHTTP/") && name.contains("Python/"))
        });
        let healthy = answers.json("health") == Some(json!({"status": "ok"}));
        let list = answers.json("models");
        let owned = list.as_ref().is_some_and(|list| list.pointer("/data/0/owned_by").is_some());
        if !plain || !healthy || owned {
            return None;
        }
        let models = list.and_then(|list| {
            models(&list, |_, model| {
                model.path = Some(model.id.clone()).filter(|id| id.starts_with('/'));
                model.quantization = quantization(&model.id);
            })
        });
        Some(Backend {
            name: "mlx-lm".to_owned(),
            version: None,
            build: Vec::new(),
            models: models.unwrap_or_default(),
            slots: None,
            confidence: 75,
            extra: answers.binary("mlx_lm.server").map(|path| json!({"program": path}).to_string()),
        })
    }

    fn launch(model: &str, options: &LaunchOptions, params: &Params) -> Result<LaunchPlan, Problem> {
        let mut arguments: Vec<String> = ["--model", model, "--host", "127.0.0.1", "--port"].map(str::to_owned).into();
        arguments.push(options.port.to_string());
        if let Some(slots) = options.slots {
            arguments.extend(["--decode-concurrency".to_owned(), slots.to_string()]);
        }
        arguments.extend(params.launch_arguments.iter().cloned());
        Ok(LaunchPlan {
            program: "mlx_lm.server".to_owned(),
            arguments,
            environment: Vec::new(),
            ready: http::get("/health"),
            ready_timeout_ms: 600_000,
        })
    }

    /// The server answers 404 to a model that it cannot load, in the words of the hub's client.
    fn explain(response: &HttpResponse) -> Problem {
        let said = problem::said(&response.body);
        match said {
            Some(said) if response.status == 404 => problem::problem(
                problem::MODEL_NOT_FOUND,
                format!("status 404: {}", said.message),
                "list what is served with `bench models`, then name one with --model",
            ),
            _ => problem::from_response(response),
        }
    }
}

/// Names of MLX weights on the hub end in their quantisation, such as `-4bit`.
fn quantization(id: &str) -> Option<String> {
    let last = id.rsplit('-').next()?;
    let known = last.ends_with("bit") || matches!(last, "bf16" | "fp16" | "mxfp4" | "nvfp4");
    known.then(|| last.to_owned())
}
