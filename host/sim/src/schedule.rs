//! The emission schedule: what is written when, as a pure function of the configuration and the request.
//!
//! Chunk `k` is due at `ttft + prefill + k * gap` after the start, plus jitter: every time is absolute, so a late write
//! never moves the ones after it.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::config::{Head, Jitter, Pace, RoleChunk, SimConfig};
use crate::faults::FaultKind;

/// What the schedule has to know of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// The request's number, from 1: it seeds the jitter.
    pub number: u64,
    /// Streamed, or one body at the end.
    pub stream: bool,
    /// A chat, whose stream may name the role and reason.
    pub chat: bool,
    /// Tokens of the prompt, template included.
    pub prompt_tokens: u32,
    /// Those of them that need no prefill.
    pub cached_tokens: u32,
    /// Tokens of the answer.
    pub tokens: u32,
    /// Those of them that are reasoning, from the first.
    pub reasoning_tokens: u32,
    /// Whether an event with the token counts comes at the end.
    pub final_usage: bool,
    /// The faults that this request meets; those that answer instead of generating are not looked at.
    pub faults: Vec<FaultKind>,
}

/// One thing done at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// When, in nanoseconds after the start.
    pub at_ns: u64,
    /// What.
    pub act: Act,
}

/// What is done at a beat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// These, in one write.
    Write(Vec<Item>),
    /// The connection is closed.
    Cut,
    /// Nothing more is ever written.
    Hang,
}

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Status line and headers of a stream.
    Head,
    /// A comment line: the first number of so many.
    Comment(u32, u32),
    /// An event with an empty `choices` list.
    EmptyChoices,
    /// An event that names the role.
    Role,
    /// An event with the answer's tokens `from..to`.
    Tokens {
        /// Index of the first one.
        from: u32,
        /// Index after the last one.
        to: u32,
    },
    /// An event whose data is cut off.
    BadJson,
    /// An event with an error.
    Error(String),
    /// The event with the finish reason.
    Finish,
    /// The event with the token counts.
    Usage,
    /// The end of the stream: `[DONE]` and the end of the body.
    End,
    /// A whole answer, head and body.
    Body,
    /// A whole answer that is cut off in the middle of its JSON.
    BadBody,
    /// A whole answer with status 500 and this message.
    ErrorBody(String),
}

/// The beats of an answer, in order. The first write of a stream begins with [`Item::Head`]; the last beat writes
/// [`Item::End`] or a whole body, cuts or hangs.
#[must_use]
pub fn schedule(config: &SimConfig, ask: &Ask) -> Vec<Beat> {
    Beats::new(Arc::new(config.clone()), ask.clone()).collect()
}

/// [`schedule`], one beat at a time: an answer of any length takes the same memory.
#[derive(Debug)]
pub struct Beats {
    config: Arc<SimConfig>,
    ask: Ask,
    chunks: Chunks,
    /// The first chunk, which the beats before it depend on.
    first: Option<Chunk>,
    ready: VecDeque<Beat>,
    /// What goes before the tokens of the first write that has some.
    lead: Vec<Item>,
    /// The tokens after which an event with cut off data is still to come.
    bad_pending: Option<u32>,
    /// The head waits for the first event.
    head_waits: bool,
    ended: bool,
}

impl Beats {
    /// The beats of the answer to `ask`.
    #[must_use]
    pub fn new(config: Arc<SimConfig>, ask: Ask) -> Self {
        let mut chunks = Chunks::new(&config, &ask);
        let first = chunks.next(&config, &ask);
        let lead = match (config.role_chunk, ask.chat) {
            (RoleChunk::WithFirstToken, true) => vec![Item::Role],
            _ => Vec::new(),
        };
        let bad_pending = bad_json(&ask.faults);
        let (ready, ended, head_waits) = (VecDeque::new(), false, true);
        let mut beats = Self { config, ask, chunks, first, ready, lead, bad_pending, head_waits, ended };
        if beats.ask.stream {
            beats.prologue();
        } else {
            beats.whole();
        }
        beats
    }

    /// An answer that is not streamed: one beat, when its last token is ready.
    fn whole(&mut self) {
        while self.chunks.next(&self.config, &self.ask).is_some() {}
        let act = match self.chunks.broken(&self.ask) {
            Some(Break::Cut) => Act::Cut,
            Some(Break::Hang) => Act::Hang,
            Some(Break::Error(message)) => Act::Write(vec![Item::ErrorBody(message.to_owned())]),
            None if self.bad_pending.is_some() => Act::Write(vec![Item::BadBody]),
            None => Act::Write(vec![Item::Body]),
        };
        self.ready.push_back(Beat { at_ns: self.chunks.end_ns, act });
        self.ended = true;
    }

