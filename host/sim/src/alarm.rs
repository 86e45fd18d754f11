//! Wakes the pacer shortly before a deadline. The runtime's own timers count milliseconds, which is far too coarse.

use std::io;
use std::task::{Context, Poll};

/// How long before a deadline the pacer stops sleeping and spins.
#[cfg(target_os = "linux")]
pub(crate) const SPIN_NS: u64 = 30_000;
/// How long before a deadline the pacer stops sleeping and spins: longer than a tick of the runtime's timers.
#[cfg(not(target_os = "linux"))]
pub(crate) const SPIN_NS: u64 = 2_000_000;

#[cfg(target_os = "linux")]
mod kernel {
    use std::os::fd::{AsFd as _, AsRawFd, RawFd};
    use std::time::Duration;

    use nix::sys::time::TimeSpec;
    use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
    use tokio::io::unix::AsyncFd;

    use super::{Context, Poll, io};

    #[derive(Debug)]
    struct Timer(TimerFd);

    impl AsRawFd for Timer {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_fd().as_raw_fd()
        }
    }

    /// A timer of the kernel, sharp to some microseconds.
    #[derive(Debug)]
    pub(crate) struct Alarm {
        timer: AsyncFd<Timer>,
        set_ns: Option<u64>,
    }

    impl Alarm {
        /// Needs the runtime that will poll it.
        pub(crate) fn new() -> io::Result<Self> {
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC)?;
            // SAFETY: the timer owns its descriptor, always names that one, and keeps it open for as long as it lives.
            let timer = unsafe { AsyncFd::register(Timer(timer)) }?;
            Ok(Self { timer, set_ns: None })
        }

        /// Ready when the clock has reached `at_ns`.
        pub(crate) fn poll(&mut self, at_ns: u64, _now_ns: u64, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.set_ns != Some(at_ns) {
                let time = TimeSpec::from_duration(Duration::from_nanos(at_ns));
                self.timer.get_ref().0.set(Expiration::OneShot(time), TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
                self.set_ns = Some(at_ns);
            }
            loop {
                let Poll::Ready(ready) = self.timer.poll_read_ready(cx) else { return Poll::Pending };
                // Failing to read means that the timer has been set anew since it rang.
                if let Ok(rung) = ready?.try_io(|timer| Ok(timer.get_ref().0.wait()?)) {
                    self.set_ns = None;
                    return Poll::Ready(rung);
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod runtime {
    use std::future::Future as _;
    use std::pin::Pin;
    use std::time::Duration;

    use tokio::time::{Instant, Sleep, sleep};

    use super::{Context, Poll, io};

    /// A timer of the runtime, sharp to a millisecond.
    #[derive(Debug)]
    pub(crate) struct Alarm {
        sleep: Pin<Box<Sleep>>,
        set_ns: Option<u64>,
    }

    impl Alarm {
        /// Needs the runtime that will poll it.
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self { sleep: Box::pin(sleep(Duration::ZERO)), set_ns: None })
        }

        /// Ready when the clock has reached `at_ns`.
        pub(crate) fn poll(&mut self, at_ns: u64, now_ns: u64, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.set_ns != Some(at_ns) {
                let left = Duration::from_nanos(at_ns.saturating_sub(now_ns));
                self.sleep.as_mut().reset(Instant::now() + left);
                self.set_ns = Some(at_ns);
            }
            self.sleep.as_mut().poll(cx).map(|()| {
                self.set_ns = None;
                Ok(())
            })
        }
    }
}

#[cfg(target_os = "linux")]
pub(crate) use kernel::Alarm;
#[cfg(not(target_os = "linux"))]
pub(crate) use runtime::Alarm;
