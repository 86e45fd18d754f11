//! The OpenAI dialect: what each kind of chunk becomes, what a broken stream becomes, and that the fast path is exact.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::{Backend, Decode, Evidence, Info, Locality};
use bench_sdk::openai::{Api, Chunks, Dialect};
use bench_sdk::params;
use bench_sdk::recognise::Answers;
use bench_sdk::stream::Stream;
use bench_sdk::testkit::{assert_fast_path_is_exact, fuzz_decoder, run};
use bench_sdk::types::{Event, FinishReason, Problem, ServerTiming, TokenLogprob, ToolCallDelta, Usage};
use proptest::prelude::*;

struct Plain;

impl Dialect for Plain {
    type Params = params::None;

    fn info() -> Info {
        Info {
            name: "plain".to_owned(),
            title: String::new(),
            version: String::new(),
            summary: String::new(),
            locality: Locality::SelfHosted,
            endpoints: Vec::new(),
            capabilities: Vec::new(),
            evidence: Evidence::Documentation,
            secrets: Vec::new(),
            params_schema: params::schema(&[]),
        }
    }

    fn api() -> Api {
        Api::OPENAI
    }

    fn recognise(_answers: Answers<'_>) -> Option<Backend> {
        None
    }
}

type Decoder = Stream<Chunks<Plain>>;

fn decode(body: &str) -> (Vec<Event>, Option<Problem>) {
    let ends = vec![u32::try_from(body.len()).unwrap()];
    let (events, problem) = run::<Decoder>(&[], [(body.as_bytes().to_vec(), ends)]);
    (events.into_iter().map(|located| located.event).collect(), problem)
}

fn stream(messages: &[&str]) -> Vec<Event> {
    let body: String = messages.iter().chain(&["[DONE]"]).map(|message| format!("data: {message}\n\n")).collect();
    let (events, problem) = decode(&body);
    assert_eq!(problem, None);
    events
}

fn code(body: &str) -> String {
    decode(body).1.unwrap().code
}

fn usage(prompt: u64, cached: Option<u64>, completion: u64) -> Event {
    Event::Usage(Usage {
        prompt_tokens: Some(prompt),
        cached_tokens: cached,
        completion_tokens: Some(completion),
        reasoning_tokens: None,
    })
}

#[test]
fn a_chat_has_a_start_text_a_finish_and_counts() {
    let events = stream(&[
        r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":""}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"Hé"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"llo \"\ud83d\ude00"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":3}}}"#,
    ]);
    let text = |text: &str| Event::Text(text.to_owned());
    let finish = Event::Finish(FinishReason::Length);
    assert_eq!(events, [Event::Start, text("Hé"), text("llo \"😀"), finish, usage(9, Some(3), 4)]);
}

#[test]
fn reasoning_goes_by_either_name_and_is_not_doubled() {
    let events = stream(&[
        r#"{"choices":[{"delta":{"content":null,"reasoning_content":"a"}}]}"#,
        r#"{"choices":[{"delta":{"reasoning":"b"}}]}"#,
        r#"{"choices":[{"delta":{"reasoning":"c","reasoning_content":"c"}}]}"#,
        r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"d"}]},{"type":"text","text":"e"}]}}]}"#,
    ]);
    let reasoning = |text: &str| Event::Reasoning(text.to_owned());
    assert_eq!(events, [reasoning("a"), reasoning("b"), reasoning("c"), reasoning("d"), Event::Text("e".to_owned())]);
}

#[test]
fn tool_calls_come_in_fragments() {
    let events = stream(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{\"a\":"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"function":{"name":"g","arguments":{"b":2}}}]},"finish_reason":"tool_calls"}]}"#,
    ]);
    let delta = |index, id: Option<&str>, name: Option<&str>, arguments: &str| {
        Event::ToolCall(ToolCallDelta {
            index,
            id: id.map(str::to_owned),
            name: name.map(str::to_owned),
            arguments: arguments.to_owned(),
        })
    };
    assert_eq!(
        events,
        [
            delta(1, Some("c1"), Some("f"), ""),
            delta(1, None, None, "{\"a\":"),
            delta(0, None, Some("g"), "{\"b\":2}"),
            Event::Finish(FinishReason::ToolCalls),
        ]
    );
}

/// A tool call of the message as it arrives: index, id, name, arguments.
fn call(index: u32, id: Option<&str>, name: Option<&str>, arguments: &str) -> Event {
    let (id, name) = (id.map(str::to_owned), name.map(str::to_owned));
    Event::ToolCall(ToolCallDelta { index, id, name, arguments: arguments.to_owned() })
}

