//! Values of many requests, and the statistics that tools print of them.

use std::collections::BTreeMap;

use crate::pool::{Closed, Pool};

/// A statistic over requests or gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Statistic {
    Mean,
    /// The standard deviation of a population (divisor n), as numpy computes it by default.
    Sd,
    Min,
    Median,
    Max,
    Percentile(u8),
    /// 1000 divided by a percentile: the rate that belongs to a percentile of times in milliseconds.
    RateAt(u8),
}

impl Statistic {
    pub(super) fn name(self) -> String {
        match self {
            Self::Mean => "mean".to_owned(),
            Self::Sd => "std".to_owned(),
            Self::Min => "min".to_owned(),
            Self::Median => "median".to_owned(),
            Self::Max => "max".to_owned(),
            Self::Percentile(percent) => format!("p{percent}"),
            Self::RateAt(percent) => format!("1000 / p{percent}"),
        }
    }
}

/// The values of each metric.
#[derive(Default)]
pub(super) struct Gathered(BTreeMap<&'static str, Running>);

/// A pool, with the running mean and sum of squared deviations of Welford (Technometrics 4, 1962).
#[derive(Default)]
struct Running {
    pool: Pool,
    n: f64,
    mean: f64,
    squares: f64,
}

impl Gathered {
    /// Adds a value, unless it is negative or not finite.
    pub(super) fn add(&mut self, metric: &'static str, value: f64) {
        if !value.is_finite() || value < 0.0 {
            return;
        }
        let running = self.0.entry(metric).or_default();
        running.pool.add(value);
        running.n += 1.0;
        let before = value - running.mean;
        running.mean += before / running.n;
        running.squares += before * (value - running.mean);
    }

    /// The values of a metric; `None` when there are none.
    pub(super) fn take(&mut self, metric: &str) -> Option<Values> {
        let running = self.0.remove(metric)?;
        Some(Values { variance: running.squares / running.n, pool: running.pool.close() })
    }
}

/// The values of one metric.
pub(super) struct Values {
    pool: Closed,
    variance: f64,
}

impl Values {
    pub(super) fn value(&self, statistic: Statistic) -> Option<f64> {
        match statistic {
            Statistic::Mean => self.pool.mean(),
            Statistic::Sd => Some(self.variance.max(0.0).sqrt()),
            Statistic::Min => self.pool.min(),
            Statistic::Median => self.pool.percentile(50.0),
            Statistic::Max => self.pool.max(),
            Statistic::Percentile(percent) => self.pool.percentile(f64::from(percent)),
            Statistic::RateAt(percent) => {
                self.pool.percentile(f64::from(percent)).filter(|time| *time > 0.0).map(|time| 1000.0 / time)
            }
        }
    }
}
