//! What the driver makes of SGLang's documented answers, and what it asks.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::{CountStep, CountSteps as _, CounterKind, Driver, LaunchOptions};
use bench_sdk::testkit::{self, Fixtures, body, counts, forced, fragment, target};
use bench_sdk::types::{CacheMode, Event, FinishReason, Generation, Prompt};
use driver_sglang::Plugin;
use serde_json::{Value, json};

const FIXTURES: Fixtures<Plugin> = Fixtures::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));

#[test]
fn every_chunk_counts() {
    let expected = [
        Event::Start,
        counts(14, None, 1, Some(0)),
        Event::Reasoning("Thinking".into()),
        counts(14, None, 2, Some(0)),
        Event::Reasoning(" hard".into()),
        counts(14, None, 3, Some(0)),
        fragment("Bl"),
        counts(14, None, 4, Some(0)),
        fragment("ue"),
        counts(14, None, 5, Some(0)),
        fragment("."),
        counts(14, None, 6, Some(0)),
        Event::Finish(FinishReason::Stop),
        counts(14, Some(8), 7, Some(2)),
    ];
    assert_eq!(FIXTURES.events("chat.stream"), expected);
}

#[test]
fn token_ids_are_taken_where_they_are() {
    let events = FIXTURES.events("completions.stream");
    assert_eq!(events.get(..2), Some([fragment(" a"), Event::TokenIds(vec![264])].as_slice()));
    assert_eq!(testkit::text(&FIXTURES.located("completions.stream")), " a time,");
    assert_eq!(events.last(), Some(&counts(3, Some(0), 3, None)));
}

#[test]
fn an_error_object_in_the_stream_is_an_error() {
    let events = FIXTURES.events("error.stream");
    let Some(Event::Error(problem)) = events.last() else { panic!("{events:?}") };
    assert_eq!(problem.code, "server-error");
    assert!(problem.message.contains("aborted"), "{}", problem.message);
}

#[test]
fn errors_have_their_codes() {
    assert_eq!(FIXTURES.code("error.400"), "context-overflow");
    assert_eq!(FIXTURES.code("error.401"), "unauthorized");
    assert_eq!(FIXTURES.code("error.404"), "model-not-found");
    assert_eq!(FIXTURES.code("error.503"), "overloaded");
    assert_eq!(FIXTURES.code("error.502"), "server-error");
}

#[test]
fn the_server_tells_how_it_was_started() {
    let answers = ["models", "server", "model"].map(|name| FIXTURES.load(name).answer(name));
    let backend = Plugin::recognise(answers.to_vec()).unwrap();
    assert_eq!((backend.version.as_deref(), backend.slots), (Some("0.5.9"), Some(64)));
    for fact in ["quantization=fp8", "disable_radix_cache=false", "enable_cache_report=true"] {
        assert!(backend.build.iter().any(|line| line == fact), "{fact} in {:?}", backend.build);
    }
    let model = backend.models.first().unwrap();
    assert_eq!((model.id.as_str(), model.context_length), ("qwen/qwen3-0.6b", Some(40_960)));
    assert_eq!((model.path.as_deref(), model.quantization.as_deref()), (Some("/models/qwen3-0.6b"), Some("fp8")));
}

#[test]
fn older_servers_answer_at_other_paths() {
    let answers = vec![FIXTURES.load("models").answer("models"), FIXTURES.load("server").answer("server-old")];
    assert_eq!(Plugin::recognise(answers).unwrap().version.as_deref(), Some("0.5.9"));
}

#[test]
fn length_is_forced_and_cold_requests_are_salted() {
    let encoded = Plugin::encode(forced(), target(&json!({}))).unwrap();
    assert!(encoded.forced_length && encoded.cache_off);
    let cold = body(&encoded);
    assert_eq!(cold.get("ignore_eos"), Some(&json!(true)));
    assert_eq!(cold.get("cache_salt"), Some(&json!("salt-1")));
    assert_eq!(cold.pointer("/stream_options/continuous_usage_stats"), Some(&json!(true)));

    let mut warm = forced();
    warm.cache = CacheMode::Warm;
    let encoded = Plugin::encode(warm, target(&json!({"return_token_ids": true}))).unwrap();
    assert!(!encoded.cache_off);
    let warm = body(&encoded);
    assert!(warm.get("cache_salt").is_none());
    assert_eq!(warm.get("return_token_ids"), Some(&json!(true)));
}

#[test]
fn a_conversation_is_counted_with_its_template() {
    let params = json!({"chat_template_kwargs": {"enable_thinking": false}});
    let count = <Plugin as Driver>::Count::new(testkit::chat("Name a colour.", 8), target(&params));
    let CountStep::Send(request) = count.step(None).unwrap() else { panic!("no request") };
    assert_eq!(request.path, "/tokenize");
    let expected = json!({
        "model": "the-model",
        "messages": [{"role": "user", "content": "Name a colour."}],
        "chat_template_kwargs": {"enable_thinking": false},
    });
    assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), expected);
    assert!(matches!(count.step(Some(FIXTURES.load("tokenize").response())).unwrap(), CountStep::Done(14)));
}

#[test]
fn a_raw_prompt_is_counted_and_another_kind_is_not() {
    let count = <Plugin as Driver>::Count::new(testkit::raw("Once", 8), target(&json!({})));
    let CountStep::Send(request) = count.step(None).unwrap() else { panic!("no request") };
    let expected = json!({"model": "the-model", "prompt": "Once"});
    assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), expected);

    let generation = Generation { prompt: Prompt::Other("image".into()), ..testkit::raw("", 8) };
    let count = <Plugin as Driver>::Count::new(generation, target(&json!({})));
    assert_eq!(count.step(None).unwrap_err().code, "not-supported");
}

#[test]
fn counters_are_summed_over_labels() {
    let counters = Plugin::counters(vec![Some(FIXTURES.load("metrics").response())]);
    let value = |kind| counters.iter().find(|counter| counter.kind == kind).map(|counter| counter.value);
    assert_eq!(value(CounterKind::PromptTokens), Some(4100.0));
    assert_eq!(value(CounterKind::PrefixCacheQueries), Some(4100.0));
    assert_eq!(value(CounterKind::PrefixCacheHits), Some(3200.0));
    assert_eq!(value(CounterKind::CompletionTokens), Some(7_557_572.0));
    assert_eq!(value(CounterKind::Preemptions), Some(2.0));
}

#[test]
fn launch_turns_on_what_the_driver_reads() {
    let params = json!({"python": "/opt/venv/bin/python", "args": ["--tp-size", "2"]}).to_string();
    let options = LaunchOptions { port: 4000, context: Some(8192), slots: Some(4), params };
    let plan = Plugin::launch("/models/m".into(), options).unwrap();
    assert_eq!(plan.program, "/opt/venv/bin/python");
    let expected = "-m sglang.launch_server --model-path /models/m --host 127.0.0.1 --port 4000 --context-length 8192 \
                    --max-running-requests 4 --enable-metrics --enable-cache-report --tp-size 2";
    assert_eq!(plan.arguments.join(" "), expected);
    assert_eq!(plan.ready.path, "/health");
}
