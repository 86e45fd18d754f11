//! What the driver makes of Fireworks AI's documented answers, and what it asks.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::Driver;
use bench_sdk::testkit::{self, Fixtures, body, carries_the_key, counts, fragment, target};
use bench_sdk::types::{CacheMode, Event, FinishReason, ServerTiming};
use driver_fireworks::Plugin;
use serde_json::json;

const FIXTURES: Fixtures<Plugin> = Fixtures::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));

#[test]
fn metrics_of_the_last_chunk_become_times() {
    let events = FIXTURES.events("chat.stream");
    let timing = ServerTiming {
        queue_ms: Some(2.0),
        load_ms: None,
        prefill_ms: Some(110.0),
        prefill_tokens: None,
        decode_ms: None,
        decode_tokens: None,
        draft_tokens: None,
        accepted_tokens: None,
    };
    let expected = [
        Event::Start,
        fragment("Bl"),
        fragment("ue"),
        fragment("."),
        counts(14, Some(0), 4, None),
        Event::ServerTiming(timing),
    ];
    assert_eq!(events.get(..6), Some(expected.as_slice()), "{events:?}");
    assert!(matches!(events.get(6), Some(Event::Other(words)) if words.contains("server-time-to-first-token")));
    assert_eq!(events.last(), Some(&Event::Finish(FinishReason::Stop)));
}

#[test]
fn errors_have_their_codes() {
    assert_eq!(FIXTURES.code("error.400"), "context-overflow");
    assert_eq!(FIXTURES.code("error.401"), "unauthorized");
    assert_eq!(FIXTURES.code("error.404"), "model-not-found");
    assert_eq!(FIXTURES.code("error.429"), "rate-limited");
    assert_eq!(FIXTURES.code("error.503"), "overloaded");
    assert_eq!(FIXTURES.code("error.502"), "server-error");
}

#[test]
fn models_come_with_their_context() {
    let backend = Plugin::recognise(vec![FIXTURES.load("models").answer("models")]).unwrap();
    assert_eq!(backend.models.first().unwrap().context_length, Some(131_072));
}

#[test]
fn cold_requests_pass_the_cache_by() {
    let mut generation = testkit::chat("Hello", 64);
    generation.force_length = true;
    let encoded = Plugin::encode(generation.clone(), target(&json!({}))).unwrap();
    assert!(encoded.forced_length && encoded.cache_off && carries_the_key(&encoded));
    let cold = body(&encoded);
    assert_eq!(cold.get("ignore_eos"), Some(&json!(true)));
    assert_eq!(cold.get("prompt_cache_max_len"), Some(&json!(0)));
    assert_eq!(cold.get("perf_metrics_in_response"), Some(&json!(true)));
    assert_eq!(cold.get("context_length_exceeded_behavior"), Some(&json!("error")));

    generation.cache = CacheMode::Warm;
    let encoded = Plugin::encode(generation, target(&json!({}))).unwrap();
    assert!(!encoded.cache_off);
    assert!(body(&encoded).get("prompt_cache_max_len").is_none());
}
