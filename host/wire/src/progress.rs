//! What is going on, for a live view.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters that the wire raises as it goes. Clones count together. Reading them never disturbs a measurement, and nothing
/// that is measured is computed from them.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    started: AtomicU64,
    finished: AtomicU64,
    failed: AtomicU64,
    bytes: AtomicU64,
    reads: AtomicU64,
    frames: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Requests begun.
    pub started: u64,
    /// Requests answered in full, whatever the status.
    pub finished: u64,
    /// Requests that were not.
    pub failed: u64,
    /// Bytes of response bodies.
    pub bytes: u64,
    /// Socket reads.
    pub reads: u64,
    /// Server-sent events with data.
    pub frames: u64,
}

impl Progress {
    /// All counters at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The counters now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let counters = &self.0;
        Snapshot {
            started: counters.started.load(Relaxed),
            finished: counters.finished.load(Relaxed),
            failed: counters.failed.load(Relaxed),
            bytes: counters.bytes.load(Relaxed),
            reads: counters.reads.load(Relaxed),
            frames: counters.frames.load(Relaxed),
        }
    }

    pub(crate) fn start(&self) {
        self.0.started.fetch_add(1, Relaxed);
    }

    pub(crate) fn end(&self, ok: bool) {
        if ok { &self.0.finished } else { &self.0.failed }.fetch_add(1, Relaxed);
    }

    pub(crate) fn took(&self, reads: u64, bytes: u64, frames: u64) {
        for (counter, more) in [(&self.0.reads, reads), (&self.0.bytes, bytes), (&self.0.frames, frames)] {
            if more > 0 {
                counter.fetch_add(more, Relaxed);
            }
        }
    }
}
