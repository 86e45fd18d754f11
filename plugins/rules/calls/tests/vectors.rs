//! What `bfcl-eval` said to answers of every kind, recorded by `tests/references/bfcl.py`.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

#[expect(dead_code, reason = "shared with other tests")]
mod common;

use bench_scoring::{Reason, Scorer};
use common::{called, config, sample};
use rules_calls::FunctionCall;
use serde_json::Value;

#[test]
fn grades_are_those_of_the_reference() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/references/vectors/bfcl.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let mut functions: Vec<Value> = Vec::new();
    let mut different = Vec::new();
    let mut count = 0;
    for line in text.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let Some(index) = vector["function"].as_u64() else {
            functions.push(vector["function"].clone());
            continue;
        };
        count += 1;
        let described = &functions[usize::try_from(index).unwrap()];
        let mut sample = sample(vector["category"].as_str().unwrap(), described, &vector["target"]);
        vector["id"].as_str().unwrap().clone_into(&mut sample.id);
        sample.answer = vector["answer"].as_str().map(str::to_owned);
        if let Some(calls) = vector["tool_calls"].as_array() {
            let calls = calls.iter().map(|call| (call["name"].as_str().unwrap(), call["arguments"].as_str().unwrap()));
            sample = called(sample, &calls.collect::<Vec<_>>());
        }
        let settings = match vector["category"].as_str().unwrap() {
            // What these are asked in is in their ids.
            "format_sensitivity" => Value::Object(serde_json::Map::new()),
            category => {
                let mut settings = vector["config"].clone();
                settings["category"] = category.into();
                settings
            }
        };
        let grade = FunctionCall::new(config(&settings)).unwrap().grade(&sample);
        let same = match vector["value"].as_f64() {
            Some(value) => grade.value == value,
            None => grade.value.is_nan() || grade.reason == Reason::Other("reference-stops".into()),
        };
        let kind = vector["kind"].as_str().unwrap_or_default();
        let explained = grade.explanation.clone().unwrap_or_default();
        let alike = kind.is_empty()
            || kind.starts_with("raises")
            || explained.starts_with(kind)
            || (explained.starts_with("ast_decoder")
                && (kind.starts_with("ast_decoder")
                    || vector["config"]["format"] == "java"
                    || vector["config"]["format"] == "javascript"));
        if !same || !alike {
            different.push(format!("{line}\n    {grade:?}"));
        }
    }
    assert!(count > 1000, "only {count} vectors");
    assert!(different.is_empty(), "{} of {count} differ:\n{}", different.len(), different.join("\n"));
}
