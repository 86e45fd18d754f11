//! What one message of a stream costs to decode: in the sandbox, under the limits and the deadline that a run sets, against
//! the same decoder compiled natively.
//!
//! Streams are recorded ones whose middle is repeated. Every message has a read of its own, which is the most reads that
//! a stream can have. Times are of whole calls: entering the sandbox, copying the body in and lifting the events out are
//! part of the cost.

use std::ops::Range;

use bench_plugin::types::ResponseHeader;
use bench_plugin::{Host, HostOptions, Limits};
use bench_sdk::driver::{Decode as _, Driver as Native};
use bench_sdk::testkit::{self, Recording};
use bench_sdk::types::Event;

mod common;
use common::{Outcome, bundle, median, nanos, rounds, row, timed, workspace};

/// Messages per stream: ten batches and more of the size that matters.
const MESSAGES: usize = 12_000;

/// Bytes that the native decoder takes at once, as the host hands them over.
const BATCH: usize = 1 << 20;

/// A stream to decode.
struct Stream {
    headers: Vec<ResponseHeader>,
    body: Vec<u8>,
    ends: Vec<u32>,
}

struct Case {
    driver: &'static str,
    /// Folder of the fixture; the generic driver is measured on another's.
    folder: &'static str,
    fixture: &'static str,
    native: fn(&Stream) -> usize,
    lasting: fn(&[u8]) -> bool,
}

fn case<D: Native>(driver: &'static str, fixture: &'static str) -> Case {
    Case { driver, folder: driver, fixture, native: native::<D>, lasting: lasting::<D> }
}

fn cases() -> Vec<Case> {
    vec![
        case::<driver_llama_cpp::Plugin>("llama-cpp", "chat"),
        case::<driver_llama_cpp::Plugin>("llama-cpp", "native"),
        case::<driver_vllm::Plugin>("vllm", "chat"),
        case::<driver_vllm::Plugin>("vllm", "chat-plain"),
        case::<driver_vllm::Plugin>("vllm", "chat-tools"),
        case::<driver_mlx::Plugin>("mlx", "chat"),
        Case { folder: "llama-cpp", ..case::<driver_openai::Plugin>("openai", "chat") },
        case::<driver_ollama::Ollama>("ollama", "chat.stream"),
        case::<driver_sglang::Plugin>("sglang", "chat.stream"),
        case::<driver_tabby::Plugin>("tabby", "chat.stream"),
        case::<driver_tensorrt_llm::Plugin>("tensorrt-llm", "chat.stream"),
        case::<driver_lm_studio::Plugin>("lm-studio", "chat.stream"),
        case::<driver_openai_api::Plugin>("openai-api", "chat"),
        case::<driver_anthropic::Anthropic>("anthropic", "text.stream"),
        case::<driver_openrouter::Plugin>("openrouter", "chat.stream"),
        case::<driver_together::Plugin>("together", "chat.stream"),
        case::<driver_fireworks::Plugin>("fireworks", "chat.stream"),
        case::<driver_groq::Plugin>("groq", "chat.stream"),
    ]
}

fn main() -> Outcome {
    let host = Host::new(HostOptions { cache: None });
    let components = bundle()?;
    row(&["driver/fixture", "messages", "bytes each", "sandbox ns", "native ns", "ratio"]);
    for case in cases() {
        let component = components
            .iter()
            .find(|component| component.kind == "driver" && component.name == case.driver)
            .ok_or("a driver is not in the bundle")?;
        let mut driver = host.load(&component.bytes, Limits::DEFAULT)?.driver()?;
        let path = format!("plugins/drivers/{}/fixtures/{}.json", case.folder, case.fixture);
        let recording = Recording::load(workspace(&path)).map_err(|error| format!("{path}: {error:?}"))?;
        let stream = lengthened(&recording, case.lasting);
        let messages = stream.ends.len() as f64;
        let (mut sandboxed, mut native, mut ratio) = (Vec::new(), Vec::new(), Vec::new());
        // The first round warms caches and the guest's memory.
        for round in 0..=rounds(31) {
            let (events, inside) = timed(|| driver.decode(&stream.headers, &stream.body, &stream.ends));
            let events = events.map_err(|error| format!("{path}: {}", error.fault))?;
            let (count, outside) = timed(|| (case.native)(&stream));
            if count != events.len() {
                return Err(format!("{path}: {} events in the sandbox, {count} outside", events.len()).into());
            }
            if round > 0 {
                sandboxed.push(nanos(inside) / messages);
                native.push(nanos(outside) / messages);
                ratio.push(nanos(inside) / nanos(outside));
            }
        }
        row(&[
            &format!("{}/{}", case.driver, case.fixture),
            &format!("{messages}"),
            &format!("{:.0}", stream.body.len() as f64 / messages),
            &format!("{:.0}", median(sandboxed)),
            &format!("{:.0}", median(native)),
            &format!("{:.2}", median(ratio)),
        ]);
    }
    Ok(())
}

