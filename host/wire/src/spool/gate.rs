//! Holds reads back while the disk is behind.
//!
//! Blocks that wait for the disk are memory. When there are too many of them no exchange of the window reads any more, so its
//! socket's buffer fills and the kernel slows the server. Reading goes on once half of them are written. In the normal case the
//! gate is open, and asking it is one load.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

#[derive(Debug)]
pub(super) struct Gate {
    /// Whether reads have to wait; a copy of what the queue says.
    closed: AtomicBool,
    queue: Mutex<Queue>,
    /// Blocks that may wait for the disk.
    most: usize,
}

#[derive(Debug, Default)]
struct Queue {
    /// Blocks that wait for the disk.
    blocks: usize,
    closed: bool,
    /// Exchanges that wait to read, by the number of their tape.
    waiting: HashMap<usize, Waker>,
}

impl Gate {
    /// A gate that closes when `most` blocks wait.
    pub(super) fn new(most: usize) -> Self {
        Self { closed: AtomicBool::new(false), queue: Mutex::default(), most: most.max(1) }
    }

    /// Ready when the exchange of this tape may read; else it is woken when it may.
    pub(super) fn poll_open(&self, tape: usize, cx: &Context<'_>) -> Poll<()> {
        if !self.closed.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        let mut queue = self.queue();
        if !queue.closed {
            return Poll::Ready(());
        }
        queue.waiting.insert(tape, cx.waker().clone());
        Poll::Pending
    }

    /// A block was handed to the writer.
    pub(super) fn add_block(&self) {
        let mut queue = self.queue();
        queue.blocks += 1;
        if queue.blocks >= self.most {
            queue.closed = true;
            self.closed.store(true, Ordering::Release);
        }
    }

    /// A block was written.
    pub(super) fn remove_block(&self) {
        let mut queue = self.queue();
        queue.blocks = queue.blocks.saturating_sub(1);
        if !queue.closed || queue.blocks > self.most / 2 {
            return;
        }
        queue.closed = false;
        self.closed.store(false, Ordering::Release);
        let waiting = std::mem::take(&mut queue.waiting);
        drop(queue);
        waiting.into_values().for_each(Waker::wake);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Each change is complete before anything can panic.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn reads_wait_until_half_of_the_blocks_are_written() {
        let gate = Gate::new(4);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let poll = |tape| gate.poll_open(tape, &Context::from_waker(&waker)).is_pending();
        for _ in 0..3 {
            gate.add_block();
        }
        assert!(!poll(0), "three blocks wait");
        gate.add_block();
        assert!(poll(0) && poll(1) && poll(1), "four blocks wait");
        gate.remove_block();
        assert!(poll(0), "three blocks still wait");
        gate.remove_block();
        assert!(!poll(0), "two blocks wait");
        assert_eq!(woken.0.load(Ordering::Relaxed), 2, "each tape is woken once");
    }
}
