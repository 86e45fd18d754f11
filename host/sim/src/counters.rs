//! What a simulated engine has done so far.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use serde::Serialize;

/// What a simulated engine has done so far. Each number is exact; taken together they are of one moment only when no
/// request is in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Connections accepted.
    pub connections: u64,
    /// Generation requests received, refused ones included.
    pub requests: u64,
    /// Generation requests accepted and not yet ended, waiting ones included.
    pub in_flight: u64,
    /// The most that this has been.
    pub in_flight_max: u64,
    /// Generation requests that hold a slot.
    pub running: u64,
    /// The most that this has been.
    pub running_max: u64,
    /// Answers written to their end.
    pub completed: u64,
    /// Answers that the client did not wait for.
    pub abandoned: u64,
    /// Prompt tokens of the requests that got a slot.
    pub prompt_tokens: u64,
    /// Answer tokens written.
    pub tokens_sent: u64,
    /// Prompt tokens looked up in the prefix cache.
    pub cache_queries: u64,
    /// Prompt tokens found there.
    pub cache_hits: u64,
    /// Writes that carried a stamped event.
    pub writes: u64,
    /// The latest that one of them began, in nanoseconds after it was due.
    pub late_max_ns: u64,
    /// Sum of their lateness in nanoseconds.
    pub late_sum_ns: u64,
}

impl Counters {
    /// Mean lateness of the writes in nanoseconds, 0 before the first.
    #[must_use]
    pub fn late_mean_ns(&self) -> u64 {
        self.late_sum_ns.checked_div(self.writes).unwrap_or(0)
    }
}

macro_rules! tally {
    ($($field:ident),* $(,)?) => {
        /// [`Counters`] that several threads add to.
        #[derive(Debug, Default)]
        pub(crate) struct Tally {
            $(pub $field: AtomicU64,)*
        }

        impl Tally {
            pub(crate) fn snapshot(&self) -> Counters {
                Counters { $($field: self.$field.load(SeqCst),)* }
            }
        }
    };
}

tally!(
    connections,
    requests,
    in_flight,
    in_flight_max,
    running,
    running_max,
    completed,
    abandoned,
    prompt_tokens,
    tokens_sent,
    cache_queries,
    cache_hits,
    writes,
    late_max_ns,
    late_sum_ns,
);

impl Tally {
    /// A write that was due at one time and began at another.
    pub(crate) fn wrote(&self, due_ns: u64, emitted_ns: u64) {
        let late = emitted_ns.saturating_sub(due_ns);
        self.writes.fetch_add(1, SeqCst);
        self.late_sum_ns.fetch_add(late, SeqCst);
        self.late_max_ns.fetch_max(late, SeqCst);
    }

    /// The counters in Prometheus' text format.
    pub(crate) fn prometheus(&self) -> String {
        let now = self.snapshot();
        let rows = [
            ("requests_total", "counter", "Generation requests received.", now.requests),
            ("prompt_tokens_total", "counter", "Prompt tokens of the requests that got a slot.", now.prompt_tokens),
            ("generation_tokens_total", "counter", "Answer tokens written.", now.tokens_sent),
            (
                "prefix_cache_queries_total",
                "counter",
                "Prompt tokens looked up in the prefix cache.",
                now.cache_queries,
            ),
            ("prefix_cache_hits_total", "counter", "Prompt tokens found in the prefix cache.", now.cache_hits),
            ("num_requests_running", "gauge", "Generation requests that hold a slot.", now.running),
            (
                "num_requests_waiting",
                "gauge",
                "Generation requests in the queue.",
                now.in_flight.saturating_sub(now.running),
            ),
        ];
        rows.iter()
            .map(|(name, kind, help, value)| {
                format!("# HELP benchsim:{name} {help}\n# TYPE benchsim:{name} {kind}\nbenchsim:{name} {value}\n")
            })
            .collect()
    }
}

/// Counts something as going on until it is dropped.
pub(crate) struct Gauge<'a>(&'a AtomicU64);

impl<'a> Gauge<'a> {
    pub(crate) fn up(now: &'a AtomicU64, most: &AtomicU64) -> Self {
        most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
        Self(now)
    }
}

impl Drop for Gauge<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}
