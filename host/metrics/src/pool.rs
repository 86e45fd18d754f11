//! Many values whose percentiles are wanted, in bounded memory.
//!
//! Up to [`EXACT_POOL`] values are kept as they are. Beyond that they go into a histogram whose buckets are narrower than a
//! thousandth of their value (Gil Tene's HdrHistogram at three significant digits), so that a run of hours holds no more than
//! one of minutes, and a percentile is off by less than 0.1 %. Whoever prints such a percentile can see that it is
//! [`Pool::binned`].

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::stats::{PERCENTILE_FLOORS, percentile};

/// Values that a pool keeps exactly.
pub const EXACT_POOL: usize = 1_000_000;

/// Significant digits of the histogram.
const DIGITS: u8 = 3;

/// The histogram counts millionths: of a millisecond, so nanoseconds, where the values are milliseconds.
const SCALE: f64 = 1e6;

/// The largest value that the histogram tells apart from larger ones, in its own unit: eleven days in nanoseconds.
const MOST: f64 = 1e15;

/// A growing collection of values that are finite and not negative; others are left out. [`Pool::close`] makes it readable.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    exact: Vec<f64>,
    binned: Option<Box<Histogram<u64>>>,
    sum: f64,
    len: u64,
    least: Option<f64>,
    most: Option<f64>,
}

impl Pool {
    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        if !value.is_finite() || value < 0.0 {
            return;
        }
        self.sum += value;
        self.len += 1;
        self.least = Some(self.least.map_or(value, |least| least.min(value)));
        self.most = Some(self.most.map_or(value, |most| most.max(value)));
        if self.binned.is_none() && self.exact.len() >= EXACT_POOL {
            self.binned = Histogram::new(DIGITS).ok().map(Box::new);
            for kept in std::mem::take(&mut self.exact) {
                self.bin(kept);
            }
        }
        if self.binned.is_some() { self.bin(value) } else { self.exact.push(value) }
    }

    fn bin(&mut self, value: f64) {
        if let Some(histogram) = &mut self.binned {
            // The histogram grows by itself, so it refuses no value up to `MOST`.
            histogram.record((value * SCALE).round().min(MOST) as u64).ok();
        }
    }

    /// Makes the values readable.
    pub fn close(mut self) -> Closed {
        self.exact.sort_by(f64::total_cmp);
        Closed(self)
    }
}

impl Extend<f64> for Pool {
    fn extend<T: IntoIterator<Item = f64>>(&mut self, values: T) {
        for value in values {
            self.add(value);
        }
    }
}

/// A pool that takes no more values.
#[derive(Debug, Clone)]
pub struct Closed(Pool);

impl Closed {
    /// How many values there are.
    pub fn len(&self) -> u64 {
        self.0.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// Whether percentiles come from the histogram, and so are right to three significant digits.
    pub fn binned(&self) -> bool {
        self.0.binned.is_some()
    }

    /// The percentile `p` (0 to 100): [`percentile`] of the values, or from the histogram the middle of the bucket that holds
    /// the value of rank ⌈n · p / 100⌉. `None` for no values.
    pub fn percentile(&self, p: f64) -> Option<f64> {
        match &self.0.binned {
            None => percentile(&self.0.exact, p),
            Some(histogram) => {
                let value = histogram.value_at_quantile(p.clamp(0.0, 100.0) / 100.0);
                let middle = histogram.median_equivalent(value) as f64 / SCALE;
                Some(middle.clamp(self.0.least?, self.0.most?))
            }
        }
    }

    /// The same, or `None` when there are fewer values than [`PERCENTILE_FLOORS`] asks for.
    pub fn floored_percentile(&self, p: u8) -> Option<f64> {
        let (_, floor) = PERCENTILE_FLOORS.iter().find(|(percent, _)| *percent == p)?;
        if self.0.len < *floor as u64 { None } else { self.percentile(f64::from(p)) }
    }

    /// The arithmetic mean, exact in either case.
    pub fn mean(&self) -> Option<f64> {
        (self.0.len > 0).then(|| self.0.sum / self.0.len as f64)
    }

    /// The smallest value, exact in either case.
    pub fn min(&self) -> Option<f64> {
        self.0.least
    }

    /// The largest value, exact in either case.
    pub fn max(&self) -> Option<f64> {
        self.0.most
    }
}

/// The token times of a phase by repeat, gathered while requests are judged, so that a request need not keep them.
#[derive(Debug, Clone, Default)]
pub struct TokenPools(BTreeMap<u32, Pool>);

impl TokenPools {
    /// Adds the token times of one request of `repeat`, in milliseconds.
    pub fn add(&mut self, repeat: u32, each_ms: &[f64]) {
        self.0.entry(repeat).or_default().extend(each_ms.iter().copied());
    }

    /// The pools, readable.
    pub(crate) fn close(self) -> BTreeMap<u32, Closed> {
        self.0.into_iter().map(|(repeat, pool)| (repeat, pool.close())).collect()
    }
}
