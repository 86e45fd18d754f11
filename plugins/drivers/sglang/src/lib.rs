//! Driver for SGLang.
//!
//! Generation goes over the OpenAI-compatible paths, which report token counts with every chunk; the native paths serve for
//! what those lack: the server's arguments (`/server_info`, in older releases `/get_server_info`), its tokenizer and its counters.
//!
//! Two things depend on how the server was started: cached tokens are reported only with `--enable-cache-report`, counters
//! only with `--enable-metrics`. The driver's own launch sets both.

use bench_sdk::count;
use bench_sdk::driver::{
    Backend, Capability, CountStep, Counter, CounterKind, Evidence, Info, LaunchOptions, LaunchPlan, Locality, Model,
    Probe, Target,
};
use bench_sdk::openai::{self, Api, Dialect, Request, StreamUsage};
use bench_sdk::problem::{self, malformed};
use bench_sdk::recognise::{self, Answers, get_probe, number, text};
use bench_sdk::stream::Out;
use bench_sdk::types::{CacheMode, Event, Generation, HttpRequest, HttpResponse, Problem, Prompt};
use bench_sdk::{http, params, prometheus};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What is different about SGLang.
#[derive(Debug)]
pub struct Sglang;

/// What `--param` may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Passed to the chat template.
    chat_template_kwargs: Option<Map<String, Value>>,
    /// Ask for the ids of the produced tokens.
    return_token_ids: bool,
    /// Launch: the Python that has SGLang.
    python: Option<String>,
    /// Launch: further arguments of the server.
    args: Vec<String>,
}

/// Facts of `server_info` that belong into a record: they decide what is measured.
const BUILD: &[&str] = &[
    "model_path",
    "dtype",
    "quantization",
    "kv_cache_dtype",
    "context_length",
    "tp_size",
    "dp_size",
    "attention_backend",
    "disable_radix_cache",
    "disable_cuda_graph",
    "chunked_prefill_size",
    "max_total_tokens",
    "max_running_requests",
    "speculative_algorithm",
    "speculative_num_draft_tokens",
    "enable_cache_report",
    "enable_metrics",
];

impl Dialect for Sglang {
    type Params = Params;

