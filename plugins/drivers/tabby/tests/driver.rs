//! What the driver makes of TabbyAPI's documented answers, and what it asks.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::{CountStep, CountSteps as _, Driver, LaunchOptions};
use bench_sdk::testkit::{self, Fixtures, body, counts, forced, fragment, target};
use bench_sdk::types::{Event, FinishReason, HeaderPart, ServerTiming};
use driver_tabby::Plugin;
use serde_json::{Value, json};

const FIXTURES: Fixtures<Plugin> = Fixtures::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));

const TIMES: ServerTiming = ServerTiming {
    queue_ms: None,
    load_ms: None,
    prefill_ms: Some(20.0),
    prefill_tokens: None,
    decode_ms: Some(60.0),
    decode_tokens: None,
    draft_tokens: None,
    accepted_tokens: None,
};

#[test]
fn usage_brings_times_in_seconds() {
    let expected = [
        fragment("Bl"),
        fragment("ue"),
        fragment("."),
        Event::Start,
        Event::Finish(FinishReason::Stop),
        counts(41, Some(0), 3, None),
        Event::ServerTiming(TIMES),
    ];
    let expected: Vec<Event> = expected.into_iter().filter(|event| *event != Event::Start).collect();
    assert_eq!(FIXTURES.events("chat.stream"), expected);
}

#[test]
fn timings_say_more_where_they_are() {
    let timing = ServerTiming {
        prefill_tokens: Some(33),
        decode_tokens: Some(3),
        draft_tokens: Some(4),
        accepted_tokens: Some(2),
        ..TIMES
    };
    assert!(FIXTURES.events("timings.stream").contains(&Event::ServerTiming(timing)));
}

#[test]
fn an_error_in_the_stream_is_an_error() {
    let events = FIXTURES.events("error.stream");
    assert!(matches!(events.last(), Some(Event::Error(problem)) if problem.message.contains("aborted")), "{events:?}");
}

#[test]
fn errors_have_their_codes() {
    assert_eq!(FIXTURES.code("error.401"), "unauthorized");
    assert_eq!(FIXTURES.code("error.422"), "bad-request");
    assert_eq!(FIXTURES.code("error.503"), "overloaded");
}

#[test]
fn the_loaded_model_comes_first() {
    let answers = ["models", "model"].map(|name| FIXTURES.load(name).answer(name));
    let backend = Plugin::recognise(answers.to_vec()).unwrap();
    let ids: Vec<&str> = backend.models.iter().map(|model| model.id.as_str()).collect();
    assert_eq!(ids, ["Llama-3.2-3B-exl2", "other-model"]);
    assert_eq!(backend.models.first().unwrap().context_length, Some(8192));
    assert_eq!(backend.slots, Some(4));
    for fact in ["cache_mode=Q8", "cache_size=32768", "draft=Llama-3.2-1B-exl2"] {
        assert!(backend.build.iter().any(|line| line == fact), "{fact} in {:?}", backend.build);
    }
}

#[test]
fn length_is_forced_by_banning_the_end() {
    let mut generation = forced();
    generation.sampling.seed = Some(1);
    let encoded = Plugin::encode(generation, target(&json!({}))).unwrap();
    assert!(encoded.forced_length && !encoded.cache_off && !encoded.seeded);
    let body = body(&encoded);
    assert_eq!((body.get("min_tokens"), body.get("ban_eos_token")), (Some(&json!(64)), Some(&json!(true))));
    assert!(body.get("seed").is_none(), "there is no such setting");
    let key = encoded.request.headers.iter().find(|header| header.name == "x-api-key").unwrap();
    assert_eq!(key.value, [HeaderPart::Secret("api-key".into())]);
}

#[test]
fn raw_prompts_are_counted_and_conversations_are_not() {
    let count = <Plugin as Driver>::Count::new(testkit::raw("Once upon a time", 8), target(&json!({})));
    let CountStep::Send(request) = count.step(None).unwrap() else { panic!("no request") };
    assert_eq!(request.path, "/v1/token/encode");
    assert!(matches!(count.step(Some(FIXTURES.load("encode").response())).unwrap(), CountStep::Done(5)));
    let count = <Plugin as Driver>::Count::new(testkit::chat("Hello", 8), target(&json!({})));
    assert_eq!(count.step(None).unwrap_err().code, "not-supported");
}

#[test]
fn launch_needs_the_folder_of_the_server() {
    let options =
        |params: Value| LaunchOptions { port: 4000, context: Some(4096), slots: Some(2), params: params.to_string() };
    let problem = Plugin::launch("/models/m".into(), options(json!({}))).unwrap_err();
    assert_eq!(problem.code, "not-supported");
    assert!(problem.hint.unwrap().contains("--param main="));
    let plan = Plugin::launch("/models/m/".into(), options(json!({"main": "/srv/tabby/main.py"}))).unwrap();
    let expected = "/srv/tabby/main.py --host 127.0.0.1 --port 4000 --disable-auth true --model-dir /models \
                    --model-name m --max-seq-len 4096 --cache-size 8192 --max-batch-size 2";
    assert_eq!(plan.arguments.join(" "), expected);
}
