//! Threads whose stack has room for a guest's.
//!
//! A guest runs on the stack of the thread that calls it. What it may use of it is fixed with the engine, and wasmtime does not ask
//! whether the thread has as much: where it has not, a guest that recurses meets the end of the thread's stack first, which ends
//! the process. A scorer may use more than any thread has that was not made for it (those of an async runtime have 2 MiB), so its
//! calls run on threads made here. A thread costs some 50 µs, too much for a call, so whoever makes many calls has them made on
//! one: [`with_room`] around all of them.

use std::cell::Cell;
use std::thread::{Builder, Scope, ScopedJoinHandle};

use crate::limits::SCORER_STACK;

/// Stack of a thread: the guest's, and 16 MiB for the host, whose frames are large where it is not optimised. What is never
/// touched takes no memory.
const STACK: usize = SCORER_STACK + (16 << 20);

thread_local! {
    static HAS_ROOM: Cell<bool> = const { Cell::new(false) };
}

/// Does work on a thread whose stack has room for any guest: on this one, where it is such a thread, else on one of its own.
pub fn with_room<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if HAS_ROOM.get() {
        return work();
    }
    std::thread::scope(|scope| {
        let thread = spawn_with_room(scope, work);
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Starts a thread whose stack has room for any guest.
///
/// # Panics
/// Where the process can have no more threads.
pub fn spawn_with_room<'scope, R: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> R + Send + 'scope,
) -> ScopedJoinHandle<'scope, R> {
    let body = move || {
        HAS_ROOM.set(true);
        work()
    };
    #[expect(clippy::expect_used, reason = "a process that cannot start a thread cannot run plugins safely")]
    Builder::new().name("scorer".to_owned()).stack_size(STACK).spawn_scoped(scope, body).expect("a thread must start")
}
