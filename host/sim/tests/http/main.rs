//! The simulated engine over real sockets.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod client;
mod faults;
mod generation;
mod hostile;
mod service;
