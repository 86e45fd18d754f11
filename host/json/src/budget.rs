//! How much memory an input may take.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of memory that the values of one input may take unless the user asks for more: 192 MiB.
///
/// Beside the values there are texts that are just read and copies that are just made, so that a process with 512 MiB has room for
/// all of it.
pub const DEFAULT_MEMORY: u64 = 192 << 20;

/// Bytes of memory that one input may take unless the user asks for another number, in a process that may take `room` bytes: an
/// eighth, at least [`DEFAULT_MEMORY`] and at most 1 GiB, but never more than three eighths of what there is.
#[must_use]
pub fn memory_share(room: u64) -> u64 {
    (room / 8).clamp(DEFAULT_MEMORY, 1 << 30).min(room / 8 * 3)
}

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
    /// The limit that a person set, for errors: that of the whole where a part may take what is left of it.
    stated: u64,
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
        Self::stating(limit, limit)
    }

    fn stating(limit: u64, stated: u64) -> Self {
        Self { shared: Rc::new(Shared { limit, stated, spent: Cell::new(0), exceeded: Cell::new(false) }) }
    }

    /// A budget of its own for a part of the input: `most` bytes, or what is left here if that is less. Nothing is spent here.
    #[must_use]
    pub fn part(&self, most: u64) -> Self {
        let left = self.left();
        if most < left { Self::new(most) } else { Self::stating(left, self.shared.stated) }
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
            return Err(self.refusal());
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

    /// The error of an expense that is refused.
    pub(crate) fn refusal(&self) -> OverBudget {
        OverBudget { limit: self.shared.stated }
    }

    /// Takes the mark that an expense was refused.
    pub(crate) fn take_exceeded(&self) -> bool {
        self.shared.exceeded.replace(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_states_the_limit_of_the_whole() {
        let whole = Budget::new(192 << 20);
        assert_eq!(whole.spend(191 << 20), Ok(()));
        let part = whole.part(24 << 20);
        assert_eq!(part.limit(), 1 << 20);
        assert_eq!(part.spend(2 << 20), Err(OverBudget { limit: 192 << 20 }));
        assert_eq!(whole.spent(), 191 << 20);
        let small = whole.part(1 << 10);
        assert_eq!(small.spend(1 << 11), Err(OverBudget { limit: 1 << 10 }));
    }

    #[test]
    fn an_input_gets_a_share_of_the_room() {
        let mib = |room: u64| memory_share(room << 20) >> 20;
        assert_eq!([128, 512, 1024, 2048, 4096, 65_536].map(mib), [48, 192, 192, 256, 512, 1024]);
    }
}
