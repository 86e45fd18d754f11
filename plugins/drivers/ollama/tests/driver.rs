//! What the driver makes of Ollama's documented answers, and what it asks.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::{CountSteps as _, Driver, LaunchOptions};
use bench_sdk::testkit::{self, Fixtures, body, target};
use bench_sdk::types::{
    Event, FinishReason, Message, Role, Sampling, ServerTiming, TokenLogprob, Tool, ToolCall, ToolCallDelta, Usage,
};
use driver_ollama::Ollama as Plugin;
use serde_json::json;

const FIXTURES: Fixtures<Plugin> = Fixtures::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));

#[test]
fn a_chat_gives_both_channels_counts_times_and_the_reason() {
    let expected = [
        Event::Reasoning("The user".into()),
        Event::Reasoning(" wants one.".into()),
        Event::Text("Bl".into()),
        Event::Text("ue – “azul”".into()),
        Event::Text(".".into()),
        Event::Usage(Usage {
            prompt_tokens: Some(29),
            cached_tokens: Some(4),
            completion_tokens: Some(5),
            reasoning_tokens: None,
        }),
        Event::ServerTiming(ServerTiming {
            queue_ms: None,
            load_ms: Some(101.397_084),
            prefill_ms: Some(250.0),
            prefill_tokens: Some(25),
            decode_ms: Some(125.0),
            decode_tokens: Some(5),
            draft_tokens: None,
            accepted_tokens: None,
        }),
        Event::Finish(FinishReason::Stop),
    ];
    assert_eq!(FIXTURES.events("chat.stream"), expected);
}

#[test]
fn events_are_found_in_the_read_of_their_last_byte() {
    // The third line comes in two reads.
    let events = FIXTURES.located("chat.stream");
    let reads: Vec<u32> = events.iter().map(|located| located.read).collect();
    assert_eq!(reads, [0, 1, 3, 4, 5, 5, 5, 5]);
}

