//! What a simulated engine does: every knob, with its unit.

use serde::{Deserialize, Serialize};

use crate::error::SimError;
use crate::faults::Fault;

/// Longest time that any one knob may name, in microseconds: an hour.
const LONGEST_US: u64 = 3_600_000_000;
/// Largest context, which bounds the memory that one request can take.
const LARGEST_CONTEXT: u32 = 1 << 20;

/// The behaviour of a simulated engine. Times are counted from the arrival of a request's last byte or, where it had to
/// wait for a slot, from the moment it got one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimConfig {
    /// Names of the models served; requests for any other get a 404. The first one answers requests that name none.
    pub models: Vec<String>,
    /// Tokens that a prompt and its answer may have together.
    pub context_length: u32,
    /// Requests worked on at once; the others queue, first come, first served.
    pub slots: u32,
    /// When set, requests under `/v1` need `Authorization: Bearer` with this key.
    pub api_key: Option<String>,

    /// When the response head is written.
    pub head: Head,
    /// Time to the first chunk with tokens, in microseconds, without the prefill.
    pub ttft_us: u64,
    /// Prefill time, in nanoseconds per prompt token that is not cached; it comes on top of `ttft_us`.
    pub prefill_ns_per_token: u64,
    /// Time between two chunks, in microseconds; see `pace`.
    pub gap_us: u64,
    /// Whether `gap_us` is the time of a chunk or of a token.
    pub pace: Pace,
    /// Tokens in each chunk, repeated from the start as often as needed. A chunk never mixes channels: one that would is
    /// cut where the reasoning ends, and counts as two.
    pub chunk_tokens: Vec<u32>,
    /// Time from the last chunk with tokens to the end of the answer, in microseconds.
    pub tail_us: u64,
    /// Random displacement of each chunk with tokens.
    pub jitter: Jitter,
    /// Seed of the jitter and of the answer's words.
    pub seed: u64,

    /// Length in tokens at which the model stops by itself, unless `ignore_eos` or `min_tokens` makes it go on. None
    /// stands for the length of `answer` or, without that, for a model that never stops.
    pub natural_tokens: Option<u32>,
    /// What the model says, from the start again where more is needed. None gives common words chosen by `seed`.
    pub answer: Option<String>,
    /// What the model says to particular questions, in place of `answer`: the first whose `to` is in the last message or the raw
    /// prompt counts. The model stops by itself after it.
    pub answers: Vec<Canned>,
    /// How many tokens of a chat answer are reasoning, from the first.
    pub reasoning_tokens: u32,
    /// The field that carries reasoning.
    pub reasoning_field: ReasoningField,
    /// Whether a chat request that offers tools is answered by a call of the first one.
    pub tool_calls: bool,

    /// When token counts are reported in a stream. An answer that is not streamed has them unless this is `never`.
    pub usage: UsageMode,
    /// Whether the end of an answer carries a `timings` object as llama.cpp's server does.
    pub timings: bool,
    /// Whether every event says when it was due and when it was emitted. Without it the events are those of an engine that knows
    /// nothing of being measured.
    pub stamps: bool,
    /// Where the chunk that only names the role comes.
    pub role_chunk: RoleChunk,
    /// The prefix cache; none for an engine without one, which then reports no cached tokens.
    pub prefix_cache: Option<PrefixCache>,

    /// How the stream is laid out in bytes and writes.
    pub framing: Framing,
    /// Largest request body taken, in bytes; a larger one gets a 413.
    pub max_body_bytes: usize,
    /// Misbehaviour.
    pub faults: Vec<Fault>,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            models: vec!["bench-sim".to_owned()],
            context_length: 131_072,
            slots: 16,
            api_key: None,
            head: Head::default(),
            ttft_us: 20_000,
            prefill_ns_per_token: 10_000,
            gap_us: 5_000,
            pace: Pace::default(),
            chunk_tokens: vec![1],
            tail_us: 1_000,
            jitter: Jitter::default(),
            seed: 0,
            natural_tokens: Some(256),
            answer: None,
            answers: Vec::new(),
            reasoning_tokens: 0,
            reasoning_field: ReasoningField::default(),
            tool_calls: false,
            usage: UsageMode::default(),
            timings: false,
            stamps: true,
            role_chunk: RoleChunk::default(),
            prefix_cache: Some(PrefixCache::default()),
            framing: Framing::default(),
            max_body_bytes: 16 << 20,
            faults: Vec::new(),
        }
    }
}

