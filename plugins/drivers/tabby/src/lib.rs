//! Driver for TabbyAPI, the server of ExLlamaV2 and ExLlamaV3.
//!
//! It answers with its own times in the final `usage` (seconds; recent releases add llama.cpp's `timings`). Its tokenizer
//! renders a conversation without the opening of the answer, so only raw prompts are counted.

use bench_sdk::count;
use bench_sdk::driver::{
    Backend, Capability, CountStep, Evidence, Info, LaunchOptions, LaunchPlan, Locality, Model, Probe, Secret, Target,
};
use bench_sdk::openai::{self, Api, Dialect, Request};
use bench_sdk::problem::{self, malformed, not_supported};
use bench_sdk::recognise::{self, Answers, get_probe, number, text};
use bench_sdk::types::{Generation, Header, HttpRequest, HttpResponse, Problem, Prompt};
use bench_sdk::{http, params};
use serde::Deserialize;
use serde_json::{Value, json};

/// What is different about TabbyAPI.
#[derive(Debug)]
pub struct Tabby;

/// What `--param` may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Launch: the path of TabbyAPI's `main.py`.
    main: Option<String>,
    /// Launch: the Python that has its dependencies.
    python: Option<String>,
    /// Launch: further arguments of the server.
    args: Vec<String>,
}

const KEY: &str = "api-key";

/// Facts of the loaded model's card that decide what is measured.
const BUILD: &[&str] =
    &["cache_mode", "cache_size", "chunk_size", "max_batch_size", "max_seq_len", "rope_scale", "rope_alpha"];

/// The header that TabbyAPI reads its key from; left out by the host where no key is set.
fn auth() -> Vec<Header> {
    vec![http::secret("x-api-key", KEY)]
}

impl Dialect for Tabby {
    type Params = Params;

    fn info() -> Info {
        Info {
            name: "tabby".into(),
            title: "TabbyAPI".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "TabbyAPI, the server of ExLlamaV2 and ExLlamaV3".into(),
            locality: Locality::SelfHosted,
            endpoints: vec!["http://127.0.0.1:5000".into()],
            capabilities: vec![
                Capability::ForceLength,
                Capability::CachedTokens,
                Capability::FinalUsage,
                Capability::ServerTiming,
                Capability::Tokenize,
                Capability::Launch,
                Capability::Tools,
                Capability::RawPrompt,
                Capability::Logprobs,
            ],
            evidence: Evidence::Documentation,
            secrets: vec![Secret { name: KEY.into(), environment: "TABBY_API_KEY".into(), required: false }],
            params_schema: params::schema(&[
                ("main", json!({"type": "string", "description": "launch: path of TabbyAPI's main.py"})),
                ("python", json!({"type": "string", "default": "python3", "description": "launch: the Python to run"})),
                (
                    "args",
                    json!({"type": "array", "items": {"type": "string"}, "description": "launch: more arguments"}),
                ),
            ]),
        }
    }

    fn api() -> Api {
        // There is no seed among its sampling settings.
        Api { seed: false, top_k: true, stops: None, ..Api::OPENAI }
    }

    fn probes() -> Vec<Probe> {
        vec![
            get_probe("models", "/v1/models", auth()),
            get_probe("model", "/v1/model", auth()),
            get_probe("health", "/health", Vec::new()),
        ]
    }

