//! How wrong the measuring client itself is, as a distribution of absolute errors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pool::Pool;

/// The distribution of a client's absolute errors, in milliseconds. Percentiles by linear interpolation (Hyndman and Fan's type
/// 7), those of the tails absent below their sample floors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBar {
    /// Errors behind it.
    pub samples: u64,
    /// Median.
    pub p50_ms: f64,
    /// 95th percentile; absent below 130 samples.
    pub p95_ms: Option<f64>,
    /// 99th percentile; absent below 662 samples.
    pub p99_ms: Option<f64>,
    /// Largest.
    pub max_ms: f64,
    /// Arithmetic mean.
    pub mean_ms: f64,
}

impl ErrorBar {
    /// The error bar of `errors_ms`: of each the absolute value, leaving out what is not finite. `None` when none is left.
    pub fn of(errors_ms: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut pool = Pool::default();
        pool.extend(errors_ms.into_iter().map(f64::abs));
        let pool = pool.close();
        Some(Self {
            samples: pool.len(),
            p50_ms: pool.percentile(50.0)?,
            p95_ms: pool.floored_percentile(95),
            p99_ms: pool.floored_percentile(99),
            max_ms: pool.max()?,
            mean_ms: pool.mean()?,
        })
    }
}
