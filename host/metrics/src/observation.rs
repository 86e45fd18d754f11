//! What metrics are computed from: stamps by the host, events by a driver.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One measured request as it was seen. All times are nanoseconds of one monotonic clock.
///
/// The events of one chunk of the stream are expected in the order content, token ids, counts: a count belongs to the
/// fragments before it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observation {
    /// When the request should have been sent.
    pub intended: u64,
    /// When the client began to work on it; connecting comes after this.
    pub started: u64,
    /// When the first byte of the request had been handed to the socket. Connecting is over by then.
    pub first_byte_written: Option<u64>,
    /// When the last byte of the request had been handed to the socket.
    pub last_byte_written: Option<u64>,
    /// When the answer had ended, well or badly.
    pub ended: u64,
    /// The stamp of every read of the answer's body, ascending.
    pub reads: Vec<u64>,
    /// What the driver made of the body, in stream order.
    pub events: Vec<Located>,
    /// The answer came to its regular end.
    pub completed: bool,
}

/// An event and the read that held the last byte of its data.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// Index into [`Observation::reads`].
    pub read: u32,
    /// What happened.
    pub event: Event,
}

/// Something that the backend said, reduced to what metrics need.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A first sign of an answer without content, such as a chunk that only names the role.
    Start,
    /// A piece of content.
    Fragment {
        /// Where it belongs.
        channel: Channel,
        /// Length of the content in bytes. An empty fragment is no content and is left out of every metric.
        bytes: u32,
    },
    /// So many token ids came with this chunk.
    TokenIds(u32),
    /// Token counts so far.
    Usage(Usage),
    /// The backend's own times.
    ServerTiming(ServerTiming),
    /// The answer is complete.
    Finish(Finish),
    /// The backend reported an error inside the stream.
    Error,
    /// Anything else.
    Other,
}

/// A channel of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// Text meant for the user.
    Text,
    /// The model's reasoning.
    Reasoning,
    /// A call of a tool.
    ToolCall,
}

/// Token counts of one request, as totals up to the moment of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// All tokens of the prompt, cached ones included.
    pub prompt: Option<u64>,
    /// Prompt tokens that came from a prefix cache.
    pub cached: Option<u64>,
    /// Tokens produced so far, reasoning included.
    pub completion: Option<u64>,
    /// Produced tokens that are reasoning.
    pub reasoning: Option<u64>,
}

/// What a backend says about the time a request took. Milliseconds and tokens, as reported.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ServerTiming {
    /// Waiting before the prompt was looked at.
    pub queue_ms: Option<f64>,
    /// Loading the model.
    pub load_ms: Option<f64>,
    /// Evaluating the prompt.
    pub prefill_ms: Option<f64>,
    /// Prompt tokens evaluated, that is, not served from a cache.
    pub prefill_tokens: Option<u64>,
    /// Producing tokens.
    pub decode_ms: Option<f64>,
    /// Tokens produced in `decode_ms`.
    pub decode_tokens: Option<u64>,
    /// Draft tokens proposed by speculative decoding.
    pub draft_tokens: Option<u64>,
    /// Draft tokens accepted.
    pub accepted_tokens: Option<u64>,
}

/// Why the backend stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Finish {
    /// The model ended its answer, or a stop string came.
    Stop,
    /// The limit of tokens was reached.
    Length,
    /// The model wants tools called.
    ToolCalls,
    /// The backend withheld or cut the answer.
    ContentFilter,
    /// Another reason, in the backend's own word.
    Other(String),
}

/// Whether the prompt was meant to miss or to use the prefix cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cache {
    /// No part of the prompt may come from a cache.
    Cold,
    /// Reuse is wanted.
    Warm,
}

/// What was asked for, which the observation is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expectation {
    /// The prompt's length as counted with the backend's tokenizer before the request, where it has one.
    pub prompt_tokens: Option<u64>,
    /// The answer's length as counted with the backend's tokenizer afterwards, where that was done.
    pub output_tokens: Option<u64>,
    /// Most tokens that the answer might have.
    pub requested_output: u64,
    /// What the request was labelled.
    pub cache: Cache,
    /// The backend was told to produce exactly `requested_output` tokens.
    pub forced_length: bool,
}
