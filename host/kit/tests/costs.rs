//! Cases and checks of a scorer under the host's own limits, and what they are said to cost.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::fs;
use std::path::{Path, PathBuf};

use bench_kit::{CaseReport, check, run_cases};
use bench_plugin::{Host, HostOptions, Limits};
use tempfile::TempDir;

fn guest(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../plugin/tests/guests/{name}.wasm"))).unwrap()
}

fn host() -> Host {
    Host::new(HostOptions { cache: Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compiled")) })
}

fn cases(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cases.json"), text).unwrap();
    folder
}

fn tried(scorer: &str, limits: Limits, text: &str) -> CaseReport {
    run_cases(&host().load(&guest(scorer), limits).unwrap(), cases(text).path()).unwrap()
}

#[test]
fn each_case_has_its_fuel_its_time_and_the_memory_of_its_instance() {
    let text = r#"{ "cases": [
        { "id": "right", "target": "no matter", "answer": "\"no matter\"", "value": 1 },
        { "id": "huge", "target": "42", "answer": "huge", "value": 0 },
        { "id": "after", "target": "42", "answer": "43", "value": 0 }
    ] }"#;
    let report = tried("scorer-moody", Limits::SCORER, text);
    assert_eq!(report.failed(), 0, "{report:?}");
    let took: Vec<_> = report.cases.iter().map(|case| case.took).collect();
    assert!(took.iter().all(|took| took.fuel > 0 && took.us > 0.0 && took.memory > 0));
    assert!(took[1].memory > took[0].memory + (10 << 20), "{took:?}");
    assert_eq!(took[2].memory, took[1].memory, "the memory of an instance never shrinks");
    let cost = report.cost.unwrap();
    assert_eq!((cost.memory_most, cost.fuel_most), (took[1].memory, took[1].fuel));
    let shown = serde_json::to_value(&report).unwrap();
    assert_eq!(shown["cases"][0]["memory"], took[0].memory);
}

#[test]
fn a_scorer_has_the_memory_here_that_it_has_in_a_run() {
    let text = r#"{ "cases": [{ "target": "42", "answer": "hog", "value": 0 }] }"#;
    let report = tried("scorer-moody", Limits::SCORER, text);
    assert_eq!(report.failed(), 1);
    assert!(report.cases[0].differences[0].contains("memory"), "{report:?}");
    let memory = report.cases[0].took.memory;
    assert!(memory > Limits::DEFAULT.memory && memory <= Limits::SCORER.memory, "{memory}");
}

#[test]
fn a_scorer_that_needs_an_instance_for_each_sample_gets_it() {
    let text = r#"{ "cases": [
        { "target": "a", "answer": "\"a\"", "value": 1 }, { "target": "a", "answer": "\"b\"", "value": 0 }
    ] }"#;
    let report = tried("scorer-fresh", Limits::SCORER, text);
    assert_eq!(report.failed(), 0, "{report:?}");
    assert_eq!(report.cases[0].took.memory, report.cases[1].took.memory);
    let report = check(&host(), &guest("scorer-fresh"), None).unwrap();
    let again = report.findings.iter().find(|finding| finding.name == "same-again").unwrap();
    assert!(again.ok, "{again:?}");
}

#[test]
fn a_check_says_what_a_sample_costs_and_of_which() {
    let report = check(&host(), &guest("scorer-moody"), None).unwrap();
    let probed = report.cost.unwrap();
    assert!(probed.fuel_most >= probed.fuel_median && probed.memory_most > 0, "{probed:?}");
    let folder = cases(r#"{ "cases": [{ "target": "42", "answer": "huge", "value": 0 }] }"#);
    let report = check(&host(), &guest("scorer-moody"), Some(folder.path())).unwrap();
    assert!(report.cost.unwrap().memory_most > probed.memory_most);
    assert_eq!(check(&host(), &guest("ok"), None).unwrap().cost, None, "a driver grades nothing");
}

#[test]
fn a_scorer_that_remembers_is_found_out() {
    let report = check(&host(), &guest("scorer-stateful"), None).unwrap();
    assert!(!report.holds());
    let again = report.findings.iter().find(|finding| finding.name == "same-again").unwrap();
    assert!(!again.ok && again.detail.contains("another verdict"), "{again:?}");
}
