//! One instance of a scorer and its task, and whose fault a fault is.

use bench_plugin::scorer_types::{Sample, Verdict};
use bench_plugin::{Fault, Scorer, Task};

use crate::verdict;

/// An instance with a task of one configuration.
pub(crate) struct Seat<'a> {
    scorer: Scorer,
    config: &'a str,
    task: Option<Task>,
}

impl<'a> Seat<'a> {
    pub(crate) fn new(scorer: Scorer, config: &'a str) -> Seat<'a> {
        let mut seat = Seat { scorer, config, task: None };
        // The scorer has described itself, which is history too.
        seat.renew();
        seat
    }

    /// The verdict on a sample about which the scorer failed.
    pub(crate) fn blame(&self, sample: &Sample, fault: &Fault) -> Verdict {
        verdict::blame(self.scorer.info(), sample, fault)
    }

    /// Must each sample be graded by an instance of its own?
    pub(crate) fn apart(&self) -> bool {
        self.scorer.info().fresh_instance
    }

    /// Ends the instance; the next attempt begins with a fresh one.
    pub(crate) fn renew(&mut self) {
        self.scorer.restart();
        self.task = None;
    }

    /// Calls the scorer about one sample.
    ///
    /// A fault of an instance that has graded before may come from what it graded before, so the sample gets a second
    /// chance on a fresh one, and only a fault there is the sample's. The answer is thereby the same wherever in a block the sample
    /// stands. Either way the instance is a fresh one after a fault.
    pub(crate) fn attempt<R>(&mut self, work: impl Fn(&mut Scorer, &Task) -> Result<R, Fault>) -> Result<R, Fault> {
        if self.apart() {
            self.renew();
        }
        let fresh = self.task.is_none();
        let first = self.once(&work);
        match first {
            Err(fault) if fresh || fault.problem().is_some() => Err(fault),
            Err(_) => self.once(&work),
            sound => sound,
        }
    }

    /// Calls the scorer once. After a fault that is not the scorer's own considered answer the instance is a fresh one.
    pub(crate) fn once<R>(&mut self, work: impl Fn(&mut Scorer, &Task) -> Result<R, Fault>) -> Result<R, Fault> {
        let task = match self.task.take() {
            Some(task) => task,
            None => self.scorer.open(self.config).inspect_err(|_| self.scorer.restart())?,
        };
        let result = work(&mut self.scorer, &task);
        match &result {
            Err(fault) if fault.problem().is_none() => self.renew(),
            _ => self.task = Some(task),
        }
        result
    }
}