/// Decodes natively as a guest would: bytes are copied in batch by batch, events are returned batch by batch.
fn native<D: Native>(stream: &Stream) -> usize {
    let headers = stream
        .headers
        .iter()
        .map(|header| bench_sdk::types::ResponseHeader { name: header.name.clone(), value: header.value.clone() });
    let decoder = D::Decoder::new(headers.collect());
    let (mut start, mut first, mut events) = (0, 0, Vec::new());
    while first < stream.ends.len() {
        let rest = &stream.ends[first..];
        let reads = rest.partition_point(|end| *end as usize <= start + BATCH).max(1);
        let end = rest[reads - 1] as usize;
        let ends = rest[..reads].iter().map(|end| end - start as u32).collect();
        events.extend(decoder.push(stream.body[start..end].to_vec(), ends).unwrap_or_default());
        start = end;
        first += reads;
    }
    events.extend(decoder.finish().unwrap_or_default());
    events.len()
}

/// Is this message one of the middle of an answer: a fragment, and the stream goes on?
fn lasting<D: Native>(message: &[u8]) -> bool {
    let (events, _) = testkit::run::<D::Decoder>(&[], [(message.to_vec(), vec![message.len() as u32])]);
    let fragment = |event: &Event| matches!(event, Event::Text(_) | Event::Reasoning(_) | Event::ToolCall(_));
    let plain = |event: &Event| fragment(event) || matches!(event, Event::TokenIds(_) | Event::Usage(_));
    events.iter().any(|located| fragment(&located.event)) && events.iter().all(|located| plain(&located.event))
}

/// The recording with its middle repeated up to [`MESSAGES`] messages, one read each.
fn lengthened(recording: &Recording, lasting: fn(&[u8]) -> bool) -> Stream {
    let body = recording.body();
    let messages = messages(&body);
    let middle: Vec<&Range<usize>> = messages.iter().filter(|range| lasting(&body[(*range).clone()])).collect();
    let first = middle.first().map_or(0, |range| range.start);
    let last = middle.last().map_or(0, |range| range.end);
    let before = messages.iter().filter(|range| range.end <= first);
    let after = messages.iter().filter(|range| range.start >= last);
    let mut stream = Stream {
        headers: recording
            .headers
            .iter()
            .map(|header| ResponseHeader { name: header.name.clone(), value: header.value.clone() })
            .collect(),
        body: Vec::new(),
        ends: Vec::new(),
    };
    for range in before.chain(middle.into_iter().cycle().take(MESSAGES)).chain(after) {
        stream.body.extend_from_slice(&body[range.clone()]);
        stream.ends.push(stream.body.len() as u32);
    }
    stream
}

/// Where the messages of a body lie: up to a blank line, or line by line where there is none.
fn messages(body: &[u8]) -> Vec<Range<usize>> {
    let blank = |at: usize| body[at..].starts_with(b"\n\n") || body[at..].starts_with(b"\n\r\n");
    let framed = (0..body.len()).any(blank);
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < body.len() {
        let end = if framed && blank(at) {
            at + if body[at + 1] == b'\n' { 2 } else { 3 }
        } else if !framed && body[at] == b'\n' {
            at + 1
        } else {
            at += 1;
            continue;
        };
        found.push(start..end);
        start = end;
        at = end;
    }
    if start < body.len() {
        found.push(start..body.len());
    }
    found
}
