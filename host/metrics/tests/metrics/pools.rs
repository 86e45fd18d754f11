//! Many values: exact as long as they fit, and close afterwards.

use bench_metrics::{
    EXACT_POOL, ErrorBar, Outcome, Pool, RequestMetrics, Sample, TokenPools, percentile, summarise, summarise_pooled,
};
use proptest::prelude::*;

use super::stream::{Stream, asked, finish, so_far, text};

/// `n` values from 1 to 1000, spread evenly but not in order.
fn spread(n: usize) -> impl Iterator<Item = f64> {
    (0..n).map(move |i| 1.0 + 999.0 * ((i * 7919) % n) as f64 / (n - 1) as f64)
}

#[test]
fn a_small_pool_is_exact() {
    let mut pool = Pool::default();
    pool.extend([3.0, 1.0, f64::NAN, 2.0, f64::INFINITY, -1.0, 4.0]);
    let pool = pool.close();
    assert_eq!((pool.len(), pool.binned()), (4, false));
    assert_eq!((pool.percentile(25.0), pool.percentile(50.0)), (Some(1.75), Some(2.5)));
    assert_eq!((pool.min(), pool.max(), pool.mean()), (Some(1.0), Some(4.0), Some(2.5)));
    assert_eq!(pool.floored_percentile(50), None);
    assert!(Pool::default().close().is_empty());
    assert_eq!(Pool::default().close().percentile(50.0), None);
}

#[test]
fn a_large_pool_is_right_to_three_digits() {
    let n = EXACT_POOL + 1001;
    let mut pool = Pool::default();
    pool.extend(spread(n));
    let pool = pool.close();
    assert!(pool.binned());
    assert_eq!(pool.len(), n as u64);
    assert_eq!((pool.min(), pool.max()), (Some(1.0), Some(1000.0)));
    assert!((pool.mean().unwrap() - 500.5).abs() < 1e-6);
    for p in [1.0, 10.0, 50.0, 90.0, 95.0, 99.0, 99.9] {
        let exact = 1.0 + 999.0 * p / 100.0;
        let found = pool.percentile(p).unwrap();
        assert!((found / exact - 1.0).abs() < 1e-3, "p{p}: {found} instead of {exact}");
    }
    assert!(pool.floored_percentile(99).is_some());
    assert_eq!(pool.floored_percentile(98), None);
}

#[test]
fn values_beyond_every_range_do_not_break_a_large_pool() {
    let mut pool = Pool::default();
    pool.extend(std::iter::repeat_n(0.0, EXACT_POOL));
    pool.extend([1e-12, f64::MAX, 1e300]);
    let pool = pool.close();
    assert_eq!((pool.percentile(50.0), pool.max()), (Some(0.0), Some(f64::MAX)));
}

#[test]
fn the_error_bar_is_of_absolute_values() {
    let found = ErrorBar::of([-3.0, 1.0, -2.0, f64::NAN]).unwrap();
    assert_eq!((found.samples, found.p50_ms, found.max_ms, found.mean_ms), (3, 2.0, 3.0, 2.0));
    assert_eq!((found.p95_ms, found.p99_ms), (None, None));
    // Position 661 · 0.99 = 654.39 from 0.
    let many = ErrorBar::of((0..662).map(|i| f64::from(-i))).unwrap();
    assert!((many.p99_ms.unwrap() - 654.39).abs() < 1e-9);
    assert!(ErrorBar::of((0..661).map(f64::from)).unwrap().p99_ms.is_none());
    assert_eq!(ErrorBar::of([f64::NAN]), None);
}

fn token_times(metrics: &RequestMetrics) -> Vec<f64> {
    metrics.raw_timings.clone().unwrap_or_default()
}

#[test]
fn requests_need_not_keep_their_token_times() {
    let metrics = (0..12).fold(Stream::new(), |stream, i| stream.read(10 + i * i, [text(), so_far(i + 1)]));
    let full = metrics.read(200, [finish()]).measure(&asked(10, 12));
    let thin = RequestMetrics { raw_timings: None, ..full.clone() };
    let sample = |metrics| Sample { repeat: 0, turn: 0, resent: 0, outcome: Outcome::Completed(metrics) };
    let mut pools = TokenPools::default();
    pools.add(0, &token_times(&full));
    pools.add(0, &token_times(&full));
    let kept = summarise(&[sample(&full), sample(&full)], &[]);
    let pooled = summarise_pooled(&[sample(&thin), sample(&thin)], &[], pools);
    assert_eq!(kept, pooled);
    // Gaps 1, 3, 5, …, 21 ms, each twice.
    assert_eq!(kept.median("token_p50_ms"), Some(11.0));
    assert!(!kept.metrics["token_p50_ms"].binned);
}

#[test]
fn a_summary_says_when_its_times_were_binned() {
    let mut pools = TokenPools::default();
    let each: Vec<f64> = spread(EXACT_POOL + 1).collect();
    pools.add(0, &each);
    let found = summarise_pooled(&[], &[], pools);
    let p99 = &found.metrics["token_p99_ms"];
    assert!(p99.binned && (p99.median / 990.01 - 1.0).abs() < 1e-3);
    let json = serde_json::to_value(p99).unwrap();
    assert_eq!(json["binned"], true);
}

proptest! {
    #[test]
    fn a_pool_agrees_with_the_sorted_values(values in proptest::collection::vec(0.0_f64..1e9, 1..200), p in 0.0_f64..100.0) {
        let mut pool = Pool::default();
        pool.extend(values.iter().copied());
        let pool = pool.close();
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        prop_assert_eq!(pool.percentile(p), percentile(&sorted, p));
        let bar = ErrorBar::of(values.iter().map(|value| -value)).unwrap();
        prop_assert!(bar.p50_ms <= bar.max_ms && bar.mean_ms <= bar.max_ms * (1.0 + 1e-12));
    }
}
