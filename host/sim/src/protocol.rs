//! What a client asks for: the bodies of generation and tokenizer requests, read strictly enough that a driver's mistake
//! is noticed and leniently enough that fields of other engines do no harm.

use serde::Deserialize;
use serde_json::Value;

use crate::answer;
use crate::config::{SimConfig, UsageMode};
use crate::http::Problem;
use crate::tokenizer::{Special, detokenize, tokenize};

/// A valid generation request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub chat: bool,
    pub stream: bool,
    pub model: String,
    /// The prompt's tokens, template included.
    pub prompt: Vec<u32>,
    pub salt: Option<String>,
    /// Length of the answer in tokens.
    pub tokens: u32,
    /// Whether the model stops by itself there.
    pub stops: bool,
    pub final_usage: bool,
    pub chunk_usage: bool,
    pub token_ids: bool,
    pub tool: Option<ToolCall>,
    /// What is said to this question in particular.
    pub canned: Option<String>,
}

/// A call that the answer makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToolCall {
    pub name: String,
    /// The one argument that is filled in.
    pub argument: String,
}

#[derive(Deserialize)]
struct Body {
    model: Option<String>,
    messages: Option<Vec<Message>>,
    prompt: Option<Prompt>,
    #[serde(default)]
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
    min_tokens: Option<u32>,
    ignore_eos: Option<bool>,
    tools: Option<Vec<Value>>,
    tool_choice: Option<Value>,
    cache_salt: Option<String>,
    n: Option<u32>,
    return_token_ids: Option<bool>,
    add_generation_prompt: Option<bool>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
    continuous_usage_stats: Option<bool>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: Option<Content>,
    tool_calls: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Prompt {
    Text(String),
    Ids(Vec<u32>),
    Texts(Vec<String>),
}

/// Reads a chat request.
pub(crate) fn chat(config: &SimConfig, body: &[u8]) -> Result<Asked, Problem> {
    let body = read(body)?;
    let messages = body.messages.as_deref().ok_or_else(|| Problem::bad_request("`messages` is missing"))?;
    let prompt = apply_template(messages, body.tools.as_deref(), true)?;
    let question = messages.last().map(content_text).transpose()?.unwrap_or_default();
    asked(config, &body, prompt, &question, true)
}

/// Reads a raw completion request.
pub(crate) fn completion(config: &SimConfig, body: &[u8]) -> Result<Asked, Problem> {
    let mut body = read(body)?;
    let prompt = body.prompt.take().ok_or_else(|| Problem::bad_request("`prompt` is missing"))?;
    let question = match &prompt {
        Prompt::Text(text) => text.clone(),
        Prompt::Ids(_) | Prompt::Texts(_) => String::new(),
    };
    asked(config, &body, raw_prompt(prompt)?, &question, false)
}

/// Reads a tokenizer request: the tokens of its prompt or of its messages.
pub(crate) fn to_tokenize(config: &SimConfig, body: &[u8]) -> Result<Vec<u32>, Problem> {
    let mut body = read(body)?;
    served_model(config, body.model.as_deref())?;
    match (body.prompt.take(), &body.messages) {
        (Some(prompt), None) => raw_prompt(prompt),
        (None, Some(messages)) => {
            apply_template(messages, body.tools.as_deref(), body.add_generation_prompt.unwrap_or(true))
        }
        _ => Err(Problem::bad_request("one of `prompt` and `messages` is needed")),
    }
}

/// Reads a detokenizer request and answers it.
pub(crate) fn to_detokenize(body: &[u8]) -> Result<String, Problem> {
    #[derive(Deserialize)]
    struct Detokenize {
        tokens: Vec<u32>,
    }
    let body: Detokenize = serde_json::from_slice(body).map_err(|error| Problem::malformed(&error))?;
    detokenize(&body.tokens).map_err(|error| Problem::bad_request(&error.to_string()))
}

fn read(body: &[u8]) -> Result<Body, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::malformed(&error))
}

fn served_model(config: &SimConfig, wanted: Option<&str>) -> Result<String, Problem> {
    let default = config.models.first().map(String::as_str).unwrap_or_default();
    let name = wanted.unwrap_or(default);
    if config.models.iter().any(|served| served == name) {
        return Ok(name.to_owned());
    }
    Err(Problem::new(404, "NotFoundError", Some("model_not_found"), format!("The model `{name}` does not exist.")))
}

