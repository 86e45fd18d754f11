//! The one place where clocks are read.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A moment on the monotonic clock: nanoseconds since an origin that is fixed once per process. Stamps of one process
/// can be compared and subtracted; stamps of two processes cannot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(u64);

impl Stamp {
    /// Now. The first call in a process fixes the origin.
    #[must_use]
    pub fn now() -> Self {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        let now = Instant::now();
        let since = now.saturating_duration_since(*ORIGIN.get_or_init(|| now));
        // 2^64 nanoseconds are 584 years.
        Self(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    /// The stamp that lies `nanos` nanoseconds after the origin, as read back from a trace.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time from `earlier` to this stamp, zero where `earlier` is the later one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The stamp `duration` later, the last possible one where that does not fit.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// How far the real-time clock is ahead of ours. It changes when somebody sets that clock, and hardly otherwise: both are
/// slewed alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WallOffset(i128);

impl WallOffset {
    /// The offset now, from the closest of a few pairs of readings.
    pub(crate) fn now() -> Self {
        let reading = |_| {
            let before = Stamp::now();
            let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
            let gap = Stamp::now().as_nanos() - before.as_nanos();
            let middle = i128::from(before.as_nanos() + gap / 2);
            (gap, i128::try_from(wall).unwrap_or(i128::MAX) - middle)
        };
        let (_, offset) = (0..5).map(reading).min().unwrap_or_default();
        Self(offset)
    }

    /// Whether the real-time clock was left alone between the two.
    pub(crate) const fn is_close_to(self, other: Self) -> bool {
        (self.0 - other.0).unsigned_abs() < 100_000
    }

    /// The stamp of a moment on the real-time clock, in nanoseconds.
    pub(crate) fn stamp(self, wall: u64) -> Option<Stamp> {
        u64::try_from(i128::from(wall) - self.0).ok().map(Stamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_never_go_back() {
        let mut last = Stamp::now();
        for _ in 0..1000 {
            let now = Stamp::now();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn the_real_time_clock_is_brought_back_to_ours() {
        let offset = WallOffset::now();
        let before = Stamp::now();
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let found = offset.stamp(u64::try_from(wall).unwrap_or_default()).unwrap_or_default();
        // Generous, since somebody may set the clock or the machine may be busy.
        assert!(found.since(before).max(before.since(found)) < Duration::from_secs(5));
        assert_eq!(offset.stamp(0), None);
        assert!(offset.is_close_to(offset));
        assert!(!offset.is_close_to(WallOffset(offset.0 + 1_000_000)));
    }

    #[test]
    fn arithmetic_saturates() {
        let end = Stamp::from_nanos(u64::MAX);
        assert_eq!(end.after(Duration::from_secs(1)), end);
        assert_eq!(Stamp::from_nanos(1).since(end), Duration::ZERO);
        assert_eq!(Stamp::from_nanos(5).after(Duration::from_nanos(2)).as_nanos(), 7);
    }
}
