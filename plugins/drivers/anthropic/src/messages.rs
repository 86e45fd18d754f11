//! Requests of the Messages API: the system prompt stands beside the conversation, tools are called and answered in content
//! blocks, and a cache entry is made only where a block asks for it.

use bench_sdk::SILENT_TURN;
use bench_sdk::driver::Target;
use bench_sdk::problem::{bad_request, not_supported};
use bench_sdk::types::{Generation, Message, Problem, Prompt, Role, Tool};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What `target.params` may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The `thinking` object, passed on.
    thinking: Option<Value>,
    /// `auto` or `standard_only`.
    service_tier: Option<String>,
    /// Values of the `anthropic-beta` header.
    #[serde(default)]
    pub beta: Vec<String>,
}

impl Params {
    /// Thinking is switched on.
    fn thinks(&self) -> bool {
        let kind = self.thinking.as_ref().and_then(|thinking| thinking.get("type")).and_then(Value::as_str);
        kind.is_some_and(|kind| kind != "disabled")
    }

    fn thinking_budget(&self) -> Option<u64> {
        self.thinking.as_ref().filter(|_| self.thinks())?.get("budget_tokens")?.as_u64()
    }
}

/// The part of the body that `/v1/messages` and `/v1/messages/count_tokens` share.
///
/// # Errors
/// `not-supported` for raw prompts, `bad-request` for tools or arguments that are no JSON objects.
pub fn prompt(generation: &Generation, target: &Target, params: &Params) -> Result<Map<String, Value>, Problem> {
    let conversation = match &generation.prompt {
        Prompt::Messages(conversation) => conversation,
        Prompt::Text(_) => {
            return Err(not_supported("the Messages API takes conversations and no raw prompts"));
        }
        Prompt::Other(kind) => {
            return Err(not_supported(format!("the Messages API takes no prompt of the kind `{kind}`")));
        }
    };
    let mut body = Map::new();
    body.insert("model".into(), json!(target.model));
    let system: Vec<&str> = conversation
        .iter()
        .filter(|message| matches!(message.role, Role::System))
        .map(|message| message.content.as_str())
        .collect();
    if !system.is_empty() {
        body.insert("system".into(), json!(system.join("\n\n")));
    }
    body.insert("messages".into(), Value::Array(turns(conversation)?));
    if !generation.tools.is_empty() {
        let tools: Result<Vec<Value>, Problem> = generation.tools.iter().map(tool).collect();
        body.insert("tools".into(), Value::Array(tools?));
    }
    if let Some(thinking) = &params.thinking {
        body.insert("thinking".into(), thinking.clone());
    }
    Ok(body)
}

/// The body of `/v1/messages`.
///
/// # Errors
/// Those of [`prompt`].
pub fn body(generation: &Generation, target: &Target, params: &Params) -> Result<Map<String, Value>, Problem> {
    let mut body = prompt(generation, target, params)?;
    let thinks = params.thinks();
    // The budget of thinking is part of the answer's bound, which the service wants to be larger.
    let budget = params.thinking_budget().map_or(0, |budget| budget.saturating_add(1));
    let max_tokens = u64::from(generation.max_tokens).max(budget);
    body.insert("max_tokens".into(), json!(max_tokens));
    body.insert("stream".into(), json!(true));
    // The service refuses texts of nothing but white space; the host cuts answers at those.
    let stops: Vec<&String> = generation.stop.iter().filter(|stop| !stop.trim().is_empty()).collect();
    if !stops.is_empty() {
        body.insert("stop_sequences".into(), json!(stops));
    }
    let sampling = &generation.sampling;
    // With thinking on, the service takes no other temperature than 1, no `top_k`, and `top_p` from 0.95 on.
    for (name, value) in [
        ("temperature", sampling.temperature.filter(|value| !thinks || *value == 1.0).map(|value| json!(value))),
        ("top_p", sampling.top_p.filter(|value| !thinks || *value >= 0.95).map(|value| json!(value))),
        ("top_k", sampling.top_k.filter(|_| !thinks).map(|value| json!(value))),
        ("service_tier", params.service_tier.as_ref().map(|value| json!(value))),
    ] {
        if let Some(value) = value {
            body.insert(name.into(), value);
        }
    }
    Ok(body)
}

/// Asks for a cache entry that ends with the conversation, so that the next turn finds this one's prefix.
pub fn mark_for_cache(body: &mut Map<String, Value>) {
    let block = body
        .get_mut("messages")
        .and_then(Value::as_array_mut)
        .and_then(|messages| messages.last_mut())
        .and_then(|message| message.get_mut("content"))
        .and_then(Value::as_array_mut)
        .and_then(|blocks| blocks.last_mut())
        .and_then(Value::as_object_mut);
    if let Some(block) = block {
        block.insert("cache_control".into(), json!({"type": "ephemeral"}));
    }
}

fn tool(tool: &Tool) -> Result<Value, Problem> {
    let schema = object(&tool.parameters, "the parameters of a tool")?;
    Ok(json!({"name": tool.name, "description": tool.description, "input_schema": schema}))
}

/// The conversation as turns of alternating roles: the answers to tools are blocks of a user's turn, and neighbours of one
/// role become one turn.
fn turns(conversation: &[Message]) -> Result<Vec<Value>, Problem> {
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in conversation {
        let (role, blocks) = match message.role {
            Role::System => continue,
            Role::User => ("user", text(&message.content)),
            Role::Tool => {
                let id = message.tool_call_id.as_deref().unwrap_or_default();
                ("user", vec![json!({"type": "tool_result", "tool_use_id": id, "content": message.content})])
            }
            Role::Assistant => {
                let mut blocks = text(&message.content);
                for call in &message.tool_calls {
                    let input = object(&call.arguments, "the arguments of a tool call")?;
                    blocks.push(json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input}));
                }
                // The service refuses a turn without content, and two turns of the user's would be one.
                if blocks.is_empty() {
                    blocks = text(SILENT_TURN);
                }
                ("assistant", blocks)
            }
        };
        match turns.last_mut() {
            Some((last, content)) if *last == role => content.extend(blocks),
            _ => turns.push((role, blocks)),
        }
    }
    Ok(turns.into_iter().map(|(role, content)| json!({"role": role, "content": content})).collect())
}

/// A block of text; none for no text, since the service refuses empty blocks.
fn text(content: &str) -> Vec<Value> {
    if content.is_empty() { Vec::new() } else { vec![json!({"type": "text", "text": content})] }
}

fn object(text: &str, what: &str) -> Result<Map<String, Value>, Problem> {
    serde_json::from_str(text).map_err(|error| bad_request(format!("{what} must be a JSON object: {error}")))
}
