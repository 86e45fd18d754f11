//! Driver for vLLM's OpenAI server.
//!
//! vLLM reports counts with every chunk when asked, keeps one request's prefix apart from another's by `cache_salt`, and
//! counts a chat's tokens exactly at `/tokenize`, template and all.

mod recognise;

use bench_sdk::count;
use bench_sdk::driver::{
    Backend, Capability, CountStep, Counter, CounterKind, Evidence, Info, LaunchOptions, LaunchPlan, Locality, Probe,
    Secret, Target,
};
use bench_sdk::http;
use bench_sdk::openai::{self, Api, Dialect, Request, StreamUsage, chat_messages, tools};
use bench_sdk::params;
use bench_sdk::problem;
use bench_sdk::prometheus;
use bench_sdk::recognise::{Answers, number};
use bench_sdk::stream::Out;
use bench_sdk::types::{CacheMode, Event, Generation, HttpRequest, HttpResponse, Problem, Prompt};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// vLLM's differences from a plain OpenAI server.
#[derive(Debug)]
pub struct Vllm;

/// The driver.
pub type Plugin = openai::Plugin<Vllm>;
bench_sdk::export_driver!(Plugin);

/// What the user may set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Ask for counts with every chunk.
    pub chunk_usage: bool,
    /// Ask for the ids of the produced tokens.
    pub return_token_ids: bool,
    /// `tool_choice` of requests with tools, such as `none` for a server without a tool parser: the tools are part of the
    /// prompt all the same. Answers of forced length have `none` unless this says otherwise.
    pub tool_choice: Option<String>,
    /// Fields added to every request body.
    pub extra: Map<String, Value>,
    /// Arguments added to the command that starts the server.
    pub launch_arguments: Vec<String>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            chunk_usage: true,
            return_token_ids: false,
            tool_choice: None,
            extra: Map::new(),
            launch_arguments: Vec::new(),
        }
    }
}

const SECRET: &str = "api-key";

impl Dialect for Vllm {
    type Params = Params;