    /// Everything before the first token.
    fn prologue(&mut self) {
        let head_ns = head_ns(&self.config, first_token_ns(&self.config, &self.ask));
        let content_ns = self.first.as_ref().map_or(self.chunks.end_ns, |chunk| chunk.at_ns);
        let empty = usize::try_from(self.config.framing.empty_choices).unwrap_or(0);
        let mut items = vec![Item::EmptyChoices; empty];
        if self.config.role_chunk == RoleChunk::Early && self.ask.chat {
            items.push(Item::Role);
        }
        if self.config.head != Head::WithFirstEvent || !items.is_empty() {
            self.write(head_ns, items);
        }
        let comments = self.config.framing.comments;
        for index in 1..=comments {
            let at_ns = head_ns + content_ns.saturating_sub(head_ns) / u64::from(comments + 1) * u64::from(index);
            self.write(at_ns, vec![Item::Comment(index, comments)]);
        }
    }

    fn write(&mut self, at_ns: u64, mut items: Vec<Item>) {
        if std::mem::take(&mut self.head_waits) {
            items.insert(0, Item::Head);
        }
        self.ready.push_back(Beat { at_ns, act: Act::Write(items) });
    }

    /// The next write with tokens, or the end.
    fn go_on(&mut self) {
        let mut at_ns = None;
        let mut items = Vec::new();
        for _ in 0..self.config.framing.coalesce.max(1) {
            let chunk = self.first.take().or_else(|| self.chunks.next(&self.config, &self.ask));
            let Some(chunk) = chunk else { break };
            if at_ns.is_none() {
                items.append(&mut self.lead);
            }
            at_ns = Some(chunk.at_ns);
            if self.bad_pending.take_if(|after| chunk.to > *after).is_some() {
                items.push(Item::BadJson);
            }
            items.push(Item::Tokens { from: chunk.from, to: chunk.to });
        }
        match at_ns {
            Some(at_ns) => self.write(at_ns, items),
            None => self.end(),
        }
    }

    fn end(&mut self) {
        self.ended = true;
        let at_ns = self.chunks.end_ns;
        let mut items = std::mem::take(&mut self.lead);
        // A head that still waits for its first event when the stream falls silent is never sent.
        match self.chunks.broken(&self.ask) {
            Some(Break::Cut) => return self.ready.push_back(Beat { at_ns, act: Act::Cut }),
            Some(Break::Hang) => return self.ready.push_back(Beat { at_ns, act: Act::Hang }),
            Some(Break::Error(message)) => items.extend([Item::Error(message.to_owned()), Item::End]),
            None => {
                items.extend(self.bad_pending.take().map(|_| Item::BadJson));
                items.push(Item::Finish);
                items.extend(self.ask.final_usage.then_some(Item::Usage));
                items.push(Item::End);
            }
        }
        self.write(at_ns, items);
    }
}

impl Iterator for Beats {
    type Item = Beat;

    fn next(&mut self) -> Option<Beat> {
        if self.ready.is_empty() && !self.ended {
            self.go_on();
        }
        self.ready.pop_front()
    }
}

/// When the first chunk with tokens is due without jitter and stalls, in nanoseconds after the start.
#[must_use]
pub fn first_token_ns(config: &SimConfig, ask: &Ask) -> u64 {
    let uncached = u64::from(ask.prompt_tokens.saturating_sub(ask.cached_tokens));
    config.ttft_us * 1_000 + config.prefill_ns_per_token * uncached
}

fn head_ns(config: &SimConfig, first_ns: u64) -> u64 {
    match config.head {
        Head::AfterUs(time) => (time * 1_000).min(first_ns),
        Head::WithFirstEvent => first_ns,
    }
}

/// A run of tokens that becomes one event.
#[derive(Debug)]
struct Chunk {
    from: u32,
    to: u32,
    at_ns: u64,
}

/// How a stream ends before its time.
enum Break<'a> {
    Cut,
    Hang,
    Error(&'a str),
}

/// The runs of tokens up to the end of the stream, whatever ends it.
#[derive(Debug)]
struct Chunks {
    random: Random,
    count: u64,
    from: u32,
    tokens_of_first: u32,
    /// A chunk never overtakes the one before it.
    earliest_ns: u64,
    is_broken: bool,
    /// When the stream ends: right as soon as all chunks are out, and as long as there is none.
    end_ns: u64,
}

