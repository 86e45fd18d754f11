//! Every way to misbehave, and the rest of the wire's shapes.

use std::time::Duration;

use bench_sim::tokenizer::count;
use bench_sim::{Fault, FaultKind, Framing, Head, LineEnds, RoleChunk, SimConfig};
use serde_json::{Value, json};

use crate::client::{Client, End, Reply, quick, start};

fn faulty(kind: FaultKind) -> SimConfig {
    SimConfig { faults: vec![Fault::nth(1, kind)], ..quick() }
}

/// Pieces of content in the data lines that are whole.
fn pieces(reply: &Reply) -> usize {
    let json = reply.data().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    json.filter(|event| event["choices"][0]["delta"]["content"].as_str().is_some_and(|text| !text.is_empty())).count()
}

#[test]
fn the_nth_request_alone_gets_the_prepared_answer() {
    let cases = [
        (FaultKind::unauthorized(), 401, "Incorrect API key"),
        (FaultKind::rate_limited(7), 429, "rate_limit_exceeded"),
        (FaultKind::server_error(), 500, "The engine failed"),
        (FaultKind::html(503), 503, "<html>"),
        (FaultKind::api_error(404, "NotFoundError", "no such model"), 404, "no such model"),
    ];
    for (kind, status, text) in cases {
        let sim = start(faulty(kind));
        let mut client = Client::connect(sim.addr());
        let refused = client.chat(3, json!({}));
        assert_eq!(refused.status, status);
        assert!(refused.text().contains(text));
        assert_eq!(refused.header("retry-after"), (status == 429).then_some("7"));
        assert_eq!(client.chat(3, json!({})).status, 200);
    }
}

#[test]
fn a_redirect_names_its_location() {
    let sim = start(faulty(FaultKind::Redirect { location: "http://elsewhere.invalid/v1".to_owned() }));
    let reply = Client::connect(sim.addr()).chat(3, json!({}));
    assert_eq!((reply.status, reply.header("location")), (307, Some("http://elsewhere.invalid/v1")));
}

#[test]
fn a_stall_delays_what_follows() {
    let sim = start(faulty(FaultKind::Stall { after_tokens: 2, for_us: Some(30_000) }));
    let reply = Client::connect(sim.addr()).chat(4, json!({}));
    let due: Vec<u64> = reply.events().iter().filter_map(|event| event["bench_sim"]["due_ns"].as_u64()).collect();
    assert_eq!(due[2] - due[1], 500_000);
    assert_eq!(due[3] - due[2], 30_500_000);
    assert_eq!(due[4] - due[3], 500_000);
}

#[test]
fn a_stall_without_end_keeps_the_connection_open_and_silent() {
    let sim = start(faulty(FaultKind::Stall { after_tokens: 2, for_us: None }));
    let reply = Client::connect(sim.addr()).impatient().chat(4, json!({}));
    assert_eq!((reply.end, pieces(&reply)), (End::Silent, 2));
}

#[test]
fn a_disconnect_ends_the_connection_and_not_the_body() {
    let sim = start(faulty(FaultKind::Disconnect { after_tokens: 2 }));
    let reply = Client::connect(sim.addr()).chat(4, json!({}));
    assert_eq!((reply.end, pieces(&reply)), (End::Closed, 2));
    let unsaid = start(SimConfig {
        head: Head::WithFirstEvent,
        role_chunk: RoleChunk::Absent,
        ..faulty(FaultKind::Disconnect { after_tokens: 0 })
    });
    let reply = Client::connect(unsaid.addr()).chat(4, json!({}));
    assert_eq!((reply.end, reply.head.as_str()), (End::Closed, ""));
}

#[test]
fn one_event_is_cut_off_and_the_stream_goes_on() {
    let sim = start(faulty(FaultKind::BadJson { after_tokens: 2 }));
    let reply = Client::connect(sim.addr()).chat(4, json!({}));
    let broken: Vec<bool> = reply.data().iter().map(|line| serde_json::from_str::<Value>(line).is_err()).collect();
    assert_eq!(broken, [false, false, false, true, false, false, false, false, true], "the last one is [DONE]");
    assert_eq!((reply.end, pieces(&reply)), (End::Complete, 4));
}

#[test]
fn an_error_inside_a_stream_ends_it() {
    let sim = start(faulty(FaultKind::ErrorEvent { after_tokens: 2, message: "out of memory".to_owned() }));
    let reply = Client::connect(sim.addr()).chat(4, json!({}));
    let events = reply.events();
    assert_eq!(events.last().unwrap()["error"]["message"], "out of memory");
    assert_eq!((reply.end, pieces(&reply)), (End::Complete, 2));
}

