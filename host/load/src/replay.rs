//! Recorded traces as load: who asked when, how long the prompt and the answer were, and which prompts began alike.
//!
//! Traces carry no text, for privacy; what is replayed has the recorded times, lengths and shared prefixes. Lines are read one
//! by one, so that a trace of a week need not fit into memory when a minute of it is wanted. Five formats are read:
//!
//! - Mooncake (the FAST '25 release of the Mooncake project and the toolagent, conversation and synthetic traces in it): one
//!   JSON object a line with `timestamp` in ms, `input_length` and `output_length` in tokens and `hash_ids`, one id for each
//!   block of 512 prompt tokens, the last block possibly partial. Equal ids mean equal blocks behind equal prefixes.
//! - AIPerf's form of it, which adds `session_id` and more. Fields that no recorded time can stand for are refused by name.
//! - Qwen-Bailian (the anonymous usage traces of 2025): the same names, but `timestamp` in seconds and blocks of 16 tokens. The
//!   fields `chat_id`, `parent_chat_id` and `turn` tell it from Mooncake.
//! - Azure LLM inference traces of 2023 and 2024 (Azure Public Dataset): CSV with `TIMESTAMP`, `ContextTokens` and
//!   `GeneratedTokens`, times such as `2023-11-16 18:15:46.6805900` or with an offset to UTC.
//! - BurstGPT: CSV with `Timestamp` in seconds, `Request tokens` and `Response tokens`.

mod columns;
mod moment;
mod objects;

use std::io::BufRead;

use bench_text::clean_name;

use crate::arrivals::{Arrival, Length, MOST_ARRIVALS, Schedule, Stage};
use crate::spec::{LoadError, LoadSpec, ReplaySpec};

/// Longest line that is read, in bytes: a Mooncake line of a million tokens is a fiftieth of this.
const LONGEST_LINE: u64 = 1 << 20;

/// Most block ids kept over all requests; 128 MiB.
const MOST_BLOCKS: usize = 1 << 24;

/// Longest time between two requests of a trace, in ns: a year. What is longer has times of two kinds.
const LONGEST_NS: i128 = 366 * 86_400 * 1_000_000_000;

/// Most tokens of one prompt or answer.
const MOST_TOKENS: u32 = 1 << 24;

/// How a trace is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Mooncake's JSON lines.
    Mooncake,
    /// AIPerf's form of Mooncake's JSON lines.
    Aiperf,
    /// Qwen-Bailian's JSON lines.
    Bailian,
    /// Azure's CSV.
    Azure,
    /// BurstGPT's CSV.
    BurstGpt,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 5] = [Self::Mooncake, Self::Aiperf, Self::Bailian, Self::Azure, Self::BurstGpt];

    /// Its name in a load.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mooncake => "mooncake",
            Self::Aiperf => "aiperf",
            Self::Bailian => "bailian",
            Self::Azure => "azure",
            Self::BurstGpt => "burstgpt",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Mooncake => "Mooncake",
            Self::Aiperf => "AIPerf",
            Self::Bailian => "Qwen-Bailian",
            Self::Azure => "Azure",
            Self::BurstGpt => "BurstGPT",
        }
    }

    /// Prompt tokens of a block, 0 where the format has no blocks.
    #[must_use]
    pub const fn block_tokens(self) -> u32 {
        match self {
            Self::Mooncake | Self::Aiperf => 512,
            Self::Bailian => 16,
            Self::Azure | Self::BurstGpt => 0,
        }
    }

    /// The format of a trace that begins with this line.
    ///
    /// # Errors
    /// What the line is instead, in words.
    pub fn of(first_line: &str) -> Result<Self, String> {
        let line = first_line.trim_start_matches('\u{feff}').trim_start();
        if line.starts_with('{') {
            return objects::fields(line).map(|fields| objects::format_of(&fields));
        }
        if line.starts_with('[') {
            return Err("it begins a JSON list; write one object a line".to_owned());
        }
        columns::format_of(line).ok_or_else(|| {
            let shown: String = line.chars().take(80).collect();
            format!(
                "it is neither a JSON object nor a header of Azure's or BurstGPT's columns: `{}`",
                clean_name(&shown)
            )
        })
    }
}

/// A request of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayRequest {
    /// Nanoseconds after the first request, at the speed of the replay.
    pub at_ns: u64,
    /// Tokens of its prompt, at least 1.
    pub input_tokens: u32,
    /// Tokens of its answer, at least 1.
    pub output_tokens: u32,
    /// Ids of the blocks that its prompt begins with, each of [`Replay::block_tokens`] tokens, the last one possibly fewer.
    /// Empty where the trace has none.
    pub prefix_blocks: Vec<u64>,
}