    fn recognise(answers: Answers<'_>) -> Option<Backend> {
        let list = answers.json("models")?;
        let loaded = answers.json("model").unwrap_or_default();
        let owned = |card: &Value| card.get("owned_by").and_then(Value::as_str) == Some("tabbyAPI");
        if !owned(&loaded) && !list.pointer("/data/0").is_some_and(owned) {
            return None;
        }
        let id = text(&loaded, "/id");
        let mut models = recognise::models(&list, |_, _| {})?;
        if let Some(id) = &id
            && !models.iter().any(|model| model.id == *id)
        {
            models.insert(0, recognise::model(id));
        }
        // Requests go to the loaded model whatever they name, so that one comes first.
        models.sort_by_key(|model| Some(&model.id) != id.as_ref());
        if let Some(model) = models.first_mut().filter(|model| Some(&model.id) == id.as_ref()) {
            *model = Model { context_length: number(&loaded, "/parameters/max_seq_len"), ..model.clone() };
        }
        let parameters = loaded.get("parameters");
        let build = BUILD.iter().filter_map(|key| {
            let value = parameters?.get(key).filter(|value| !value.is_null())?;
            Some(format!("{key}={}", value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)))
        });
        let draft = text(&loaded, "/parameters/draft/id").map(|id| format!("draft={id}"));
        Some(Backend {
            name: "tabbyapi".into(),
            version: None,
            build: build.chain(draft).collect(),
            models,
            slots: number(&loaded, "/parameters/max_batch_size").and_then(|slots| u32::try_from(slots).ok()),
            confidence: 95,
            extra: None,
        })
    }

    fn amend(
        request: &mut Request,
        generation: &Generation,
        _target: &Target,
        _params: &Params,
    ) -> Result<(), Problem> {
        request.headers.extend(auth());
        if generation.force_length {
            request.set("min_tokens", generation.max_tokens);
            request.set("ban_eos_token", true);
            request.forced_length = true;
        }
        Ok(())
    }

    fn launch(model: &str, options: &LaunchOptions, params: &Params) -> Result<LaunchPlan, Problem> {
        let Some(main) = &params.main else {
            return Err(problem::problem(
                problem::NOT_SUPPORTED,
                "TabbyAPI is a folder with a main.py and no program on the search path",
                "say where it is: --param main=/path/to/tabbyAPI/main.py",
            ));
        };
        let model = model.trim_end_matches('/');
        let (folder, name) = model.rsplit_once('/').unwrap_or((".", model));
        let mut arguments = vec![main.clone()];
        let mut pair = |name: &str, value: &str| arguments.extend([name.to_owned(), value.to_owned()]);
        pair("--host", "127.0.0.1");
        pair("--port", &options.port.to_string());
        pair("--disable-auth", "true");
        pair("--model-dir", folder);
        pair("--model-name", name);
        if let Some(context) = options.context {
            pair("--max-seq-len", &context.to_string());
            if let Some(slots) = options.slots {
                // One cache serves all requests: it must hold every one's context.
                pair("--cache-size", &u64::from(context).saturating_mul(u64::from(slots)).to_string());
            }
        }
        if let Some(slots) = options.slots {
            pair("--max-batch-size", &slots.to_string());
        }
        arguments.extend(params.args.iter().cloned());
        Ok(LaunchPlan {
            program: params.python.clone().unwrap_or_else(|| "python3".to_owned()),
            arguments,
            environment: Vec::new(),
            // Answers with success only once a model is loaded.
            ready: HttpRequest { headers: auth(), ..http::get("/v1/model") },
            ready_timeout_ms: 600_000,
        })
    }

    fn count(
        generation: &Generation,
        _target: &Target,
        _params: &Params,
        answers: &[HttpResponse],
    ) -> Result<CountStep, Problem> {
        let Prompt::Text(prompt) = &generation.prompt else {
            return Err(not_supported("TabbyAPI counts a conversation without the opening of the answer"));
        };
        if let Some(answer) = answers.first() {
            let tokens = number(&count::document(answer)?, "/length");
            return tokens
                .map(CountStep::Done)
                .ok_or_else(|| malformed("the answer of /v1/token/encode has no `length`"));
        }
        let mut request = http::post("/v1/token/encode", &json!({"text": prompt}));
        request.headers.extend(auth());
        Ok(CountStep::Send(request))
    }
}

/// The driver.
pub type Plugin = openai::Plugin<Tabby>;
bench_sdk::export_driver!(Plugin);