#[test]
fn answers_that_are_not_streamed_break_too() {
    let whole = json!({"stream": false});
    let sim = start(faulty(FaultKind::BadJson { after_tokens: 0 }));
    let cut = Client::connect(sim.addr()).chat(4, whole.clone());
    assert!(serde_json::from_str::<Value>(&cut.text()).is_err());
    let sim = start(faulty(FaultKind::ErrorEvent { after_tokens: 0, message: "no".to_owned() }));
    assert_eq!(Client::connect(sim.addr()).chat(4, whole.clone()).status, 500);
    let sim = start(faulty(FaultKind::Disconnect { after_tokens: 0 }));
    assert_eq!(Client::connect(sim.addr()).chat(4, whole).end, End::Closed);
}

#[tokio::test]
async fn requests_beyond_the_slots_wait_for_one() {
    let sim = start(SimConfig { slots: 1, ..faulty(FaultKind::Stall { after_tokens: 0, for_us: None }) });
    let mut first = Client::connect(sim.addr());
    first.send("POST", "/v1/chat/completions", "", &crate::client::chat(2, json!({})).to_string());
    while sim.counters().running == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let address = sim.addr();
    let second = tokio::task::spawn_blocking(move || Client::connect(address).chat(2, json!({})));
    while sim.counters().in_flight < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(sim.counters().running, 1);
    drop(first);
    assert_eq!(second.await.unwrap().end, End::Complete);
    let counters = sim.settled().await;
    assert_eq!((counters.running_max, counters.in_flight_max), (1, 2));
    assert_eq!((counters.completed, counters.abandoned), (1, 1));
}

#[test]
fn lines_may_end_in_carriage_return_and_line_feed() {
    let framing = Framing { line_ends: LineEnds::CrLf, ..Framing::default() };
    let sim = start(SimConfig { framing, ..quick() });
    let reply = Client::connect(sim.addr()).chat(3, json!({}));
    let text = reply.text();
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert_eq!(pieces(&reply), 3);
}

#[test]
fn comments_and_empty_choices_come_before_the_first_token() {
    let framing = Framing { comments: 3, empty_choices: 2, ..Framing::default() };
    let sim = start(SimConfig { framing, ..quick() });
    let text = Client::connect(sim.addr()).chat(3, json!({})).text();
    let kinds: Vec<&str> = text
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| match line {
            _ if line.starts_with(": ") => "comment",
            _ if line.contains("\"choices\":[]") => "empty",
            _ if line.contains("\"role\"") => "role",
            _ => "other",
        })
        .take(7)
        .collect();
    assert_eq!(kinds, ["empty", "empty", "role", "comment", "comment", "comment", "other"]);
}

#[test]
fn coalesced_events_share_a_write_and_a_due_time() {
    let framing = Framing { coalesce: 3, ..Framing::default() };
    let sim = start(SimConfig { framing, role_chunk: RoleChunk::Absent, ..quick() });
    let reply = Client::connect(sim.addr()).chat(7, json!({}));
    let per_write: Vec<usize> =
        reply.chunks.iter().map(|chunk| String::from_utf8_lossy(chunk).matches("\"content\"").count()).collect();
    assert_eq!(per_write, [3, 3, 1, 0]);
}

#[test]
fn a_character_is_split_across_two_writes() {
    let framing = Framing { split_utf8_us: Some(300), ..Framing::default() };
    let sim = start(SimConfig { framing, ..quick() });
    let reply = Client::connect(sim.addr()).chat(8, json!({}));
    let broken = reply.chunks.iter().filter(|chunk| std::str::from_utf8(chunk).is_err()).count();
    assert_eq!(broken, 4, "two characters, two halves each");
    let said = reply.said("content");
    assert_eq!((count(&said), said.is_ascii()), (8, false));
    let late = |event: &Value| event["bench_sim"]["due_ns"].as_u64() <= event["bench_sim"]["emitted_ns"].as_u64();
    assert!(reply.events().iter().all(late));
}

#[test]
fn a_connection_may_close_after_a_stream_against_its_word() {
    let framing = Framing { close_after_stream: true, ..Framing::default() };
    let sim = start(SimConfig { framing, ..quick() });
    let mut client = Client::connect(sim.addr());
    let reply = client.chat(2, json!({}));
    assert_eq!((reply.header("connection"), reply.end), (Some("keep-alive"), End::Complete));
    assert!(client.is_closed());
}

#[test]
fn the_head_may_come_with_the_first_event() {
    let sim = start(SimConfig { head: Head::WithFirstEvent, role_chunk: RoleChunk::WithFirstToken, ..quick() });
    let reply = Client::connect(sim.addr()).chat(2, json!({}));
    assert_eq!(String::from_utf8_lossy(&reply.chunks[0]).matches("data: ").count(), 2);
    assert_eq!(pieces(&reply), 2);
}
