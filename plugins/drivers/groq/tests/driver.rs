//! What the driver makes of Groq's documented answers, and what it asks.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::Driver;
use bench_sdk::testkit::{self, Fixtures, body, carries_the_key, counts, fragment, target};
use bench_sdk::types::{Event, FinishReason, ServerTiming};
use driver_groq::Plugin;
use serde_json::json;

const FIXTURES: Fixtures<Plugin> = Fixtures::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));

#[test]
fn the_last_chunk_brings_counts_and_times() {
    let expected = [
        Event::Start,
        Event::Reasoning("Hm.".into()),
        fragment("Bl"),
        fragment("ue"),
        fragment("."),
        counts(18, Some(0), 4, None),
        Event::ServerTiming(ServerTiming {
            queue_ms: Some(0.037_493_756 * 1000.0),
            load_ms: None,
            prefill_ms: Some(0.000_680_594 * 1000.0),
            prefill_tokens: None,
            decode_ms: Some(8.0),
            decode_tokens: None,
            draft_tokens: None,
            accepted_tokens: None,
        }),
        Event::Finish(FinishReason::Stop),
    ];
    assert_eq!(FIXTURES.events("chat.stream"), expected);
}

#[test]
fn a_stream_that_stops_early_says_why() {
    let events = FIXTURES.events("error.stream");
    assert!(
        matches!(events.last(), Some(Event::Error(problem)) if problem.message.contains("over capacity")),
        "{events:?}"
    );
}

#[test]
fn errors_have_their_codes() {
    assert_eq!(FIXTURES.code("error.400"), "context-overflow");
    assert_eq!(FIXTURES.code("error.401"), "unauthorized");
    assert_eq!(FIXTURES.code("error.404"), "model-not-found");
    assert_eq!(FIXTURES.code("error.429"), "rate-limited");
    assert_eq!(FIXTURES.code("error.498"), "overloaded");
    assert_eq!(FIXTURES.code("error.500"), "server-error");
    assert_eq!(FIXTURES.code("error.502"), "server-error");
    assert!(Plugin::explain(FIXTURES.load("error.429").response()).hint.unwrap().contains("7.66 s"));
}

#[test]
fn models_come_with_their_context() {
    let backend = Plugin::recognise(vec![FIXTURES.load("models").answer("models")]).unwrap();
    assert_eq!(backend.models.first().unwrap().context_length, Some(131_072));
}

#[test]
fn usage_comes_unasked() {
    let mut generation = testkit::chat("Hello", 64);
    generation.force_length = true;
    generation.sampling.seed = Some(3);
    generation.sampling.top_k = Some(3);
    let encoded = Plugin::encode(generation, target(&json!({"service_tier": "flex"}))).unwrap();
    assert!(!encoded.forced_length && !encoded.cache_off && encoded.seeded && carries_the_key(&encoded));
    let expected = json!({
        "model": "the-model", "stream": true, "messages": [{"role": "user", "content": "Hello"}],
        "max_completion_tokens": 64, "seed": 3, "service_tier": "flex",
    });
    assert_eq!(body(&encoded), expected);
}

#[test]
fn raw_prompts_are_not_supported() {
    assert_eq!(Plugin::encode(testkit::raw("Once", 8), target(&json!({}))).unwrap_err().code, "not-supported");
}
