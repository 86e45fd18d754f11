//! Services as they really answer: who is at fault, what it costs, and what is no success.

use std::time::Duration;

use serde_json::{Value, json};

use crate::evals::{run, suite, sums};
use crate::support::{Answer, Bench, Server, check_schema};

fn record(bench: &Bench) -> Value {
    let record: Value = serde_json::from_slice(&std::fs::read(bench.path("record.json")).unwrap()).unwrap();
    check_schema(&record);
    record
}

/// A stream of these chunks.
fn stream(chunks: &[Value]) -> Answer {
    let lines: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    Answer::stream([format!("{lines}data: [DONE]\n\n").as_bytes()])
}

fn said(text: &str, finish: &str) -> Value {
    json!({ "choices": [{ "index": 0, "delta": { "content": text }, "finish_reason": finish }] })
}

fn used(usage: &Value) -> Value {
    json!({ "choices": [], "usage": usage })
}

fn is_sample(body: &[u8]) -> bool {
    String::from_utf8_lossy(body).contains("How much is")
}

#[test]
fn an_answer_that_the_server_gave_up_is_never_good_under_load() {
    let bench = Bench::new();
    let load = ["--workload", "traffic", "--load", "constant:20/s", "--requests", "10", "--slo", "ttft=10s"];
    let measured = |finish: &'static str| {
        let server = Server::engine(move |asked| {
            let is_preflight = String::from_utf8_lossy(&asked.body).contains("mountain spring");
            stream(&[said("one", if is_preflight { "stop" } else { finish })])
        });
        let url = server.url();
        let args = ["run", "--plugin", "openai", "--endpoint", &url, "--suite", "suite-v1", "--json", "record.json"];
        let _ = bench.run(args.iter().chain(&load));
        let phase = record(&bench)["workloads"][0]["phases"][0].clone();
        let mut requests = phase["requests"].as_array().unwrap().clone();
        requests.retain(|request| request["warmup"] == false);
        (phase["goodput"]["met"].clone(), requests)
    };
    let (good, requests) = measured("abort");
    assert_eq!(good, 0);
    assert!(requests.iter().all(|request| request["problem"]["code"] == "given-up"), "{requests:?}");
    let (good, requests) = measured("stop");
    assert_eq!(good, requests.len());
}

#[test]
fn no_more_is_spent_than_one_request_over_the_limit() {
    let bench = Bench::new();
    let suite = suite(&bench, &sums(20), "");
    bench.write("prices.toml", "[[prices]]\nmodel = \"*\"\ninput = 1000\noutput = 0\n");
    let server = Server::engine(|asked| {
        if is_sample(&asked.body) {
            // Requests that were sent at once would all be on their way before the first one's cost is known.
            std::thread::sleep(Duration::from_millis(100));
        }
        stream(&[said("1", "stop"), used(&json!({ "prompt_tokens": 1500, "completion_tokens": 1 }))])
    });
    run(&bench, &suite, &server.url(), &["--max-cost", "2", "--concurrency", "8"]).exits(3);
    let eval = &record(&bench)["evals"][0];
    assert_eq!((&eval["problem"]["code"], &eval["samples"]["answered"]), (&json!("cost-limit"), &json!(2)));
    assert_eq!(eval["cost_usd"], 3.0);
}

#[test]
fn a_limit_of_cost_ends_where_no_cost_is_known() {
    let bench = Bench::new();
    let suite = suite(&bench, &sums(20), "");
    bench.write("prices.toml", "[[prices]]\nmodel = \"*\"\ninput = 1\noutput = 1\n");
    let server = Server::engine(|_| stream(&[said("1", "stop")]));
    run(&bench, &suite, &server.url(), &["--max-cost", "2"]).exits(3);
    let eval = &record(&bench)["evals"][0];
    assert_eq!((&eval["status"], &eval["problem"]["code"]), (&json!("failed"), &json!("unknown-cost")));
    assert_eq!(server.seen().iter().filter(|asked| is_sample(&asked.body)).count(), 1);
}

