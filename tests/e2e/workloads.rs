//! The main job: a suite against an engine, and a record that agrees with what the engine itself counted.

use std::fs;

use bench_sim::SimConfig;
use serde_json::{Value, json};

use crate::support::{
    Bench, Tap, check_schema, engine, measured, phase, phases, quick, requests, settled, sha256, workload,
};

/// What llm-speed captures per workload run, by the names of the record.
const SIGNALS: [&str; 10] = [
    "ttft_ms",
    "prefill_tps",
    "decode_tps",
    "decode_p50_latency_ms",
    "decode_p95_latency_ms",
    "prompt_tokens",
    "output_tokens",
    "wall_ms",
    "prefix_cache_hit_rate",
    "raw_timings",
];

fn sum(record: &Value, metric: &str) -> u64 {
    requests(record).map(|request| request["metrics"][metric].as_u64().unwrap()).sum()
}

#[test]
fn a_quick_run_leaves_a_complete_record() {
    let bench = Bench::new();
    let engine = engine(quick());
    let (ran, record) = bench.quick(&engine.url(), "W1", &[]);
    let ran = ran.exits(0);
    check_schema(&record);
    assert_eq!(record["status"], "completed");
    assert_eq!(record["simulated"], true, "an engine that says it is a simulation is one, whoever started it");
    assert_eq!(record["publishable"]["ok"], false);
    let reasons = record["publishable"]["reasons"].as_array().unwrap();
    assert!(reasons.iter().any(|reason| reason["code"] == "simulated"), "{reasons:?}");
    assert!(ran.stdout.contains("SIMULATION"), "{ran}");
    let stored = bench.runs();
    assert_eq!(stored.len(), 1);
    let kept: Value = serde_json::from_slice(&fs::read(stored[0].join("run.json")).unwrap()).unwrap();
    assert_eq!(kept, record, "the file of --json is the stored record");
    assert!(ran.stdout.contains(record["id"].as_str().unwrap()), "{ran}");
}

#[test]
fn every_captured_signal_is_in_the_record() {
    let bench = Bench::new();
    let engine = engine(quick());
    // 150 answer tokens: enough for the 95th percentile to be given.
    let (ran, record) = bench.quick(&engine.url(), "W1", &["--param", "W1.answer-tokens=150", "--repeats", "2"]);
    ran.exits(0);
    let phase = &phases(&record, "W1")[0];
    let measured: Vec<&Value> =
        phase["requests"].as_array().unwrap().iter().filter(|request| request["warmup"] == false).collect();
    assert_eq!(measured.len(), 2);
    for request in measured {
        for signal in SIGNALS {
            assert!(!request["metrics"][signal].is_null(), "{signal} is missing in {}", request["metrics"]);
        }
        assert_eq!(request["metrics"]["output_tokens"], 150);
        assert_eq!(
            request["metrics"]["raw_timings"].as_array().unwrap().len(),
            149,
            "one time per token after the first"
        );
    }
    for signal in SIGNALS.iter().filter(|signal| **signal != "raw_timings") {
        let values = &phase["summary"]["metrics"][*signal];
        assert!(values["median"].is_number(), "{signal} is missing in the summary");
    }
    assert_eq!(workload(&record, "W1")["name"], "chat-short");
}