/// An answer to a particular question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canned {
    /// Part of the question.
    pub to: String,
    /// The answer.
    pub say: String,
}

/// When the response head of a stream is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// This many microseconds after the start; not later than `ttft_us`.
    AfterUs(u64),
    /// In one write with the first event.
    WithFirstEvent,
}

impl Default for Head {
    /// One millisecond: enough to read the request, so that the head is not late by that.
    fn default() -> Self {
        Self::AfterUs(1_000)
    }
}

/// What `gap_us` is the time of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// Chunk `k` comes `k * gap` after the first, however many tokens chunks have, as with speculative decoding.
    #[default]
    Chunk,
    /// A chunk comes when its last token is ready, each token taking `gap`, as with an engine that batches its output.
    Token,
}

/// Random displacement of chunks from the schedule. Displacements do not add up, so the mean pace stays as configured; a
/// chunk never overtakes the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// None: the schedule is exact.
    #[default]
    None,
    /// Evenly distributed between this many microseconds early and as many late.
    UniformUs(u64),
    /// Late by an exponentially distributed time with this mean in microseconds, cut off at twenty times the mean.
    ExponentialUs(u64),
}

/// When token counts are reported in a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageMode {
    /// Never, not even when asked.
    Never,
    /// As `stream_options` ask: `include_usage` for the end, `continuous_usage_stats` for every chunk as well.
    #[default]
    OnRequest,
    /// At the end, asked or not.
    Final,
    /// With every chunk and at the end, asked or not.
    PerChunk,
}

/// Where the chunk that only names the role comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleChunk {
    /// There is none.
    Absent,
    /// Right after the head, before any token is there.
    #[default]
    Early,
    /// In one write with the first chunk with tokens.
    WithFirstToken,
}

/// The field of a delta or message that carries reasoning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningField {
    /// `reasoning_content`.
    #[default]
    ReasoningContent,
    /// `reasoning`.
    Reasoning,
}

impl ReasoningField {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ReasoningContent => "reasoning_content",
            Self::Reasoning => "reasoning",
        }
    }
}

/// A prefix cache: prompts are remembered in whole blocks, and answers too once they have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrefixCache {
    /// Tokens in a block.
    pub block_tokens: u32,
    /// Blocks remembered; the least recently used one makes room.
    pub capacity_blocks: u32,
}

impl Default for PrefixCache {
    fn default() -> Self {
        Self { block_tokens: 16, capacity_blocks: 65_536 }
    }
}

/// How a stream is laid out in bytes and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Framing {
    /// Line ends of the event stream.
    pub line_ends: LineEnds,
    /// Comment lines, evenly spread between the head and the first chunk with tokens.
    pub comments: u32,
    /// Chunks with an empty `choices` list right after the head.
    pub empty_choices: u32,
    /// Chunks with tokens per write; a write is due when its last chunk is.
    pub coalesce: u32,
    /// When set, an event with a character outside ASCII is written in two halves, cut inside that character, the second
    /// half this many microseconds after the first. Every fourth word of the built-in answer is then such a character.
    pub split_utf8_us: Option<u64>,
    /// Whether the connection is closed after every streamed answer although keep-alive was announced.
    pub close_after_stream: bool,
}

impl Default for Framing {
    fn default() -> Self {
        Self {
            line_ends: LineEnds::default(),
            comments: 0,
            empty_choices: 0,
            coalesce: 1,
            split_utf8_us: None,
            close_after_stream: false,
        }
    }
}

