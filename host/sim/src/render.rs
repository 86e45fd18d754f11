//! Turns beats into the bytes of writes, one ahead of its time, with room left for the emission stamp.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;
use std::vec;

use serde_json::Value;

use crate::answer;
use crate::config::SimConfig;
use crate::http;
use crate::protocol::Asked;
use crate::schedule::{Act, Ask, Beat, Item, first_token_ns};
use crate::stamp::{WIDTH, patch};

const BETWEEN: &str = ",\"emitted_ns\":";

/// One write.
#[derive(Debug)]
pub(crate) struct Frame {
    pub due_ns: u64,
    pub bytes: Vec<u8>,
    /// Where in `bytes` an emission stamp goes.
    stamps: Vec<usize>,
    /// Tokens of the answer whose last byte is in this write.
    pub tokens: u32,
}

impl Frame {
    /// Puts the emission stamp into every event.
    pub(crate) fn stamp(&mut self, emitted_ns: u64) {
        for &at in &self.stamps {
            if let Some(field) = self.bytes.get_mut(at..at + WIDTH) {
                patch(field, emitted_ns);
            }
        }
    }

    /// Whether an event ends in this write, so that being on time matters.
    pub(crate) fn is_stamped(&self) -> bool {
        !self.stamps.is_empty()
    }
}

/// What the pacer does next.
#[derive(Debug)]
pub(crate) enum Step {
    Write(Frame),
    Cut { due_ns: u64 },
    Hang,
}

/// The facts of one answer that its events repeat.
pub(crate) struct Facts {
    pub config: Arc<SimConfig>,
    pub schedule_id: Arc<str>,
    pub asked: Asked,
    pub ask: Ask,
    pub tokens: Arc<[u32]>,
    /// Seconds since 1970.
    pub created: u64,
    pub start_ns: u64,
    /// Whether the head says that the connection closes.
    pub close: bool,
}

/// The steps of one answer.
pub(crate) struct Script {
    facts: Facts,
    prefix: String,
    beats: vec::IntoIter<Beat>,
    ready: VecDeque<Step>,
    decode_ns: u64,
    seq: u32,
}

/// The bytes of a write while it is put together.
#[derive(Default)]
struct Draft {
    head: String,
    payload: Vec<u8>,
    /// Where in `payload` each event's due time goes; its emission stamp follows at a fixed distance.
    dues: Vec<usize>,
    tokens: u32,
    ends: bool,
}

impl Script {
    pub(crate) fn new(facts: Facts, beats: Vec<Beat>) -> Self {
        let (id, object) = match (facts.asked.chat, facts.asked.stream) {
            (true, true) => ("chatcmpl", "chat.completion.chunk"),
            (true, false) => ("chatcmpl", "chat.completion"),
            (false, _) => ("cmpl", "text_completion"),
        };
        let prefix = format!(
            "{{\"id\":\"{id}-sim-{}\",\"object\":\"{object}\",\"created\":{},\"model\":{}",
            facts.ask.number,
            facts.created,
            quote(&facts.asked.model)
        );
        let carries_tokens = |beat: &&Beat| matches!(&beat.act, Act::Write(items) if items.iter().any(|item| matches!(item, Item::Tokens { .. })));
        let first = beats.iter().find(carries_tokens).map_or(0, |beat| beat.at_ns);
        let last = beats.iter().rev().find(carries_tokens).map_or(0, |beat| beat.at_ns);
        Self { facts, prefix, beats: beats.into_iter(), ready: VecDeque::new(), decode_ns: last - first, seq: 0 }
    }

    /// The next step, or none when the answer is complete.
    pub(crate) fn next(&mut self) -> Option<Step> {
        while self.ready.is_empty() {
            let beat = self.beats.next()?;
            let due_ns = self.facts.start_ns.saturating_add(beat.at_ns);
            match beat.act {
                Act::Cut => self.ready.push_back(Step::Cut { due_ns }),
                Act::Hang => self.ready.push_back(Step::Hang),
                Act::Write(items) => self.write(due_ns, &items),
            }
        }
        self.ready.pop_front()
    }

