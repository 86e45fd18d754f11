//! A key goes to the engine and nowhere else: into no message, record, trace, log or other file.

use std::fs;
use std::path::Path;

use bench_sim::SimConfig;
use serde_json::json;

use crate::support::{Answer, Asked, Bench, Ran, Server, engine, quick};

const KEY: &str = "quokka-7f3a91c2-not-for-anyone";
const VARIABLE: &str = "KEY_OF_THE_TEST";

fn bench() -> Bench {
    Bench::new().with(VARIABLE, KEY)
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

#[track_caller]
fn expect_no_key(bench: &Bench, ran: &Ran) {
    assert!(!ran.stdout.contains(KEY) && !ran.stderr.contains(KEY), "the key was printed: {ran}");
    look_into(bench.home());
}

/// Every file, compressed ones too: the trace is packed, so it is unpacked as well.
#[track_caller]
fn look_into(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // Compiled code is shared between tests and no output of a run.
            if !path.ends_with("compiled") {
                look_into(&path);
            }
            continue;
        }
        assert!(!contains(&fs::read(&path).unwrap(), KEY.as_bytes()), "the key is in {}", path.display());
        if path.extension().is_some_and(|extension| extension == "parquet") {
            let requests = bench_record::trace::read_trace(&path, bench_record::trace::TraceLimits::default()).unwrap();
            assert!(!requests.is_empty());
            for request in requests {
                assert!(!contains(&request.body, KEY.as_bytes()), "the key is in a body of the trace");
                let headers = request.head.map(|head| head.headers).unwrap_or_default();
                assert!(!headers.iter().any(|(name, value)| name.contains(KEY) || value.contains(KEY)), "{headers:?}");
            }
        }
    }
}

#[test]
fn a_key_reaches_the_engine_and_stays_out_of_everything() {
    let bench = bench();
    let engine = engine(SimConfig { api_key: Some(KEY.to_owned()), ..quick() });
    let (ran, record) = bench.quick(&engine.url(), "W1,W5", &["--api-key-env", VARIABLE]);
    let ran = ran.exits(0);
    assert_eq!(record["status"], "completed");
    expect_no_key(&bench, &ran);
}

#[test]
fn without_the_key_the_engine_refuses() {
    let bench = bench();
    let engine = engine(SimConfig { api_key: Some(KEY.to_owned()), ..quick() });
    let ran = bench.quick_without_record(&engine.url(), "W1", &[]).exits(4);
    expect_no_key(&bench, &ran);
}

#[test]
fn a_variable_that_is_not_set() {
    let bench = Bench::new();
    let ran = bench.quick_without_record("http://127.0.0.1:1", "W1", &["--api-key-env", "NO_SUCH_VARIABLE"]);
    ran.fails(4, "missing-secret", &["NO_SUCH_VARIABLE"]).hints("NO_SUCH_VARIABLE");
}

fn key_of(asked: &Asked) -> String {
    let line = asked.head.lines().find(|line| line.to_ascii_lowercase().starts_with("authorization:"));
    line.and_then(|line| line.rsplit(' ').next()).unwrap_or_default().to_owned()
}

/// Repeats the key in every place that an answer has.
fn echo(asked: &Asked, status: &str) -> Answer {
    let key = key_of(asked);
    let headers =
        format!("x-your-key: {key}\r\nset-cookie: session={key}\r\nwww-authenticate: Bearer realm=\"{key}\"\r\n");
    let body = json!({ "error": { "message": format!("the key {key} is not known"), "type": key, "code": key } });
    Answer::full(status, "application/json", &headers, &body.to_string())
}

#[test]
fn an_engine_that_repeats_the_key_in_a_refusal() {
    for status in ["401 Unauthorized", "500 Internal Server Error"] {
        let bench = bench();
        let server = Server::engine(move |asked| echo(asked, status));
        let ran = bench.quick_without_record(&server.url(), "W1", &["--api-key-env", VARIABLE]).exits(4);
        assert!(server.seen().iter().any(|asked| key_of(asked) == KEY), "the key was sent");
        assert!(ran.stderr.contains("is not known"), "the rest of the message is there: {ran}");
        expect_no_key(&bench, &ran);
    }
}

#[test]
fn an_engine_that_repeats_the_key_in_its_list_of_models() {
    let bench = bench();
    let server = Server::start(|asked| echo(asked, "401 Unauthorized"));
    let ran = bench.quick_without_record(&server.url(), "W1", &["--api-key-env", VARIABLE]).exits(4);
    expect_no_key(&bench, &ran);
}

#[test]
fn an_engine_that_names_its_model_after_the_key() {
    let bench = bench();
    let server = Server::start(|asked| {
        let key = key_of(asked);
        Answer::json(
            "200 OK",
            &json!({ "data": [{ "id": format!("model-{key}"), "owned_by": key, "max_model_len": 4096 }] }),
        )
    });
    let ran = bench.quick_without_record(&server.url(), "W1", &["--api-key-env", VARIABLE]);
    expect_no_key(&bench, &ran);
    let ran = bench.quick_without_record(&server.url(), "W1", &["--api-key-env", VARIABLE, "--model", "other"]);
    expect_no_key(&bench, &ran);
}

/// A stream with the key in its text, its usage and its headers.
fn streamed_echo(asked: &Asked, fails: bool) -> Answer {
    let key = key_of(asked);
    let word = json!({ "choices": [{ "index": 0, "delta": { "content": format!("your key is {key}") } }] });
    let last = if fails {
        json!({ "error": { "message": format!("no more of {key}"), "type": "server_error", "code": 500 } })
    } else {
        json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "length" }], "usage": { "prompt_tokens": 9, "completion_tokens": 1 }, "system_fingerprint": key })
    };
    let body = format!(": {key}\n\ndata: {word}\n\ndata: {last}\n\ndata: [DONE]\n\n");
    Answer::full("200 OK", "text/event-stream", &format!("x-your-key: {key}\r\n"), &body)
}

#[test]
fn an_engine_that_repeats_the_key_in_its_answers() {
    let bench = bench();
    let server = Server::engine(|asked| streamed_echo(asked, false));
    let (ran, _) = bench.quick(&server.url(), "W1,W5", &["--api-key-env", VARIABLE]);
    expect_no_key(&bench, &ran);
    for format in ["table", "json", "csv", "markdown"] {
        expect_no_key(&bench, &bench.run(["show", "--format", format]).exits(0));
    }
}

#[test]
fn an_engine_that_repeats_the_key_and_fails() {
    let bench = bench();
    let first = std::sync::atomic::AtomicBool::new(true);
    let server = Server::engine(move |asked| {
        let fails = !first.swap(false, std::sync::atomic::Ordering::SeqCst);
        streamed_echo(asked, fails)
    });
    let (ran, record) = bench.quick(&server.url(), "W1", &["--api-key-env", VARIABLE]);
    let ran = ran.exits(3);
    assert!(record.to_string().contains("no more of"), "the engine's words are kept");
    expect_no_key(&bench, &ran);
}

#[test]
fn a_key_in_the_address_or_a_parameter() {
    let bench = Bench::new();
    let engine = engine(quick());
    let with_user = engine.url().replace("http://", &format!("http://user:{KEY}@"));
    let ran = bench.quick_without_record(&with_user, "W1", &[]);
    expect_no_key(&bench, &ran);
    let parameter = format!("extra={{\"api_key\":\"{KEY}\"}}");
    let ran = bench.quick_without_record(&engine.url(), "W1", &["--param", &parameter]);
    expect_no_key(&bench, &ran);
}
