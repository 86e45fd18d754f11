//! The window itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use bench_wire::{Client, Exchange, Prepared, Progress, Stamp, Stop, Transmission};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What was measured between two moments.
#[derive(Clone, Debug)]
pub struct Window {
    /// When the first request could be sent.
    pub opened: Stamp,
    /// When the last one was over.
    pub closed: Stamp,
    /// The turns of each session, in the order in which they were given, whatever the order in which they ran.
    pub sessions: Vec<Vec<Turn>>,
}

impl Window {
    /// Every request that was sent.
    pub fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.sessions.iter().flatten().flatten()
    }
}

/// What became of a turn: the exchange, successful or not, or why there was none.
pub type Turn = Result<Exchange, NotSent>;

/// Why a turn was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// A turn before it in the same session failed.
    #[error("an earlier turn of the session failed")]
    AfterFailure,
    /// The run was stopped before its turn came.
    #[error("the run was stopped")]
    Stopped,
}

impl NotSent {
    /// Stable identifier in kebab case.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AfterFailure => "after-failure",
            Self::Stopped => "stopped",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(self) -> Option<String> {
        match self {
            Self::AfterFailure => Some("see the failed turn of the same session".to_owned()),
            Self::Stopped => None,
        }
    }
}

/// A window whose answers have not been sorted out.
pub(crate) struct RawWindow {
    opened: Stamp,
    closed: Stamp,
    sessions: Vec<RawSession>,
}

/// The turns of a session that were sent, then those that were not, all for the same reason.
struct RawSession {
    sent: Vec<Transmission>,
    unsent: usize,
    why: NotSent,
}

impl RawWindow {
    pub(crate) fn sort_out(self) -> Window {
        let turns = |session: RawSession| {
            let sent = session.sent.into_iter().map(|transmission| Ok(transmission.into_exchange()));
            sent.chain(std::iter::repeat_n(Err(session.why), session.unsent)).collect()
        };
        Window { opened: self.opened, closed: self.closed, sessions: self.sessions.into_iter().map(turns).collect() }
    }
}

/// One request at a time.
pub(crate) async fn sequential(
    client: &Client,
    sessions: Vec<Vec<Prepared>>,
    progress: &Progress,
    mut stop: Stop,
) -> RawWindow {
    let mut done = Vec::with_capacity(sessions.len());
    connect(client, 1, &mut stop).await;
    let opened = Stamp::now();
    for turns in &sessions {
        let mut session = RawSession::new(turns);
        while let Some(prepared) = session.next(turns, &stop) {
            connect(client, 1, &mut stop).await;
            let transmission = client.transmit(prepared, Stamp::now(), progress, &mut stop).await;
            session.push(transmission);
        }
        done.push(session);
    }
    RawWindow { opened, closed: Stamp::now(), sessions: done }
}

/// `streams` sessions at a time.
pub(crate) async fn closed_loop(
    client: &Client,
    sessions: Arc<Vec<Vec<Prepared>>>,
    streams: usize,
    progress: &Progress,
    stop: &Stop,
) -> RawWindow {
    let queue = Arc::new(AtomicUsize::new(0));
    let (gate, opening) = watch::channel(None);
    let mut running = JoinSet::new();
    for _ in 0..streams {
        running.spawn(stream(Place {
            client: client.clone(),
            sessions: sessions.clone(),
            queue: queue.clone(),
            opening: opening.clone(),
            progress: progress.clone(),
            stop: stop.clone(),
        }));
    }
    connect(client, streams, &mut stop.clone()).await;
    let opened = Stamp::now();
    gate.send_replace(Some(opened));
    let mut done: Vec<RawSession> = sessions.iter().map(|turns| RawSession::new(turns)).collect();
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok(finished) => {
                for (index, session) in finished {
                    if let Some(place) = done.get_mut(index) {
                        *place = session;
                    }
                }
            }
            Err(error) => {
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
    RawWindow { opened, closed: Stamp::now(), sessions: done }
}

/// One of the places of a closed loop.
struct Place {
    client: Client,
    sessions: Arc<Vec<Vec<Prepared>>>,
    queue: Arc<AtomicUsize>,
    opening: watch::Receiver<Option<Stamp>>,
    progress: Progress,
    stop: Stop,
}

async fn stream(mut place: Place) -> Vec<(usize, RawSession)> {
    let mut done = Vec::with_capacity(place.sessions.len());
    let mut free = match place.opening.wait_for(Option::is_some).await {
        Ok(opened) => opened.unwrap_or_default(),
        // The window was dropped before it opened.
        Err(_) => return done,
    };
    loop {
        let index = place.queue.fetch_add(1, Relaxed);
        let Some(turns) = place.sessions.get(index) else { return done };
        let mut session = RawSession::new(turns);
        while let Some(prepared) = session.next(turns, &place.stop) {
            let transmission = place.client.transmit(prepared, free, &place.progress, &mut place.stop).await;
            free = transmission.ended();
            session.push(transmission);
        }
        done.push((index, session));
    }
}

impl RawSession {
    /// Nothing sent yet.
    fn new(turns: &[Prepared]) -> Self {
        Self { sent: Vec::with_capacity(turns.len()), unsent: turns.len(), why: NotSent::Stopped }
    }

    /// The next turn to send, if any.
    fn next<'t>(&mut self, turns: &'t [Prepared], stop: &Stop) -> Option<&'t Prepared> {
        if self.sent.last().is_some_and(|last| !last.succeeded() && !last.was_cancelled()) {
            self.why = NotSent::AfterFailure;
            return None;
        }
        if stop.is_stopped() {
            return None;
        }
        turns.get(self.sent.len())
    }

    fn push(&mut self, transmission: Transmission) {
        self.sent.push(transmission);
        self.unsent -= 1;
    }
}

async fn connect(client: &Client, count: usize, stop: &mut Stop) {
    tokio::select! {
        biased;
        () = stop.stopped() => {}
        // The requests will meet the same failure and report it.
        _ = client.connect_ahead(count) => {}
    }
}
