//! The driver against traffic recorded from the real server, and against what the server was asked there.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::{CountStep, CountSteps, CounterKind, Driver, LaunchOptions, LocatedEvent, Target};
use bench_sdk::testkit::{Recording, chat, fuzz_decoder, raw, text, usage};
use bench_sdk::types::{CacheMode, Event, FinishReason, Generation, Sampling, ServerTiming};
use driver_llama_cpp::Plugin;
use serde_json::{Value, json};

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
    Target { model: "smollm2-135m".to_owned(), version: None, params: params.to_owned() }
}

fn timing(events: &[LocatedEvent]) -> ServerTiming {
    let timings = events.iter().filter_map(|located| match &located.event {
        Event::ServerTiming(timing) => Some(*timing),
        _ => None,
    });
    let timings: Vec<_> = timings.collect();
    assert_eq!(timings.len(), 1);
    timings[0]
}

fn last_json(name: &str) -> Value {
    let body = String::from_utf8(recording(name).body()).unwrap();
    let last = body.lines().filter_map(|line| line.strip_prefix("data: ")).rfind(|data| data.starts_with('{')).unwrap();
    serde_json::from_str(last).unwrap()
}

fn finish(events: &[LocatedEvent]) -> Vec<&FinishReason> {
    let finishes = events.iter().filter_map(|located| match &located.event {
        Event::Finish(reason) => Some(reason),
        _ => None,
    });
    finishes.collect()
}

#[test]
fn counts_and_times_are_the_servers_own() {
    for name in
        ["chat", "completions", "native", "chat-default", "chat-not-streamed", "chat-logprobs", "native-logprobs"]
    {
        let events = decoded(name);
        let said = match name {
            "chat-not-streamed" => serde_json::from_slice(&recording(name).body()).unwrap(),
            _ => last_json(name),
        };
        let timings = &said["timings"];
        let counts = usage(&events).unwrap();
        assert_eq!(counts.completion_tokens, timings["predicted_n"].as_u64(), "{name}");
        assert_eq!(counts.cached_tokens, timings["cache_n"].as_u64(), "{name}");
        let evaluated = timings["prompt_n"].as_u64().unwrap();
        assert_eq!(counts.prompt_tokens, Some(evaluated + counts.cached_tokens.unwrap()), "{name}");
        let timing = timing(&events);
        assert_eq!(timing.prefill_ms, timings["prompt_ms"].as_f64(), "{name}");
        assert_eq!(timing.prefill_tokens, Some(evaluated), "{name}");
        assert_eq!(timing.decode_ms, timings["predicted_ms"].as_f64(), "{name}");
        assert_eq!(finish(&events), [&FinishReason::Length], "{name}");
    }
}

#[test]
fn cold_requests_were_cold() {
    for name in ["chat", "completions", "native"] {
        assert_eq!(usage(&decoded(name)).unwrap().cached_tokens, Some(0), "{name}");
    }
}

#[test]
fn a_chat_starts_with_a_role_and_streams_in_the_order_of_its_reads() {
    let events = decoded("chat");
    assert_eq!(events[0], LocatedEvent { read: 0, event: Event::Start });
    assert!(matches!(&events[1], LocatedEvent { read: 0, event: Event::Text(_) }), "the first read holds both");
    let reads: Vec<u32> = events.iter().map(|located| located.read).collect();
    assert!(reads.is_sorted());
    assert!(text(&events).chars().count() > 5);
}

#[test]
fn native_chunks_carry_ids_and_running_counts() {
    let events = decoded("native");
    let ids = events.iter().filter_map(|located| match &located.event {
        Event::TokenIds(ids) => Some(ids.len()),
        _ => None,
    });
    assert_eq!(ids.sum::<usize>(), 12);
    let counts: Vec<_> = events
        .iter()
        .filter_map(|located| match &located.event {
            Event::Usage(usage) => usage.completion_tokens,
            _ => None,
        })
        .collect();
    assert_eq!(counts, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12]);
}

