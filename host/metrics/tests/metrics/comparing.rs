//! Differences between runs, against textbooks and simulation.

use bench_metrics::{
    BOOTSTRAP_CLUSTERS, Method, Pair, Shown, Side, normal_cdf, normal_quantile, paired, t_cdf, t_quantile,
    t_quantile_at, unpaired,
};
use proptest::prelude::*;

/// Extra hours of sleep of ten patients under two drugs (Cushny and Peebles 1905), with which Student introduced his test
/// (Biometrika 6, 1908). The expected numbers below are those that the manual of R prints for `t.test` on its data set `sleep`.
const FIRST: [f64; 10] = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
const SECOND: [f64; 10] = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];

fn near(found: f64, expected: f64, within: f64) {
    assert!((found - expected).abs() <= within, "{found} instead of {expected}");
}

#[test]
fn quantiles_of_t_are_those_of_the_tables() {
    // Abramowitz and Stegun, table 26.10.
    for (p, degrees, t) in
        [(0.975, 10.0, 2.228), (0.9, 7.0, 1.415), (0.99, 5.0, 3.365), (0.995, 8.0, 3.355), (0.95, 120.0, 1.658)]
    {
        near(t_quantile_at(p, degrees), t, 6e-4);
    }
    for degrees in 1..40 {
        near(t_quantile_at(0.975, degrees as f64), t_quantile(degrees), 6e-5);
    }
    // Closed forms for 1, 2 and 4 degrees of freedom (Shaw, J. Comput. Finance 9, 2006).
    for p in [0.6_f64, 0.8, 0.9, 0.975, 0.999] {
        near(t_quantile_at(p, 1.0), (std::f64::consts::PI * (p - 0.5)).tan(), 1e-6);
        let alpha = 4.0 * p * (1.0 - p);
        near(t_quantile_at(p, 2.0), 2.0 * (p - 0.5) * (2.0 / alpha).sqrt(), 1e-8);
        let q = (alpha.sqrt().acos() / 3.0).cos() / alpha.sqrt();
        near(t_quantile_at(p, 4.0), 2.0 * (q - 1.0).sqrt(), 1e-8);
        near(t_quantile_at(1.0 - p, 4.0), -2.0 * (q - 1.0).sqrt(), 1e-8);
    }
    assert_eq!(t_quantile_at(0.975, 0.0), f64::INFINITY);
    near(t_cdf(0.0, 3.0), 0.5, 1e-15);
}

#[test]
fn the_normal_distribution_is_that_of_the_tables() {
    // Abramowitz and Stegun, table 26.1.
    for (z, p) in [
        (0.0, 0.5),
        (1.0, 0.841_344_746_07),
        (1.96, 0.975_002_104_85),
        (-2.0, 0.022_750_131_95),
        (3.0, 0.998_650_101_97),
    ] {
        near(normal_cdf(z), p, 1e-11);
        near(normal_quantile(p), z, 1e-8);
    }
    assert_eq!((normal_cdf(-50.0), normal_cdf(50.0)), (0.0, 1.0));
    near(t_quantile_at(0.975, 1e7), 1.959_964, 1e-5);
}

fn sleep() -> Vec<Pair> {
    (0..).zip(FIRST.iter().zip(SECOND)).map(|(cluster, (a, b))| Pair { cluster, reference: *a, value: b }).collect()
}

#[test]
fn the_paired_test_is_students_own() {
    let found = paired(&sleep()).unwrap();
    assert_eq!((found.method, found.pairs, found.clusters, found.other_clusters), (Method::PairedT, 10, 10, 10));
    near(found.reference_mean, 0.75, 1e-12);
    near(found.mean, 1.58, 1e-12);
    near(found.low.unwrap(), 0.700_114_2, 1e-6);
    near(found.high.unwrap(), 2.459_885_8, 1e-6);
    assert_eq!(found.shown(), Shown::Higher);
    // The middle of 1.3 and 1.3; ranks 2 and 9 of ten.
    near(found.median.unwrap(), 1.3, 1e-12);
    near(found.median_low.unwrap(), 0.8, 1e-12);
    near(found.median_high.unwrap(), 2.4, 1e-12);
    // (2.2622 + 0.8834) standard errors of 1.2300 / √10.
    near(found.detectable.unwrap(), 3.1456 * 1.229_995 / 10.0_f64.sqrt(), 1e-3);
    near(found.detectable_share.unwrap(), found.detectable.unwrap() / 0.75, 1e-12);
}

#[test]
fn the_unpaired_test_is_welchs() {
    let side = |values: [f64; 10]| Side::of((0..).zip(values)).unwrap();
    let found = unpaired(side(FIRST), side(SECOND)).unwrap();
    assert_eq!((found.method, found.pairs), (Method::Welch, 0));
    near(found.mean, 1.58, 1e-12);
    near(found.low.unwrap(), -0.205_483_2, 1e-6);
    near(found.high.unwrap(), 3.365_483_2, 1e-6);
    assert_eq!((found.shown(), found.median), (Shown::Nothing, None));
    let two = Side { clusters: 2, ..side(FIRST) };
    assert_eq!(unpaired(two, side(SECOND)).unwrap().low, None);
}

#[test]
fn only_clusters_count_as_independent() {
    // Each of the ten values a thousand times, with noise that cancels within its cluster.
    let many: Vec<Pair> = sleep()
        .iter()
        .flat_map(|pair| (0..1000).map(|i| Pair { value: pair.value + if i % 2 == 0 { 5.0 } else { -5.0 }, ..*pair }))
        .collect();
    let (few, many) = (paired(&sleep()).unwrap(), paired(&many).unwrap());
    assert_eq!((many.pairs, many.clusters), (10_000, 10));
    near(many.low.unwrap(), few.low.unwrap(), 1e-9);
    near(many.detectable.unwrap(), few.detectable.unwrap(), 1e-9);
}

