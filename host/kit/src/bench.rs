//! A scorer at which samples are tried one by one, with what each takes.

use bench_plugin::scorer_types::{Sample, Verdict};
use bench_plugin::{Fault, Plugin, Scorer};
use bench_wire::Stamp;
use serde::Serialize;

use crate::error::KitError;

/// What a sample took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Took {
    /// Fuel; 0 where the scorer failed.
    pub fuel: u64,
    /// Linear memory, in bytes, of the instance that graded it. Memory never shrinks, so on an instance that graded others before
    /// it, it is the most that any of them made it need.
    pub memory: usize,
    /// Microseconds.
    pub us: f64,
}

/// What samples cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    /// Fuel of a sample, the middle one.
    pub fuel_median: u64,
    /// The most that a sample took.
    pub fuel_most: u64,
    /// The most linear memory that an instance had, in bytes.
    pub memory_most: usize,
    /// Microseconds of a sample, the middle one.
    pub median_us: f64,
}

impl Cost {
    /// Of samples that took so much; `None` where there are none.
    pub(crate) fn of(took: impl Iterator<Item = Took>) -> Option<Cost> {
        let all: Vec<Took> = took.collect();
        let mut fuel: Vec<u64> = all.iter().map(|took| took.fuel).collect();
        let mut times: Vec<f64> = all.iter().map(|took| took.us).collect();
        fuel.sort_unstable();
        times.sort_by(f64::total_cmp);
        Some(Cost {
            fuel_median: *fuel.get(fuel.len() / 2)?,
            fuel_most: *fuel.last()?,
            memory_most: all.iter().map(|took| took.memory).max()?,
            median_us: *times.get(times.len() / 2)?,
        })
    }
}

/// A scorer of which nothing but verdicts and their cost is wanted.
pub(crate) struct Bench(Scorer);

impl Bench {
    pub(crate) fn new(plugin: &Plugin) -> Result<Bench, KitError> {
        Ok(Bench(plugin.scorer()?))
    }

    /// Ends the instance; the next sample is the first of another.
    pub(crate) fn restart(&mut self) {
        self.0.restart();
    }

    /// The verdict on a sample and what it took; of a scorer that needs an instance for each sample, on one. What a program did to
    /// that instance is its verdict, as where runs are graded; any other fault is no verdict.
    ///
    /// # Errors
    /// Where the scorer does not take the configuration.
    pub(crate) fn grade(&mut self, config: &str, sample: &Sample) -> Result<(Result<Verdict, Fault>, Took), KitError> {
        let scorer = &mut self.0;
        if scorer.info().fresh_instance {
            scorer.restart();
        }
        let task = scorer.open(config)?;
        let began = Stamp::now();
        let scored = scorer.score_one(&task, sample);
        let us = Stamp::now().since(began).as_secs_f64() * 1e6;
        let fuel = scored.as_ref().map_or(0, |(_, fuel)| *fuel);
        let took = Took { fuel, memory: scorer.memory(), us };
        let verdict = scored.map(|(verdict, _)| verdict).or_else(|fault| {
            let verdict = bench_grade::blame(scorer.info(), sample, &fault);
            if verdict.value.is_nan() { Err(fault) } else { Ok(verdict) }
        });
        scorer.close(task)?;
        Ok((verdict, took))
    }
}
