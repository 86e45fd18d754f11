//! Requests of the OpenAI dialect.

use serde_json::{Map, Value, json};

use crate::SILENT_TURN;
use crate::driver::{Encoded, Target};
use crate::http;
use crate::problem;
use crate::types::{Generation, Header, HttpRequest, Message, Problem, Prompt, Role, Tool};

/// Which token counts to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamUsage {
    /// What the backend sends of itself.
    Unasked,
    /// `stream_options.include_usage`: counts at the end.
    Final,
    /// `stream_options.continuous_usage_stats` too: counts with every chunk.
    EveryChunk,
}

/// Paths, names of fields, and what a backend takes.
#[derive(Debug, Clone)]
pub struct Api {
    /// Path of chat completions.
    pub chat: &'static str,
    /// Path of text completions; `None` where the backend takes no raw prompts.
    pub completions: Option<&'static str>,
    /// Path of the model list.
    pub models: &'static str,
    /// Name of the secret for `authorization: Bearer`; `None` for no such header.
    pub secret: Option<&'static str>,
    /// The field of a chat request that bounds the answer's tokens. Text completions always say `max_tokens`.
    pub chat_length: &'static str,
    /// Which token counts to ask for.
    pub usage: StreamUsage,
    /// Takes `seed`.
    pub seed: bool,
    /// Takes `top_k`, which is no part of OpenAI's own interface.
    pub top_k: bool,
    /// Takes `tools`.
    pub tools: bool,
    /// Takes `logprobs`.
    pub logprobs: bool,
    /// Most stop texts that a request may have; those beyond are left to the host. `None` where there is no limit.
    pub stops: Option<usize>,
}

impl Api {
    /// A plain server: OpenAI's paths, no key, `max_tokens`, usage at the end.
    pub const OPENAI: Self = Self {
        chat: "/v1/chat/completions",
        completions: Some("/v1/completions"),
        models: "/v1/models",
        secret: None,
        chat_length: "max_tokens",
        usage: StreamUsage::Final,
        seed: true,
        top_k: false,
        tools: true,
        logprobs: true,
        // https://platform.openai.com/docs/api-reference/chat/create: "Up to 4 sequences".
        stops: Some(4),
    };

    /// The headers that every request to the backend carries: the key, where there is one. The host leaves out a header
    /// that names an optional secret which is not set.
    pub fn auth(&self) -> Vec<Header> {
        self.secret.map(http::bearer).into_iter().collect()
    }
}

/// A generation request that is being put together.
#[derive(Debug, Clone)]
pub struct Request {
    /// Path below the endpoint.
    pub path: String,
    /// All headers.
    pub headers: Vec<Header>,
    /// Fields of the JSON body.
    pub body: Map<String, Value>,
    /// The answer's length is forced.
    pub forced_length: bool,
    /// The backend's own switch against caching is set.
    pub cache_off: bool,
    /// The seed is passed on.
    pub seeded: bool,
}

impl Request {
    /// The common part of a request for `generation`.
    pub fn new(api: &Api, generation: &Generation, target: &Target) -> Result<Self, Problem> {
        let mut body = Map::new();
        body.insert("model".to_owned(), json!(target.model));
        body.insert("stream".to_owned(), json!(true));
        let path = match &generation.prompt {
            Prompt::Messages(messages) => {
                body.insert("messages".to_owned(), chat_messages(messages));
                body.insert(api.chat_length.to_owned(), json!(generation.max_tokens));
                api.chat
            }
            Prompt::Text(text) => {
                body.insert("prompt".to_owned(), json!(text));
                body.insert("max_tokens".to_owned(), json!(generation.max_tokens));
                api.completions.ok_or_else(|| problem::not_supported("this backend takes no raw prompts"))?
            }
            Prompt::Other(kind) => return Err(problem::not_supported(format!("unknown kind of prompt: {kind}"))),
        };
        let mut request = Self {
            path: path.to_owned(),
            headers: vec![
                http::header("content-type", "application/json"),
                http::header("accept", "text/event-stream"),
            ],
            body,
            forced_length: false,
            cache_off: false,
            seeded: false,
        };
        request.headers.extend(api.auth());
        request.options(api, generation)?;
        Ok(request)
    }

