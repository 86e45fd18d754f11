//! The driver against traffic recorded from the real server.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::{CountSteps, Driver, LaunchOptions, LocatedEvent, Target};
use bench_sdk::testkit::{Recording, chat, fuzz_decoder, text, usage};
use bench_sdk::types::{Event, FinishReason, Generation, Sampling, Usage};
use driver_mlx::Plugin;
use serde_json::Value;

type Decoder = <Plugin as Driver>::Decoder;

fn recording(name: &str) -> Recording {
    Recording::load(format!("{}/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn decoded(name: &str) -> Vec<LocatedEvent> {
    recording(name).decode_consistently::<Decoder>().unwrap()
}

fn counts(prompt: u64, cached: u64, completion: u64) -> Usage {
    Usage {
        prompt_tokens: Some(prompt),
        cached_tokens: Some(cached),
        completion_tokens: Some(completion),
        reasoning_tokens: None,
    }
}

#[test]
fn final_counts_are_the_servers_own() {
    assert_eq!(usage(&decoded("chat")), Some(counts(38, 0, 12)));
    assert_eq!(usage(&decoded("chat-cached")), Some(counts(38, 37, 4)));
    assert_eq!(usage(&decoded("completions")), Some(counts(5, 0, 6)));
}

#[test]
fn progress_of_the_prefill_comes_before_the_text_and_is_not_the_start() {
    let events = decoded("chat");
    let progress: Vec<_> = events.iter().take_while(|located| matches!(located.event, Event::Other(_))).collect();
    assert_eq!(progress[0].event, Event::Other(": keepalive 0/38".to_owned()));
    assert_eq!(progress.len(), 3);
    assert!(matches!(&events[progress.len()].event, Event::Text(first) if !first.is_empty()));
    assert!(events[progress.len()].read > progress[0].read, "the text came in a later read");
    assert!(!events.iter().any(|located| located.event == Event::Start));
}

#[test]
fn answers_end_with_a_reason() {
    for name in ["chat", "completions"] {
        let events = decoded(name);
        assert!(!text(&events).is_empty());
        let finishes = events.iter().filter(|located| located.event == Event::Finish(FinishReason::Length)).count();
        assert_eq!(finishes, 1, "{name}");
    }
}

#[test]
fn errors_have_their_codes() {
    for (name, code) in [
        ("error-model", "model-not-found"),
        ("error-bad-json", "bad-request"),
        ("error-no-messages", "bad-request"),
        ("error-path", "not-found"),
    ] {
        assert_eq!(Plugin::explain(recording(name).response()).code, code, "{name}");
    }
}

#[test]
fn requests_are_the_ones_that_the_server_answered() {
    let asked = recording("chat").meta.request;
    let expected: Value = serde_json::from_str(&asked.body).unwrap();
    let model = expected["model"].as_str().unwrap().to_owned();
    let sampling = Sampling { temperature: Some(0.0), top_p: None, top_k: None, seed: Some(1) };
    let generation = Generation { force_length: true, sampling, ..chat("Name three colours, and a café.", 12) };
    let encoded = Plugin::encode(generation, Target { model, version: None, params: String::new() }).unwrap();
    let body: Value = serde_json::from_slice(&encoded.request.body).unwrap();
    assert_eq!(body["temperature"].as_f64(), expected["temperature"].as_f64());
    let without = |mut body: Value| {
        body.as_object_mut().unwrap().remove("temperature");
        body
    };
    assert_eq!(without(body), without(expected));
    assert!(!encoded.forced_length && !encoded.cache_off && encoded.seeded, "what the server cannot do is not claimed");
}

#[test]
fn the_server_is_recognised_by_how_plain_it_is() {
    let answers = || vec![recording("models").answer("models"), recording("health").answer("health")];
    let backend = Plugin::recognise(answers()).unwrap();
    assert_eq!(backend.name, "mlx-lm");
    assert!(backend.confidence < 90);
    assert!(backend.models[0].path.is_some());
    assert!(Plugin::recognise(answers()[..1].to_vec()).is_none());
    let other = |driver: &str, name: &str| {
        Recording::load(format!("{}/../{driver}/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    for driver in ["llama-cpp", "vllm"] {
        let answers = vec![other(driver, "models").answer("models"), other(driver, "health").answer("health")];
        assert!(Plugin::recognise(answers).is_none(), "{driver}");
    }
}

#[test]
fn prompts_cannot_be_counted() {
    let target = Target { model: "m".to_owned(), version: None, params: String::new() };
    let count = <Plugin as Driver>::Count::new(chat("hi", 1), target);
    assert_eq!(count.step(None).unwrap_err().code, "not-supported");
}

#[test]
fn the_launch_plan_names_the_model() {
    let options = LaunchOptions { port: 9, context: None, slots: Some(4), params: String::new() };
    let plan = Plugin::launch("org/Model-4bit".to_owned(), options).unwrap();
    assert_eq!(plan.arguments.join(" "), "--model org/Model-4bit --host 127.0.0.1 --port 9 --decode-concurrency 4");
}

#[test]
fn cut_recordings_never_break_a_promise() {
    let body = recording("chat").body();
    for cut in (0..body.len()).step_by(41) {
        fuzz_decoder::<Decoder>(&body[..cut]);
    }
}
