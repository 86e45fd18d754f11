//! How much of the work kept its objectives.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::request::RequestMetrics;
use crate::slo::{Bound, Slo};
use crate::stats::percentile;
use crate::summary::{Outcome, Sample};
use crate::tokens::FragmentBasis;

/// How many requests kept every bound of an [`Slo`], and how many of them per second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Goodput {
    /// The objectives.
    pub slo: Slo,
    /// Answered in full and within every bound.
    pub met: u32,
    /// Answered in full, and beyond at least one bound.
    pub missed: u32,
    /// Not answered in full, or never sent; each counts as a miss in `share`.
    pub failed: u32,
    /// Answered in full and beyond no bound, but at least one bound could not be judged. They are left out of `share`.
    pub unjudged: u32,
    /// `met` divided by `met + missed + failed`; absent when that is 0.
    pub share: Option<f64>,
    /// Requests that met every bound, per second of the span; absent when the span is not known.
    pub per_second: Option<f64>,
    /// Output tokens of those requests, per second of the span; absent when one of them has no token count.
    pub tokens_per_second: Option<f64>,
    /// By bound (as [`Slo`] writes it, such as `ttft`), how many requests were beyond it. One request may be beyond several.
    pub missed_by: BTreeMap<String, u32>,
}

/// Judges `samples` by `slo`, over a span of `span_ms` milliseconds.
///
/// A request is good when it was answered in full and kept every bound:
///
/// - `ttft`: first token, counted from the intended start, so that a client or a queue that sends late is not forgiven
///   (`ttft_intended_ms`).
/// - `itl`: the request's mean time per output token where the tokens of single fragments are known (`tpot_ms` with a basis
///   other than `estimated`), else its mean time between fragments (`itl_chunk`).
/// - `itl.pN`: percentile N of the same times within the request, by linear interpolation. The request's times are all there
///   are and not a sample of more, so no sample floor applies.
/// - `tpot`: time per output token after the first fragment's (`tpot_ms`), however the tokens are known.
/// - `e2e`: end of the answer, counted from the intended start (`e2e_ms`).
///
/// An answer of at most one token keeps `itl` and `tpot`, which say nothing about it.
///
/// Goodput as requests per second within all objectives is from DistServe (Zhong et al., OSDI 2024), and what
/// `vllm bench serve --goodput` prints; both count from the sending of a request, this from its intended start.
pub fn goodput(samples: &[Sample<'_>], slo: &Slo, span_ms: Option<f64>) -> Goodput {
    let mut found = Goodput {
        slo: slo.clone(),
        met: 0,
        missed: 0,
        failed: 0,
        unjudged: 0,
        share: None,
        per_second: None,
        tokens_per_second: None,
        missed_by: BTreeMap::new(),
    };
    let mut tokens = Some(0_u64);
    for sample in samples {
        let Outcome::Completed(metrics) = &sample.outcome else {
            found.failed += 1;
            continue;
        };
        let verdicts: Vec<(Bound, Option<bool>)> =
            slo.bounds().map(|(bound, limit)| (bound, kept(bound, limit, metrics))).collect();
        for (bound, _) in verdicts.iter().filter(|(_, kept)| *kept == Some(false)) {
            *found.missed_by.entry(bound.to_string()).or_default() += 1;
        }
        if verdicts.iter().any(|(_, kept)| *kept == Some(false)) {
            found.missed += 1;
        } else if verdicts.iter().any(|(_, kept)| kept.is_none()) {
            found.unjudged += 1;
        } else {
            found.met += 1;
            tokens = tokens.and_then(|total| total.checked_add(metrics.streamed_tokens()?));
        }
    }
    let span = span_ms.filter(|span| span.is_finite() && *span > 0.0);
    let judged = u64::from(found.met) + u64::from(found.missed) + u64::from(found.failed);
    found.share = (judged > 0).then(|| f64::from(found.met) / judged as f64);
    found.per_second = span.map(|span| f64::from(found.met) / span * 1000.0);
    found.tokens_per_second = tokens.zip(span).map(|(tokens, span)| tokens as f64 / span * 1000.0);
    found
}

/// Whether a request kept a bound; `None` when that cannot be said.
fn kept(bound: Bound, limit: f64, metrics: &RequestMetrics) -> Option<bool> {
    let between_tokens = !matches!(bound, Bound::Ttft | Bound::E2e);
    if between_tokens && metrics.streamed_tokens().is_some_and(|tokens| tokens <= 1) {
        return Some(true);
    }
    let value = match bound {
        Bound::Ttft => metrics.ttft_intended_ms,
        Bound::E2e => Some(metrics.e2e_ms),
        Bound::Tpot => metrics.tpot_ms,
        Bound::Itl if told_apart(metrics) => metrics.tpot_ms,
        Bound::Itl => metrics.itl_chunk.mean_ms,
        Bound::ItlPercentile(percent) => within(metrics, percent),
    };
    value.map(|value| value <= limit)
}

/// Whether the tokens of single fragments are known.
fn told_apart(metrics: &RequestMetrics) -> bool {
    matches!(
        metrics.first_fragment_basis,
        FragmentBasis::ChunkUsage | FragmentBasis::TokenIds | FragmentBasis::OnePerChunk
    )
}

/// A percentile of a request's own times between tokens. Where the request no longer has each time, only those percentiles that
/// it kept.
fn within(metrics: &RequestMetrics, percent: u8) -> Option<f64> {
    let (each, kept) = if told_apart(metrics) {
        let kept = [metrics.decode_p50_latency_ms, metrics.decode_p95_latency_ms, metrics.decode_p99_latency_ms];
        (metrics.raw_timings.as_deref().unwrap_or_default(), kept)
    } else {
        let gaps = &metrics.itl_chunk;
        (gaps.each_ms.as_slice(), [gaps.p50_ms, gaps.p95_ms, gaps.p99_ms])
    };
    let mut sorted = each.to_vec();
    sorted.sort_by(f64::total_cmp);
    let stored = match percent {
        50 => kept[0],
        95 => kept[1],
        99 => kept[2],
        _ => None,
    };
    percentile(&sorted, f64::from(percent)).or(stored)
}
