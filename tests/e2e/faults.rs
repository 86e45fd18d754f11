//! Engines that are not there, refuse, break down or send the client elsewhere.

use bench_sim::{Fault, FaultKind, SimConfig, When};
use serde_json::Value;

use crate::support::{
    Answer, Bench, NOBODY, Server, check_schema, engine, engine_that_breaks, problem_code, quick, requests, sent,
    settled, workload,
};

#[test]
fn nobody_is_there() {
    let bench = Bench::new();
    bench
        .quick_without_record(NOBODY, "W1", &[])
        .fails(4, "connect-refused", &["127.0.0.1:1"])
        .hints("start the engine");
    bench.run(["run", "--quick", "--endpoint", NOBODY]).fails(4, "connect-refused", &[]);
    assert!(bench.runs().is_empty());
}

#[test]
fn an_address_that_is_none() {
    let bench = Bench::new();
    for address in ["ftp://127.0.0.1", "http://", "http://a b"] {
        let ran = bench.quick_without_record(address, "W1", &[]).exits(4);
        assert!(ran.stderr.contains("[bad-endpoint]"), "{ran}");
    }
}

/// A refusal of the very first request ends the run before it begins: nothing would come of it.
#[track_caller]
fn refused_at_once(kind: FaultKind, code: &str, words: &[&str]) {
    let bench = Bench::new();
    let engine = engine(SimConfig { faults: vec![Fault::always(kind)], ..quick() });
    bench.quick_without_record(&engine.url(), "W1", &[]).fails(4, code, words);
    assert_eq!(settled(&engine).requests, 1, "no retry hides a failure");
}

/// The same in the middle of a run fails the workload, keeps what was done before, and tries the next.
#[track_caller]
fn breaks_a_workload(kind: FaultKind, code: &str) {
    breaks_with(kind, code, &[]);
}

#[track_caller]
fn breaks_with(kind: FaultKind, code: &str, options: &[&str]) {
    let bench = Bench::new();
    // W1 in its quick form is a warm-up and one request, so the fourth is the first of W2.
    let faults = vec![Fault { when: When::Nth(4), kind }];
    let engine = engine(SimConfig { faults, ..quick() });
    let (ran, record) = bench.quick(&engine.url(), "W1,W2,W4", options);
    let ran = ran.exits(3);
    check_schema(&record);
    assert_eq!(record["status"], "failed");
    let statuses: Vec<&Value> = ["W1", "W2", "W4"].map(|label| &workload(&record, label)["status"]).into();
    assert_eq!(statuses, ["completed", "failed", "completed"]);
    let failed = workload(&record, "W2");
    assert_eq!(problem_code(failed), code, "{failed}");
    assert!(ran.stderr.contains(&format!("[{code}]")), "{ran}");
    assert!(ran.stdout.contains("W2 chat-long FAILED"), "{ran}");
    assert_eq!(settled(&engine).requests, 1 + requests(&record).count() as u64, "no retry hides a failure");
    let stored: Value = serde_json::from_slice(&std::fs::read(bench.runs()[0].join("run.json")).unwrap()).unwrap();
    assert_eq!(stored, record);
}

#[test]
fn unauthorized() {
    refused_at_once(FaultKind::unauthorized(), "unauthorized", &["Incorrect API key"]);
    breaks_a_workload(FaultKind::unauthorized(), "unauthorized");
}

#[test]
fn not_found() {
    let kind = FaultKind::api_error(404, "NotFoundError", "there is nothing here");
    refused_at_once(kind.clone(), "not-found", &["there is nothing here"]);
    breaks_a_workload(kind, "not-found");
}

#[test]
fn rate_limited() {
    refused_at_once(FaultKind::rate_limited(7), "rate-limited", &["Rate limit reached"]);
    breaks_a_workload(FaultKind::rate_limited(7), "rate-limited");
}

#[test]
fn a_failing_engine() {
    refused_at_once(FaultKind::server_error(), "server-error", &["The engine failed"]);
    breaks_a_workload(FaultKind::server_error(), "server-error");
}

