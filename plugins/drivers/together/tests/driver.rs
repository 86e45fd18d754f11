//! What the driver makes of Together AI's documented answers, and what it asks.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::Driver;
use bench_sdk::testkit::{self, Fixtures, body, carries_the_key, counts, fragment, target};
use bench_sdk::types::{Event, FinishReason};
use driver_together::Plugin;
use serde_json::json;

const FIXTURES: Fixtures<Plugin> = Fixtures::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));

#[test]
fn text_that_stands_twice_in_a_chunk_counts_once() {
    let expected =
        [fragment("Bl"), fragment("ue"), fragment("."), Event::Finish(FinishReason::Stop), counts(39, None, 4, None)];
    assert_eq!(FIXTURES.events("chat.stream"), expected);
}

#[test]
fn errors_have_their_codes() {
    assert_eq!(FIXTURES.code("error.401"), "unauthorized");
    assert_eq!(FIXTURES.code("error.404"), "model-not-found");
    assert_eq!(FIXTURES.code("error.422"), "context-overflow");
    assert_eq!(FIXTURES.code("error.429"), "rate-limited");
    assert_eq!(FIXTURES.code("error.503"), "overloaded");
    assert_eq!(FIXTURES.code("error.502"), "server-error");
}

#[test]
fn the_list_is_bare_and_holds_other_kinds_of_models() {
    let backend = Plugin::recognise(vec![FIXTURES.load("models").answer("models")]).unwrap();
    let models: Vec<_> = backend.models.iter().map(|model| (model.id.as_str(), model.context_length)).collect();
    assert_eq!(models, [("meta-llama/Llama-3.3-70B-Instruct-Turbo", Some(131_072))]);
}

#[test]
fn logprobs_are_a_number() {
    let mut generation = testkit::chat("Hello", 8);
    generation.logprobs = Some(0);
    let encoded = Plugin::encode(generation, target(&json!({}))).unwrap();
    assert!(carries_the_key(&encoded));
    let body = body(&encoded);
    assert_eq!((body.get("logprobs"), body.get("top_logprobs")), (Some(&json!(1)), None));
}
