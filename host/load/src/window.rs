//! What a window leaves behind.

use bench_wire::{Exchange, Prepared, Stamp, Stop, Transmission};

use crate::room::HeldBack;
use crate::watch::Look;

/// What was measured between two moments. The answers have not been sorted out yet.
#[derive(Debug)]
pub struct Window {
    /// When the first request could be sent.
    pub opened: Stamp,
    /// When the last one was over.
    pub closed: Stamp,
    /// The turns of each session, in the order in which they were given, whatever the order in which they ran.
    pub sessions: Vec<Vec<Turn>>,
    /// What was seen of the server from beside.
    pub looks: Vec<Look>,
    /// Threads that sent and received.
    pub workers: usize,
    /// A loop that was to last so long ran out of sessions before.
    pub ran_dry: bool,
    /// Requests of an open loop that waited for others to end.
    pub held_back: HeldBack,
}

impl Window {
    /// The exchanges of every request that was sent. Sorting all of them out at once takes memory for all answers.
    pub fn into_exchanges(self) -> impl Iterator<Item = Exchange> {
        self.sessions.into_iter().flatten().flatten().map(Transmission::into_exchange)
    }
}

/// What became of a turn: what was sent and came, successful or not, or why nothing was sent.
pub type Turn = Result<Transmission, NotSent>;

/// Why a turn was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// A turn before it in the same session failed.
    #[error("an earlier turn of the session failed")]
    AfterFailure,
    /// The run was stopped before its turn came.
    #[error("the run was stopped")]
    Stopped,
    /// The time of the load was over before its session began. Nobody meant it to be sent.
    #[error("the load was over before its session began")]
    NotNeeded,
}

impl NotSent {
    /// Stable identifier in kebab case.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AfterFailure => "after-failure",
            Self::Stopped => "stopped",
            Self::NotNeeded => "not-needed",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(self) -> Option<String> {
        match self {
            Self::AfterFailure => Some("see the failed turn of the same session".to_owned()),
            Self::Stopped | Self::NotNeeded => None,
        }
    }
}

/// The turns of a session that were sent, then those that were not, all for the same reason.
#[derive(Debug)]
pub(crate) struct Session {
    sent: Vec<Transmission>,
    unsent: usize,
    why: NotSent,
}

impl Session {
    /// Nothing sent yet.
    pub(crate) fn new(turns: &[Prepared], why: NotSent) -> Self {
        Self { sent: Vec::new(), unsent: turns.len(), why }
    }

    /// The next turn to send, if any.
    pub(crate) fn next<'t>(&mut self, turns: &'t [Prepared], stop: &Stop) -> Option<&'t Prepared> {
        if self.sent.last().is_some_and(|last| !last.succeeded() && !last.was_cancelled()) {
            self.why = NotSent::AfterFailure;
            return None;
        }
        if stop.is_stopped() {
            self.why = NotSent::Stopped;
            return None;
        }
        turns.get(self.sent.len())
    }

    pub(crate) fn push(&mut self, transmission: Transmission) {
        if self.sent.is_empty() {
            // No more than it needs: a long window keeps very many of these.
            self.sent.reserve_exact(self.unsent);
        }
        self.sent.push(transmission);
        self.unsent -= 1;
    }

    pub(crate) fn into_turns(self) -> Vec<Turn> {
        let unsent = std::iter::repeat_n(self.why, self.unsent).map(Err);
        self.sent.into_iter().map(Ok).chain(unsent).collect()
    }
}
