//! Whether a scorer says the same again.
//!
//! Inside the sandbox there is no clock and no randomness, so all that a verdict can wrongly depend on is what the instance did
//! before. The second pass therefore gives samples other neighbours: another order, blocks and calls of another size, some samples
//! in calls of their own, and the first sample of a block twice, so that the smallest set has a sample that comes second.

use std::sync::{Mutex, PoisonError};

use bench_plugin::scorer_types::{Info, Verdict};

use crate::block;
use crate::crew::Crew;
use crate::error::GradeError;
use crate::grader::{Item, grade_one};
use crate::seat::Seat;
use crate::verdict;

/// How much is graded a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verify {
    /// Nothing.
    No,
    /// Some samples from all over the set: all of a small one, one in 32 of a large one; of a small one that is graded on an
    /// instance per sample, 16.
    #[default]
    Sampled,
    /// Every sample.
    All,
}

/// A set of up to so many samples is checked whole, and of a larger one at least so many.
const SAMPLED_AT_LEAST: usize = 256;

/// So many where each sample has an instance of its own, on which nothing came before that it could depend on: enough to see that
/// it has.
const APART_AT_LEAST: usize = 16;

/// One in so many of a large set.
const SAMPLED_ONE_IN: usize = 32;

/// Samples in a block of the second pass, and in its calls in turns; odd numbers, so that what counts is out of step with the
/// first pass.
const BLOCK: usize = 77;
const CALLS: [usize; 3] = [7, 1, 5];

impl Verify {
    /// Which of so many places, evenly spread. `apart`: each has an instance of its own.
    fn places(self, samples: usize, apart: bool) -> Vec<usize> {
        let at_least = if apart { APART_AT_LEAST } else { SAMPLED_AT_LEAST };
        let wanted = match self {
            Verify::No => 0,
            Verify::Sampled => (samples / SAMPLED_ONE_IN).max(at_least).min(samples),
            Verify::All => samples,
        };
        (0..wanted).map(|number| number * samples / wanted).collect()
    }
}

/// Grades again and compares with the first verdicts, which are in the order of the items. `order` is the canonical one.
pub(crate) fn check<I: Item>(
    crew: &Crew<'_>,
    info: &Info,
    verify: Verify,
    items: &[I],
    order: &[usize],
    first: &[Verdict],
) -> Result<usize, GradeError> {
    let mut places: Vec<usize> =
        verify.places(order.len(), info.fresh_instance).into_iter().map(|place| order[place]).collect();
    let checked = places.len();
    shuffle(&mut places);
    let differing = Mutex::new(Vec::new());
    crew.over(places.chunks(BLOCK), |seat, block| {
        let block: Vec<usize> = block.first().into_iter().chain(block).copied().collect();
        let second = calls(&block).flat_map(|call| grade(seat, items, call));
        let here = block.iter().zip(second).filter_map(|(place, second)| {
            verdict::difference(&first[*place], &second).map(|difference| (*place, difference))
        });
        // Graded before anybody else has to wait.
        let here: Vec<(usize, String)> = here.collect();
        differing.lock().unwrap_or_else(PoisonError::into_inner).extend(here);
    })?;
    let mut differing = differing.into_inner().unwrap_or_else(PoisonError::into_inner);
    differing.sort_by(|(one, _), (other, _)| items[*one].key().cmp(&items[*other].key()));
    differing.dedup_by_key(|(place, _)| *place);
    let Some((place, difference)) = differing.first() else { return Ok(checked) };
    let (id, epoch) = items[*place].key();
    Err(GradeError::Nondeterministic {
        scorer: format!("{} {}", info.name, info.version),
        id: id.to_owned(),
        epoch,
        difference: difference.clone(),
        differing: differing.len(),
        checked,
    })
}

/// The places of a block, call by call.
fn calls(block: &[usize]) -> impl Iterator<Item = &[usize]> {
    let mut rest = block;
    let mut lengths = CALLS.into_iter().cycle();
    std::iter::from_fn(move || {
        let length = lengths.next()?.min(rest.len());
        let (call, later) = rest.split_at(length);
        rest = later;
        (!call.is_empty()).then_some(call)
    })
}

/// The verdicts of one call, or of one call for each sample where that one fails or samples are kept apart; as the first pass keeps
/// them.
fn grade<I: Item>(seat: &mut Seat<'_>, items: &[I], call: &[usize]) -> Vec<Verdict> {
    let mut verdicts = match block::together(seat, items, call) {
        Some(Ok(scored)) => scored.verdicts,
        Some(Err(_)) | None => call.iter().map(|place| grade_one(seat, &items[*place]).0).collect(),
    };
    for verdict in &mut verdicts {
        verdict::trim(verdict);
    }
    verdicts
}

/// Puts places into an order that has nothing to do with the one before, and is the same every time: Fisher and Yates's shuffle
/// over Steele, Lea and Flood's SplitMix64.
fn shuffle(places: &mut [usize]) {
    let mut state: u64 = 0x6772_6164_6573;
    let mut random = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    for last in (1..places.len()).rev() {
        places.swap(last, (random() % (last as u64 + 1)) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::{Verify, shuffle};

    #[test]
    fn a_sample_of_a_set_is_spread_over_all_of_it() {
        assert_eq!(Verify::No.places(1_000, false), Vec::<usize>::new());
        assert_eq!(Verify::Sampled.places(100, false), (0..100).collect::<Vec<_>>());
        assert_eq!(Verify::All.places(3, true), [0, 1, 2]);
        assert_eq!(Verify::Sampled.places(32, true), (0..32).step_by(2).collect::<Vec<_>>());
        let some = Verify::Sampled.places(1_000_000, true);
        assert_eq!(some.len(), 31_250);
        assert!(some.windows(2).all(|pair| pair[1] - pair[0] == 32));
        assert_eq!(Verify::Sampled.places(0, false), Vec::<usize>::new());
    }

    #[test]
    fn shuffling_loses_nothing_and_is_the_same_every_time() {
        let (mut one, mut other): (Vec<usize>, Vec<usize>) = ((0..500).collect(), (0..500).collect());
        shuffle(&mut one);
        shuffle(&mut other);
        assert_eq!(one, other);
        assert_ne!(one, (0..500).collect::<Vec<_>>());
        one.sort_unstable();
        assert_eq!(one, (0..500).collect::<Vec<_>>());
    }
}
