//! The stream of `/api/chat` and `/api/generate`: one JSON object a line, the last one with `done` and the statistics.

use bench_sdk::json::{excerpt, span, text};
use bench_sdk::problem;
use bench_sdk::stream::{Framing, Hole, Out, Protocol};
use bench_sdk::types::{Event, FinishReason, Problem, ServerTiming, TokenLogprob, ToolCallDelta, Usage};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Nanoseconds in a millisecond: Ollama reports durations in nanoseconds, the interface in milliseconds.
const NS_PER_MS: f64 = 1e6;

/// One line. Fields that Go's encoder leaves out when they are zero are optional here.
#[derive(Debug, Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    created_at: Option<&'a RawValue>,
    /// `/api/chat`.
    #[serde(borrow, default)]
    message: Option<Message<'a>>,
    /// `/api/generate`.
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
    /// `/api/generate`.
    #[serde(borrow, default)]
    thinking: Option<&'a RawValue>,
    #[serde(default)]
    done: bool,
    #[serde(default)]
    done_reason: Option<String>,
    #[serde(default)]
    logprobs: Option<Vec<Logprob>>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// The fields that the line with `done` adds. They are read in a second pass, so that no other line pays for them.
#[derive(Debug, Default, Deserialize)]
struct Statistics {
    total_duration: Option<u64>,
    load_duration: Option<u64>,
    prompt_eval_count: Option<u64>,
    prompt_eval_cached_count: Option<u64>,
    prompt_eval_duration: Option<u64>,
    eval_count: Option<u64>,
    eval_duration: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    thinking: Option<&'a RawValue>,
    #[serde(default)]
    tool_calls: Option<Vec<ToolCall>>,
}

#[derive(Debug, Deserialize)]
struct ToolCall {
    id: Option<String>,
    function: Function,
}

#[derive(Debug, Deserialize)]
struct Function {
    index: Option<u32>,
    name: Option<String>,
    /// An object; some models behind Ollama give its text.
    #[serde(default)]
    arguments: Value,
}

#[derive(Debug, Deserialize)]
struct Logprob {
    #[serde(default)]
    token: String,
    logprob: f64,
}

/// What the stream has said so far.
#[derive(Debug, Default)]
pub struct Stream {
    tool_calls: u32,
}

impl Protocol for Stream {
    const FRAMING: Framing = Framing::NdJson;

    fn message(&mut self, _kind: &[u8], data: &[u8], out: &mut Out<'_>) -> Result<(), Problem> {
        let chunk: Chunk<'_> = parse(data)?;
        if chunk.error.is_some_and(|error| problem::is_error(error.get())) {
            // An error ends the stream: no line with `done` follows it.
            out.event(Event::Error(problem::from_said(&problem::said(data).unwrap_or_default())));
            return Ok(());
        }

        let Message { content, thinking, tool_calls } = chunk.message.unwrap_or_default();
        let mut fragments = Vec::new();
        for raw in [thinking, chunk.thinking].into_iter().flatten() {
            if out.reasoning(text(raw).unwrap_or_default()) {
                fragments.push(raw);
            }
        }
        for raw in [content, chunk.response].into_iter().flatten() {
            if out.text(text(raw).unwrap_or_default()) {
                fragments.push(raw);
            }
        }
        let mut plain = !chunk.done;
        for call in tool_calls.unwrap_or_default() {
            plain = false;
            self.call(call, out);
        }
        let logprobs = chunk.logprobs.unwrap_or_default();
        if !logprobs.is_empty() {
            plain = false;
            let logprobs = logprobs.into_iter().map(|Logprob { token, logprob }| TokenLogprob { token, logprob });
            out.event(Event::Logprobs(logprobs.collect()));
        }

        if chunk.done {
            self.done(&parse(data)?, chunk.done_reason, out);
        } else if let (true, [fragment]) = (plain, fragments.as_slice())
            && let Some(fragment) = span(data, fragment)
        {
            let time = chunk.created_at.and_then(|raw| span(data, raw)).map(|time| (Hole::UnusedText, time));
            out.repeatable(time.into_iter().chain([(Hole::Fragment, fragment)]));
        } else {
            out.start();
        }
        Ok(())
    }
}

impl Stream {
    fn call(&mut self, ToolCall { id, function }: ToolCall, out: &mut Out<'_>) {
        let index = function.index.unwrap_or(self.tool_calls);
        self.tool_calls = self.tool_calls.saturating_add(1);
        // A call comes whole, so its arguments are complete.
        let arguments = match function.arguments {
            Value::String(text) => text,
            Value::Null => Value::Object(Map::new()).to_string(),
            arguments => arguments.to_string(),
        };
        out.event(Event::ToolCall(ToolCallDelta { index, id, name: function.name, arguments }));
    }

    fn done(&self, statistics: &Statistics, reason: Option<String>, out: &mut Out<'_>) {
        let Statistics { prompt_eval_count: prompt, prompt_eval_cached_count: cached, .. } = *statistics;
        // `prompt_eval_count` is the whole prompt, cached tokens included. Its absence means nothing but absence: early
        // releases left it out when the prompt came from the cache. `eval_count` is left out only when it is zero.
        let generated = statistics.eval_count.or(statistics.total_duration.map(|_| 0));
        if prompt.is_some() || generated.is_some() {
            out.event(Event::Usage(Usage {
                prompt_tokens: prompt,
                cached_tokens: cached,
                completion_tokens: generated,
                reasoning_tokens: None,
            }));
        }
        let ms = |ns: Option<u64>| ns.map(|ns| ns as f64 / NS_PER_MS);
        if statistics.prompt_eval_duration.is_some() || statistics.eval_duration.is_some() {
            out.event(Event::ServerTiming(ServerTiming {
                queue_ms: None,
                load_ms: ms(statistics.load_duration),
                prefill_ms: ms(statistics.prompt_eval_duration),
                // The time covers only the tokens that were not cached, so without their number there is no rate.
                prefill_tokens: prompt.zip(cached).map(|(prompt, cached)| prompt.saturating_sub(cached)),
                decode_ms: ms(statistics.eval_duration),
                decode_tokens: statistics.eval_duration.and(generated),
                draft_tokens: None,
                accepted_tokens: None,
            }));
        }
        out.event(Event::Finish(match reason.as_deref() {
            // Ollama says `stop` when the model ends its turn by asking for tools.
            Some("stop") | None if self.tool_calls > 0 => FinishReason::ToolCalls,
            Some("stop") | None => FinishReason::Stop,
            Some("length") => FinishReason::Length,
            Some(other) => FinishReason::Other(other.to_owned()),
        }));
    }
}

fn parse<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(line)
        .map_err(|error| problem::malformed(format!("a line of Ollama's stream: {error}: {}", excerpt(line))))
}
