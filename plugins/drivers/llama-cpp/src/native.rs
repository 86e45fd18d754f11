//! llama.cpp's own `/completion`: counts and token ids with every chunk, times in the last one, and no `[DONE]`.

use bench_sdk::json;
use bench_sdk::openai::{Request, Timings, TokenEntry};
use bench_sdk::problem;
use bench_sdk::stream::{Hole, Out};
use bench_sdk::types::{Event, FinishReason, Generation, Problem, Usage};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Turns a request for `/v1/completions` into one for `/completion`.
pub fn amend(request: &mut Request, generation: &Generation) {
    request.path = "/completion".to_owned();
    // A router of several models goes by `model`; a server of one takes no notice of it.
    for name in ["max_tokens", "stream_options", "logprobs"] {
        request.body.remove(name);
    }
    request.set("n_predict", generation.max_tokens);
    request.set("return_tokens", true);
    if let Some(alternatives) = generation.logprobs {
        // The chosen token is the first of the alternatives; with zero the server reports nothing.
        request.set("n_probs", alternatives.max(1));
    }
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    content: &'a RawValue,
    #[serde(borrow, default)]
    tokens: Option<&'a RawValue>,
    #[serde(default)]
    stop: bool,
    #[serde(default)]
    stop_type: Option<String>,
    #[serde(borrow, default)]
    tokens_predicted: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tokens_evaluated: Option<&'a RawValue>,
    #[serde(default)]
    completion_probabilities: Vec<TokenEntry>,
    #[serde(default)]
    timings: Option<Timings>,
}

/// Reads a chunk; answers false where the message is none.
pub fn message(message: &[u8], out: &mut Out<'_>) -> Result<bool, Problem> {
    let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(message) else { return Ok(false) };
    let text = json::text(chunk.content)
        .ok_or_else(|| problem::malformed(format!("`content` is no text: {}", json::excerpt(message))))?;
    if !out.text(text) {
        out.start();
    }
    let ids = chunk.tokens.and_then(|raw| serde_json::from_str::<Vec<u32>>(raw.get()).ok()).unwrap_or_default();
    if !ids.is_empty() {
        out.event(Event::TokenIds(ids));
    }
    let logprobs: Vec<_> = chunk.completion_probabilities.into_iter().filter_map(Into::into).collect();
    if !logprobs.is_empty() {
        out.event(Event::Logprobs(logprobs));
    }
    let counted = Usage {
        prompt_tokens: chunk.tokens_evaluated.and_then(json::count),
        cached_tokens: None,
        completion_tokens: chunk.tokens_predicted.and_then(json::count),
        reasoning_tokens: None,
    };
    let usage = chunk.timings.as_ref().and_then(Timings::usage).unwrap_or(counted);
    if usage.prompt_tokens.or(usage.completion_tokens).is_some() {
        out.event(Event::Usage(usage));
    }
    if let Some(timings) = &chunk.timings {
        out.event(Event::ServerTiming(timings.timing()));
    }
    if chunk.stop {
        out.event(Event::Finish(match chunk.stop_type.as_deref() {
            Some("limit") => FinishReason::Length,
            Some("eos" | "word") | None => FinishReason::Stop,
            Some(other) => FinishReason::Other(other.to_owned()),
        }));
        return Ok(true);
    }
    let holes = [
        (Hole::Fragment, Some(chunk.content)),
        (Hole::TokenIds, chunk.tokens),
        (Hole::CompletionTokens, chunk.tokens_predicted),
    ];
    out.repeatable(holes.into_iter().filter_map(|(hole, raw)| Some((hole, json::span(message, raw?)?))));
    Ok(true)
}
