//! What the backend says of itself around and beside a window.

use bench_load::Look;
use bench_metrics::prometheus::{self, Collector};
use bench_plugin::driver_types::{Counter, CounterKind};
use bench_record::{CounterDelta, ServerSeries};

/// What the counters did in between, by name.
pub(crate) fn deltas(before: &[Counter], after: &[Counter]) -> Vec<CounterDelta> {
    after
        .iter()
        .filter_map(|after| {
            let before = before.iter().find(|before| before.name == after.name && before.kind == after.kind)?;
            Some(CounterDelta::between(kind_name(after.kind), after.name.clone(), before.value, after.value))
        })
        .collect()
}

fn kind_name(kind: CounterKind) -> &'static str {
    use CounterKind as Kind;
    match kind {
        Kind::PrefixCacheQueries => "prefix-cache-queries",
        Kind::PrefixCacheHits => "prefix-cache-hits",
        Kind::PromptTokens => "prompt-tokens",
        Kind::CompletionTokens => "completion-tokens",
        Kind::DraftTokens => "draft-tokens",
        Kind::AcceptedTokens => "accepted-tokens",
        Kind::PrefillSeconds => "prefill-seconds",
        Kind::DecodeSeconds => "decode-seconds",
        Kind::Preemptions => "preemptions",
        Kind::Other => "other",
    }
}

/// Gathers what was seen of the server beside the windows of a phase.
#[derive(Default)]
pub(crate) struct Observed(Collector);

impl Observed {
    /// Takes in the looks of one window. Answers that are not in the Prometheus text format say nothing.
    pub(crate) fn add(&mut self, looks: &[Look]) {
        for look in looks {
            for answer in look.answers.iter().flatten().filter(|answer| answer.status == 200) {
                let scrape = prometheus::parse(&answer.body);
                if !scrape.samples.is_empty() {
                    self.0.add(look.at.as_nanos(), scrape);
                }
            }
        }
    }

    /// The series of the phase.
    pub(crate) fn finish(self) -> Vec<ServerSeries> {
        let series = self.0.finish().series.into_iter();
        series.map(|one| ServerSeries { name: one.name, labels: one.labels, points: one.points }).collect()
    }
}
