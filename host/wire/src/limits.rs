//! How long to wait and how much to take.

use std::time::Duration;

/// Bytes of the body of a generation: 32 MiB, 128,000 tokens at 260 bytes each.
const MAX_ANSWER: usize = 32 << 20;

/// Socket reads of a generation: 524,288, one for every 64 bytes of the largest body. A token takes one to three.
const MAX_READS: u64 = 1 << 19;

/// Limits of one exchange. All of them are there to end a hopeless request; none of them bears on a measured time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Name resolution, TCP and TLS handshakes together, per connection.
    pub connect: Duration,
    /// From the request's first byte on the wire to the first byte of the answer's body. Servers that send the head at
    /// once and then prefill for minutes are within this limit, not within `stall`.
    pub first_byte: Duration,
    /// Between two reads, once the body has begun.
    pub stall: Duration,
    /// The whole exchange, connecting included.
    pub total: Duration,
    /// Bytes of a response's head, all interim responses included; by themselves also the bytes of its trailers.
    pub max_head: usize,
    /// Bytes of a response's body; more than `u32::MAX` counts as `u32::MAX`.
    pub max_body: usize,
    /// Socket reads of a measured response. Each keeps its time, however few bytes it brought.
    pub max_reads: u64,
    /// What to do when a reused connection turns out to be closed.
    pub on_race: OnRace,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(600),
            stall: Duration::from_secs(120),
            total: Duration::from_secs(3600),
            max_head: 64 << 10,
            max_body: MAX_ANSWER,
            max_reads: MAX_READS,
            on_race: OnRace::ResendOnce,
        }
    }
}

/// A server may close an idle connection at the very moment when a request is sent on it. That is nobody's failure, but it
/// must never be a silent retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRace {
    /// Send the request once more on a fresh connection; the exchange keeps its `intended` and `started` and counts the
    /// resend.
    ResendOnce,
    /// The outcome is [`WireError::ConnectionRaced`](crate::WireError::ConnectionRaced).
    Fail,
}
