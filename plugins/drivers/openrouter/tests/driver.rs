//! What the driver makes of OpenRouter's documented answers, and what it asks.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::{Driver, Encoded, LaunchOptions, Target};
use bench_sdk::testkit::{self, Recording};
use bench_sdk::types::{Event, FinishReason, HeaderPart, Usage};
use driver_openrouter::Plugin;
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
fn comments_are_no_work_and_the_route_is_kept() {
    let expected = [
        Event::Reasoning("Hm.".into()),
        text("Bl"),
        text("ue"),
        text("."),
        Event::Finish(FinishReason::Stop),
        usage(19, Some(16), 6, Some(2)),
        Event::Other(json!({"provider": "Fireworks", "cost": 0.000_015_3, "cost_details": {"upstream_inference_cost": null}, "is_byok": false}).to_string()),
    ];
    assert_eq!(events("chat.stream"), expected);
}

#[test]
fn reads_of_comments_are_counted() {
    let events = fixture("chat.stream").decode::<<Plugin as Driver>::Decoder>().unwrap();
    assert_eq!(events.first().unwrap().read, 2);
}

#[test]
fn an_error_in_the_stream_is_an_error() {
    let events = events("error.stream");
    assert!(
        matches!(events.last(), Some(Event::Error(problem)) if problem.message.contains("disconnected")),
        "{events:?}"
    );
}

#[test]
fn errors_have_their_codes() {
    assert_eq!(code("error.401"), "unauthorized");
    assert_eq!(code("error.402"), "unauthorized");
    assert_eq!(code("error.404"), "model-not-found");
    assert_eq!(code("error.429"), "rate-limited");
    assert_eq!(code("error.502"), "server-error");
    assert_eq!(code("error.503"), "overloaded");
    let hint = |name: &str| Plugin::explain(fixture(name).response()).hint.unwrap();
    assert!(hint("error.402").contains("credit"));
    assert!(hint("error.429").contains("30 s"));
    assert!(hint("error.503").contains("provider"));
}

#[test]
fn a_models_context_is_what_its_first_provider_offers() {
    let backend = Plugin::recognise(vec![fixture("models").answer("models")]).unwrap();
    assert_eq!(backend.models.first().unwrap().context_length, Some(65_536));
}

#[test]
fn the_route_can_be_pinned() {
    let params =
        json!({"provider": {"only": ["Fireworks"], "allow_fallbacks": false}, "reasoning": {"enabled": false}});
    let encoded = Plugin::encode(testkit::chat("Hello", 8), target(params)).unwrap();
    assert!(carries_the_key(&encoded));
    assert!(!encoded.forced_length && !encoded.cache_off);
    let body = body(&encoded);
    assert_eq!(body.pointer("/provider/only/0"), Some(&json!("Fireworks")));
    assert_eq!(body.pointer("/reasoning/enabled"), Some(&json!(false)));
    assert_eq!(body.pointer("/usage/include"), Some(&json!(true)));
}

#[test]
fn a_service_is_not_started() {
    let options = LaunchOptions { port: 4000, context: None, slots: None, params: "{}".into() };
    assert_eq!(Plugin::launch("m".into(), options).unwrap_err().code, "not-supported");
}
