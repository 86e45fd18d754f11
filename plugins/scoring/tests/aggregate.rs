//! Reducers and intervals against closed forms, published tables, and properties that hold for all values.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_scoring::aggregate::{Aggregation, Bounds, Interval, Item, Reducer, Repeat, interval, pass_at, pass_hat};
use bench_scoring::{About, Estimate, Graded, MetricAbout, Reason, Verdict};
use proptest::prelude::*;

fn items(values: &[f64]) -> Vec<Item<'static>> {
    values.iter().map(|&value| Item { value, cluster: None }).collect()
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * b.abs().max(1e-300)
}

fn reach(bounds: Bounds) -> f64 {
    let (low, high) = bounds.limits.unwrap();
    (high - low) / 2.0
}

#[test]
fn wilson_is_that_of_the_formula() {
    // 8 of 10 at 95 %, z = 1.959963984540054, worked out by hand from Wilson's formula.
    let values = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0];
    let bounds = interval(&items(&values), Interval::Auto, 0.95);
    let (low, high) = bounds.limits.unwrap();
    assert_eq!(bounds.method, "wilson");
    assert!(near(low, 0.490_162_471_536_641_8, 1e-9) && near(high, 0.943_317_848_545_624_7, 1e-9), "{low} {high}");
    assert!(near(bounds.standard_error.unwrap(), (1.6_f64 / 9.0 / 10.0).sqrt(), 1e-14));
}

#[test]
fn quantiles_of_t_are_those_of_the_tables() {
    // Two values 0 and 1 apart by d have standard error d / 2, so that the reach is the quantile times it. Table: two-sided 95 %.
    for (count, quantile) in [
        (2, 12.706_204_736_432_1),
        (3, 4.302_652_729_911_27),
        (11, 2.228_138_851_964_94),
        (31, 2.042_272_456_301_24),
        (1001, 1.962_339_080_821_19),
    ] {
        let values: Vec<f64> = (0..count).map(f64::from).collect();
        let bounds = interval(&items(&values), Interval::T, 0.95);
        let found = reach(bounds) / bounds.standard_error.unwrap();
        assert!(near(found, quantile, 1e-9), "{count}: {found} {quantile}");
    }
    // One degree of freedom is Cauchy's distribution, whose quantile is a tangent.
    let bounds = interval(&items(&[0.0, 1.0]), Interval::T, 0.5);
    assert!(near(reach(bounds) / bounds.standard_error.unwrap(), 1.0, 1e-12));
}

#[test]
fn clusters_of_one_are_no_clusters_and_two_equal_halves_double_the_variance() {
    let values = [0.2, 0.9, 0.4, 0.7, 0.1];
    let names = ["a", "b", "c", "d", "e"];
    let single: Vec<Item<'_>> =
        values.iter().zip(names).map(|(&value, name)| Item { value, cluster: Some(name) }).collect();
    let plain = interval(&items(&values), Interval::T, 0.95);
    let alone = interval(&single, Interval::Auto, 0.95);
    assert_eq!(alone.method, "clustered");
    assert!(near(alone.standard_error.unwrap(), plain.standard_error.unwrap(), 1e-12));
    // Each value twice in its cluster says no more than once.
    let twice: Vec<Item<'_>> = single.iter().chain(&single).cloned().collect();
    assert!(near(interval(&twice, Interval::Auto, 0.95).standard_error.unwrap(), plain.standard_error.unwrap(), 1e-12));
    assert_eq!(interval(&single[..1], Interval::Auto, 0.95).standard_error, None);
}

#[test]
fn bootstrap_is_seeded_and_near_t() {
    let values: Vec<f64> = (0..200).map(|n| f64::from(n * 37 % 101) / 100.0).collect();
    let once = interval(&items(&values), Interval::Bootstrap, 0.95);
    assert_eq!(once, interval(&items(&values), Interval::Bootstrap, 0.95));
    let t = interval(&items(&values), Interval::T, 0.95);
    assert!(
        near(reach(once), reach(t), 0.1) && near(once.standard_error.unwrap(), t.standard_error.unwrap(), 0.1),
        "{once:?} {t:?}"
    );
}

#[test]
fn pass_at_is_that_of_the_binomials() {
    // C(n, k) small enough for whole numbers.
    let choose = |n: u32, k: u32| (0..k).fold(1.0, |product, i| product * f64::from(n - i) / f64::from(i + 1));
    for n in 1..=20 {
        for c in 0..=n {
            for k in 1..=n {
                let missed = if n - c < k { 0.0 } else { choose(n - c, k) / choose(n, k) };
                assert!((pass_at(n, c, k).unwrap() - (1.0 - missed)).abs() < 1e-12);
                let all = if c < k { 0.0 } else { choose(c, k) / choose(n, k) };
                assert!((pass_hat(n, c, k).unwrap() - all).abs() < 1e-12);
            }
        }
        assert_eq!((pass_at(n, n, n + 1), pass_hat(n, n, n + 1)), (None, None));
    }
}

fn repeats<'r>(values: &[(f64, Option<&'r str>)]) -> Vec<Repeat<'r>> {
    values.iter().map(|&(value, extracted)| Repeat { value, extracted }).collect()
}

