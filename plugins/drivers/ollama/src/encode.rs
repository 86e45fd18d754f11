//! Requests in Ollama's own API: `/api/chat` for conversations, `/api/generate` with `raw` for raw prompts.

use bench_sdk::driver::{Encoded, Target};
use bench_sdk::problem::{bad_request, not_supported};
use bench_sdk::types::{Generation, Message, Problem, Prompt, Role, Tool};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What `target.params` may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Context to allocate, in tokens: `options.num_ctx`. Ollama loads the model again when it changes.
    num_ctx: Option<u32>,
    /// How long the model stays loaded after the request, in Ollama's words (`5m`, `-1`).
    keep_alive: Option<Value>,
    /// `true`, `false` or a level of effort (`low`, `medium`, `high`), for models that think.
    think: Option<Value>,
    /// Further entries of `options`, such as `num_gpu`, `num_thread` or `num_batch`.
    #[serde(default)]
    options: Map<String, Value>,
}

/// The request for a generation.
///
/// # Errors
/// `not-supported` for a kind of prompt that Ollama has no request for, `bad-request` for parameters, tools or arguments
/// that are not what the interface says.
pub fn encode(generation: &Generation, target: &Target) -> Result<Encoded, Problem> {
    let params: Params = bench_sdk::params::parse(&target.params)?;
    let mut body = Map::new();
    body.insert("model".into(), json!(target.model));
    let path = match &generation.prompt {
        Prompt::Messages(conversation) => {
            body.insert("messages".into(), messages(conversation)?);
            if !generation.tools.is_empty() {
                body.insert("tools".into(), tools(&generation.tools)?);
            }
            "/api/chat"
        }
        Prompt::Text(text) => {
            body.insert("prompt".into(), json!(text));
            body.insert("raw".into(), json!(true));
            "/api/generate"
        }
        Prompt::Other(kind) => return Err(not_supported(format!("Ollama takes no prompt of the kind `{kind}`"))),
    };
    body.insert("stream".into(), json!(true));
    // An overlong prompt is an error and not a shorter prompt. Servers that do not know the fields ignore them.
    body.insert("truncate".into(), json!(false));
    body.insert("shift".into(), json!(false));
    if let Some(top) = generation.logprobs {
        body.insert("logprobs".into(), json!(true));
        if top > 0 {
            body.insert("top_logprobs".into(), json!(top));
        }
    }
    if let Some(keep_alive) = params.keep_alive {
        body.insert("keep_alive".into(), keep_alive);
    }
    if let Some(think) = params.think {
        body.insert("think".into(), think);
    }
    body.insert("options".into(), options(generation, params.num_ctx, params.options));

    Ok(Encoded {
        request: bench_sdk::http::post(path, &Value::Object(body)),
        // Ollama has no switch to ignore the end-of-sequence token, and none against its prompt cache.
        forced_length: false,
        cache_off: false,
        seeded: generation.sampling.seed.is_some(),
    })
}

fn options(generation: &Generation, num_ctx: Option<u32>, extra: Map<String, Value>) -> Value {
    let sampling = &generation.sampling;
    let mut options = extra;
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            options.insert(name.into(), value);
        }
    };
    set("num_predict", Some(json!(generation.max_tokens)));
    set("num_ctx", num_ctx.map(|tokens| json!(tokens)));
    set("temperature", sampling.temperature.map(|value| json!(value)));
    set("top_p", sampling.top_p.map(|value| json!(value)));
    set("top_k", sampling.top_k.map(|value| json!(value)));
    set("seed", sampling.seed.map(|value| json!(value)));
    set("stop", (!generation.stop.is_empty()).then(|| json!(generation.stop)));
    Value::Object(options)
}

fn messages(conversation: &[Message]) -> Result<Value, Problem> {
    conversation.iter().map(|message| one(message, conversation)).collect()
}

fn one(message: &Message, conversation: &[Message]) -> Result<Value, Problem> {
    let mut object = Map::new();
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    };
    object.insert("role".into(), json!(role));
    object.insert("content".into(), json!(message.content));
    if !message.tool_calls.is_empty() {
        let calls: Result<Vec<Value>, Problem> = message
            .tool_calls
            .iter()
            .map(|call| {
                // Unlike OpenAI's, Ollama's arguments are an object and not a text.
                let arguments = json_object(&call.arguments, "the arguments of a tool call")?;
                Ok(json!({"id": call.id, "function": {"name": call.name, "arguments": arguments}}))
            })
            .collect();
        object.insert("tool_calls".into(), Value::Array(calls?));
    }
    if let Some(id) = &message.tool_call_id {
        object.insert("tool_call_id".into(), json!(id));
        // Older releases match an answer to its call by the tool's name.
        let called = conversation.iter().flat_map(|message| &message.tool_calls).find(|call| call.id == *id);
        if let Some(call) = called {
            object.insert("tool_name".into(), json!(call.name));
        }
    }
    Ok(Value::Object(object))
}

fn tools(tools: &[Tool]) -> Result<Value, Problem> {
    let one = |tool: &Tool| {
        let parameters = json_object(&tool.parameters, "the parameters of a tool")?;
        let function = json!({"name": tool.name, "description": tool.description, "parameters": parameters});
        Ok(json!({"type": "function", "function": function}))
    };
    tools.iter().map(one).collect()
}

fn json_object(text: &str, what: &str) -> Result<Map<String, Value>, Problem> {
    serde_json::from_str(text).map_err(|error| bad_request(format!("{what} must be a JSON object: {error}")))
}