#[test]
fn a_web_page_instead_of_an_answer() {
    refused_at_once(FaultKind::html(502), "server-error", &["web page"]);
    refused_at_once(FaultKind::html(200), "malformed-response", &[]);
    breaks_a_workload(FaultKind::html(500), "server-error");
}

#[test]
fn an_engine_that_dies_in_the_middle_of_an_answer() {
    breaks_a_workload(FaultKind::Disconnect { after_tokens: 5 }, "closed-early");
    breaks_a_workload(FaultKind::Disconnect { after_tokens: 0 }, "closed-early");
}

#[test]
fn an_engine_that_falls_silent() {
    let timeout = ["--timeout", "1"];
    breaks_with(FaultKind::Stall { after_tokens: 3, for_us: None }, "stalled", &timeout);
    let engine = engine(SimConfig {
        faults: vec![Fault::always(FaultKind::Stall { after_tokens: 0, for_us: None })],
        head: bench_sim::Head::WithFirstEvent,
        role_chunk: bench_sim::RoleChunk::Absent,
        ..quick()
    });
    let ran = Bench::new().quick_without_record(&engine.url(), "W1", &timeout);
    ran.fails(4, "first-byte-timeout", &["1s"]);
}

#[test]
fn an_engine_that_falls_silent_under_an_open_load() {
    let bench = Bench::new();
    // One in three never ends; the others must not wait for it, and it must not be forgotten.
    let faults = vec![Fault { when: When::Every(3), kind: FaultKind::Stall { after_tokens: 2, for_us: None } }];
    let engine = engine(SimConfig { slots: 64, faults, ..quick() });
    let more = ["--requests", "12", "--timeout", "1"];
    let (ran, record) = bench.under(&engine.url(), "W1", "constant:60/s", &more);
    let ran = ran.exits(3);
    check_schema(&record);
    let measured = sent(&record, "W1");
    assert_eq!(measured.len(), 12, "nothing is dropped");
    let (failed, completed): (Vec<&Value>, Vec<&Value>) =
        measured.iter().partition(|request| request["status"] == "failed");
    assert_eq!(failed.len(), 4, "{ran}");
    assert!(failed.iter().all(|request| problem_code(request) == "stalled" && request["times"].is_object()));
    assert!(completed.iter().all(|request| request["status"] == "completed"));
    let summary = &crate::support::phases(&record, "W1")[0]["summary"];
    assert_eq!([&summary["completed"], &summary["failed"], &summary["not_sent"]], [8, 4, 0]);
    assert!(ran.stdout.contains("8/12"), "{ran}");
    assert!(ran.stdout.contains("4 requests ended with stalled"), "{ran}");
}

#[test]
fn broken_json_in_the_middle_of_an_answer() {
    breaks_a_workload(FaultKind::BadJson { after_tokens: 3 }, "malformed-response");
}

#[test]
fn an_error_event_in_the_middle_of_an_answer() {
    let kind = FaultKind::ErrorEvent { after_tokens: 3, message: "CUDA error: out of memory".to_owned() };
    breaks_a_workload(kind, "server-error");
}

#[test]
fn what_a_broken_answer_had_brought_is_counted() {
    let bench = Bench::new();
    let engine = engine_that_breaks(FaultKind::Disconnect { after_tokens: 5 });
    let (ran, record) = bench.quick(&engine.url(), "W1", &[]);
    ran.exits(3);
    let request = requests(&record).next().unwrap();
    assert_eq!(request["status"], "failed");
    assert_eq!(request["events"]["text"], 5);
    assert!(request["metrics"].is_null() && request["wall_ms"].is_number(), "{request}");
}

#[test]
fn a_context_that_overflows() {
    let bench = Bench::new();
    // The engine takes less than it lists, as engines do whose context is shared by their slots.
    let server = Server::engine(|_| {
        Answer::json(
            "400 Bad Request",
            &serde_json::json!({ "error": { "message": "This model's maximum context length is 64 tokens.", "code": "context_length_exceeded", "type": "invalid_request_error" } }),
        )
    });
    bench.quick_without_record(&server.url(), "W1", &[]).fails(4, "context-overflow", &["64 tokens"]);
}

