//! The driver against answers written after the service's public documentation.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::{Driver, Target};
use bench_sdk::testkit::{Recording, chat, raw, text, usage};
use bench_sdk::types::{Event, FinishReason, Generation, Sampling, Usage};
use driver_openai_api::Plugin;
use serde_json::Value;

type Decoder = <Plugin as Driver>::Decoder;

fn recording(name: &str) -> Recording {
    Recording::load(format!("{}/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn sampled() -> Generation {
    let sampling = Sampling { temperature: Some(0.5), top_p: Some(0.9), top_k: Some(40), seed: Some(1) };
    Generation { sampling, ..chat("hi", 9) }
}

fn body(model: &str, params: &str) -> (Value, bool) {
    let target = Target { model: model.to_owned(), version: None, params: params.to_owned() };
    let encoded = Plugin::encode(sampled(), target).unwrap();
    (serde_json::from_slice(&encoded.request.body).unwrap(), encoded.seeded)
}

#[test]
fn answers_are_bounded_in_the_services_own_field() {
    let (body, seeded) = body("gpt-4.1-mini", "");
    assert_eq!(body["max_completion_tokens"], 9);
    assert!(body.get("max_tokens").is_none() && body.get("top_k").is_none());
    assert_eq!(body["temperature"], 0.5);
    assert_eq!(body["stream_options"]["include_obfuscation"], false);
    assert!(seeded);
}

#[test]
fn reasoning_models_get_no_sampling() {
    for model in ["o3", "o4-mini", "gpt-5", "gpt-5.1-codex", "gpt-6"] {
        let (body, seeded) = body(model, r#"{"reasoning_effort":"low"}"#);
        assert!(body.get("temperature").is_none() && body.get("seed").is_none() && !seeded, "{model}");
        assert_eq!(body["reasoning_effort"], "low");
    }
    for model in ["gpt-4o", "gpt-5-chat-latest", "omni", "ft:gpt-4o:org"] {
        assert!(body(model, "").0.get("temperature").is_some(), "{model}");
    }
}

#[test]
fn raw_prompts_are_refused() {
    let target = Target { model: "gpt-4o".to_owned(), version: None, params: String::new() };
    assert_eq!(Plugin::encode(raw("hi", 1), target).unwrap_err().code, "not-supported");
}

#[test]
fn a_documented_stream_is_understood() {
    let events = recording("chat").decode_consistently::<Decoder>().unwrap();
    assert_eq!(text(&events), "Hello");
    let counts = Usage {
        prompt_tokens: Some(19),
        cached_tokens: Some(0),
        completion_tokens: Some(10),
        reasoning_tokens: Some(0),
    };
    assert_eq!(usage(&events), Some(counts));
    assert!(events.iter().any(|located| located.event == Event::Finish(FinishReason::Stop)));
}

#[test]
fn documented_errors_have_codes() {
    for (name, code) in [
        ("error-key", "unauthorized"),
        ("error-quota", "quota-exhausted"),
        ("error-context", "context-overflow"),
        ("error-model", "model-not-found"),
    ] {
        assert_eq!(Plugin::explain(recording(name).response()).code, code, "{name}");
    }
}

#[test]
fn the_service_is_recognised_by_its_headers() {
    let backend = Plugin::recognise(vec![recording("models").answer("models")]).unwrap();
    assert!(backend.confidence > 90);
    assert_eq!(backend.models.len(), 2);
    let mut other = recording("models");
    other.headers.clear();
    assert!(Plugin::recognise(vec![other.answer("models")]).is_none());
}
