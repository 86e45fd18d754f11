//! What the driver makes of LM Studio's documented answers, and what it asks.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::{Driver, LaunchOptions};
use bench_sdk::testkit::{self, Fixtures, body, counts, fragment, target};
use bench_sdk::types::{Event, FinishReason, ServerTiming};
use driver_lm_studio::Plugin;
use serde_json::{Value, json};

const FIXTURES: Fixtures<Plugin> = Fixtures::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));

#[test]
fn a_stream_counts_at_its_end() {
    let expected = [
        Event::Reasoning("Hm".into()),
        fragment("Bl"),
        fragment("ue"),
        fragment("."),
        Event::Finish(FinishReason::Stop),
        counts(24, None, 4, None),
    ];
    assert_eq!(FIXTURES.events("chat.stream"), expected);
}

#[test]
fn stats_are_taken_where_they_are() {
    let events = FIXTURES.events("stats");
    let timing = ServerTiming {
        queue_ms: None,
        load_ms: None,
        prefill_ms: None,
        prefill_tokens: None,
        decode_ms: Some(954.0),
        decode_tokens: None,
        draft_tokens: Some(6),
        accepted_tokens: Some(2),
    };
    assert!(events.contains(&fragment("Blue.")), "{events:?}");
    assert!(events.contains(&Event::ServerTiming(timing)), "{events:?}");
    let kept: Vec<&String> = events
        .iter()
        .filter_map(|event| match event {
            Event::Other(words) => Some(words),
            _ => None,
        })
        .collect();
    assert!(kept.iter().any(|words| words.contains("time_to_first_token")), "{kept:?}");
    assert!(kept.iter().any(|words| words.contains("apple-metal")), "{kept:?}");
}

#[test]
fn errors_have_their_codes() {
    assert_eq!(FIXTURES.code("error.400"), "context-overflow");
    assert_eq!(FIXTURES.code("error.401"), "unauthorized");
    assert_eq!(FIXTURES.code("error.404"), "model-not-found");
}

#[test]
fn loaded_models_come_first_and_embeddings_not_at_all() {
    let backend = Plugin::recognise(vec![FIXTURES.load("models").answer("models")]).unwrap();
    let models: Vec<_> = backend
        .models
        .iter()
        .map(|model| (model.id.as_str(), model.context_length, model.quantization.as_deref()))
        .collect();
    let expected =
        [("granite-3.0-2b-instruct", Some(4096), Some("Q4_K_M")), ("qwen2-vl-7b-instruct", Some(32_768), Some("4bit"))];
    assert_eq!(models, expected);
    assert_eq!(backend.build, ["granite-3.0-2b-instruct: gguf, granite"]);
}

#[test]
fn the_paths_can_be_chosen() {
    let path = |params: Value| Plugin::encode(testkit::chat("Hello", 8), target(&params)).unwrap().request.path;
    assert_eq!(path(json!({})), "/v1/chat/completions");
    assert_eq!(path(json!({"api": "v0"})), "/api/v0/chat/completions");
    let encoded = Plugin::encode(testkit::raw("Once", 8), target(&json!({"api": "v0", "ttl": 60}))).unwrap();
    assert_eq!(encoded.request.path, "/api/v0/completions");
    assert_eq!(body(&encoded).get("ttl"), Some(&json!(60)));
    assert!(!encoded.forced_length && !encoded.cache_off);
}

#[test]
fn the_server_is_started_by_its_user() {
    let options = LaunchOptions { port: 4000, context: None, slots: None, params: "{}".into() };
    let problem = Plugin::launch("m".into(), options).unwrap_err();
    assert_eq!(problem.code, "not-supported");
    assert!(problem.hint.unwrap().contains("lms server start"));
}
