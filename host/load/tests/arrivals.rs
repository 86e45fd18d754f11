//! When requests of an open load are due.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::time::Duration;

use bench_load::{Length, LoadError, LoadSpec, MOST_ARRIVALS, Schedule, schedule};
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;

fn load(text: &str) -> LoadSpec {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn lasting(seconds: f64) -> Length {
    Length { duration: Some(Duration::from_secs_f64(seconds)), requests: None }
}

fn of(requests: u32) -> Length {
    Length { duration: None, requests: Some(requests) }
}

fn made(text: &str, length: Length, seed: u64) -> Schedule {
    schedule(&load(text), length, seed).unwrap_or_else(|error| panic!("{error}"))
}

fn times_ms(schedule: &Schedule) -> Vec<u64> {
    schedule.arrivals.iter().map(|arrival| arrival.at_ns / 1_000_000).collect()
}

/// Arrivals in a stretch of time, in seconds.
fn between(schedule: &Schedule, from: u64, to: u64) -> usize {
    schedule.arrivals.iter().filter(|arrival| (from * SECOND..to * SECOND).contains(&arrival.at_ns)).count()
}

#[test]
fn constant_arrivals_are_evenly_spaced_from_0() {
    let even = made("constant:4/s", lasting(1.0), 1);
    assert_eq!(times_ms(&even), [0, 250, 500, 750]);
    assert_eq!((even.stages.len(), even.ends_ns(), even.stages[0].rate()), (1, SECOND, Some(4.0)));
    // The quotient of a rate per minute and its inverse is no whole number of requests in floating point.
    assert_eq!(made("constant:10/min", lasting(60.0), 1).arrivals.len(), 10);
    assert_eq!(made("constant:3/s", of(3000), 1).arrivals[2999].at_ns, 2999 * SECOND / 3);
}

#[test]
fn whichever_ends_first_ends_the_load() {
    let both = |requests| Length { duration: Some(Duration::from_secs(10)), requests: Some(requests) };
    assert_eq!(made("constant:5/s", both(1000), 1).arrivals.len(), 50);
    let cut = made("constant:5/s", both(20), 1);
    assert_eq!((cut.arrivals.len(), cut.ends_ns()), (20, 4 * SECOND));
    assert_eq!(made("poisson:5/s", of(100), 1).arrivals.len(), 100);
}

#[test]
fn a_load_that_is_cut_by_its_requests_ends_when_the_next_one_would_be_due() {
    let (short, long) = (made("poisson:5/s", of(100), 3), made("poisson:5/s", of(101), 3));
    assert_eq!(short.arrivals, long.arrivals[..100]);
    assert_eq!(short.ends_ns(), long.arrivals[100].at_ns);
}

#[test]
fn stages_follow_each_other_without_gaps_and_a_duration_can_cut_them() {
    let stages = made("stages:constant,5/s@2s,0/s@1s,10/s@1s", Length::default(), 1);
    let (edges, counts): (Vec<_>, Vec<_>) = stages
        .stages
        .iter()
        .enumerate()
        .map(|(index, stage)| {
            let arrivals = stages.arrivals.iter().filter(|arrival| arrival.stage as usize == index).count();
            ((stage.from_ns / SECOND, stage.to_ns / SECOND), arrivals)
        })
        .unzip();
    assert_eq!((edges, counts), (vec![(0, 2), (2, 3), (3, 4)], vec![10, 0, 10]));
    assert_eq!(stages.stages[0].name, "5/s@2s");
    let cut = made("stages:constant,5/s@2s,0/s..10/s@2s", lasting(3.0), 1);
    assert_eq!(cut.ends_ns(), 3 * SECOND);
    // Half of the ramp is left, up to half of its rate.
    assert_eq!((cut.stages[1].rate_from, cut.stages[1].rate_to), (Some(0.0), Some(5.0)));
    assert_eq!(made("stages:constant,5/s@2s,0/s..10/s@2s", lasting(1.5), 1).stages.len(), 1);
}

#[test]
fn a_ramp_grows_evenly_and_is_reported_in_parts() {
    let ramp = made("ramp:0/s..100/s", lasting(100.0), 1);
    assert_eq!(ramp.stages.len(), 10);
    assert_eq!((ramp.stages[0].rate(), ramp.stages[9].rate()), (Some(5.0), Some(95.0)));
    // 1250 and 3750 are expected, give or take 35 and 61.
    let halves = (between(&ramp, 0, 50), between(&ramp, 50, 100));
    assert!((1100..1400).contains(&halves.0) && (3500..4000).contains(&halves.1), "{halves:?}");
    let counted = made("ramp:0/s..100/s,arrivals=constant", of(5000), 1);
    assert_eq!(counted.arrivals.len(), 5000);
    assert_eq!(counted.ends_ns(), 100 * SECOND);
    let falling = made("ramp:100/s..0/s,arrivals=constant", lasting(100.0), 1);
    assert_eq!((between(&falling, 0, 50), between(&falling, 50, 100)), (3750, 1250));
}

/// Variance over mean of the arrivals in each second: 1 for Poisson, more in bursts.
fn dispersion(schedule: &Schedule, seconds: u64) -> f64 {
    let counts: Vec<f64> = (0..seconds).map(|second| between(schedule, second, second + 1) as f64).collect();
    let mean = counts.iter().sum::<f64>() / counts.len() as f64;
    counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / counts.len() as f64 / mean
}

#[test]
fn burstiness_is_the_shape_of_the_gamma_distribution() {
    let of_load = |text: &str| dispersion(&made(text, lasting(2000.0), 5), 2000);
    let poisson = of_load("poisson:10/s");
    assert!((0.8..1.2).contains(&poisson), "{poisson}");
    // A renewal process comes close to 1 / shape over many gaps.
    let bursty = of_load("gamma:10/s,burstiness=0.25");
    assert!((3.0..5.0).contains(&bursty), "{bursty}");
    let regular = of_load("gamma:10/s,burstiness=4");
    assert!((0.2..0.4).contains(&regular), "{regular}");
}

#[test]
fn another_rate_is_the_same_pattern_faster() {
    let (slow, fast) = (made("poisson:1/s", of(1000), 9), made("poisson:8/s", of(1000), 9));
    for (slow, fast) in slow.arrivals.iter().zip(&fast.arrivals) {
        assert!(slow.at_ns.abs_diff(fast.at_ns * 8) <= 8);
    }
}

#[test]
fn a_schedule_is_the_same_on_every_machine() {
    let first = |text: &str| made(text, of(4), 42).arrivals.iter().map(|arrival| arrival.at_ns).collect::<Vec<_>>();
    // Worked out by a second program from the definitions; a change means that recorded seeds no longer mean what they did.
    assert_eq!(first("poisson:10/s"), POISSON_42);
    assert_eq!(first("gamma:10/s,burstiness=0.5"), GAMMA_42);
}

const POISSON_42: [u64; 4] = [247_857_110, 344_884_229, 383_444_093, 391_273_448];
const GAMMA_42: [u64; 4] = [528_309, 491_836_935, 752_925_740, 802_810_104];

#[test]
fn what_has_no_schedule_says_why() {
    for (text, length, code) in [
        ("poisson:10/s", Length::default(), "endless-load"),
        ("ramp:1/s..2/s", Length::default(), "endless-load"),
        ("closed:4", of(10), "no-schedule"),
        ("sequential", of(10), "no-schedule"),
        ("replay:x", of(10), "no-schedule"),
        ("sweep", of(10), "no-schedule"),
        ("poisson:1/min", lasting(0.000_001), "empty-load"),
        ("constant:1/s", lasting(0.0), "empty-load"),
        ("constant:1/s", of(0), "empty-load"),
        ("poisson:1000000/s", lasting(3600.0), "too-many-requests"),
        ("poisson:0.0001/s", of(1000), "too-long"),
        ("poisson:1/s", lasting(1e9), "too-long"),
    ] {
        let error = schedule(&load(text), length, 1).unwrap_err();
        assert_eq!(error.code(), code, "{text}");
        assert!(error.hint().is_some());
    }
    let LoadError::TooMany { most, .. } = schedule(&load("poisson:1000000/s"), lasting(60.0), 1).unwrap_err() else {
        panic!()
    };
    assert_eq!(most, MOST_ARRIVALS);
}

fn loads() -> impl Strategy<Value = String> {
    let arrivals = prop_oneof![
        Just("constant".to_owned()),
        Just("poisson".to_owned()),
        (0.05..20.0_f64).prop_map(|shape| format!("gamma,burstiness={shape}")),
    ];
    let stage = (0_u32..200, 0_u32..200, 1_u32..5000).prop_map(|(from, to, ms)| format!(",{from}/s..{to}/s@{ms}ms"));
    (arrivals, prop::collection::vec(stage, 1..6))
        .prop_map(|(arrivals, stages)| format!("stages:{arrivals},7/s@3s{}", stages.concat()))
}

/// The request after the last one is due in the same nanosecond.
#[test]
fn a_cut_between_two_requests_that_come_at_once() {
    let text = "stages:gamma,burstiness=0.14723276137547875,7/s@3s,7/s..124/s@3835ms";
    let length = Length { duration: None, requests: Some(305) };
    let made = schedule(&load(text), length, 457_715_891_377_827_674).unwrap();
    let (last, stage) = (made.arrivals.last().unwrap(), made.stages.last().unwrap());
    assert!((stage.from_ns..stage.to_ns).contains(&last.at_ns), "{last:?} {stage:?}");
}

proptest! {
    #[test]
    fn schedules_are_sorted_bounded_and_repeatable(
        text in loads(), seed: u64, cut in prop::option::of(0.5..20.0_f64), most in prop::option::of(1_u32..500),
    ) {
        let length = Length { duration: cut.map(Duration::from_secs_f64), requests: most };
        let Ok(made) = schedule(&load(&text), length, seed) else {
            // Three seconds at 7/s are rarely empty, and half a second may be.
            return Ok(());
        };
        prop_assert!(made.arrivals.is_sorted_by_key(|arrival| arrival.at_ns));
        prop_assert!(made.arrivals.is_sorted_by_key(|arrival| arrival.stage));
        prop_assert!(most.is_none_or(|most| made.arrivals.len() <= most as usize));
        prop_assert!(cut.is_none_or(|cut| made.ends_ns() <= (cut * 1e9) as u64 + 1));
        prop_assert_eq!(made.stages[0].from_ns, 0);
        prop_assert!(made.stages.windows(2).all(|pair| pair[0].to_ns == pair[1].from_ns));
        for arrival in &made.arrivals {
            let stage = &made.stages[arrival.stage as usize];
            prop_assert!((stage.from_ns..stage.to_ns).contains(&arrival.at_ns), "{:?} {:?}", arrival, stage);
        }
        prop_assert_eq!(&schedule(&load(&text), length, seed).unwrap(), &made);
    }

    #[test]
    fn as_many_come_as_were_asked_for(text in loads(), seed: u64) {
        let Ok(made) = schedule(&load(&text), Length::default(), seed) else { return Ok(()) };
        let seconds = |stage: &bench_load::Stage| (stage.to_ns - stage.from_ns) as f64 / 1e9;
        let expected: f64 = made.stages.iter().map(|stage| stage.rate().unwrap() * seconds(stage)).sum();
        let off = (made.arrivals.len() as f64 - expected).abs();
        // Six standard deviations of a gamma process with the smallest shape of these.
        let allowed = if text.contains("constant") { 1.0 } else { 6.0 * (20.0 * expected).sqrt() + 20.0 };
        prop_assert!(off <= allowed, "{} of {expected} in {text}", made.arrivals.len());
    }
}
