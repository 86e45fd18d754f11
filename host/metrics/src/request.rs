//! The metrics of one request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Inconsistency, inconsistencies};
use crate::flag::{DISAGREEMENT_LIMIT, Flag, LATE_MS, LOAD_MS, PREFILL_DISAGREEMENT_LIMIT};
use crate::gaps::{GapStats, ms, per_chunk, per_token};
use crate::observation::{Cache, Channel, Event, Expectation, Finish, Observation, ServerTiming};
use crate::server::{ServerReport, per_second};
use crate::tokens::{FragmentBasis, TokenSource, Tokens, count};

/// The numbers of one request. Times are milliseconds, rates tokens per second. An absent number is undefined or not
/// known; the flags say which. [`crate::METRICS`] holds every definition.
///
/// The zero of TTFT is the first byte written, so connecting is not in it; `connect_ms` is given beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestMetrics {
    /// First byte written to first non-empty fragment of any channel.
    pub ttft_ms: Option<f64>,
    /// The same from the start of the request, connecting included.
    pub ttft_started_ms: Option<f64>,
    /// The same from the intended start, so that waiting caused by the client or by earlier requests counts.
    pub ttft_intended_ms: Option<f64>,
    /// First byte written to first visible text.
    pub ttft_visible_ms: Option<f64>,
    /// First byte written to the first event of any kind, such as a chunk that only names the role.
    pub first_chunk_ms: Option<f64>,
    /// Intended start to start.
    pub queue_ms: f64,
    /// Intended start to first byte written: how late the request really left.
    #[serde(default)]
    pub send_error_ms: Option<f64>,
    /// Start to first byte written: connecting, where no connection was reused.
    pub connect_ms: Option<f64>,
    /// First to last byte of the request written.
    pub send_ms: Option<f64>,
    /// Start to end of the answer.
    pub wall_ms: f64,
    /// Intended start to end of the answer.
    pub e2e_ms: f64,
    /// Prompt tokens not served from a cache per second of TTFT.
    pub prefill_tps: Option<f64>,
    /// Tokens after the first fragment's per second between the first and the last fragment.
    pub decode_tps: Option<f64>,
    /// Time per output token after the first fragment's: the inverse of `decode_tps`.
    pub tpot_ms: Option<f64>,
    /// All streamed tokens per second of `wall_ms`, prefill included.
    pub output_tps: Option<f64>,
    /// Median time per token after the first fragment's; from 11 tokens on.
    pub decode_p50_latency_ms: Option<f64>,
    /// 95th percentile of the same; from 130 tokens on.
    pub decode_p95_latency_ms: Option<f64>,
    /// 99th percentile of the same; from 662 tokens on.
    pub decode_p99_latency_ms: Option<f64>,
    /// Time of each token after the first fragment's, in stream order.
    pub raw_timings: Option<Vec<f64>>,
    /// Some of `raw_timings` are a chunk's gap divided by the chunk's tokens.
    pub raw_timings_derived: bool,
    /// Times between fragments: inter-token latency as most tools compute it, per chunk.
    pub itl_chunk: GapStats,
    /// Tokens of the prompt, cached ones included.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the prompt as counted by the backend's tokenizer before the request.
    pub prompt_tokens_counted: Option<u64>,
    /// Where `prompt_tokens` comes from.
    pub prompt_tokens_source: TokenSource,
    /// Tokens of the prompt that came from a prefix cache.
    pub cached_tokens: Option<u64>,
    /// `cached_tokens / prompt_tokens`.
    pub prefix_cache_hit_rate: Option<f64>,
    /// Tokens produced, reasoning included.
    pub output_tokens: Option<u64>,
    /// Most tokens that were asked for.
    pub requested_output_tokens: u64,
    /// Where `output_tokens` comes from.
    pub output_tokens_source: TokenSource,
    /// Tokens produced that are reasoning.
    pub reasoning_tokens: Option<u64>,
    /// Those of `output_tokens` that came through the stream, where some did not; see [`Self::streamed_tokens`].
    #[serde(default)]
    pub streamed_output_tokens: Option<u64>,
    /// Tokens that had arrived by the stamp of the first fragment: its own, those of fragments in the same read, and any
    /// that came without text before it.
    pub first_fragment_tokens: Option<u64>,
    /// How `first_fragment_tokens` is known.
    pub first_fragment_basis: FragmentBasis,
    /// Non-empty fragments.
    pub chunks: u64,
    /// Reads from the socket that held at least a byte of the body.
    pub reads: u64,
    /// Reads that held more than one fragment.
    pub merged_reads: u64,
    /// Draft tokens accepted per draft token proposed.
    pub draft_acceptance_rate: Option<f64>,
    /// Why the backend stopped.
    pub finish: Option<Finish>,
    /// The label that the request carried.
    pub cache: Cache,
    /// The backend's own account.
    pub server: Option<ServerReport>,
    /// What to know about these numbers.
    pub flags: Vec<Flag>,
}

