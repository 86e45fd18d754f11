//! Driver for llama.cpp's `llama-server`: chats through its OpenAI endpoint, raw prompts through its native `/completion`.
//!
//! Exact prompt counts take two steps: `/apply-template` gives the text that the server would see, `/tokenize` counts it
//! with the settings that the server itself uses for prompts.

mod native;
mod recognise;

use bench_sdk::count;
use bench_sdk::driver::{
    Backend, Capability, CountStep, Counter, CounterKind, Evidence, Info, LaunchOptions, LaunchPlan, Locality, Probe,
    Secret, Target,
};
use bench_sdk::http;
use bench_sdk::openai::{self, Api, Dialect, Request, chat_messages, tools};
use bench_sdk::params;
use bench_sdk::problem;
use bench_sdk::prometheus;
use bench_sdk::recognise::Answers;
use bench_sdk::stream::Out;
use bench_sdk::types::{CacheMode, Generation, HttpRequest, HttpResponse, Problem, Prompt};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// llama.cpp's differences from a plain OpenAI server.
#[derive(Debug)]
pub struct LlamaCpp;

/// The driver.
pub type Plugin = openai::Plugin<LlamaCpp>;
bench_sdk::export_driver!(Plugin);

/// Which endpoint raw prompts go to. Chats always go to `/v1/chat/completions`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Endpoint {
    /// `/completion`.
    #[default]
    Native,
    /// `/v1/completions`.
    Openai,
}

/// What the user may set.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// See [`Endpoint`].
    pub endpoint: Endpoint,
    /// Fields added to every request body.
    pub extra: Map<String, Value>,
    /// Arguments added to the command that starts the server.
    pub launch_arguments: Vec<String>,
}

const SECRET: &str = "api-key";

impl Dialect for LlamaCpp {
    type Params = Params;

