//! A bad sample among many costs its own verdict and no other.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use bench_grade::{Grader, Judged, Verify};
use bench_plugin::scorer_types::{Graded, Opinion, Reason};
use common::{by, code, grader, plugin, sample, samples};

#[test]
fn each_bad_sample_fails_with_its_own_code_and_the_rest_are_graded() {
    let bad = [
        (3, "trap", "plugin-trap"),
        (50, "loop", "plugin-fuel"),
        (51, "few", "plugin-lie"),
        (52, "wrong-id", "plugin-lie"),
        (90, "hog", "plugin-memory"),
        (120, "recurse", "plugin-stack"),
        (150, "not-utf8", "plugin-bad-value"),
        (151, "infinite", "plugin-lie"),
        (152, "nan", "plugin-lie"),
        (153, "too-good", "plugin-lie"),
        (199, "many", "plugin-lie"),
    ];
    let samples = samples(200, &bad.map(|(place, answer, _)| (place, answer)));
    let plugin = plugin("scorer-moody");
    let grades = grader(&plugin, by(2, Verify::All)).grade(&samples).unwrap();
    assert_eq!((grades.verdicts.len(), grades.fuel.len(), grades.checked), (200, 200, 200));
    for (place, verdict) in grades.verdicts.iter().enumerate() {
        assert_eq!(verdict.id, samples[place].id);
        match bad.iter().find(|(bad, ..)| *bad == place) {
            Some((.., wanted)) => {
                assert_eq!(code(verdict), Some(*wanted));
                assert!(verdict.value.is_nan());
                assert_eq!(grades.fuel[place], 0);
            }
            None => {
                assert_eq!(verdict.value, if place.is_multiple_of(3) { 1.0 } else { 0.0 });
                assert!(grades.fuel[place] > 0);
            }
        }
    }
}

#[test]
fn a_sample_is_not_blamed_for_what_others_left_behind() {
    // Each sample leaks 4 of the 64 MiB that an instance may have, so most of them meet the limit through no fault of theirs.
    let samples = samples(200, &[(100, "greedy")]);
    let plugin = plugin("scorer-leaky");
    let grades = grader(&plugin, by(2, Verify::All)).grade(&samples).unwrap();
    let failed: Vec<usize> = (0..200).filter(|place| code(&grades.verdicts[*place]).is_some()).collect();
    assert_eq!(failed, [100]);
    assert_eq!(code(&grades.verdicts[100]), Some("plugin-memory"));
}

#[test]
fn a_verdict_of_ten_megabytes_is_cut_with_a_note() {
    let plugin = plugin("scorer-moody");
    let grades = grader(&plugin, by(1, Verify::All)).grade(&samples(3, &[(1, "huge")])).unwrap();
    let verdict = &grades.verdicts[1];
    assert_eq!(verdict.explanation.as_ref().unwrap().len(), 64 << 10);
    assert_eq!(verdict.extracted.as_ref().unwrap().len(), 64 << 10);
    let codes: Vec<_> = grades.notes.iter().map(|note| note.code).collect();
    assert_eq!(codes, ["verdict-text-cut"]);
}

#[test]
fn an_answer_of_ten_megabytes_is_graded() {
    let plugin = plugin("scorer-moody");
    let huge = sample("huge", &"no ".repeat(3_500_000));
    let grades = grader(&plugin, by(1, Verify::All)).grade(&[huge]).unwrap();
    assert_eq!(grades.verdicts[0].reason, Reason::Wrong);
}

#[test]
fn nothing_is_graded_of_nothing() {
    let plugin = plugin("scorer-moody");
    let grades = grader(&plugin, by(4, Verify::All)).grade(&[]).unwrap();
    assert_eq!((grades.verdicts.len(), grades.checked), (0, 0));
}

#[test]
fn two_samples_of_one_name_are_refused() {
    let plugin = plugin("scorer-moody");
    let mut twins = samples(10, &[]);
    twins[7] = twins[2].clone();
    let error = grader(&plugin, by(1, Verify::No)).grade(&twins).unwrap_err();
    assert_eq!(error.code(), "duplicate-sample");
    assert!(error.to_string().contains("item-00002"), "{error}");
    assert!(error.hint().is_some());
    twins[7].epoch = 1;
    assert!(grader(&plugin, by(1, Verify::No)).grade(&twins).is_ok());
}

#[test]
fn a_configuration_that_the_scorer_does_not_take_is_refused_at_once() {
    let plugin = plugin("scorer-moody");
    let error = Grader::new(&plugin, "{\"spelt\": \"wrong\"}", by(1, Verify::No)).unwrap_err();
    assert_eq!(error.code(), "plugin-problem");
    assert!(error.to_string().contains("bad-config"), "{error}");
    // Nothing is the empty configuration.
    assert!(Grader::new(&plugin, " ", by(1, Verify::No)).is_ok());
}

#[test]
fn a_driver_cannot_grade() {
    let plugin = plugin("ok");
    let error = Grader::new(&plugin, "{}", by(1, Verify::No)).unwrap_err();
    assert_eq!(error.code(), "plugin-wrong-kind");
}

#[test]
fn questions_and_conclusions_are_kept_apart_by_sample_too() {
    let plugin = plugin("scorer-moody");
    let grader = grader(&plugin, by(2, Verify::All));
    let samples = samples(40, &[(7, "problem")]);
    let questions = grader.questions(&samples).unwrap();
    assert_eq!(questions.len(), 40);
    assert_eq!(code(questions[7].as_ref().unwrap_err()), Some("cannot-ask"));
    assert!(questions.iter().enumerate().all(|(place, asked)| place == 7 || asked.as_ref().unwrap().len() == 1));
    let opinion = |place: usize| match place {
        9 => Some("trap".to_owned()),
        11 => None,
        _ => Some(if place.is_multiple_of(2) { "yes" } else { "who knows" }.to_owned()),
    };
    let judged: Vec<Judged> = samples
        .into_iter()
        .enumerate()
        .map(|(place, sample)| Judged { sample, opinions: vec![Opinion { answer: opinion(place), finish: None }] })
        .collect();
    let grades = grader.conclude(&judged).unwrap();
    assert_eq!(code(&grades.verdicts[9]), Some("plugin-trap"));
    for (place, verdict) in grades.verdicts.iter().enumerate().filter(|(place, _)| *place != 9) {
        assert_eq!(verdict.value, if place.is_multiple_of(2) { 1.0 } else { 0.0 });
    }
}

#[test]
fn a_scorer_that_cannot_add_up_is_an_error() {
    let plugin = plugin("scorer-moody");
    let grader = grader(&plugin, by(1, Verify::No));
    let error = grader.aggregate(&[]).unwrap_err();
    assert_eq!(error.code(), "plugin-lie");
    let verdicts = grader.grade(&samples(9, &[(4, "trap")])).unwrap().verdicts;
    let graded: Vec<Graded> =
        verdicts.into_iter().map(|verdict| Graded { verdict, cluster: None, group: None }).collect();
    let estimates = grader.aggregate(&graded).unwrap();
    assert_eq!((estimates[0].metric.value, estimates[0].scored, estimates[0].unscored), (0.375, 8, 1));
}