/// Line ends of an event stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineEnds {
    /// `\n`.
    #[default]
    Lf,
    /// `\r\n`.
    CrLf,
}

impl LineEnds {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
        }
    }
}

impl SimConfig {
    /// Checks every knob's range and that they fit together.
    ///
    /// # Errors
    /// [`SimError::Config`] for the first field that is out of range.
    pub fn validate(&self) -> Result<(), SimError> {
        let times = [
            ("ttft_us", self.ttft_us),
            ("prefill_ns_per_token", self.prefill_ns_per_token),
            ("gap_us", self.gap_us),
            ("tail_us", self.tail_us),
            ("framing.split_utf8_us", self.framing.split_utf8_us.unwrap_or(0)),
            ("jitter", self.jitter.microseconds()),
        ];
        for (field, value) in times {
            check(value <= LONGEST_US, field, || format!("is {value}; it may be at most {LONGEST_US}"))?;
        }
        if let Head::AfterUs(head) = self.head {
            check(head <= self.ttft_us, "head", || format!("comes after {head} µs, later than `ttft_us`"))?;
        }
        check(!self.models.is_empty() && self.models.iter().all(|name| !name.is_empty()), "models", || {
            "must hold at least one name and no empty one".to_owned()
        })?;
        check((2..=LARGEST_CONTEXT).contains(&self.context_length), "context_length", || {
            format!("must be from 2 to {LARGEST_CONTEXT}")
        })?;
        check(self.slots >= 1, "slots", || "must be at least 1".to_owned())?;
        check(!self.chunk_tokens.is_empty() && !self.chunk_tokens.contains(&0), "chunk_tokens", || {
            "must hold at least one number and no zero; `natural_tokens` 0 gives empty answers".to_owned()
        })?;
        check(self.answer.as_deref() != Some(""), "answer", || {
            "must not be empty; `natural_tokens` 0 gives empty answers".to_owned()
        })?;
        check(self.answers.iter().all(|canned| !canned.say.is_empty()), "answers", || {
            "must hold no empty answer; `natural_tokens` 0 gives empty answers".to_owned()
        })?;
        check(self.framing.coalesce >= 1, "framing.coalesce", || "must be at least 1".to_owned())?;
        check(self.framing.comments <= 10_000, "framing.comments", || "must be at most 10000".to_owned())?;
        check(self.framing.empty_choices <= 10_000, "framing.empty_choices", || "must be at most 10000".to_owned())?;
        check(self.max_body_bytes <= 1 << 30, "max_body_bytes", || "must be at most 1 GiB".to_owned())?;
        if let Some(cache) = self.prefix_cache {
            check(cache.block_tokens >= 1, "prefix_cache.block_tokens", || "must be at least 1".to_owned())?;
        }
        self.faults.iter().try_for_each(|fault| fault.kind.validate(LONGEST_US))
    }

    /// Names the schedule: equal configurations have equal ids. Sixteen hexadecimal digits, FNV-1a over the JSON form.
    #[must_use]
    pub fn schedule_id(&self) -> String {
        let json = serde_json::to_vec(&self.published()).unwrap_or_default();
        let hash = json.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        format!("{hash:016x}")
    }

    /// The configuration without the key, as `/bench-sim/config` shows it.
    pub(crate) fn published(&self) -> Self {
        Self { api_key: self.api_key.as_ref().map(|_| "(set)".to_owned()), ..self.clone() }
    }
}

impl Jitter {
    fn microseconds(self) -> u64 {
        match self {
            Self::None => 0,
            Self::UniformUs(time) | Self::ExponentialUs(time) => time,
        }
    }
}

fn check(holds: bool, field: &'static str, problem: impl FnOnce() -> String) -> Result<(), SimError> {
    if holds { Ok(()) } else { Err(SimError::Config { field, problem: problem() }) }
}
