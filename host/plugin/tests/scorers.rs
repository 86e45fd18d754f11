//! The handle on a scorer: what it lets through, what it does not, and what a call costs.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use bench_plugin::scorer_types::{Graded, Opinion, Reason, Sample};
use bench_plugin::{FaultKind, Limits, LoadError, Scorer, Task};
use common::{HOST, guest};

const LIMITS: Limits = Limits { fuel: 50_000_000, ..Limits::DEFAULT };

fn scorer(case: &str) -> Result<Scorer, LoadError> {
    HOST.load(&guest(case), LIMITS)?.scorer()
}

fn open(case: &str) -> (Scorer, Task) {
    let mut scorer = scorer(case).unwrap();
    let task = scorer.open("{}").unwrap();
    (scorer, task)
}

fn sample(answer: &str) -> Sample {
    Sample {
        id: format!("says {answer}"),
        epoch: 3,
        prompt: Vec::new(),
        target: "42".to_owned(),
        answer: Some(answer.to_owned()),
        reasoning: None,
        tool_calls: Vec::new(),
        finish: None,
        likelihoods: Vec::new(),
        metadata: "{}".to_owned(),
    }
}

fn fault(answer: &str) -> FaultKind {
    let (mut scorer, task) = open("scorer-moody");
    let fault = scorer.score(&task, &[sample("42"), sample(answer), sample("43")]).unwrap_err();
    assert_eq!((fault.plugin.as_str(), fault.export), ("test-scorer 0.1.0", "scorer.task.score"));
    // The task has died with its instance; a new one works.
    assert_eq!(scorer.score(&task, &[sample("42")]).unwrap_err().kind, FaultKind::Gone);
    let task = scorer.open("{}").unwrap();
    assert_eq!(scorer.score_one(&task, &sample("42")).unwrap().0.value, 1.0);
    fault.kind
}

fn lie(answer: &str) -> String {
    match fault(answer) {
        FaultKind::Lie(lie) => lie,
        other => panic!("no lie: {other:?}"),
    }
}

#[test]
fn verdicts_come_in_the_order_of_the_samples_with_their_fuel() {
    let (mut scorer, task) = open("scorer-moody");
    let scored = scorer.score(&task, &[sample("42"), sample("43"), sample("unscored")]).unwrap();
    let values: Vec<f64> = scored.verdicts.iter().map(|verdict| verdict.value).collect();
    assert_eq!(values[..2], [1.0, 0.0]);
    assert!(values[2].is_nan());
    assert_eq!(scored.verdicts[0].id, "says 42");
    assert!(scored.fuel > 0 && scored.fuel < LIMITS.fuel);
    assert!(scorer.score(&task, &[]).unwrap().verdicts.is_empty());
    scorer.close(task).unwrap();
}

#[test]
fn the_same_call_on_a_fresh_instance_costs_the_same() {
    let (mut scorer, _) = open("scorer-moody");
    // The first instance has described itself, and its memory is no longer as it began.
    let mut on_a_fresh_one = || {
        scorer.restart();
        let task = scorer.open("{}").unwrap();
        scorer.score_one(&task, &sample("42")).unwrap().1
    };
    let first = on_a_fresh_one();
    assert_eq!(on_a_fresh_one(), first);
    let task = scorer.open("{}").unwrap();
    let (_, longer) = scorer.score_one(&task, &sample(&"42".repeat(1_000))).unwrap();
    assert!(longer > first);
}

#[test]
fn what_goes_wrong_inside_has_its_kind() {
    assert!(matches!(fault("trap"), FaultKind::Trap(_)));
    assert_eq!(fault("loop"), FaultKind::Fuel);
    assert!(matches!(fault("hog"), FaultKind::Memory { allowed: 67_108_864, .. }));
    assert_eq!(fault("recurse"), FaultKind::Stack);
    assert!(matches!(fault("not-utf8"), FaultKind::BadValue(_)));
}

#[test]
fn verdicts_that_cannot_be_true_are_lies() {
    assert_eq!(lie("few"), "2 verdicts on 3 samples");
    assert_eq!(lie("many"), "4 verdicts on 3 samples");
    assert_eq!(lie("wrong-id"), "a verdict on sample `somebody else's` in the place of the one on `says wrong-id`");
    assert!(lie("wrong-epoch").starts_with("a verdict on epoch 4 of sample"));
    assert!(lie("nan").ends_with("the reason says that it was graded"));
    assert!(lie("infinite").ends_with("is inf, which no value may be"));
    assert!(lie("negative").ends_with("is -0.5, outside [0, 1]"));
    assert!(lie("too-good").ends_with("is 1.5, outside [0, 1]"));
    assert!(lie("failed-with-value").ends_with("the reason says that it could not be graded"));
    assert!(lie("infinite-sub-score").starts_with("sub-score `endless`"));
}

