//! Searching for a capacity that is known, and seeing overload where it is.

use bench_metrics::saturation::{Next, Overload, Step, SweepEnd, SweepPlan, next};
use bench_metrics::{Outcome, RequestMetrics, Sample, TimedSample, pareto, trend};
use proptest::prelude::*;

use super::stream::{Stream, asked, finish, text, usage};

fn answered() -> RequestMetrics {
    Stream::new().read(10, [text()]).read(20, [text(), usage(100, 0, 2), finish()]).measure(&asked(100, 2))
}

/// A server that answers one request every 1 / `capacity` seconds, the first token at the end, under a constant rate.
fn serve(rate: f64, capacity: f64, requests: u32) -> Vec<(RequestMetrics, (u64, u64))> {
    let plain = answered();
    let mut free = 0.0_f64;
    let mut served = Vec::new();
    for request in 0..requests {
        let intended = 1.0 + f64::from(request) / rate;
        free = free.max(intended) + 1.0 / capacity;
        let ttft = (free - intended) * 1000.0;
        let metrics = RequestMetrics { queue_ms: 0.0, ttft_intended_ms: Some(ttft), e2e_ms: ttft, ..plain.clone() };
        served.push((metrics, ((intended * 1e9) as u64, (free * 1e9) as u64)));
    }
    served
}

fn step(rate: f64, served: &[(RequestMetrics, (u64, u64))], failed: u32, slo: Option<&str>) -> Step {
    let answered = served.iter().map(|(metrics, span)| TimedSample {
        sample: Sample { repeat: 0, turn: 0, resent: 0, outcome: Outcome::Completed(metrics) },
        span: Some(*span),
    });
    let failure = TimedSample {
        sample: Sample { repeat: 0, turn: 0, resent: 0, outcome: Outcome::Failed { code: "stalled", wall_ms: None } },
        span: None,
    };
    let samples: Vec<_> = answered.chain(std::iter::repeat_n(failure, failed as usize)).collect();
    Step::of(rate, &samples, slo.map(|slo| slo.parse().unwrap()).as_ref())
}

#[test]
fn a_step_is_summed_up() {
    let found = step(10.0, &serve(10.0, 40.0, 100), 0, Some("ttft=100ms"));
    assert_eq!((found.requests, found.failed), (100, 0));
    assert!((found.offered_rate - 10.0).abs() < 1e-6 && (found.achieved_rate - 10.0).abs() < 1e-6, "{found:?}");
    assert!((found.ttft_p50_ms.unwrap() - 25.0).abs() < 1e-6);
    // 25 ms of work ten times a second.
    assert!((found.in_flight - 0.25).abs() < 0.01);
    assert_eq!(found.slo_share, Some(1.0));
    assert_eq!(found.overload(), []);
}

#[test]
fn an_overloaded_server_shows_in_its_rate_and_its_queue() {
    let found = step(50.0, &serve(50.0, 40.0, 300), 0, None);
    assert!((found.achieved_rate - 40.0).abs() < 1e-6);
    assert_eq!(found.overload(), [Overload::RateNotAchieved, Overload::QueueGrows]);
    // A queue grows by 1 − 40/50 seconds per second.
    assert!((found.ttft_trend.unwrap().slope_per_s - 250.0).abs() < 1.0, "{found:?}");
    // Two percent too much: the rate alone would not show it.
    let slightly = step(40.8, &serve(40.8, 40.0, 2000), 0, None);
    assert_eq!(slightly.overload(), [Overload::QueueGrows]);
}

#[test]
fn failures_and_objectives_count_too() {
    let served = serve(10.0, 40.0, 100);
    assert_eq!(step(10.0, &served, 5, None).overload(), []);
    assert_eq!(step(10.0, &served, 6, None).overload(), [Overload::Failures]);
    assert_eq!(step(10.0, &served, 0, Some("ttft=20ms")).overload(), [Overload::ObjectivesMissed]);
    let nothing = step(10.0, &[], 20, None);
    assert_eq!(nothing.overload(), [Overload::RateNotAchieved, Overload::Failures]);
}

