//! How many tokens there were, and with which fragment they came.
//!
//! A chunk of a stream may carry no token, one or many. Counts that arrive with each chunk say exactly how many; counts at
//! the end say only how many in all, and then the first fragment's share has to be inferred, which
//! [`FragmentBasis`] makes visible.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observation::{Event, Expectation, Finish, Observation, Usage};

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
    let Scan { mut fragments, running, usage, ids, finish } = scan(seen);
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
    let one_per_chunk = output.is_some_and(|n| n > 0 && (n == chunks || (ends_on_a_token && n == chunks + 1)));
    let (basis, each) = if let Some(each) = by_usage {
        (FragmentBasis::ChunkUsage, Some(each))
    } else if let Some(each) = by_ids {
        (FragmentBasis::TokenIds, Some(each))
    } else if one_per_chunk {
        (FragmentBasis::OnePerChunk, Some(vec![1; fragments.len()]))
    } else if output.is_some_and(|n| n > 0) && !fragments.is_empty() {
        (FragmentBasis::Estimated, None)
    } else {
        (FragmentBasis::None, None)
    };
    let first_read = fragments.first().map(|f| f.read);
    let in_first_read = fragments.iter().take_while(|f| Some(f.read) == first_read).count();
    let (by_first, by_last) = match (&each, basis) {
        (Some(each), _) => (Some(each.iter().take(in_first_read).sum()), Some(each.iter().sum())),
        (None, FragmentBasis::Estimated) => (output.map(|n| n.min(in_first_read as u64)), output),
        (None, _) => (None, None),
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
        basis,
        by_first,
        by_last,
        fragments,
    }
}

struct Scan {
    fragments: Vec<Fragment>,
    running: Vec<Running>,
    usage: Usage,
    ids: Option<u64>,
    finish: Option<Finish>,
}

fn scan(seen: &Observation) -> Scan {
    let mut fragments = Vec::new();
    let mut running: Vec<Running> = Vec::new();
    let mut usage = Usage::default();
    let mut ids: Option<u64> = None;
    let mut finish = None;
    for located in &seen.events {
        match &located.event {
            Event::Fragment { bytes, .. } if *bytes > 0 => {
                let Some(at) = seen.reads.get(located.read as usize) else { continue };
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
    Scan { fragments, running, usage, ids, finish }
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
