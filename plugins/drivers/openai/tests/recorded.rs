//! The generic driver against traffic recorded from three real servers.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::{Driver, Target};
use bench_sdk::testkit::{Recording, chat, raw, text, usage};
use bench_sdk::types::{Event, FinishReason, Generation};
use driver_openai::Plugin;
use serde_json::Value;

type Decoder = <Plugin as Driver>::Decoder;

fn recording(driver: &str, name: &str) -> Recording {
    Recording::load(format!("{}/../{driver}/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn encode(generation: Generation, params: &str) -> Value {
    let target = Target { model: "m".to_owned(), version: None, params: params.to_owned() };
    let encoded = Plugin::encode(generation, target).unwrap();
    assert!(!encoded.forced_length && !encoded.cache_off);
    serde_json::from_slice(&encoded.request.body).unwrap()
}

#[test]
fn every_servers_stream_is_understood() {
    for (driver, name, prompt, completion) in [
        ("llama-cpp", "chat", 38, 24),
        ("llama-cpp", "completions", 5, 12),
        ("vllm", "chat-plain", 38, 6),
        ("vllm", "completions", 5, 12),
        ("mlx", "chat", 38, 12),
        ("mlx", "completions", 5, 6),
    ] {
        let events = recording(driver, name).decode_consistently::<Decoder>().unwrap();
        let counts = usage(&events).unwrap();
        assert_eq!(
            (counts.prompt_tokens, counts.completion_tokens),
            (Some(prompt), Some(completion)),
            "{driver} {name}"
        );
        assert!(!text(&events).is_empty());
        assert!(events.iter().any(|located| located.event == Event::Finish(FinishReason::Length)), "{driver} {name}");
    }
}

#[test]
fn every_server_is_recognised_with_little_confidence() {
    for (driver, context) in [("llama-cpp", Some(2048)), ("vllm", Some(2048)), ("mlx", None)] {
        let backend = Plugin::recognise(vec![recording(driver, "models").answer("models")]).unwrap();
        assert!(backend.confidence <= 10);
        assert_eq!(backend.models.len(), 1);
        assert_eq!(backend.models[0].context_length, context, "{driver}");
    }
    assert!(Plugin::recognise(vec![recording("mlx", "error-path").answer("models")]).is_none());
}

#[test]
fn errors_of_every_server_have_codes() {
    for (driver, name, code) in [
        ("llama-cpp", "error-context", "context-overflow"),
        ("vllm", "error-context", "context-overflow"),
        ("vllm", "error-model", "model-not-found"),
        ("mlx", "error-path", "not-found"),
    ] {
        assert_eq!(Plugin::explain(recording(driver, name).response()).code, code, "{driver} {name}");
    }
}

#[test]
fn requests_hold_to_the_public_interface() {
    let body = encode(Generation { force_length: true, ..chat("hi", 7) }, "");
    assert_eq!(
        body,
        serde_json::json!({
            "model": "m",
            "stream": true,
            "stream_options": {"include_usage": true},
            "messages": [{"role": "user", "content": "hi"}],
            "max_tokens": 7,
        })
    );
    let body = encode(raw("hi", 7), r#"{"include_usage":false,"extra":{"min_p":0.1}}"#);
    assert_eq!(body, serde_json::json!({"model": "m", "stream": true, "prompt": "hi", "max_tokens": 7, "min_p": 0.1}));
}

#[test]
fn the_key_is_named_and_never_known() {
    let target = Target { model: "m".to_owned(), version: None, params: String::new() };
    let request = Plugin::encode(chat("hi", 1), target).unwrap().request;
    let header = request.headers.iter().find(|header| header.name == "authorization").unwrap();
    assert!(matches!(
        header.value.as_slice(),
        [bench_sdk::types::HeaderPart::Text(scheme), bench_sdk::types::HeaderPart::Secret(name)]
            if scheme == "Bearer " && name == "api-key"
    ));
}
