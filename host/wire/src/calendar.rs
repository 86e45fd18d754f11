//! What day it is. No measured time comes from here: this clock may be set while it is read. It is in this crate because clocks are.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 in UTC, by this machine's clock; 0 on a machine that thinks it is earlier.
#[must_use]
pub fn unix_seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(0)
}
