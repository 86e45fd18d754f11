//! Whether something grew while it was watched.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::{mean, median};
use crate::student::t_quantile_at;

/// Batches that a series is cut into.
const BATCHES: usize = 10;

/// Fewest values for a trend: three in each batch.
const FEWEST: usize = 3 * BATCHES;

/// A straight line through a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trend {
    /// Change of the value per second.
    pub slope_per_s: f64,
    /// Change from the first batch to the last, along the line.
    pub growth: f64,
    /// `growth` divided by the median of the values.
    pub relative_growth: f64,
    /// Lower end of the 95 % t-interval of the slope.
    pub slope_low: f64,
    /// Upper end of the same.
    pub slope_high: f64,
}

impl Trend {
    /// Whether the values grew by at least `share` of their median, and the line is surely not level.
    pub fn is_growth(self, share: f64) -> bool {
        self.slope_low > 0.0 && self.relative_growth >= share
    }
}

/// The trend of values at moments (in seconds): least squares through the medians of ten batches of equal size, in order of time.
/// `None` below 30 values, when all have the same moment, or when the median is not above 0.
///
/// Successive requests share a queue, so their times are not independent and a line through all of them would look surer than it
/// is; batches that are long against the queue's memory nearly are (the method of batch means: Law, Simulation Modeling and
/// Analysis, section 9.5). The interval is the usual one of a regression's slope with batches − 2 degrees of freedom.
pub fn trend(values: &[(f64, f64)]) -> Option<Trend> {
    let mut values: Vec<(f64, f64)> =
        values.iter().copied().filter(|(at, value)| at.is_finite() && value.is_finite()).collect();
    if values.len() < FEWEST {
        return None;
    }
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let batch = |index: usize| {
        let (from, to) = (index * values.len() / BATCHES, (index + 1) * values.len() / BATCHES);
        let part = values.get(from..to)?;
        let (at, value): (Vec<f64>, Vec<f64>) = part.iter().copied().unzip();
        Some((mean(&at)?, median(&value)?))
    };
    let points: Vec<(f64, f64)> = (0..BATCHES).map(batch).collect::<Option<_>>()?;
    let n = points.len() as f64;
    let centre_x = points.iter().map(|(x, _)| x).sum::<f64>() / n;
    let centre_y = points.iter().map(|(_, y)| y).sum::<f64>() / n;
    let sxx: f64 = points.iter().map(|(x, _)| (x - centre_x).powi(2)).sum();
    let sxy: f64 = points.iter().map(|(x, y)| (x - centre_x) * (y - centre_y)).sum();
    let slope = sxy / sxx;
    let residual: f64 = points.iter().map(|(x, y)| (y - centre_y - slope * (x - centre_x)).powi(2)).sum();
    let error = (residual / (n - 2.0) / sxx).sqrt();
    let reach = t_quantile_at(0.975, n - 2.0) * error;
    let growth = slope * (points.last()?.0 - points.first()?.0);
    let middle = median(&values.iter().map(|(_, value)| *value).collect::<Vec<_>>()).filter(|middle| *middle > 0.0)?;
    let found = Trend {
        slope_per_s: slope,
        growth,
        relative_growth: growth / middle,
        slope_low: slope - reach,
        slope_high: slope + reach,
    };
    (sxx > 0.0 && reach.is_finite()).then_some(found)
}
