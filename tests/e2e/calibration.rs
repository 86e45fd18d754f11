//! The client measures its own error.

use bench_sim::SimConfig;
use serde_json::Value;

use crate::support::{Bench, NOBODY, Server, check_schema, engine};

/// Checks what a calibration always says, and gives it.
#[track_caller]
fn calibrate(arguments: &[&str]) -> Value {
    let ran = Bench::new().run(["calibrate", "--json"].iter().chain(arguments)).exits(0);
    assert_eq!(ran.stderr, "");
    let result = ran.json();
    let mut keys: Vec<&String> = result.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["calibration", "cpu_seconds", "failed", "max_rss_kib", "requests", "seconds"]);
    let calibration = &result["calibration"];
    assert!(calibration["against"].as_str().unwrap().starts_with("bench-sim "), "{calibration}");
    for kind in ["receipt", "ttft", "itl", "send", "emission_late"] {
        let bar = &calibration[kind];
        assert!(bar["samples"].as_u64().unwrap() > 0, "{kind}: {calibration}");
        let of = |key: &str| bar[key].as_f64();
        assert!(of("p50_ms").unwrap() >= 0.0 && of("p50_ms") <= of("max_ms"), "{kind}: {bar}");
        assert!(of("p95_ms").is_none() || (of("p50_ms") <= of("p95_ms") && of("p95_ms") <= of("max_ms")), "{bar}");
        assert_eq!(of("p99_ms").is_some(), bar["samples"].as_u64() >= Some(662), "percentiles need samples: {bar}");
    }
    assert_eq!(result["failed"], 0);
    result
}

#[test]
fn streams_at_once() {
    let result = calibrate(&["--streams", "2", "--events", "150", "--gap-us", "500"]);
    assert_eq!(result["calibration"]["streams"], 2);
    assert_eq!(result["calibration"]["gap_us"], 500);
    assert_eq!(result["requests"], 2);
    assert!(result["calibration"]["events"].as_u64() >= Some(300), "every chunk is stamped: {result}");
    assert!(result["calibration"]["cpu_us_per_event"].is_null(), "the simulation's work cannot be told apart");
}

#[test]
fn for_a_while() {
    let result =
        calibrate(&["--streams", "2", "--events", "10", "--gap-us", "500", "--ttft-us", "2000", "--seconds", "1"]);
    assert!(result["requests"].as_u64() > Some(2), "each place begins again: {result}");
}

#[test]
fn requests_at_times_of_their_own() {
    let result = calibrate(&["--rate", "40", "--seconds", "1", "--events", "4", "--gap-us", "500"]);
    assert_eq!(result["requests"], 40);
    assert_eq!(result["calibration"]["send"]["samples"], 40);
}

#[test]
fn a_rate_that_is_none_is_refused() {
    for rate in ["0", "NaN", "inf"] {
        let ran = Bench::new().run(["calibrate", "--rate", rate]).exits(2);
        assert!(ran.stderr.contains("bad-load"), "{}", ran.stderr);
    }
}

#[test]
fn against_an_engine_that_runs_already() {
    let config =
        SimConfig { models: vec!["any-name".to_owned()], ttft_us: 5_000, gap_us: 1_000, ..SimConfig::default() };
    let engine = engine(config);
    let result = calibrate(&["--endpoint", &engine.url(), "--streams", "3", "--events", "20"]);
    assert_eq!(engine.counters().requests, 3);
    assert!(result["calibration"]["cpu_us_per_event"].as_f64().unwrap() > 0.0, "what is left is the client's");
}

#[test]
fn with_each_kind_of_stamps() {
    let short = ["--events", "20", "--gap-us", "500"];
    let user = calibrate(&[&short[..], &["--stamps", "user", "--workers", "1"]].concat());
    assert_eq!(user["calibration"]["stamp_source"], "user-space");
    #[cfg(target_os = "linux")]
    {
        let kernel = calibrate(&[&short[..], &["--stamps", "kernel"]].concat());
        assert_eq!(kernel["calibration"]["stamp_source"], "kernel");
    }
    let ran = Bench::new().run(["calibrate", "--stamps", "packet"].iter().chain(&short));
    assert!(ran.code == Some(0) || ran.stderr.contains("hint: "), "packets, or a refusal that helps: {ran}");
}

#[test]
fn for_people() {
    let ran = Bench::new().run(["calibrate", "--events", "20", "--gap-us", "500"]).exits(0);
    for words in
        ["time to first token", "time between events", "receipt after emission", "sent after intended", "stamps: "]
    {
        assert!(ran.stdout.contains(words), "no `{words}`: {ran}");
    }
}

#[test]
fn against_nobody() {
    let ran = Bench::new().run(["calibrate", "--endpoint", NOBODY]);
    ran.fails(4, "not-calibrated", &[]).hints("bench sim");
}

/// An answer as plain servers give it.
const ANSWER: [&[u8]; 3] = [
    b"data: {\"id\":\"c\",\"model\":\"scripted\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one \"}}]}\n\n",
    b"data: {\"id\":\"c\",\"model\":\"scripted\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"two\"},\"finish_reason\":\"length\"}]}\n\n",
    b"data: {\"id\":\"c\",\"model\":\"scripted\",\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n",
];

#[test]
fn a_full_run_measures_the_client_first_and_prints_its_error_beside_the_times() {
    let bench = Bench::new();
    let server = Server::streaming(&ANSWER);
    let url = server.url();
    let fixed = ["run", "--plugin", "openai", "--endpoint", &url, "--workload", "W1", "--json", "record.json"];
    let ran = bench.run(fixed.iter().chain(&["--load", "closed:3", "--requests", "6"])).exits(0);
    let record: Value = serde_json::from_slice(&std::fs::read(bench.path("record.json")).unwrap()).unwrap();
    check_schema(&record);
    let calibrations = record["client"]["calibrations"].as_array().unwrap();
    let streams: Vec<&Value> = calibrations.iter().map(|calibration| &calibration["streams"]).collect();
    assert_eq!(streams, [1, 3], "alone, and at the load of the run");
    assert!(ran.stderr.contains("measuring the client's own error") && !ran.stderr.contains("warning"), "{ran}");
    assert!(ran.stdout.contains("[ ] is the client's own error"), "{ran}");
    assert!(ran.stdout.contains("client error in ms at 3 streams"), "{ran}");
    let reasons = record["publishable"]["reasons"].as_array().unwrap();
    assert!(reasons.iter().all(|reason| reason["code"] != "no-calibration"), "{reasons:?}");
}
