//! The events of a streamed message: `message_start`, blocks with their deltas, `message_delta` with the final usage and the
//! reason for stopping, `message_stop`; `ping` anywhere; `error` instead of what would have followed.

use bench_sdk::json::{excerpt, span, text};
use bench_sdk::problem;
use bench_sdk::stream::{Framing, Hole, Out, Protocol};
use bench_sdk::types::{Event, FinishReason, Problem, ToolCallDelta, Usage};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The data of any event.
#[derive(Debug, Deserialize)]
struct Data<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    index: u32,
    message: Option<Start>,
    content_block: Option<Block>,
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
    usage: Option<Counts>,
}

#[derive(Debug, Deserialize)]
struct Start {
    usage: Option<Counts>,
}

#[derive(Debug, Deserialize)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    name: Option<String>,
    text: Option<String>,
    thinking: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Delta<'a> {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    thinking: Option<&'a RawValue>,
    partial_json: Option<String>,
    stop_reason: Option<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
struct Counts {
    input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
    cache_creation: Option<CacheCreation>,
}

#[derive(Debug, Default, Clone, Deserialize)]
struct CacheCreation {
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Debug, Default, Clone, Deserialize)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

/// What the stream has said so far.
#[derive(Debug, Default)]
pub struct Messages {
    /// Counts of `message_start`; those of `message_delta` are totals that replace them where they are given.
    counts: Counts,
    /// Block indices of the tool calls so far: the position is the call's index.
    calls: Vec<u32>,
}

impl Protocol for Messages {
    const FRAMING: Framing = Framing::Sse;

    fn message(&mut self, _kind: &[u8], data: &[u8], out: &mut Out<'_>) -> Result<(), Problem> {
        let Data { kind, index, message, content_block, delta, usage } = serde_json::from_slice(data)
            .map_err(|error| problem::malformed(format!("an event of the stream: {error}: {}", excerpt(data))))?;
        match kind.as_str() {
            "message_start" => {
                out.event(Event::Start);
                if let Some(counts) = message.and_then(|message| message.usage) {
                    // The output count of this event stands for no text yet: it is left to `message_delta`.
                    self.count(Counts { output_tokens: None, ..counts }, out);
                }
            }
            "content_block_start" => {
                if let Some(block) = content_block {
                    self.block(index, block, out);
                }
            }
            "content_block_delta" => {
                if let Some(delta) = delta {
                    self.delta(index, delta, data, out);
                }
            }
            "message_delta" => {
                if let Some(counts) = usage {
                    self.count(counts, out);
                }
                if let Some(reason) = delta.and_then(|delta| delta.stop_reason) {
                    out.event(Event::Finish(finish(reason)));
                }
            }
            "error" => out.event(Event::Error(crate::errors::in_stream(data))),
            // These say nothing more about the answer.
            "content_block_stop" | "message_stop" | "ping" => {}
            other => out.event(Event::Other(other.to_owned())),
        }
        Ok(())
    }
}

impl Messages {
    fn block(&mut self, index: u32, block: Block, out: &mut Out<'_>) {
        match block.kind.as_str() {
            "tool_use" => {
                let call = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
                self.calls.push(index);
                out.event(Event::ToolCall(ToolCallDelta {
                    index: call,
                    id: block.id,
                    name: block.name,
                    arguments: String::new(),
                }));
            }
            "text" | "thinking" => {
                out.reasoning(block.thinking.unwrap_or_default());
                out.text(block.text.unwrap_or_default());
            }
            other => out.event(Event::Other(other.to_owned())),
        }
    }

    fn delta(&self, index: u32, delta: Delta<'_>, data: &[u8], out: &mut Out<'_>) {
        match delta.kind.as_str() {
            "text_delta" => fragment(delta.text, data, out, Out::text),
            "thinking_delta" => fragment(delta.thinking, data, out, Out::reasoning),
            "input_json_delta" => {
                // Blocks of tools that the service runs itself stream their input too; those are no calls of ours.
                let call = self.calls.iter().position(|&block| block == index);
                let arguments = delta.partial_json.filter(|json| !json.is_empty());
                if let (Some(call), Some(arguments)) = (call, arguments) {
                    let index = u32::try_from(call).unwrap_or(u32::MAX);
                    out.event(Event::ToolCall(ToolCallDelta { index, id: None, name: None, arguments }));
                }
            }
            // The signature of a thinking block is no output of the model.
            "signature_delta" => {}
            other => out.event(Event::Other(other.to_owned())),
        }
    }

    fn count(&mut self, counts: Counts, out: &mut Out<'_>) {
        let Counts { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens, .. } =
            counts.clone();
        let total_before = self.counts.cache_creation_input_tokens;
        let total = &mut self.counts;
        total.input_tokens = input_tokens.or(total.input_tokens);
        total.cache_read_input_tokens = cache_read_input_tokens.or(total.cache_read_input_tokens);
        total.cache_creation_input_tokens = cache_creation_input_tokens.or(total.cache_creation_input_tokens);
        total.output_tokens = output_tokens.or(total.output_tokens);
        let writes = cache_creation_input_tokens.filter(|writes| *writes > 0 && total_before != Some(*writes));
        if let Some(writes) = writes {
            let hour = counts.cache_creation.as_ref().and_then(|creation| creation.ephemeral_1h_input_tokens);
            let said = serde_json::json!({ "cache_write_tokens": writes, "cache_write_1h_tokens": hour.unwrap_or(0) });
            out.event(Event::Other(said.to_string()));
        }
        let thinking = counts.output_tokens_details.and_then(|details| details.thinking_tokens);
        out.event(Event::Usage(Usage {
            // `input_tokens` counts only what was neither read from the cache nor written to it.
            prompt_tokens: total.input_tokens.map(|fresh| {
                fresh
                    .saturating_add(total.cache_read_input_tokens.unwrap_or(0))
                    .saturating_add(total.cache_creation_input_tokens.unwrap_or(0))
            }),
            cached_tokens: total.cache_read_input_tokens,
            completion_tokens: total.output_tokens,
            reasoning_tokens: thinking,
        }));
    }
}

/// The one fragment of a message, and where it stands, so that the next like it is read fast.
fn fragment<'o>(raw: Option<&RawValue>, data: &[u8], out: &mut Out<'o>, add: fn(&mut Out<'o>, String) -> bool) {
    if let Some(raw) = raw
        && add(out, text(raw).unwrap_or_default())
        && let Some(place) = span(data, raw)
    {
        out.repeatable([(Hole::Fragment, place)]);
    }
}

fn finish(reason: String) -> FinishReason {
    match reason.as_str() {
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::ContentFilter,
        _ => FinishReason::Other(reason),
    }
}
