//! Streams in every form that servers are seen to send: each means the same, and is read the same.

use bench_sim::{Framing, LineEnds, SimConfig, UsageMode};
use serde_json::{Value, json};

use crate::support::{Bench, Server, engine, measured, problem_code, quick};

fn chunk(delta: &Value) -> String {
    json!({ "id": "c", "object": "chat.completion.chunk", "model": "scripted", "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] })
        .to_string()
}

fn text(word: &str) -> String {
    chunk(&json!({ "content": word }))
}

const END: &str = r#"{"id":"c","object":"chat.completion.chunk","model":"scripted","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#;
const USAGE: &str = r#"{"id":"c","object":"chat.completion.chunk","model":"scripted","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":3,"total_tokens":14}}"#;

/// Runs W1 against a server that always sends these pieces, and answers with its measured request.
#[track_caller]
fn measure(pieces: &[&[u8]]) -> Value {
    let bench = Bench::new();
    let server = Server::streaming(pieces);
    let (ran, record) = bench.quick(&server.url(), "W1", &[]);
    ran.exits(0);
    measured(&record, "W1").clone()
}

fn lines(separator: &str, events: &[&str]) -> Vec<u8> {
    events.iter().map(|event| format!("data: {event}{separator}{separator}")).collect::<String>().into_bytes()
}

#[test]
fn carriage_returns_end_lines_too() {
    let all = lines("\r\n", &[&text("one "), &text("two "), &text("three"), END, USAGE, "[DONE]"]);
    // Cut between the two characters of a line end, where a naive reader sees an empty line too many.
    let cut = all.iter().position(|byte| *byte == b'\r').unwrap() + 1;
    let request = measure(&[&all[..cut], &all[cut..]]);
    assert_eq!(request["events"]["text"], 3);
    assert_eq!(request["metrics"]["output_tokens"], 3);
    let bench = Bench::new();
    let config = SimConfig { framing: Framing { line_ends: LineEnds::CrLf, ..Framing::default() }, ..quick() };
    let engine = engine(config);
    let (ran, record) = bench.quick(&engine.url(), "W1", &[]);
    ran.exits(0);
    assert_eq!(measured(&record, "W1")["metrics"]["output_tokens"], 32);
}

#[test]
fn data_over_several_lines() {
    let spread = text("two ").replacen(',', ",\ndata: ", 2);
    let all = lines("\n", &[&text("one "), &spread, &text("three"), END, USAGE, "[DONE]"]);
    let request = measure(&[&all]);
    assert_eq!(request["events"]["text"], 3);
    assert_eq!(request["events"]["other"], 0);
}

#[test]
fn a_character_and_a_frame_in_pieces() {
    let all = lines("\n", &[&text("größer "), &text("日本"), &text("🦀"), END, USAGE, "[DONE]"]);
    let single: Vec<&[u8]> = all.chunks(1).collect();
    let request = measure(&single);
    assert_eq!(request["events"]["text"], 3, "byte by byte is the same stream");
    assert_eq!(request["metrics"]["output_tokens"], 3);
    let bench = Bench::new();
    // Far enough apart that not even a busy machine reads all halves together.
    let framing = Framing { split_utf8_us: Some(10_000), ..Framing::default() };
    let engine = engine(SimConfig { gap_us: 20_000, framing, ..quick() });
    let (ran, record) = bench.quick(&engine.url(), "W1", &[]);
    ran.exits(0);
    let split = measured(&record, "W1");
    assert_eq!(split["metrics"]["output_tokens"], 32);
    assert!(split["metrics"]["reads"].as_u64().unwrap() > 32, "events came in two reads");
}

#[test]
fn chunks_without_choices_and_comments_are_no_tokens() {
    let bench = Bench::new();
    let framing = Framing { empty_choices: 3, comments: 4, ..Framing::default() };
    let engine = engine(SimConfig { framing, ..quick() });
    let (ran, record) = bench.quick(&engine.url(), "W1", &[]);
    ran.exits(0);
    let request = measured(&record, "W1");
    assert_eq!(request["metrics"]["output_tokens"], 32);
    assert_eq!(request["events"]["text"], 32);
    assert_eq!(request["metrics"]["chunks"], 32);
}

#[test]
fn without_usage_tokens_are_not_invented() {
    let bench = Bench::new();
    let engine = engine(SimConfig { usage: UsageMode::Never, ..quick() });
    let (ran, record) = bench.quick(&engine.url(), "W1", &[]);
    ran.exits(0);
    let metrics = &measured(&record, "W1")["metrics"];
    for unknown in ["prompt_tokens", "output_tokens", "prefill_tps", "decode_tps", "cached_tokens"] {
        assert!(metrics[unknown].is_null(), "{unknown} is {}", metrics[unknown]);
    }
    assert!(metrics["ttft_ms"].as_f64().unwrap() > 0.0, "times need no counts");
    assert_eq!(metrics["chunks"], 32);
    assert!(!record["publishable"]["ok"].as_bool().unwrap());
}

#[test]
fn an_answer_that_is_shorter_than_asked_is_flagged() {
    let bench = Bench::new();
    let engine = engine(SimConfig { natural_tokens: Some(20), ..quick() });
    let (ran, record) = bench.quick(&engine.url(), "W1", &[]);
    ran.exits(0);
    let metrics = &measured(&record, "W1")["metrics"];
    assert_eq!(metrics["output_tokens"], 20);
    assert_eq!(metrics["requested_output_tokens"], 32);
    assert_eq!(metrics["finish"], "stop");
    assert!(!metrics["flags"].as_array().unwrap().is_empty(), "{metrics}");
}

/// Runs W1 against an engine whose answers are in order until the measured one, and expects it to fail with a code.
#[track_caller]
fn breaks(pieces: &[&[u8]], code: &str) {
    let bench = Bench::new();
    let good = lines("\n", &[&text("one "), &text("two "), &text("three"), END, USAGE, "[DONE]"]);
    let good = crate::support::Answer::stream([&good[..]]);
    let bad = crate::support::Answer::stream(pieces.iter().copied());
    let asked = std::sync::atomic::AtomicU32::new(0);
    let server = Server::engine(move |_| {
        // The request before the suite and the warm-up go well.
        if asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2 { good.clone() } else { bad.clone() }
    });
    let (ran, record) = bench.quick(&server.url(), "W1", &[]);
    let ran = ran.exits(3);
    crate::support::check_schema(&record);
    let workload = crate::support::workload(&record, "W1");
    assert_eq!(workload["status"], "failed");
    assert_eq!(problem_code(workload), code, "{workload}");
    assert!(ran.stderr.contains(&format!("[{code}]")), "{ran}");
    assert_eq!(problem_code(measured(&record, "W1")), code);
}

#[test]
fn zero_tokens() {
    let stopped = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
    breaks(&[&lines("\n", &[stopped, "[DONE]"])], "no-output");
}

#[test]
fn tokens_that_are_counted_and_not_streamed() {
    breaks(&[&lines("\n", &[END, USAGE, "[DONE]"])], "only-hidden-tokens");
}

#[test]
fn json_that_is_cut_off() {
    breaks(&[&lines("\n", &[&text("one "), r#"{"choices":[{"delta":{"cont"#, END, "[DONE]"])], "malformed-response");
}

#[test]
fn a_stream_that_ends_without_its_end() {
    breaks(&[&lines("\n", &[&text("one "), &text("two ")])], "truncated-stream");
}

#[test]
fn an_error_in_the_stream() {
    let error = r#"{"error":{"message":"the GPU is on fire","type":"server_error","code":500}}"#;
    breaks(&[&lines("\n", &[&text("one "), error])], "server-error");
}

#[test]
fn bytes_that_are_no_text() {
    breaks(
        &[b"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe\"}}]}\n\n", &lines("\n", &[END, "[DONE]"])],
        "malformed-response",
    );
}

#[test]
fn counts_that_cannot_be() {
    let lie = r#"{"id":"c","model":"scripted","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":500}}}"#;
    breaks(
        &[&lines("\n", &[&text("one "), &text("two "), &text("three"), END, lie, "[DONE]"])],
        "cached-exceeds-prompt",
    );
}