    fn info() -> Info {
        Info {
            name: "sglang".into(),
            title: "SGLang".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "SGLang over its OpenAI-compatible paths, with its own tokenizer and counters".into(),
            locality: Locality::SelfHosted,
            endpoints: vec!["http://127.0.0.1:30000".into()],
            capabilities: vec![
                Capability::ForceLength,
                Capability::CacheControl,
                Capability::CachedTokens,
                Capability::ChunkUsage,
                Capability::FinalUsage,
                Capability::Tokenize,
                Capability::Telemetry,
                Capability::Launch,
                Capability::TokenIds,
                Capability::Tools,
                Capability::RawPrompt,
                Capability::Logprobs,
            ],
            evidence: Evidence::Documentation,
            secrets: Vec::new(),
            params_schema: params::schema(&[
                ("chat_template_kwargs", json!({"type": "object", "description": "passed to the chat template"})),
                ("return_token_ids", json!({"type": "boolean", "default": false, "description": "ask for token ids"})),
                ("python", json!({"type": "string", "default": "python3", "description": "launch: the Python to run"})),
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
            get_probe("server", "/server_info", Vec::new()),
            get_probe("server-old", "/get_server_info", Vec::new()),
            get_probe("model", "/model_info", Vec::new()),
            get_probe("model-old", "/get_model_info", Vec::new()),
        ]
    }

    fn recognise(answers: Answers<'_>) -> Option<Backend> {
        let list = answers.json("models")?;
        let server = answers.json("server").or_else(|| answers.json("server-old")).unwrap_or_default();
        let model = answers.json("model").or_else(|| answers.json("model-old")).unwrap_or_default();
        let owned = list.pointer("/data/0/owned_by").and_then(Value::as_str) == Some("sglang");
        let native = model.get("is_generation").is_some() || server.get("internal_states").is_some();
        if !owned && !native {
            return None;
        }
        let path = text(&model, "/model_path").or_else(|| text(&server, "/model_path"));
        let quantization = text(&server, "/quantization");
        let more = |entry: &Value, model: &mut Model| {
            model.context_length = number(entry, "/max_model_len").or_else(|| number(&server, "/context_length"));
            model.quantization.clone_from(&quantization);
            model.path = path.clone().filter(|path| path.starts_with('/'));
        };
        let build = BUILD.iter().filter_map(|key| {
            let value = server.get(key).filter(|value| !value.is_null())?;
            Some(format!("{key}={}", value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)))
        });
        Some(Backend {
            name: "sglang".into(),
            version: text(&server, "/version"),
            build: build.collect(),
            models: recognise::models(&list, more)?,
            slots: number(&server, "/max_running_requests").and_then(|slots| u32::try_from(slots).ok()),
            confidence: if owned && native { 95 } else { 85 },
            extra: None,
        })
    }

    fn amend(request: &mut Request, generation: &Generation, _target: &Target, params: &Params) -> Result<(), Problem> {
        if generation.force_length {
            request.set("ignore_eos", true);
            request.forced_length = true;
        }
        // Requests share cached prefixes only under the same salt. Releases that do not know the field ignore it, so the
        // count of cached tokens has the last word.
        if let (CacheMode::Cold, Some(salt)) = (generation.cache, &generation.salt) {
            request.set("cache_salt", salt.as_str());
            request.cache_off = true;
        }
        if params.return_token_ids {
            request.set("return_token_ids", true);
        }
        if let (Some(kwargs), Prompt::Messages(_)) = (&params.chat_template_kwargs, &generation.prompt) {
            request.set("chat_template_kwargs", kwargs.clone());
        }
        Ok(())
    }

    fn launch(model: &str, options: &LaunchOptions, params: &Params) -> Result<LaunchPlan, Problem> {
        let mut arguments: Vec<String> = ["-m", "sglang.launch_server", "--model-path", model, "--host", "127.0.0.1"]
            .iter()
            .map(|&word| word.to_owned())
            .collect();
        let mut pair = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        pair("--port", options.port.to_string());
        if let Some(context) = options.context {
            pair("--context-length", context.to_string());
        }
        if let Some(slots) = options.slots {
            pair("--max-running-requests", slots.to_string());
        }
        arguments.extend(["--enable-metrics".to_owned(), "--enable-cache-report".to_owned()]);
        arguments.extend(params.args.iter().cloned());
        Ok(LaunchPlan {
            program: params.python.clone().unwrap_or_else(|| "python3".to_owned()),
            arguments,
            environment: Vec::new(),
            ready: http::get("/health"),
            ready_timeout_ms: 900_000,
        })
    }

    fn count(
        generation: &Generation,
        target: &Target,
        params: &Params,
        answers: &[HttpResponse],
    ) -> Result<CountStep, Problem> {
        if let Some(answer) = answers.first() {
            let tokens = number(&count::document(answer)?, "/count");
            return tokens.map(CountStep::Done).ok_or_else(|| malformed("the answer of /tokenize has no `count`"));
        }
        let mut body = json!({"model": target.model});
        match &generation.prompt {
            Prompt::Text(prompt) => body["prompt"] = json!(prompt),
            Prompt::Messages(messages) => {
                body["messages"] = openai::chat_messages(messages);
                if !generation.tools.is_empty() {
                    body["tools"] = openai::tools(&generation.tools)?;
                }
                if let Some(kwargs) = &params.chat_template_kwargs {
                    body["chat_template_kwargs"] = json!(kwargs);
                }
            }
            Prompt::Other(kind) => return Err(problem::not_supported(format!("unknown kind of prompt: {kind}"))),
        }
        Ok(CountStep::Send(http::post("/tokenize", &body)))
    }

    fn telemetry() -> Vec<HttpRequest> {
        vec![http::get("/metrics")]
    }

    fn counters(answers: &[Option<HttpResponse>]) -> Vec<Counter> {
        let wanted = [
            // Every prompt token is looked up, so their number is that of the queries too.
            ("sglang:prompt_tokens_total", CounterKind::PromptTokens),
            ("sglang:prompt_tokens_total", CounterKind::PrefixCacheQueries),
            ("sglang:cached_tokens_total", CounterKind::PrefixCacheHits),
            ("sglang:generation_tokens_total", CounterKind::CompletionTokens),
            ("sglang:num_retracted_requests_total", CounterKind::Preemptions),
            ("sglang:num_aborted_requests_total", CounterKind::Other),
        ];
        prometheus::counters(answers.first().and_then(Option::as_ref), &wanted)
    }

    fn foreign(message: &[u8], out: &mut Out<'_>) -> Result<bool, Problem> {
        Ok(problem::from_error_object(message).map(|problem| out.event(Event::Error(problem))).is_some())
    }
}

/// The driver.
pub type Plugin = openai::Plugin<Sglang>;
bench_sdk::export_driver!(Plugin);