#[test]
fn without_the_cached_count_the_evaluated_tokens_are_unknown() {
    let events = FIXTURES.events("generate.stream");
    let [.., Event::Usage(usage), Event::ServerTiming(timing), Event::Finish(finish)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!((usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens), (Some(1), None, Some(3)));
    assert_eq!((timing.prefill_ms, timing.prefill_tokens), (Some(250.0), None));
    assert_eq!(finish, &FinishReason::Length);
}

#[test]
fn tool_calls_come_whole_and_end_the_turn() {
    let call = |index, id: &str, city: &str| {
        let arguments = json!({ "city": city }).to_string();
        Event::ToolCall(ToolCallDelta { index, id: Some(id.into()), name: Some("get_weather".into()), arguments })
    };
    let events = FIXTURES.events("tools.stream");
    assert_eq!(events.first(), Some(&call(0, "call_a1", "Lyon")));
    assert_eq!(events.get(1), Some(&call(1, "call_a2", "Oslo")));
    assert_eq!(events.last(), Some(&Event::Finish(FinishReason::ToolCalls)));
}

#[test]
fn logprobs_follow_their_text() {
    let expected = Event::Logprobs(vec![TokenLogprob { token: "Yes".into(), logprob: -0.125 }]);
    assert_eq!(FIXTURES.events("logprobs.stream").get(1), Some(&expected));
}

#[test]
fn an_error_in_the_stream_ends_it() {
    let events = FIXTURES.events("error.stream");
    let Some(Event::Error(problem)) = events.last() else { panic!("{events:?}") };
    assert_eq!(problem.code, "server-error");
    assert!(problem.message.contains("while running the model"), "{}", problem.message);
}

#[test]
fn errors_have_their_codes() {
    assert_eq!(FIXTURES.code("error.404"), "model-not-found");
    assert_eq!(FIXTURES.code("error.400"), "context-overflow");
    assert_eq!(FIXTURES.code("error.503"), "overloaded");
    assert_eq!(FIXTURES.code("error.502"), "server-error");
    let missing = Plugin::explain(FIXTURES.load("error.404").response());
    assert!(missing.hint.unwrap().contains("ollama pull"));
}

#[test]
fn the_server_and_its_models_are_recognised() {
    let answers = ["version", "tags", "ps", "root"].map(|name| FIXTURES.load(name).answer(name));
    let backend = Plugin::recognise(answers.to_vec()).unwrap();
    assert_eq!((backend.name.as_str(), backend.version.as_deref()), ("ollama", Some("0.34.1")));
    assert!(backend.confidence > 90);
    let model = backend.models.first().unwrap();
    assert_eq!(model.id, "llama3.2:latest");
    assert_eq!(model.quantization.as_deref(), Some("Q4_K_M"));
    assert_eq!(model.parameters, Some(3_200_000_000));
    assert!(model.digest.as_deref().unwrap().starts_with("sha256:a80c4f17"));
    assert_eq!(model.context_length, None, "not loaded, so nothing is allocated");
    assert_eq!(backend.models.get(1).unwrap().context_length, Some(8192));
    assert_eq!(backend.models.get(1).unwrap().parameters, Some(751_630_000));
}

#[test]
fn a_list_of_models_alone_is_not_enough() {
    // llama.cpp and others answer at `/api/tags` too.
    assert!(Plugin::recognise(vec![FIXTURES.load("tags").answer("tags")]).is_none());
}

#[test]
fn a_chat_request_bounds_the_answer_and_refuses_truncation() {
    let mut generation = testkit::chat("Hello", 64);
    generation.force_length = true;
    generation.stop = vec!["END".into()];
    generation.sampling = Sampling { temperature: Some(0.0), top_p: Some(0.5), top_k: Some(3), seed: Some(7) };
    let params = json!({"num_ctx": 4096, "keep_alive": "10m", "think": false, "options": {"num_gpu": 0}});
    let encoded = Plugin::encode(generation, target(&params)).unwrap();
    assert_eq!(encoded.request.path, "/api/chat");
    assert!(!encoded.forced_length && !encoded.cache_off && encoded.seeded);
    let expected = json!({
        "model": "the-model",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": true, "truncate": false, "shift": false, "keep_alive": "10m", "think": false,
        "options": {"num_gpu": 0, "num_predict": 64, "num_ctx": 4096, "temperature": 0.0, "top_p": 0.5, "top_k": 3,
            "seed": 7, "stop": ["END"]},
    });
    assert_eq!(body(&encoded), expected);
}

#[test]
fn a_raw_prompt_passes_the_template_by() {
    let encoded = Plugin::encode(testkit::raw("Once", 8), target(&json!({}))).unwrap();
    assert_eq!(encoded.request.path, "/api/generate");
    let body = body(&encoded);
    assert_eq!((body.get("prompt"), body.get("raw")), (Some(&json!("Once")), Some(&json!(true))));
}

#[test]
fn arguments_of_tool_calls_are_objects() {
    let call = ToolCall { id: "c1".into(), name: "get_time".into(), arguments: r#"{"zone":"UTC"}"#.into() };
    let message = |role, content: &str, tool_calls, tool_call_id: Option<&str>| Message {
        role,
        content: content.into(),
        tool_calls,
        tool_call_id: tool_call_id.map(Into::into),
    };
    let mut generation = testkit::chat("Time?", 8);
    generation.tools = vec![Tool { name: "get_time".into(), description: "d".into(), parameters: "{}".into() }];
    generation.prompt = bench_sdk::types::Prompt::Messages(vec![
        message(Role::Assistant, "", vec![call.clone()], None),
        message(Role::Tool, "12:00", Vec::new(), Some("c1")),
    ]);
    let encoded = Plugin::encode(generation.clone(), target(&json!({}))).unwrap();
    let expected = json!([
        {"role": "assistant", "content": "", "tool_calls": [{"id": "c1", "function": {"name": "get_time", "arguments": {"zone": "UTC"}}}]},
        {"role": "tool", "content": "12:00", "tool_call_id": "c1", "tool_name": "get_time"},
    ]);
    assert_eq!(body(&encoded).get("messages"), Some(&expected));

    let broken = ToolCall { arguments: "not json".into(), ..call };
    generation.prompt = bench_sdk::types::Prompt::Messages(vec![message(Role::Assistant, "", vec![broken], None)]);
    assert_eq!(Plugin::encode(generation, target(&json!({}))).unwrap_err().code, "bad-request");
}

#[test]
fn launch_configures_by_environment_and_takes_names_only() {
    let options = LaunchOptions { port: 4000, context: Some(8192), slots: Some(2), params: "{}".into() };
    let plan = Plugin::launch("llama3.2".into(), options.clone()).unwrap();
    assert_eq!((plan.program.as_str(), plan.arguments.as_slice()), ("ollama", ["serve".to_owned()].as_slice()));
    let expected = [("OLLAMA_HOST", "127.0.0.1:4000"), ("OLLAMA_CONTEXT_LENGTH", "8192"), ("OLLAMA_NUM_PARALLEL", "2")];
    assert_eq!(plan.environment, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(Plugin::launch("/models/a.gguf".into(), options).unwrap_err().code, "not-supported");
}

#[test]
fn tokens_cannot_be_counted() {
    let count = <Plugin as Driver>::Count::new(testkit::chat("Hello", 8), target(&json!({})));
    assert_eq!(count.step(None).unwrap_err().code, "not-supported");
}

#[test]
fn a_web_page_is_one_however_it_comes() {
    let body = b"\n<html>";
    let bytes = body.iter().map(|byte| (vec![*byte], vec![1]));
    let said = testkit::run::<<Plugin as Driver>::Decoder>(&[], [(body.to_vec(), vec![7])]);
    assert_eq!(testkit::run::<<Plugin as Driver>::Decoder>(&[], bytes), said);
    assert!(said.1.unwrap().message.contains("web page"));
}