#[test]
fn an_engine_that_goes_away_spares_the_rest_of_the_suite() {
    let bench = Bench::new();
    let engine = engine(SimConfig { gap_us: 20_000, ..quick() });
    let url = engine.url();
    let child = bench.spawn(["run", "--quick", "--plugin", "openai", "--endpoint", &url, "--json", "record.json"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        // The measured request of W1 is on its way.
        while engine.counters().requests < 3 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        engine.shutdown().await;
    });
    let ran = crate::support::Ran::from(child.wait_with_output().unwrap()).exits(3);
    let record: Value = serde_json::from_slice(&std::fs::read(bench.path("record.json")).unwrap()).unwrap();
    check_schema(&record);
    assert_eq!(record["status"], "failed");
    assert_eq!(workload(&record, "W1")["status"], "failed");
    for label in ["W2", "W3", "W4", "W5"] {
        assert_eq!(workload(&record, label)["status"], "cancelled", "{ran}");
        assert_eq!(problem_code(workload(&record, label)), "connect-refused");
    }
}

#[test]
fn a_redirect_to_another_host_is_not_followed() {
    let elsewhere = Server::start(|_| Answer::models());
    let location = format!("{}/v1/models", elsewhere.url().replace("127.0.0.1", "localhost"));
    let redirect = Answer::full("307 Temporary Redirect", "text/plain", &format!("location: {location}\r\n"), "");
    let engine = Server::start(move |_| redirect.clone());
    let bench = Bench::new().with("BENCH_API_KEY", "key-for-the-engine-alone");
    bench.quick_without_record(&engine.url(), "W1", &[]).fails(4, "redirect", &["localhost"]);
    assert!(elsewhere.seen().is_empty(), "{:?}", elsewhere.seen());
    assert!(!engine.seen().is_empty());
    let heard = |asked: &crate::support::Asked| asked.head.contains("key-for-the-engine-alone");
    assert!(!engine.seen().iter().any(heard), "a server that sends its clients elsewhere gets no key");
}

#[test]
fn a_redirect_of_a_measured_request_is_not_followed() {
    let elsewhere = Server::start(|_| Answer::models());
    let location = format!("{}/v1/chat/completions", elsewhere.url());
    breaks_a_workload(FaultKind::Redirect { location: location.clone() }, "redirect");
    refused_at_once(FaultKind::Redirect { location }, "redirect", &[]);
    assert!(elsewhere.seen().is_empty(), "{:?}", elsewhere.seen());
}

#[test]
fn with_no_engine_a_simulation_stands_in_and_says_so() {
    let bench = Bench::new();
    let survey = bench.run(["detect", "--json"]).exits(0).json();
    if survey["engines"] != serde_json::json!([]) {
        // Somebody's engine runs on this machine; it is not ours to measure.
        return;
    }
    let ran = bench.run(["run", "--quick", "--workload", "W1", "--json", "-"]).exits(0);
    assert!(ran.stderr.contains("SIMULATION"), "{ran}");
    let record = ran.json();
    assert_eq!(record["simulated"], true);
    assert_eq!(record["publishable"]["ok"], false);
    let shown = bench.run(["show"]).exits(0);
    assert!(shown.stdout.contains("SIMULATION"), "{shown}");
}

#[cfg(unix)]
#[test]
fn an_engine_that_cannot_be_started() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new();
    let programs = bench.path("programs");
    let bench = bench.with("PATH", programs.to_str().unwrap());
    let launch = ["run", "--quick", "--launch", "--plugin", "llama-cpp", "--model", "weights.gguf"];
    bench.run(launch).fails(1, "engine-not-found", &["llama-server"]);
    let program = bench.write("programs/llama-server", "#!/bin/sh\necho cannot load $2 >&2\nexit 7\n");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let ran = bench.run(launch).exits(1);
    for words in ["[engine-exited-early]", "llama-server", "cannot load", "7"] {
        assert!(ran.stderr.contains(words), "no `{words}`: {ran}");
    }
    assert!(bench.runs().is_empty());
}
