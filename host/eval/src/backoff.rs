//! How many requests there may be at once: as many as were asked for until the server says that it is too many, then half, and one
//! more again after each round that went well.

use std::time::Duration;

use bench_record::BackoffStep;
use bench_wire::Stamp;

/// Steps that are kept for the record.
const MOST_STEPS: usize = 256;

/// The number of requests that there may be at once.
#[derive(Debug)]
pub(crate) struct Limiter {
    most: u32,
    now: u32,
    began: Stamp,
    /// Requests that left before this moment were not yet sent under the present limit.
    since: Stamp,
    paused_until: Stamp,
    good: u32,
    steps: Vec<BackoffStep>,
}

impl Limiter {
    pub(crate) fn new(most: u32, began: Stamp) -> Self {
        let most = most.max(1);
        Self { most, now: most, began, since: began, paused_until: began, good: 0, steps: Vec::new() }
    }

    /// Whether another request may leave beside so many.
    pub(crate) fn admits(&self, in_flight: usize, now: Stamp) -> bool {
        now >= self.paused_until && in_flight < self.now as usize
    }

    /// When requests may leave again.
    pub(crate) fn paused_until(&self) -> Stamp {
        self.paused_until
    }

    /// A request that was sent at `sent` was answered.
    pub(crate) fn went_well(&mut self, now: Stamp) {
        self.good += 1;
        if self.now < self.most && self.good >= self.now * 2 {
            self.set(self.now + 1, now, Duration::ZERO, "recovered");
        }
    }

    /// The server turned down a request that was sent at `sent`. Those that were on their way when the limit was lowered say
    /// nothing about the new one.
    pub(crate) fn turned_down(&mut self, sent: Stamp, now: Stamp, pause: Duration, cause: &'static str) {
        self.paused_until = self.paused_until.max(now.after(pause));
        if sent >= self.since {
            self.set((self.now / 2).max(1), now, pause, cause);
            self.since = now;
        }
    }

    /// What happened to the limit.
    pub(crate) fn into_steps(self) -> Vec<BackoffStep> {
        self.steps
    }

    fn set(&mut self, to: u32, now: Stamp, pause: Duration, cause: &str) {
        self.good = 0;
        if self.steps.len() < MOST_STEPS {
            let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            self.steps.push(BackoffStep {
                at_ms: milliseconds(now.since(self.began)),
                from: self.now,
                to,
                pause_ms: milliseconds(pause),
                cause: cause.to_owned(),
            });
        }
        self.now = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Stamp {
        Stamp::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn halves_once_for_requests_that_left_together_and_recovers() {
        let mut limiter = Limiter::new(8, at(0));
        assert!(limiter.admits(7, at(0)) && !limiter.admits(8, at(0)));
        for _ in 0..8 {
            limiter.turned_down(at(1), at(10), Duration::from_millis(100), "rate-limited");
        }
        assert_eq!(limiter.now, 4);
        assert!(!limiter.admits(0, at(50)) && limiter.admits(3, at(110)) && !limiter.admits(4, at(110)));
        limiter.turned_down(at(20), at(30), Duration::ZERO, "rate-limited");
        limiter.turned_down(at(40), at(50), Duration::ZERO, "overloaded");
        limiter.turned_down(at(60), at(70), Duration::ZERO, "overloaded");
        assert_eq!(limiter.now, 1, "never none at all");
        for _ in 0..200 {
            limiter.went_well(at(200));
        }
        assert_eq!(limiter.now, 8, "as many as were asked for, and no more");
        let steps = limiter.into_steps();
        assert_eq!((steps[0].from, steps[0].to, steps[0].at_ms, steps[0].pause_ms), (8, 4, 10, 100));
        assert!(steps.iter().any(|step| step.cause == "recovered"));
    }
}
