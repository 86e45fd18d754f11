//! The signal that ends a run early.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The end that stops. Dropping it without stopping lets everything run on.
#[derive(Debug)]
pub struct Stopper(Arc<Signal>);

/// The end that is told. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stop(Arc<Signal>);

#[derive(Debug, Default)]
struct Signal {
    stopped: AtomicBool,
    next: AtomicU64,
    listening: Mutex<HashMap<u64, Waker>>,
}

impl Signal {
    fn listening(&self) -> MutexGuard<'_, HashMap<u64, Waker>> {
        // A panic elsewhere leaves at worst a waker behind that wakes nobody.
        self.listening.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stopper {
    /// A stopper and the signal that it gives.
    #[must_use]
    pub fn new() -> (Self, Stop) {
        let signal = Arc::new(Signal::default());
        (Self(signal.clone()), Stop(signal))
    }

    /// Ends whatever listens. Any number of calls does what one does.
    pub fn stop(&self) {
        self.0.stopped.store(true, SeqCst);
        let listening = std::mem::take(&mut *self.0.listening());
        listening.into_values().for_each(Waker::wake);
    }
}

impl Stop {
    /// A signal that never comes.
    #[must_use]
    pub fn never() -> Self {
        Stopper::new().1
    }

    /// Whether the signal has come.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.stopped.load(SeqCst)
    }

    /// Waits for the signal, for ever where the stopper is gone.
    pub async fn stopped(&self) {
        let mut listener = self.listener();
        poll_fn(|cx| listener.poll(cx)).await;
    }

    /// Somebody who waits for the signal beside other things.
    pub(crate) fn listener(&self) -> Listener<'_> {
        Listener { signal: &self.0, registered: None }
    }
}

/// Registers once and then costs a look at a flag, however often it is polled: an exchange polls it with every read.
pub(crate) struct Listener<'s> {
    signal: &'s Signal,
    registered: Option<(u64, Waker)>,
}

impl Listener<'_> {
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let known = self.registered.as_ref().is_some_and(|(_, waker)| waker.will_wake(cx.waker()));
        if !known {
            let id = self.registered.take().map_or_else(|| self.signal.next.fetch_add(1, SeqCst), |(id, _)| id);
            self.signal.listening().insert(id, cx.waker().clone());
            self.registered = Some((id, cx.waker().clone()));
        }
        // After registering, so that a signal in between is not missed.
        if self.signal.stopped.load(SeqCst) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Listener<'_> {
    fn drop(&mut self) {
        if let Some((id, _)) = self.registered.take() {
            self.signal.listening().remove(&id);
        }
    }
}
