//! What bounds the work that a guest has the host do.
//!
//! A scorer's own code counts itself (`bench_meter`). What it does not count happens in the host: WASI functions, handles,
//! growth of memories, and the texts that pass between components inside of it. All of these are calls into the host,
//! and wasmtime says so before each of them and after it. There is looked at two things:
//!
//! - The fuel that the host's work cost. It depends on nothing but the guest, so a verdict and its fuel stay the same
//!   on each machine.
//! - The clock, as a last resort, far above what the fuel allows. It is advanced by another thread. A fault by the clock
//!   depends on the machine, so no verdict follows from it.
//!
//! Code without calls into the host needs no clock: it ends with its fuel. So loops stay as fast as they are without a
//! clock, while epochs would have each of them look at it.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{CallHook, StoreContextMut, Trap};

use crate::error::OutOfTime;
use crate::ticker::Ticker;
use crate::wasi;

/// The bounds on one call, and what was used of them.
pub(crate) struct Guard {
    clock: Arc<Ticker>,
    /// By the clock's ticks.
    deadline: u64,
    charged: u64,
    fuel: u64,
    /// Bytes that a call into the guest may copy out of it.
    copied: usize,
}

impl Guard {
    pub(crate) fn new(clock: &Arc<Ticker>, copied: usize) -> Guard {
        Guard { clock: Arc::clone(clock), deadline: 0, charged: 0, fuel: 0, copied }
    }

    /// Begins a call.
    pub(crate) fn arm(&mut self, fuel: u64, deadline: Duration) {
        self.charged = 0;
        self.fuel = fuel;
        self.deadline = self.clock.now().saturating_add(Ticker::ticks(deadline));
    }

    /// Adds what the host does for the guest.
    pub(crate) fn charge(&mut self, fuel: u64) {
        self.charged = self.charged.saturating_add(fuel);
    }

    /// What the host did for the guest in this call.
    pub(crate) fn charged(&self) -> u64 {
        self.charged
    }

    fn check(&self) -> wasmtime::Result<()> {
        if self.charged > self.fuel {
            return Err(Trap::OutOfFuel.into());
        }
        if self.clock.now() >= self.deadline {
            return Err(OutOfTime.into());
        }
        Ok(())
    }
}

/// Looks at the bounds where a guest calls into the host and where the host returns to it.
pub(crate) fn pass<T>(
    store: &mut StoreContextMut<'_, T>,
    transition: CallHook,
    guard: fn(&mut T) -> &mut Guard,
) -> wasmtime::Result<()> {
    let found = guard(store.data_mut());
    match transition {
        CallHook::CallingHost => {
            found.check()?;
            // What the guest hands over here is paid for by the call, so it cannot be much.
            store.set_hostcall_fuel(wasi::MOST_BYTES);
            Ok(())
        }
        CallHook::ReturningFromHost => {
            found.check()?;
            let copied = found.copied;
            store.set_hostcall_fuel(copied);
            Ok(())
        }
        CallHook::CallingWasm | CallHook::ReturningFromWasm => Ok(()),
    }
}
