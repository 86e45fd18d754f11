//! Turns beats into the bytes of writes, one ahead of its time, with room left for the emission stamp.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use serde_json::Value;

use crate::answer;
use crate::config::SimConfig;
use crate::http;
use crate::protocol::Asked;
use crate::schedule::{Act, Ask, Beats, Item, first_token_ns};
use crate::stamp::{WIDTH, patch};

const SEQ: &str = ",\"bench_sim\":{\"seq\":";
/// Digits of a place in the stream.
const SEQ_WIDTH: usize = 7;
const BLANK: [u8; SEQ_WIDTH] = [b' '; SEQ_WIDTH];
const DUE: &str = ",\"due_ns\":";
const BETWEEN: &str = ",\"emitted_ns\":";

/// One write.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    pub due_ns: u64,
    pub bytes: Vec<u8>,
    /// Where in `bytes` an emission stamp goes.
    stamps: Vec<usize>,
    /// Tokens of the answer whose last byte is in this write.
    pub tokens: u32,
    /// An event is in this write, so that being on time matters.
    pub has_event: bool,
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

    /// Puts the due time into the events and the bytes into HTTP's chunks, where `chunked` says whether the body ends here.
    fn fill(&mut self, head: &str, payload: &[u8], dues: impl Iterator<Item = usize>, chunked: Option<bool>) {
        let bytes = &mut self.bytes;
        bytes.clear();
        bytes.extend_from_slice(head.as_bytes());
        if chunked.is_some() && !payload.is_empty() {
            // Writing into memory cannot fail.
            let _ = io::Write::write_fmt(bytes, format_args!("{:x}\r\n", payload.len()));
        }
        let origin = bytes.len();
        bytes.extend_from_slice(payload);
        if chunked.is_some() && !payload.is_empty() {
            bytes.extend_from_slice(b"\r\n");
        }
        if chunked == Some(true) {
            bytes.extend_from_slice(b"0\r\n\r\n");
        }
        self.stamps.clear();
        for at in dues {
            if let Some(field) = bytes.get_mut(origin + at..origin + at + WIDTH) {
                patch(field, self.due_ns);
            }
            self.stamps.push(origin + at + WIDTH + BETWEEN.len());
        }
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
    beats: Beats,
    ready: VecDeque<Step>,
    /// When the first and the last write with tokens were due, in nanoseconds after the start.
    decoded_ns: Option<(u64, u64)>,
    seq: u32,
    draft: Draft,
}

/// The bytes of a write while it is put together. It is kept from write to write, so that a long answer allocates nothing.
#[derive(Default)]
struct Draft {
    head: String,
    payload: Vec<u8>,
    /// Where in `payload` each event's due time goes; its emission stamp follows at a fixed distance.
    dues: Vec<usize>,
    tokens: u32,
    events: u32,
    ends: bool,
    /// A frame that was written, for its memory.
    spare: Option<Frame>,
    choice: Vec<u8>,
    text: String,
}

impl Script {
    pub(crate) fn new(facts: Facts, beats: Beats) -> Self {
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
        let (ready, draft) = (VecDeque::new(), Draft::default());
        Self { facts, prefix, beats, ready, decoded_ns: None, seq: 0, draft }
    }

    /// The next step, or none when the answer is complete. `done` is the write before it, for its memory.
    pub(crate) fn next(&mut self, done: Option<Frame>) -> Option<Step> {
        self.draft.spare = done;
        while self.ready.is_empty() {
            let beat = self.beats.next()?;
            let due_ns = self.facts.start_ns.saturating_add(beat.at_ns);
            match beat.act {
                Act::Cut => self.ready.push_back(Step::Cut { due_ns }),
                Act::Hang => self.ready.push_back(Step::Hang),
                Act::Write(items) => self.write(beat.at_ns, due_ns, &items),
            }
        }
        self.ready.pop_front()
    }