    fn info() -> Info {
        Info {
            name: "vllm".to_owned(),
            title: "vLLM".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "vLLM's OpenAI server; start it with --enable-prompt-tokens-details for cached counts per request"
                .to_owned(),
            locality: Locality::SelfHosted,
            endpoints: vec!["http://127.0.0.1:8000".to_owned()],
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
            evidence: Evidence::RealServer,
            secrets: vec![Secret { name: SECRET.to_owned(), environment: "VLLM_API_KEY".to_owned(), required: false }],
            params_schema: params::schema(&[
                (
                    "chunk_usage",
                    json!({"type": "boolean", "default": true, "description": "Ask for token counts with every chunk"}),
                ),
                (
                    "return_token_ids",
                    json!({"type": "boolean", "default": false, "description": "Ask for the ids of the produced tokens"}),
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
                        "description": "Arguments added to those of vllm serve",
                    }),
                ),
            ]),
        }
    }

    fn api() -> Api {
        Api { secret: Some(SECRET), usage: StreamUsage::EveryChunk, top_k: true, stops: None, ..Api::OPENAI }
    }

    fn amend(request: &mut Request, generation: &Generation, _target: &Target, params: &Params) -> Result<(), Problem> {
        if !params.chunk_usage {
            request.set("stream_options", json!({"include_usage": true}));
        }
        if params.return_token_ids {
            request.set("return_token_ids", true);
        }
        // An answer of forced length cannot be a call, and a server without a tool parser refuses to look for one; the tools
        // are part of the prompt either way.
        let unless_told = generation.force_length.then_some("none");
        if let Some(choice) = params.tool_choice.as_deref().or(unless_told).filter(|_| !generation.tools.is_empty()) {
            request.set("tool_choice", choice);
        }
        if generation.force_length {
            request.set("ignore_eos", true);
            request.set("min_tokens", generation.max_tokens);
            request.forced_length = true;
        }
        if let (CacheMode::Cold, Some(salt)) =
            (generation.cache, generation.salt.as_deref().filter(|salt| !salt.is_empty()))
        {
            request.set("cache_salt", salt);
            request.cache_off = true;
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
        let mut arguments: Vec<String> = ["serve", model, "--host", "127.0.0.1", "--port"].map(str::to_owned).into();
        arguments.push(options.port.to_string());
        if let Some(context) = options.context {
            arguments.extend(["--max-model-len".to_owned(), context.to_string()]);
        }
        if let Some(slots) = options.slots {
            arguments.extend(["--max-num-seqs".to_owned(), slots.to_string()]);
        }
        arguments.extend(["--enable-prefix-caching", "--enable-prompt-tokens-details"].map(str::to_owned));
        arguments.extend(params.launch_arguments.iter().cloned());
        let environment = [("VLLM_NO_USAGE_STATS", "1"), ("DO_NOT_TRACK", "1")];
        Ok(LaunchPlan {
            program: "vllm".to_owned(),
            arguments,
            environment: environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            ready: http::get("/health"),
            ready_timeout_ms: 1_200_000,
        })
    }

    fn count(
        generation: &Generation,
        target: &Target,
        _params: &Params,
        answers: &[HttpResponse],
    ) -> Result<CountStep, Problem> {
        if let Some(answer) = answers.last() {
            return match number(&count::document(answer)?, "/count") {
                Some(count) => Ok(CountStep::Done(count)),
                None => Err(problem::malformed("the answer to /tokenize has no count")),
            };
        }
        let mut body = match &generation.prompt {
            Prompt::Messages(messages) => json!({"messages": chat_messages(messages), "add_generation_prompt": true}),
            Prompt::Text(text) => json!({"prompt": text, "add_special_tokens": true}),
            Prompt::Other(kind) => return Err(problem::not_supported(format!("unknown kind of prompt: {kind}"))),
        };
        body["model"] = json!(target.model);
        if !generation.tools.is_empty() {
            body["tools"] = tools(&generation.tools)?;
        }
        let mut request = http::post("/tokenize", &body);
        request.headers.extend(Self::api().auth());
        Ok(CountStep::Send(request))
    }

    fn explain(response: &HttpResponse) -> Problem {
        let problem = problem::from_response(response);
        if !problem.message.contains("--tool-call-parser") {
            return problem;
        }
        let hint =
            "start vLLM with --enable-auto-tool-choice and --tool-call-parser, or run with --param tool_choice=none";
        Problem { code: problem::NOT_SUPPORTED.to_owned(), hint: Some(hint.to_owned()), ..problem }
    }

    fn telemetry() -> Vec<HttpRequest> {
        vec![HttpRequest { headers: Self::api().auth(), ..http::get("/metrics") }]
    }

    fn counters(answers: &[Option<HttpResponse>]) -> Vec<Counter> {
        let mut counters = prometheus::counters(answers.first().and_then(Option::as_ref), &METRICS);
        // A release that renames a counter shows it under both names for a while. The newer name stands first.
        let mut seen: Vec<CounterKind> = Vec::new();
        counters.retain(|counter| {
            let is_first = counter.kind == CounterKind::Other || !seen.contains(&counter.kind);
            seen.push(counter.kind);
            is_first
        });
        counters
    }

    fn extra(message: &[u8], out: &mut Out<'_>) {
        // The last chunk has counts and no choices. Without its flag the server says nothing of cached tokens there,
        // which is not the same as zero.
        let Ok(last) = serde_json::from_slice::<Value>(message) else { return };
        let closing = last.get("choices").and_then(Value::as_array).is_some_and(Vec::is_empty);
        if closing && last.pointer("/usage/prompt_tokens_details").is_none_or(Value::is_null) {
            let note = "cached tokens are not reported: start vLLM with --enable-prompt-tokens-details";
            out.event(Event::Other(note.to_owned()));
        }
    }
}

/// Counters, each kind under its names from the newest release to the oldest. `gpu_` went out of the names of the cache's
/// counters with vLLM 0.11; before 0.9 they had no `_total`.
const METRICS: [(&str, CounterKind); 17] = [
    ("vllm:prefix_cache_queries_total", CounterKind::PrefixCacheQueries),
    ("vllm:prefix_cache_queries", CounterKind::PrefixCacheQueries),
    ("vllm:gpu_prefix_cache_queries_total", CounterKind::PrefixCacheQueries),
    ("vllm:gpu_prefix_cache_queries", CounterKind::PrefixCacheQueries),
    ("vllm:prefix_cache_hits_total", CounterKind::PrefixCacheHits),
    ("vllm:prefix_cache_hits", CounterKind::PrefixCacheHits),
    ("vllm:gpu_prefix_cache_hits_total", CounterKind::PrefixCacheHits),
    ("vllm:gpu_prefix_cache_hits", CounterKind::PrefixCacheHits),
    ("vllm:prompt_tokens_total", CounterKind::PromptTokens),
    ("vllm:prompt_tokens_cached_total", CounterKind::Other),
    ("vllm:generation_tokens_total", CounterKind::CompletionTokens),
    ("vllm:spec_decode_num_draft_tokens_total", CounterKind::DraftTokens),
    ("vllm:spec_decode_num_accepted_tokens_total", CounterKind::AcceptedTokens),
    ("vllm:request_prefill_time_seconds_sum", CounterKind::PrefillSeconds),
    ("vllm:request_decode_time_seconds_sum", CounterKind::DecodeSeconds),
    ("vllm:request_queue_time_seconds_sum", CounterKind::Other),
    ("vllm:num_preemptions_total", CounterKind::Preemptions),
];