fn asked(config: &SimConfig, body: &Body, prompt: Vec<u32>, question: &str, chat: bool) -> Result<Asked, Problem> {
    let model = served_model(config, body.model.as_deref())?;
    if body.n.is_some_and(|n| n != 1) {
        return Err(Problem::bad_request("`n` must be 1"));
    }
    let prompt_tokens = u32::try_from(prompt.len()).unwrap_or(u32::MAX);
    let room = config.context_length.saturating_sub(prompt_tokens);
    let named = body.max_completion_tokens.or(body.max_tokens);
    // The defaults are those of the two endpoints' original: 16 for raw completions, what fits for chats.
    let limit = named.unwrap_or(if chat { room } else { room.min(16) });
    if room == 0 || limit > room {
        return Err(Problem::new(
            400,
            "invalid_request_error",
            Some("context_length_exceeded"),
            format!(
                "This model's maximum context length is {} tokens. However, you requested {} tokens ({prompt_tokens} in \
                 the prompt, {limit} in the completion). Please reduce the length of the prompt or completion.",
                config.context_length,
                u64::from(prompt_tokens) + u64::from(limit.max(1)),
            ),
        ));
    }
    if limit == 0 {
        return Err(Problem::bad_request("`max_tokens` must be at least 1"));
    }
    let min_tokens = body.min_tokens.unwrap_or(0);
    if min_tokens > limit {
        return Err(Problem::bad_request("`min_tokens` is larger than `max_tokens`"));
    }
    let stream = body.stream.unwrap_or(false);
    let tool = if chat && config.tool_calls { offered_tool(body) } else { None };
    let least = tool.as_ref().map_or(0, |call| answer::least(config, call));
    let canned = config.answers.iter().find(|canned| question.contains(&canned.to)).map(|canned| canned.say.clone());
    let natural = natural_length(config, canned.as_deref()).map(|length| length.max(min_tokens).max(least));
    let stops = natural.filter(|length| *length < limit && !body.ignore_eos.unwrap_or(false));
    let wants = |field: fn(&StreamOptions) -> Option<bool>| body.stream_options.as_ref().and_then(field) == Some(true);
    let wants_usage = wants(|options| options.include_usage);
    let (final_usage, chunk_usage) = match config.usage {
        UsageMode::Never => (false, false),
        UsageMode::OnRequest => {
            (wants_usage || !stream, wants_usage && wants(|options| options.continuous_usage_stats))
        }
        UsageMode::Final => (true, false),
        UsageMode::PerChunk => (true, true),
    };
    Ok(Asked {
        chat,
        stream,
        model,
        prompt,
        salt: body.cache_salt.clone(),
        tokens: stops.unwrap_or(limit),
        stops: stops.is_some(),
        final_usage,
        chunk_usage,
        token_ids: body.return_token_ids.unwrap_or(false),
        tool,
        canned,
    })
}

fn natural_length(config: &SimConfig, canned: Option<&str>) -> Option<u32> {
    let of_text = |text: &str| u32::try_from(tokenize(text).len()).unwrap_or(u32::MAX);
    canned.map(of_text).or(config.natural_tokens).or_else(|| config.answer.as_deref().map(of_text))
}

/// The first tool on offer, and the first argument that its schema names.
fn offered_tool(body: &Body) -> Option<ToolCall> {
    if body.tool_choice.as_ref().and_then(Value::as_str) == Some("none") {
        return None;
    }
    let function = body.tools.as_ref()?.first()?.get("function")?;
    let name = function.get("name")?.as_str()?.to_owned();
    let properties = function.get("parameters").and_then(|schema| schema.get("properties"));
    let argument = properties.and_then(Value::as_object).and_then(|map| map.keys().next());
    Some(ToolCall { name, argument: argument.map_or_else(|| "input".to_owned(), Clone::clone) })
}

fn raw_prompt(prompt: Prompt) -> Result<Vec<u32>, Problem> {
    match prompt {
        Prompt::Text(text) => Ok(tokenize(&text)),
        Prompt::Ids(ids) => {
            detokenize(&ids).map_err(|error| Problem::bad_request(&error.to_string()))?;
            Ok(ids)
        }
        Prompt::Texts(texts) => match texts.as_slice() {
            [text] => Ok(tokenize(text)),
            _ => Err(Problem::bad_request("`prompt` must be one prompt")),
        },
    }
}

/// The chat template: the tools, if any, as a message of their own, then for each message its start, role, content, tool
/// calls as compact JSON, and end, then what asks for an answer.
fn apply_template(messages: &[Message], tools: Option<&[Value]>, ask: bool) -> Result<Vec<u32>, Problem> {
    let mut tokens = Vec::new();
    if let Some(tools) = tools.filter(|tools| !tools.is_empty()) {
        tokens.extend([Special::Start.id(), Special::Tools.id()]);
        tokens.extend(tools.iter().flat_map(|tool| tokenize(&tool.to_string())));
        tokens.push(Special::End.id());
    }
    for message in messages {
        let role = Special::role(&message.role)
            .ok_or_else(|| Problem::bad_request(&format!("a message has the unknown role `{}`", message.role)))?;
        tokens.extend([Special::Start.id(), role.id()]);
        tokens.extend(tokenize(&content_text(message)?));
        tokens.extend(message.tool_calls.iter().flatten().flat_map(|call| tokenize(&call.to_string())));
        tokens.push(Special::End.id());
    }
    if ask {
        tokens.extend([Special::Start.id(), Special::Assistant.id()]);
    }
    Ok(tokens)
}

fn content_text(message: &Message) -> Result<String, Problem> {
    match &message.content {
        None => Ok(String::new()),
        Some(Content::Text(text)) => Ok(text.clone()),
        Some(Content::Parts(parts)) => parts
            .iter()
            .map(|part| match (part.kind.as_str(), &part.text) {
                ("text", Some(text)) => Ok(text.as_str()),
                _ => Err(Problem::bad_request("content parts must be of type `text`")),
            })
            .collect(),
    }
}
