//! Grading logs again, with a component that the binary carries.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::path::{Path, PathBuf};

use bench_rescore::{Engine, Kind, Verify};
use bench_samples::{MessageRecord, SampleRecord, Status};
use serde_json::json;

fn guest(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../plugin/tests/guests/{name}.wasm")).display().to_string()
}

fn exact_match() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registry/targets/scorer/exact-match/0.1.0.wasm");
    path.display().to_string()
}

fn engine() -> Engine {
    Engine::new(None, Verify::Sampled)
}

fn sample(id: &str, answer: &str) -> SampleRecord {
    let prompt = vec![MessageRecord::new("user", format!("{id}?"))];
    let mut sample = SampleRecord::new("sums", id, 0, json!({"question": id}), prompt, json!("42"));
    sample.answer = Some(answer.to_owned());
    sample
}

fn log(folder: &Path, samples: &[SampleRecord]) -> PathBuf {
    let path = folder.join("sums.jsonl");
    bench_samples::write(&path, samples).unwrap();
    path
}

fn code(result: Result<bench_rescore::Scored, bench_rescore::RescoreError>) -> &'static str {
    let error = result.err().unwrap();
    assert!(!error.to_string().is_empty());
    error.code()
}

#[test]
fn a_log_is_graded_and_graded_again_without_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let mut gone = sample("3", "");
    gone.status = Status::Unscored { code: "connection-refused".to_owned(), message: "gone".to_owned() };
    let path = log(folder.path(), &[sample("1", "42"), sample("2", "43"), gone]);
    let first = engine().score(&path, &exact_match(), None).unwrap();
    let task = &first.tasks[0];
    assert_eq!((task.task.as_str(), task.samples, task.graded_before.len()), ("sums", 3, 0));
    assert_eq!(task.mean_before, None);
    assert!(task.changes.iter().all(|change| change.kind == Kind::Gained));
    assert_eq!(task.changes.len(), 2);
    assert_eq!(task.reasons.get("unscored:connection-refused"), Some(&1));
    assert_eq!(first.records[2].verdict, None);

    let path = log(folder.path(), &first.records);
    let again = engine().score(&path, &exact_match(), None).unwrap();
    assert_eq!(again.tasks[0].changes, []);
    assert_eq!(again.tasks[0].graded_before, std::slice::from_ref(&task.scorer));
    assert_eq!(again.tasks[0].fuel, task.fuel);
    assert_eq!(serde_json::to_string(&again.records).unwrap(), serde_json::to_string(&first.records).unwrap());
}

#[test]
fn verdicts_that_change_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(folder.path(), &[sample("1", "42"), sample("2", "43")]);
    let mut graded = engine().score(&path, &exact_match(), None).unwrap().records;
    let verdict = graded[1].verdict.as_mut().unwrap();
    let now = verdict.value;
    verdict.value = now.map(|value| value - 0.5);
    let path = log(folder.path(), &graded);
    let again = engine().score(&path, &exact_match(), None).unwrap();
    let changes = &again.tasks[0].changes;
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].id.as_str(), changes[0].kind), ("2", Kind::Higher));
    assert_eq!(changes[0].after.as_ref().unwrap().value, now);
}

#[test]
fn what_cannot_be_graded_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(folder.path(), &[sample("1", "42")]);
    let score = |scorer: &str, config: Option<&str>| engine().score(&path, scorer, config);
    assert_eq!(code(score("no-such-scorer", None)), "plugin-unknown");
    assert_eq!(code(score(&exact_match(), Some("[1]"))), "bad-scorer-config");
    assert_eq!(code(score(&exact_match(), Some("{"))), "bad-scorer-config");
    assert_eq!(code(score(&guest("ok"), None)), "plugin-wrong-kind");
    assert_eq!(code(score("exact-match@9.9.9", None)), "other-scorer-version");
    // The test guests say that they ask a model.
    assert_eq!(code(score(&guest("scorer-fresh"), None)), "scorer-needs-judge");
    let missing = folder.path().join("none.jsonl");
    assert_eq!(code(engine().score(&missing, &exact_match(), None)), "samples-io");
}

#[test]
fn logs_of_other_tools_are_graded_too() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/tests/fixtures");
    for (log, samples, tasks) in [("lm-eval", 6, 2), ("inspect/sums.eval", 8, 1), ("inspect/sums.json", 8, 1)] {
        let scored = engine().score(&fixtures.join(log), &exact_match(), None).unwrap();
        assert_eq!((scored.records.len(), scored.tasks.len()), (samples, tasks));
        assert!(scored.tasks.iter().all(|task| task.mean_before.is_some() && !task.graded_before.is_empty()));
    }
}
