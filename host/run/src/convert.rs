//! Between the words of plugins and those of the crates that do the work.

use bench_metrics as metrics;
use bench_plugin::driver_types::LocatedEvent;
use bench_plugin::types::{
    Event, FinishReason, HeaderPart, HttpRequest, HttpResponse, ResponseHeader, ServerTiming, Usage,
};
use bench_wire as wire;

/// A plugin's request for the wire. A header that names an optional secret which is not set is left out; `is_set` tells.
pub(crate) fn request(
    request: HttpRequest,
    is_set: impl Fn(&str) -> bool,
    is_required: impl Fn(&str) -> bool,
) -> wire::Request {
    let wanted = |part: &HeaderPart| match part {
        HeaderPart::Text(_) => true,
        HeaderPart::Secret(name) => is_set(name) || is_required(name),
    };
    let headers = request
        .headers
        .into_iter()
        .filter(|header| header.value.iter().all(wanted))
        .map(|header| wire::Header {
            name: header.name,
            value: header
                .value
                .into_iter()
                .map(|part| match part {
                    HeaderPart::Text(text) => wire::Part::Text(text),
                    HeaderPart::Secret(name) => wire::Part::Secret(name),
                })
                .collect(),
        })
        .collect();
    wire::Request { method: request.method, path: request.path, headers, body: request.body.into() }
}

/// An unmeasured answer for a plugin.
pub(crate) fn response(response: wire::Response) -> HttpResponse {
    HttpResponse { status: response.status, headers: headers(&response.headers), body: response.body.into() }
}

/// Response headers for a plugin.
pub(crate) fn headers(headers: &[(String, String)]) -> Vec<ResponseHeader> {
    headers.iter().map(|(name, value)| ResponseHeader { name: name.clone(), value: value.clone() }).collect()
}

/// A driver's event as the metrics see it: what kind, and how many; no text.
pub(crate) fn event(located: &LocatedEvent) -> metrics::Located {
    let fragment = |channel, text: &str| metrics::Event::Fragment { channel, bytes: length(text) };
    let event = match &located.event {
        Event::Start => metrics::Event::Start,
        Event::Text(text) => fragment(metrics::Channel::Text, text),
        Event::Reasoning(text) => fragment(metrics::Channel::Reasoning, text),
        Event::ToolCall(delta) => {
            let bytes = length(&delta.arguments).saturating_add(delta.name.as_deref().map_or(0, length));
            metrics::Event::Fragment { channel: metrics::Channel::ToolCall, bytes }
        }
        Event::TokenIds(ids) => metrics::Event::TokenIds(u32::try_from(ids.len()).unwrap_or(u32::MAX)),
        Event::Usage(usage) => metrics::Event::Usage(counts(usage)),
        Event::ServerTiming(timing) => metrics::Event::ServerTiming(server(timing)),
        Event::Finish(reason) => metrics::Event::Finish(finish(reason)),
        Event::Error(_) => metrics::Event::Error,
        Event::Logprobs(_) | Event::Other(_) => metrics::Event::Other,
    };
    metrics::Located { read: located.read, event }
}

fn length(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

fn counts(usage: &Usage) -> metrics::Usage {
    metrics::Usage {
        prompt: usage.prompt_tokens,
        cached: usage.cached_tokens,
        completion: usage.completion_tokens,
        reasoning: usage.reasoning_tokens,
    }
}

fn server(timing: &ServerTiming) -> metrics::ServerTiming {
    metrics::ServerTiming {
        queue_ms: timing.queue_ms,
        load_ms: timing.load_ms,
        prefill_ms: timing.prefill_ms,
        prefill_tokens: timing.prefill_tokens,
        decode_ms: timing.decode_ms,
        decode_tokens: timing.decode_tokens,
        draft_tokens: timing.draft_tokens,
        accepted_tokens: timing.accepted_tokens,
    }
}

fn finish(reason: &FinishReason) -> metrics::Finish {
    match reason {
        FinishReason::Stop => metrics::Finish::Stop,
        FinishReason::Length => metrics::Finish::Length,
        FinishReason::ToolCalls => metrics::Finish::ToolCalls,
        FinishReason::ContentFilter => metrics::Finish::ContentFilter,
        FinishReason::Other(word) => metrics::Finish::Other(word.clone()),
    }
}
