//! What a stored run can be turned into for others.

use serde_json::Value;

use crate::support::{Bench, engine, quick, sent};

/// A run of a few requests.
fn stored() -> (Bench, Value) {
    let bench = Bench::new();
    let engine = engine(quick());
    let (ran, record) = bench.under(&engine.url(), "W1", "constant:50/s", &["--requests", "6", "--slo", "e2e=60s"]);
    ran.exits(0);
    (bench, record)
}

#[test]
fn a_page_that_asks_nobody_for_anything() {
    let (bench, record) = stored();
    let ran = bench.run(["report"]).exits(0);
    let path = bench.runs()[0].join("report.html");
    assert_eq!(ran.stdout.trim_end(), path.display().to_string(), "the path is the data");
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.contains(record["id"].as_str().unwrap()));
    for outside in ["<script", "<link", "src=\"http", "href=\"http", "@import", "url(http"] {
        assert!(!page.contains(outside), "the page names something outside: {outside}");
    }
    let elsewhere = bench.path("page.html");
    bench.run(["report", "latest", "--out", elsewhere.to_str().unwrap()]).exits(0);
    assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), page, "the same record gives the same page");
    let printed = bench.run(["report", record["id"].as_str().unwrap(), "--out", "-"]).exits(0);
    assert_eq!(printed.stdout.trim_end(), page.trim_end());
    bench.run(["report", "19990101"]).fails(6, "run-not-found", &["19990101"]);
}

#[test]
fn a_result_file_of_vllm_bench_serve() {
    let (bench, record) = stored();
    let ran = bench.run(["show", "--format", "vllm"]).exits(0);
    let result = ran.json();
    let requests = sent(&record, "W1");
    assert_eq!(result["completed"], requests.len());
    assert_eq!(result["num_prompts"], requests.len());
    assert_eq!(result["request_rate"], 50.0);
    for key in ["date", "backend", "model_id", "duration", "request_throughput", "output_throughput"] {
        assert!(!result[key].is_null(), "{key} is missing");
    }
    for key in ["ttft_ms", "tpot_ms", "itl_ms"] {
        for statistic in ["mean", "median", "std", "p99"] {
            assert!(result[format!("{statistic}_{key}")].is_number(), "{statistic}_{key} is missing");
        }
    }
    for key in ["input_lens", "output_lens", "ttfts", "itls", "errors"] {
        assert_eq!(result[key].as_array().unwrap().len(), requests.len(), "one of each request in {key}");
    }
    assert!(result["request_goodput"].as_f64().unwrap() > 0.0);
}

#[test]
fn the_same_run_by_the_definitions_of_other_tools() {
    let (bench, record) = stored();
    let unknown = bench.run(["show", "--as", "stopwatch"]);
    let hint = unknown.fails(2, "unknown-tool", &["stopwatch"]).stderr;
    let known = hint.split_once("those known are ").unwrap().1.trim().to_owned();
    for peer in known.split(", ") {
        let restated = bench.run(["show", "--as", peer, "--json"]).exits(0).json();
        let numbers = restated[0]["view"]["numbers"].as_array().unwrap();
        assert!(!numbers.is_empty(), "{peer}");
        assert!(numbers.iter().all(|number| number["value"].is_number() && number["unit"].is_string()), "{peer}");
        let shown = bench.run(["show", "--as", peer]).exits(0).stdout;
        assert!(shown.contains(record["id"].as_str().unwrap()), "{shown}");
    }
    // What vLLM calls TTFT ends at the chunk that only names the role, which here comes before any token.
    let restated = bench.run(["show", "--as", "vllm", "--json"]).exits(0).json();
    let numbers = restated[0]["view"]["numbers"].as_array().unwrap();
    let ttft = numbers.iter().find(|number| number["metric"].as_str().unwrap().contains("ttft")).unwrap();
    let own = &record["workloads"][0]["phases"][0]["summary"]["metrics"]["ttft_ms"]["median"];
    assert!(ttft["value"].as_f64() < own.as_f64(), "{ttft} and {own}");
}

#[test]
fn a_table_with_what_there_is_to_say() {
    let (bench, record) = stored();
    let shown = bench.run(["show"]).exits(0).stdout;
    for words in ["load: constant:50/s", "goodput ", "100 % of 6 requests kept e2e ≤ 60000ms", "req/s", "client: "] {
        assert!(shown.contains(words), "no `{words}`: {shown}");
    }
    assert!(shown.contains(record["id"].as_str().unwrap()));
    assert!(!shown.contains("TTFT from intended start"), "six requests have no percentiles: {shown}");
}

#[test]
fn percentiles_where_there_are_enough_samples() {
    let bench = Bench::new();
    let engine = engine(bench_sim::SimConfig { slots: 64, ..quick() });
    let (ran, record) = bench.under(&engine.url(), "W1", "closed:32", &["--requests", "140"]);
    let ran = ran.exits(0);
    let metrics = &record["workloads"][0]["phases"][0]["summary"]["metrics"];
    assert!(metrics["ttft_intended_ms"]["p95"].is_number() && metrics["ttft_intended_ms"]["p99"].is_null());
    for words in [
        "latency percentiles, ms",
        "TTFT from intended start",
        "TTFT from actual start",
        "end to end",
        "between tokens",
    ] {
        assert!(ran.stdout.contains(words), "no `{words}`: {ran}");
    }
}
