//! The thread that tells guests the time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wasmtime::Engine;

/// Counts time while a guest runs, and advances an engine's epoch with it. It sleeps otherwise: a thread that woke up
/// during a timed window would disturb what is measured.
pub(crate) struct Ticker {
    running: Mutex<usize>,
    wake: Condvar,
    ticks: AtomicU64,
}

impl Ticker {
    /// How often it ticks. On a machine that is busy it ticks later, and so gives more time rather than less.
    const PERIOD: Duration = Duration::from_millis(5);

    /// Starts the thread, for the guests of this engine where it has epochs.
    pub(crate) fn start(engine: Option<&Engine>) -> Arc<Ticker> {
        let ticker = Arc::new(Ticker { running: Mutex::new(0), wake: Condvar::new(), ticks: AtomicU64::new(0) });
        let engine = engine.map(Engine::weak);
        let own = Arc::downgrade(&ticker);
        let body = move || {
            while let Some(ticker) = own.upgrade() {
                let asleep = Duration::from_secs(1);
                let running = ticker.lock();
                // Waking once a second notices that the host is gone; it is the only wake-up while no guest runs.
                let (running, _) = ticker
                    .wake
                    .wait_timeout_while(running, asleep, |count| *count == 0)
                    .unwrap_or_else(PoisonError::into_inner);
                if *running == 0 {
                    continue;
                }
                drop(running);
                std::thread::sleep(Ticker::PERIOD);
                ticker.ticks.fetch_add(1, Ordering::Relaxed);
                if let Some(engine) = &engine {
                    let Some(engine) = engine.upgrade() else { return };
                    engine.increment_epoch();
                }
            }
        };
        // Without the thread no deadline is ever enforced, so its absence must not go unnoticed.
        #[expect(clippy::expect_used, reason = "a process that cannot start a thread cannot run plugins safely")]
        std::thread::Builder::new().name("plugin-epoch".to_owned()).spawn(body).expect("the epoch thread must start");
        ticker
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has it tick for as long as the value lives.
    pub(crate) fn enter(self: &Arc<Self>) -> Running {
        *self.lock() += 1;
        self.wake.notify_one();
        Running(Arc::clone(self))
    }

    /// How often it has ticked.
    pub(crate) fn now(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// The ticks that this time takes.
    pub(crate) fn ticks(deadline: Duration) -> u64 {
        // The first tick may come at once, so one more is due.
        (deadline.as_nanos().div_ceil(Self::PERIOD.as_nanos()) as u64).saturating_add(1)
    }
}

/// A guest that runs.
pub(crate) struct Running(Arc<Ticker>);

impl Drop for Running {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
    }
}
