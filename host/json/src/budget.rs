//! How much memory an input may take.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of memory that the values of one input may take unless the user asks for more: 192 MiB.
///
/// Beside the values there are texts that are just read and copies that are just made, so that a process with 512 MiB has room for
/// all of it.
pub const DEFAULT_MEMORY: u64 = 192 << 20;

/// What the user allows, for the whole process.
static MEMORY: AtomicU64 = AtomicU64::new(DEFAULT_MEMORY);

/// Bytes of memory that the values of one input may take in this process.
#[must_use]
pub fn memory() -> u64 {
    MEMORY.load(Ordering::Relaxed)
}

/// Allows the values of one input `bytes` of memory, from now on and in the whole process. The binary does this once, when the
/// user asks for it.
pub fn set_memory(bytes: u64) {
    MEMORY.store(bytes, Ordering::Relaxed);
}

/// A number of bytes that is spent while an input is read. Clones share the number.
///
/// What is spent is an estimate of the memory that the values take, and is never below it by much. A reader spends first and
/// allocates afterwards, so that an input cannot make the allocator fail.
#[derive(Debug, Clone)]
pub struct Budget {
    shared: Rc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limit: u64,
    spent: Cell<u64>,
    exceeded: Cell<bool>,
}

/// An input takes more memory than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it takes more than the {} MiB of memory that an input may take", .limit >> 20)]
pub struct OverBudget {
    /// The limit in bytes.
    pub limit: u64,
}

impl OverBudget {
    /// A stable identifier in kebab case.
    pub const fn code(&self) -> &'static str {
        "input-takes-too-much-memory"
    }

    /// What to do next.
    pub const fn hint(&self) -> &'static str {
        "split the input into several files, or allow more memory with --max-memory"
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(memory())
    }
}

impl Budget {
    /// A budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self { shared: Rc::new(Shared { limit, spent: Cell::new(0), exceeded: Cell::new(false) }) }
    }

    /// The limit in bytes.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.shared.limit
    }

    /// Bytes that may still be spent.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.shared.limit - self.shared.spent.get()
    }

    /// Spends `bytes`.
    ///
    /// # Errors
    /// [`OverBudget`] when fewer are left; then nothing is spent.
    pub fn spend(&self, bytes: u64) -> Result<(), OverBudget> {
        let spent = self.shared.spent.get().saturating_add(bytes);
        if spent > self.shared.limit {
            self.shared.exceeded.set(true);
            return Err(OverBudget { limit: self.shared.limit });
        }
        self.shared.spent.set(spent);
        Ok(())
    }

    /// Gives `bytes` back whose memory was freed.
    pub fn give_back(&self, bytes: u64) {
        self.shared.spent.set(self.shared.spent.get().saturating_sub(bytes));
    }

    /// Bytes that are spent now, for [`Budget::give_back_to`].
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.shared.spent.get()
    }

    /// Gives back all that was spent after `spent` was read from [`Budget::spent`].
    pub fn give_back_to(&self, spent: u64) {
        self.shared.spent.set(self.shared.spent.get().min(spent));
    }

    /// Takes the mark that an expense was refused.
    pub(crate) fn take_exceeded(&self) -> bool {
        self.shared.exceeded.replace(false)
    }
}
