//! Ways in which a simulated engine misbehaves on purpose.

use serde::{Deserialize, Serialize};

use crate::error::SimError;

/// A misbehaviour and the requests that meet it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which requests.
    #[serde(default)]
    pub when: When,
    /// What happens to them.
    pub kind: FaultKind,
}

impl Fault {
    /// Every request meets it.
    #[must_use]
    pub fn always(kind: FaultKind) -> Self {
        Self { when: When::Always, kind }
    }

    /// The `n`th request meets it, counted from 1.
    #[must_use]
    pub fn nth(n: u64, kind: FaultKind) -> Self {
        Self { when: When::Nth(n), kind }
    }
}

/// Which requests meet a fault. Only generation requests are counted, from 1, in the order of their arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Every request.
    #[default]
    Always,
    /// This one request.
    Nth(u64),
    /// This request and every later one.
    From(u64),
    /// Every request whose number is a multiple of this.
    Every(u64),
}

impl When {
    /// Whether request `number`, counted from 1, is meant.
    #[must_use]
    pub fn applies(self, number: u64) -> bool {
        match self {
            Self::Always => true,
            Self::Nth(n) => number == n,
            Self::From(n) => number >= n,
            Self::Every(n) => n != 0 && number.is_multiple_of(n),
        }
    }
}

/// What happens to a request. `after_tokens: k` means before the first chunk that would bring the answer beyond `k`
/// tokens, or before the end of the answer where it has no more than `k`. Where several faults meet one request, the
/// first one that answers instead of generating wins; of those that end a stream, the earliest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Answers at once with this status and body instead of generating.
    Answer {
        /// HTTP status, 200 to 599.
        status: u16,
        /// The whole body.
        body: String,
        /// Value of `content-type`.
        content_type: String,
        /// Value of `retry-after` in seconds, where wanted.
        #[serde(default)]
        retry_after_s: Option<u32>,
    },
    /// Answers 307 with this `location`.
    Redirect {
        /// Where the client is sent.
        location: String,
    },
    /// Falls silent.
    Stall {
        /// Tokens that come before the silence.
        after_tokens: u32,
        /// Length of the silence in microseconds, by which everything after it is late; none for ever.
        for_us: Option<u64>,
    },
    /// Closes the connection without ending the answer.
    Disconnect {
        /// Tokens that come before.
        after_tokens: u32,
    },
    /// Sends one event whose data is cut off in the middle, then goes on. An answer that is not streamed is cut off.
    BadJson {
        /// Tokens that come before.
        after_tokens: u32,
    },
    /// Sends an event with an `error` object, then ends the stream. An answer that is not streamed is a 500.
    ErrorEvent {
        /// Tokens that come before.
        after_tokens: u32,
        /// The error's message.
        message: String,
    },
}

impl FaultKind {
    /// An error in the OpenAI shape.
    #[must_use]
    pub fn api_error(status: u16, kind: &str, message: &str) -> Self {
        Self::Answer {
            status,
            body: crate::http::error_body(status, kind, None, message),
            content_type: "application/json".to_owned(),
            retry_after_s: None,
        }
    }

    /// 401, as for a missing or wrong key.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::api_error(401, "authentication_error", "Incorrect API key provided.")
    }

    /// 429 with `retry-after`.
    #[must_use]
    pub fn rate_limited(seconds: u32) -> Self {
        Self::Answer {
            status: 429,
            body: crate::http::error_body(429, "rate_limit_error", Some("rate_limit_exceeded"), "Rate limit reached."),
            content_type: "application/json".to_owned(),
            retry_after_s: Some(seconds),
        }
    }

    /// 500 from the engine.
    #[must_use]
    pub fn server_error() -> Self {
        Self::api_error(500, "server_error", "The engine failed.")
    }

    /// An HTML page, as from a proxy in front of an engine.
    #[must_use]
    pub fn html(status: u16) -> Self {
        Self::Answer {
            status,
            body: format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n"),
            content_type: "text/html".to_owned(),
            retry_after_s: None,
        }
    }

    pub(crate) fn validate(&self, longest_us: u64) -> Result<(), SimError> {
        let problem = match self {
            Self::Answer { status, .. } if !(200..=599).contains(status) => {
                format!("has an answer with status {status}; it must be from 200 to 599")
            }
            Self::Answer { content_type: text, .. } | Self::Redirect { location: text }
                if text.bytes().any(|byte| byte.is_ascii_control()) =>
            {
                "has a header value with a control character".to_owned()
            }
            Self::Stall { for_us: Some(time), .. } if *time > longest_us => {
                format!("has a stall of {time} µs; at most {longest_us} µs, or none for ever")
            }
            _ => return Ok(()),
        };
        Err(SimError::Config { field: "faults", problem })
    }
}
