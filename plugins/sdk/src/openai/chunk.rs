//! Chunks of the OpenAI dialect as they stand in JSON: borrowed, and lenient about everything that is not needed.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::json;
use crate::types::{FinishReason, ServerTiming, TokenLogprob, ToolCallDelta, Usage};

/// One message of a stream, or a whole answer.
#[derive(Debug, Deserialize)]
pub(super) struct Chunk<'a> {
    #[serde(borrow, default)]
    pub choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow, default)]
    pub usage: Option<Counts<'a>>,
    #[serde(borrow, default)]
    pub error: Option<&'a RawValue>,
    /// llama.cpp's own times.
    #[serde(default)]
    pub timings: Option<Timings>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Choice<'a> {
    #[serde(default)]
    pub index: Option<u32>,
    #[serde(borrow, default)]
    pub delta: Option<Delta<'a>>,
    /// In place of `delta` in an answer that is not streamed.
    #[serde(borrow, default)]
    pub message: Option<Delta<'a>>,
    /// Of text completions.
    #[serde(borrow, default)]
    pub text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub finish_reason: Option<&'a RawValue>,
    /// OpenRouter: the reason in the word of the host behind it.
    #[serde(borrow, default)]
    pub native_finish_reason: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub logprobs: Option<&'a RawValue>,
    /// Why this answer failed, where the server says it here.
    #[serde(borrow, default)]
    pub error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub token_ids: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Delta<'a> {
    #[serde(borrow, default)]
    pub content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub reasoning: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub tool_calls: Option<Vec<ToolCall<'a>>>,
    /// What `tool_calls` replaced.
    #[serde(borrow, default)]
    pub function_call: Option<Function<'a>>,
    #[serde(borrow, default)]
    pub error: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToolCall<'a> {
    #[serde(default)]
    pub index: Option<u32>,
    #[serde(default)]
    pub id: Option<String>,
    #[serde(borrow, default)]
    pub function: Option<Function<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Function<'a> {
    #[serde(default)]
    pub name: Option<String>,
    /// JSON as text; some backends send the object itself.
    #[serde(borrow, default)]
    pub arguments: Option<&'a RawValue>,
}

/// The `usage` object, with the times that some backends put into it, in seconds.
#[derive(Debug, Deserialize)]
pub(super) struct Counts<'a> {
    #[serde(borrow, default)]
    pub prompt_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub completion_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub total_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub prompt_tokens_details: Option<PromptDetails<'a>>,
    #[serde(borrow, default)]
    pub completion_tokens_details: Option<CompletionDetails<'a>>,
    /// DeepSeek's name for cached tokens.
    #[serde(borrow, default)]
    pub prompt_cache_hit_tokens: Option<&'a RawValue>,
    /// SGLang's place for what OpenAI keeps in the details.
    #[serde(borrow, default)]
    pub reasoning_tokens: Option<&'a RawValue>,
    #[serde(default)]
    pub queue_time: Option<f64>,
    #[serde(default)]
    pub prompt_time: Option<f64>,
    #[serde(default)]
    pub completion_time: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PromptDetails<'a> {
    #[serde(borrow, default)]
    pub cached_tokens: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CompletionDetails<'a> {
    #[serde(borrow, default)]
    pub reasoning_tokens: Option<&'a RawValue>,
}

/// llama.cpp's `timings`: tokens and milliseconds.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Timings {
    /// Prompt tokens from the cache.
    #[serde(default)]
    pub cache_n: Option<u64>,
    /// Prompt tokens evaluated.
    #[serde(default)]
    pub prompt_n: Option<u64>,
    /// Time for those.
    #[serde(default)]
    pub prompt_ms: Option<f64>,
    /// Tokens produced.
    #[serde(default)]
    pub predicted_n: Option<u64>,
    /// Time for those.
    #[serde(default)]
    pub predicted_ms: Option<f64>,
    /// The server's own rate.
    #[serde(default)]
    pub predicted_per_second: Option<f64>,
    /// Draft tokens proposed.
    #[serde(default)]
    pub draft_n: Option<u64>,
    /// Draft tokens accepted.
    #[serde(default)]
    pub draft_n_accepted: Option<u64>,
}

