//! The emission schedule: what is written when, as a pure function of the configuration and the request.
//!
//! Chunk `k` is due at `ttft + prefill + k * gap` after the start, plus jitter: every time is absolute, so a late write
//! never moves the ones after it.

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

/// A run of tokens that becomes one event.
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

/// The beats of an answer, in order. The first write of a stream begins with [`Item::Head`]; the last beat writes
/// [`Item::End`] or a whole body, cuts or hangs.
#[must_use]
pub fn schedule(config: &SimConfig, ask: &Ask) -> Vec<Beat> {
    let first_ns = first_token_ns(config, ask);
    let mut chunks = chunks(config, ask, first_ns);
    let mut end_ns = chunks.last().map_or(first_ns, |chunk| chunk.at_ns + config.tail_us * 1_000);
    stall(&mut chunks, &mut end_ns, &ask.faults);
    let broken = first_break(&ask.faults, ask.tokens);
    if let Some((after, _)) = &broken
        && let Some(place) = chunks.iter().position(|chunk| chunk.to > *after)
    {
        end_ns = chunks.get(place).map_or(end_ns, |chunk| chunk.at_ns);
        chunks.truncate(place);
    }
    if !ask.stream {
        return vec![Beat { at_ns: end_ns, act: whole(broken.map(|(_, kind)| kind), &ask.faults) }];
    }
    let content_ns = chunks.first().map_or(end_ns, |chunk| chunk.at_ns);
    let mut beats = prologue(config, ask, head_ns(config, first_ns), content_ns);
    let mut bad_pending = bad_json(&ask.faults);
    let mut lead = match (config.role_chunk, ask.chat) {
        (RoleChunk::WithFirstToken, true) => vec![Item::Role],
        _ => Vec::new(),
    };
    let group = usize::try_from(config.framing.coalesce).unwrap_or(usize::MAX).max(1);
    for written in chunks.chunks(group) {
        let mut items = std::mem::take(&mut lead);
        for chunk in written {
            if bad_pending.take_if(|after| chunk.to > *after).is_some() {
                items.push(Item::BadJson);
            }
            items.push(Item::Tokens { from: chunk.from, to: chunk.to });
        }
        push(&mut beats, written.last().map_or(first_ns, |chunk| chunk.at_ns), items);
    }
    let mut tail = lead;
    match broken.map(|(_, kind)| kind) {
        Some(Break::Cut) => silence(&mut beats, end_ns, Act::Cut),
        Some(Break::Hang) => silence(&mut beats, end_ns, Act::Hang),
        Some(Break::Error(message)) => {
            tail.extend([Item::Error(message.to_owned()), Item::End]);
            push(&mut beats, end_ns, tail);
        }
        None => {
            if bad_pending.is_some() {
                tail.push(Item::BadJson);
            }
            tail.push(Item::Finish);
            if ask.final_usage {
                tail.push(Item::Usage);
            }
            tail.push(Item::End);
            push(&mut beats, end_ns, tail);
        }
    }
    beats
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

/// Adds a write, joined to the head where that waits for the first event.
fn push(beats: &mut Vec<Beat>, at_ns: u64, items: Vec<Item>) {
    if let [Beat { at_ns: head_ns, act: Act::Write(head) }] = beats.as_mut_slice()
        && matches!(head.as_slice(), [Item::Head, ..])
        && *head_ns == u64::MAX
    {
        *head_ns = at_ns;
        head.extend(items);
        return;
    }
    beats.push(Beat { at_ns, act: Act::Write(items) });
}

/// Ends without another word; a head that still waits for its first event is never sent.
fn silence(beats: &mut Vec<Beat>, at_ns: u64, act: Act) {
    beats.retain(|beat| beat.at_ns != u64::MAX);
    beats.push(Beat { at_ns, act });
}

/// Everything before the first token. A head that waits for the first event is marked by a time that never comes.
fn prologue(config: &SimConfig, ask: &Ask, head_ns: u64, content_ns: u64) -> Vec<Beat> {
    let mut beats = vec![Beat { at_ns: u64::MAX, act: Act::Write(vec![Item::Head]) }];
    let mut items = vec![Item::EmptyChoices; usize::try_from(config.framing.empty_choices).unwrap_or(0)];
    if config.role_chunk == RoleChunk::Early && ask.chat {
        items.push(Item::Role);
    }
    if config.head != Head::WithFirstEvent || !items.is_empty() {
        push(&mut beats, head_ns, items);
    }
    let comments = config.framing.comments;
    for index in 1..=comments {
        let at_ns = head_ns + content_ns.saturating_sub(head_ns) / u64::from(comments + 1) * u64::from(index);
        push(&mut beats, at_ns, vec![Item::Comment(index, comments)]);
    }
    beats
}

fn chunks(config: &SimConfig, ask: &Ask, first_ns: u64) -> Vec<Chunk> {
    let mut random = Random(config.seed ^ ask.number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut pattern = config.chunk_tokens.iter().copied().filter(|size| *size > 0).cycle();
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut from = 0;
    let mut tokens_of_first = 0;
    let mut earliest = head_ns(config, first_ns);
    while from < ask.tokens {
        let boundary = if from < ask.reasoning_tokens { ask.reasoning_tokens.min(ask.tokens) } else { ask.tokens };
        let to = from.saturating_add(pattern.next().unwrap_or(1)).min(boundary);
        if chunks.is_empty() {
            tokens_of_first = to;
        }
        let gaps = match config.pace {
            Pace::Chunk => u64::try_from(chunks.len()).unwrap_or(u64::MAX),
            Pace::Token => u64::from(to - tokens_of_first),
        };
        let exact = first_ns.saturating_add(gaps.saturating_mul(config.gap_us * 1_000));
        let at_ns = random.displace(exact, config.jitter).max(earliest);
        earliest = at_ns;
        chunks.push(Chunk { from, to, at_ns });
        from = to;
    }
    chunks
}

fn stall(chunks: &mut [Chunk], end_ns: &mut u64, faults: &[FaultKind]) {
    for fault in faults {
        if let FaultKind::Stall { after_tokens, for_us: Some(time) } = fault {
            let late = time * 1_000;
            for chunk in chunks.iter_mut().filter(|chunk| chunk.to > *after_tokens) {
                chunk.at_ns += late;
            }
            *end_ns += late;
        }
    }
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

fn whole(broken: Option<Break<'_>>, faults: &[FaultKind]) -> Act {
    match broken {
        Some(Break::Cut) => Act::Cut,
        Some(Break::Hang) => Act::Hang,
        Some(Break::Error(message)) => Act::Write(vec![Item::ErrorBody(message.to_owned())]),
        None if bad_json(faults).is_some() => Act::Write(vec![Item::BadBody]),
        None => Act::Write(vec![Item::Body]),
    }
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
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
