//! What the driver makes of Groq's documented answers, and what it asks.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::{Driver, Encoded, LaunchOptions, Target};
use bench_sdk::testkit::{self, Recording};
use bench_sdk::types::{Event, FinishReason, HeaderPart, ServerTiming, Usage};
use driver_groq::Plugin;
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

fn carries_the_key(encoded: &Encoded) -> bool {
    let value = [HeaderPart::Text("Bearer ".into()), HeaderPart::Secret("api-key".into())];
    encoded.request.headers.iter().any(|header| header.name == "authorization" && header.value == value)
}

#[test]
fn the_last_chunk_brings_counts_and_times() {
    let expected = [
        Event::Start,
        Event::Reasoning("Hm.".into()),
        text("Bl"),
        text("ue"),
        text("."),
        usage(18, Some(0), 4, None),
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
    assert_eq!(events("chat.stream"), expected);
}

#[test]
fn a_stream_that_stops_early_says_why() {
    let events = events("error.stream");
    assert!(
        matches!(events.last(), Some(Event::Error(problem)) if problem.message.contains("over capacity")),
        "{events:?}"
    );
}

#[test]
fn errors_have_their_codes() {
    assert_eq!(code("error.400"), "context-overflow");
    assert_eq!(code("error.401"), "unauthorized");
    assert_eq!(code("error.404"), "model-not-found");
    assert_eq!(code("error.429"), "rate-limited");
    assert_eq!(code("error.498"), "overloaded");
    assert_eq!(code("error.500"), "server-error");
    assert_eq!(code("error.502"), "server-error");
    assert!(Plugin::explain(fixture("error.429").response()).hint.unwrap().contains("7.66 s"));
}

#[test]
fn models_come_with_their_context() {
    let backend = Plugin::recognise(vec![fixture("models").answer("models")]).unwrap();
    assert_eq!(backend.models.first().unwrap().context_length, Some(131_072));
}

#[test]
fn usage_comes_unasked() {
    let mut generation = testkit::chat("Hello", 64);
    generation.force_length = true;
    generation.sampling.seed = Some(3);
    generation.sampling.top_k = Some(3);
    let encoded = Plugin::encode(generation, target(json!({"service_tier": "flex"}))).unwrap();
    assert!(!encoded.forced_length && !encoded.cache_off && encoded.seeded && carries_the_key(&encoded));
    let expected = json!({
        "model": "the-model", "stream": true, "messages": [{"role": "user", "content": "Hello"}],
        "max_completion_tokens": 64, "seed": 3, "service_tier": "flex",
    });
    assert_eq!(body(&encoded), expected);
}

#[test]
fn raw_prompts_are_not_supported() {
    assert_eq!(Plugin::encode(testkit::raw("Once", 8), target(json!({}))).unwrap_err().code, "not-supported");
}

#[test]
fn a_service_is_not_started() {
    let options = LaunchOptions { port: 4000, context: None, slots: None, params: "{}".into() };
    assert_eq!(Plugin::launch("m".into(), options).unwrap_err().code, "not-supported");
}
