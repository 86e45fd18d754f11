//! Arrival times from a packet ring: the reference that other receive stamps are checked against.
//!
//! A socket's stamp (`SO_TIMESTAMPING`) is lost when segments queue up before they are read, because the kernel merges
//! them and keeps the last one's. A packet socket sees every segment on its own, with the time at which it came in,
//! whatever the reader does. This module keeps, for every connection from one server, which bytes of the stream had
//! arrived by when: a [`Capture`] runs beside the measured connections and hands out a [`ConnectionLog`] for each.
//!
//! What it can and cannot say:
//!
//! - Times are nanoseconds of the real-time clock, as the kernel stamps packets.
//! - A byte has arrived when it and all bytes before it have: that is when the kernel could have given it to a reader.
//! - Offsets count what the server sent on the TCP connection. Under TLS that is ciphertext.
//! - A network card may merge segments that arrive together (GRO) before anybody sees them; they then share a time.
//! - Where an address is rewritten on this machine (a container's published port), nothing matches and nothing is
//!   logged.
//! - Nothing is guessed. When the kernel had to drop packets, what came after on the connections of that time is
//!   unknown.
//!
//! It costs the machine a copy of each packet's headers and a thread that wakes up to a hundred times a second, and
//! needs a privilege, so it is an option and not the rule. Linux only.

#[cfg(target_os = "linux")]
mod block;
#[cfg(target_os = "linux")]
mod capture;
mod error;
#[cfg(target_os = "linux")]
mod filter;
#[cfg(any(target_os = "linux", test))]
mod flows;
#[cfg(target_os = "linux")]
mod interface;
mod log;
#[cfg(not(target_os = "linux"))]
mod none;
#[cfg(target_os = "linux")]
mod ring;
#[cfg(any(target_os = "linux", test))]
mod segment;

#[cfg(target_os = "linux")]
pub use capture::Capture;
pub use error::CaptureError;
pub use log::{ConnectionLog, Mark};
#[cfg(not(target_os = "linux"))]
pub use none::Capture;

/// What a capture has seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaptureStats {
    /// Packets that the kernel put into the ring, all from the server.
    pub packets: u64,
    /// Packets that it had to drop because the ring was full. From the first drop on, the connections of that time are
    /// logged no further.
    pub dropped: u64,
    /// Connections that were not logged, or not to their end, because the bounds on memory were reached.
    pub unlogged: u64,
}