impl Chunks {
    fn new(config: &SimConfig, ask: &Ask) -> Self {
        let first_ns = first_token_ns(config, ask);
        Self {
            random: Random(config.seed ^ ask.number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            count: 0,
            from: 0,
            tokens_of_first: 0,
            earliest_ns: head_ns(config, first_ns),
            is_broken: first_break(&ask.faults, ask.tokens).is_some(),
            end_ns: first_ns + stalled_ns(&ask.faults, u32::MAX),
        }
    }

    fn next(&mut self, config: &SimConfig, ask: &Ask) -> Option<Chunk> {
        let from = self.from;
        if from >= ask.tokens {
            return None;
        }
        let boundary = if from < ask.reasoning_tokens { ask.reasoning_tokens.min(ask.tokens) } else { ask.tokens };
        let to = from.saturating_add(pattern(config, self.count)).min(boundary);
        if self.count == 0 {
            self.tokens_of_first = to;
        }
        let gaps = match config.pace {
            Pace::Chunk => self.count,
            Pace::Token => u64::from(to - self.tokens_of_first),
        };
        let exact = first_token_ns(config, ask).saturating_add(gaps.saturating_mul(config.gap_us * 1_000));
        let moved = self.random.displace(exact, config.jitter).max(self.earliest_ns);
        let at_ns = moved + stalled_ns(&ask.faults, to);
        self.earliest_ns = moved;
        if self.is_broken && first_break(&ask.faults, ask.tokens).is_some_and(|(after, _)| to > after) {
            self.from = ask.tokens;
            self.end_ns = at_ns;
            return None;
        }
        self.count += 1;
        self.from = to;
        self.end_ns = moved + config.tail_us * 1_000 + stalled_ns(&ask.faults, u32::MAX);
        Some(Chunk { from, to, at_ns })
    }

    fn broken<'a>(&self, ask: &'a Ask) -> Option<Break<'a>> {
        first_break(&ask.faults, ask.tokens).map(|(_, kind)| kind)
    }
}

/// Tokens of chunk number `count`, from 0.
fn pattern(config: &SimConfig, count: u64) -> u32 {
    let length = u64::try_from(config.chunk_tokens.len()).unwrap_or(u64::MAX).max(1);
    let place = usize::try_from(count % length).unwrap_or(0);
    config.chunk_tokens.get(place).copied().unwrap_or(1).max(1)
}

/// How much later a chunk that ends at `to` comes because of stalls.
fn stalled_ns(faults: &[FaultKind], to: u32) -> u64 {
    let late = faults.iter().filter_map(|fault| match fault {
        FaultKind::Stall { after_tokens, for_us: Some(time) } if to > *after_tokens || to == u32::MAX => {
            Some(time * 1_000)
        }
        _ => None,
    });
    late.sum()
}

/// The earliest fault that ends the stream, and the tokens before it.
fn first_break(faults: &[FaultKind], tokens: u32) -> Option<(u32, Break<'_>)> {
    faults
        .iter()
        .filter_map(|fault| match fault {
            FaultKind::Stall { after_tokens, for_us: None } => Some((*after_tokens, Break::Hang)),
            FaultKind::Disconnect { after_tokens } => Some((*after_tokens, Break::Cut)),
            FaultKind::ErrorEvent { after_tokens, message } => Some((*after_tokens, Break::Error(message))),
            _ => None,
        })
        .map(|(after, kind)| (after.min(tokens), kind))
        .min_by_key(|(after, _)| *after)
}

fn bad_json(faults: &[FaultKind]) -> Option<u32> {
    faults
        .iter()
        .filter_map(|fault| if let FaultKind::BadJson { after_tokens } = fault { Some(*after_tokens) } else { None })
        .min()
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Evenly distributed in (0, 1].
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    fn displace(&mut self, exact_ns: u64, jitter: Jitter) -> u64 {
        match jitter {
            Jitter::None => exact_ns,
            Jitter::UniformUs(time) => {
                let width = time * 2_000;
                (exact_ns + self.next() % (width + 1)).saturating_sub(time * 1_000)
            }
            Jitter::ExponentialUs(mean) => exact_ns + exponential(mean * 1_000, self.unit()),
        }
    }
}

/// The exponential distribution's inverse at `unit` in (0, 1], cut off at twenty means.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mean of at most an hour in nanoseconds fits a double exactly, and so does twenty times that"
)]
fn exponential(mean_ns: u64, unit: f64) -> u64 {
    (mean_ns as f64 * (-unit.ln()).clamp(0.0, 20.0)) as u64
}
