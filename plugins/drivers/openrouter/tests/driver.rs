//! What the driver makes of OpenRouter's documented answers, and what it asks.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::Driver;
use bench_sdk::testkit::{self, Fixtures, body, carries_the_key, counts, fragment, target};
use bench_sdk::types::{Event, FinishReason};
use driver_openrouter::Plugin;
use serde_json::json;

const FIXTURES: Fixtures<Plugin> = Fixtures::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));

#[test]
fn comments_are_no_work_and_the_route_is_kept() {
    let expected = [
        Event::Reasoning("Hm.".into()),
        fragment("Bl"),
        fragment("ue"),
        fragment("."),
        Event::Finish(FinishReason::Stop),
        counts(19, Some(16), 6, Some(2)),
        Event::Other(json!({"provider": "Fireworks", "cost": 0.000_015_3, "cost_details": {"upstream_inference_cost": null}, "is_byok": false}).to_string()),
    ];
    assert_eq!(FIXTURES.events("chat.stream"), expected);
}

#[test]
fn reads_of_comments_are_counted() {
    let events = FIXTURES.located("chat.stream");
    assert_eq!(events.first().unwrap().read, 2);
}

#[test]
fn an_error_in_the_stream_is_an_error() {
    let events = FIXTURES.events("error.stream");
    assert!(
        matches!(events.last(), Some(Event::Error(problem)) if problem.message.contains("disconnected")),
        "{events:?}"
    );
}

#[test]
fn errors_have_their_codes() {
    assert_eq!(FIXTURES.code("error.401"), "unauthorized");
    assert_eq!(FIXTURES.code("error.402"), "quota-exhausted");
    assert_eq!(FIXTURES.code("error.404"), "model-not-found");
    assert_eq!(FIXTURES.code("error.429"), "rate-limited");
    assert_eq!(FIXTURES.code("error.502"), "server-error");
    assert_eq!(FIXTURES.code("error.503"), "overloaded");
    let hint = |name: &str| Plugin::explain(FIXTURES.load(name).response()).hint.unwrap();
    assert!(hint("error.402").contains("credit"));
    assert!(hint("error.429").contains("30 s"));
    assert!(hint("error.503").contains("provider"));
}

#[test]
fn a_models_context_is_what_its_first_provider_offers() {
    let backend = Plugin::recognise(vec![FIXTURES.load("models").answer("models")]).unwrap();
    assert_eq!(backend.models.first().unwrap().context_length, Some(65_536));
}

#[test]
fn the_route_can_be_pinned() {
    let params =
        json!({"provider": {"only": ["Fireworks"], "allow_fallbacks": false}, "reasoning": {"enabled": false}});
    let encoded = Plugin::encode(testkit::chat("Hello", 8), target(&params)).unwrap();
    assert!(carries_the_key(&encoded));
    assert!(!encoded.forced_length && !encoded.cache_off);
    let body = body(&encoded);
    assert_eq!(body.pointer("/provider/only/0"), Some(&json!("Fireworks")));
    assert_eq!(body.pointer("/reasoning/enabled"), Some(&json!(false)));
    assert_eq!(body.pointer("/usage/include"), Some(&json!(true)));
}
