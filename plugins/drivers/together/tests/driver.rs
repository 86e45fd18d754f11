//! What the driver makes of Together AI's documented answers, and what it asks.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::{Driver, Encoded, LaunchOptions, Target};
use bench_sdk::testkit::{self, Recording};
use bench_sdk::types::{Event, FinishReason, HeaderPart, Usage};
use driver_together::Plugin;
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
fn text_that_stands_twice_in_a_chunk_counts_once() {
    let expected = [text("Bl"), text("ue"), text("."), Event::Finish(FinishReason::Stop), usage(39, None, 4, None)];
    assert_eq!(events("chat.stream"), expected);
}

#[test]
fn errors_have_their_codes() {
    assert_eq!(code("error.401"), "unauthorized");
    assert_eq!(code("error.404"), "model-not-found");
    assert_eq!(code("error.422"), "context-overflow");
    assert_eq!(code("error.429"), "rate-limited");
    assert_eq!(code("error.503"), "overloaded");
    assert_eq!(code("error.502"), "server-error");
}

#[test]
fn the_list_is_bare_and_holds_other_kinds_of_models() {
    let backend = Plugin::recognise(vec![fixture("models").answer("models")]).unwrap();
    let models: Vec<_> = backend.models.iter().map(|model| (model.id.as_str(), model.context_length)).collect();
    assert_eq!(models, [("meta-llama/Llama-3.3-70B-Instruct-Turbo", Some(131_072))]);
}

#[test]
fn logprobs_are_a_number() {
    let mut generation = testkit::chat("Hello", 8);
    generation.logprobs = Some(0);
    let encoded = Plugin::encode(generation, target(json!({}))).unwrap();
    assert!(carries_the_key(&encoded));
    let body = body(&encoded);
    assert_eq!((body.get("logprobs"), body.get("top_logprobs")), (Some(&json!(1)), None));
}

#[test]
fn a_service_is_not_started() {
    let options = LaunchOptions { port: 4000, context: None, slots: None, params: "{}".into() };
    assert_eq!(Plugin::launch("m".into(), options).unwrap_err().code, "not-supported");
}