    fn write(&mut self, due_ns: u64, items: &[Item]) {
        let mut draft = Draft::default();
        for item in items {
            self.item(&mut draft, item);
        }
        let split = self.facts.config.framing.split_utf8_us.filter(|_| draft.tokens > 0 && self.facts.asked.stream);
        let cut = draft.payload.iter().position(|byte| !byte.is_ascii()).map(|place| place + 1);
        let chunked = self.facts.asked.stream;
        let frames = match (split, cut) {
            (Some(later_us), Some(cut)) => draft.halves(cut, due_ns, due_ns.saturating_add(later_us * 1_000)),
            _ => vec![draft.whole(due_ns, chunked)],
        };
        self.ready.extend(frames.into_iter().map(Step::Write));
    }

    fn item(&mut self, draft: &mut Draft, item: &Item) {
        let facts = &self.facts;
        let end = facts.config.framing.line_ends.text();
        match item {
            Item::Head => draft.head = stream_head(facts),
            Item::Comment(index, of) => {
                draft.payload.extend_from_slice(format!(": keep-alive {index}/{of}{end}{end}").as_bytes());
            }
            Item::EmptyChoices => self.event(draft, ",\"choices\":[]", &self.chunk_usage(0)),
            Item::Role => {
                let choice = choice("\"delta\":{\"role\":\"assistant\",\"content\":\"\"}", "null");
                self.event(draft, &choice, &self.chunk_usage(0));
            }
            Item::Tokens { from, to } => {
                let choice = self.tokens(*from, *to);
                self.event(draft, &choice, &self.chunk_usage(*to));
                draft.tokens += to - from;
            }
            Item::BadJson => {
                let bytes = format!("data: {},\"choices\":[{{\"index\":0,\"del{end}{end}", self.prefix);
                draft.payload.extend_from_slice(bytes.as_bytes());
            }
            Item::Error(message) => {
                let body = http::error_body(500, "server_error", None, message);
                draft.payload.extend_from_slice(format!("data: {body}{end}{end}").as_bytes());
            }
            Item::Finish => {
                let empty = if facts.asked.chat { "\"delta\":{}" } else { "\"text\":\"\"" };
                let choice = choice(empty, &quote(self.finish_reason()));
                let mut rest = self.chunk_usage(facts.ask.tokens);
                if !facts.ask.final_usage {
                    rest += &self.timings();
                }
                self.event(draft, &choice, &rest);
            }
            Item::Usage => {
                let rest = self.usage(facts.ask.tokens) + &self.timings();
                self.event(draft, ",\"choices\":[]", &rest);
            }
            Item::End => {
                draft.payload.extend_from_slice(format!("data: [DONE]{end}{end}").as_bytes());
                draft.ends = true;
            }
            Item::Body => self.body(draft, false),
            Item::BadBody => self.body(draft, true),
            Item::ErrorBody(message) => {
                let body = http::error_body(500, "server_error", None, message);
                draft.head = body_head(facts, 500, body.len());
                draft.payload = body.into_bytes();
            }
        }
    }

    /// Adds an event: the answer's own fields, then `choices`, then the rest, then the stamp.
    fn event(&mut self, draft: &mut Draft, choices: &str, rest: &str) {
        let end = self.facts.config.framing.line_ends.text();
        draft.payload.extend_from_slice(b"data: ");
        draft.object(&self.prefix, choices, rest, self.seq);
        draft.payload.extend_from_slice(end.repeat(2).as_bytes());
        self.seq += 1;
    }

    fn body(&mut self, draft: &mut Draft, cut: bool) {
        let facts = &self.facts;
        let said = facts.ask.tokens;
        let content =
            if facts.asked.chat { self.message() } else { format!("\"text\":{}", quote(&self.text(0, said))) };
        let choice = choice(&content, &quote(self.finish_reason()));
        let usage = if facts.asked.final_usage { self.usage(said) } else { String::new() };
        draft.object(&self.prefix, &choice, &(usage + &self.timings()), self.seq);
        draft.tokens = said;
        if cut {
            draft.dues.clear();
            draft.payload.truncate(draft.payload.len() / 2);
        }
        draft.head = body_head(facts, 200, draft.payload.len());
    }

