//! The clock of the emission stamps.
//!
//! `CLOCK_MONOTONIC` is shared by all processes of one machine (outside time namespaces), so a client in another process
//! can subtract an emission stamp from its own receive stamp. `std::time::Instant` reads the same clock on Linux but does
//! not show the number, hence the call to libc.

/// Digits that a stamp takes in an event. A number is padded with spaces on the left, which JSON permits, so that the
/// stamp can be patched into prepared bytes without moving anything.
pub(crate) const WIDTH: usize = 20;

/// `CLOCK_MONOTONIC` now, in nanoseconds.
#[cfg(unix)]
#[must_use]
pub fn now_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid, writable timespec that outlives the call; the call writes nothing else.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    debug_assert_eq!(status, 0, "CLOCK_MONOTONIC exists on every supported Unix");
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds * 1_000_000_000 + nanos
}

/// Nanoseconds since this process first asked: without `CLOCK_MONOTONIC`, stamps compare within one process only.
#[cfg(not(unix))]
#[must_use]
pub fn now_ns() -> u64 {
    static ORIGIN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let origin = ORIGIN.get_or_init(std::time::Instant::now);
    u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Writes `value` right-aligned into `field`, the rest spaces. A `u64` has at most [`WIDTH`] digits.
pub(crate) fn patch(field: &mut [u8], mut value: u64) {
    for (place, byte) in field.iter_mut().rev().enumerate() {
        let digit = u8::try_from(value % 10).unwrap_or(0);
        *byte = if value == 0 && place > 0 { b' ' } else { b'0' + digit };
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::{WIDTH, now_ns, patch};

    #[test]
    fn a_patched_field_is_the_padded_number() {
        for value in [0, 7, 10, 1_234_567_890, u64::MAX] {
            let mut field = [b'x'; WIDTH];
            patch(&mut field, value);
            assert_eq!(String::from_utf8_lossy(&field), format!("{value:>WIDTH$}"));
        }
    }

    #[test]
    fn the_clock_never_goes_back() {
        let stamps: Vec<u64> = (0..1000).map(|_| now_ns()).collect();
        assert!(stamps.is_sorted());
    }
}
