//! How far a mean can be trusted: standard errors and intervals.
//!
//! Student's quantile comes from the regularised incomplete beta function, evaluated by its continued fraction (Abramowitz and
//! Stegun, 26.5.8, by Lentz's method), and the normal quantile from `erfc`; both are inverted by bisection, which is slow, exact to the
//! last bits, and needed once per metric.

use std::collections::BTreeMap;

use super::Interval;

/// The value of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Item<'i> {
    /// Finite.
    pub value: f64,
    /// Items of one cluster are not independent of each other. An item without one is a cluster of its own.
    pub cluster: Option<&'i str>,
}

/// How far a mean can be trusted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Absent for fewer than two items or clusters.
    pub standard_error: Option<f64>,
    /// The interval.
    pub limits: Option<(f64, f64)>,
    /// How the interval was made.
    pub method: &'static str,
}

/// The mean in the order given; not a number where there is nothing.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn count(number: usize) -> f64 {
    number as f64
}

/// Standard error and interval of the mean of items. Limits are not cut off at 0 and 1.
pub fn interval(items: &[Item<'_>], how: Interval, level: f64) -> Bounds {
    let clustered = items.iter().any(|item| item.cluster.is_some());
    let binary = items.iter().all(|item| item.value == 0.0 || item.value == 1.0);
    let how = match how {
        Interval::Auto if clustered => Interval::Clustered,
        Interval::Auto if binary => Interval::Wilson,
        Interval::Auto => Interval::T,
        // A share is needed; of other values there is none.
        Interval::Wilson if !binary => Interval::T,
        how => how,
    };
    let centre = mean(items.iter().map(|item| item.value));
    let around = |error: f64, freedom: f64| {
        let reach = student_quantile(level, freedom) * error;
        (centre - reach, centre + reach)
    };
    let simple = simple_error(items, centre);
    match how {
        Interval::Auto | Interval::T => Bounds {
            standard_error: simple,
            limits: simple.map(|error| around(error, count(items.len()) - 1.0)),
            method: "t",
        },
        Interval::Wilson => {
            Bounds { standard_error: simple, limits: wilson(items.len(), centre, level), method: "wilson" }
        }
        Interval::Clustered => {
            let clustered = cluster_error(items, centre);
            Bounds {
                standard_error: clustered.map(|(error, _)| error),
                limits: clustered.map(|(error, clusters)| around(error, count(clusters) - 1.0)),
                method: "clustered",
            }
        }
        Interval::Bootstrap => {
            let mean_of =
                |picked: &[usize]| mean(picked.iter().filter_map(|&index| items.get(index)).map(|item| item.value));
            let clusters = by_cluster(items.iter().map(|item| item.cluster));
            let replicates = bootstrap(&clusters, mean_of);
            Bounds { limits: percentiles(&replicates, level), standard_error: spread(&replicates), method: "bootstrap" }
        }
    }
}

/// The sample standard deviation over the root of the count.
fn simple_error(items: &[Item<'_>], centre: f64) -> Option<f64> {
    if items.len() < 2 {
        return None;
    }
    let squares: f64 = items.iter().map(|item| (item.value - centre) * (item.value - centre)).sum();
    Some((squares / (count(items.len()) - 1.0)).sqrt() / count(items.len()).sqrt())
}

/// Indices of the items of each cluster, clusters in the order in which they first appear. An item without one is a cluster of
/// its own.
pub fn by_cluster<'c>(items: impl Iterator<Item = Option<&'c str>>) -> Vec<Vec<usize>> {
    let mut index: BTreeMap<&str, usize> = BTreeMap::new();
    let mut clusters: Vec<Vec<usize>> = Vec::new();
    for (number, cluster) in items.enumerate() {
        let at = cluster.map_or(clusters.len(), |cluster| *index.entry(cluster).or_insert(clusters.len()));
        match clusters.get_mut(at) {
            Some(cluster) => cluster.push(number),
            None => clusters.push(vec![number]),
        }
    }
    clusters
}

/// The cluster-robust standard error with its factor C / (C - 1), and the number of clusters C, as inspect_ai's
/// `stderr(cluster=...)` has it; Miller, Adding Error Bars to Evals (2024), section 2.2.
fn cluster_error(items: &[Item<'_>], centre: f64) -> Option<(f64, usize)> {
    let clusters = by_cluster(items.iter().map(|item| item.cluster));
    if clusters.len() < 2 {
        return None;
    }
    let off = |&number: &usize| items.get(number).map_or(0.0, |item| item.value - centre);
    let variance: f64 = clusters
        .iter()
        .map(|cluster| {
            let sum: f64 = cluster.iter().map(off).sum();
            sum * sum
        })
        .sum();
    let many = count(clusters.len());
    Some(((variance * many / (many - 1.0)).sqrt() / count(items.len()), clusters.len()))
}

/// Wilson, Probable Inference, the Law of Succession, and Statistical Inference (1927).
fn wilson(all: usize, share: f64, level: f64) -> Option<(f64, f64)> {
    if all == 0 {
        return None;
    }
    let (n, z) = (count(all), normal_quantile(level));
    let centre = share + z * z / (2.0 * n);
    let reach = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    Some((((centre - reach) / scale).max(0.0), ((centre + reach) / scale).min(1.0)))
}

/// A generator of uniform numbers: SplitMix64 (Steele, Lea and Flood, 2014). Small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`, by the upper half of the product; the bias is below one in 2^32 for all counts that occur.
    fn below(&mut self, bound: usize) -> usize {
        let product = u128::from(self.next()) * u128::try_from(bound).unwrap_or_default();
        usize::try_from(product >> 64).unwrap_or_default()
    }
}

/// The statistic of as many clusters drawn with replacement as there are, again and again from one seed. Of a million
/// items, fewer replicates are enough.
pub fn bootstrap(clusters: &[Vec<usize>], statistic: impl Fn(&[usize]) -> f64) -> Vec<f64> {
    if clusters.len() < 2 {
        return Vec::new();
    }
    let items: usize = clusters.iter().map(Vec::len).sum();
    let replicates = (20_000_000 / items.max(1)).clamp(200, 1_000);
    let mut random = Random(0x6265_6e63_6821);
    let mut picked = Vec::with_capacity(items);
    let replicate = |_| {
        picked.clear();
        for _ in 0..clusters.len() {
            picked.extend_from_slice(clusters.get(random.below(clusters.len())).map(Vec::as_slice).unwrap_or_default());
        }
        statistic(&picked)
    };
    (0..replicates).map(replicate).collect()
}

/// The limits that leave out the same share of the replicates on both sides, interpolated between neighbours.
pub fn percentiles(replicates: &[f64], level: f64) -> Option<(f64, f64)> {
    let mut sorted = replicates.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * count(sorted.len().checked_sub(1)?);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and the number of replicates"
        )]
        let below = place.floor() as usize;
        let low = *sorted.get(below)?;
        let high = *sorted.get(below + 1).unwrap_or(&low);
        Some(low + (high - low) * (place - place.floor()))
    };
    Some((at((1.0 - level) / 2.0)?, at((1.0 + level) / 2.0)?))
}