/// Runs a sweep against a server of a known capacity.
fn sweep(plan: &SweepPlan, capacity: f64) -> (bench_metrics::saturation::SweepResult, Vec<Step>) {
    let mut steps = Vec::new();
    loop {
        match next(plan, &steps) {
            Next::Try(rate) => {
                assert!(rate >= plan.from && rate <= plan.to && steps.len() < 64);
                steps.push(step(rate, &serve(rate, capacity, 2000), 0, None));
            }
            Next::Done(result) => return (result, steps),
        }
    }
}

#[test]
fn a_sweep_encloses_the_capacity() {
    let (found, steps) = sweep(&SweepPlan::default(), 37.0);
    assert_eq!(found.reason, SweepEnd::Enclosed);
    let (good, bad) = (found.last_good.unwrap(), found.first_bad.unwrap());
    assert!(good <= 37.0 && 37.0 < bad * 1.01 && bad <= good * 1.05, "{found:?}");
    assert_eq!(found.capacity_rps, Some(good));
    assert!(found.overload.contains(&Overload::QueueGrows));
    // 1, 2, 4, …, 64, then halving on the logarithmic scale.
    let rates: Vec<f64> = steps.iter().map(|step| step.asked_rate).collect();
    assert_eq!(rates[..7], [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]);
    assert!((rates[7] - (32.0_f64 * 64.0).sqrt()).abs() < 1e-9);
}

#[test]
fn a_sweep_ends_where_there_is_nothing_to_find() {
    let plan = SweepPlan { from: 4.0, to: 20.0, ..SweepPlan::default() };
    let (held, steps) = sweep(&plan, 1000.0);
    assert_eq!((held.reason, held.capacity_rps, held.last_good), (SweepEnd::HighestHeld, None, Some(20.0)));
    assert_eq!(steps.len(), 4);
    let (too_much, steps) = sweep(&plan, 2.0);
    assert_eq!(
        (too_much.reason, too_much.capacity_rps, too_much.first_bad),
        (SweepEnd::LowestTooMuch, None, Some(4.0))
    );
    assert_eq!(steps.len(), 1);
    let (short, steps) = sweep(&SweepPlan { most_steps: 3, ..plan }, 10.0);
    assert_eq!((short.reason, short.capacity_rps, steps.len()), (SweepEnd::StepsUsedUp, Some(8.0), 3));
    for plan in [
        SweepPlan { from: 0.0, ..plan },
        SweepPlan { to: 1.0, ..plan },
        SweepPlan { to: f64::NAN, ..plan },
        SweepPlan { growth: 1.0, ..plan },
    ] {
        assert!(matches!(next(&plan, &[]), Next::Done(result) if result.reason == SweepEnd::BadPlan));
    }
}

#[test]
fn a_lower_rate_that_was_too_much_wins() {
    let mut bad = step(50.0, &serve(50.0, 40.0, 300), 0, None);
    bad.asked_rate = 6.0;
    let good = |rate: f64| Step { asked_rate: rate, ..step(10.0, &serve(10.0, 40.0, 100), 0, None) };
    let plan = SweepPlan { most_steps: 3, ..SweepPlan::default() };
    let Next::Done(found) = next(&plan, &[good(5.8), bad, good(8.0)]) else { panic!() };
    assert_eq!((found.last_good, found.first_bad, found.reason), (Some(5.8), Some(6.0), SweepEnd::Enclosed));
}

