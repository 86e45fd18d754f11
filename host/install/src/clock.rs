//! What day it is, for whoever has no clock of its own.

use jiff::Timestamp;

/// Now, by this machine's clock, in whole seconds.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_second(bench_wire::unix_seconds()).unwrap_or(Timestamp::UNIX_EPOCH)
}