    fn message(&self) -> String {
        let facts = &self.facts;
        let reasoning = facts.ask.reasoning_tokens;
        let mut message = String::from("\"message\":{\"role\":\"assistant\"");
        if reasoning > 0 {
            let text = quote(&self.text(0, reasoning));
            let _ = write!(message, ",\"{}\":{text}", facts.config.reasoning_field.name());
        }
        let rest = quote(&self.text(reasoning, facts.ask.tokens));
        match &facts.asked.tool {
            Some(call) => {
                let name = quote(&call.name);
                let _ = write!(
                    message,
                    ",\"content\":null,\"tool_calls\":[{{\"id\":\"call-sim-{}\",\"type\":\"function\",\"function\":{{\"name\":{name},\"arguments\":{rest}}}}}]",
                    facts.ask.number
                );
            }
            None => {
                let _ = write!(message, ",\"content\":{rest}");
            }
        }
        message.push('}');
        message
    }

    /// The `choices` of a chunk with tokens.
    fn tokens(&self, from: u32, to: u32) -> String {
        let facts = &self.facts;
        let text = quote(&self.text(from, to));
        let reasoning = facts.ask.reasoning_tokens;
        let mut content = match &facts.asked.tool {
            _ if !facts.asked.chat => format!("\"text\":{text}"),
            _ if from < reasoning => format!("\"delta\":{{\"{}\":{text}}}", facts.config.reasoning_field.name()),
            Some(call) => {
                let mut intro = String::new();
                let mut name = String::new();
                if from == reasoning {
                    let _ = write!(intro, ",\"id\":\"call-sim-{}\",\"type\":\"function\"", facts.ask.number);
                    let _ = write!(name, "\"name\":{},", quote(&call.name));
                }
                format!(
                    "\"delta\":{{\"tool_calls\":[{{\"index\":0{intro},\"function\":{{{name}\"arguments\":{text}}}}}]}}"
                )
            }
            None => format!("\"delta\":{{\"content\":{text}}}"),
        };
        if facts.asked.token_ids {
            let place = |index: u32| usize::try_from(index).unwrap_or(usize::MAX);
            let ids = facts.tokens.get(place(from)..place(to)).unwrap_or_default();
            let ids = ids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
            let _ = write!(content, ",\"token_ids\":[{ids}]");
        }
        choice(&content, "null")
    }

    fn text(&self, from: u32, to: u32) -> String {
        answer::text(&self.facts.tokens, from, to)
    }

    fn finish_reason(&self) -> &'static str {
        match (self.facts.asked.stops, &self.facts.asked.tool) {
            (false, _) => "length",
            (true, Some(_)) => "tool_calls",
            (true, None) => "stop",
        }
    }

    fn chunk_usage(&self, said: u32) -> String {
        if self.facts.asked.chunk_usage { self.usage(said) } else { String::new() }
    }

    fn usage(&self, said: u32) -> String {
        let Facts { ask, config, .. } = &self.facts;
        let total = u64::from(ask.prompt_tokens) + u64::from(said);
        let mut usage = format!(
            ",\"usage\":{{\"prompt_tokens\":{},\"completion_tokens\":{said},\"total_tokens\":{total}",
            ask.prompt_tokens
        );
        if config.prefix_cache.is_some() {
            let _ = write!(usage, ",\"prompt_tokens_details\":{{\"cached_tokens\":{}}}", ask.cached_tokens);
        }
        if ask.reasoning_tokens > 0 {
            let reasoning = ask.reasoning_tokens.min(said);
            let _ = write!(usage, ",\"completion_tokens_details\":{{\"reasoning_tokens\":{reasoning}}}");
        }
        usage.push('}');
        usage
    }

    /// Times as scheduled, in milliseconds, under the names that llama.cpp's server uses.
    fn timings(&self) -> String {
        let Facts { ask, config, .. } = &self.facts;
        if !config.timings {
            return String::new();
        }
        format!(
            ",\"timings\":{{\"cache_n\":{},\"prompt_n\":{},\"prompt_ms\":{},\"predicted_n\":{},\"predicted_ms\":{}}}",
            ask.cached_tokens,
            ask.prompt_tokens - ask.cached_tokens,
            milliseconds(first_token_ns(config, ask)),
            ask.tokens,
            milliseconds(self.decode_ns),
        )
    }
}

