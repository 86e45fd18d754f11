//! Statistics over samples. Nothing here knows what is measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Fewest samples for a percentile to be given, as (percentile, samples): the sizes at which a sample of that many values bounds
/// the percentile with 99 % confidence, after the sample floors of MLPerf's early-stopping rule.
pub const PERCENTILE_FLOORS: [(u8, usize); 4] = [(50, 11), (90, 64), (95, 130), (99, 662)];

/// A percentile of `sorted` (ascending) by linear interpolation between the two nearest values, Hyndman and Fan's type 7: the
/// value at position (n − 1) · p / 100 counted from 0. `None` for no samples.
pub fn percentile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = last as f64 * p.clamp(0.0, 100.0) / 100.0;
    let below = (position.floor() as usize).min(last);
    let low = *sorted.get(below)?;
    let high = *sorted.get((below + 1).min(last))?;
    Some(low + (high - low) * (position - below as f64))
}

/// [`percentile`], or `None` when there are fewer samples than [`PERCENTILE_FLOORS`] asks for. A percentile that the table
/// does not name is never given.
pub fn floored_percentile(sorted: &[f64], p: u8) -> Option<f64> {
    let (_, floor) = PERCENTILE_FLOORS.iter().find(|(percent, _)| *percent == p)?;
    if sorted.len() < *floor { None } else { percentile(sorted, f64::from(p)) }
}

/// The middle value, or the mean of the two middle ones. `None` for no samples. Needs no order.
pub fn median(values: &[f64]) -> Option<f64> {
    percentile(&sorted(values), 50.0)
}

/// The arithmetic mean. `None` for no samples.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard deviation of a sample (divisor n − 1). `None` below two samples.
pub fn sample_sd(values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() >= 2)?;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// Half the width of the 95 % confidence interval of the mean, t · s / √n with Student's t for n − 1 degrees of freedom. It
/// assumes independent samples of a roughly normal quantity. `None` below three samples, where it says nothing useful.
pub fn t_half_width(values: &[f64]) -> Option<f64> {
    let n = values.len();
    let sd = sample_sd(values).filter(|_| n >= 3)?;
    Some(t_quantile(n - 1) * sd / (n as f64).sqrt())
}

/// A confidence interval of the median of at least 95 %, from order statistics: the k-th smallest and k-th largest value with
/// the largest k for which 2 · P(B < k) ≤ 5 %, B binomial with n trials of probability ½. It assumes independence and nothing
/// about the distribution. `None` below six samples: even the extremes then cover less than 95 %.
pub fn median_interval(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len();
    let sorted = sorted(values);
    // Logarithms, because ½ⁿ underflows beyond n = 1074.
    let mut log_choose = 0.0_f64;
    let log_half = (n as f64) * 0.5_f64.ln();
    let mut tail = 0.0;
    let mut rank = 0;
    for k in 0..n / 2 {
        tail += (log_choose + log_half).exp();
        if 2.0 * tail > 0.05 {
            break;
        }
        rank = k + 1;
        log_choose += ((n - k) as f64).ln() - ((k + 1) as f64).ln();
    }
    let low = *sorted.get(rank.checked_sub(1)?)?;
    Some((low, *sorted.get(n - rank)?))
}

/// The 97.5 % point of Student's t. Tabulated to 30 degrees of freedom; beyond, the expansion in powers of 1/ν around the
/// normal point (Abramowitz and Stegun 26.7.5), which is right to four decimals there. Infinite for 0 degrees of freedom.
pub fn t_quantile(degrees: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281, 2.2010, 2.1788, 2.1604,
        2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518,
        2.0484, 2.0452, 2.0423,
    ];
    if let Some(value) = degrees.checked_sub(1).and_then(|i| TABLE.get(i)) {
        return *value;
    }
    if degrees == 0 {
        return f64::INFINITY;
    }
    let z: f64 = 1.959_964;
    let v = degrees as f64;
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + first / v + second / v.powi(2) + third / v.powi(3)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// A metric over the requests of a phase, with its uncertainty over the phase's repeats.
///
/// Values describe single requests; the intervals describe repeats, because requests that share a server at the same time
/// are not independent of each other. Where a repeat is one request the two are the same.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Distribution {
    /// Requests (or windows) that have the metric.
    pub n: u32,
    /// Repeats that have the metric.
    pub repeats: u32,
    /// Median.
    pub median: f64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation; absent below two values.
    pub sd: Option<f64>,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// 90th percentile; absent below 64 values.
    pub p90: Option<f64>,
    /// 95th percentile; absent below 130 values.
    pub p95: Option<f64>,
    /// 99th percentile; absent below 662 values.
    pub p99: Option<f64>,
    /// Half the width of the 95 % t-interval of the mean of the repeats' medians; absent below three repeats.
    pub half_width: Option<f64>,
    /// Lower end of the 95 % order-statistic interval of the median of the repeats' medians; absent below six repeats.
    pub median_low: Option<f64>,
    /// Upper end of the same.
    pub median_high: Option<f64>,
    /// The values behind it are percentiles of so many times that they were gathered in a histogram, and so are right to three
    /// significant digits only; see [`crate::EXACT_POOL`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub binned: bool,
}

impl Distribution {
    /// The distribution of `values`, each with the repeat that it belongs to. Values that are not finite are left out;
    /// `None` when none is left.
    pub fn of(values: impl IntoIterator<Item = (u32, f64)>) -> Option<Self> {
        let mut by_repeat: std::collections::BTreeMap<u32, Vec<f64>> = std::collections::BTreeMap::new();
        let mut all = Vec::new();
        for (repeat, value) in values {
            if value.is_finite() {
                by_repeat.entry(repeat).or_default().push(value);
                all.push(value);
            }
        }
        all.sort_by(f64::total_cmp);
        let medians: Vec<f64> = by_repeat.values().filter_map(|values| median(values)).collect();
        let interval = median_interval(&medians);
        Some(Self {
            n: u32::try_from(all.len()).unwrap_or(u32::MAX),
            repeats: u32::try_from(medians.len()).unwrap_or(u32::MAX),
            median: percentile(&all, 50.0)?,
            mean: mean(&all)?,
            sd: sample_sd(&all),
            min: *all.first()?,
            max: *all.last()?,
            p90: floored_percentile(&all, 90),
            p95: floored_percentile(&all, 95),
            p99: floored_percentile(&all, 99),
            half_width: t_half_width(&medians),
            median_low: interval.map(|(low, _)| low),
            median_high: interval.map(|(_, high)| high),
            binned: false,
        })
    }
}