impl RequestMetrics {
    /// Tokens that came through the stream: what every rate counts. Absent where tokens were hidden and nothing says how many.
    pub fn streamed_tokens(&self) -> Option<u64> {
        if self.flags.contains(&Flag::HiddenTokens) { self.streamed_output_tokens } else { self.output_tokens }
    }
}

/// The metrics of `seen`, held against what was asked for.
///
/// An answer that broke off yields the numbers of what arrived, with [`Flag::Incomplete`].
///
/// # Errors
///
/// All contradictions in `seen`, when its timing is meaningless.
pub fn request(seen: &Observation, asked: &Expectation) -> Result<RequestMetrics, Vec<Inconsistency>> {
    let contradictions = inconsistencies(seen);
    if !contradictions.is_empty() {
        return Err(contradictions);
    }
    let mut flags = Vec::new();
    let tokens = count(seen, asked);
    let Marks { first_chunk, visible, finish, timing } = marks(seen, &mut flags);
    let zero = seen.first_byte_written.unwrap_or(seen.started);
    let first = tokens.fragments.first().map(|f| f.at);
    let since = |from: u64, to: Option<u64>| to.map(|to| ms(to.saturating_sub(from)));

    let ttft_ms = since(zero, first);
    let is_loaded = timing.as_ref().and_then(|timing| timing.load_ms).is_some_and(|load| load >= LOAD_MS);
    if is_loaded {
        flags.push(Flag::ModelLoaded);
    }
    if tokens.hidden {
        flags.push(Flag::HiddenTokens);
    }
    if tokens.contradicted {
        flags.push(Flag::CountContradicted);
    }
    // TTFT holds more than the prompt's evaluation then.
    let prefill_tps = prefill(&tokens, asked.cache, ttft_ms, &mut flags).filter(|_| !tokens.hidden && !is_loaded);
    let decode = decode(&tokens);
    let decode_tps = decode.and_then(|(count, span)| per_second(Some(count), Some(span)));
    let spread = per_token(&tokens.fragments);
    if tokens.basis == FragmentBasis::Estimated {
        flags.extend([Flag::FirstFragmentEstimated, Flag::TokenTimesUnknown]);
    }
    let derived = spread.as_ref().is_some_and(|(_, derived)| *derived);
    if derived {
        flags.push(Flag::TokenTimesDerived);
    }
    let token_gaps = GapStats::of(spread.map(|(each, _)| each).unwrap_or_default());
    let merged_reads = merged(&tokens);
    let server = timing.map(|timing| {
        let (mut report, invalid) = ServerReport::of(&timing);
        report.compare(prefill_tps, decode_tps);
        if invalid {
            flags.push(Flag::ServerTimingInvalid);
        }
        report
    });
    let wall_ms = ms(seen.ended.saturating_sub(seen.started));
    let queue_ms = ms(seen.started.saturating_sub(seen.intended));
    judge(seen, asked, &tokens, &mut flags);
    if merged_reads > 0 {
        flags.push(Flag::MergedReads);
    }
    if queue_ms >= LATE_MS {
        flags.push(Flag::Late);
    }
    if let Some(server) = &server {
        let beyond = |difference: Option<f64>, limit: f64| difference.is_some_and(|d| d.abs() > limit);
        if beyond(server.decode_disagreement, DISAGREEMENT_LIMIT) {
            flags.push(Flag::ServerDecodeDisagrees);
        }
        if beyond(server.prefill_disagreement, PREFILL_DISAGREEMENT_LIMIT) {
            flags.push(Flag::ServerPrefillDisagrees);
        }
    }
    flags.sort_unstable();
    flags.dedup();

    Ok(RequestMetrics {
        ttft_ms,
        ttft_started_ms: since(seen.started, first),
        ttft_intended_ms: since(seen.intended, first),
        ttft_visible_ms: since(zero, visible),
        first_chunk_ms: since(zero, first_chunk),
        queue_ms,
        send_error_ms: since(seen.intended, seen.first_byte_written),
        connect_ms: since(seen.started, seen.first_byte_written),
        send_ms: seen.first_byte_written.and_then(|from| since(from, seen.last_byte_written)),
        wall_ms,
        e2e_ms: ms(seen.ended.saturating_sub(seen.intended)),
        prefill_tps,
        decode_tps,
        tpot_ms: decode.and_then(|(count, span)| (count > 0 && span > 0.0).then(|| span / count as f64)),
        output_tps: per_second(tokens.streamed, Some(wall_ms)),
        decode_p50_latency_ms: token_gaps.p50_ms,
        decode_p95_latency_ms: token_gaps.p95_ms,
        decode_p99_latency_ms: token_gaps.p99_ms,
        raw_timings: (!token_gaps.each_ms.is_empty()).then_some(token_gaps.each_ms),
        raw_timings_derived: derived,
        itl_chunk: GapStats::of(per_chunk(&tokens.fragments)),
        prompt_tokens: tokens.prompt,
        prompt_tokens_counted: asked.prompt_tokens,
        prompt_tokens_source: tokens.prompt_source,
        cached_tokens: tokens.cached,
        prefix_cache_hit_rate: share(tokens.cached, tokens.prompt),
        output_tokens: tokens.output,
        requested_output_tokens: asked.requested_output,
        output_tokens_source: tokens.output_source,
        reasoning_tokens: tokens.reasoning,
        streamed_output_tokens: tokens.streamed.filter(|_| tokens.hidden),
        first_fragment_tokens: tokens.by_first,
        first_fragment_basis: tokens.basis,
        chunks: tokens.fragments.len() as u64,
        reads: seen.reads.len() as u64,
        merged_reads,
        draft_acceptance_rate: server.as_ref().and_then(ServerReport::draft_acceptance),
        finish,
        cache: asked.cache,
        server,
        flags,
    })
}