#[test]
fn logprobs_come_from_both_endpoints() {
    for name in ["chat-logprobs", "native-logprobs"] {
        let events = decoded(name);
        let tokens = events.iter().filter_map(|located| match &located.event {
            Event::Logprobs(list) => Some(list.iter().filter(|entry| entry.logprob < 0.0).count()),
            _ => None,
        });
        assert_eq!(tokens.sum::<usize>(), 3, "{name}");
    }
}

#[test]
fn errors_have_their_codes() {
    for (name, code) in [
        ("error-context", "context-overflow"),
        ("error-bad-json", "bad-request"),
        ("error-no-messages", "bad-request"),
        ("error-path", "not-found"),
    ] {
        let problem = Plugin::explain(recording(name).response());
        assert_eq!(problem.code, code, "{name}: {}", problem.message);
        assert!(problem.hint.is_some());
    }
}

/// The body that the driver writes for what the recording was asked.
fn assert_same_request(name: &str, generation: Generation, params: &str, unsaid: &[(&str, Value)]) {
    let encoded = Plugin::encode(generation, target(params)).unwrap();
    let asked = recording(name).meta.request;
    let mut expected: Value = serde_json::from_str(&asked.body).unwrap();
    for (field, value) in unsaid {
        expected[field] = value.clone();
    }
    assert_eq!(serde_json::from_slice::<Value>(&encoded.request.body).unwrap(), expected, "{name}");
    assert_eq!(encoded.request.path, asked.path, "{name}");
    assert!(encoded.forced_length && encoded.cache_off && encoded.seeded, "{name}");
}

fn forced(generation: Generation, temperature: Option<f64>, seed: u64) -> Generation {
    let sampling = Sampling { temperature, top_p: None, top_k: None, seed: Some(seed) };
    Generation { force_length: true, sampling, ..generation }
}