#[test]
fn prompt_tokens_are_those_that_the_engine_counted() {
    let bench = Bench::new();
    let engine = engine(quick());
    let tap = Tap::before(engine.addr());
    let (ran, record) = bench.quick(&tap.url(), "W1,W4", &[]);
    ran.exits(0);
    let counters = settled(&engine);
    let bodies = tap.bodies();
    assert_eq!(counters.requests, bodies.len() as u64);
    // One request comes before the suite and is not in the record.
    assert_eq!(requests(&record).count() + 1, bodies.len());
    let mut recorded = 0;
    for request in requests(&record) {
        let body = bodies.iter().find(|body| request["request_sha256"] == sha256(body)).expect("sent as recorded");
        let body: Value = serde_json::from_slice(body).unwrap();
        let wanted = json!({ "model": body["model"], "messages": body["messages"], "tools": body["tools"] });
        assert_eq!(request["metrics"]["prompt_tokens"], tokens(&engine.url(), &wanted));
        assert_eq!(request["metrics"]["cached_tokens"], 0, "a cold request finds nothing in the cache");
        recorded += request["metrics"]["prompt_tokens"].as_u64().unwrap();
    }
    let first = bodies.iter().find(|body| !requests(&record).any(|request| request["request_sha256"] == sha256(body)));
    let first: Value = serde_json::from_slice(first.unwrap()).unwrap();
    let unrecorded = tokens(&engine.url(), &json!({ "model": first["model"], "messages": first["messages"] }));
    assert_eq!(counters.prompt_tokens, recorded + unrecorded.as_u64().unwrap());
    assert_eq!(counters.cache_hits, 0);
}