/// What stands in the stream besides fragments.
struct Marks {
    first_chunk: Option<u64>,
    visible: Option<u64>,
    finish: Option<Finish>,
    timing: Option<ServerTiming>,
}

fn marks(seen: &Observation, flags: &mut Vec<Flag>) -> Marks {
    let mut marks = Marks { first_chunk: None, visible: None, finish: None, timing: None };
    for located in &seen.events {
        let at = seen.reads.get(located.read as usize).copied();
        marks.first_chunk = marks.first_chunk.or(at);
        match &located.event {
            Event::Fragment { bytes: 0, .. } => flags.push(Flag::EmptyFragments),
            Event::Fragment { channel, .. } => {
                if *channel == Channel::Text {
                    marks.visible = marks.visible.or(at);
                }
                if marks.finish.is_some() {
                    flags.push(Flag::ContentAfterFinish);
                }
            }
            Event::Finish(reason) => marks.finish = Some(reason.clone()),
            Event::ServerTiming(timing) => marks.timing = Some(*timing),
            Event::Error => flags.push(Flag::StreamError),
            _ => {}
        }
    }
    marks
}

/// Prompt tokens that had to be computed, per second of TTFT. Withheld where their number is not known.
fn prefill(tokens: &Tokens, cache: Cache, ttft_ms: Option<f64>, flags: &mut Vec<Flag>) -> Option<f64> {
    let cached = match (cache, tokens.cached) {
        (Cache::Cold, Some(0)) => 0,
        (Cache::Cold, Some(_)) => {
            flags.push(Flag::ColdHitCache);
            return None;
        }
        (Cache::Cold, None) => {
            flags.push(Flag::ColdUnverified);
            0
        }
        (Cache::Warm, Some(cached)) => cached,
        (Cache::Warm, None) => {
            flags.push(Flag::CacheUnknown);
            return None;
        }
    };
    per_second(tokens.prompt?.checked_sub(cached), ttft_ms)
}

/// Tokens that arrived after the stamp of the first fragment and by that of the last, and the milliseconds between the two.
fn decode(tokens: &Tokens) -> Option<(u64, f64)> {
    let (first, last) = (tokens.fragments.first()?, tokens.fragments.last()?);
    let count = tokens.by_last?.checked_sub(tokens.by_first?)?;
    Some((count, ms(last.at.saturating_sub(first.at))))
}

fn merged(tokens: &Tokens) -> u64 {
    tokens.fragments.chunk_by(|a, b| a.read == b.read).filter(|read| read.len() > 1).count() as u64
}

fn share(part: Option<u64>, whole: Option<u64>) -> Option<f64> {
    let (part, whole) = (part?, whole?);
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Flags that follow from what was asked for and how the answer ended.
fn judge(seen: &Observation, asked: &Expectation, tokens: &Tokens, flags: &mut Vec<Flag>) {
    let finish = seen.events.iter().rev().find_map(|located| match &located.event {
        Event::Finish(reason) => Some(reason),
        _ => None,
    });
    let mut raise = |flag: Flag, when: bool| {
        if when {
            flags.push(flag);
        }
    };
    raise(Flag::Incomplete, !seen.completed);
    raise(Flag::NoFinish, finish.is_none());
    raise(Flag::ContentFiltered, finish == Some(&Finish::ContentFilter));
    raise(Flag::NoWriteStamp, seen.first_byte_written.is_none());
    let one_stamp = tokens.fragments.first().map(|f| f.at) == tokens.fragments.last().map(|f| f.at);
    raise(Flag::NoOutput, tokens.fragments.is_empty());
    raise(Flag::SingleFragment, !tokens.fragments.is_empty() && one_stamp);
    raise(Flag::NoTokenCount, tokens.output.is_none());
    if let Some(output) = tokens.output {
        let streamed = tokens.streamed.unwrap_or(output);
        raise(Flag::MoreChunksThanTokens, tokens.fragments.len() as u64 > streamed);
        raise(Flag::LongerThanAsked, output > asked.requested_output);
        raise(Flag::LengthNotForced, asked.forced_length && output != asked.requested_output);
        raise(Flag::ShorterThanAsked, !asked.forced_length && output < asked.requested_output);
        raise(Flag::ReasoningExceedsOutput, tokens.reasoning.is_some_and(|reasoning| reasoning > output));
    }
    let counts = asked.prompt_tokens.zip(tokens.prompt);
    raise(Flag::PromptCountDiffers, counts.is_some_and(|(counted, reported)| counted != reported));
}