    fn info() -> Info {
        Info {
            name: "llama-cpp".to_owned(),
            title: "llama.cpp".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "llama.cpp's llama-server; start it with --metrics for its counters".to_owned(),
            locality: Locality::SelfHosted,
            endpoints: vec!["http://127.0.0.1:8080".to_owned(), "http://127.0.0.1:8081".to_owned()],
            capabilities: vec![
                Capability::ForceLength,
                Capability::CacheControl,
                Capability::CachedTokens,
                Capability::FinalUsage,
                Capability::ServerTiming,
                Capability::Tokenize,
                Capability::Telemetry,
                Capability::Launch,
                Capability::Tools,
                Capability::RawPrompt,
                Capability::Logprobs,
            ],
            evidence: Evidence::RealServer,
            secrets: vec![Secret { name: SECRET.to_owned(), environment: "LLAMA_API_KEY".to_owned(), required: false }],
            params_schema: params::schema(&[
                (
                    "endpoint",
                    json!({
                        "enum": ["native", "openai"],
                        "default": "native",
                        "description": "Where raw prompts go: /completion, which reports token ids and counts with every chunk, or /v1/completions",
                    }),
                ),
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
                        "description": "Arguments added to llama-server's, such as -ngl 99",
                    }),
                ),
            ]),
        }
    }

    fn api() -> Api {
        Api { secret: Some(SECRET), top_k: true, stops: None, ..Api::OPENAI }
    }

    fn amend(request: &mut Request, generation: &Generation, _target: &Target, params: &Params) -> Result<(), Problem> {
        let raw = matches!(generation.prompt, Prompt::Text(_));
        if raw && params.endpoint == Endpoint::Native {
            native::amend(request, generation);
        } else if let Some(alternatives) = generation.logprobs.filter(|_| !raw) {
            // With zero alternatives the server reports nothing at all.
            request.set("top_logprobs", alternatives.max(1));
        }
        let cold = generation.cache == CacheMode::Cold;
        request.set("cache_prompt", !cold);
        request.cache_off = cold;
        if generation.force_length {
            request.set("ignore_eos", true);
            request.forced_length = true;
        }
        request.body.extend(params.extra.clone());
        Ok(())
    }

    fn probes() -> Vec<Probe> {
        recognise::probes(&Self::api())
    }

    fn recognise(answers: Answers<'_>) -> Option<Backend> {
        recognise::recognise(answers)
    }

    fn launch(model: &str, options: &LaunchOptions, params: &Params) -> Result<LaunchPlan, Problem> {
        let file = model.ends_with(".gguf") || model.starts_with(['/', '.']);
        let slots = options.slots.unwrap_or(1).max(1);
        let mut arguments = vec![
            if file { "-m" } else { "-hf" }.to_owned(),
            model.to_owned(),
            "--host".to_owned(),
            "127.0.0.1".to_owned(),
            "--port".to_owned(),
            options.port.to_string(),
            "--metrics".to_owned(),
            "--slots".to_owned(),
            "--parallel".to_owned(),
            slots.to_string(),
        ];
        if let Some(context) = options.context {
            // The server divides its context among the slots.
            let whole = context.checked_mul(slots).ok_or_else(|| problem::bad_request("the context is too long"))?;
            arguments.extend(["-c".to_owned(), whole.to_string()]);
        }
        arguments.extend(params.launch_arguments.iter().cloned());
        Ok(LaunchPlan {
            program: "llama-server".to_owned(),
            arguments,
            environment: Vec::new(),
            ready: http::get("/health"),
            ready_timeout_ms: 600_000,
        })
    }

    fn count(
        generation: &Generation,
        target: &Target,
        _params: &Params,
        answers: &[HttpResponse],
    ) -> Result<CountStep, Problem> {
        let tokenize = |text: &str| {
            // The server tokenises prompts of every endpoint with both settings on.
            let body = json!({"model": target.model, "content": text, "add_special": true, "parse_special": true});
            Ok(CountStep::Send(post("/tokenize", &body)))
        };
        match (&generation.prompt, answers) {
            (Prompt::Messages(messages), []) => {
                let mut body = json!({"model": target.model, "messages": chat_messages(messages)});
                if !generation.tools.is_empty() {
                    body["tools"] = tools(&generation.tools)?;
                }
                Ok(CountStep::Send(post("/apply-template", &body)))
            }
            (Prompt::Messages(_), [template]) => match count::document(template)?.get("prompt").and_then(Value::as_str)
            {
                Some(prompt) => tokenize(prompt),
                None => Err(problem::malformed("the answer to /apply-template has no prompt")),
            },
            (Prompt::Text(text), []) => tokenize(text),
            (Prompt::Other(kind), _) => Err(problem::not_supported(format!("unknown kind of prompt: {kind}"))),
            (_, [.., last]) => match count::document(last)?.get("tokens").and_then(Value::as_array) {
                Some(tokens) => Ok(CountStep::Done(tokens.len() as u64)),
                None => Err(problem::malformed("the answer to /tokenize has no tokens")),
            },
        }
    }

    fn telemetry() -> Vec<HttpRequest> {
        vec![HttpRequest { headers: Self::api().auth(), ..http::get("/metrics") }]
    }

    fn counters(answers: &[Option<HttpResponse>]) -> Vec<Counter> {
        let answer = answers.first().and_then(Option::as_ref);
        let mut counters = prometheus::counters(answer, &METRICS);
        let value = |name: &str| counters.iter().find(|counter| counter.name == name).map(|counter| counter.value);
        // The server counts evaluated and cached prompt tokens apart; what was looked up is their sum.
        if let (Some(evaluated), Some(cached)) = (value(EVALUATED), value(CACHED)) {
            let name = format!("{EVALUATED} + {CACHED}");
            for kind in [CounterKind::PrefixCacheQueries, CounterKind::PromptTokens] {
                counters.push(Counter { kind, name: name.clone(), value: evaluated + cached });
            }
        }
        counters
    }

    fn foreign(message: &[u8], out: &mut Out<'_>) -> Result<bool, Problem> {
        native::message(message, out)
    }
}

const EVALUATED: &str = "llamacpp:prompt_tokens_total";
const CACHED: &str = "llamacpp:prompt_tokens_cached_total";

const METRICS: [(&str, CounterKind); 8] = [
    (EVALUATED, CounterKind::Other),
    (CACHED, CounterKind::PrefixCacheHits),
    ("llamacpp:prompt_seconds_total", CounterKind::PrefillSeconds),
    ("llamacpp:tokens_predicted_total", CounterKind::CompletionTokens),
    ("llamacpp:tokens_predicted_seconds_total", CounterKind::DecodeSeconds),
    ("llamacpp:n_decode_total", CounterKind::Other),
    ("llamacpp:spec_decode_num_draft_tokens_total", CounterKind::DraftTokens),
    ("llamacpp:spec_decode_num_accepted_tokens_total", CounterKind::AcceptedTokens),
];

fn post(path: &str, body: &Value) -> HttpRequest {
    let mut request = http::post(path, body);
    request.headers.extend(LlamaCpp::api().auth());
    request
}
