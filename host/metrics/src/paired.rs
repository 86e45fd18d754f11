//! The difference between two runs, and how sure it is.
//!
//! Requests of one run are not independent of each other: those of a session share a cache, those of a repeat share a server.
//! So values are first averaged within a cluster (a repeat or a session), and only clusters are taken for independent.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::random::SplitMix64;
use crate::stats::{mean, median, median_interval, percentile, sample_sd};
use crate::student::{normal_cdf, normal_quantile, t_quantile_at};

/// Fewest clusters for an interval; below, nothing useful can be said.
pub const FEWEST_CLUSTERS: usize = 3;

/// Clusters from which the bootstrap is shown in place of the t-interval: with fewer, the bootstrap's intervals are too narrow
/// (Hesterberg, What Teachers Should Know About the Bootstrap, arXiv 1411.5279), with more, they follow skewed times better.
pub const BOOTSTRAP_CLUSTERS: usize = 20;

/// Resamples of the bootstrap.
const RESAMPLES: usize = 2000;

/// The power at which an effect counts as detectable.
const POWER: f64 = 0.8;

/// A metric of one request in both runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The cluster that both belong to.
    pub cluster: u64,
    /// The value in the reference.
    pub reference: f64,
    /// The value in the run that is compared with it.
    pub value: f64,
}

/// How an interval was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Student's t over the differences of the clusters.
    PairedT,
    /// A bootstrap over the differences of the clusters, corrected for bias and skew (BCa).
    PairedBca,
    /// Welch's t over the clusters of each run: the requests could not be paired.
    Welch,
}

impl Method {
    /// Its name as reports print it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PairedT => "paired t",
            Self::PairedBca => "paired bootstrap (BCa)",
            Self::Welch => "unpaired (Welch)",
        }
    }
}

/// The difference between two runs in one metric: the run that is compared less the reference, in the metric's unit. Intervals are
/// of 95 %.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// How the interval of the mean was found.
    pub method: Method,
    /// Pairs of requests; 0 where nothing was paired.
    pub pairs: u32,
    /// Clusters of the reference, which are those of both runs where requests were paired.
    pub clusters: u32,
    /// Clusters of the run that is compared.
    pub other_clusters: u32,
    /// Mean over the clusters of the reference.
    pub reference_mean: f64,
    /// The mean difference over clusters.
    pub mean: f64,
    /// Lower end of its interval; absent below three clusters.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// The median over the clusters' median differences; absent where nothing was paired.
    pub median: Option<f64>,
    /// Lower end of its order-statistic interval; absent below six clusters.
    pub median_low: Option<f64>,
    /// Upper end of the same.
    pub median_high: Option<f64>,
    /// The smallest true difference that a comparison of this size would show in four of five cases.
    pub detectable: Option<f64>,
    /// The same, divided by the reference's mean.
    pub detectable_share: Option<f64>,
}

/// What a difference shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The metric is higher than in the reference.
    Higher,
    /// The metric is lower than in the reference.
    Lower,
    /// The interval holds 0, or there is none.
    Nothing,
}

impl Difference {
    /// What the interval of the mean shows.
    pub fn shown(&self) -> Shown {
        match (self.low, self.high) {
            (Some(low), _) if low > 0.0 => Shown::Higher,
            (_, Some(high)) if high < 0.0 => Shown::Lower,
            _ => Shown::Nothing,
        }
    }

    /// A part of the reference's mean, such as 0.05 for 5 %; `None` unless that mean is above 0.
    pub fn share(&self, of: f64) -> Option<f64> {
        (self.reference_mean > 0.0).then(|| of / self.reference_mean).filter(|share| share.is_finite())
    }
}

/// The difference over `pairs`. Pairs with a value that is not finite are left out; `None` when none is left.
///
/// The mean is that of the clusters' mean differences. Below [`BOOTSTRAP_CLUSTERS`] clusters its interval is that of the paired
/// t-test, d̄ ± t(0.975, k − 1) · s / √k (Student, Biometrika 6, 1908); from there on it is the BCa interval (Efron, JASA 82,
/// 1987; Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 14.3) of 2,000 resamples of clusters with
/// a fixed seed, so that the same records always yield the same interval.
///
/// The detectable difference is (t(0.975, k − 1) + t(0.8, k − 1)) · s / √k (Bloom, Evaluation Review 19, 1995).
pub fn paired(pairs: &[Pair]) -> Option<Difference> {
    let mut clusters: BTreeMap<u64, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    let mut count: u32 = 0;
    for pair in pairs.iter().filter(|pair| pair.reference.is_finite() && pair.value.is_finite()) {
        let (references, differences) = clusters.entry(pair.cluster).or_default();
        references.push(pair.reference);
        differences.push(pair.value - pair.reference);
        count = count.saturating_add(1);
    }
    let references: Vec<f64> = clusters.values().filter_map(|(references, _)| mean(references)).collect();
    let means: Vec<f64> = clusters.values().filter_map(|(_, differences)| mean(differences)).collect();
    let medians: Vec<f64> = clusters.values().filter_map(|(_, differences)| median(differences)).collect();
    let middle = median_interval(&medians);
    let k = means.len();
    let bootstrap = k >= BOOTSTRAP_CLUSTERS;
    let interval = if bootstrap { bca(&means) } else { None }.or_else(|| t_interval(&means));
    let error = sample_sd(&means).filter(|_| k >= FEWEST_CLUSTERS).map(|sd| sd / (k as f64).sqrt());
    let degrees = k as f64 - 1.0;
    let reference_mean = mean(&references)?;
    let found = Difference {
        method: if bootstrap { Method::PairedBca } else { Method::PairedT },
        pairs: count,
        clusters: size(k),
        other_clusters: size(k),
        reference_mean,
        mean: mean(&means)?,
        low: interval.map(|(low, _)| low),
        high: interval.map(|(_, high)| high),
        median: median(&medians),
        median_low: middle.map(|(low, _)| low),
        median_high: middle.map(|(_, high)| high),
        detectable: error.map(|error| multiplier(degrees) * error),
        detectable_share: None,
    };
    Some(with_share(found))
}

