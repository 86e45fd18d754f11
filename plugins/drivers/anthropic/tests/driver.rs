//! What the driver makes of the documented streams of the Messages API, and what it asks.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::{CountStep, CountSteps as _, Driver};
use bench_sdk::testkit::{self, Fixtures, body, target};
use bench_sdk::types::{
    CacheMode, Event, FinishReason, Generation, HeaderPart, Message, Prompt, Role, Tool, ToolCall, ToolCallDelta, Usage,
};
use driver_anthropic::Anthropic as Plugin;
use serde_json::{Value, json};

const FIXTURES: Fixtures<Plugin> = Fixtures::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));

fn usage(prompt: u64, cached: u64, completion: Option<u64>, reasoning: Option<u64>) -> Event {
    Event::Usage(Usage {
        prompt_tokens: Some(prompt),
        cached_tokens: Some(cached),
        completion_tokens: completion,
        reasoning_tokens: reasoning,
    })
}

#[test]
fn a_prompt_is_what_is_new_read_and_written() {
    let expected = [
        Event::Start,
        usage(1042, 1000, None, None),
        Event::Text("Hel".into()),
        Event::Text("lo — “".into()),
        Event::Text("you”".into()),
        Event::Text("!".into()),
        usage(1042, 1000, Some(15), None),
        Event::Finish(FinishReason::Stop),
    ];
    let (charges, events): (Vec<Event>, Vec<Event>) =
        FIXTURES.events("text.stream").into_iter().partition(|event| matches!(event, Event::Other(_)));
    assert_eq!(events, expected);
    let [Event::Other(charges)] = charges.as_slice() else { panic!("written once: {charges:?}") };
    let charges: serde_json::Value = serde_json::from_str(charges).unwrap();
    assert_eq!(charges, serde_json::json!({ "cache_write_tokens": 30, "cache_write_1h_tokens": 0 }));
}

#[test]
fn thinking_and_tool_calls_have_their_channels() {
    let call = |index, start: Option<(&str, &str)>, arguments: &str| {
        let (id, name) = start.map(|(id, name)| (id.to_owned(), name.to_owned())).unzip();
        Event::ToolCall(ToolCallDelta { index, id, name, arguments: arguments.into() })
    };
    let expected = [
        Event::Start,
        usage(12, 0, None, None),
        Event::Reasoning("I should look".into()),
        Event::Reasoning(" it up.".into()),
        Event::Text("One moment.".into()),
        call(0, Some(("toolu_01", "get_weather")), ""),
        call(0, None, "{\"city\": \"Ly"),
        call(0, None, "on\"}"),
        call(1, Some(("toolu_02", "get_time")), ""),
        call(1, None, "{}"),
        usage(12, 0, Some(89), Some(24)),
        Event::Finish(FinishReason::ToolCalls),
    ];
    assert_eq!(FIXTURES.events("tools.stream"), expected);
}

#[test]
fn an_error_event_keeps_its_kind() {
    let events = FIXTURES.events("error.stream");
    let Some(Event::Error(problem)) = events.last() else { panic!("{events:?}") };
    assert_eq!(problem.code, "overloaded");
}

#[test]
fn errors_have_their_codes() {
    assert_eq!(FIXTURES.code("error.400"), "context-overflow");
    assert_eq!(FIXTURES.code("error.401"), "unauthorized");
    assert_eq!(FIXTURES.code("error.404"), "model-not-found");
    assert_eq!(FIXTURES.code("error.429"), "rate-limited");
    assert_eq!(FIXTURES.code("error.529"), "overloaded");
    assert_eq!(FIXTURES.code("error.502"), "server-error");
    assert!(Plugin::explain(FIXTURES.load("error.429").response()).hint.unwrap().contains("12 s"));
}

#[test]
fn models_come_with_their_context() {
    let backend = Plugin::recognise(vec![FIXTURES.load("models").answer("models")]).unwrap();
    let model = backend.models.first().unwrap();
    assert_eq!((model.id.as_str(), model.context_length), ("claude-sonnet-4-5", Some(200_000)));
}