/// The sample standard deviation of replicates.
pub fn spread(replicates: &[f64]) -> Option<f64> {
    if replicates.len() < 2 {
        return None;
    }
    let centre = mean(replicates.iter().copied());
    let squares: f64 = replicates.iter().map(|value| (value - centre) * (value - centre)).sum();
    Some((squares / (count(replicates.len()) - 1.0)).sqrt())
}

/// Where a function that falls from above `share` crosses it.
fn falls_to(share: f64, mut high: f64, tail: impl Fn(f64) -> f64) -> f64 {
    let mut low = 0.0;
    while tail(high) > share && high < 1e300 {
        low = high;
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = low + (high - low) / 2.0;
        if middle == low || middle == high {
            break;
        }
        if tail(middle) > share {
            low = middle;
        } else {
            high = middle;
        }
    }
    low + (high - low) / 2.0
}

/// How many standard deviations around the mean hold a share `level` of a normal distribution.
pub(super) fn normal_quantile(level: f64) -> f64 {
    falls_to(1.0 - level, 8.0, |z| libm::erfc(z / std::f64::consts::SQRT_2))
}

/// How far around 0 a share `level` of Student's t distribution is.
pub(super) fn student_quantile(level: f64, freedom: f64) -> f64 {
    // P(|T| > t) = I_x(v / 2, 1 / 2) at x = v / (v + t^2); Abramowitz and Stegun, 26.7.1.
    falls_to(1.0 - level, 8.0, |t| {
        incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t), t * t / (freedom + t * t))
    })
}

/// The regularised incomplete beta function I_x(a, b); `rest` is 1 - x, which the caller knows without cancellation.
fn incomplete_beta(a: f64, b: f64, x: f64, rest: f64) -> f64 {
    if x <= 0.0 || rest <= 0.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let scale = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * libm::log(x) + b * libm::log(rest);
    let scale = libm::exp(scale);
    // The fraction converges fast below the mean of the distribution, and by symmetry above it.
    if x < (a + 1.0) / (a + b + 2.0) {
        scale * beta_fraction(a, b, x) / a
    } else {
        1.0 - scale * beta_fraction(b, a, rest) / b
    }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let nonzero = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..10_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / nonzero(1.0 + even * d);
        c = nonzero(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / nonzero(1.0 + odd * d);
        c = nonzero(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}