/// One side of an unpaired comparison: the mean of its clusters, their sample standard deviation, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Side {
    /// Mean over the clusters.
    pub mean: f64,
    /// Sample standard deviation over the clusters; `None` below two.
    pub sd: Option<f64>,
    /// Clusters.
    pub clusters: u32,
}

impl Side {
    /// The side of values with the cluster that each belongs to. Values that are not finite are left out; `None` when none is left.
    pub fn of(values: impl IntoIterator<Item = (u64, f64)>) -> Option<Self> {
        let mut clusters: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for (cluster, value) in values.into_iter().filter(|(_, value)| value.is_finite()) {
            clusters.entry(cluster).or_default().push(value);
        }
        let means: Vec<f64> = clusters.values().filter_map(|values| mean(values)).collect();
        Some(Self { mean: mean(&means)?, sd: sample_sd(&means), clusters: size(means.len()) })
    }
}

/// The difference between two sides that could not be paired: the means of the clusters with the interval of Welch's t-test and the
/// degrees of freedom of Welch and Satterthwaite (Welch, Biometrika 34, 1947). `None` unless both means are finite.
pub fn unpaired(reference: Side, value: Side) -> Option<Difference> {
    let difference = value.mean - reference.mean;
    let spread = |side: Side| {
        let n = f64::from(side.clusters);
        side.sd.filter(|_| side.clusters as usize >= FEWEST_CLUSTERS).map(|sd| (sd * sd / n, n - 1.0))
    };
    let error = spread(reference).zip(spread(value)).map(|((a, a_degrees), (b, b_degrees))| {
        let degrees = (a + b).powi(2) / (a * a / a_degrees + b * b / b_degrees);
        // Without any spread the quotient is 0 / 0, and the interval has no width whatever the degrees of freedom.
        ((a + b).sqrt(), if degrees.is_finite() { degrees } else { a_degrees + b_degrees })
    });
    let reach = error.map(|(error, degrees)| t_quantile_at(0.975, degrees) * error);
    let found = Difference {
        method: Method::Welch,
        pairs: 0,
        clusters: reference.clusters,
        other_clusters: value.clusters,
        reference_mean: reference.mean,
        mean: difference,
        low: reach.map(|reach| difference - reach),
        high: reach.map(|reach| difference + reach),
        median: None,
        median_low: None,
        median_high: None,
        detectable: error.map(|(error, degrees)| multiplier(degrees) * error),
        detectable_share: None,
    };
    difference.is_finite().then(|| with_share(found))
}

fn with_share(found: Difference) -> Difference {
    Difference { detectable_share: found.detectable.and_then(|effect| found.share(effect)), ..found }
}

/// Standard errors that a true difference must have to be shown with a power of 80 %, in a two-sided test at 5 %.
fn multiplier(degrees: f64) -> f64 {
    t_quantile_at(0.975, degrees) + t_quantile_at(POWER, degrees)
}

fn t_interval(values: &[f64]) -> Option<(f64, f64)> {
    let k = values.len();
    let centre = mean(values).filter(|_| k >= FEWEST_CLUSTERS)?;
    let reach = t_quantile_at(0.975, k as f64 - 1.0) * sample_sd(values)? / (k as f64).sqrt();
    Some((centre - reach, centre + reach))
}

/// The BCa interval of the mean. `None` when the values have no spread.
fn bca(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len();
    let centre = mean(values)?;
    let mut random = SplitMix64::new(n as u64);
    let mut resampled: Vec<f64> = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        let sum: f64 = (0..n).filter_map(|_| values.get(random.below(n))).sum();
        resampled.push(sum / n as f64);
    }
    resampled.sort_by(f64::total_cmp);
    let below = resampled.iter().filter(|value| **value < centre).count() as f64;
    let equal = resampled.iter().filter(|value| **value == centre).count() as f64;
    // Resamples that hit the estimate itself lie half below it, so that ties do not look like bias.
    let bias = normal_quantile(((below + equal / 2.0) / RESAMPLES as f64).clamp(1e-6, 1.0 - 1e-6));
    // The jackknife's acceleration (Efron and Tibshirani 14.15), which for a mean comes from the values themselves.
    let cubes: f64 = values.iter().map(|value| (value - centre).powi(3)).sum();
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    let acceleration = cubes / (6.0 * squares.powf(1.5));
    let end = |z: f64| {
        let shifted = bias + z;
        let p = normal_cdf(bias + shifted / (1.0 - acceleration * shifted));
        percentile(&resampled, 100.0 * p)
    };
    let interval = (end(normal_quantile(0.025))?, end(normal_quantile(0.975))?);
    (squares > 0.0 && acceleration.is_finite()).then_some(interval)
}

fn size(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
