//! Verdicts and fuel are the same bytes whoever grades, and a scorer for which that is not so is found out.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use bench_grade::{GradeError, GradeOptions, Verify};
use bench_plugin::scorer_types::Graded;
use common::{by, bytes, grader, plugin, samples};

#[test]
fn neither_threads_nor_the_order_of_samples_change_a_byte() {
    let plugin = plugin("scorer-moody");
    let samples = samples(700, &[(5, "trap"), (333, "loop"), (334, "hog"), (600, "huge")]);
    let first = grader(&plugin, by(1, Verify::No)).grade(&samples).unwrap();
    for workers in [2, 5] {
        let mut turned = samples.clone();
        turned.rotate_left(123);
        turned.reverse();
        let mut again = grader(&plugin, by(workers, Verify::No)).grade(&turned).unwrap();
        again.verdicts.reverse();
        again.verdicts.rotate_right(123);
        again.fuel.reverse();
        again.fuel.rotate_right(123);
        assert_eq!(bytes(&again.verdicts), bytes(&first.verdicts));
        assert_eq!(again.fuel, first.fuel);
    }
}

#[test]
fn samples_of_one_call_share_its_fuel_evenly() {
    let plugin = plugin("scorer-moody");
    let mut samples = samples(40, &[]);
    // Too large to be graded with others.
    samples[20].answer = Some("no ".repeat(1_000_000));
    let fuel = grader(&plugin, by(1, Verify::All)).grade(&samples).unwrap().fuel;
    let even = |shares: &[u64]| shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1;
    assert!(even(&fuel[..20]) && even(&fuel[21..]), "{fuel:?}");
    assert!(fuel[20] > 100 * fuel[0], "{fuel:?}");
}

#[test]
fn a_call_that_gets_too_little_fuel_changes_no_verdict() {
    let plugin = plugin("scorer-moody");
    let samples = samples(64, &[(7, "trap"), (40, "loop")]);
    let plenty = grader(&plugin, by(1, Verify::All)).grade(&samples).unwrap();
    // Enough for each sample, and for opening the scorer, and not for all of them at once.
    let options = GradeOptions { fuel_per_sample: Some(plenty.fuel[0] * 80), ..by(1, Verify::All) };
    let little = grader(&plugin, options).grade(&samples).unwrap();
    assert_eq!(bytes(&little.verdicts), bytes(&plenty.verdicts));
}

#[test]
fn verdicts_are_added_up_in_one_order() {
    let plugin = plugin("scorer-moody");
    let grader = grader(&plugin, by(1, Verify::No));
    let verdicts = grader.grade(&samples(100, &[])).unwrap().verdicts;
    // Values whose sum depends on the order of addition.
    let mut graded: Vec<Graded> = verdicts
        .into_iter()
        .zip(1..)
        .map(|(mut verdict, place)| {
            verdict.value = 1.0 / f64::from(place);
            Graded { verdict, cluster: None, group: None }
        })
        .collect();
    let first = grader.aggregate(&graded).unwrap()[0].metric.value;
    graded.reverse();
    assert_eq!(grader.aggregate(&graded).unwrap()[0].metric.value.to_bits(), first.to_bits());
}

#[test]
fn a_scorer_that_carries_something_over_is_refused() {
    let plugin = plugin("scorer-stateful");
    for count in [1, 2, 5, 40, 3_000] {
        for verify in [Verify::Sampled, Verify::All] {
            let error = grader(&plugin, by(2, verify)).grade(&samples(count, &[])).unwrap_err();
            assert_eq!(error.code(), "nondeterministic-scorer");
            let GradeError::Nondeterministic { scorer, differing, checked, .. } = &error else { panic!("{error}") };
            assert_eq!(scorer, "test-scorer 0.1.0");
            assert!(*differing > 0 && differing <= checked, "{error}");
            assert!(error.hint().is_some());
        }
    }
}

#[test]
fn the_refusal_is_the_same_whoever_grades() {
    let plugin = plugin("scorer-stateful");
    let refusal =
        |workers| grader(&plugin, by(workers, Verify::All)).grade(&samples(500, &[])).unwrap_err().to_string();
    assert_eq!(refusal(1), refusal(4));
}

#[test]
fn without_a_second_pass_the_verdicts_are_still_the_same_every_time() {
    let plugin = plugin("scorer-stateful");
    let graded = |workers| grader(&plugin, by(workers, Verify::No)).grade(&samples(500, &[])).unwrap();
    assert_eq!(bytes(&graded(1).verdicts), bytes(&graded(3).verdicts));
}

#[test]
fn an_instance_per_sample_is_given_where_it_is_asked_for() {
    let plugin = plugin("scorer-fresh");
    let grades = grader(&plugin, by(2, Verify::All)).grade(&samples(50, &[])).unwrap();
    assert!(grades.verdicts.iter().all(|verdict| !verdict.value.is_nan()));
    // Nothing came before, so samples of the same length cost the same.
    assert!(grades.fuel.iter().step_by(3).all(|fuel| *fuel == grades.fuel[0]));
}