/// Both forms: of chats (`content`) and of text completions (`tokens`, `token_logprobs`).
#[derive(Debug, Default, Deserialize)]
struct Logprobs {
    #[serde(default)]
    content: Option<Vec<TokenEntry>>,
    #[serde(default)]
    tokens: Option<Vec<String>>,
    #[serde(default)]
    token_logprobs: Option<Vec<Option<f64>>>,
}

/// One token with its log-probability.
#[derive(Debug, Deserialize)]
pub struct TokenEntry {
    #[serde(default)]
    token: String,
    #[serde(default)]
    logprob: Option<f64>,
}

impl From<TokenEntry> for Option<TokenLogprob> {
    fn from(entry: TokenEntry) -> Self {
        Some(TokenLogprob { token: entry.token, logprob: entry.logprob? })
    }
}

/// The log-probabilities in a `logprobs` field. Together AI's streams have a number there: that of the chunk's one token, whose
/// text is `text`.
pub(super) fn token_logprobs(raw: &RawValue, text: &str) -> Vec<TokenLogprob> {
    if let Ok(logprob) = serde_json::from_str::<f64>(raw.get()) {
        return vec![TokenLogprob { token: text.to_owned(), logprob }];
    }
    serde_json::from_str::<Logprobs>(raw.get()).map(Logprobs::tokens).unwrap_or_default()
}

impl Logprobs {
    fn tokens(self) -> Vec<TokenLogprob> {
        let chat = self.content.unwrap_or_default().into_iter().filter_map(Into::into);
        let logprobs = self.token_logprobs.unwrap_or_default();
        let classic = self.tokens.unwrap_or_default().into_iter().zip(logprobs);
        chat.chain(classic.filter_map(|(token, logprob)| Some(TokenLogprob { token, logprob: logprob? }))).collect()
    }
}

impl Counts<'_> {
    pub fn usage(&self) -> Option<Usage> {
        let count = |raw: Option<&RawValue>| raw.and_then(json::count);
        let cached = self.prompt_tokens_details.as_ref().and_then(|details| details.cached_tokens);
        let reasoned = self.completion_tokens_details.as_ref().and_then(|details| details.reasoning_tokens);
        let usage = Usage {
            prompt_tokens: count(self.prompt_tokens),
            cached_tokens: count(cached.or(self.prompt_cache_hit_tokens)),
            completion_tokens: count(self.completion_tokens),
            reasoning_tokens: count(reasoned.or(self.reasoning_tokens)),
        };
        let any = usage.prompt_tokens.or(usage.cached_tokens).or(usage.completion_tokens).or(usage.reasoning_tokens);
        any.map(|_| usage)
    }

    pub fn timing(&self) -> Option<ServerTiming> {
        let ms = |seconds: Option<f64>| seconds.map(|seconds| seconds * 1000.0);
        self.prompt_time.or(self.completion_time)?;
        Some(ServerTiming {
            queue_ms: ms(self.queue_time),
            prefill_ms: ms(self.prompt_time),
            decode_ms: ms(self.completion_time),
            ..NO_TIMING
        })
    }
}

/// A timing in which the backend says nothing.
pub const NO_TIMING: ServerTiming = ServerTiming {
    queue_ms: None,
    load_ms: None,
    prefill_ms: None,
    prefill_tokens: None,
    decode_ms: None,
    decode_tokens: None,
    draft_tokens: None,
    accepted_tokens: None,
};

/// Token counts, and times where the backend puts them there, of a `usage` object that stands elsewhere than OpenAI's.
pub fn usage(object: &str) -> Option<(Usage, Option<ServerTiming>)> {
    let counts: Counts<'_> = serde_json::from_str(object).ok()?;
    Some((counts.usage()?, counts.timing()))
}

