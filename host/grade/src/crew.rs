//! Work on many items in blocks, by as many threads as there are cores, with results that do not tell who did what.

use std::sync::atomic::{AtomicUsize, Ordering};

use bench_plugin::{Limits, LoadError, Plugin, spawn_with_room, with_room};

use crate::error::GradeError;
use crate::seat::Seat;

/// Who works, and on what.
pub(crate) struct Crew<'a> {
    pub(crate) plugin: &'a Plugin,
    pub(crate) limits: Limits,
    pub(crate) config: &'a str,
    pub(crate) workers: usize,
}

impl Crew<'_> {
    /// Does `work` on each block of `order`, which lists places of items. The answer is in the order of the blocks. A block
    /// begins on a fresh instance.
    pub(crate) fn over<R: Send>(
        &self,
        order: &[usize],
        block: usize,
        work: impl Fn(&mut Seat<'_>, &[usize]) -> R + Sync,
    ) -> Result<Vec<R>, LoadError> {
        let blocks: Vec<&[usize]> = order.chunks(block.max(1)).collect();
        let next = AtomicUsize::new(0);
        let worker = || -> Result<Vec<(usize, R)>, LoadError> {
            let mut seat = Seat::new(self.plugin.scorer_within(self.limits)?, self.config);
            let mut done = Vec::new();
            while let Some((place, block)) = take(&next, &blocks) {
                seat.renew();
                done.push((place, work(&mut seat, block)));
            }
            Ok(done)
        };
        let workers = self.workers.clamp(1, blocks.len().max(1));
        let mut done = if workers == 1 {
            with_room(worker)?
        } else {
            let parts = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..workers).map(|_| spawn_with_room(scope, worker)).collect();
                let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                };
                threads.into_iter().map(join).collect::<Result<Vec<_>, LoadError>>()
            })?;
            parts.into_iter().flatten().collect()
        };
        done.sort_by_key(|(place, _)| *place);
        Ok(done.into_iter().map(|(_, result)| result).collect())
    }
}

fn take<'b>(next: &AtomicUsize, blocks: &[&'b [usize]]) -> Option<(usize, &'b [usize])> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    blocks.get(place).map(|block| (place, *block))
}

/// What has a place among the samples of a task.
pub(crate) trait Keyed {
    /// Id and epoch.
    fn key(&self) -> (&str, u32);
}

/// The places of the items in the order of their ids and epochs.
pub(crate) fn canonical(items: &[impl Keyed]) -> Result<Vec<usize>, GradeError> {
    let key = |place: &usize| items[*place].key();
    let mut order: Vec<usize> = (0..items.len()).collect();
    // Most sets come in order.
    if items.is_sorted_by(|one, other| one.key() < other.key()) {
        return Ok(order);
    }
    order.sort_by(|one, other| key(one).cmp(&key(other)));
    match order.windows(2).find(|pair| key(&pair[0]) == key(&pair[1])) {
        None => Ok(order),
        Some(pair) => {
            let (id, epoch) = key(&pair[0]);
            Err(GradeError::Duplicate { id: id.to_owned(), epoch })
        }
    }
}

/// What came of the blocks of `order`, one result for each of its places, in the order of the items instead.
pub(crate) fn in_order_of_items<R>(order: &[usize], blocks: Vec<Vec<R>>) -> impl Iterator<Item = R> {
    let results = blocks.into_iter().flatten();
    // Most sets come in order, and a large one is not moved for nothing.
    let (as_is, sorted) = if order.iter().copied().eq(0..order.len()) {
        (Some(results), None)
    } else {
        let mut placed: Vec<(usize, R)> = order.iter().copied().zip(results).collect();
        placed.sort_by_key(|(place, _)| *place);
        (None, Some(placed.into_iter().map(|(_, result)| result)))
    };
    as_is.into_iter().flatten().chain(sorted.into_iter().flatten())
}
