//! What rendering one template may take.

use std::cell::Cell;

/// Steps of one rendering. A prompt takes hundreds.
const MOST_STEPS: u64 = 5_000_000;

/// Bytes of all texts and lists that one rendering makes, those that it drops again included.
pub(super) const MOST_BYTES: u64 = 32 << 20;

/// Texts and lists of this many bytes are worked through in one step.
const BYTES_PER_STEP: u64 = 64;

/// Steps and bytes that one rendering may still take.
///
/// Every operation asks for the bytes of its result before it makes it. Nothing is given back, so the sum of all that a
/// rendering ever makes is bounded, whatever its operations are.
pub(super) struct Room {
    steps: Cell<u64>,
    bytes: Cell<u64>,
}

impl Room {
    pub(super) fn new() -> Self {
        Self { steps: Cell::new(MOST_STEPS), bytes: Cell::new(MOST_BYTES) }
    }

    /// Takes steps.
    pub(super) fn step(&self, steps: u64) -> Result<(), String> {
        let left = self.steps.get().checked_sub(steps);
        self.steps.set(left.ok_or_else(|| format!("it runs out of fuel: it takes more than {MOST_STEPS} steps"))?);
        Ok(())
    }

    /// Takes the bytes of something that is about to be made, and the steps of making it.
    pub(super) fn spend(&self, bytes: u64) -> Result<(), String> {
        self.step(bytes / BYTES_PER_STEP)?;
        let left = self.bytes.get().checked_sub(bytes);
        self.bytes.set(left.ok_or_else(|| format!("its texts and lists take more than {MOST_BYTES} bytes"))?);
        Ok(())
    }

    /// Takes the bytes of a text that is about to be made.
    pub(super) fn text(&self, length: usize) -> Result<(), String> {
        self.spend(length as u64 + 32)
    }

    /// Takes the steps of looking through `count` values or `count` bytes.
    pub(super) fn look(&self, count: usize) -> Result<(), String> {
        self.step(count as u64 / 16 + 1)
    }
}