impl Timings {
    /// The times in the vocabulary of all backends.
    pub fn timing(&self) -> ServerTiming {
        ServerTiming {
            prefill_ms: self.prompt_ms,
            prefill_tokens: self.prompt_n,
            decode_ms: self.predicted_ms,
            decode_tokens: self.decoded(),
            draft_tokens: self.draft_n,
            accepted_tokens: self.draft_n_accepted,
            ..NO_TIMING
        }
    }

    /// The tokens that `predicted_ms` was spent on. The first token comes out of the prompt's evaluation, and whether its time
    /// is counted differs between versions of the server; its own rate tells.
    fn decoded(&self) -> Option<u64> {
        let by_rate = self.predicted_per_second.zip(self.predicted_ms).map(|(rate, ms)| (rate * ms / 1000.0).round());
        let produced = self.predicted_n?;
        match by_rate {
            Some(tokens) if tokens >= 1.0 && tokens <= produced as f64 => Some(tokens as u64),
            _ => Some(produced),
        }
    }

    /// The counts in them. `prompt_n` leaves out what came from the cache.
    pub fn usage(&self) -> Option<Usage> {
        let prompt = self.prompt_n?;
        Some(Usage {
            prompt_tokens: self.cache_n.unwrap_or(0).checked_add(prompt),
            cached_tokens: self.cache_n,
            completion_tokens: self.predicted_n,
            reasoning_tokens: None,
        })
    }
}

impl ToolCall<'_> {
    /// `position` stands in for an index that is not there.
    pub fn delta(self, position: usize) -> ToolCallDelta {
        let function = self.function.unwrap_or_default();
        let arguments = function.arguments.map(|raw| json::text(raw).unwrap_or_else(|| raw.get().to_owned()));
        ToolCallDelta {
            index: self.index.unwrap_or(u32::try_from(position).unwrap_or(u32::MAX)),
            id: self.id.filter(|id| !id.is_empty()),
            name: function.name.filter(|name| !name.is_empty()),
            arguments: arguments.unwrap_or_default(),
        }
    }
}

/// Visible text and reasoning of a `content` that is a list of parts.
pub(super) fn parts(raw: &RawValue) -> (String, String) {
    let (mut text, mut reasoning) = (String::new(), String::new());
    let Ok(Value::Array(parts)) = serde_json::from_str(raw.get()) else { return (text, reasoning) };
    for part in &parts {
        text.push_str(part.get("text").and_then(Value::as_str).unwrap_or_default());
        match part.get("thinking") {
            Some(Value::String(thinking)) => reasoning.push_str(thinking),
            Some(Value::Array(thoughts)) => {
                let thoughts = thoughts.iter().filter_map(|thought| thought.get("text")?.as_str());
                thoughts.for_each(|thought| reasoning.push_str(thought));
            }
            _ => {}
        }
    }
    (text, reasoning)
}

/// A finish reason in any backend's word.
pub fn finish_reason(word: String) -> FinishReason {
    match word.to_ascii_lowercase().as_str() {
        "stop" | "eos" | "eos_token" | "end" | "end_turn" | "stop_sequence" | "stop_str" | "complete" | "completed" => {
            FinishReason::Stop
        }
        "length" | "max_tokens" | "max_length" | "limit" | "model_context_window_exceeded" | "model_length" => {
            FinishReason::Length
        }
        "tool_calls" | "tool_call" | "function_call" | "tool_use" => FinishReason::ToolCalls,
        "content_filter" | "content_filtered" | "refusal" | "safety" | "moderation" | "prohibited_content"
        | "blocklist" | "recitation" | "sensitive" => FinishReason::ContentFilter,
        _ => FinishReason::Other(word),
    }
}

/// The reason of a choice. The word of the host behind a router counts where it tells of a failure that the router's own word hides.
pub(super) fn reason_of(word: String, native: Option<String>) -> FinishReason {
    let hides = native.filter(|native| {
        let native = native.to_ascii_lowercase();
        ["error", "abort", "cancel", "fail", "timeout", "insufficient"].iter().any(|stem| native.contains(stem))
    });
    match (finish_reason(word), hides) {
        (FinishReason::Stop | FinishReason::Length, Some(native)) => FinishReason::Other(native),
        (reason, _) => reason,
    }
}
