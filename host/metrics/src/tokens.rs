//! How many tokens there were, and with which fragment they came.
//!
//! A chunk of a stream may carry no token, one or many. Counts that arrive with each chunk say exactly how many; counts at
//! the end say only how many in all, and then the first fragment's share has to be inferred, which
//! [`FragmentBasis`] makes visible.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observation::{Channel, Event, Expectation, Finish, Observation, Usage};

/// Where a token count comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TokenSource {
    /// Cumulative counts that the backend sent with the chunks.
    ChunkUsage,
    /// Counts that the backend sent once.
    FinalUsage,
    /// Token ids that the backend sent with the chunks.
    TokenIds,
    /// The backend's tokenizer, applied by the host before or after the request.
    Tokenizer,
    /// Not known.
    None,
}

/// How the tokens of single fragments are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FragmentBasis {
    /// From cumulative counts that came with the chunks.
    ChunkUsage,
    /// From token ids that came with the chunks.
    TokenIds,
    /// There were as many fragments as tokens, not counting a final end token that has no text; so each fragment is taken
    /// for one token.
    OnePerChunk,
    /// Not known; each fragment of the first read is assumed to be one token, and later fragments get no count.
    Estimated,
    /// Not known, and nothing to estimate from.
    None,
}

/// A non-empty fragment.
pub(crate) struct Fragment {
    pub(crate) read: u32,
    pub(crate) at: u64,
    /// Tokens that came with it, or that came without text since the fragment before; where known.
    pub(crate) tokens: Option<u64>,
}

/// The tokens of one request.
pub(crate) struct Tokens {
    pub(crate) prompt: Option<u64>,
    pub(crate) prompt_source: TokenSource,
    pub(crate) cached: Option<u64>,
    pub(crate) output: Option<u64>,
    pub(crate) output_source: TokenSource,
    pub(crate) reasoning: Option<u64>,
    /// Those of `output` that came through the stream; see [`streamed`].
    pub(crate) streamed: Option<u64>,
    /// Some tokens of `output` did not come through the stream.
    pub(crate) hidden: bool,
    /// The backend's counts contradict what it streamed and were left out.
    pub(crate) contradicted: bool,
    pub(crate) basis: FragmentBasis,
    /// Tokens that had arrived by the stamp of the first fragment.
    pub(crate) by_first: Option<u64>,
    /// Tokens that had arrived by the stamp of the last fragment.
    pub(crate) by_last: Option<u64>,
    pub(crate) fragments: Vec<Fragment>,
}

/// The running count at a fragment: that of the first report after it and before the next fragment.
struct Running {
    usage: Option<u64>,
    ids: Option<u64>,
}

