//! Letting reads wait for one another when there are very many.
//!
//! At tens of thousands of events a second a thread that is woken for each of them spends more on waking up than on reading. The
//! kernel notes when a segment arrives whether or not anybody is awake, so with its stamps a short nap before the thread waits
//! for the next event moves no time: it only lets a few more arrive. Two segments of the same stream that come within one nap
//! share a stamp, as they do when they come within one read, so the nap is no longer than the error that stamps may have.
//! Without stamps of the kernel there are no naps.

use std::cell::Cell;
use std::time::Duration;

use bench_wire::{Stamp, stamped_reads};

/// How long a nap lasts.
const NAP: Duration = Duration::from_micros(100);
/// What the kernel may add to it: waking a thread takes tens of microseconds.
const OVERSLEPT: Duration = Duration::from_micros(60);
/// Reads per second of a thread from which on naps pay.
const BUSY: u64 = 20_000;
/// How often the rate is looked at.
const EVERY: Duration = Duration::from_millis(2);

#[derive(Clone, Copy)]
struct Pulse {
    since: Stamp,
    reads: u64,
    busy: bool,
}

thread_local! {
    /// The next moment that the thread must not sleep through.
    static DUE: Cell<Option<Stamp>> = const { Cell::new(None) };
    static PULSE: Cell<Option<Pulse>> = const { Cell::new(None) };
}

/// No nap is taken that could last into this moment; `None` when there is no such moment any more.
pub(crate) fn stay_awake_for(due: Option<Stamp>) {
    DUE.set(due);
}

/// To be called before the thread waits for events.
pub(crate) fn before_waiting() {
    let (now, reads) = (Stamp::now(), stamped_reads());
    let pulse = match PULSE.get() {
        None => Pulse { since: now, reads, busy: false },
        Some(pulse) => {
            let passed = now.since(pulse.since);
            if passed < EVERY {
                pulse
            } else {
                let seen = reads.wrapping_sub(pulse.reads);
                let busy = u128::from(seen) * 1_000_000_000 > u128::from(BUSY) * passed.as_nanos();
                Pulse { since: now, reads, busy }
            }
        }
    };
    PULSE.set(Some(pulse));
    let has_time = DUE.get().is_none_or(|due| due.since(now) > NAP + OVERSLEPT);
    if pulse.busy && has_time {
        std::thread::sleep(NAP);
    }
}

/// Asks the kernel not to batch this thread's wake-ups: by default it may make each one 50 µs late.
#[cfg(target_os = "linux")]
pub(crate) fn sharpen_timers() {
    // A kernel that refuses leaves the wake-ups as they were.
    let _ = nix::sys::prctl::set_timerslack(1);
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn sharpen_timers() {}
