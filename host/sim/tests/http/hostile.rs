//! Clients that do not play by the rules.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use bench_sim::SimConfig;
use proptest::prelude::*;
use serde_json::json;

use crate::client::{Client, End, quick, start};

#[test]
fn bodies_that_make_no_sense_are_bad_requests() {
    let sim = start(SimConfig { context_length: 1000, ..quick() });
    let mut client = Client::connect(sim.addr());
    let path = "/v1/chat/completions";
    let deep = "[".repeat(100_000);
    for body in [
        "",
        "{",
        "null",
        "[]",
        "{}",
        "{\"messages\": 3}",
        "{\"messages\": [{\"role\": \"wizard\", \"content\": \"x\"}]}",
        "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image_url\"}]}]}",
        "{\"messages\": [], \"max_tokens\": -1}",
        "{\"messages\": [], \"max_tokens\": 0}",
        "{\"messages\": [], \"max_tokens\": 4294967295}",
        "{\"messages\": [], \"max_tokens\": 1, \"min_tokens\": 2}",
        "{\"messages\": [], \"n\": 2}",
        deep.as_str(),
    ] {
        client.send("POST", path, "", body);
        let reply = client.reply();
        let shown: String = body.chars().take(80).collect();
        assert_eq!((reply.status, reply.end), (400, End::Complete), "{shown}");
        assert!(reply.json()["error"]["message"].is_string());
    }
    assert_eq!(client.post("/detokenize", &json!({"tokens": [0]})).status, 400);
    assert_eq!(client.post("/tokenize", &json!({})).status, 400);
    assert_eq!(client.post("/v1/completions", &json!({"prompt": ["a", "b"]})).status, 400);
}

#[test]
fn requests_that_are_too_large_are_refused_and_the_refusal_arrives() {
    let sim = start(SimConfig { max_body_bytes: 1000, ..quick() });
    let mut client = Client::connect(sim.addr());
    client.send("POST", "/tokenize", "", &"x".repeat(1001));
    assert_eq!(client.reply().status, 413);
    assert!(client.is_closed());
    let mut client = Client::connect(sim.addr());
    client.send_raw(format!("GET / HTTP/1.1\r\nx: {}", "y".repeat(40_000)).as_bytes());
    assert_eq!(client.reply().status, 431);
    let mut client = Client::connect(sim.addr());
    client.send_raw(b"POST /tokenize HTTP/1.1\r\ncontent-length: 18446744073709551616\r\n\r\n");
    assert_eq!(client.reply().status, 400);
    let mut client = Client::connect(sim.addr());
    client.send_raw(b"POST /tokenize HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n");
    assert_eq!(client.reply().status, 411);
    let mut client = Client::connect(sim.addr());
    client.send_raw(b"POST /tokenize HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n");
    assert_eq!(client.reply().status, 400);
}

#[tokio::test]
async fn a_client_that_leaves_frees_its_slot() {
    let sim = start(SimConfig { slots: 1, ttft_us: 3_600_000_000, ..quick() });
    for round in 1..=3 {
        let mut client = Client::connect(sim.addr());
        client.send("POST", "/v1/chat/completions", "", &crate::client::chat(2, json!({})).to_string());
        while sim.counters().requests < round || sim.counters().running == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(client);
        assert_eq!(sim.settled().await.abandoned, round);
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_up_nobody_else() {
    let sim = start(SimConfig { gap_us: 0, ..quick() });
    let mut deaf = Client::connect(sim.addr());
    deaf.send("POST", "/v1/chat/completions", "", &crate::client::chat(60_000, json!({})).to_string());
    let mut client = Client::connect(sim.addr());
    assert_eq!(client.chat(20, json!({})).end, End::Complete);
    let whole = deaf.reply();
    assert_eq!(whole.end, End::Complete);
    assert_eq!(sim.settled().await.tokens_sent, 60_020);
}

#[test]
fn a_request_in_pieces_is_still_a_request() {
    let sim = start(quick());
    let mut client = Client::connect(sim.addr());
    for piece in ["GET /hea", "lth HTTP/1.1\r\nhos", "t: sim\r\nexpect: 100-conti", "nue\r\n", "\r\n"] {
        client.send_raw(piece.as_bytes());
    }
    assert_eq!(client.reply_after_continue().status, 200);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_bytes_take_the_engine_down(
        start_line in prop::sample::select(vec!["", "POST /v1/chat/completions HTTP/1.1\r\n", "GET / HTTP/1.1\r\n"]),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let sim = start(quick());
        let mut stream = TcpStream::connect(sim.addr()).unwrap();
        stream.write_all(start_line.as_bytes()).unwrap();
        // The engine may have hung up already.
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
        prop_assert_eq!(Client::connect(sim.addr()).get("/health").status, 200);
    }
}
