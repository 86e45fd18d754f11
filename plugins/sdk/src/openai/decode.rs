//! From chunks to events.

use std::marker::PhantomData;
use std::ops::Range;

use serde_json::value::RawValue;

use super::Dialect;
use super::chunk::{Choice, Chunk, Counts, Delta, ToolCall, parts, reason_of, token_logprobs};
use crate::json;
use crate::problem;
use crate::stream::{Framing, Hole, Out, Protocol};
use crate::types::{Event, FinishReason, Problem};

/// The protocol of a dialect's streams.
#[derive(Debug)]
pub struct Chunks<D> {
    done: bool,
    /// Text came in the field of refusals.
    refused: bool,
    dialect: PhantomData<D>,
}

impl<D> Default for Chunks<D> {
    fn default() -> Self {
        Self { done: false, refused: false, dialect: PhantomData }
    }
}

impl<D: Dialect> Protocol for Chunks<D> {
    const FRAMING: Framing = Framing::Sse;

    fn message(&mut self, kind: &[u8], data: &[u8], out: &mut Out<'_>) -> Result<(), Problem> {
        if data.trim_ascii() == b"[DONE]" {
            self.done = true;
            return Ok(());
        }
        if kind == b"error" {
            out.event(Event::Error(problem::from_said(&said(data))));
            return Ok(());
        }
        match self.read(data, out) {
            // Events of another name need not be JSON: some say only that the connection lives.
            Err(_) if !matches!(kind, b"" | b"message" | b"completion") => {
                out.event(Event::Other(json::excerpt(data)));
                Ok(())
            }
            read => read,
        }
    }

    fn document(&mut self, body: &[u8], out: &mut Out<'_>) -> Result<(), Problem> {
        let chunk = parse(body)?;
        match error_of(&chunk) {
            Some(_) => Err(problem::from_said(&said(body))),
            None => match problem::from_error_object(body).filter(|_| chunk.choices.is_none()) {
                Some(problem) => Err(problem),
                None => self.read(body, out),
            },
        }
    }

    fn comment(&mut self, text: &[u8], out: &mut Out<'_>) {
        D::comment(text, out);
    }

    fn complete(&self) -> bool {
        self.done
    }
}

fn parse(data: &[u8]) -> Result<Chunk<'_>, Problem> {
    serde_json::from_slice(data).map_err(|error| {
        problem::malformed(format!("a message of the stream cannot be read: {error}: {}", json::excerpt(data)))
    })
}

fn said(data: &[u8]) -> problem::Said {
    problem::said(data).unwrap_or_else(|| problem::Said { message: json::excerpt(data), ..problem::Said::default() })
}

impl<D: Dialect> Chunks<D> {
    fn read(&mut self, data: &[u8], out: &mut Out<'_>) -> Result<(), Problem> {
        let chunk = parse(data)?;
        if error_of(&chunk).is_some() {
            out.event(Event::Error(problem::from_said(&said(data))));
            return Ok(());
        }
        if chunk.choices.is_none() && chunk.usage.is_none() {
            if !D::foreign(data, out)? {
                out.event(
                    problem::from_error_object(data).map_or_else(|| Event::Other(json::excerpt(data)), Event::Error),
                );
            }
            return Ok(());
        }
        let mut holes = Holes { message: data, found: Vec::new(), complete: true };
        let mut finish = None;
        // Requests ask for one choice; another one would be another answer.
        let choice = chunk.choices.unwrap_or_default().into_iter().find(|choice| choice.index.unwrap_or(0) == 0);
        if let Some(choice) = choice {
            if let Some(error) = choice_error(&choice) {
                out.event(Event::Error(problem::from_said(&said(error.get().as_bytes()))));
                return Ok(());
            }
            let native = choice.native_finish_reason.and_then(json::text);
            let word = choice.finish_reason.and_then(json::text).filter(|word| !word.is_empty());
            finish = word.map(|word| (word, native));
            holes.complete &= finish.is_none();
            self.refused |= choice_events(choice, out, &mut holes);
        }
        let counted = chunk.usage.as_ref().and_then(Counts::usage);
        let timed = chunk.timings.as_ref();
        if let Some(usage) = counted.or_else(|| timed?.usage()) {
            out.event(Event::Usage(usage));
        }
        if let Some(counts) = &chunk.usage {
            holes.number(Hole::CompletionTokens, counts.completion_tokens);
            holes.number(Hole::Unused, counts.total_tokens);
        }
        let timing = timed.map(|timings| timings.timing()).or_else(|| chunk.usage.as_ref()?.timing());
        if let Some(timing) = timing {
            holes.complete = false;
            out.event(Event::ServerTiming(timing));
        }
        if holes.complete && holes.found.iter().any(|(hole, _)| *hole == Hole::Fragment) {
            out.repeatable(holes.found);
        } else {
            D::extra(data, out);
        }
        if let Some((word, native)) = finish {
            out.event(Event::Finish(match reason_of(word, native) {
                FinishReason::Stop if self.refused => FinishReason::ContentFilter,
                reason => reason,
            }));
        }
        Ok(())
    }
}