#[test]
fn ten_megabytes_pass_in_both_directions() {
    let (mut scorer, task) = open("scorer-moody");
    let (verdict, _) = scorer.score_one(&task, &sample("huge")).unwrap();
    assert_eq!(verdict.explanation.unwrap().len(), 10 << 20);
    let (verdict, _) = scorer.score_one(&task, &sample(&"é".repeat(5 << 20))).unwrap();
    assert_eq!(verdict.extracted.unwrap().len(), 10 << 20);
}

#[test]
fn a_configuration_is_refused_by_the_scorer_itself() {
    let mut scorer = scorer("scorer-moody").unwrap();
    let fault = scorer.open("{\"spelt\": \"wrong\"}").unwrap_err();
    assert_eq!(fault.problem().unwrap().code, "bad-config");
    assert!(scorer.open("{}").is_ok());
}

#[test]
fn a_judge_is_asked_and_its_opinion_counts() {
    let (mut scorer, task) = open("scorer-moody");
    assert_eq!(scorer.questions(&task, &sample("42")).unwrap().len(), 1);
    assert_eq!(scorer.questions(&task, &sample("problem")).unwrap_err().problem().unwrap().code, "cannot-ask");
    let said = |answer: &str| [Opinion { answer: Some(answer.to_owned()), finish: None }];
    assert_eq!(scorer.conclude(&task, &sample("42"), &said("yes")).unwrap().0.value, 1.0);
    let (verdict, fuel) = scorer.conclude(&task, &sample("42"), &said("gibberish")).unwrap();
    assert_eq!((verdict.value, verdict.reason), (0.0, Reason::Wrong));
    assert!(fuel > 0);
    assert_eq!(scorer.conclude(&task, &sample("42"), &said("trap")).unwrap_err().export, "scorer.task.conclude");
}

#[test]
fn verdicts_are_added_up_and_an_infinite_sum_is_a_lie() {
    let (mut scorer, task) = open("scorer-moody");
    let verdicts = scorer.score(&task, &[sample("42"), sample("43"), sample("unscored")]).unwrap().verdicts;
    let graded: Vec<Graded> =
        verdicts.into_iter().map(|verdict| Graded { verdict, cluster: None, group: None }).collect();
    let estimates = scorer.aggregate(&task, &graded).unwrap();
    assert_eq!((estimates[0].metric.value, estimates[0].scored, estimates[0].unscored), (0.5, 2, 1));
    assert!(matches!(scorer.aggregate(&task, &[]).unwrap_err().kind, FaultKind::Lie(_)));
}

#[test]
fn a_driver_is_not_a_scorer() {
    assert_eq!(scorer("ok").unwrap_err().code(), "plugin-wrong-kind");
}

#[test]
fn a_scorer_that_recurses_without_end_is_a_fault_whatever_the_stack_of_its_caller() {
    let small = std::thread::Builder::new().stack_size(256 << 10);
    let called = small.spawn(|| {
        let (mut scorer, task) = open("scorer-moody");
        scorer.score(&task, &[sample("recurse")]).unwrap_err().kind
    });
    assert_eq!(called.unwrap().join().unwrap(), FaultKind::Stack);
}

#[test]
fn calls_around_which_there_is_room_run_on_one_thread() {
    let threads = bench_plugin::with_room(|| {
        let outer = std::thread::current().id();
        (outer, bench_plugin::with_room(|| std::thread::current().id()))
    });
    assert_eq!(threads.0, threads.1);
    assert_ne!(threads.0, std::thread::current().id());
}

#[test]
fn an_instance_says_how_much_memory_it_had() {
    let (mut scorer, task) = open("scorer-moody");
    scorer.score_one(&task, &sample("42")).unwrap();
    let little = scorer.memory();
    assert!(little > 0 && little.is_multiple_of(64 << 10), "{little}");
    scorer.score(&task, &[sample("huge")]).unwrap();
    let more = scorer.memory();
    assert!(more > little + (10 << 20), "{more}");
    scorer.score(&task, &[sample("hog")]).unwrap_err();
    assert!(scorer.memory() > more && scorer.memory() <= LIMITS.memory, "{}", scorer.memory());
    let task = scorer.open("{}").unwrap();
    scorer.score_one(&task, &sample("42")).unwrap();
    assert_eq!(scorer.memory(), little);
}

#[test]
fn a_sample_that_is_a_program_has_fuel_of_its_own() {
    assert_eq!(scorer("scorer-moody").unwrap().fuel_per_sample(), LIMITS.fuel);
    assert_eq!(scorer("scorer-fresh").unwrap().fuel_per_sample(), LIMITS.program_fuel);
}
