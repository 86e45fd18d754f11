//! The times of single tokens, which a long run has more of than a record should hold.

use bench_metrics::{Slo, TokenPools};
use bench_record::{PhaseRecord, RequestRecord, RequestStatus};

/// Times of tokens and chunks that the requests of a phase keep. Beyond that only their percentiles are kept, and the trace,
/// which has every read.
const MOST: usize = 1_000_000;

/// The token times of a phase while its requests are judged.
#[derive(Default)]
pub(crate) struct Times {
    pools: TokenPools,
    kept: usize,
}

impl Times {
    /// Notes the times of a request, and takes them out of it where the phase has too many.
    pub(crate) fn take(&mut self, request: &mut RequestRecord) {
        let Some(metrics) = &mut request.metrics else { return };
        if request.status == RequestStatus::Completed && !request.warmup {
            self.pools.add(request.repeat, metrics.raw_timings.as_deref().unwrap_or_default());
        }
        self.kept += metrics.raw_timings.as_ref().map_or(0, Vec::len) + metrics.itl_chunk.each_ms.len();
        if self.kept > MOST {
            forget(request);
        }
    }

    /// Sums a phase up. Where some of its requests lost their times all do: percentiles of what happens to be left would be those
    /// of the first requests only.
    pub(crate) fn sum_up(self, record: &mut PhaseRecord, slo: Option<&Slo>) {
        let too_many = self.kept > MOST;
        if too_many {
            record.requests.iter_mut().for_each(forget);
        }
        record.sum_up(slo);
        if too_many {
            record.summary = record.summarise_pooled(self.pools);
        }
    }
}

fn forget(request: &mut RequestRecord) {
    if let Some(metrics) = &mut request.metrics {
        metrics.raw_timings = None;
        metrics.itl_chunk.each_ms = Vec::new();
    }
}
