//! Several samples in one call, where that changes nothing but the time.
//!
//! Entering the sandbox takes as long as a simple verdict, so a block is graded in calls of many samples. A call as a whole may use
//! less than one of its samples may, and a call in which anything goes wrong counts for nothing: its samples are graded again,
//! one at a time. So a sample never gets by on what its neighbours left over, and a fault stays with the sample that causes it.
//!
//! How samples are put together depends on the block alone, and so does the fuel: each sample of a call has an even share of
//! what the call used.

use bench_plugin::scorer_types::Verdict;
use bench_plugin::{Fault, FaultKind, Scored};

use crate::grader::{Item, grade_one};
use crate::seat::Seat;
use crate::verdict;

/// Bytes of the samples of one call, unless a single one has more. Calls are small enough that the guest's memory need not grow
/// for them.
const LARGEST_CALL: usize = 1 << 20;

/// The items of a block, and where their verdicts and their fuel go.
pub(crate) struct Block<'b> {
    pub(crate) places: &'b [usize],
    pub(crate) verdicts: &'b mut [Option<Verdict>],
    pub(crate) fuel: &'b mut [u64],
}

impl<'b> Block<'b> {
    /// The first items of the block, and the rest of it.
    fn split_at(self, items: usize) -> (Block<'b>, Block<'b>) {
        let (places, later_places) = self.places.split_at(items);
        let (verdicts, later_verdicts) = self.verdicts.split_at_mut(items);
        let (fuel, later_fuel) = self.fuel.split_at_mut(items);
        (Block { places, verdicts, fuel }, Block { places: later_places, verdicts: later_verdicts, fuel: later_fuel })
    }
}

/// Grades a block, which begins on a fresh instance. Answers on how many items the verdict had texts that were cut.
pub(crate) fn grade<I: Item>(seat: &mut Seat<'_>, items: &[I], block: Block<'_>) -> usize {
    let mut cut = 0;
    let mut keep = |slot: &mut Option<Verdict>, mut verdict: Verdict| {
        cut += usize::from(verdict::trim(&mut verdict));
        *slot = Some(verdict);
    };
    let mut most = I::MOST_TOGETHER;
    let mut rest = block;
    while !rest.places.is_empty() {
        let length = length(items, rest.places, most);
        let (call, later) = rest.split_at(length);
        rest = later;
        match together(seat, items, call.places) {
            Some(Ok(scored)) => {
                call.fuel.iter_mut().zip(shares(scored.fuel, length)).for_each(|(fuel, share)| *fuel = share);
                call.verdicts.iter_mut().zip(scored.verdicts).for_each(|(slot, verdict)| keep(slot, verdict));
                continue;
            }
            // The next calls would run out as well.
            Some(Err(fault)) if matches!(fault.kind, FaultKind::Fuel | FaultKind::Memory { .. }) => most = 1,
            Some(Err(_)) | None => {}
        }
        for ((place, slot), fuel) in call.places.iter().zip(call.verdicts).zip(call.fuel) {
            let (verdict, used) = grade_one(seat, &items[*place]);
            keep(slot, verdict);
            *fuel = used;
        }
    }
    cut
}

/// One call for several items; `None` where there is but one, or where each is graded by an instance of its own.
pub(crate) fn together<I: Item>(seat: &mut Seat<'_>, items: &[I], call: &[usize]) -> Option<Result<Scored, Fault>> {
    if call.len() < 2 || seat.apart() {
        return None;
    }
    let call: Vec<&I> = call.iter().map(|place| &items[*place]).collect();
    Some(seat.once(|scorer, task| I::grade_together(&call, scorer, task)))
}

/// How many of the next items go into one call; at least one.
fn length<I: Item>(items: &[I], rest: &[usize], most: usize) -> usize {
    let mut bytes = 0;
    let fits = |place: &&usize| {
        bytes += items[**place].bytes();
        bytes <= LARGEST_CALL
    };
    rest.iter().take(most).take_while(fits).count().max(1)
}

/// What a call used in as many even shares; what is left over goes to the first ones.
fn shares(fuel: u64, samples: usize) -> impl Iterator<Item = u64> {
    let samples = samples as u64;
    (0..samples).map(move |place| fuel / samples + u64::from(place < fuel % samples))
}

/// Samples in a block: few enough that every core has some, many enough that a fresh instance does not count. It is part of
/// what the fuel of a sample means, so it depends on the number of samples alone.
pub(crate) fn size(samples: usize) -> usize {
    const SMALLEST: usize = 64;
    const LARGEST: usize = 4096;
    (samples / 8).clamp(SMALLEST, LARGEST)
}

#[cfg(test)]
mod tests {
    use super::{shares, size};

    #[test]
    fn blocks_grow_with_the_samples_and_not_with_the_machine() {
        assert_eq!([0, 1, 164, 10_000, 1_000_000].map(size), [64, 64, 64, 1_250, 4096]);
    }

    #[test]
    fn shares_are_even_and_lose_nothing() {
        assert_eq!(shares(11, 4).collect::<Vec<_>>(), [3, 3, 3, 2]);
        assert_eq!(shares(u64::MAX, 3).map(u128::from).sum::<u128>(), u128::from(u64::MAX));
    }
}