#[test]
fn requests_are_the_ones_that_the_server_answered() {
    assert_same_request("chat", forced(chat(COLOURS, 24), Some(1.5), 3), "", &[]);
    // A router of several models wants the model's name everywhere; the recorded server had one model and no such field.
    assert_same_request("native", forced(raw(FRANCE, 12), Some(0.7), 1), "{}", &[("model", json!("smollm2-135m"))]);
    assert_same_request("completions", forced(raw(FRANCE, 12), None, 1), r#"{"endpoint":"openai"}"#, &[]);
}

#[test]
fn warm_requests_use_the_cache() {
    let warm = Generation { cache: CacheMode::Warm, ..chat("hi", 1) };
    let encoded = Plugin::encode(warm, target("")).unwrap();
    let body: Value = serde_json::from_slice(&encoded.request.body).unwrap();
    assert_eq!(body["cache_prompt"], true);
    assert!(!encoded.cache_off && !encoded.forced_length);
}

#[test]
fn unknown_parameters_are_named() {
    let problem = Plugin::encode(chat("hi", 1), target(r#"{"endpint":"native"}"#)).unwrap_err();
    assert!(problem.message.contains("endpint"), "{}", problem.message);
}

fn send(step: CountStep) -> (String, Value) {
    match step {
        CountStep::Send(request) => (request.path, serde_json::from_slice(&request.body).unwrap()),
        CountStep::Done(count) => panic!("counted {count} too early"),
    }
}

fn asked(name: &str) -> (String, Value) {
    let request = recording(name).meta.request;
    let mut body: Value = serde_json::from_str(&request.body).unwrap();
    body["model"] = json!("smollm2-135m");
    (request.path, body)
}

#[test]
fn a_chat_is_counted_in_two_steps_and_equals_the_servers_count() {
    let count = Count::new(chat(COLOURS, 24), target(""));
    assert_eq!(send(count.step(None).unwrap()), asked("apply-template"));
    assert_eq!(send(count.step(Some(recording("apply-template").response())).unwrap()), asked("tokenize-chat"));
    let done = count.step(Some(recording("tokenize-chat").response())).unwrap();
    let CountStep::Done(tokens) = done else { panic!("{done:?}") };
    assert_eq!(Some(tokens), usage(&decoded("chat")).unwrap().prompt_tokens);
}

#[test]
fn raw_text_is_counted_in_one_step_and_equals_the_servers_count() {
    let count = Count::new(raw(FRANCE, 12), target(""));
    assert_eq!(send(count.step(None).unwrap()), asked("tokenize"));
    let CountStep::Done(tokens) = count.step(Some(recording("tokenize").response())).unwrap() else { panic!() };
    for name in ["native", "completions"] {
        assert_eq!(Some(tokens), usage(&decoded(name)).unwrap().prompt_tokens, "{name}");
    }
}

#[test]
fn counting_fails_with_the_servers_word() {
    let count = Count::new(chat("hi", 1), target(""));
    count.step(None).unwrap();
    assert_eq!(count.step(Some(recording("error-no-messages").response())).unwrap_err().code, "bad-request");
    let count = Count::new(chat("hi", 1), target(""));
    count.step(None).unwrap();
    assert_eq!(count.step(Some(recording("health").response())).unwrap_err().code, "malformed-response");
}

#[test]
fn the_server_is_recognised() {
    let answers = vec![recording("props").answer("props"), recording("models").answer("models")];
    let backend = Plugin::recognise(answers).unwrap();
    assert_eq!(backend.name, "llama.cpp");
    assert_eq!(backend.version.as_deref(), Some("b0-unknown"));
    assert_eq!(backend.slots, Some(4));
    assert!(backend.confidence > 90);
    let model = &backend.models[0];
    assert_eq!(model.id, "smollm2-135m");
    assert_eq!(model.context_length, Some(2048), "what one slot holds");
    assert_eq!(model.quantization.as_deref(), Some("Q4_0"));
    assert_eq!(model.parameters, Some(35_392_320));
    assert!(model.path.as_ref().unwrap().ends_with(".gguf"));
}

#[test]
fn other_servers_are_not_recognised() {
    let other =
        |name: &str| Recording::load(format!("{}/../vllm/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let answers = vec![other("error-path").answer("props"), other("models").answer("models")];
    assert!(Plugin::recognise(answers).is_none());
    assert!(Plugin::recognise(Vec::new()).is_none());
}

#[test]
fn counters_have_their_meaning() {
    let counters = Plugin::counters(vec![Some(recording("metrics").response())]);
    let value = |kind| counters.iter().find(|counter| counter.kind == kind).unwrap().value;
    let hits = value(CounterKind::PrefixCacheHits);
    let queries = value(CounterKind::PrefixCacheQueries);
    assert!(hits > 0.0 && queries > hits, "the fixture was recorded after cached requests");
    assert_eq!(value(CounterKind::PromptTokens), queries);
    assert!(value(CounterKind::CompletionTokens) > 0.0);
    assert!(value(CounterKind::PrefillSeconds) > 0.0);
    assert!(Plugin::counters(vec![None]).is_empty());
}

#[test]
fn the_launch_plan_gives_every_slot_its_context() {
    let options = LaunchOptions { port: 9, context: Some(4096), slots: Some(3), params: String::new() };
    let plan = Plugin::launch("/models/a.gguf".to_owned(), options.clone()).unwrap();
    let line = plan.arguments.join(" ");
    assert_eq!(line, "-m /models/a.gguf --host 127.0.0.1 --port 9 --metrics --slots --parallel 3 -c 12288");
    assert_eq!(plan.ready.path, "/health");
    let plan = Plugin::launch("someone/model".to_owned(), options).unwrap();
    assert!(plan.arguments.starts_with(&["-hf".to_owned(), "someone/model".to_owned()]));
    let huge = LaunchOptions { port: 9, context: Some(u32::MAX), slots: Some(2), params: String::new() };
    assert_eq!(Plugin::launch("a.gguf".to_owned(), huge).unwrap_err().code, "bad-request");
}

#[test]
fn cut_and_mangled_recordings_never_break_a_promise() {
    for name in ["chat", "native", "completions", "chat-logprobs"] {
        let body = recording(name).body();
        for cut in (0..body.len()).step_by(37) {
            fuzz_decoder::<Decoder>(&body[..cut]);
            let mut mangled = body.clone();
            mangled[cut] = mangled[cut].wrapping_add(1);
            fuzz_decoder::<Decoder>(&mangled);
            bench_sdk::testkit::assert_fast_path_is_exact::<bench_sdk::openai::Chunks<driver_llama_cpp::LlamaCpp>>(
                &mangled,
            );
        }
    }
}
