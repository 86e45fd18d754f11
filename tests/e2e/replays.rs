//! Recorded traces, sent again at their own times with their own lengths.

use bench_sim::SimConfig;
use serde_json::Value;

use crate::support::{Bench, Tap, check_schema, engine, phases, quick, sent, sha256};

const MOONCAKE: &str = "\
{\"timestamp\": 0, \"input_length\": 1040, \"output_length\": 3, \"hash_ids\": [1, 2]}
{\"timestamp\": 200, \"input_length\": 1060, \"output_length\": 5, \"hash_ids\": [1, 2]}
{\"timestamp\": 400, \"input_length\": 90, \"output_length\": 4, \"hash_ids\": [3]}
";

const AZURE: &str = "TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:46.6000000,60,4
2023-11-16 18:15:46.7000000,80,6
2023-11-16 18:15:46.9000000,70,2
";

/// The moments at which requests were meant to start, in milliseconds after the first.
fn moments(record: &Value) -> Vec<f64> {
    let requests = sent(record, "traffic");
    let at = |request: &Value| request["times"]["intended_ns"].as_u64().unwrap();
    let first = at(requests[0]);
    requests.iter().map(|request| (at(request) - first) as f64 / 1e6).collect()
}

/// Tokens that each request asked for.
fn lengths(record: &Value) -> Vec<u64> {
    let asked = |request: &&Value| request["metrics"]["requested_output_tokens"].as_u64().unwrap();
    sent(record, "traffic").iter().map(asked).collect()
}

#[test]
fn a_mooncake_trace_with_its_shared_prefixes() {
    let bench = Bench::new();
    let engine = engine(SimConfig { slots: 16, ..quick() });
    let tap = Tap::before(engine.addr());
    bench.write("day.jsonl", MOONCAKE);
    let (ran, record) = bench.under(&tap.url(), "traffic", "replay:day.jsonl", &[]);
    ran.exits(0);
    check_schema(&record);
    assert_eq!(moments(&record), [0.0, 200.0, 400.0]);
    assert_eq!(lengths(&record), [3, 5, 4]);
    let shape = &phases(&record, "traffic")[0]["shape"];
    assert_eq!(shape["kind"], "replay");
    assert_eq!(shape["requests"], 3);
    let digest = sha256(MOONCAKE.as_bytes());
    assert_eq!(shape["file_sha256"], digest);
    let prompts: Vec<String> = tap.bodies().iter().filter_map(|body| prompt(body)).collect();
    let [.., first, second, third] = prompts.as_slice() else { panic!("{} prompts", prompts.len()) };
    let shared = |a: &str, b: &str| a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    assert!(shared(first, second) > first.len() / 2, "blocks of the same ids are the same text");
    assert!(shared(first, third) < third.len() / 2, "and those of others are not");
    assert!(second.len() > third.len(), "the lengths are those of the trace");
}

/// The text of a request's messages.
fn prompt(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let texts: Vec<&str> =
        body["messages"].as_array()?.iter().filter_map(|message| message["content"].as_str()).collect();
    Some(texts.join("\n"))
}

#[test]
fn an_azure_trace_faster_than_it_was() {
    let bench = Bench::new();
    let engine = engine(SimConfig { slots: 16, ..quick() });
    bench.write("day.csv", AZURE);
    let (ran, record) = bench.under(&engine.url(), "traffic", "replay:day.csv,speed=2", &[]);
    let ran = ran.exits(0);
    check_schema(&record);
    assert_eq!(moments(&record), [0.0, 50.0, 150.0], "twice as fast");
    assert_eq!(lengths(&record), [4, 6, 2]);
    assert_eq!(phases(&record, "traffic")[0]["shape"]["speed"], 2.0);
    assert!(ran.stdout.contains("load: replay:"), "{ran}");
}

#[test]
fn the_folder_of_a_trace_is_nobodys_business() {
    let bench = Bench::new();
    let engine = engine(quick());
    let file = bench.write("private-folder/day.csv", AZURE);
    let load = format!("replay:{}", file.display());
    let (ran, record) = bench.under(&engine.url(), "traffic", &load, &["--requests", "1"]);
    ran.exits(0);
    let shape = &phases(&record, "traffic")[0]["shape"];
    assert!(!shape["spec"].as_str().unwrap().contains("private-folder"), "{shape}");
    assert_eq!(sent(&record, "traffic").len(), 1, "as many as were asked for");
}

#[test]
fn traces_that_cannot_be_read() {
    let bench = Bench::new();
    let engine = engine(quick());
    let run = |load: &str| bench.quick_without_record(&engine.url(), "traffic", &["--load", load]);
    run("replay:nowhere.jsonl").fails(6, "no-trace-file", &["nowhere.jsonl"]);
    bench.write("broken.jsonl", format!("{MOONCAKE}{{\"timestamp\": 1,\n"));
    let ran = run("replay:broken.jsonl");
    assert!(matches!(ran.code, Some(2 | 6)), "{ran}");
    assert!(ran.stderr.contains("line 4"), "the place is named: {ran}");
    bench.write("empty.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n");
    let ran = run("replay:empty.csv");
    assert!(matches!(ran.code, Some(2 | 6)), "{ran}");
    assert!(bench.runs().is_empty());
}