    /// Sets a field of the body.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.body.insert(name.to_owned(), value.into());
    }

    fn options(&mut self, api: &Api, generation: &Generation) -> Result<(), Problem> {
        let sampling = &generation.sampling;
        for (name, value) in [("temperature", sampling.temperature), ("top_p", sampling.top_p)] {
            if let Some(value) = value {
                self.set(name, value);
            }
        }
        if let Some(top_k) = sampling.top_k.filter(|_| api.top_k) {
            self.set("top_k", top_k);
        }
        if let Some(seed) = sampling.seed.filter(|_| api.seed) {
            self.set("seed", seed);
            self.seeded = true;
        }
        if !generation.stop.is_empty() {
            let stops = generation.stop.iter().take(api.stops.unwrap_or(usize::MAX)).cloned();
            self.set("stop", stops.collect::<Vec<_>>());
        }
        if !generation.tools.is_empty() {
            if !api.tools || !matches!(generation.prompt, Prompt::Messages(_)) {
                return Err(problem::not_supported("this backend takes no tools with this kind of prompt"));
            }
            self.set("tools", tools(&generation.tools)?);
        }
        match (generation.logprobs, &generation.prompt) {
            (None, _) => {}
            (Some(_), _) if !api.logprobs => {
                return Err(problem::not_supported("this backend reports no log-probabilities"));
            }
            (Some(alternatives), Prompt::Messages(_)) => {
                self.set("logprobs", true);
                self.set("top_logprobs", alternatives);
            }
            (Some(alternatives), _) => self.set("logprobs", alternatives),
        }
        match api.usage {
            StreamUsage::Unasked => {}
            StreamUsage::Final => self.set("stream_options", json!({"include_usage": true})),
            StreamUsage::EveryChunk => {
                self.set("stream_options", json!({"include_usage": true, "continuous_usage_stats": true}));
            }
        }
        Ok(())
    }

    /// The request ready for the wire.
    pub fn encoded(self) -> Encoded {
        Encoded {
            request: HttpRequest {
                method: "POST".to_owned(),
                path: self.path,
                headers: self.headers,
                body: Value::Object(self.body).to_string().into_bytes(),
            },
            forced_length: self.forced_length,
            cache_off: self.cache_off,
            seeded: self.seeded,
        }
    }
}

/// The `messages` array of a chat request.
pub fn chat_messages(messages: &[Message]) -> Value {
    messages.iter().map(message).collect()
}

fn message(message: &Message) -> Value {
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    };
    let is_silent = message.role == Role::Assistant && message.content.is_empty() && message.tool_calls.is_empty();
    let content = if is_silent { SILENT_TURN } else { &message.content };
    let mut entry = json!({"role": role, "content": content});
    if let Some(fields) = entry.as_object_mut() {
        if !message.tool_calls.is_empty() {
            let calls = message.tool_calls.iter().map(|call| {
                let function = json!({"name": call.name, "arguments": call.arguments});
                json!({"id": call.id, "type": "function", "function": function})
            });
            fields.insert("tool_calls".to_owned(), calls.collect());
        }
        if let Some(id) = &message.tool_call_id {
            fields.insert("tool_call_id".to_owned(), json!(id));
        }
    }
    entry
}

/// The `tools` array of a chat request. Fails where a tool's parameters are not a JSON schema.
pub fn tools(tools: &[Tool]) -> Result<Value, Problem> {
    tools
        .iter()
        .map(|tool| {
            let parameters: Value = serde_json::from_str(&tool.parameters).map_err(|error| {
                problem::bad_request(format!("parameters of the tool `{}` are not JSON: {error}", tool.name))
            })?;
            let function = json!({"name": tool.name, "description": tool.description, "parameters": parameters});
            Ok(json!({"type": "function", "function": function}))
        })
        .collect()
}
