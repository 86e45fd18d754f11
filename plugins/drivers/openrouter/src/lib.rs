//! Driver for OpenRouter, which passes requests on to whoever hosts the model.
//!
//! So a number measured here belongs to a route and not to a machine: the record keeps which provider answered, and the
//! parameter `provider` pins the route. Comments (`: OPENROUTER PROCESSING`) keep connections alive and stand for no work.
//! Token counts are those of the model's own tokenizer.

use bench_sdk::driver::{Backend, Capability, Evidence, Info, LaunchOptions, LaunchPlan, Locality, Target};
use bench_sdk::hosted;
use bench_sdk::openai::{self, Api, Dialect, Request};
use bench_sdk::params;
use bench_sdk::problem;
use bench_sdk::recognise::{self, Answers, number};
use bench_sdk::stream::Out;
use bench_sdk::types::{Event, Generation, HttpResponse, Problem};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What is different about OpenRouter.
#[derive(Debug)]
pub struct OpenRouter;

/// What `--param` may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// The request's `provider` object: which hosts may answer, and in what order.
    provider: Option<Map<String, Value>>,
    /// The request's `reasoning` object.
    reasoning: Option<Map<String, Value>>,
}

impl Dialect for OpenRouter {
    type Params = Params;

    fn info() -> Info {
        Info {
            name: "openrouter".into(),
            title: "OpenRouter".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Models of many hosts, reached through OpenRouter".into(),
            locality: Locality::Hosted,
            endpoints: vec!["https://openrouter.ai/api".into()],
            capabilities: vec![
                Capability::CachedTokens,
                Capability::FinalUsage,
                Capability::Tools,
                Capability::RawPrompt,
                Capability::Logprobs,
            ],
            evidence: Evidence::Documentation,
            secrets: hosted::key("OPENROUTER_API_KEY"),
            params_schema: params::schema(&[
                ("provider", json!({"type": "object", "description": "routing, such as {\"only\": [\"NAME\"]}"})),
                ("reasoning", json!({"type": "object", "description": "the request's `reasoning` object"})),
            ]),
        }
    }

    fn api() -> Api {
        Api { secret: Some(hosted::KEY), top_k: true, ..Api::OPENAI }
    }

    fn recognise(answers: Answers<'_>) -> Option<Backend> {
        let list = answers.json("models")?;
        list.pointer("/data/0")?.get("top_provider")?;
        let models = recognise::models(&list, |entry, model| {
            // The model's own limit, unless the provider that is asked first has a lower one.
            let limits = ["/context_length", "/top_provider/context_length"].iter();
            model.context_length = limits.filter_map(|limit| number(entry, limit)).min();
        })?;
        Some(hosted::backend("openrouter", models))
    }

    fn amend(
        request: &mut Request,
        _generation: &Generation,
        _target: &Target,
        params: &Params,
    ) -> Result<(), Problem> {
        // Asks for the cost and the cached tokens too.
        request.set("usage", json!({"include": true}));
        for (name, value) in [("provider", &params.provider), ("reasoning", &params.reasoning)] {
            if let Some(value) = value {
                request.set(name, value.clone());
            }
        }
        Ok(())
    }

    fn launch(_model: &str, _options: &LaunchOptions, _params: &Params) -> Result<LaunchPlan, Problem> {
        hosted::launch()
    }

    fn explain(response: &HttpResponse) -> Problem {
        let problem = hosted::explain(response);
        let hint = match response.status {
            // The same status as of a path that does not exist, but about the model and its routes.
            404 => {
                let hint =
                    "list the models with `bench models`; with --param provider=…, none of those hosts may serve it";
                return problem::problem(problem::MODEL_NOT_FOUND, problem.message, hint);
            }
            403 => "the key may not use this model, or the input was refused by moderation",
            502 => "the host that was asked is down or answered wrongly; name another with --param provider=…",
            503 => "no host meets the routing requirements; loosen --param provider=…",
            _ => return problem,
        };
        Problem { hint: Some(hint.to_owned()), ..problem }
    }

    fn extra(message: &[u8], out: &mut Out<'_>) {
        // Every chunk names the provider; once, with the usage, is enough.
        let Ok(Chunk { provider, usage: Some(usage) }) = serde_json::from_slice(message) else { return };
        let mut facts = Map::new();
        facts.extend(provider.map(|name| ("provider".to_owned(), json!(name))));
        for name in ["cost", "cost_details", "is_byok"] {
            facts
                .extend(usage.get(name).filter(|value| !value.is_null()).map(|value| (name.to_owned(), value.clone())));
        }
        if !facts.is_empty() {
            out.event(Event::Other(Value::Object(facts).to_string()));
        }
    }

    fn comment(_text: &[u8], _out: &mut Out<'_>) {}
}

#[derive(Debug, Deserialize)]
struct Chunk {
    #[serde(default)]
    provider: Option<String>,
    #[serde(default)]
    usage: Option<Map<String, Value>>,
}

/// The driver.
pub type Plugin = openai::Plugin<OpenRouter>;
bench_sdk::export_driver!(Plugin);