/// A trace, ready to be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// By rising time, the first one at 0. Never empty.
    pub requests: Vec<ReplayRequest>,
    /// Tokens of a block; 0 where the trace has no blocks.
    pub block_tokens: u32,
    /// How it was read.
    pub format: Format,
    /// What was done to the trace to make it a load, for people.
    pub notes: Vec<String>,
}

/// One line of a trace.
#[derive(Debug)]
struct Row {
    /// Nanoseconds from wherever the trace counts.
    at_ns: i128,
    input_tokens: u64,
    output_tokens: u64,
    blocks: Vec<u64>,
}

/// A trace while it is read.
#[derive(Debug, Default)]
struct Rows {
    /// With their times as in the trace.
    kept: Vec<(i128, ReplayRequest)>,
    blocks: usize,
    unsorted: u64,
    empty: u64,
    spare_blocks: u64,
}

impl Replay {
    /// Reads as much of a trace as `length` needs. Times begin at 0 and are divided by the speed.
    ///
    /// Requests without prompt or answer get one token, since a server would refuse them. Lines out of order are sorted. A
    /// trace in order is read no further than `length` reaches; one that is not is read to its end.
    ///
    /// # Errors
    /// [`LoadError::BadTrace`] with the line, and [`LoadError::TooMany`].
    pub fn read(mut trace: impl BufRead, spec: &ReplaySpec, length: Length) -> Result<Self, LoadError> {
        let name = LoadSpec::Replay(spec.clone()).to_string();
        let mut buffer = Vec::new();
        let mut format = spec.format;
        let mut columns = spec.format.map(columns::Columns::published);
        let mut rows = Rows::default();
        let mut cut = None;
        for number in 1.. {
            let Some(text) = next_line(&mut trace, &mut buffer).map_err(|reason| bad(number, reason))? else { break };
            if text.is_empty() {
                continue;
            }
            let known = match format {
                Some(format) => format,
                None => *format.insert(Format::of(text).map_err(|reason| bad(number, reason))?),
            };
            let row = match known {
                Format::Mooncake | Format::Aiperf | Format::Bailian => {
                    objects::row(text, known, spec.format.is_some()).map(Some)
                }
                Format::Azure | Format::BurstGpt => {
                    let columns = columns.get_or_insert_with(|| columns::Columns::published(known));
                    columns::row(text, known, columns)
                }
            };
            let Some(row) = row.map_err(|reason| bad(number, reason))? else { continue };
            if rows.enough(&row, spec.speed, length) {
                cut = Some(number);
                break;
            }
            rows.push(row, known, number)?;
            if rows.kept.len() > MOST_ARRIVALS {
                return Err(LoadError::TooMany { load: name, requests: rows.kept.len() as f64, most: MOST_ARRIVALS });
            }
        }
        let Some(format) = format.filter(|_| !rows.kept.is_empty()) else {
            return Err(bad(0, "there is no request in it"));
        };
        let mut notes = rows.notes();
        notes.extend(cut.map(|number: u64| format!("read to line {number} only, where the asked length ends")));
        let requests = rows.finish(spec.speed, length);
        Ok(Self { requests, block_tokens: format.block_tokens(), format, notes })
    }

    /// When each request is due, in the order of [`Replay::requests`]: one stage that ends with the duration of `length`, else
    /// a mean gap after the last request.
    #[must_use]
    pub fn schedule(&self, length: Length) -> Schedule {
        let arrivals = self.requests.iter().map(|request| Arrival { at_ns: request.at_ns, stage: 0 }).collect();
        let last_ns = self.requests.last().map_or(0, |request| request.at_ns);
        let gaps = (self.requests.len() as u64).saturating_sub(1).max(1);
        let duration = length.duration.map(|duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
        let to_ns = duration.unwrap_or(last_ns.saturating_add(last_ns / gaps)).max(last_ns.saturating_add(1));
        let stage = Stage { name: "replay".to_owned(), from_ns: 0, to_ns, rate_from: None, rate_to: None };
        Schedule { arrivals, stages: vec![stage] }
    }
}

fn bad(line: u64, reason: impl Into<String>) -> LoadError {
    LoadError::BadTrace { line, reason: reason.into() }
}

impl Rows {
    /// Whether this row and all behind it are of no use, if the trace stays in order.
    fn enough(&self, row: &Row, speed: f64, length: Length) -> bool {
        let Some((first, _)) = self.kept.first().filter(|_| self.unsorted == 0) else { return false };
        let too_many = length.requests.is_some_and(|most| self.kept.len() >= most as usize);
        let too_late = length.duration.is_some_and(|end| due(row.at_ns - first, speed) >= end.as_nanos());
        let in_order = self.kept.last().is_none_or(|(last, _)| *last <= row.at_ns);
        in_order && (too_many || too_late)
    }