#[test]
fn a_trend_is_that_of_least_squares() {
    // y = 3 + 2 x.
    let line: Vec<(f64, f64)> = (0..40).map(|x| (f64::from(x), 3.0 + 2.0 * f64::from(x))).collect();
    let found = trend(&line).unwrap();
    assert!((found.slope_per_s - 2.0).abs() < 1e-9 && (found.growth - 72.0).abs() < 1e-9);
    assert!((found.relative_growth - 72.0 / 42.0).abs() < 1e-9);
    assert!(found.is_growth(0.5));
    let level: Vec<(f64, f64)> = (0..40).map(|x| (f64::from(x), 3.0 + f64::from(x % 2))).collect();
    assert!(!trend(&level).unwrap().is_growth(0.0));
    assert_eq!(trend(&line[..29]), None);
    assert_eq!(trend(&[(1.0, 1.0); 40]), None);
}

#[test]
fn the_interval_of_a_slope_is_the_textbooks() {
    // Ten batches of three equal values: the regression of the points (0, 1), (1, 3), (2, 2), …: slope 0.9030 with standard error
    // 0.1416 by hand: Sxx = 82.5, Sxy = 74.5, Syy = 80.5, residual 80.5 − 74.5² / 82.5 = 13.2242, / 8 / 82.5 = 0.020037.
    let heights = [1.0, 3.0, 2.0, 4.0, 3.0, 6.0, 5.0, 9.0, 8.0, 9.0];
    let points: Vec<(f64, f64)> = (0..).zip(heights).flat_map(|(x, y)| [(f64::from(x), y); 3]).collect();
    let found = trend(&points).unwrap();
    let mean = 5.0;
    let sxy: f64 = (0..).zip(heights).map(|(x, y): (i32, f64)| (f64::from(x) - 4.5) * (y - mean)).sum();
    let syy: f64 = heights.iter().map(|y| (y - mean).powi(2)).sum();
    let error = ((syy - sxy * sxy / 82.5) / 8.0 / 82.5).sqrt();
    // t for 8 degrees of freedom: 2.3060.
    assert!((found.slope_per_s - sxy / 82.5).abs() < 1e-12);
    assert!((found.slope_high - found.slope_per_s - 2.3060 * error).abs() < 1e-4 * error);
}

#[test]
fn a_point_on_the_front_is_beaten_by_none() {
    let points = [(10.0, 100.0), (20.0, 110.0), (20.0, 150.0), (15.0, 120.0), (30.0, 400.0), (5.0, 90.0), (1.0, 95.0)];
    assert_eq!(pareto(&points), [5, 0, 1, 4]);
    assert_eq!(pareto(&[(f64::NAN, 1.0), (1.0, f64::INFINITY)]), Vec::<usize>::new());
    assert_eq!(pareto(&[(1.0, 1.0), (1.0, 1.0)]), [0]);
}

proptest! {
    #[test]
    fn the_front_is_what_no_other_point_dominates(points in proptest::collection::vec((0_i32..20, 0_i32..20), 0..40)) {
        let points: Vec<(f64, f64)> = points.iter().map(|(x, y)| (f64::from(*x), f64::from(*y))).collect();
        let front = pareto(&points);
        let dominates = |a: (f64, f64), b: (f64, f64)| a.0 >= b.0 && a.1 <= b.1 && a != b;
        for (index, point) in points.iter().enumerate() {
            let beaten = points.iter().any(|other| dominates(*other, *point));
            let first = points[..index].iter().all(|other| other != point);
            prop_assert_eq!(front.contains(&index), !beaten && first);
        }
        prop_assert!(front.array_windows::<2>().all(|[a, b]| points[*a].0 < points[*b].0));
    }

    #[test]
    fn a_sweep_always_ends(capacity in 0.5_f64..300.0) {
        let plan = SweepPlan { resolution: 0.1, ..SweepPlan::default() };
        let (found, steps) = sweep(&plan, capacity);
        prop_assert!(steps.len() <= 16);
        if let Some(good) = found.capacity_rps {
            prop_assert!(good <= capacity * 1.06 && good * 1.1 * 1.01 >= capacity, "{} for {}", good, capacity);
        }
    }
}
