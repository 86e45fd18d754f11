//! What the driver makes of the documented answers of `trtllm-serve`, and what it asks.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::{CounterKind, Driver, LaunchOptions, Target};
use bench_sdk::testkit::{Fixtures, body, counts, forced, fragment, target};
use bench_sdk::types::{Event, FinishReason, Generation, Prompt, Tool, ToolCallDelta};
use driver_tensorrt_llm::Plugin;
use serde_json::json;

const FIXTURES: Fixtures<Plugin> = Fixtures::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));

#[test]
fn every_chunk_counts() {
    let expected = [
        Event::Start,
        counts(23, Some(16), 0, None),
        fragment("Bl"),
        counts(23, Some(16), 1, None),
        fragment("ue"),
        counts(23, Some(16), 2, None),
        fragment("."),
        counts(23, Some(16), 3, None),
        counts(23, Some(16), 4, None),
        Event::Finish(FinishReason::Stop),
        counts(23, Some(16), 4, None),
    ];
    assert_eq!(FIXTURES.events("chat.stream"), expected);
}

#[test]
fn tool_calls_stream_in_fragments() {
    let calls: Vec<Event> =
        FIXTURES.events("tools.stream").into_iter().filter(|event| matches!(event, Event::ToolCall(_))).collect();
    let call = |start: Option<(&str, &str)>, arguments: &str| {
        let (id, name) = start.map(|(id, name)| (id.to_owned(), name.to_owned())).unzip();
        Event::ToolCall(ToolCallDelta { index: 0, id, name, arguments: arguments.into() })
    };
    let expected = [call(Some(("chatcmpl-tool-1", "get_weather")), ""), call(None, r#"{"city":"Lyon"}"#)];
    assert_eq!(calls, expected);
}

#[test]
fn errors_have_their_codes() {
    assert_eq!(FIXTURES.code("error.400"), "context-overflow");
    assert_eq!(FIXTURES.code("error.404"), "not-found");
    assert_eq!(FIXTURES.code("error.500"), "server-error");
}

#[test]
fn the_server_is_recognised_by_its_models_owner() {
    let answers = ["models", "version"].map(|name| FIXTURES.load(name).answer(name));
    let backend = Plugin::recognise(answers.to_vec()).unwrap();
    assert_eq!((backend.name.as_str(), backend.version.as_deref()), ("tensorrt-llm", Some("1.2.0")));
    assert_eq!(backend.models.first().unwrap().id, "TinyLlama-1.1B-Chat-v1.0");
}

/// Every field is in the server's reference: it refuses requests that hold another one.
#[test]
fn requests_hold_known_fields_only() {
    let known = [
        "model",
        "messages",
        "stream",
        "stream_options",
        "max_tokens",
        "ignore_eos",
        "cache_salt",
        "temperature",
        "top_p",
        "top_k",
        "seed",
        "stop",
        "tools",
        "tool_choice",
        "logprobs",
        "top_logprobs",
    ];
    let mut generation = forced();
    generation.tools = vec![Tool { name: "t".into(), description: "d".into(), parameters: "{}".into() }];
    generation.logprobs = Some(0);
    generation.stop = vec!["END".into()];
    let sampling = &mut generation.sampling;
    (sampling.temperature, sampling.top_p, sampling.top_k, sampling.seed) = (Some(0.5), Some(0.9), Some(5), Some(1));
    let target = Target { version: Some("1.2.0".into()), ..target(&json!({})) };
    let encoded = Plugin::encode(generation, target).unwrap();
    assert!(encoded.forced_length && encoded.cache_off && encoded.seeded);
    let body = body(&encoded);
    let unknown: Vec<&String> = body.as_object().unwrap().keys().filter(|key| !known.contains(&key.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert_eq!(body.get("tool_choice"), Some(&json!("auto")), "the server's default is `none`");
}

#[test]
fn a_salt_goes_only_where_it_is_taken() {
    let cases = [
        (Some("1.2.0rc3"), true),
        (Some("2.0.0"), true),
        (Some("1.1.0"), false),
        (Some("nightly"), false),
        (None, false),
    ];
    for (version, salted) in cases {
        let target = Target { version: version.map(Into::into), ..target(&json!({})) };
        let encoded = Plugin::encode(forced(), target.clone()).unwrap();
        assert_eq!((encoded.cache_off, body(&encoded).get("cache_salt").is_some()), (salted, salted), "{version:?}");
        let raw = Generation { prompt: Prompt::Text("Once".into()), ..forced() };
        let encoded = Plugin::encode(raw, target).unwrap();
        assert!(!encoded.cache_off && encoded.forced_length, "text completions take no salt");
        assert!(body(&encoded).get("cache_salt").is_none());
    }
}

#[test]
fn counters_are_summed_over_positions() {
    let counters = Plugin::counters(vec![Some(FIXTURES.load("metrics").response())]);
    let value = |kind| counters.iter().find(|counter| counter.kind == kind).map(|counter| counter.value);
    assert_eq!(value(CounterKind::PrefixCacheQueries), Some(1024.0));
    assert_eq!(value(CounterKind::PrefixCacheHits), Some(512.0));
    assert_eq!(value(CounterKind::DraftTokens), Some(70.0));
    assert_eq!(value(CounterKind::AcceptedTokens), Some(25.0));
}

#[test]
fn launch_names_model_port_and_limits() {
    let params = json!({"args": ["--tp_size", "2"]}).to_string();
    let options = LaunchOptions { port: 4000, context: Some(8192), slots: Some(4), params };
    let plan = Plugin::launch("/models/m".into(), options).unwrap();
    let line = format!("{} {}", plan.program, plan.arguments.join(" "));
    let expected =
        "trtllm-serve /models/m --host 127.0.0.1 --port 4000 --max_seq_len 8192 --max_batch_size 4 --tp_size 2";
    assert_eq!(line, expected);
}