    fn write(&mut self, at_ns: u64, due_ns: u64, items: &[Item]) {
        let mut draft = std::mem::take(&mut self.draft);
        draft.clear();
        for item in items {
            if matches!(item, Item::Tokens { .. }) {
                self.decoded_ns = Some((self.decoded_ns.map_or(at_ns, |(first, _)| first), at_ns));
            }
            self.item(&mut draft, item);
        }
        let chunked = self.facts.asked.stream;
        let split = self.facts.config.framing.split_utf8_us.filter(|_| draft.tokens > 0 && chunked);
        let cut = split.and_then(|_| draft.payload.iter().position(|byte| !byte.is_ascii()).map(|place| place + 1));
        match (split, cut) {
            (Some(later_us), Some(cut)) => {
                let halves = draft.halves(cut, due_ns, due_ns.saturating_add(later_us * 1_000));
                self.ready.extend(halves.map(Step::Write));
            }
            _ => self.ready.push_back(Step::Write(draft.whole(due_ns, chunked))),
        }
        self.draft = draft;
    }

    fn item(&mut self, draft: &mut Draft, item: &Item) {
        let facts = &self.facts;
        let end = facts.config.framing.line_ends.text();
        match item {
            Item::Head => draft.head = stream_head(facts),
            Item::Comment(index, of) => {
                draft.payload.extend_from_slice(format!(": keep-alive {index}/{of}{end}{end}").as_bytes());
            }
            Item::EmptyChoices => self.event(draft, b",\"choices\":[]", &self.chunk_usage(0)),
            Item::Role => {
                let choice = choice("\"delta\":{\"role\":\"assistant\",\"content\":\"\"}", "null");
                self.event(draft, choice.as_bytes(), &self.chunk_usage(0));
            }
            Item::Tokens { from, to } => {
                let mut choice = std::mem::take(&mut draft.choice);
                self.tokens(&mut choice, &mut draft.text, *from, *to);
                self.event(draft, &choice, &self.chunk_usage(*to));
                draft.choice = choice;
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
                self.event(draft, choice.as_bytes(), &rest);
            }
            Item::Usage => {
                let rest = self.usage(facts.ask.tokens) + &self.timings();
                self.event(draft, b",\"choices\":[]", &rest);
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
    fn event(&mut self, draft: &mut Draft, choices: &[u8], rest: &str) {
        let end = self.facts.config.framing.line_ends.text().as_bytes();
        draft.payload.extend_from_slice(b"data: ");
        draft.object(&self.prefix, choices, rest, self.seq());
        draft.payload.extend_from_slice(end);
        draft.payload.extend_from_slice(end);
        self.seq += 1;
    }

    fn body(&mut self, draft: &mut Draft, cut: bool) {
        let facts = &self.facts;
        let said = facts.ask.tokens;
        let content =
            if facts.asked.chat { self.message() } else { format!("\"text\":{}", quote(&self.text(0, said))) };
        let choice = choice(&content, &quote(self.finish_reason()));
        let usage = if facts.asked.final_usage { self.usage(said) } else { String::new() };
        draft.object(&self.prefix, choice.as_bytes(), &(usage + &self.timings()), self.seq());
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

    /// The `choices` of a chunk with tokens, into `out`; `text` is for working in.
    fn tokens(&self, out: &mut Vec<u8>, text: &mut String, from: u32, to: u32) {
        let facts = &self.facts;
        text.clear();
        answer::append_text(text, &facts.tokens, from, to);
        out.clear();
        let mut add = |part: &str| out.extend_from_slice(part.as_bytes());
        add(",\"choices\":[{\"index\":0,");
        let closing = match &facts.asked.tool {
            _ if !facts.asked.chat => {
                add("\"text\":");
                ""
            }
            _ if from < facts.ask.reasoning_tokens => {
                add("\"delta\":{\"");
                add(facts.config.reasoning_field.name());
                add("\":");
                "}"
            }
            Some(call) => {
                add("\"delta\":{\"tool_calls\":[{\"index\":0");
                if from == facts.ask.reasoning_tokens {
                    add(&format!(",\"id\":\"call-sim-{}\",\"type\":\"function\"", facts.ask.number));
                    add(&format!(",\"function\":{{\"name\":{},\"arguments\":", quote(&call.name)));
                } else {
                    add(",\"function\":{\"arguments\":");
                }
                "}}]}"
            }
            None => {
                add("\"delta\":{\"content\":");
                "}"
            }
        };
        // Text into memory can always be written.
        let _ = serde_json::to_writer(&mut *out, text.as_str());
        out.extend_from_slice(closing.as_bytes());
        if facts.asked.token_ids {
            let place = |index: u32| usize::try_from(index).unwrap_or(usize::MAX);
            let ids = facts.tokens.get(place(from)..place(to)).unwrap_or_default();
            let ids = ids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
            out.extend_from_slice(format!(",\"token_ids\":[{ids}]").as_bytes());
        }
        out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":null}]");
    }

    /// The place of the next event, where events say theirs.
    fn seq(&self) -> Option<u32> {
        self.facts.config.stamps.then_some(self.seq)
    }

    fn text(&self, from: u32, to: u32) -> String {
        let mut text = String::new();
        answer::append_text(&mut text, &self.facts.tokens, from, to);
        text
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
            milliseconds(self.decoded_ns.map_or(0, |(first, last)| last - first)),
        )
    }
}

impl Draft {
    fn clear(&mut self) {
        self.head.clear();
        self.payload.clear();
        self.dues.clear();
        self.tokens = 0;
        self.events = 0;
        self.ends = false;
    }

    /// Adds a JSON object, with room for its stamp where it has a place.
    fn object(&mut self, prefix: &str, choices: &[u8], rest: &str, seq: Option<u32>) {
        self.events += 1;
        for part in [prefix.as_bytes(), choices, rest.as_bytes()] {
            self.payload.extend_from_slice(part);
        }
        let Some(seq) = seq else {
            self.payload.push(b'}');
            return;
        };
        for part in [SEQ.as_bytes(), &BLANK] {
            self.payload.extend_from_slice(part);
        }
        let end = self.payload.len();
        if let Some(field) = self.payload.get_mut(end - SEQ_WIDTH..) {
            patch(field, u64::from(seq));
        }
        self.payload.extend_from_slice(DUE.as_bytes());
        self.dues.push(self.payload.len());
        for part in [&[b' '; WIDTH], BETWEEN.as_bytes(), &[b' '; WIDTH], b"}}"] {
            self.payload.extend_from_slice(part);
        }
    }

    fn whole(&mut self, due_ns: u64, chunked: bool) -> Frame {
        let mut frame = self.spare.take().unwrap_or_default();
        frame.due_ns = due_ns;
        frame.tokens = self.tokens;
        frame.has_event = self.events > 0;
        frame.fill(&self.head, &self.payload, self.dues.iter().copied(), chunked.then_some(self.ends));
        frame
    }

    /// Two writes, the second one from byte `cut` of the payload.
    fn halves(&mut self, cut: usize, due_ns: u64, later_ns: u64) -> [Frame; 2] {
        let (front, back) = self.payload.split_at(cut.min(self.payload.len()));
        let early = self.dues.iter().copied().filter(|at| *at < cut);
        let late = self.dues.iter().filter_map(|at| at.checked_sub(cut));
        let mut first = Frame { due_ns, ..self.spare.take().unwrap_or_default() };
        first.tokens = 0;
        // The last event ends in the second write.
        first.has_event = self.events > 1;
        first.fill(&self.head, front, early, Some(false));
        let mut second = Frame { due_ns: later_ns, tokens: self.tokens, has_event: true, ..Frame::default() };
        second.fill("", back, late, Some(self.ends));
        [first, second]
    }
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