    fn push(&mut self, row: Row, format: Format, line: u64) -> Result<(), LoadError> {
        if self.kept.first().is_some_and(|(first, _)| (row.at_ns - first).abs() > LONGEST_NS) {
            return Err(bad(line, "it is more than a year away from the first request"));
        }
        let tokens = |count: u64, what: &str| match u32::try_from(count) {
            Ok(count) if count <= MOST_TOKENS => Ok(count.max(1)),
            _ => Err(bad(line, format!("{count} {what} tokens; at most {MOST_TOKENS} are possible"))),
        };
        let (input_tokens, output_tokens) = (tokens(row.input_tokens, "prompt")?, tokens(row.output_tokens, "answer")?);
        self.empty += u64::from(row.input_tokens == 0 || row.output_tokens == 0);
        self.unsorted += u64::from(self.kept.last().is_some_and(|(last, _)| *last > row.at_ns));
        let mut prefix_blocks = row.blocks;
        if format.block_tokens() > 0 {
            let fitting = input_tokens.div_ceil(format.block_tokens()) as usize;
            self.spare_blocks += u64::from(prefix_blocks.len() > fitting);
            prefix_blocks.truncate(fitting);
            // What was left out would stay in memory, and it is counted nowhere.
            prefix_blocks.shrink_to_fit();
        }
        self.blocks += prefix_blocks.len();
        if self.blocks > MOST_BLOCKS {
            return Err(bad(line, format!("the requests up to here have more than {MOST_BLOCKS} blocks")));
        }
        self.kept.push((row.at_ns, ReplayRequest { at_ns: 0, input_tokens, output_tokens, prefix_blocks }));
        Ok(())
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let mut note = |count: u64, text: &str| {
            if count > 0 {
                notes.push(format!("{count} {text}"));
            }
        };
        note(self.unsorted, "lines were earlier than the line before them; the requests were sorted by time");
        note(self.empty, "requests had no prompt or no answer tokens and were given one");
        note(self.spare_blocks, "requests had more block ids than their prompts have blocks; the surplus was left out");
        notes
    }

    /// Sorted, counted from the first, at the speed, cut to the length.
    fn finish(mut self, speed: f64, length: Length) -> Vec<ReplayRequest> {
        self.kept.sort_by_key(|(at_ns, _)| *at_ns);
        let first = self.kept.first().map_or(0, |(at_ns, _)| *at_ns);
        let end = length.duration.map_or(u128::MAX, |end| end.as_nanos());
        let most = length.requests.map_or(usize::MAX, |most| most as usize).max(1);
        let requests = self.kept.into_iter().map(|(at_ns, request)| (due(at_ns - first, speed), request));
        requests
            .enumerate()
            // The first one always stays: a replay without a request is none.
            .take_while(|(index, (at_ns, _))| *index == 0 || (*index < most && *at_ns < end))
            .map(|(_, (at_ns, request))| ReplayRequest { at_ns: u64::try_from(at_ns).unwrap_or(u64::MAX), ..request })
            .collect()
    }
}

/// A time since the first request at this speed. Below 2^53 ns, three months, `f64` is exact to the nanosecond.
fn due(since_first: i128, speed: f64) -> u128 {
    (since_first.max(0) as f64 / speed) as u128
}

/// The next line without white space around it; `None` at the end.
fn next_line<'b>(trace: &mut impl BufRead, buffer: &'b mut Vec<u8>) -> Result<Option<&'b str>, String> {
    buffer.clear();
    let mut bounded = std::io::Read::take(trace, LONGEST_LINE);
    let read = bounded.read_until(b'\n', buffer).map_err(|error| error.to_string())?;
    if read == 0 {
        return Ok(None);
    }
    if read as u64 == LONGEST_LINE && !buffer.ends_with(b"\n") {
        return Err(format!("it is longer than {LONGEST_LINE} bytes"));
    }
    let text = std::str::from_utf8(buffer).map_err(|_| "it is not UTF-8".to_owned())?;
    Ok(Some(text.trim_start_matches('\u{feff}').trim()))
}
