//! Statistics against values worked out by hand or printed in tables.

use bench_metrics::{
    Distribution, PERCENTILE_FLOORS, floored_percentile, mean, median, median_interval, percentile, sample_sd,
    t_half_width,
};
use proptest::prelude::*;

fn up_to(n: usize) -> Vec<f64> {
    (1..=n).map(|i| i as f64).collect()
}

#[test]
fn percentiles_interpolate_between_neighbours() {
    // Position (4 − 1) · 0.25 = 0.75 between 1 and 2.
    assert_eq!(percentile(&[1.0, 2.0, 3.0, 4.0], 25.0), Some(1.75));
    assert_eq!(percentile(&[1.0, 2.0, 3.0, 4.0], 50.0), Some(2.5));
    assert_eq!(percentile(&[1.0, 2.0, 3.0, 4.0], 100.0), Some(4.0));
    assert_eq!(percentile(&[7.0], 95.0), Some(7.0));
    assert_eq!(percentile(&[], 50.0), None);
}

#[test]
fn a_percentile_appears_at_its_floor() {
    for (p, floor) in PERCENTILE_FLOORS {
        assert_eq!(floored_percentile(&up_to(floor - 1), p), None);
        assert!(floored_percentile(&up_to(floor), p).is_some());
    }
    assert_eq!(floored_percentile(&up_to(10_000), 97), None);
}

#[test]
fn median_mean_and_spread() {
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
    // Deviations −2, −1, 3: 14 / 2 = 7.
    assert_eq!(sample_sd(&[1.0, 2.0, 6.0]), Some(7.0_f64.sqrt()));
    assert_eq!(sample_sd(&[1.0]), None);
}

#[test]
fn the_t_interval_uses_students_quantiles() {
    // Five values with mean 3 and variance 2.5: 2.7764 · √2.5 / √5.
    let half = t_half_width(&up_to(5)).unwrap();
    assert!((half - 2.7764 * (2.5_f64).sqrt() / 5.0_f64.sqrt()).abs() < 1e-12);
    assert_eq!(t_half_width(&[1.0, 2.0]), None);
    // Beyond the table: t for 60 and for 120 degrees of freedom is 2.0003 and 1.9799.
    for (degrees, t) in [(60, 2.0003), (120, 1.9799)] {
        let values = up_to(degrees + 1);
        let n = values.len() as f64;
        let found = t_half_width(&values).unwrap() / (sample_sd(&values).unwrap() / n.sqrt());
        assert!((found - t).abs() < 1e-4, "{found} for {degrees}");
    }
}

#[test]
fn the_median_interval_has_the_printed_ranks() {
    // Ranks of the distribution-free interval for the median at 95 %, as in tables of the sign test.
    for (n, rank) in [(6, 1), (8, 1), (9, 2), (12, 3), (15, 4), (20, 6), (30, 10), (100, 40)] {
        assert_eq!(median_interval(&up_to(n)), Some((rank as f64, (n + 1 - rank) as f64)), "n = {n}");
    }
    assert_eq!(median_interval(&up_to(5)), None);
    assert!(median_interval(&up_to(5000)).is_some());
}

#[test]
fn intervals_are_over_repeats_and_values_over_requests() {
    let found = Distribution::of([(0, 1.0), (0, 3.0), (1, 4.0), (1, 6.0), (2, 7.0), (2, 9.0)]).unwrap();
    assert_eq!((found.n, found.repeats), (6, 3));
    assert_eq!((found.median, found.mean, found.min, found.max), (5.0, 5.0, 1.0, 9.0));
    // The repeats' medians are 2, 5, 8: sd 3, t for 2 degrees 4.3027.
    assert!((found.half_width.unwrap() - 4.3027 * 3.0 / 3.0_f64.sqrt()).abs() < 1e-12);
    assert_eq!(found.median_low, None);
}

#[test]
fn values_that_are_no_numbers_are_left_out() {
    assert_eq!(Distribution::of([(0, f64::NAN), (0, f64::INFINITY)]), None);
    assert_eq!(Distribution::of([(0, f64::NAN), (0, 1.0)]).unwrap().n, 1);
}

proptest! {
    #[test]
    fn percentiles_stay_inside_and_in_order(mut values in proptest::collection::vec(-1e9_f64..1e9, 1..50), a in 0.0_f64..100.0, b in 0.0_f64..100.0) {
        values.sort_by(f64::total_cmp);
        let (low, high) = (percentile(&values, a.min(b)).unwrap(), percentile(&values, a.max(b)).unwrap());
        prop_assert!(values[0] <= low && low <= high && high <= values[values.len() - 1]);
    }

    #[test]
    fn the_median_interval_holds_the_median(values in proptest::collection::vec(-1e9_f64..1e9, 6..200)) {
        let (low, high) = median_interval(&values).unwrap();
        let middle = median(&values).unwrap();
        prop_assert!(low <= middle && middle <= high);
    }
}
