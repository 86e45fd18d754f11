//! Waiting for a moment.
//!
//! A sleeping thread is woken late, by tens of microseconds at best and by whole milliseconds where timers are coarse. So the
//! sleep ends early and the rest is spent going round the other tasks of the thread: answers are still taken in, and the
//! moment is met to within one of their turns. Moments are absolute: being late for one never delays the next.

use std::time::Duration;

use bench_wire::Stamp;

use crate::nap;

/// How long before the moment the sleep ends.
const SPIN: Duration = Duration::from_micros(if cfg!(target_os = "linux") { 80 } else { 1500 });

/// An alarm that can be set again and again.
#[derive(Debug)]
pub(crate) struct Alarm(inner::Timer);

impl Alarm {
    /// Must be made in the runtime in which it is used.
    pub(crate) fn new() -> Self {
        Self(inner::Timer::new())
    }

    /// Returns as soon after `moment` as the thread's other work allows.
    pub(crate) async fn wait_until(&mut self, moment: Stamp) {
        nap::stay_awake_for(Some(moment));
        self.sleep_until(moment).await;
        nap::stay_awake_for(None);
    }

    async fn sleep_until(&mut self, moment: Stamp) {
        loop {
            let left = moment.since(Stamp::now());
            if left.is_zero() {
                return;
            }
            match left.checked_sub(SPIN).filter(|sleep| !sleep.is_zero()) {
                Some(sleep) => self.0.sleep(sleep).await,
                None => tokio::task::yield_now().await,
            }
        }
    }
}

/// The kernel's own timer, which is not rounded to milliseconds as the runtime's are.
#[cfg(target_os = "linux")]
mod inner {
    use std::os::fd::{AsFd, AsRawFd, RawFd};
    use std::time::Duration;

    use nix::sys::time::TimeSpec;
    use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    const READABLE: Interest = Interest::READABLE;

    #[derive(Debug)]
    pub(super) struct Timer(Option<AsyncFd<Watchable>>);

    /// The timer in the form in which the runtime watches things.
    #[derive(Debug)]
    struct Watchable(TimerFd);

    impl AsRawFd for Watchable {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_fd().as_raw_fd()
        }
    }

    impl Timer {
        pub(super) fn new() -> Self {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags).ok();
            // SAFETY: the descriptor belongs to the timer, which the `AsyncFd` owns from here on: it stays open and the same for
            // as long as that lives.
            Self(timer.and_then(|timer| unsafe { AsyncFd::register_with_interest(Watchable(timer), READABLE) }.ok()))
        }

        pub(super) async fn sleep(&mut self, time: Duration) {
            if self.try_sleep(time).await.is_none() {
                tokio::time::sleep(time.saturating_sub(Duration::from_millis(1))).await;
            }
        }

        async fn try_sleep(&self, time: Duration) -> Option<()> {
            let timer = self.0.as_ref()?;
            let once = Expiration::OneShot(TimeSpec::from_duration(time));
            timer.get_ref().0.set(once, TimerSetTimeFlags::empty()).ok()?;
            loop {
                let mut ready = timer.readable().await.ok()?;
                // Reading it clears it; a notice without an expiry is waited out.
                if ready.try_io(|timer| timer.get_ref().0.wait().map_err(std::io::Error::from)).is_ok_and(|w| w.is_ok())
                {
                    return Some(());
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod inner {
    use std::time::Duration;

    #[derive(Debug)]
    pub(super) struct Timer;

    impl Timer {
        pub(super) fn new() -> Self {
            Self
        }

        pub(super) async fn sleep(&mut self, time: Duration) {
            tokio::time::sleep(time).await;
        }
    }
}
