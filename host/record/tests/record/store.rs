//! The store on a real directory.

use std::fs;

use bench_record::{Entry, RunId, RunStatus, Store};
use time::macros::datetime;

use super::fixture::run;

fn store() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::new(directory.path());
    (directory, store)
}

#[test]
fn a_run_reads_back_as_it_was_written() {
    let (_directory, store) = store();
    let record = run("20260911-140312-00000001", &[5000, 5100]);
    let path = store.save(&record).unwrap();
    assert!(path.ends_with("runs/20260911-140312-00000001/run.json"));
    assert_eq!(store.load("20260911-140312-00000001").unwrap(), record);
    assert_eq!(store.load(path.to_str().unwrap()).unwrap(), record);
}

#[test]
fn a_record_grows_workload_by_workload() {
    let (directory, store) = store();
    let mut record = run("a", &[5000]);
    let workloads = std::mem::take(&mut record.workloads);
    record.status = RunStatus::Incomplete;
    store.save(&record).unwrap();
    record.workloads = workloads;
    store.save(&record).unwrap();
    let found = store.load("a").unwrap();
    assert_eq!((found.status, found.workloads.len()), (RunStatus::Incomplete, 1));
    // Nothing is left over from writing.
    assert_eq!(fs::read_dir(directory.path().join("runs/a")).unwrap().count(), 1);
}

#[test]
fn runs_are_listed_newest_first_and_broken_ones_reported() {
    let (directory, store) = store();
    for (id, moment) in [("b", "2026-09-11T10:00:00Z"), ("c", "2026-09-12T10:00:00Z"), ("a", "2026-09-10T10:00:00Z")] {
        let mut record = run(id, &[5000]);
        record.started_at = moment.into();
        store.save(&record).unwrap();
    }
    let runs = directory.path().join("runs");
    fs::create_dir(runs.join("torn")).unwrap();
    fs::write(runs.join("torn/run.json"), "{\"schema_version\": 1, \"id\"").unwrap();
    fs::create_dir(runs.join("empty")).unwrap();
    fs::write(runs.join("stray-file"), "").unwrap();
    fs::create_dir(runs.join("not an id")).unwrap();
    let names: Vec<String> = store
        .list()
        .unwrap()
        .into_iter()
        .map(|entry| match entry {
            Entry::Run(run) => run.id.to_string(),
            Entry::Broken { name, error } => format!("{name}: {}", error.code()),
        })
        .collect();
    assert_eq!(names, ["c", "b", "a", "empty: record-io", "torn: not-a-record"]);
    assert_eq!(store.resolve("latest").unwrap().as_str(), "c");
    assert_eq!(store.load("last").unwrap().id.as_str(), "c");
    assert_eq!(store.folder("latest").unwrap(), runs.join("c"));
    assert_eq!(store.folder("./mine.json").unwrap(), std::path::Path::new("."));
}

#[test]
fn a_list_says_what_each_run_was() {
    let (_directory, store) = store();
    store.save(&run("a", &[5000])).unwrap();
    let entries = store.list().unwrap();
    let [Entry::Run(found)] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!((found.suite.name.as_str(), found.model.id.as_str()), ("suite-v1", "test-model"));
    assert_eq!(found.workloads[0].label, "W1");
}

#[test]
fn a_beginning_is_enough_when_it_is_unique() {
    let (_directory, store) = store();
    for id in ["2026-aa", "2026-ab", "2026"] {
        store.save(&run(id, &[5000])).unwrap();
    }
    assert_eq!(store.resolve("2026-aa").unwrap().as_str(), "2026-aa");
    assert_eq!(store.resolve("2026").unwrap().as_str(), "2026");
    let error = store.resolve("2026-a").unwrap_err();
    assert_eq!(error.code(), "ambiguous-run");
    assert_eq!(error.to_string(), "`2026-a` could be any of 2026-aa, 2026-ab");
    assert_eq!(store.resolve("2027").unwrap_err().code(), "run-not-found");
}

#[test]
fn an_empty_store_has_no_latest_run() {
    let (_directory, store) = store();
    assert!(store.list().unwrap().is_empty());
    let error = store.resolve("latest").unwrap_err();
    assert_eq!(error.code(), "run-not-found");
    assert!(error.hint().is_some());
}

#[test]
fn a_name_is_never_a_path() {
    let (_directory, store) = store();
    for id in ["", "..", "a/b", "a\\b", "-x", "a b", "latest", "ä", &"x".repeat(65)] {
        assert_eq!(RunId::new(id).unwrap_err().code(), "bad-run-id", "{id}");
    }
    assert_eq!(store.resolve("..").unwrap_err().code(), "bad-run-id");
    let hostile = r#"{"schema_version":1,"id":"../../etc"}"#;
    assert_eq!(bench_record::parse(hostile.as_bytes(), "x").unwrap_err().code(), "not-a-record");
}

#[test]
fn names_sort_by_time() {
    let first = RunId::from_parts(datetime!(2026-09-11 14:03:12 UTC), [0x8f, 0x3a, 0x2c, 0x1e]);
    assert_eq!(first.as_str(), "20260911-140312-8f3a2c1e");
    let later = RunId::from_parts(datetime!(2026-09-11 14:03:13 UTC), [0; 4]);
    let elsewhere = RunId::from_parts(datetime!(2026-09-11 16:03:12 +2), [0x8f, 0x3a, 0x2c, 0x1e]);
    assert!(first < later);
    assert_eq!(first, elsewhere);
    assert_eq!(RunId::new(first.as_str()).unwrap(), first);
}

#[test]
fn a_number_that_is_none_is_refused_before_anything_is_written() {
    let (directory, store) = store();
    let mut record = run("a", &[5000]);
    record.workloads[0].phases[0].variables[0].value = f64::NAN;
    assert_eq!(store.save(&record).unwrap_err().code(), "unwritable-record");
    assert!(!directory.path().join("runs/a/run.json").exists());
}