impl Draft {
    /// Adds a JSON object with room for its stamp.
    fn object(&mut self, prefix: &str, choices: &str, rest: &str, seq: u32) {
        let stamp = format!(",\"bench_sim\":{{\"seq\":{seq:>7},\"due_ns\":");
        for part in [prefix, choices, rest, &stamp] {
            self.payload.extend_from_slice(part.as_bytes());
        }
        self.dues.push(self.payload.len());
        self.payload.extend_from_slice(format!("{:>WIDTH$}{BETWEEN}{:>WIDTH$}}}}}", 0, 0).as_bytes());
    }

    fn whole(mut self, due_ns: u64, chunked: bool) -> Frame {
        let dues = std::mem::take(&mut self.dues);
        let payload = std::mem::take(&mut self.payload);
        frame(due_ns, self.head.as_bytes(), &payload, dues, chunked.then_some(self.ends), self.tokens)
    }

    /// Two writes, the second one from byte `cut` of the payload.
    fn halves(self, cut: usize, due_ns: u64, later_ns: u64) -> Vec<Frame> {
        let (front, back) = self.payload.split_at(cut.min(self.payload.len()));
        let (early, late): (Vec<usize>, Vec<usize>) = self.dues.iter().partition(|at| **at < cut);
        let late = late.into_iter().map(|at| at - cut).collect();
        vec![
            frame(due_ns, self.head.as_bytes(), front, early, Some(false), 0),
            frame(later_ns, b"", back, late, Some(self.ends), self.tokens),
        ]
    }
}

/// Puts the due time into the events and the bytes into HTTP's chunks, where `chunked` says whether the body ends here.
fn frame(due_ns: u64, head: &[u8], payload: &[u8], dues: Vec<usize>, chunked: Option<bool>, tokens: u32) -> Frame {
    let mut bytes = Vec::with_capacity(head.len() + payload.len() + 24);
    bytes.extend_from_slice(head);
    if chunked.is_some() && !payload.is_empty() {
        bytes.extend_from_slice(format!("{:x}\r\n", payload.len()).as_bytes());
    }
    let origin = bytes.len();
    bytes.extend_from_slice(payload);
    if chunked.is_some() && !payload.is_empty() {
        bytes.extend_from_slice(b"\r\n");
    }
    if chunked == Some(true) {
        bytes.extend_from_slice(b"0\r\n\r\n");
    }
    let mut stamps = Vec::with_capacity(dues.len());
    for at in dues {
        if let Some(field) = bytes.get_mut(origin + at..origin + at + WIDTH) {
            patch(field, due_ns);
        }
        stamps.push(origin + at + WIDTH + BETWEEN.len());
    }
    Frame { due_ns, bytes, stamps, tokens }
}

fn choice(content: &str, finish_reason: &str) -> String {
    format!(",\"choices\":[{{\"index\":0,{content},\"logprobs\":null,\"finish_reason\":{finish_reason}}}]")
}

fn stream_head(facts: &Facts) -> String {
    let mut head = own_head(facts, 200, "text/event-stream; charset=utf-8");
    head.push_str("cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n");
    head
}

fn body_head(facts: &Facts, status: u16, length: usize) -> String {
    let mut head = own_head(facts, status, "application/json");
    let _ = write!(head, "content-length: {length}\r\n\r\n");
    head
}

fn own_head(facts: &Facts, status: u16, content_type: &str) -> String {
    let mut head = http::head(status, content_type, facts.close);
    let _ = write!(head, "bench-sim-schedule: {}\r\nbench-sim-request: {}\r\n", facts.schedule_id, facts.ask.number);
    head
}

fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

fn milliseconds(ns: u64) -> String {
    format!("{}.{:06}", ns / 1_000_000, ns % 1_000_000)
}
