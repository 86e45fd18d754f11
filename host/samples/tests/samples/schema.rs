//! The committed schema, and reading what other versions wrote.

use std::path::PathBuf;

use bench_samples::{LineErrorKind, SCHEMA_VERSION, parse, schema_json};
use boon::{Compiler, Schemas};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixture::{any_sample, sample};

fn committed() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema/sample-v1.json")
}

#[test]
fn the_committed_schema_is_that_of_the_code() {
    if std::env::var_os("BENCH_BLESS").is_some() {
        std::fs::write(committed(), schema_json()).unwrap();
    }
    let text = std::fs::read_to_string(committed()).unwrap();
    assert!(text == schema_json(), "schema/sample-v1.json is stale: run the tests once with BENCH_BLESS=1");
}

fn holds(value: &Value) -> bool {
    let mut compiler = Compiler::new();
    let mut schemas = Schemas::new();
    compiler.add_resource("sample", serde_json::from_str(&schema_json()).unwrap()).unwrap();
    let schema = compiler.compile("sample", &mut schemas).unwrap();
    schemas.validate(value, schema).is_ok()
}

#[test]
fn the_schema_describes_every_field() {
    let schema: Value = serde_json::from_str(&schema_json()).unwrap();
    for (name, property) in schema["properties"].as_object().unwrap() {
        assert!(property.get("description").is_some(), "{name} has no description");
    }
    assert!(!holds(&json!({"schema": 1, "task": "sums"})));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_line_fits_the_schema_and_reads_back(sample in any_sample()) {
        let line = serde_json::to_string(&sample).unwrap();
        prop_assert!(holds(&serde_json::from_str(&line).unwrap()), "{line}");
        prop_assert_eq!(parse(line.as_bytes()).unwrap(), sample);
    }

    #[test]
    fn anything_else_is_an_error(line in ".{0,60}") {
        prop_assert!(parse(line.as_bytes()).is_err());
    }
}

#[test]
fn a_newer_line_is_refused_by_its_version() {
    let mut newer = serde_json::to_value(sample("1", 0, 1.0)).unwrap();
    newer["schema"] = json!(SCHEMA_VERSION + 1);
    let error = parse(newer.to_string().as_bytes()).unwrap_err();
    assert!(matches!(error, LineErrorKind::Newer { found: 2, known: 1 }), "{error}");
    // It may have little in common with this version.
    let error = parse(br#"{"schema": 7, "what": "ever"}"#).unwrap_err();
    assert!(matches!(error, LineErrorKind::Newer { found: 7, .. }), "{error}");
}

#[test]
fn fields_of_a_later_program_are_ignored_and_words_kept() {
    let mut later = serde_json::to_value(sample("1", 0, 1.0)).unwrap();
    later["weather"] = json!("rain");
    later["verdict"]["reason"] = json!("bored");
    let read = parse(later.to_string().as_bytes()).unwrap();
    assert_eq!(read.verdict.unwrap().reason.to_string(), "other:bored");
}

#[test]
fn digests_are_of_canonical_json() {
    let one = sample("1", 0, 1.0);
    let mut other = one.clone();
    other.document = serde_json::from_str(r#"{"level": 25e-1, "question": "1?"}"#).unwrap();
    assert_eq!(other.wrong_digest(), None, "the order of fields and the way of writing numbers do not count");
    other.document["level"] = json!(3);
    assert_eq!(other.wrong_digest(), Some("document"));
    other.seal();
    assert_eq!(other.wrong_digest(), None);
    // As `sha256sum` gives it for the four bytes of `"42"`.
    assert_eq!(one.target_sha256, "8334c554c7276f59674810b92fff5197cd46bf6ccbe872742f9b04ca31dfe3d1");
}