fn conversation() -> Generation {
    let message = |role, content: &str, tool_calls, id: Option<&str>| Message {
        role,
        content: content.into(),
        tool_calls,
        tool_call_id: id.map(Into::into),
    };
    let call = |id: &str| ToolCall { id: id.into(), name: "get_time".into(), arguments: r#"{"zone":"UTC"}"#.into() };
    let mut generation = testkit::chat("", 100);
    generation.tools = vec![Tool {
        name: "get_time".into(),
        description: "the time".into(),
        parameters: r#"{"type":"object"}"#.into(),
    }];
    generation.stop = vec!["END".into()];
    generation.sampling.seed = Some(1);
    generation.prompt = Prompt::Messages(vec![
        message(Role::System, "Be brief.", Vec::new(), None),
        message(Role::User, "Time?", Vec::new(), None),
        message(Role::Assistant, "", vec![call("t1"), call("t2")], None),
        message(Role::Tool, "12:00", Vec::new(), Some("t1")),
        message(Role::Tool, "12:01", Vec::new(), Some("t2")),
        message(Role::User, "Thanks.", Vec::new(), None),
    ]);
    generation
}

#[test]
fn a_conversation_becomes_turns_of_blocks() {
    let encoded = Plugin::encode(conversation(), target(&json!({"service_tier": "standard_only"}))).unwrap();
    assert_eq!(encoded.request.path, "/v1/messages");
    assert!(encoded.cache_off && !encoded.forced_length && !encoded.seeded);
    let call = |id: &str| json!({"type": "tool_use", "id": id, "name": "get_time", "input": {"zone": "UTC"}});
    let result = |id: &str, content: &str| json!({"type": "tool_result", "tool_use_id": id, "content": content});
    let text = |text: &str| json!({"type": "text", "text": text});
    let expected = json!({
        "model": "the-model", "max_tokens": 100, "stream": true, "stop_sequences": ["END"],
        "service_tier": "standard_only", "system": "Be brief.",
        "tools": [{"name": "get_time", "description": "the time", "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": [text("Time?")]},
            {"role": "assistant", "content": [call("t1"), call("t2")]},
            {"role": "user", "content": [result("t1", "12:00"), result("t2", "12:01"), text("Thanks.")]},
        ],
    });
    assert_eq!(body(&encoded), expected);
}

#[test]
fn the_key_is_named_and_never_there() {
    let encoded = Plugin::encode(conversation(), target(&json!({"beta": ["a-1", "b-2"]}))).unwrap();
    let value = |name: &str| {
        let header = encoded.request.headers.iter().find(|header| header.name == name);
        header.map(|header| header.value.clone()).unwrap()
    };
    assert_eq!(value("x-api-key"), [HeaderPart::Secret("api-key".into())]);
    assert_eq!(value("anthropic-version"), [HeaderPart::Text("2023-06-01".into())]);
    assert_eq!(value("anthropic-beta"), [HeaderPart::Text("a-1,b-2".into())]);
}

#[test]
fn a_warm_conversation_asks_for_a_cache_entry_at_its_end() {
    let mut generation = conversation();
    generation.cache = CacheMode::Warm;
    let encoded = Plugin::encode(generation, target(&json!({}))).unwrap();
    assert!(!encoded.cache_off);
    let body = body(&encoded);
    assert_eq!(body.pointer("/messages/2/content/2/cache_control"), Some(&json!({"type": "ephemeral"})));
    assert_eq!(encoded.request.body.windows(13).filter(|bytes| bytes == b"cache_control").count(), 1);
}

#[test]
fn raw_prompts_are_not_supported() {
    assert_eq!(Plugin::encode(testkit::raw("Once", 8), target(&json!({}))).unwrap_err().code, "not-supported");
}

#[test]
fn counting_takes_one_request() {
    let count = <Plugin as Driver>::Count::new(conversation(), target(&json!({})));
    let CountStep::Send(request) = count.step(None).unwrap() else { panic!("no request") };
    assert_eq!(request.path, "/v1/messages/count_tokens");
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert!(body.get("tools").is_some() && body.get("max_tokens").is_none() && body.get("stream").is_none());
    let step = count.step(Some(FIXTURES.load("count").response())).unwrap();
    assert!(matches!(step, CountStep::Done(2095)), "{step:?}");
}

#[test]
fn a_failed_count_says_why() {
    let count = <Plugin as Driver>::Count::new(conversation(), target(&json!({})));
    let _request = count.step(None).unwrap();
    assert_eq!(count.step(Some(FIXTURES.load("error.401").response())).unwrap_err().code, "unauthorized");
}