pub(crate) fn count(seen: &Observation, asked: &Expectation) -> Tokens {
    let mut scan = scan(seen);
    let contradicted = scan.drop_contradicted();
    let Scan { mut fragments, running, usage, ids, finish, bytes } = scan;
    let total_ids = ids;
    let by_usage = cumulative(&fragments, running.iter().map(|r| r.usage));
    let by_ids = cumulative(&fragments, running.iter().map(|r| r.ids));
    let (output, output_source) = match (usage.completion, total_ids, asked.output_tokens) {
        (Some(n), ..) if by_usage.is_some() => (Some(n), TokenSource::ChunkUsage),
        (Some(n), ..) => (Some(n), TokenSource::FinalUsage),
        (None, Some(n), _) => (Some(n), TokenSource::TokenIds),
        (None, None, Some(n)) => (Some(n), TokenSource::Tokenizer),
        (None, None, None) => (None, TokenSource::None),
    };
    let (prompt, prompt_source) = match (usage.prompt, asked.prompt_tokens) {
        (Some(n), _) if by_usage.is_some() => (Some(n), TokenSource::ChunkUsage),
        (Some(n), _) => (Some(n), TokenSource::FinalUsage),
        (None, Some(n)) => (Some(n), TokenSource::Tokenizer),
        (None, None) => (None, TokenSource::None),
    };
    let ends_on_a_token = matches!(finish, Some(Finish::Stop | Finish::ToolCalls));
    let chunks = fragments.len() as u64;
    let is_one_per_chunk = |n: u64| n > 0 && (n == chunks || (ends_on_a_token && n == chunks + 1));
    let (streamed, hidden) = match output {
        Some(output) if by_ids.is_none() => {
            streamed(output, usage.reasoning, &bytes, chunks, is_one_per_chunk(output), asked.forced_length)
        }
        _ => (output, false),
    };
    let one_per_chunk = streamed.is_some_and(is_one_per_chunk);
    let (basis, each) = if let Some(each) = by_usage {
        (FragmentBasis::ChunkUsage, Some(each))
    } else if let Some(each) = by_ids {
        (FragmentBasis::TokenIds, Some(each))
    } else if one_per_chunk {
        (FragmentBasis::OnePerChunk, Some(vec![1; fragments.len()]))
    } else if streamed.is_some_and(|n| n > 0) && !fragments.is_empty() {
        (FragmentBasis::Estimated, None)
    } else {
        (FragmentBasis::None, None)
    };
    let first_read = fragments.first().map(|f| f.read);
    let in_first_read = fragments.iter().take_while(|f| Some(f.read) == first_read).count();
    let (by_first, by_last) = match (&each, basis) {
        (Some(each), _) => (Some(each.iter().take(in_first_read).sum()), Some(each.iter().sum())),
        (None, FragmentBasis::Estimated) => (streamed.map(|n| n.min(in_first_read as u64)), streamed),
        (None, _) => (None, None),
    };
    // Tokens that were hidden between two fragments are in the running counts. Where they came is not known.
    let between = by_last.zip(by_first).map(|(last, first)| last.saturating_sub(first));
    let (by_first, by_last) = match (between, streamed) {
        (Some(between), Some(streamed)) if hidden && between > streamed => (None, None),
        _ => (by_first, by_last),
    };
    if let Some(each) = each {
        for (fragment, tokens) in fragments.iter_mut().zip(each) {
            fragment.tokens = Some(tokens);
        }
    }
    Tokens {
        prompt,
        prompt_source,
        cached: usage.cached,
        output,
        output_source,
        reasoning: usage.reasoning,
        streamed,
        hidden,
        contradicted,
        basis,
        by_first,
        by_last,
        fragments,
    }
}

/// Tokens of `output` that came through the stream, and whether others did not.
///
/// A service that hides its model's reasoning counts its tokens all the same. They took time before the first fragment, or between
/// two, and no fragment carries them: a rate over fragments must leave them out. The number is unknown (`None`)
///
/// - where the stream has a summary of the reasoning: fewer bytes than the reasoning has tokens;
/// - where more fragments came than the remaining tokens could fill;
/// - where nothing is said of reasoning, and the answer has fewer bytes than tokens. A forced length is exempt, since tokens
///   after an ignored end have no text; calls of tools are, since their markup is not streamed.
fn streamed(
    output: u64,
    reasoning: Option<u64>,
    bytes: &Bytes,
    chunks: u64,
    is_one_per_chunk: bool,
    forced_length: bool,
) -> (Option<u64>, bool) {
    if chunks == 0 {
        return (Some(output), false);
    }
    let thought = reasoning.unwrap_or(0);
    if thought > bytes.reasoning {
        // Some services leave reasoning out of the number of produced tokens.
        let left = if is_one_per_chunk || thought > output { output } else { output - thought };
        let known = bytes.reasoning == 0 && chunks <= left.saturating_add(1);
        return (known.then_some(left), true);
    }
    let all = bytes.text.saturating_add(bytes.reasoning);
    let is_too_short = all.saturating_add(SPARE_TOKENS) < output;
    let hides = thought == 0 && is_too_short && bytes.tool_call == 0 && !forced_length;
    ((!hides).then_some(output), hides)
}