#[test]
fn too_few_clusters_show_nothing() {
    let found = paired(&sleep()[..2]).unwrap();
    assert_eq!((found.low, found.high, found.detectable, found.shown()), (None, None, None, Shown::Nothing));
    assert_eq!(paired(&[]), None);
    assert_eq!(paired(&[Pair { cluster: 0, reference: f64::NAN, value: 1.0 }]), None);
    // Without any spread the interval has no width.
    let same = [0, 1, 2].map(|cluster| Pair { cluster, reference: 10.0, value: 9.0 });
    let found = paired(&same).unwrap();
    assert_eq!((found.low, found.high, found.shown()), (Some(-1.0), Some(-1.0), Shown::Lower));
    let flat = Side { mean: 1.0, sd: Some(0.0), clusters: 5 };
    assert_eq!(unpaired(flat, Side { mean: 2.0, ..flat }).unwrap().shown(), Shown::Higher);
}

/// Uniform numbers (the multiplier of Knuth's MMIX), independent of the generator that is tested.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// A normal variable, by Box and Muller.
    fn normal(&mut self) -> f64 {
        let (a, b) = (self.uniform(), self.uniform());
        (-2.0 * a.ln()).sqrt() * (2.0 * std::f64::consts::PI * b).cos()
    }

    /// Differences of `k` clusters as pairs with a reference of 100.
    fn pairs(&mut self, k: u64, draw: impl Fn(&mut Self) -> f64) -> Vec<Pair> {
        (0..k).map(|cluster| Pair { cluster, reference: 100.0, value: 100.0 + draw(self) }).collect()
    }
}

/// Part of `runs` comparisons for which `holds`.
fn part(runs: u32, mut holds: impl FnMut() -> bool) -> f64 {
    let count = (0..runs).filter(|_| holds()).count();
    count as f64 / f64::from(runs)
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    let mut noise = Noise(1);
    for clusters in [5, 12, BOOTSTRAP_CLUSTERS as u64, 60] {
        let covered = part(400, || {
            let found = paired(&noise.pairs(clusters, |noise| 3.0 + noise.normal())).unwrap();
            found.low.unwrap() <= 3.0 && 3.0 <= found.high.unwrap()
        });
        // 95 %, with three standard errors of 400 draws and what the bootstrap lacks at few clusters.
        assert!((0.91..=0.985).contains(&covered), "{covered} with {clusters} clusters");
    }
}

#[test]
fn the_bootstrap_follows_skew() {
    let mut noise = Noise(2);
    let pairs = noise.pairs(60, |noise| -noise.uniform().ln());
    let found = paired(&pairs).unwrap();
    assert_eq!(found.method, Method::PairedBca);
    let (below, above) = (found.mean - found.low.unwrap(), found.high.unwrap() - found.mean);
    assert!(above > below, "{below} below and {above} above");
    assert_eq!(paired(&pairs).unwrap(), found, "the same records yield the same interval");
    let covered = part(300, || {
        let found = paired(&noise.pairs(40, |noise| -noise.uniform().ln())).unwrap();
        found.low.unwrap() <= 1.0 && 1.0 <= found.high.unwrap()
    });
    assert!((0.88..=0.98).contains(&covered), "{covered}");
}

#[test]
fn the_detectable_difference_is_shown_four_times_in_five() {
    let mut noise = Noise(3);
    // With a standard deviation of 1, the detectable difference of ten clusters is 3.1456 / √10.
    let effect = 3.1456 / 10.0_f64.sqrt();
    let shown =
        part(600, || paired(&noise.pairs(10, |noise| effect + noise.normal())).unwrap().shown() == Shown::Higher);
    assert!((0.74..=0.88).contains(&shown), "{shown}");
    let by_chance = part(600, || paired(&noise.pairs(10, |noise| noise.normal())).unwrap().shown() != Shown::Nothing);
    assert!(by_chance < 0.08, "{by_chance}");
}

proptest! {
    #[test]
    fn the_interval_holds_the_mean_and_turns_with_the_sides(
        pairs in proptest::collection::vec((0_u64..40, 1.0_f64..1e6, 1.0_f64..1e6), 1..120),
    ) {
        let there: Vec<Pair> = pairs.iter().map(|(cluster, a, b)| Pair { cluster: *cluster, reference: *a, value: *b }).collect();
        let back: Vec<Pair> = pairs.iter().map(|(cluster, a, b)| Pair { cluster: *cluster, reference: *b, value: *a }).collect();
        let (there, back) = (paired(&there).unwrap(), paired(&back).unwrap());
        prop_assert!((there.mean + back.mean).abs() <= 1e-6);
        prop_assert_eq!(there.clusters, back.clusters);
        if let (Some(low), Some(high)) = (there.low, there.high) {
            prop_assert!(low <= there.mean + 1e-6 && there.mean <= high + 1e-6);
        }
        prop_assert_eq!(there.low.is_some(), there.clusters >= 3);
    }

    #[test]
    fn quantiles_invert_the_distribution(p in 0.001_f64..0.999, degrees in 0.5_f64..200.0) {
        prop_assert!((t_cdf(t_quantile_at(p, degrees), degrees) - p).abs() < 1e-9);
        prop_assert!((normal_cdf(normal_quantile(p)) - p).abs() < 1e-9);
    }
}
