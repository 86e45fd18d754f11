//! Drives prepared requests through timed windows.
//!
//! Between the opening and the closing of a window nothing runs but this crate and the wire. That is a matter of ownership,
//! not of care: [`measure`] takes the guests by value and gives them back when the window has closed, so no code that
//! compiles can call one in between. Requests come in prepared, answers leave raw and are sorted out after the window, and
//! connections are opened before it.

mod window;

use std::num::NonZeroU32;
use std::sync::Arc;

use bench_wire::{Client, Prepared, Progress, Stop};

pub use window::{NotSent, Turn, Window};

/// How requests follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One session after the other, one request at a time. A request is meant to be sent as soon as a connection is open
    /// after the one before has ended.
    Sequential,
    /// A fixed number of sessions at any time; when one ends, the next one starts in its place.
    ClosedLoop {
        /// Sessions at a time.
        streams: NonZeroU32,
    },
}

/// Sends the sessions and measures each request.
///
/// `guests` is whatever can call guest code; it is out of everyone's reach until this returns. `sessions` are lists of turns
/// that are sent one after the other. A turn that fails (no complete answer, or a status other than 2xx) ends its session
/// and no other: its later turns are not sent. When `stop` comes, requests on their way end with the outcome `cancelled`,
/// and everything that had finished is kept.
///
/// The `intended` of a request in a closed loop is when its place became free: the opening of the window or the end of the
/// request before.
///
/// Connections are opened before the window. Where that fails nothing is reported here: the requests themselves will meet
/// the same failure and report it.
pub async fn measure<G>(
    guests: G,
    client: &Client,
    sessions: Vec<Vec<Prepared>>,
    shape: Shape,
    progress: &Progress,
    stop: &Stop,
) -> (G, Window) {
    let window = match shape {
        Shape::Sequential => window::sequential(client, sessions, progress, stop.clone()).await,
        Shape::ClosedLoop { streams } => {
            let streams = usize::try_from(streams.get()).unwrap_or(usize::MAX).min(sessions.len());
            window::closed_loop(client, Arc::new(sessions), streams, progress, stop).await
        }
    };
    let window = window.sort_out();
    (guests, window)
}
