//! Messages of other tools. Both tools that are read write them much like the common chat interface: a role, a content that is
//! a text or a list of parts, and calls of tools.

use serde_json::Value;

use crate::record::{MessageRecord, ToolCallRecord};

/// The parts of a message.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) message: MessageRecord,
    /// What is marked as reasoning, which is not part of the content.
    pub(super) reasoning: Option<String>,
    /// Parts that are neither text nor reasoning, such as images.
    pub(super) left_out: usize,
}

/// Reads a message. `resolve` gives what a text refers to, where texts are kept elsewhere.
pub(super) fn message<'a>(value: &'a Value, resolve: &impl Fn(&'a str) -> &'a str) -> Read {
    let mut read = Read::default();
    let mut reasoning = Vec::new();
    match value.get("content") {
        Some(Value::String(text)) => read.message.content = resolve(text).to_owned(),
        Some(Value::Array(parts)) => {
            let mut texts = Vec::new();
            for part in parts {
                match (part.get("type").and_then(Value::as_str), part) {
                    (_, Value::String(text)) => texts.push(resolve(text)),
                    (Some("text"), _) => texts.extend(part.get("text").and_then(Value::as_str).map(resolve)),
                    (Some("reasoning"), _) => {
                        reasoning.extend(part.get("reasoning").and_then(Value::as_str).map(resolve))
                    }
                    _ => read.left_out += 1,
                }
            }
            read.message.content = texts.join("\n");
        }
        _ => {}
    }
    if let Some(text) = value.get("reasoning_content").and_then(Value::as_str) {
        reasoning.push(resolve(text));
    }
    read.reasoning = (!reasoning.is_empty()).then(|| reasoning.join("\n"));
    read.message.role = value.get("role").and_then(Value::as_str).unwrap_or("user").to_owned();
    read.message.tool_call_id = value.get("tool_call_id").and_then(Value::as_str).map(str::to_owned);
    let calls = value.get("tool_calls").and_then(Value::as_array);
    read.message.tool_calls = calls.into_iter().flatten().map(|call| tool_call(call, resolve)).collect();
    read
}

/// A call: the function's name stands beside the arguments, or both in an object of their own; arguments are an object, or the
/// text that the model wrote.
fn tool_call<'a>(value: &'a Value, resolve: &impl Fn(&'a str) -> &'a str) -> ToolCallRecord {
    let inner = value.get("function").filter(|function| function.is_object()).unwrap_or(value);
    let name = inner.get("name").or_else(|| value.get("function")).and_then(Value::as_str).unwrap_or_default();
    let arguments = match inner.get("arguments") {
        Some(Value::String(text)) => resolve(text).to_owned(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    let id = value.get("id").and_then(Value::as_str).unwrap_or_default();
    ToolCallRecord { id: id.to_owned(), name: name.to_owned(), arguments }
}