/// Asks the engine's tokenizer.
fn tokens(url: &str, body: &Value) -> Value {
    use std::io::{Read as _, Write as _};
    let body = body.to_string();
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = format!(
        "POST /tokenize HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    serde_json::from_str::<Value>(body).unwrap_or_else(|error| panic!("{error}: {answer}"))["count"].clone()
}

#[test]
fn the_whole_suite_runs() {
    let bench = Bench::new();
    let engine = engine(SimConfig { context_length: 32_768, ..quick() });
    let ran = bench.run(["run", "--quick", "--endpoint", &engine.url(), "--json", "-"]).exits(0);
    let record = ran.json();
    check_schema(&record);
    let labels: Vec<&Value> =
        record["workloads"].as_array().unwrap().iter().map(|workload| &workload["label"]).collect();
    assert_eq!(labels, ["W1", "W2", "W3", "W4", "W5"]);
    for workload in record["workloads"].as_array().unwrap() {
        assert_eq!(workload["status"], "completed", "{workload}");
        assert!(!workload["headline"].as_array().unwrap().is_empty(), "{} has no headline", workload["label"]);
    }
    let counters = settled(&engine);
    assert_eq!(counters.completed, counters.requests);
    assert_eq!(requests(&record).count() as u64 + 1, counters.requests);
    assert_eq!(record["backend"]["name"], "bench-sim");
    assert_eq!(record["plugins"].as_array().unwrap().len(), 6, "one driver and five workloads");
}

#[test]
fn contexts_beyond_the_model_are_skipped_with_the_reason() {
    let bench = Bench::new();
    let engine = engine(SimConfig { context_length: 1_024, ..quick() });
    let contexts = ["--param", "W3.contexts=[256,900,4096]"];
    let (ran, record) = bench.quick(&engine.url(), "W3", &[&contexts[..], &["--param", "W3.answer-tokens=8"]].concat());
    let ran = ran.exits(0);
    check_schema(&record);
    assert_eq!(workload(&record, "W3")["status"], "completed");
    assert_eq!(phase(&record, "W3", "context-256")["status"], "completed");
    let skipped = phase(&record, "W3", "context-4096");
    assert_eq!(skipped["status"], "skipped");
    let reason = skipped["skip_reason"].as_str().unwrap();
    assert!(reason.contains("1024") || reason.contains("1 024"), "the reason names the limit: {reason}");
    assert!(ran.stdout.contains(reason), "{ran}");
    assert!(skipped["requests"].as_array().unwrap().is_empty());
}

#[test]
fn a_workload_with_nothing_to_run_is_skipped_and_no_failure() {
    let bench = Bench::new();
    let engine = engine(SimConfig { context_length: 1_024, ..quick() });
    let (ran, record) = bench.quick(&engine.url(), "W3", &["--param", "W3.contexts=[4096,8192]"]);
    ran.exits(0);
    assert_eq!(workload(&record, "W3")["status"], "skipped");
    assert_eq!(record["status"], "completed");
    assert_eq!(settled(&engine).requests, 1, "only the request before the suite");
}

#[test]
fn as_many_requests_are_under_way_as_there_are_streams() {
    for streams in [1_u64, 3, 8] {
        let bench = Bench::new();
        let engine = engine(SimConfig { ttft_us: 200_000, ..quick() });
        let wanted = format!("W4.streams=[{streams}]");
        let (ran, record) = bench.quick(&engine.url(), "W4", &["--param", &wanted]);
        ran.exits(0);
        let counters = settled(&engine);
        assert_eq!(counters.running_max, streams);
        assert_eq!(counters.in_flight_max, streams, "never more than that");
        let phase = phase(&record, "W4", &format!("streams-{streams}"));
        assert_eq!(phase["shape"], json!({ "kind": "closed-loop", "streams": streams, "ramp_s": null }));
        assert!(phase["summary"]["metrics"]["aggregate_tps"]["median"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn the_prefix_cache_hits_of_the_agent_are_those_that_the_engine_counted() {
    let bench = Bench::new();
    let engine = engine(quick());
    let (ran, record) = bench.quick(&engine.url(), "W5", &["--repeats", "2"]);
    ran.exits(0);
    let counters = settled(&engine);
    assert!(counters.cache_hits > 0);
    assert_eq!(sum(&record, "cached_tokens"), counters.cache_hits);
    assert_eq!(sum(&record, "output_tokens") + unrecorded_tokens(&record, &counters), counters.tokens_sent);
    let phase = &phases(&record, "W5")[0];
    let rate = phase["summary"]["metrics"]["prefix_cache_hit_rate"]["median"].as_f64().unwrap();
    let by_repeat = |repeat: u64| {
        let turns = phase["requests"].as_array().unwrap().iter().filter(move |request| request["repeat"] == repeat);
        let of = |metric: &str| turns.clone().map(|turn| turn["metrics"][metric].as_u64().unwrap()).sum::<u64>() as f64;
        of("cached_tokens") / of("prompt_tokens")
    };
    let expected = (by_repeat(0) + by_repeat(1)) / 2.0;
    assert!((rate - expected).abs() < 1e-9, "{rate} and {expected}");
    for metric in ["turn_p50_ms", "turn_p95_ms", "window_ms", "total_output_tokens"] {
        assert!(phase["summary"]["metrics"][metric]["median"].is_number(), "{metric} is missing");
    }
}

/// Tokens of the request that comes before the suite: 16, unless the engine ended it earlier, which this one does not.
fn unrecorded_tokens(record: &Value, counters: &bench_sim::Counters) -> u64 {
    assert_eq!(requests(record).count() as u64 + 1, counters.requests);
    16
}

#[test]
fn an_engine_without_a_prefix_cache_has_no_hit_rate() {
    let bench = Bench::new();
    let engine = engine(SimConfig { prefix_cache: None, ..quick() });
    let (ran, record) = bench.quick(&engine.url(), "W1,W5", &[]);
    ran.exits(0);
    assert!(measured(&record, "W1")["metrics"]["prefix_cache_hit_rate"].is_null(), "what is not known is not zero");
    assert!(phases(&record, "W5")[0]["summary"]["metrics"]["prefix_cache_hit_rate"].is_null());
}

#[test]
fn a_seed_fixes_the_prompts_and_not_the_salts() {
    let bench = Bench::new();
    let engine = engine(quick());
    let (first, a) = bench.quick(&engine.url(), "W1", &["--seed", "7"]);
    let (second, b) = bench.quick(&engine.url(), "W1", &["--seed", "7"]);
    first.exits(0);
    second.exits(0);
    assert_eq!(a["suite"]["seed"], "7");
    assert_eq!(a["suite"]["digest"], b["suite"]["digest"]);
    let (a, b) = (measured(&a, "W1"), measured(&b, "W1"));
    assert_ne!(
        a["request_sha256"], b["request_sha256"],
        "a second run must not find the first one's prompts in a cache"
    );
    assert_eq!(settled(&engine).cache_hits, 0);
}