/// Tokens that an answer may have without text, such as marks of the chat template. Reasoning is longer.
const SPARE_TOKENS: u64 = 64;

/// Bytes of content per channel.
#[derive(Default)]
struct Bytes {
    text: u64,
    reasoning: u64,
    tool_call: u64,
}

struct Scan {
    fragments: Vec<Fragment>,
    running: Vec<Running>,
    usage: Usage,
    ids: Option<u64>,
    finish: Option<Finish>,
    bytes: Bytes,
}

impl Scan {
    /// Leaves out counts that cannot be true: none where there was content, or far fewer tokens than fragments. A token
    /// can be cut into several fragments, but hardly ever is.
    fn drop_contradicted(&mut self) -> bool {
        let chunks = self.fragments.len() as u64;
        let too_few = |tokens: u64| tokens == 0 || tokens.saturating_mul(2).saturating_add(4) < chunks;
        let completion = chunks > 0 && self.usage.completion.is_some_and(too_few);
        let prompt = self.usage.prompt == Some(0);
        if completion {
            self.usage.completion = None;
        }
        if prompt {
            (self.usage.prompt, self.usage.cached) = (None, None);
        }
        completion || prompt
    }
}

fn scan(seen: &Observation) -> Scan {
    let mut fragments = Vec::new();
    let mut running: Vec<Running> = Vec::new();
    let mut usage = Usage::default();
    let mut ids: Option<u64> = None;
    let mut finish = None;
    let mut sums = Bytes::default();
    for located in &seen.events {
        match &located.event {
            Event::Fragment { bytes, channel } if *bytes > 0 => {
                let Some(at) = seen.reads.get(located.read as usize) else { continue };
                let sum = match channel {
                    Channel::Text => &mut sums.text,
                    Channel::Reasoning => &mut sums.reasoning,
                    Channel::ToolCall => &mut sums.tool_call,
                };
                *sum = sum.saturating_add(u64::from(*bytes));
                fragments.push(Fragment { read: located.read, at: *at, tokens: None });
                running.push(Running { usage: None, ids: None });
            }
            Event::TokenIds(n) => {
                let total = ids.unwrap_or(0) + u64::from(*n);
                ids = Some(total);
                if let Some(last) = running.last_mut() {
                    last.ids.get_or_insert(total);
                }
            }
            Event::Usage(report) => {
                usage.prompt = report.prompt.or(usage.prompt);
                usage.cached = report.cached.or(usage.cached);
                usage.completion = report.completion.or(usage.completion);
                usage.reasoning = report.reasoning.or(usage.reasoning);
                if let (Some(last), Some(n)) = (running.last_mut(), report.completion) {
                    last.usage.get_or_insert(n);
                }
            }
            Event::Finish(reason) => finish = Some(reason.clone()),
            _ => {}
        }
    }
    Scan { fragments, running, usage, ids, finish, bytes: sums }
}

/// Tokens per fragment from running counts, or `None` when the counts do not follow the stream.
///
/// They follow it when each read that holds a fragment ends on a known count, the first is at least 1, and at least half of
/// them grow: some servers send a constant with every chunk and the truth at the end.
fn cumulative(fragments: &[Fragment], counts: impl Iterator<Item = Option<u64>>) -> Option<Vec<u64>> {
    if fragments.len() < 2 {
        return None;
    }
    let mut each = vec![0; fragments.len()];
    let mut before = 0;
    let (mut known, mut growing) = (0_usize, 0_usize);
    for (index, count) in counts.enumerate() {
        let read = fragments.get(index).map(|f| f.read);
        let last_of_read = fragments.get(index + 1).map(|f| f.read) != read;
        let Some(count) = count else {
            if last_of_read {
                return None;
            }
            continue;
        };
        if known == 0 && count == 0 {
            return None;
        }
        known += 1;
        growing += usize::from(count > before);
        if let Some(slot) = each.get_mut(index) {
            *slot = count.checked_sub(before)?;
        }
        before = count;
    }
    (known >= 2 && growing * 2 >= known).then_some(each)
}
