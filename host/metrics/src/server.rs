//! The backend's own account of a request, beside the client's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observation::ServerTiming;

/// What the backend reports about its own times, and by how much the client's numbers differ.
///
/// A disagreement is (client − server) / server: positive when the client measured the higher rate.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ServerReport {
    /// Waiting before the prompt was looked at, in milliseconds.
    pub queue_ms: Option<f64>,
    /// Loading the model, in milliseconds.
    pub load_ms: Option<f64>,
    /// Evaluating the prompt, in milliseconds.
    pub prefill_ms: Option<f64>,
    /// Prompt tokens evaluated.
    pub prefill_tokens: Option<u64>,
    /// `prefill_tokens / prefill_ms`, in tokens per second.
    pub prefill_tps: Option<f64>,
    /// Producing tokens, in milliseconds.
    pub decode_ms: Option<f64>,
    /// Tokens produced in `decode_ms`.
    pub decode_tokens: Option<u64>,
    /// `decode_tokens / decode_ms`, in tokens per second.
    pub decode_tps: Option<f64>,
    /// Draft tokens proposed by speculative decoding.
    pub draft_tokens: Option<u64>,
    /// Draft tokens accepted.
    pub accepted_tokens: Option<u64>,
    /// Relative difference of the prefill rates.
    pub prefill_disagreement: Option<f64>,
    /// Relative difference of the decode rates.
    pub decode_disagreement: Option<f64>,
}

/// The longest time that is one, in milliseconds: thirty years. A number far beyond would overflow in a variance.
const LONGEST_MS: f64 = 1e12;

/// The highest rate that is one, in tokens per second; it stands far above a token per nanosecond, for the same reason.
const FASTEST: f64 = 1e18;

impl ServerReport {
    /// The report in `timing`, and whether a time in it had to be left out because it is no time.
    pub(crate) fn of(timing: &ServerTiming) -> (Self, bool) {
        let mut invalid = false;
        let mut time = |value: Option<f64>| {
            let valid = value.filter(|v| (0.0..=LONGEST_MS).contains(v));
            invalid |= valid != value;
            valid
        };
        let report = Self {
            queue_ms: time(timing.queue_ms),
            load_ms: time(timing.load_ms),
            prefill_ms: time(timing.prefill_ms),
            prefill_tokens: timing.prefill_tokens,
            decode_ms: time(timing.decode_ms),
            decode_tokens: timing.decode_tokens,
            draft_tokens: timing.draft_tokens,
            accepted_tokens: timing.accepted_tokens,
            ..Self::default()
        };
        let prefill_tps = per_second(report.prefill_tokens, report.prefill_ms);
        let decode_tps = per_second(report.decode_tokens, report.decode_ms);
        (Self { prefill_tps, decode_tps, ..report }, invalid)
    }

    /// Accepted draft tokens per proposed one.
    pub(crate) fn draft_acceptance(&self) -> Option<f64> {
        match (self.accepted_tokens, self.draft_tokens) {
            (Some(accepted), Some(drafted)) if drafted > 0 => Some(accepted as f64 / drafted as f64),
            _ => None,
        }
    }

    /// Sets the client's rates beside the server's.
    pub(crate) fn compare(&mut self, prefill_tps: Option<f64>, decode_tps: Option<f64>) {
        self.prefill_disagreement = relative(prefill_tps, self.prefill_tps);
        self.decode_disagreement = relative(decode_tps, self.decode_tps);
    }
}

/// Tokens per second; `None` unless both are known and positive, and the rate is one.
pub(crate) fn per_second(tokens: Option<u64>, ms: Option<f64>) -> Option<f64> {
    let (tokens, ms) = (tokens?, ms?);
    let rate = tokens as f64 / ms * 1000.0;
    (tokens > 0 && ms > 0.0 && rate <= FASTEST).then_some(rate)
}

fn relative(client: Option<f64>, server: Option<f64>) -> Option<f64> {
    let (client, server) = (client?, server?);
    Some((client - server) / server)
}