#[test]
fn a_task_without_verdicts_is_no_success() {
    let bench = Bench::new();
    let suite = suite(&bench, &sums(8), "");
    let refuse = json!({ "error": { "message": "this cannot be done here", "type": "invalid_request_error" } });
    let server = |bad: usize| {
        let refuse = refuse.clone();
        Server::engine(move |asked| {
            let body = String::from_utf8_lossy(&asked.body);
            let is_bad = (0..bad).any(|n| body.contains(&format!("How much is {n} plus")));
            if is_bad { Answer::json("400 Bad Request", &refuse) } else { stream(&[said("1", "stop")]) }
        })
    };
    let none = run(&bench, &suite, &server(8).url(), &[]).exits(3);
    let eval = &record(&bench)["evals"][0];
    assert_eq!((&eval["status"], &eval["problem"]["code"]), (&json!("failed"), &json!("no-verdicts")));
    let commonest = "8 of 8 because of `bad-request`: status 400: this cannot be done here";
    assert!(none.stdout.contains(commonest), "{none}");
    let shown = bench.run(["show", "--failures"]).exits(0);
    assert!(shown.stdout.contains(commonest), "{shown}");
    let again = bench.run(["rescore"]).exits(3);
    assert!(again.stdout.contains(commonest), "{again}");
    run(&bench, &suite, &server(1).url(), &[]).exits(3);
    let eval = &record(&bench)["evals"][0];
    assert_eq!((&eval["status"], &eval["problem"]["code"]), (&json!("partial"), &json!("many-unscored")));
    run(&bench, &suite, &server(0).url(), &[]).exits(0);
}

#[test]
fn a_server_that_asks_for_a_day_of_rest_ends_the_task_at_once() {
    let bench = Bench::new();
    let suite = suite(&bench, &sums(8), "");
    let server = Server::engine(|asked| {
        let said = json!({ "error": { "message": "too many requests today" } });
        let busy =
            Answer::full("429 Too Many Requests", "application/json", "retry-after: 86400\r\n", &said.to_string());
        if is_sample(&asked.body) { busy } else { stream(&[self::said("1", "stop")]) }
    });
    run(&bench, &suite, &server.url(), &["--concurrency", "1"]).exits(3);
    let eval = &record(&bench)["evals"][0];
    assert_eq!(eval["status"], "failed");
    assert!(eval["problem"]["message"].as_str().unwrap().contains("86400 s"), "{eval}");
    assert_eq!(server.seen().iter().filter(|asked| is_sample(&asked.body)).count(), 1);
}

#[test]
fn a_model_that_thinks_first_passes_the_first_request() {
    let bench = Bench::new();
    let suite = suite(&bench, &sums(1), "");
    let server = Server::engine(|asked| {
        let counts = json!({
            "prompt_tokens": 20, "completion_tokens": 16, "completion_tokens_details": { "reasoning_tokens": 16 },
        });
        let silent = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "length" }] });
        if is_sample(&asked.body) { stream(&[said("1", "stop")]) } else { stream(&[silent, used(&counts)]) }
    });
    run(&bench, &suite, &server.url(), &[]).exits(0);
    assert_eq!(record(&bench)["evals"][0]["reasons"], json!({ "correct": 1 }));
}

#[test]
fn an_interval_of_a_share_stays_between_none_and_all() {
    let bench = Bench::new();
    let suite = suite(&bench, &sums(3), "repeats = 3\n");
    let times = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::engine(move |asked| {
        let time = if is_sample(&asked.body) { times.fetch_add(1, std::sync::atomic::Ordering::Relaxed) } else { 0 };
        stream(&[said(if time == 0 { "1" } else { "none" }, "stop")])
    });
    run(&bench, &suite, &server.url(), &["--concurrency", "1"]).exits(0);
    let estimates = record(&bench)["evals"][0]["estimates"].as_array().unwrap().clone();
    let shares = estimates.iter().filter(|estimate| estimate["unit"] == "ratio" && estimate["low"].is_number());
    let limits: Vec<(f64, f64)> =
        shares.map(|share| (share["low"].as_f64().unwrap(), share["high"].as_f64().unwrap())).collect();
    assert!(!limits.is_empty());
    assert!(limits.iter().all(|(low, high)| *low >= 0.0 && *high <= 1.0), "{limits:?}");
}