#[test]
fn a_name_that_is_repeated_is_no_fragment() {
    let piece = |arguments: &str| {
        let arguments = serde_json::to_string(arguments).unwrap();
        format!(
            r#"{{"choices":[{{"delta":{{"tool_calls":[{{"index":0,"id":"a","function":{{"name":"f","arguments":{arguments}}}}}]}}}}]}}"#
        )
    };
    let events = stream(&[&piece(""), &piece("{\"x\":"), &piece("1}")]);
    assert_eq!(events, [call(0, Some("a"), Some("f"), ""), call(0, None, None, "{\"x\":"), call(0, None, None, "1}")]);
}

#[test]
fn parallel_calls_that_share_an_index_are_two() {
    for index in [r#""index":0,"#, ""] {
        let whole = |id: &str| {
            format!(
                r#"{{"choices":[{{"delta":{{"tool_calls":[{{{index}"id":"{id}","function":{{"name":"f","arguments":"{{}}"}}}}]}}}}]}}"#
            )
        };
        let events = stream(&[&whole("a"), &whole("b")]);
        assert_eq!(events, [call(0, Some("a"), Some("f"), "{}"), call(1, Some("b"), Some("f"), "{}")]);
    }
    let events = stream(&[r#"{"choices":[{"delta":{"function_call":{"name":"old","arguments":"{}"}}}]}"#]);
    assert_eq!(events, [call(0, None, Some("old"), "{}")]);
}

#[test]
fn halves_of_a_character_meet() {
    let text = |text: &str| Event::Text(text.to_owned());
    let piece = |escaped: &str| format!(r#"{{"choices":[{{"delta":{{"content":"{escaped}"}}}}]}}"#);
    assert_eq!(stream(&[&piece("caf\\u00e9 \\ud83d"), &piece("\\ude00 ok")]), [text("café "), text("😀 ok")]);
    assert_eq!(stream(&[&piece("\\ud83d"), &piece("\\ude00")]), [text("😀")]);
    assert_eq!(stream(&[&piece("a\\ud83d"), &piece("b")]), [text("a"), text("\u{fffd}b")]);
    let end = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
    assert_eq!(stream(&[&piece("a\\ud83d"), end]), [text("a"), text("\u{fffd}"), Event::Finish(FinishReason::Stop)]);
    let arguments = [r#""{\"a\":\"\ud83d""#, r#""\ude00\"}""#].map(|arguments| {
        format!(
            r#"{{"choices":[{{"delta":{{"tool_calls":[{{"function":{{"name":"f","arguments":{arguments}}}}}]}}}}]}}"#
        )
    });
    let said: String = stream(&[&arguments[0], &arguments[1]])
        .into_iter()
        .map(|event| if let Event::ToolCall(delta) = event { delta.arguments } else { String::new() })
        .collect();
    assert_eq!(said, "{\"a\":\"😀\"}");
}

#[test]
fn data_that_is_empty_says_nothing() {
    let (events, problem) = decode(
        "data:\n\ndata: \n\ndata: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\nevent: ping\ndata: still here\n\ndata: [DONE]\n\n",
    );
    assert_eq!(problem, None);
    assert_eq!(events[0], Event::Text("x".to_owned()));
}

#[test]
fn errors_are_found_wherever_they_stand() {
    for (message, code, said) in [
        (r#"{"error":"out of memory"}"#, "server-error", "out of memory"),
        (r#"{"choices":[{"delta":{},"error":{"message":"GPU lost","code":503}}]}"#, "overloaded", "GPU lost"),
        (
            r#"{"choices":[{"delta":{"content":"","error":{"message":"nobody there"}}}]}"#,
            "server-error",
            "nobody there",
        ),
        (r#"{"choices":[],"error":{"message":"late","code":500},"usage":{"prompt_tokens":1}}"#, "server-error", "late"),
        (r#"{"object":"error","message":"abort","code":500}"#, "server-error", "abort"),
        (r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, "overloaded", "Overloaded"),
        (r#"{"detail":"no worker"}"#, "server-error", "no worker"),
        (r#"{"errors":[{"message":"first"},{"message":"second"}]}"#, "server-error", "first"),
        (r#"{"status":"error","message":"broken"}"#, "server-error", "broken"),
        (r#"{"message":"Too many requests","code":429}"#, "rate-limited", "Too many requests"),
        (
            r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#,
            "quota-exhausted",
            "quota",
        ),
        (r#"{"error":{"message":"x","metadata":{"raw":"the host's own words"}}}"#, "server-error", "own words"),
    ] {
        let found = stream(&[r#"{"choices":[{"delta":{"content":"a"}}]}"#, message]);
        let Some(Event::Error(problem)) = found.last() else { panic!("{message}: {found:?}") };
        assert_eq!(problem.code, code, "{message}");
        assert!(problem.message.contains(said), "{message}: {}", problem.message);
    }
    let (events, _) = decode("error: {\"code\":500,\"message\":\"slot gone\",\"type\":\"server_error\"}\n\n");
    assert!(
        matches!(events.first(), Some(Event::Error(problem)) if problem.message.contains("slot gone")),
        "{events:?}"
    );
}

#[test]
fn an_error_field_without_an_error_is_none() {
    for nothing in ["null", "\"\"", "{}", "[]", "false", "0"] {
        let message = format!(r#"{{"choices":[{{"delta":{{"content":"a"}},"error":{nothing}}}],"error":{nothing}}}"#);
        assert_eq!(stream(&[&message]), [Event::Text("a".to_owned())], "{nothing}");
    }
}

#[test]
fn the_reason_of_the_host_behind_a_router_counts() {
    let end = |word: &str, native: &str| {
        format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":"{word}","native_finish_reason":"{native}"}}]}}"#)
    };
    let finish = |word, native| stream(&[&end(word, native)]).pop().unwrap();
    assert_eq!(finish("stop", "network_error"), Event::Finish(FinishReason::Other("network_error".to_owned())));
    assert_eq!(finish("stop", "completed"), Event::Finish(FinishReason::Stop));
    assert_eq!(finish("length", "MAX_TOKENS"), Event::Finish(FinishReason::Length));
    assert_eq!(finish("model_context_window_exceeded", ""), Event::Finish(FinishReason::Length));
    assert_eq!(finish("SAFETY", ""), Event::Finish(FinishReason::ContentFilter));
}

#[test]
fn a_refusal_in_its_own_field_is_a_refusal() {
    let events = stream(&[
        r#"{"choices":[{"delta":{"role":"assistant","refusal":"I can't help."}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
    ]);
    assert_eq!(events, [Event::Text("I can't help.".to_owned()), Event::Finish(FinishReason::ContentFilter)]);
}

#[test]
fn a_number_of_log_probability_is_that_of_the_text() {
    let events = stream(&[r#"{"choices":[{"text":"4","logprobs":-0.25,"delta":{"content":"4"}}]}"#]);
    let logprobs = Event::Logprobs(vec![TokenLogprob { token: "4".to_owned(), logprob: -0.25 }]);
    assert_eq!(events, [Event::Text("4".to_owned()), logprobs]);
}

#[test]
fn ids_logprobs_counts_and_times_come_along() {
    let events = stream(&[
        r#"{"choices":[{"text":"x","token_ids":[7,8],"logprobs":{"tokens":["x","y"],"token_logprobs":[null,-0.5]}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
        r#"{"choices":[{"delta":{"content":"z"},"logprobs":{"content":[{"token":"z","logprob":-1.5}]}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"odd"}],"timings":{"cache_n":2,"prompt_n":3,"prompt_ms":4.5,"predicted_n":6,"predicted_ms":7.5}}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"queue_time":0.5,"prompt_time":0.25,"completion_time":1}}"#,
    ]);
    let logprob = |token: &str, logprob| Event::Logprobs(vec![TokenLogprob { token: token.to_owned(), logprob }]);
    let timing = ServerTiming {
        queue_ms: None,
        load_ms: None,
        prefill_ms: Some(4.5),
        prefill_tokens: Some(3),
        decode_ms: Some(7.5),
        decode_tokens: Some(6),
        draft_tokens: None,
        accepted_tokens: None,
    };
    let seconds = ServerTiming {
        queue_ms: Some(500.0),
        prefill_ms: Some(250.0),
        prefill_tokens: None,
        decode_ms: Some(1000.0),
        decode_tokens: None,
        ..timing
    };
    assert_eq!(
        events,
        [
            Event::Text("x".to_owned()),
            Event::TokenIds(vec![7, 8]),
            logprob("y", -0.5),
            usage(1, None, 2),
            Event::Text("z".to_owned()),
            logprob("z", -1.5),
            usage(5, Some(2), 6),
            Event::ServerTiming(timing),
            Event::Finish(FinishReason::Other("odd".to_owned())),
            usage(1, None, 1),
            Event::ServerTiming(seconds),
        ]
    );
}

#[test]
fn an_answer_in_one_document_is_read_all_the_same() {
    let body = r#" {"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}  "#;
    let (events, problem) = decode(body);
    assert_eq!(problem, None);
    assert_eq!(events, [Event::Text("hi".to_owned()), usage(1, None, 1), Event::Finish(FinishReason::Stop)]);
}

#[test]
fn a_document_that_comes_byte_by_byte_has_the_same_problem() {
    let body = " {\"choices\":[]}{";
    let bytes = body.bytes().map(|byte| (vec![byte], vec![1]));
    let whole = (body.as_bytes().to_vec(), vec![u32::try_from(body.len()).unwrap()]);
    let said = run::<Decoder>(&[], [whole]);
    assert!(said.1.is_some());
    assert_eq!(run::<Decoder>(&[], bytes), said);
}

#[test]
fn errors_inside_a_stream_are_events_and_end_it() {
    for (message, expected) in [
        (
            r#"{"error":{"message":"the context size is too small","code":400,"type":"exceed_context_size_error"}}"#,
            "context-overflow",
        ),
        (r#"{"error":{"message":"slow down","code":429}}"#, "rate-limited"),
        (r#"{"error":"boom"}"#, "server-error"),
    ] {
        let (events, problem) = decode(&format!("data: {message}\n\n"));
        assert_eq!(problem, None, "a stream that ends after an error has said why");
        let [Event::Error(error)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(error.code, expected);
    }
    let (events, _) = decode("event: error\ndata: {\"message\":\"busy\"}\n\n");
    assert!(matches!(events.as_slice(), [Event::Error(error)] if error.message.contains("busy")));
}

#[test]
fn broken_bodies_have_their_codes() {
    assert_eq!(code(""), "truncated-stream");
    assert_eq!(code("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"), "truncated-stream");
    assert_eq!(code("data: {\"choices\":[{\"delta\":{\"content\":\"a"), "truncated-stream");
    assert_eq!(code("{\"choices\":[{\"message\":{"), "truncated-stream");
    assert_eq!(code("data: {oops}\n\ndata: [DONE]\n\n"), "malformed-response");
    assert_eq!(code("data: {\"choices\":7}\n\ndata: [DONE]\n\n"), "malformed-response");
    assert_eq!(code("<!DOCTYPE html><html>no</html>"), "malformed-response");
    assert_eq!(code("Internal Server Error"), "malformed-response");
    assert_eq!(code("{\"error\":{\"message\":\"bad key\",\"code\":401}}"), "unauthorized");
    assert_eq!(code("[1,2]"), "malformed-response");
}

#[test]
fn events_before_a_broken_message_are_kept() {
    let decoder = Decoder::new(Vec::new());
    let body = b"data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {oops}\n\n".to_vec();
    let ends = vec![u32::try_from(body.len()).unwrap()];
    let events = decoder.push(body, ends).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(decoder.push(b"data: [DONE]\n\n".to_vec(), vec![14]).unwrap_err().code, "malformed-response");
    assert_eq!(decoder.finish().unwrap_err().code, "malformed-response");
}

#[test]
fn unknown_messages_are_kept_for_the_record() {
    let (events, problem) = decode(": ping\n\ndata: {\"type\":\"hello\"}\n\ndata: [DONE]\n\n");
    assert_eq!(problem, None);
    assert_eq!(events, [Event::Other(": ping".to_owned()), Event::Other("{\"type\":\"hello\"}".to_owned())]);
}

/// String literals, among them such as no parser should take.
fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "\"[ a-z,.]{1,6}\"",
        3 => r#""(a|\\n|\\"|\\\\|\\u00e9|\\ud83d\\ude00|é|漢){1,5}""#,
        1 => Just(r#""""#.to_owned()),
        1 => Just(r#""\ud83d""#.to_owned()),
        1 => Just(r#""\q""#.to_owned()),
        1 => Just(r#""\u12""#.to_owned()),
        1 => Just("\"a\u{1}b\"".to_owned()),
        1 => Just("\"\\".to_owned()),
        1 => Just("null".to_owned()),
        1 => Just("5".to_owned()),
        1 => Just(r#"["x"]"#.to_owned()),
        1 => Just(r#"[{"text":"p"}]"#.to_owned()),
        1 => Just(r#""x","content":"y""#.to_owned()),
    ]
}

fn integer() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[1-9][0-9]{0,3}",
        1 => Just("0".to_owned()),
        1 => Just("007".to_owned()),
        1 => Just("-1".to_owned()),
        1 => Just("1.0".to_owned()),
        1 => Just("2e2".to_owned()),
        1 => Just("999999999999999999".to_owned()),
        1 => Just("99999999999999999999".to_owned()),
        1 => Just("null".to_owned()),
        1 => Just("\"3\"".to_owned()),
        1 => Just("".to_owned()),
    ]
}

fn ids() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "\\[[1-9][0-9]{0,4}(,[1-9][0-9]{0,4}){0,2}\\]",
        1 => Just("[]".to_owned()),
        1 => Just("[1, 2]".to_owned()),
        1 => Just("[01]".to_owned()),
        1 => Just("[4294967296]".to_owned()),
        1 => Just("[1,]".to_owned()),
        1 => Just("null".to_owned()),
    ]
}

/// Messages of a few shapes, so that like ones follow one another, with values that are sometimes hostile.
fn message() -> impl Strategy<Value = String> {
    (0..7_u8, literal(), literal(), ids(), integer(), integer()).prop_map(|(shape, text, more, ids, produced, total)| match shape {
        0 | 1 => format!(
            r#"{{"id":"c-1","model":"m","choices":[{{"index":0,"delta":{{"content":{text}}},"finish_reason":null}}],"usage":{{"prompt_tokens":34,"total_tokens":{total},"completion_tokens":{produced},"completion_tokens_details":null}}}}"#
        ),
        2 => format!(r#"{{"choices":[{{"finish_reason":null,"index":0,"delta":{{"content":{text}}}}}],"created":1,"id":"x"}}"#),
        3 => format!(r#"{{"choices":[{{"index":0,"text":{text},"token_ids":{ids}}}]}}"#),
        4 => format!(r#"{{"choices":[{{"delta":{{"content":null,"reasoning_content":{text},"reasoning":{more}}}}}]}}"#),
        5 => format!(r#"{{"choices":[{{"delta":{{"content":{text}}},"finish_reason":{more}}}],"usage":{{"completion_tokens":{produced}}}}}"#),
        _ => format!(r#"{{"choices":[{{"index":{produced},"delta":{{"content":{text},"x":{more}}},"token_ids":{ids}}}],"total":{total}}}"#),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_fast_path_is_exact(
        messages in prop::collection::vec(message(), 1..24),
        repeat in prop::collection::vec(1..4_usize, 1..8),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..2),
    ) {
        let mut body = Vec::new();
        for (message, times) in messages.iter().zip(repeat.iter().cycle()) {
            for _ in 0..*times {
                body.extend_from_slice(format!("data: {message}\n\n").as_bytes());
            }
        }
        for (at, byte) in flips {
            *at.get_mut(&mut body) = byte;
        }
        assert_fast_path_is_exact::<Chunks<Plain>>(&body);
    }

    #[test]
    fn like_messages_with_hostile_values_are_exact(
        values in prop::collection::vec((literal(), literal(), ids(), integer(), integer()), 1..24),
        shape in 0..5_u8,
    ) {
        let body: String = values.into_iter().map(|(text, more, ids, produced, total)| match shape {
            0 => format!("data: {{\"choices\":[{{\"delta\":{{\"content\":{text}}}}}],\"usage\":{{\"total_tokens\":{total},\"completion_tokens\":{produced}}}}}\n\n"),
            1 => format!("data: {{\"choices\":[{{\"text\":{text},\"token_ids\":{ids}}}],\"usage\":{{\"completion_tokens\":{produced}}}}}\n\n"),
            4 => format!("data: {{\"choices\":[{{\"delta\":{{\"tool_calls\":[{{\"index\":0,\"function\":{{\"arguments\":{text}}}}}]}},\"token_ids\":{ids}}}],\"usage\":{{\"completion_tokens\":{produced}}}}}\n\n"),
            2 => format!("data: {{\"choices\":[{{\"delta\":{{\"reasoning\":{text},\"reasoning_content\":{more}}}}}]}}\n\n"),
            _ => format!("data: {{\"choices\":[{{\"delta\":{{\"content\":{text}}}}}]}}\n\n"),
        }).collect();
        assert_fast_path_is_exact::<Chunks<Plain>>(body.as_bytes());
    }

    #[test]
    fn no_body_is_too_odd(body in prop::collection::vec(any::<u8>(), 0..400)) {
        fuzz_decoder::<Decoder>(&body);
    }

    #[test]
    fn streams_cut_anywhere_read_the_same(messages in prop::collection::vec(message(), 0..8), cut in any::<prop::sample::Index>()) {
        let body: String = messages.iter().map(|message| format!("data: {message}\r\n\r\n")).collect();
        let cut = cut.index(body.len() + 1);
        fuzz_decoder::<Decoder>(&body.as_bytes()[..cut]);
    }
}
