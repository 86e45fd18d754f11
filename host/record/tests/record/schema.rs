//! The committed schema, and reading what other versions wrote.

use std::path::PathBuf;

use bench_record::{SCHEMA_ID, SCHEMA_VERSION, parse, schema_json};
use serde_json::{Value, json};

use super::fixture::run;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Set to write the committed files anew.
fn bless() -> bool {
    std::env::var_os("BENCH_BLESS").is_some()
}

#[test]
fn the_committed_schema_is_that_of_the_code() {
    let path = file("schema/run-v1.json");
    if bless() {
        std::fs::write(&path, schema_json()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(committed == schema_json(), "schema/run-v1.json is stale: run the tests once with BENCH_BLESS=1");
}

#[test]
fn the_schema_describes_every_field() {
    let schema: Value = serde_json::from_str(&schema_json()).unwrap();
    assert_eq!(schema["$id"], SCHEMA_ID);
    for (name, property) in schema["properties"].as_object().unwrap() {
        assert!(property.get("description").is_some() || property.get("$ref").is_some(), "{name} has no description");
    }
}

#[test]
fn a_record_of_version_1_still_reads() {
    let path = file("tests/golden/run-v1.json");
    // Never overwritten: it stands for records that are out there.
    if bless() && !path.exists() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        bench_record::write_record(&run("golden", &[5000, 5100, 5200]), &path).unwrap();
    }
    let record = bench_record::read_record(&path).unwrap();
    assert_eq!(record.schema_version, 1);
    assert_eq!(record.suite.seed, u64::MAX);
    let phase = &record.workloads[0].phases[0];
    assert_eq!(phase.requests.len(), 3);
    // What was summed up then is what is summed up now.
    assert_eq!(phase.summarise(), phase.summary);
}

#[test]
fn fields_of_a_later_program_are_ignored() {
    let mut json = serde_json::to_value(run("a", &[5000])).unwrap();
    json["weather"] = json!("rain");
    json["workloads"][0]["phases"][0]["requests"][0]["metrics"]["flags"] = json!(["from-the-future"]);
    let record = parse(json.to_string().as_bytes(), "test").unwrap();
    assert_eq!(
        record.workloads[0].phases[0].requests[0].metrics.as_ref().unwrap().flags,
        [bench_metrics::Flag::Unknown]
    );
}

#[test]
fn a_newer_version_is_refused_by_name() {
    let mut json = serde_json::to_value(run("a", &[5000])).unwrap();
    json["schema_version"] = json!(SCHEMA_VERSION + 1);
    // A newer record may have nothing else in common with this one.
    json.as_object_mut().unwrap().remove("workloads");
    let error = parse(json.to_string().as_bytes(), "theirs.json").unwrap_err();
    assert_eq!(error.code(), "newer-record");
    assert_eq!(error.to_string(), "theirs.json has schema version 2, but this program reads up to 1");
    assert!(error.hint().is_some());
}

#[test]
fn anything_else_is_not_a_record() {
    for text in [
        "",
        "{}",
        "[]",
        "<html>",
        r#"{"schema_version": 1}"#,
        r#"{"schema_version": -1}"#,
        r#"{"schema_version": "1"}"#,
    ] {
        assert_eq!(parse(text.as_bytes(), "x").unwrap_err().code(), "not-a-record", "{text}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(parse(deep.as_bytes(), "x").unwrap_err().code(), "not-a-record");
}

#[test]
fn a_record_holds_no_prompt_and_no_output() {
    let json = serde_json::to_value(run("a", &[5000])).unwrap();
    let request = &json["workloads"][0]["phases"][0]["requests"][0];
    for name in ["prompt", "output", "text", "body", "messages"] {
        assert!(request.get(name).is_none(), "{name}");
    }
}
