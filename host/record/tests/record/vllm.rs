//! The result file of `vllm bench serve`.

use bench_record::export::exporter;
use bench_record::{ArrivalLaw, LoadStage, Problem, RequestStatus, RunRecord, ShapeRecord};
use serde_json::{Value, json};

use super::fixture::run;
use super::load::open_loop;

fn export(record: &RunRecord) -> String {
    exporter("vllm").unwrap().export(std::slice::from_ref(record)).unwrap()
}

fn open() -> RunRecord {
    let mut record = run("a", &[5000]);
    record.workloads[0].phases = vec![open_loop(0)];
    record
}

fn result(record: &RunRecord) -> Value {
    serde_json::from_str(&export(record)).unwrap()
}

fn near(value: &Value, expected: f64) {
    assert!((value.as_f64().unwrap() - expected).abs() < 1e-6, "{value} is not {expected}");
}

#[test]
fn every_key_of_the_original_is_there_in_its_order() {
    let text = export(&open());
    let keys = [
        "date",
        "endpoint_type",
        "backend",
        "label",
        "model_id",
        "tokenizer_id",
        "num_prompts",
        "request_rate",
        "burstiness",
        "max_concurrency",
        "duration",
        "completed",
        "failed",
        "total_input_tokens",
        "total_output_tokens",
        "request_throughput",
        "request_goodput",
        "output_throughput",
        "total_token_throughput",
        "input_lens",
        "output_lens",
        "ttfts",
        "itls",
        "latencies",
        "start_times",
        "queue_times",
        "generated_texts",
        "errors",
        "max_output_tokens_per_s",
        "max_concurrent_requests",
        "rtfx",
        "mean_ttft_ms",
        "median_ttft_ms",
        "std_ttft_ms",
        "p99_ttft_ms",
        "mean_tpot_ms",
        "p99_tpot_ms",
        "mean_itl_ms",
        "p99_itl_ms",
        "mean_e2el_ms",
        "p99_e2el_ms",
    ];
    let places: Vec<usize> =
        keys.iter().map(|key| text.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("no {key}"))).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn numbers_are_in_its_units() {
    let result = result(&open());
    assert_eq!(result["date"], "20260911-140312");
    assert_eq!((&result["num_prompts"], &result["completed"], &result["failed"]), (&json!(20), &json!(20), &json!(0)));
    assert_eq!((&result["total_input_tokens"], &result["total_output_tokens"]), (&json!(2560), &json!(400)));
    near(&result["duration"], 2.0);
    near(&result["request_throughput"], 10.0);
    near(&result["request_goodput"], 10.0);
    near(&result["output_throughput"], 200.0);
    near(&result["ttfts"][0], 0.1);
    near(&result["median_ttft_ms"], 100.0);
    assert_eq!(result["itls"][0].as_array().unwrap().len(), 19);
    near(&result["itls"][3][7], 0.005);
    near(&result["p99_itl_ms"], 5.0);
    near(&result["mean_tpot_ms"], 5.0);
    near(&result["median_e2el_ms"], 195.0);
    near(&result["start_times"][2], 0.2);
    assert_eq!(result["max_concurrent_requests"], 2);
    near(&result["max_output_tokens_per_s"], 200.0);
    assert_eq!(result["generated_texts"][0], "");
}

#[test]
fn load_is_told_in_its_terms() {
    let told = |shape: ShapeRecord| {
        let mut record = open();
        record.workloads[0].phases[0].shape = Some(shape);
        let result = result(&record);
        ["request_rate", "burstiness", "max_concurrency"].map(|key| result[key].clone())
    };
    let rate = |from_rate, to_rate| LoadStage { seconds: None, from_rate, to_rate };
    let open = |arrivals, stages| ShapeRecord::OpenLoop { spec: String::new(), arrivals, stages };
    // The phase was measured as an open loop, and its pacing holds the rate that was asked for.
    assert_eq!(told(open(ArrivalLaw::Poisson, vec![rate(7.0, 7.0)])), [json!(7.0), json!(1.0), Value::Null]);
    assert_eq!(
        told(open(ArrivalLaw::Gamma { burstiness: 0.5 }, vec![rate(1.0, 9.0)])),
        [json!("inf"), json!(0.5), Value::Null]
    );
    assert_eq!(told(open(ArrivalLaw::Constant, vec![rate(7.0, 7.0)]))[1], "inf");
    let mut closed = run("a", &[5000]);
    closed.workloads[0].phases[0].shape = Some(ShapeRecord::ClosedLoop { streams: 8, ramp_s: None });
    let result = result(&closed);
    assert_eq!((&result["request_rate"], &result["max_concurrency"]), (&json!("inf"), &json!(8)));
    assert!(result.get("start_times").is_none());
}

#[test]
fn a_failed_request_keeps_its_place() {
    let mut record = open();
    let phase = &mut record.workloads[0].phases[0];
    phase.requests[1].status = RequestStatus::Failed;
    phase.requests[1].problem =
        Some(Problem { code: "stalled".into(), message: "the server fell silent".into(), hint: None });
    let result = result(&record);
    assert_eq!((&result["completed"], &result["failed"]), (&json!(19), &json!(1)));
    assert_eq!((&result["output_lens"][1], &result["input_lens"][1]), (&json!(0), &json!(128)));
    assert_eq!(result["errors"][1], "the server fell silent");
    assert_eq!(result["itls"][1], json!([]));
    assert_eq!(result["ttfts"].as_array().unwrap().len(), 20);
}

#[test]
fn a_chunk_that_only_names_the_role_ends_its_ttft() {
    let mut record = open();
    for request in &mut record.workloads[0].phases[0].requests {
        let metrics = request.metrics.as_mut().unwrap();
        metrics.first_chunk_ms = Some(40.0);
        metrics.connect_ms = Some(2.0);
    }
    let result = result(&record);
    near(&result["median_ttft_ms"], 42.0);
    near(&result["itls"][0][0], 0.06);
    near(&result["median_e2el_ms"], 197.0);
}

#[test]
fn dropped_gaps_leave_no_statistics_that_are_not_true() {
    let mut record = open();
    for request in &mut record.workloads[0].phases[0].requests {
        request.metrics.as_mut().unwrap().itl_chunk.each_ms.clear();
    }
    let result = result(&record);
    assert!(result.get("mean_itl_ms").is_none());
    assert!(result["mean_tpot_ms"].as_f64().unwrap() > 4.0);
}

#[test]
fn phases_are_lines() {
    let mut record = open();
    let again = record.workloads[0].phases[0].clone();
    record.workloads[0].phases.push(again);
    let text = export(&record);
    assert_eq!(text.lines().count(), 2);
    assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    record.workloads.clear();
    assert_eq!(export(&record), "");
}
