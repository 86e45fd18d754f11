//! Answers as configured: order, stamps, counts, channels, cache.

use bench_sim::tokenizer::count;
use bench_sim::{Pace, PrefixCache, RoleChunk, SimConfig, UsageMode, now_ns};
use serde_json::{Value, json};

use crate::client::{Client, End, Reply, quick, start};

fn stamp(event: &Value, name: &str) -> u64 {
    event["bench_sim"][name].as_u64().unwrap()
}

/// Events that carry a piece of the answer.
fn fragments(reply: &Reply) -> Vec<Value> {
    let has_text =
        |event: &Value| event["choices"][0]["delta"]["content"].as_str().is_some_and(|text| !text.is_empty());
    reply.events().into_iter().filter(has_text).collect()
}

#[tokio::test]
async fn a_chat_streams_role_tokens_finish_usage_and_done_with_true_stamps() {
    let sim = start(quick());
    let before = now_ns();
    let reply = Client::connect(sim.addr()).chat(8, json!({}));
    let after = now_ns();
    assert_eq!((reply.status, reply.end), (200, End::Complete));
    assert_eq!(reply.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(reply.header("bench-sim-schedule"), Some(sim.schedule_id()));
    let events = reply.events();
    assert_eq!(events.len(), 1 + 8 + 1 + 1);
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(count(&reply.said("content")), 8);
    assert_eq!(events[9]["choices"][0]["finish_reason"], "length");
    assert_eq!(events[10]["choices"], json!([]));
    assert_eq!(events[10]["usage"]["completion_tokens"], 8);
    for (index, event) in events.iter().enumerate() {
        assert_eq!(stamp(event, "seq"), u64::try_from(index).unwrap());
        assert!(stamp(event, "due_ns") <= stamp(event, "emitted_ns"));
        assert!((before..=after).contains(&stamp(event, "emitted_ns")));
    }
    assert!(events.is_sorted_by_key(|event| stamp(event, "emitted_ns")));
    let due: Vec<u64> = fragments(&reply).iter().map(|event| stamp(event, "due_ns")).collect();
    assert!(due.windows(2).all(|pair| pair[1] - pair[0] == 500_000), "the gap is exact: {due:?}");
    let counters = sim.settled().await;
    assert_eq!((counters.requests, counters.completed, counters.tokens_sent), (1, 1, 8));
    assert_eq!(counters.writes, 1 + 8 + 1);
    assert!(counters.late_max_ns >= counters.late_mean_ns());
    sim.shutdown().await;
}

#[test]
fn raw_completions_stream_text_and_default_to_sixteen_tokens() {
    let sim = start(quick());
    let body = json!({"model": "bench-sim", "prompt": "one two three", "stream": true, "return_token_ids": true});
    let reply = Client::connect(sim.addr()).post("/v1/completions", &body);
    let events = reply.events();
    let text: String = events.iter().filter_map(|event| event["choices"][0]["text"].as_str()).collect();
    assert_eq!(count(&text), 16);
    let ids: Vec<Value> =
        events.iter().filter_map(|event| event["choices"][0]["token_ids"].as_array()).flatten().cloned().collect();
    let back = Client::connect(sim.addr()).post("/detokenize", &json!({ "tokens": ids }));
    assert_eq!(back.json()["prompt"], text);
    assert!(events.iter().all(|event| event.get("usage").is_none()), "usage was not asked for");
}

#[test]
fn an_answer_that_is_not_streamed_has_length_usage_and_stamp() {
    let sim = start(quick());
    let reply = Client::connect(sim.addr()).chat(5, json!({"stream": false}));
    let body = reply.json();
    assert_eq!(body["object"], "chat.completion");
    assert_eq!(count(body["choices"][0]["message"]["content"].as_str().unwrap()), 5);
    assert_eq!(body["usage"]["completion_tokens"], 5);
    assert!(stamp(&body, "due_ns") <= stamp(&body, "emitted_ns"));
}

#[test]
fn a_connection_carries_many_requests() {
    let sim = start(quick());
    let mut client = Client::connect(sim.addr());
    for _ in 0..3 {
        assert_eq!(client.chat(2, json!({})).end, End::Complete);
        assert_eq!(client.get("/health").status, 200);
    }
    assert_eq!(sim.counters().connections, 1);
}

#[tokio::test]
async fn many_streams_at_once_each_keep_their_own_schedule() {
    let sim = start(SimConfig { slots: 200, ..quick() });
    let mut clients: Vec<Client> = (0..200).map(|_| Client::connect(sim.addr())).collect();
    for client in &mut clients {
        client.send("POST", "/v1/chat/completions", "", &crate::client::chat(20, json!({})).to_string());
    }
    let replies: Vec<Reply> = clients.iter_mut().map(Client::reply).collect();
    for reply in &replies {
        assert_eq!((reply.end, count(&reply.said("content"))), (End::Complete, 20));
        let due: Vec<u64> = fragments(reply).iter().map(|event| stamp(event, "due_ns")).collect();
        assert!(due.windows(2).all(|pair| pair[1] - pair[0] == 500_000), "the gap is exact: {due:?}");
        assert!(reply.events().iter().all(|event| stamp(event, "due_ns") <= stamp(event, "emitted_ns")));
    }
    let counters = sim.settled().await;
    assert_eq!((counters.connections, counters.completed, counters.tokens_sent), (200, 200, 4000));
}

#[test]
fn a_large_prompt_is_billed_and_cached_like_a_small_one() {
    let sim = start(quick());
    let content = " word".repeat(10_000);
    let ask = json!({"messages": [{"role": "user", "content": content}], "stream": false});
    let mut client = Client::connect(sim.addr());
    let usage = |reply: Reply| reply.json()["usage"].clone();
    let first = usage(client.chat(2, ask.clone()));
    let second = usage(client.chat(2, ask.clone()));
    let counted = client.post("/tokenize", &ask).json()["count"].as_u64().unwrap();
    assert_eq!(first["prompt_tokens"], counted);
    assert_eq!(first["prompt_tokens_details"]["cached_tokens"], 0);
    assert_eq!(second["prompt_tokens_details"]["cached_tokens"], (counted - 1) / 16 * 16);
}

#[test]
fn chunks_follow_the_pattern_and_token_pace_stretches_them() {
    let sim = start(SimConfig { chunk_tokens: vec![1, 3], pace: Pace::Token, ..quick() });
    let reply = Client::connect(sim.addr()).chat(10, json!({}));
    let fragments = fragments(&reply);
    let sizes: Vec<usize> =
        fragments.iter().map(|event| count(event["choices"][0]["delta"]["content"].as_str().unwrap())).collect();
    assert_eq!(sizes, [1, 3, 1, 3, 1, 1]);
    let due: Vec<u64> = fragments.iter().map(|event| stamp(event, "due_ns")).collect();
    let gaps: Vec<u64> = due.windows(2).map(|pair| (pair[1] - pair[0]) / 500_000).collect();
    assert_eq!(gaps, [3, 1, 3, 1, 1]);
}

#[test]
fn the_model_stops_at_its_natural_length_unless_forced() {
    let sim = start(SimConfig { natural_tokens: Some(4), ..quick() });
    let mut client = Client::connect(sim.addr());
    let mut ask = |max, extra| {
        let reply = client.chat(max, extra);
        let events = reply.events();
        let finish = events.iter().find_map(|event| event["choices"][0]["finish_reason"].as_str()).unwrap();
        (count(&reply.said("content")), finish.to_owned())
    };
    assert_eq!(ask(10, json!({})), (4, "stop".to_owned()));
    assert_eq!(ask(3, json!({})), (3, "length".to_owned()));
    assert_eq!(ask(10, json!({"ignore_eos": true})), (10, "length".to_owned()));
    assert_eq!(ask(10, json!({"min_tokens": 7})), (7, "stop".to_owned()));
}

#[test]
fn an_answer_may_have_no_tokens() {
    for role_chunk in [RoleChunk::Absent, RoleChunk::Early, RoleChunk::WithFirstToken] {
        let sim = start(SimConfig { natural_tokens: Some(0), role_chunk, ..quick() });
        let reply = Client::connect(sim.addr()).chat(10, json!({}));
        assert_eq!(reply.said("content"), "");
        let events = reply.events();
        assert_eq!(events.last().unwrap()["usage"]["completion_tokens"], 0);
        let roles = events.iter().filter(|event| event["choices"][0]["delta"]["role"] == "assistant").count();
        assert_eq!(roles, usize::from(role_chunk != RoleChunk::Absent));
    }
}

#[test]
fn a_fixed_answer_is_given_as_it_is_and_from_the_start_again() {
    let sim = start(SimConfig { answer: Some("The answer is 42.".to_owned()), ..quick() });
    let mut client = Client::connect(sim.addr());
    assert_eq!(client.chat(100, json!({})).said("content"), "The answer is 42.");
    let forced = client.chat(12, json!({"ignore_eos": true})).said("content");
    assert_eq!(count(&forced), 12);
    assert!(forced.starts_with("The answer is 42. The answer is 42."), "{forced}");
}

#[test]
fn reasoning_comes_first_and_in_its_own_field() {
    let sim = start(SimConfig { reasoning_tokens: 3, chunk_tokens: vec![2], ..quick() });
    let reply = Client::connect(sim.addr()).chat(8, json!({}));
    assert_eq!(count(&reply.said("reasoning_content")), 3);
    assert_eq!(count(&reply.said("content")), 5);
    let usage = reply.events().last().unwrap()["usage"].clone();
    assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], 3);
}

