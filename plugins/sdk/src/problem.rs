//! Problems: what went wrong, under a stable code, with a way out.

use serde_json::Value;

use crate::json::excerpt;
use crate::types::{HttpResponse, Problem};

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

/// What an error document says, in the forms that backends are seen to use: `{"error": {"message", "type", "code"}}`,
/// `{"error": "text"}`, `{"message"}`, `{"detail"}` as text, object or list, and those fields one level up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The sentence for people.
    pub message: String,
    /// `code` and `type`, where they are words, joined by a space.
    pub words: String,
    /// `code` or `status`, where it is an HTTP status.
    pub status: Option<u16>,
}

/// Reads an error document; `None` where it has no message.
pub fn said(body: &[u8]) -> Option<Said> {
    const LONGEST: usize = 1 << 20;
    let Value::Object(mut document) = serde_json::from_slice(body.get(..body.len().min(LONGEST))?).ok()? else {
        return None;
    };
    let named = document.remove("error").filter(|value| !value.is_null()).or_else(|| document.remove("detail"));
    let inner = match named {
        Some(Value::Array(list)) => list.into_iter().next().unwrap_or_default(),
        Some(value) if !value.is_null() => value,
        _ => Value::Object(document),
    };
    match inner {
        Value::String(message) => Some(Said { message: excerpt(message.as_bytes()), ..Said::default() }),
        Value::Object(fields) => {
            let text = |name: &str| fields.get(name).and_then(Value::as_str).map(|text| excerpt(text.as_bytes()));
            let number =
                |name: &str| fields.get(name).and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
            let message = text("message").or_else(|| text("msg")).or_else(|| text("error"))?;
            let words = ["code", "type"].iter().filter_map(|name| text(name)).collect::<Vec<_>>().join(" ");
            let status = number("code").or_else(|| number("status")).filter(|code| (400..600).contains(code));
            Some(Said { message, words, status })
        }
        _ => None,
    }
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
    from_status(response.status, &said)
}

/// The problem that an error object inside a stream or under status 200 tells of.
pub fn from_said(said: &Said) -> Problem {
    from_status(said.status.unwrap_or(500), said)
}

/// The problem in an error document of the form `{"object": "error", "message", "type", "code"}`, which can stand in a stream
/// too; `None` where the message is none.
pub fn from_error_object(message: &[u8]) -> Option<Problem> {
    let document: Value = serde_json::from_slice(message).ok()?;
    (document.get("object")?.as_str()? == "error").then(|| said(message).map(|said| from_said(&said)))?
}

/// The problem for a status and what was said with it.
fn from_status(status: u16, said: &Said) -> Problem {
    let text = format!("{} {}", said.message, said.words).to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let overflow = has(&[
        "context_length_exceeded",
        "exceed_context_size",
        "context length",
        "context size",
        "context window",
        "maximum context",
        "max_model_len",
        "max_seq_len",
        "prompt is too long",
        "longer than the maximum",
        "too many tokens",
    ]);
    let (code, hint) = match status {
        _ if has(&["insufficient_quota"]) => {
            (RATE_LIMITED, "the account has no quota left; check its plan and billing")
        }
        400 | 413 | 422 | 500 if overflow => {
            (CONTEXT_OVERFLOW, "use a shorter prompt, or start the backend with a longer context")
        }
        401 | 403 => (UNAUTHORIZED, "check the API key: name its environment variable with --api-key-env"),
        404 if has(&["model"]) => {
            (MODEL_NOT_FOUND, "list what is served with `bench models`, then name one with --model")
        }
        400 | 422
            if has(&["model_not_found", "model not found", "unknown model", "invalid model", "no such model"]) =>
        {
            (MODEL_NOT_FOUND, "list what is served with `bench models`, then name one with --model")
        }
        404 | 405 => (NOT_FOUND, "the backend does not know this path: check the endpoint's address and the driver"),
        408 | 504 => (OVERLOADED, "the backend took too long; try again with less load"),
        413 => (BAD_REQUEST, "the backend refuses requests of this size"),
        429 => (RATE_LIMITED, "wait and run again, or lower the number of streams"),
        501 => (NOT_SUPPORTED, "the backend was started without this function"),
        503 | 529 => (OVERLOADED, "the backend is loading or busy; wait and run again"),
        500.. => (SERVER_ERROR, "look into the backend's log"),
        400..500 => {
            (BAD_REQUEST, "the backend does not accept this request; its version may differ from the tested one")
        }
        300..400 => (NOT_FOUND, "the endpoint redirects; name the address that it redirects to"),
        _ => (MALFORMED, "check that the endpoint is the backend that this driver is for"),
    };
    problem(code, format!("status {status}: {}", said.message), hint)
}