/// The error of a chunk that stands beside its choices.
fn error_of<'a>(chunk: &Chunk<'a>) -> Option<&'a RawValue> {
    chunk.error.filter(|error| problem::is_error(error.get()))
}

/// The error within a choice.
fn choice_error<'a>(choice: &Choice<'a>) -> Option<&'a RawValue> {
    let of = |delta: &Option<Delta<'a>>| delta.as_ref().and_then(|delta| delta.error);
    let errors = [choice.error, of(&choice.delta), of(&choice.message)];
    errors.into_iter().flatten().find(|error| problem::is_error(error.get()))
}

/// Adds the events of a choice. Answers whether it brought the text of a refusal.
fn choice_events(choice: Choice<'_>, out: &mut Out<'_>, holes: &mut Holes<'_>) -> bool {
    let delta = choice.delta.or(choice.message).unwrap_or_default();
    let Delta { content, reasoning_content, reasoning, refusal, tool_calls, function_call, error: _ } = delta;
    let mut any = false;
    // Some backends send the same reasoning under both names.
    for raw in [reasoning_content, reasoning].into_iter().flatten() {
        let Some(text) = json::text(raw) else { continue };
        if any {
            holes.literal(Hole::UnusedText, raw);
        } else if out.reasoning(text) {
            holes.literal(Hole::Fragment, raw);
            any = true;
        }
    }
    // Some backends repeat a chat's content in the field of text completions.
    let spoken = |raw: &RawValue| json::text(raw).is_some_and(|text| !text.is_empty());
    let (text, repeated) = match choice.text {
        Some(text) if content.is_some_and(spoken) => (None, Some(text)),
        text => (text, None),
    };
    if let Some(raw) = repeated.filter(|raw| spoken(raw)) {
        holes.literal(Hole::UnusedText, raw);
    }
    for raw in [content, text, refusal].into_iter().flatten() {
        if let Some(text) = json::text(raw) {
            if out.text(text) {
                holes.literal(Hole::Fragment, raw);
                any = true;
            }
        } else {
            let (text, reasoning) = parts(raw);
            let reasoned = out.reasoning(reasoning);
            any |= out.text(text) || reasoned;
        }
    }
    let refused = refusal.and_then(json::text).is_some_and(|text| !text.is_empty());
    if refused {
        // The fast path knows nothing of the state that this leaves.
        holes.complete = false;
    }
    let legacy = function_call.map(|function| ToolCall { index: None, id: None, function: Some(function) });
    for (position, call) in tool_calls.unwrap_or_default().into_iter().chain(legacy).enumerate() {
        let arguments = call.function.as_ref().and_then(|function| function.arguments);
        out.event(Event::ToolCall(call.delta(position)));
        any = true;
        if let Some(raw) = arguments.filter(|raw| raw.get().starts_with('"')) {
            holes.literal(Hole::Fragment, raw);
        }
    }
    if !any {
        out.start();
    }
    if let Some(raw) = choice.token_ids
        && let Ok(ids) = serde_json::from_str::<Vec<u32>>(raw.get())
        && !ids.is_empty()
    {
        out.event(Event::TokenIds(ids));
        holes.literal(Hole::TokenIds, raw);
    }
    if let Some(raw) = choice.logprobs.filter(|raw| raw.get() != "null") {
        let text = content.or(choice.text).and_then(json::text).unwrap_or_default();
        let logprobs = token_logprobs(raw, &text);
        // A text that stands for a token is no hole.
        holes.complete &= logprobs.is_empty();
        if !logprobs.is_empty() {
            out.event(Event::Logprobs(logprobs));
        }
    }
    refused
}

/// Collects where the values stand that change from chunk to chunk.
struct Holes<'a> {
    message: &'a [u8],
    found: Vec<(Hole, Range<usize>)>,
    complete: bool,
}

impl Holes<'_> {
    fn literal(&mut self, hole: Hole, raw: &RawValue) {
        match json::span(self.message, raw) {
            Some(span) => self.found.push((hole, span)),
            None => self.complete = false,
        }
    }

    fn number(&mut self, hole: Hole, raw: Option<&RawValue>) {
        if let Some(raw) = raw.filter(|raw| json::integer(raw.get().as_bytes()).is_some()) {
            self.literal(hole, raw);
        }
    }
}