#[test]
fn a_tool_is_called_with_arguments_that_are_json_once_joined() {
    let sim = start(SimConfig { tool_calls: true, natural_tokens: Some(20), reasoning_tokens: 2, ..quick() });
    let parameters = json!({"type": "object", "properties": {"city name": {"type": "string"}}});
    let tools = json!([{"type": "function", "function": {"name": "weather", "parameters": parameters}}]);
    let mut client = Client::connect(sim.addr());
    let reply = client.chat(50, json!({ "tools": tools }));
    let events = reply.events();
    let calls: Vec<&Value> = events
        .iter()
        .map(|event| &event["choices"][0]["delta"]["tool_calls"][0])
        .filter(|call| !call.is_null())
        .collect();
    assert_eq!(calls[0]["function"]["name"], "weather");
    assert!(calls[0]["id"].is_string());
    assert!(calls[1..].iter().all(|call| call.get("id").is_none()));
    let joined: String = calls.iter().filter_map(|call| call["function"]["arguments"].as_str()).collect();
    assert_eq!(count(&joined), 18);
    let arguments: Value = serde_json::from_str(&joined).unwrap();
    assert!(arguments["city name"].is_string());
    assert_eq!(events[events.len() - 2]["choices"][0]["finish_reason"], "tool_calls");

    let plain = client.chat(5, json!({"tools": tools, "tool_choice": "none"}));
    assert_eq!(count(&plain.said("content")), 3);
    let whole = client.chat(50, json!({"tools": tools, "stream": false})).json();
    assert_eq!(whole["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"], joined);
}

