//! Problems: what went wrong, under a stable code, with a way out.

use serde_json::Value;

use crate::halves::{join_alone, mark_halves};
use crate::json::excerpt;
use crate::types::{HttpResponse, Problem};
use crate::{outcome, rules};

/// The key is missing or wrong.
pub const UNAUTHORIZED: &str = "unauthorized";
/// The backend does not serve that model.
pub const MODEL_NOT_FOUND: &str = "model-not-found";
/// The path is unknown to the backend: probably not the backend that the driver is for.
pub const NOT_FOUND: &str = "not-found";
/// Prompt and answer do not fit the model's context.
pub const CONTEXT_OVERFLOW: &str = "context-overflow";
/// Too many requests or tokens for now.
pub const RATE_LIMITED: &str = "rate-limited";
/// The backend is up but cannot take the request now.
pub const OVERLOADED: &str = "overloaded";
/// The backend does not accept the request as it is.
pub const BAD_REQUEST: &str = "bad-request";
/// The driver or its backend cannot do that.
pub const NOT_SUPPORTED: &str = "not-supported";
/// The answer is not what the protocol says.
pub const MALFORMED: &str = "malformed-response";
/// The answer ended before it was complete.
pub const TRUNCATED: &str = "truncated-stream";
/// The account has used up what it may use; waiting some minutes does not help.
pub const QUOTA_EXHAUSTED: &str = "quota-exhausted";
/// The account, the key or the region may not use the service or the model.
pub const ACCOUNT_LIMIT: &str = "account-limit";
/// The service refuses to answer this prompt: moderation, a content filter, a policy.
pub const REFUSED: &str = "refused";
/// The model or the service does not take a field of the request; [`crate::rules`] tells which.
pub const FIELD_REFUSED: &str = "field-refused";
/// The backend failed.
pub const SERVER_ERROR: &str = "server-error";

/// A problem with its way out.
pub fn problem(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Problem {
    Problem { code: code.to_owned(), message: message.into(), hint: Some(hint.into()) }
}

/// The answer is not what the protocol says.
pub fn malformed(message: impl Into<String>) -> Problem {
    problem(
        MALFORMED,
        message,
        "check that the endpoint is the backend that this driver is for, with no proxy that rewrites answers",
    )
}

/// The answer ended before it was complete.
pub fn truncated(message: impl Into<String>) -> Problem {
    problem(TRUNCATED, message, "look into the backend's log: it may have crashed or dropped the request")
}

/// The driver or its backend cannot do that.
pub fn not_supported(message: impl Into<String>) -> Problem {
    Problem { code: NOT_SUPPORTED.to_owned(), message: message.into(), hint: None }
}

/// The request as wished for makes no sense to the driver.
pub fn bad_request(message: impl Into<String>) -> Problem {
    Problem { code: BAD_REQUEST.to_owned(), message: message.into(), hint: None }
}

/// What an error document says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The sentence for people.
    pub message: String,
    /// `code`, `type` and `status`, where they are words, joined by a space.
    pub words: String,
    /// `code` or `status`, where it is an HTTP status.
    pub status: Option<u16>,
}

/// The longest error document that is read.
const LONGEST: usize = 1 << 20;

/// Reads an error document; `None` where it has no message. The forms that servers are seen to use:
/// `{"error": {"message", "type", "code", "status"}}`, `{"error": "text"}`, `{"message"}`, `{"detail"}` as text, object or list,
/// `{"errors": […]}`, `{"title"}`, and any of them in a list or one level further in.
pub fn said(body: &[u8]) -> Option<Said> {
    let document: Value = serde_json::from_slice(&mark_halves(body.get(..body.len().min(LONGEST))?)).ok()?;
    read(&document, 3)
}

/// `depth` bounds how far in the message may stand.
fn read(value: &Value, depth: u32) -> Option<Said> {
    let depth = depth.checked_sub(1)?;
    let fields = match value {
        Value::String(message) => {
            let mut message = message.clone();
            join_alone(&mut message);
            let message = excerpt(message.as_bytes());
            return (!message.is_empty()).then(|| Said { message, ..Said::default() });
        }
        Value::Array(list) => return list.iter().find_map(|entry| read(entry, depth)),
        Value::Object(fields) => fields,
        _ => return None,
    };
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let named = ["error", "detail", "errors", "message", "msg", "error_message", "reason", "title"];
    let inner = named.iter().find_map(|name| read(fields.get(*name)?, depth))?;
    let number = |name: &str| fields.get(name).and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let own = ["code", "type", "status", "error_type"].iter().filter_map(|name| text(name));
    let words: Vec<String> =
        own.map(|text| excerpt(text.as_bytes())).chain([inner.words]).filter(|word| !word.is_empty()).collect();
    let status = inner.status.or(["code", "status"].iter().find_map(|name| number(name)));
    let message = match fields.get("metadata").and_then(|metadata| metadata.get("raw")).and_then(Value::as_str) {
        // OpenRouter keeps what the host behind it said beside its own sentence.
        Some(raw) if !raw.is_empty() => format!("{}: {}", inner.message, excerpt(raw.as_bytes())),
        _ => inner.message,
    };
    Some(Said { message, words: words.join(" "), status: status.filter(|code| (400..600).contains(code)) })
}

/// The problem that an answer with an error status tells of. A driver may look for words of its own backend first.
pub fn from_response(response: &HttpResponse) -> Problem {
    let said = said(&response.body).unwrap_or_else(|| Said {
        message: match response.body.trim_ascii_start() {
            [] => "no further word".to_owned(),
            [b'<', ..] => "a web page".to_owned(),
            text => excerpt(text),
        },
        ..Said::default()
    });
    let problem = outcome::problem_for(response.status, &said);
    if problem.code == BAD_REQUEST && outcome::names_a_field(&said) && !rules::refused_fields(&response.body).is_empty()
    {
        let hint = "leave the field out with --param 'omit=[\"NAME\"]'";
        return Problem { code: FIELD_REFUSED.to_owned(), hint: Some(hint.to_owned()), ..problem };
    }
    problem
}

/// The problem that an error object inside a stream or under status 200 tells of.
pub fn from_said(said: &Said) -> Problem {
    outcome::problem_for(said.status.unwrap_or(500), said)
}

/// Whether the value of an `error` field tells of an error. Some servers send the field with every message.
pub fn is_error(raw: &str) -> bool {
    !matches!(raw.trim(), "null" | "false" | "0" | "\"\"" | "{}" | "[]" | "\"null\"")
}

/// The problem in a message that is an error document and nothing else: `{"error"}`, `{"object": "error"}`, `{"type": "error"}`,
/// `{"detail"}`, `{"errors"}`, `{"status": "error"}`, or a `message` beside a `code`. `None` where the message is something else.
pub fn from_error_object(message: &[u8]) -> Option<Problem> {
    let document: Value = serde_json::from_slice(message).ok()?;
    let fields = document.as_object()?;
    let word = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_there = |name: &str| fields.get(name).is_some_and(|value| is_error(&value.to_string()));
    let is_error = ["error", "detail", "errors"].iter().any(|name| is_there(name))
        || ["object", "type", "status"].iter().any(|name| word(name) == "error" || word(name).ends_with("_error"))
        || (is_there("message") && is_there("code"));
    is_error.then(|| from_said(&said(message).unwrap_or_else(|| Said { message: excerpt(message), ..Said::default() })))
}
