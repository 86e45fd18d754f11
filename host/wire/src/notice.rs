//! When the runtime said that a socket has something to read.
//!
//! A thread with a thousand sockets hears of many at once and reads them one after the other, so the last one is read
//! milliseconds after its bytes came. The runtime asks the kernel in between what else has come, and wakes whoever waits for
//! it. A waker that notes the time knows more than the read that follows it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::Stamp;

/// No notice.
const NONE: u64 = u64::MAX;

/// Stands between a socket and the task that waits for it.
#[derive(Debug)]
pub(crate) struct Notice {
    bell: Arc<Bell>,
    waker: Waker,
}

#[derive(Debug)]
struct Bell {
    /// When it rang first since it was last looked at, in nanoseconds of our clock.
    rang: AtomicU64,
    task: Mutex<Option<Waker>>,
}

impl Notice {
    pub(crate) fn new() -> Self {
        let bell = Arc::new(Bell { rang: AtomicU64::new(NONE), task: Mutex::new(None) });
        Self { waker: Waker::from(Arc::clone(&bell)), bell }
    }

    /// Polls for something to read, and says when the notice of it came. `None` where `read` was ready without one.
    ///
    /// What comes with the read and after the notice is not told apart.
    pub(crate) fn poll<R>(
        &self,
        cx: &mut Context<'_>,
        read: impl FnOnce(&mut Context<'_>) -> Poll<R>,
    ) -> Poll<(R, Option<Stamp>)> {
        let rang = self.bell.rang.swap(NONE, Ordering::AcqRel);
        self.bell.wakes(cx.waker());
        read(&mut Context::from_waker(&self.waker)).map(|result| {
            // It may have rung again for bytes that the read has brought.
            self.bell.rang.store(NONE, Ordering::Release);
            (result, (rang != NONE).then(|| Stamp::from_nanos(rang)))
        })
    }
}

impl Bell {
    fn wakes(&self, task: &Waker) {
        let mut current = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *current {
            Some(current) => current.clone_from(task),
            None => *current = Some(task.clone()),
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Only the first ring counts: that of bytes which nobody has looked for yet.
        let now = Stamp::now().as_nanos();
        let _ = self.rang.compare_exchange(NONE, now, Ordering::AcqRel, Ordering::Relaxed);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(task) = task {
            task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Polls a notice whose socket is as `ready` says.
    fn poll(notice: &Notice, ready: bool) -> Poll<((), Option<Stamp>)> {
        notice.poll(&mut Context::from_waker(Waker::noop()), |_| if ready { Poll::Ready(()) } else { Poll::Pending })
    }

    #[test]
    fn the_first_ring_before_a_read_is_its_notice() {
        let notice = Notice::new();
        assert!(poll(&notice, false).is_pending());
        let before = Stamp::now();
        notice.waker.wake_by_ref();
        let after = Stamp::now();
        notice.waker.wake_by_ref();
        let Poll::Ready(((), Some(rang))) = poll(&notice, true) else { panic!("there was a notice") };
        assert!(before <= rang && rang <= after);
        assert_eq!(poll(&notice, true), Poll::Ready(((), None)), "a notice is used once");
    }

    #[test]
    fn a_ring_for_nothing_is_forgotten() {
        let notice = Notice::new();
        notice.waker.wake_by_ref();
        assert!(poll(&notice, false).is_pending());
        assert_eq!(poll(&notice, true), Poll::Ready(((), None)));
    }

    #[test]
    fn whoever_polled_last_is_woken() {
        #[derive(Default)]
        struct Woken(AtomicU64);
        impl Wake for Woken {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let notice = Notice::new();
        let [first, second] = [Arc::new(Woken::default()), Arc::new(Woken::default())];
        for task in [&first, &second] {
            let waker = Waker::from(Arc::clone(task));
            assert!(notice.poll(&mut Context::from_waker(&waker), |_| Poll::<()>::Pending).is_pending());
        }
        notice.waker.wake_by_ref();
        assert_eq!([first, second].map(|task| task.0.load(Ordering::Relaxed)), [0, 1]);
    }
}
