//! Who is asked, as far as an eval needs to know: something that encodes a generation, a client that sends it, something that
//! decodes the answer. Between the two nothing of a guest runs, and there is no window that it could disturb: answers are decoded as
//! they come.

use std::future::Future;

use bench_plugin::types::{FinishReason, Generation, TokenLogprob, ToolCall};
use bench_samples::UsageRecord;
use bench_wire::{Client, Exchange, Prepared};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::policy::Failure;

/// A model behind a driver.
pub trait Backend {
    /// The driver's name.
    fn driver(&self) -> &str;

    /// The model as it may be shown.
    fn model(&self) -> &str;

    /// The address, without credentials.
    fn endpoint(&self) -> String;

    /// The client that sends. Its connections belong to the runtime that asks.
    fn client(&self) -> Client;

    /// Tokens that one request may occupy.
    fn context_length(&self) -> Option<u64>;

    /// Whether the driver takes fields for the body of every request.
    fn takes_fields(&self) -> bool;

    /// The request for a generation, with fields of the backend's own beside those of the driver.
    ///
    /// # Errors
    /// What the driver says against it.
    fn encode(&mut self, generation: &Generation, fields: &Map<String, Value>) -> Result<Prepared, Failure>;

    /// What an exchange brought, which ended at the date `now`.
    ///
    /// # Errors
    /// Why there is no answer.
    fn decode(&mut self, exchange: &Exchange, now: OffsetDateTime) -> Result<Answer, Failure>;

    /// The tokens of a prompt as the backend sees it, or `None` where it cannot count.
    fn count(&mut self, generation: &Generation) -> impl Future<Output = Result<Option<u64>, Failure>>;
}

/// Tokens of a prompt that were written to a cache, by how long they stay there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheWrites {
    /// All of them.
    pub all: u64,
    /// Those that stay for an hour instead of some minutes.
    pub for_an_hour: u64,
}

/// An answer that came in full.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The visible text.
    pub text: String,
    /// The text of the reasoning channel.
    pub reasoning: String,
    /// The calls of tools.
    pub tool_calls: Vec<ToolCall>,
    /// Why the model stopped.
    pub finish: Option<FinishReason>,
    /// Log-probabilities of tokens, in the order in which they came.
    pub logprobs: Vec<TokenLogprob>,
    /// Token counts.
    pub usage: UsageRecord,
    /// Tokens of the prompt that were written to a cache, which some services charge for.
    pub cache_write: CacheWrites,
    /// What the service says that the request cost, in US dollars.
    pub cost: Option<f64>,
    /// Time to the first token, in milliseconds.
    pub ttft_ms: Option<f64>,
    /// Time to the end, in milliseconds.
    pub e2e_ms: f64,
}
