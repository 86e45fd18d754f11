//! Times between the pieces of an answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::{floored_percentile, mean};
use crate::tokens::Fragment;

/// The gaps of one answer. Percentiles by linear interpolation, `None` below their sample floor.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct GapStats {
    /// Each gap in stream order, in milliseconds.
    pub each_ms: Vec<f64>,
    /// 50th percentile in milliseconds.
    pub p50_ms: Option<f64>,
    /// 95th percentile in milliseconds.
    pub p95_ms: Option<f64>,
    /// 99th percentile in milliseconds.
    pub p99_ms: Option<f64>,
    /// Arithmetic mean in milliseconds.
    #[serde(default)]
    pub mean_ms: Option<f64>,
    /// Longest in milliseconds.
    #[serde(default)]
    pub max_ms: Option<f64>,
}

impl GapStats {
    /// The percentiles of `each_ms`.
    pub fn of(each_ms: Vec<f64>) -> Self {
        let mut sorted = each_ms.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |p| floored_percentile(&sorted, p);
        let (mean_ms, max_ms) = (mean(&sorted), sorted.last().copied());
        Self { p50_ms: at(50), p95_ms: at(95), p99_ms: at(99), mean_ms, max_ms, each_ms }
    }
}

/// Nanoseconds as milliseconds.
pub(crate) fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

/// The gap before each fragment but the first. Fragments of one read share a stamp, so the gap between them is 0: what
/// happened inside the read is not known, and nothing is spread over it.
pub(crate) fn per_chunk(fragments: &[Fragment]) -> Vec<f64> {
    fragments.array_windows::<2>().map(|[a, b]| ms(b.at.saturating_sub(a.at))).collect()
}

/// The time of each token after those of the first fragment, and whether any had to be derived by dividing a gap.
///
/// A fragment of n tokens yields its gap / n, n times. A fragment without a token of its own hands its gap on to the next.
/// `None` when the tokens of single fragments are not known.
pub(crate) fn per_token(fragments: &[Fragment]) -> Option<(Vec<f64>, bool)> {
    let mut each = Vec::new();
    let mut derived = false;
    let mut carried = 0.0;
    for [a, b] in fragments.array_windows::<2>() {
        let gap = ms(b.at.saturating_sub(a.at)) + carried;
        let tokens = b.tokens?;
        if tokens == 0 {
            carried = gap;
            continue;
        }
        carried = 0.0;
        derived |= tokens > 1;
        let share = gap / tokens as f64;
        each.extend(std::iter::repeat_n(share, usize::try_from(tokens).ok()?));
    }
    Some((each, derived))
}
