//! The driver against traffic recorded from the real server, and against what the server was asked there.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::{CountStep, CountSteps, CounterKind, Driver, LaunchOptions, LocatedEvent, Target};
use bench_sdk::openai::Chunks;
use bench_sdk::testkit::{Recording, assert_fast_path_is_exact, chat, fuzz_decoder, raw, usage};
use bench_sdk::types::{CacheMode, Event, FinishReason, Generation, Sampling, Tool};
use driver_vllm::{Plugin, Vllm};
use serde_json::Value;

type Decoder = <Plugin as Driver>::Decoder;
type Count = <Plugin as Driver>::Count;

const COLOURS: &str = "Name three colours, and a café.";
const FRANCE: &str = "The capital of France is";

fn recording(name: &str) -> Recording {
    Recording::load(format!("{}/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn decoded(name: &str) -> Vec<LocatedEvent> {
    recording(name).decode_consistently::<Decoder>().unwrap()
}

fn target(params: &str) -> Target {
    Target { model: "smollm2".to_owned(), version: None, params: params.to_owned() }
}

fn completion_counts(events: &[LocatedEvent]) -> Vec<u64> {
    let counts = events.iter().filter_map(|located| match &located.event {
        Event::Usage(usage) => usage.completion_tokens,
        _ => None,
    });
    counts.collect()
}

#[test]
fn final_counts_are_the_servers_own() {
    for name in ["chat", "chat-plain", "chat-cached", "chat-logprobs", "completions", "completions-logprobs"] {
        let body = String::from_utf8(recording(name).body()).unwrap();
        let last =
            body.lines().filter_map(|line| line.strip_prefix("data: ")).rfind(|data| data.contains("\"choices\":[]"));
        let said: Value = serde_json::from_str(last.unwrap()).unwrap();
        let counts = usage(&decoded(name)).unwrap();
        assert_eq!(counts.prompt_tokens, said["usage"]["prompt_tokens"].as_u64(), "{name}");
        assert_eq!(counts.completion_tokens, said["usage"]["completion_tokens"].as_u64(), "{name}");
        assert_eq!(counts.cached_tokens, said["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64(), "{name}");
        let finishes = decoded(name).into_iter().filter(|located| located.event == Event::Finish(FinishReason::Length));
        assert_eq!(finishes.count(), 1, "{name}");
    }
    assert_eq!(usage(&decoded("chat-cached")).unwrap().cached_tokens, Some(256));
    assert_eq!(usage(&decoded("chat")).unwrap().cached_tokens, Some(0), "a salted request is cold");
}

#[test]
fn every_chunk_says_how_many_tokens_there_are() {
    let events = decoded("chat");
    assert_eq!(events[0].event, Event::Start);
    let counts = completion_counts(&events);
    assert_eq!(counts.first(), Some(&0));
    assert_eq!(counts.last(), Some(&16));
    assert!(counts.is_sorted());
    let ids = events.iter().filter_map(|located| match &located.event {
        Event::TokenIds(ids) => Some(ids.len() as u64),
        _ => None,
    });
    assert_eq!(ids.sum::<u64>(), 16);
}

#[test]
fn logprobs_come_from_both_endpoints() {
    for name in ["chat-logprobs", "completions-logprobs"] {
        let tokens = decoded(name).into_iter().filter_map(|located| match located.event {
            Event::Logprobs(list) => Some(list.len()),
            _ => None,
        });
        assert_eq!(tokens.sum::<usize>(), 3, "{name}");
    }
}

#[test]
fn silence_about_cached_tokens_is_noted() {
    let mut silent = recording("chat-plain");
    for read in &mut silent.reads {
        let text = String::from_utf8(std::mem::take(read)).unwrap();
        let from = text.find(",\"prompt_tokens_details\"").unwrap_or(text.len());
        let to = text.get(from..).and_then(|rest| rest.find("}}")).map_or(from, |end| from + end + 1);
        *read = format!("{}{}", &text[..from], &text[to..]).into_bytes();
    }
    let noted = |recording: &Recording| {
        let events = recording.decode::<Decoder>().unwrap();
        events.iter().any(
            |located| matches!(&located.event, Event::Other(note) if note.contains("--enable-prompt-tokens-details")),
        )
    };
    assert!(noted(&silent));
    assert!(!noted(&recording("chat-plain")));
}

#[test]
fn errors_have_their_codes() {
    for (name, code) in [
        ("error-context", "context-overflow"),
        ("error-model", "model-not-found"),
        ("error-bad-json", "bad-request"),
        ("error-no-messages", "bad-request"),
        ("error-path", "not-found"),
    ] {
        let problem = Plugin::explain(recording(name).response());
        assert_eq!(problem.code, code, "{name}: {}", problem.message);
        assert!(problem.hint.is_some());
    }
}

fn forced(generation: Generation) -> Generation {
    let sampling = Sampling { temperature: Some(1.0), top_p: None, top_k: None, seed: Some(1) };
    Generation { force_length: true, sampling, salt: Some("s1".to_owned()), ..generation }
}

#[test]
fn requests_are_the_ones_that_the_server_answered() {
    for (name, generation, params) in [
        ("chat", forced(chat(COLOURS, 16)), r#"{"return_token_ids":true}"#),
        ("completions", forced(raw(FRANCE, 12)), ""),
    ] {
        let encoded = Plugin::encode(generation, target(params)).unwrap();
        let asked = recording(name).meta.request;
        let expected: Value = serde_json::from_str(&asked.body).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&encoded.request.body).unwrap(), expected, "{name}");
        assert_eq!(encoded.request.path, asked.path, "{name}");
        assert!(encoded.forced_length && encoded.cache_off && encoded.seeded, "{name}");
    }
}

#[test]
fn without_a_salt_nothing_is_claimed() {
    let encoded = Plugin::encode(chat("hi", 1), target("")).unwrap();
    assert!(!encoded.cache_off);
    let warm = Generation { cache: CacheMode::Warm, salt: Some("s".to_owned()), ..chat("hi", 1) };
    let encoded = Plugin::encode(warm, target(r#"{"chunk_usage":false}"#)).unwrap();
    let body: Value = serde_json::from_slice(&encoded.request.body).unwrap();
    assert!(!encoded.cache_off && body.get("cache_salt").is_none());
    assert_eq!(body["stream_options"], serde_json::json!({"include_usage": true}));
}

#[test]
fn tool_calls_stream_in_fragments() {
    let events = decoded("chat-tools");
    let calls: Vec<_> = events
        .iter()
        .filter_map(|located| match &located.event {
            Event::ToolCall(call) => Some(call),
            _ => None,
        })
        .collect();
    assert_eq!(calls[0].name.as_deref(), Some("get_weather"));
    assert!(calls[0].id.as_ref().is_some_and(|id| !id.is_empty()));
    assert!(calls.len() > 10);
    assert!(calls.iter().skip(1).all(|call| call.name.is_none() && call.index == 0 && !call.arguments.is_empty()));
    assert_eq!(usage(&events).unwrap().completion_tokens, Some(60));
}

#[test]
fn a_server_without_a_tool_parser_has_a_way_out() {
    let problem = Plugin::explain(recording("error-tools").response());
    assert_eq!(problem.code, "not-supported");
    assert!(problem.hint.unwrap().contains("tool_choice=none"));
    let tool = Tool { name: "f".to_owned(), description: String::new(), parameters: "{}".to_owned() };
    let encoded =
        Plugin::encode(Generation { tools: vec![tool], ..chat("hi", 1) }, target(r#"{"tool_choice":"none"}"#));
    let body: Value = serde_json::from_slice(&encoded.unwrap().request.body).unwrap();
    assert_eq!(body["tool_choice"], "none");
    assert_eq!(body["tools"][0]["function"]["name"], "f");
}

#[test]
fn prompts_are_counted_as_the_server_counts_them() {
    for (generation, tokenize, answer) in
        [(chat(COLOURS, 1), "tokenize-chat", "chat"), (raw(FRANCE, 1), "tokenize-text", "completions")]
    {
        let count = Count::new(generation, target(""));
        let CountStep::Send(request) = count.step(None).unwrap() else { panic!() };
        let asked = recording(tokenize).meta.request;
        assert_eq!(request.path, asked.path);
        let body = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap();
        assert_eq!(body(&request.body), body(asked.body.as_bytes()));
        let CountStep::Done(tokens) = count.step(Some(recording(tokenize).response())).unwrap() else { panic!() };
        assert_eq!(Some(tokens), usage(&decoded(answer)).unwrap().prompt_tokens);
    }
}

#[test]
fn the_server_is_recognised() {
    let answers = ["models", "version", "metrics"].map(|name| recording(name).answer(name));
    let backend = Plugin::recognise(answers.into()).unwrap();
    assert_eq!(backend.name, "vllm");
    assert_eq!(backend.version.as_deref(), Some("0.32.0"));
    assert!(backend.confidence > 90);
    assert_eq!(backend.models[0].id, "smollm2");
    assert_eq!(backend.models[0].context_length, Some(2048));
    assert!(backend.build.contains(&"enable_prefix_caching=True".to_owned()), "{:?}", backend.build);
    assert!(backend.build.contains(&"block_size=128".to_owned()), "{:?}", backend.build);
}

#[test]
fn other_servers_are_not_recognised() {
    let other = |name: &str| {
        Recording::load(format!("{}/../llama-cpp/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    let answers = vec![
        other("models").answer("models"),
        other("error-path").answer("version"),
        other("metrics").answer("metrics"),
    ];
    assert!(Plugin::recognise(answers).is_none());
    assert!(Plugin::recognise(Vec::new()).is_none());
}

#[test]
fn counters_have_their_meaning() {
    let counters = Plugin::counters(vec![Some(recording("metrics").response())]);
    let value = |kind| counters.iter().find(|counter| counter.kind == kind).unwrap().value;
    assert_eq!(value(CounterKind::PrefixCacheQueries), 786.0);
    assert_eq!(value(CounterKind::PrefixCacheHits), 256.0);
    assert_eq!(value(CounterKind::PromptTokens), 786.0);
    assert_eq!(value(CounterKind::CompletionTokens), 46.0);
    assert_eq!(value(CounterKind::Preemptions), 0.0);
    assert!(value(CounterKind::DecodeSeconds) > 0.0);
    assert!(Plugin::counters(vec![Some(recording("error-path").response())]).is_empty());
}

#[test]
fn the_launch_plan_reports_what_is_measured() {
    let params = r#"{"launch_arguments":["--dtype","float32"]}"#.to_owned();
    let options = LaunchOptions { port: 9, context: Some(4096), slots: None, params };
    let plan = Plugin::launch("org/model".to_owned(), options).unwrap();
    assert_eq!(
        plan.arguments.join(" "),
        "serve org/model --host 127.0.0.1 --port 9 --max-model-len 4096 --enable-prefix-caching \
         --enable-prompt-tokens-details --dtype float32"
    );
}

#[test]
fn cut_and_mangled_recordings_never_break_a_promise() {
    for name in ["chat", "completions", "chat-logprobs", "chat-tools"] {
        let body = recording(name).body();
        for cut in (0..body.len()).step_by(37) {
            fuzz_decoder::<Decoder>(&body[..cut]);
            let mut mangled = body.clone();
            mangled[cut] = mangled[cut].wrapping_add(1);
            fuzz_decoder::<Decoder>(&mangled);
            assert_fast_path_is_exact::<Chunks<Vllm>>(&mangled);
        }
    }
}
