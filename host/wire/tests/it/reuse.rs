//! Connections between requests: kept, opened ahead, and closed by servers at bad moments.

use crate::support::*;
use bench_wire::{Limits, OnRace};

#[tokio::test]
async fn kept_connections_are_used_again() {
    let steps =
        vec![Step::Request, write(sized("1")), Step::Request, write(format!("{CHUNKED}{}{}", chunk("22"), chunk("")))];
    let server = Server::always(steps).await;
    let client = server.client(Limits::default());
    let (first, second) = (server.get(&client).await, server.get(&client).await);
    assert_eq!((code(&first), code(&second)), ("ok", "ok"));
    assert!(first.connected.is_some() && second.connected.is_none());
    assert_eq!(second.body, "22");
    assert!(second.first_byte_written.unwrap() > first.ended);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn connections_opened_ahead_are_used() {
    let server = Server::always(vec![Step::Request, write(sized("1")), Step::Hold]).await;
    let client = server.client(Limits::default());
    client.connect_ahead(3).await.unwrap();
    client.connect_ahead(3).await.unwrap();
    let exchanges = [server.get(&client), server.get(&client), server.get(&client)];
    let [a, b, c] = exchanges;
    let (a, b, c) = tokio::join!(a, b, c);
    assert!([a, b, c].iter().all(|exchange| exchange.connected.is_none() && exchange.succeeded()));
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn announced_closing_is_heeded() {
    let steps =
        vec![Step::Request, write("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx"), Step::Hold];
    let server = Server::always(steps).await;
    let client = server.client(Limits::default());
    for _ in 0..3 {
        let exchange = server.get(&client).await;
        assert_eq!((code(&exchange), exchange.resends), ("ok", 0));
        assert!(exchange.connected.is_some());
    }
    assert_eq!(server.connections(), 3);
}

/// llama.cpp does this after streamed answers.
#[tokio::test]
async fn unannounced_closing_is_no_failure() {
    let answer = format!("{CHUNKED}{}{}", chunk("data: x\n\n"), chunk(""));
    let server = Server::answering(answer).await;
    let client = server.client(Limits::default());
    for n in 1..=20 {
        let exchange = server.get(&client).await;
        assert_eq!((code(&exchange), &exchange.body[..]), ("ok", &b"data: x\n\n"[..]), "request {n}");
        assert!(exchange.connected.is_some(), "request {n} went over a connection that was closed");
    }
    assert_eq!(server.requests().len(), 20);
}

/// The server takes the second request and closes without a word: the closing cannot be seen before.
fn racing(n: usize) -> Vec<Step> {
    match n {
        0 => vec![Step::Request, write(sized("1")), Step::Request],
        _ => vec![Step::Request, write(sized("2")), Step::Hold],
    }
}

#[tokio::test]
async fn a_race_is_resent_once_and_counted() {
    let server = Server::start(racing).await;
    let client = server.client(Limits::default());
    assert_eq!(server.get(&client).await.resends, 0);
    let exchange = server.get(&client).await;
    assert_eq!((code(&exchange), &exchange.body[..], exchange.resends), ("ok", &b"2"[..], 1));
    assert!(exchange.started < exchange.connected.unwrap());
    assert_eq!(server.connections(), 2);
    assert_eq!((server.snapshot().started, server.snapshot().finished), (2, 2));
}

#[tokio::test]
async fn a_race_can_be_an_outcome() {
    let server = Server::start(racing).await;
    let client = server.client(Limits { on_race: OnRace::Fail, ..Limits::default() });
    assert!(server.get(&client).await.succeeded());
    let exchange = server.get(&client).await;
    assert_eq!((code(&exchange), exchange.resends), ("connection-raced", 0));
    // Connections of such a server are not trusted again.
    assert!(server.get(&client).await.connected.is_some());
}

#[tokio::test]
async fn a_second_closing_is_the_engines_failure() {
    let server = Server::start(|n| if n == 0 { racing(0) } else { vec![Step::Request] }).await;
    let client = server.client(Limits::default());
    server.get(&client).await;
    let exchange = server.get(&client).await;
    assert_eq!((code(&exchange), exchange.resends), ("closed-early", 1));
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn bytes_nobody_asked_for_spoil_a_connection() {
    let server = Server::always(vec![Step::Request, write(sized("1") + "HTTP/1.1 200 OK\r\n"), Step::Hold]).await;
    let client = server.client(Limits::default());
    for _ in 0..2 {
        let exchange = server.get(&client).await;
        assert_eq!((code(&exchange), &exchange.body[..]), ("ok", &b"1"[..]));
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn an_answer_before_the_request_is_complete() {
    let server = Server::always(vec![write(sized("early")), Step::Hold]).await;
    let client = server.client(Limits::default());
    // A connection on which something came unasked is not used.
    client.connect_ahead(1).await.unwrap();
    until(|| server.connections() == 1).await;
    let request = bench_wire::Request {
        method: "POST".to_owned(),
        body: vec![0; 32 << 20].into(),
        ..bench_wire::Request::get("/")
    };
    let prepared = client.prepare(request).unwrap();
    let exchange = client.exchange(prepared, bench_wire::Stamp::now(), &server.progress).await;
    assert!(exchange.outcome.is_ok() || code(&exchange) == "malformed-http", "{:?}", exchange.outcome);
}
