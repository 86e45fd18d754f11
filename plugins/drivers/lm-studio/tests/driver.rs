//! What the driver makes of LM Studio's documented answers, and what it asks.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::{Driver, Encoded, LaunchOptions, Target};
use bench_sdk::testkit::{self, Recording};
use bench_sdk::types::{Event, FinishReason, ServerTiming, Usage};
use driver_lm_studio::Plugin;
use serde_json::{Value, json};

fn fixture(name: &str) -> Recording {
    Recording::load(format!("{}/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn events(name: &str) -> Vec<Event> {
    let events = fixture(name).decode::<<Plugin as Driver>::Decoder>().unwrap();
    events.into_iter().map(|located| located.event).collect()
}

fn code(name: &str) -> String {
    Plugin::explain(fixture(name).response()).code
}

fn target(params: Value) -> Target {
    Target { model: "the-model".into(), version: None, params: params.to_string() }
}

fn body(encoded: &Encoded) -> Value {
    serde_json::from_slice(&encoded.request.body).unwrap()
}

fn usage(prompt: u64, cached: Option<u64>, completion: u64, reasoning: Option<u64>) -> Event {
    Event::Usage(Usage {
        prompt_tokens: Some(prompt),
        cached_tokens: cached,
        completion_tokens: Some(completion),
        reasoning_tokens: reasoning,
    })
}

fn text(text: &str) -> Event {
    Event::Text(text.into())
}

#[test]
fn a_stream_counts_at_its_end() {
    let expected = [
        Event::Reasoning("Hm".into()),
        text("Bl"),
        text("ue"),
        text("."),
        Event::Finish(FinishReason::Stop),
        usage(24, None, 4, None),
    ];
    assert_eq!(events("chat.stream"), expected);
}

#[test]
fn stats_are_taken_where_they_are() {
    let events = events("stats");
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
    assert!(events.contains(&text("Blue.")), "{events:?}");
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
    assert_eq!(code("error.400"), "context-overflow");
    assert_eq!(code("error.401"), "unauthorized");
    assert_eq!(code("error.404"), "model-not-found");
}

#[test]
fn loaded_models_come_first_and_embeddings_not_at_all() {
    let backend = Plugin::recognise(vec![fixture("models").answer("models")]).unwrap();
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
    let path = |params: Value| Plugin::encode(testkit::chat("Hello", 8), target(params)).unwrap().request.path;
    assert_eq!(path(json!({})), "/v1/chat/completions");
    assert_eq!(path(json!({"api": "v0"})), "/api/v0/chat/completions");
    let encoded = Plugin::encode(testkit::raw("Once", 8), target(json!({"api": "v0", "ttl": 60}))).unwrap();
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
