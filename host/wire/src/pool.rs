//! Idle connections of one client.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Stamp;
use crate::stream::Stream;

/// A connection that dies so soon after an answer was closed because of the answer, not because it was idle.
const SOON: Duration = Duration::from_secs(1);

/// The connections that are open and not in use.
///
/// llama.cpp announces that it keeps connections and closes them after each streamed answer. Once a server has been seen to
/// do so, its connections are used for one request each, so that no request races with the closing.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    idle: Mutex<Vec<Stream>>,
    one_request_each: AtomicBool,
}

impl Pool {
    /// A connection that was alive a moment ago, the one used last before others: it is the least likely to have been
    /// closed. Dead ones on the way to it are dropped.
    pub(crate) async fn take(&self) -> Option<Stream> {
        loop {
            let mut stream = self.idle().pop()?;
            if self.is_usable(&mut stream).await {
                return Some(stream);
            }
        }
    }

    /// Takes a connection back, or a new one in.
    pub(crate) fn put(&self, stream: Stream) {
        if stream.served.is_none() || !self.one_request_each.load(Relaxed) {
            self.idle().push(stream);
        }
    }

    /// Idle connections, dead ones dropped.
    pub(crate) async fn count_alive(&self) -> usize {
        let idle = std::mem::take(&mut *self.idle());
        for mut stream in idle {
            if self.is_usable(&mut stream).await {
                self.put(stream);
            }
        }
        self.idle().len()
    }

    /// The server closes connections that it announced to keep.
    pub(crate) fn distrust(&self) {
        self.one_request_each.store(true, Relaxed);
        self.idle().retain(|stream| stream.served.is_none());
    }

    async fn is_usable(&self, stream: &mut Stream) -> bool {
        let alive = stream.is_alive().await;
        if !alive && stream.served.is_some_and(|served| Stamp::now().since(served) < SOON) {
            self.distrust();
        }
        alive
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Stream>> {
        // A panic elsewhere cannot leave a half-changed list behind.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
