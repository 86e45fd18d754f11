//! Drives prepared requests through timed windows.
//!
//! Between the opening and the closing of a window nothing runs but this crate and the wire. That is a matter of ownership,
//! not of care: [`measure`] takes the guests by value and gives them back when the window has closed, so no code that
//! compiles can call one in between. Requests come in prepared, answers leave raw and are sorted out after the window, and
//! connections are opened before it.

mod arrivals;
mod crew;
mod drive;
mod nap;
mod pace;
mod replay;
mod room;
mod spec;
mod watch;
mod window;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bench_wire::{Desk, Prepared, Stop};

pub use arrivals::{Arrival, Length, MOST_ARRIVALS, Schedule, Stage, schedule};
pub use crew::{Crew, Lanes, Waiting};
pub use replay::{Format, Replay, ReplayRequest};
pub use room::{HeldBack, most_in_flight};
pub use spec::{
    Arrivals, Closed, GRAMMAR, LoadError, LoadSpec, LoadStage, Open, Rate, Rates, ReplaySpec, SweepSpec, split_time,
};
pub use watch::{Look, Watch};
pub use window::{NotSent, Turn, Window};

/// How requests follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One session after the other, one request at a time. A request is meant to be sent as soon as a connection is open
    /// after the one before has ended.
    Sequential,
    /// A number of sessions at any time; when one ends, the next one starts in its place.
    ClosedLoop {
        /// How many, and how they become so many.
        closed: Closed,
        /// After this time no session begins. Those that have begun run to their end.
        lasts: Option<Duration>,
    },
    /// Each session at a time of its own, whatever became of those before it.
    Open {
        /// When the first turn of each session is due, in nanoseconds after the opening of the window, ascending.
        due_ns: Arc<[u64]>,
        /// Requests that may be in flight at once. A request that is due meanwhile waits for its place, which its `intended`
        /// shows and [`Window::held_back`] counts. `None` sets no limit.
        most_in_flight: Option<NonZeroU32>,
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
/// request before. In an open one it is when the request is due.
///
/// Connections are opened before the window. Where that fails nothing is reported here: the requests themselves will meet
/// the same failure and report it.
pub async fn measure<G>(
    guests: G,
    lanes: &Lanes,
    sessions: Vec<Vec<Prepared>>,
    shape: &Shape,
    desk: &Desk,
    stop: &Stop,
    beside: Option<Watch<'_>>,
) -> (G, Window) {
    let mut looks = Vec::new();
    let driven = tokio::select! {
        driven = drive::drive(lanes, sessions, shape, desk, stop) => driven,
        never = watch::watch(beside, &mut looks) => match never {},
    };
    let mut sessions: Vec<Vec<Turn>> = driven.sessions.into_iter().map(window::Session::into_turns).collect();
    lanes.add_packets(sessions.iter_mut().flatten().filter_map(|turn| turn.as_mut().ok()));
    let window = Window {
        opened: driven.opened,
        closed: driven.closed,
        sessions,
        looks,
        workers: driven.workers,
        ran_dry: driven.ran_dry,
        held_back: driven.held_back,
    };
    (guests, window)
}