#[test]
fn repeats_are_reduced() {
    let four = repeats(&[(0.0, Some("a")), (1.0, Some("b")), (1.0, Some("b")), (0.0, Some("a"))]);
    let reduce = |reducer: Reducer| reducer.reduce(&four).unwrap();
    assert_eq!([Reducer::Mean, Reducer::Median, Reducer::Max].map(reduce), [0.5, 0.5, 1.0]);
    assert_eq!(reduce(Reducer::Majority), 0.0, "of equals, the first answer counts");
    assert_eq!(Reducer::Majority.reduce(&four[1..]), Some(1.0));
    assert_eq!(Reducer::Majority.reduce(&repeats(&[(0.5, None), (0.5, None), (1.0, None)])), Some(0.5));
    assert!(near(reduce(Reducer::PassAt(2)), 5.0 / 6.0, 1e-15) && near(reduce(Reducer::PassHat(2)), 1.0 / 6.0, 1e-15));
    assert_eq!(Reducer::PassAt(5).reduce(&four), None);
    assert_eq!(Reducer::Mean.reduce(&[]), None);
    for name in ["pass@0", "pass@", "pass@-1", "best", "pass@1.5"] {
        assert!(Reducer::try_from(name.to_owned()).is_err(), "{name}");
    }
}

const ABOUT: About = About {
    name: "test",
    version: "0.1.0",
    summary: "",
    reference: "",
    config: "{}",
    metrics: &[
        MetricAbout { name: "accuracy", summary: "", unit: "ratio", higher_is_better: Some(true) },
        MetricAbout { name: "strict", summary: "", unit: "ratio", higher_is_better: Some(true) },
    ],
    unbounded: false,
    needs_judge: false,
    needs_likelihoods: false,
};

fn graded(id: &str, epoch: u32, value: f64, group: Option<&str>) -> Graded {
    let strict =
        bench_scoring::Metric { name: "strict".into(), value: 0.0, unit: String::new(), higher_is_better: None };
    Graded {
        verdict: Verdict {
            id: id.into(),
            epoch,
            value,
            reason: Reason::Wrong,
            extracted: None,
            explanation: None,
            sub_scores: vec![strict],
        },
        cluster: None,
        group: group.map(Into::into),
    }
}

#[test]
fn items_count_once_groups_are_reported_and_the_unscored_are_counted() {
    let aggregation: Aggregation = serde_json::from_str(r#"{ "reduce": ["mean", "pass@1"] }"#).unwrap();
    let samples = [
        graded("a", 1, 1.0, Some("x")),
        graded("a", 0, 0.0, Some("x")),
        graded("b", 0, 1.0, Some("y")),
        graded("b", 1, f64::NAN, Some("y")),
        graded("c", 0, f64::NAN, None),
    ];
    let estimates = aggregation.estimates(&ABOUT, &samples);
    let line = |e: &Estimate| (e.metric.name.clone(), e.group.clone(), e.metric.value, e.scored, e.unscored);
    let row = |name: &str, group: Option<&str>, value, scored, unscored| {
        (name.to_owned(), group.map(str::to_owned), value, scored, unscored)
    };
    let lines: Vec<_> = estimates.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            row("accuracy", None, 0.75, 2, 1),
            row("accuracy", Some("x"), 0.5, 1, 0),
            row("accuracy", Some("y"), 1.0, 1, 0),
            row("strict", None, 0.0, 3, 0),
            row("strict", Some("x"), 0.0, 1, 0),
            row("strict", Some("y"), 0.0, 1, 0),
            row("pass@1", None, 0.75, 2, 1),
            row("pass@1", Some("x"), 0.5, 1, 0),
            row("pass@1", Some("y"), 1.0, 1, 0),
        ]
    );
    assert_eq!(estimates[1].standard_error, None);
}

#[test]
fn nothing_graded_is_no_number() {
    let estimates = Aggregation::default().estimates(&ABOUT, &[]);
    assert_eq!(estimates.len(), 1);
    assert!(estimates[0].metric.value.is_nan() && estimates[0].low.is_none() && estimates[0].scored == 0);
}

proptest! {
    #[test]
    fn intervals_hold_the_mean_and_grow_with_the_level(values in prop::collection::vec(0.0_f64..=1.0, 2..40), binary in any::<bool>()) {
        let values: Vec<f64> = values.into_iter().map(|value| if binary { value.round() } else { value }).collect();
        let mean = values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap());
        for how in [Interval::Auto, Interval::T, Interval::Clustered] {
            let narrow = interval(&items(&values), how, 0.5).limits.unwrap();
            let wide = interval(&items(&values), how, 0.99).limits.unwrap();
            prop_assert!(wide.0 <= narrow.0 && narrow.1 <= wide.1 && wide.0 <= mean + 1e-12 && mean <= wide.1 + 1e-12);
        }
    }

    #[test]
    fn repeats_in_any_order_give_the_same(values in prop::collection::vec(prop::sample::select(vec![0.0, 0.5, 1.0]), 1..9), k in 1_u32..5) {
        let forward: Vec<Repeat<'_>> = values.iter().map(|&value| Repeat { value, extracted: None }).collect();
        let mut backward = forward.clone();
        backward.reverse();
        for reducer in [Reducer::Median, Reducer::Max, Reducer::PassAt(k), Reducer::PassHat(k), Reducer::Mean] {
            prop_assert_eq!(reducer.reduce(&forward), reducer.reduce(&backward));
        }
        if let (Some(any), Some(all)) = (Reducer::PassAt(k).reduce(&forward), Reducer::PassHat(k).reduce(&forward)) {
            prop_assert!(all <= any + 1e-12);
        }
    }
}
