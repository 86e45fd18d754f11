//! How many requests may be in flight at once.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bench_wire::{Stamp, Stop};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Descriptors that a run needs beside its connections: files, the capture, runtimes.
const SPARE_DESCRIPTORS: u64 = 256;

/// The most connections that are used by default. Linux hands out about 28,000 ports to one address.
const MOST_CONNECTIONS: u64 = 20_000;

/// The requests in flight that this process has descriptors for, at most 20,000. Raises the soft limit on open files as far
/// as the system lets it, since the usual 1,024 are fewer than an overloaded server keeps open.
#[must_use]
pub fn most_in_flight() -> NonZeroU32 {
    let room = open_files().unwrap_or(MOST_CONNECTIONS).saturating_sub(SPARE_DESCRIPTORS);
    NonZeroU32::new(u32::try_from(room.min(MOST_CONNECTIONS)).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN)
}

#[cfg(unix)]
fn open_files() -> Option<u64> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    let wanted = hard.min(MOST_CONNECTIONS + SPARE_DESCRIPTORS);
    let is_raised = soft < wanted && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_ok();
    Some(if is_raised { wanted } else { soft })
}

#[cfg(not(unix))]
fn open_files() -> Option<u64> {
    None
}

/// Requests that were due and had to wait because too many others were in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeldBack {
    /// How many.
    pub requests: u64,
    /// The longest wait.
    pub longest: Duration,
}

/// Places for requests in flight, given in the order in which they are asked for.
pub(crate) struct Room {
    places: Option<Semaphore>,
    held: AtomicU64,
    longest_ns: AtomicU64,
}

/// A place that is free again when it is dropped.
pub(crate) struct Taken<'r> {
    _place: Option<SemaphorePermit<'r>>,
}

impl Room {
    /// Room for so many requests, or for any number.
    pub(crate) fn new(most: Option<NonZeroU32>) -> Self {
        let places = most.map(|most| Semaphore::new((most.get() as usize).min(Semaphore::MAX_PERMITS)));
        Self { places, held: AtomicU64::new(0), longest_ns: AtomicU64::new(0) }
    }

    /// Waits for a place. `None` when the run was stopped before there was one.
    pub(crate) async fn take(&self, stop: &Stop) -> Option<Taken<'_>> {
        let Some(places) = &self.places else { return Some(Taken { _place: None }) };
        if let Ok(place) = places.try_acquire() {
            return Some(Taken { _place: Some(place) });
        }
        let since = Stamp::now();
        let place = tokio::select! {
            biased;
            () = stop.stopped() => None,
            place = places.acquire() => place.ok(),
        };
        let waited = u64::try_from(Stamp::now().since(since).as_nanos()).unwrap_or(u64::MAX);
        self.held.fetch_add(1, Relaxed);
        self.longest_ns.fetch_max(waited, Relaxed);
        place.map(|place| Taken { _place: Some(place) })
    }

    /// What has waited so far.
    pub(crate) fn held_back(&self) -> HeldBack {
        HeldBack { requests: self.held.load(Relaxed), longest: Duration::from_nanos(self.longest_ns.load(Relaxed)) }
    }
}
