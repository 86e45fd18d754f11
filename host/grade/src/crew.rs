//! Work on many items in blocks, by as many threads as there are cores, with results that do not tell who did what.

use std::sync::{Mutex, PoisonError};

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
    /// Does `work` on each block, which begins on a fresh instance. What comes of it goes where the block says.
    pub(crate) fn over<B: Send>(
        &self,
        blocks: impl ExactSizeIterator<Item = B> + Send,
        work: impl Fn(&mut Seat<'_>, B) + Sync,
    ) -> Result<(), LoadError> {
        let workers = self.workers.clamp(1, blocks.len().max(1));
        let blocks = Mutex::new(blocks);
        let next = || blocks.lock().unwrap_or_else(PoisonError::into_inner).next();
        let worker = || -> Result<(), LoadError> {
            let mut seat = Seat::new(self.plugin.scorer_within(self.limits)?, self.config);
            while let Some(block) = next() {
                seat.renew();
                work(&mut seat, block);
            }
            Ok(())
        };
        if workers == 1 {
            return with_room(worker);
        }
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..workers).map(|_| spawn_with_room(scope, worker)).collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().try_for_each(join)
        })
    }
}

/// What has a place among the samples of a task.
pub(crate) trait Keyed {
    /// Id and epoch.
    fn key(&self) -> (&str, u32);
}

/// Items by their ids and epochs.
pub(crate) struct Canonical {
    /// The places of the items, in that order.
    pub(crate) order: Vec<usize>,
    /// Most sets come in it, and a large one is not moved for nothing.
    as_is: bool,
}

impl Canonical {
    /// The canonical order of the items.
    pub(crate) fn of(items: &[impl Keyed]) -> Result<Canonical, GradeError> {
        let key = |place: &usize| items[*place].key();
        let mut order: Vec<usize> = (0..items.len()).collect();
        let as_is = items.is_sorted_by(|one, other| one.key() < other.key());
        if !as_is {
            order.sort_by(|one, other| key(one).cmp(&key(other)));
            if let Some(pair) = order.windows(2).find(|pair| key(&pair[0]) == key(&pair[1])) {
                let (id, epoch) = key(&pair[0]);
                return Err(GradeError::Duplicate { id: id.to_owned(), epoch });
            }
        }
        Ok(Canonical { order, as_is })
    }

    /// What is in canonical order, in the order of the items instead.
    pub(crate) fn undo<R>(&self, results: Vec<R>) -> Vec<R> {
        if self.as_is {
            return results;
        }
        let mut placed: Vec<(usize, R)> = self.order.iter().copied().zip(results).collect();
        placed.sort_unstable_by_key(|(place, _)| *place);
        placed.into_iter().map(|(_, result)| result).collect()
    }
}