#[test]
fn usage_is_reported_as_configured() {
    let counts = |usage, extra| {
        let sim = start(SimConfig { usage, ..quick() });
        let events = Client::connect(sim.addr()).chat(3, extra).events();
        events.iter().map(|event| event["usage"]["completion_tokens"].as_u64()).collect::<Vec<_>>()
    };
    let silent = json!({"stream_options": null});
    let continuous = json!({"stream_options": {"include_usage": true, "continuous_usage_stats": true}});
    assert_eq!(counts(UsageMode::Never, continuous.clone()), [None; 5]);
    assert_eq!(counts(UsageMode::OnRequest, silent.clone()), [None; 5]);
    assert_eq!(counts(UsageMode::Final, silent.clone()), [None, None, None, None, None, Some(3)]);
    let growing = [Some(0), Some(1), Some(2), Some(3), Some(3), Some(3)];
    assert_eq!(counts(UsageMode::OnRequest, continuous), growing);
    assert_eq!(counts(UsageMode::PerChunk, silent), growing);
}

#[test]
fn timings_tell_the_schedule() {
    let sim = start(SimConfig { timings: true, ..quick() });
    let reply = Client::connect(sim.addr()).chat(5, json!({}));
    let timings = reply.events().last().unwrap()["timings"].clone();
    let prompt = timings["prompt_n"].as_f64().unwrap();
    assert!((timings["prompt_ms"].as_f64().unwrap() - (2.0 + 0.001 * prompt)).abs() < 1e-9);
    assert!((timings["predicted_ms"].as_f64().unwrap() - 2.0).abs() < 1e-9);
}

#[tokio::test]
async fn a_cached_prefix_skips_its_prefill() {
    let cache = Some(PrefixCache { block_tokens: 8, capacity_blocks: 100 });
    let sim = start(SimConfig { prefix_cache: cache, ..quick() });
    let mut client = Client::connect(sim.addr());
    let words = "word ".repeat(100);
    let mut ask = |salt: Value| {
        let messages = json!([{"role": "user", "content": words}]);
        let reply = client.chat(2, json!({"messages": messages, "cache_salt": salt}));
        let events = reply.events();
        let usage = events.last().unwrap()["usage"].clone();
        let prefill = stamp(&events[1], "due_ns") - stamp(&events[0], "due_ns");
        (
            usage["prompt_tokens"].as_u64().unwrap(),
            usage["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap(),
            prefill,
        )
    };
    let (prompt, cold, cold_ns) = ask(Value::Null);
    let (_, warm, warm_ns) = ask(Value::Null);
    let (_, salted, salted_ns) = ask(json!("pepper"));
    assert_eq!((cold, warm, salted), (0, (prompt - 1) / 8 * 8, 0));
    assert_eq!(cold_ns - warm_ns, warm * 1_000);
    assert_eq!(salted_ns, cold_ns);
    let counters = sim.settled().await;
    assert_eq!((counters.cache_queries, counters.cache_hits), (3 * prompt, warm));
}

#[test]
fn the_next_turn_finds_the_last_answer_in_the_cache() {
    let cache = Some(PrefixCache { block_tokens: 1, capacity_blocks: 1000 });
    let sim = start(SimConfig { prefix_cache: cache, ..quick() });
    let mut client = Client::connect(sim.addr());
    let user = json!({"role": "user", "content": "Say something."});
    let first = client.chat(30, json!({}));
    let usage = first.events().last().unwrap()["usage"].clone();
    let before = usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
    let turn = json!([user, {"role": "assistant", "content": first.said("content")}, user]);
    let second = client.chat(2, json!({ "messages": turn }));
    let usage = second.events().last().unwrap()["usage"].clone();
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], before);
}
