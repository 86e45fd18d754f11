//! Measured requests against servers that follow a script: what is read, when, and what is made of broken answers.

use std::time::Duration;

use crate::support::*;
use bench_wire::{Desk, Endpoint, Exchange, Limits, Request, Secrets, Stamp, StampSource, Stopper, WireError};

fn short() -> Limits {
    Limits { first_byte: Duration::from_millis(50), stall: Duration::from_millis(50), ..Limits::default() }
}

/// Holds for every exchange that got as far as a body.
fn check_order(exchange: &Exchange) {
    assert!(exchange.intended <= exchange.started);
    let written = exchange.first_byte_written.unwrap();
    assert!(exchange.connected.is_none_or(|connected| exchange.started <= connected && connected <= written));
    assert!(written <= exchange.last_byte_written.unwrap());
    let head = exchange.head.as_ref().unwrap();
    assert!(written <= head.at && head.at <= exchange.ended);
    assert!(exchange.reads.is_sorted_by(|a, b| a.end < b.end && a.at <= b.at));
    assert_eq!(exchange.reads.last().map_or(0, |read| read.end as usize), exchange.body.len());
    assert!(exchange.reads.iter().all(|read| head.at <= read.at && read.at <= exchange.ended));
}

#[tokio::test]
async fn head_and_body_in_one_read() {
    let server = Server::answering(sized("hello")).await;
    let exchange = server.ask(Limits::default()).await;
    assert_eq!(code(&exchange), "ok");
    assert!(exchange.succeeded());
    assert_eq!(exchange.body, "hello");
    assert_eq!(ends(&exchange), [5]);
    assert_eq!(exchange.head.as_ref().unwrap().status, 200);
    assert_eq!(exchange.head.as_ref().unwrap().at, exchange.reads[0].at);
    assert!(exchange.connected.is_some());
    check_order(&exchange);
    let request = &server.requests()[0];
    assert!(request.starts_with("GET /x HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: {}\r\n", server.endpoint().authority())));
    assert!(request.contains("accept-encoding: identity\r\n"));
}

#[tokio::test]
async fn every_chunk_is_a_read_with_its_own_stamp() {
    let pieces = [CHUNKED.to_owned(), chunk("data: 1\n\n"), chunk("data: 2\n\n") + &chunk("data: 3\n\n"), chunk("")];
    let server = Server::always(in_pieces(pieces.iter().map(String::as_bytes))).await;
    let exchange = server.ask(Limits::default()).await;
    assert_eq!(code(&exchange), "ok");
    assert_eq!(exchange.body, "data: 1\n\ndata: 2\n\ndata: 3\n\n");
    // The head and the last chunk carry nothing of the body; two events in one read stay one.
    assert_eq!(ends(&exchange), [9, 27]);
    check_order(&exchange);
    assert!(exchange.head.as_ref().unwrap().at < exchange.reads[0].at);
    let snapshot = server.snapshot();
    assert_eq!((snapshot.started, snapshot.finished, snapshot.failed), (1, 1, 0));
    assert_eq!((snapshot.reads, snapshot.bytes, snapshot.frames), (4, 27, 3));
}

#[tokio::test]
async fn an_answer_that_comes_byte_by_byte() {
    let whole = format!("HTTP/1.1 103 Early Hints\r\n\r\n{CHUNKED}{}{}", chunk("a\u{20ac}"), chunk(""));
    let server = Server::always(in_pieces(whole.as_bytes().chunks(1))).await;
    let exchange = server.ask(Limits::default()).await;
    assert_eq!(code(&exchange), "ok");
    assert_eq!(exchange.body, "a\u{20ac}");
    assert_eq!(ends(&exchange), [1, 2, 3, 4]);
    check_order(&exchange);
    assert_eq!(server.snapshot().reads, whole.len() as u64);
}

/// The client's only thread is kept busy while the answer arrives. The kernel's stamps do not mind.
#[tokio::test]
async fn a_late_reader_does_not_move_the_kernels_stamps() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Endpoint::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    let (asked, to_answer) = std::sync::mpsc::channel::<()>();
    let (answered, is_answered) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut tcp, _) = listener.accept().unwrap();
        let mut buffer = [0; 4096];
        while to_answer.recv().is_ok() {
            assert_ne!(tcp.read(&mut buffer).unwrap(), 0);
            tcp.write_all(sized("late").as_bytes()).unwrap();
            answered.send(()).unwrap();
        }
    });
    let client = bench_wire::Client::new(endpoint.clone(), Secrets::new(endpoint), Limits::default()).unwrap();
    let progress = bench_wire::Progress::new();
    // The kernel begins to stamp some time after it was first asked to.
    for _ in 0..50 {
        let prepared = client.prepare(Request::get("/")).unwrap();
        client.connect_ahead(1).await.unwrap();
        let exchange = client.exchange(prepared, Stamp::now(), &progress);
        let blocking = async {
            // The exchange was polled first, and had a connection: its request is on its way.
            asked.send(()).unwrap();
            is_answered.recv().unwrap();
            Stamp::now()
        };
        let (exchange, free) = tokio::join!(exchange, blocking);
        assert_eq!(code(&exchange), "ok");
        check_order(&exchange);
        if exchange.stamps == StampSource::Kernel {
            assert!(exchange.reads[0].at < free, "the answer came while the client was busy");
            assert!(exchange.longest_lag.is_some_and(|lag| lag >= free.since(exchange.reads[0].at)));
            return;
        }
        assert!(exchange.longest_lag.is_none() && exchange.reads[0].at > free);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // No kernel's stamps here: there is nothing to check.
}

#[tokio::test]
async fn large_bodies_arrive_whole() {
    let text = "0123456789abcdef".repeat(1 << 16);
    let server = Server::answering(format!("{CHUNKED}{}{}", chunk(&text), chunk(""))).await;
    let exchange = server.ask(Limits::default()).await;
    assert_eq!(code(&exchange), "ok");
    assert_eq!(exchange.body, text);
    check_order(&exchange);
}

#[tokio::test]
async fn interim_answers_are_skipped() {
    let server =
        Server::answering(format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n{}", sized("x"))).await;
    let exchange = server.ask(Limits::default()).await;
    assert_eq!((code(&exchange), exchange.head.unwrap().status), ("ok", 200));
}

#[tokio::test]
async fn a_status_is_an_answer_not_an_error() {
    for status in [401, 404, 429, 500, 503] {
        let server = Server::answering(format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\n\r\n{{}}")).await;
        let exchange = server.ask(Limits::default()).await;
        assert_eq!((code(&exchange), exchange.succeeded()), ("ok", false));
        assert_eq!(exchange.head.unwrap().status, status);
        assert_eq!(exchange.body, "{}");
    }
}

#[tokio::test]
async fn bodies_that_end_with_the_connection() {
    let server = Server::answering("HTTP/1.0 200 OK\r\n\r\nhello").await;
    let exchange = server.ask(Limits::default()).await;
    assert_eq!((code(&exchange), &exchange.body[..]), ("ok", &b"hello"[..]));
    let server = Server::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let exchange = server.ask(Limits::default()).await;
    assert_eq!((code(&exchange), exchange.reads.len()), ("ok", 0));
}

#[tokio::test]
async fn a_request_with_a_body() {
    let server = Server::answering(sized("")).await;
    let client = server.client(Limits::default());
    let body = "x".repeat(300_000);
    let request = Request { method: "POST".to_owned(), body: body.clone().into(), ..Request::get("/y") };
    let exchange = client.exchange(client.prepare(request).unwrap(), Stamp::now(), &server.progress).await;
    assert_eq!(code(&exchange), "ok");
    check_order(&exchange);
    assert!(exchange.first_byte_written.unwrap() < exchange.last_byte_written.unwrap());
    assert!(server.requests()[0].ends_with(&body));
}

#[tokio::test]
async fn a_server_that_dies_in_the_middle_keeps_what_came() {
    for last in [Step::Reset, Step::UntilReads(0)] {
        let steps = vec![Step::Request, write(CHUNKED.to_owned() + &chunk("data: 1\n\n")), Step::UntilBytes(9), last];
        let exchange = Server::always(steps).await.ask(Limits::default()).await;
        assert_eq!(code(&exchange), "closed-early");
        assert_eq!(exchange.body, "data: 1\n\n");
        assert_eq!(exchange.head.unwrap().status, 200);
    }
    let exchange =
        Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello").await.ask(Limits::default()).await;
    assert!(matches!(exchange.outcome, Err(WireError::ClosedEarly { bytes: 5, .. })), "{:?}", exchange.outcome);
    let exchange = Server::always(vec![Step::Request]).await.ask(Limits::default()).await;
    assert_eq!((code(&exchange), exchange.head.is_none(), exchange.resends), ("closed-early", true, 0));
}

#[tokio::test]
async fn what_is_not_http_is_malformed() {
    for (answer, says) in [
        ("<html><body>not here</body></html>\r\n\r\n", "<html>"),
        ("\x15\x03\x01\x00\x02\x02\x16 and some more", "https"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhello\r\n", "chunk"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello", "content-length"),
        ("HTTP/1.1 200 OK\r\nbad header\r\n\r\n", "header"),
    ] {
        let exchange = Server::answering(answer).await.ask(Limits::default()).await;
        assert_eq!(code(&exchange), "malformed-http", "{answer}");
        let text = exchange.outcome.unwrap_err().to_string();
        assert!(text.contains(says), "{text}");
    }
}

#[tokio::test]
async fn html_in_http_is_an_answer() {
    let answer = "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>";
    let exchange = Server::answering(answer).await.ask(Limits::default()).await;
    assert_eq!((code(&exchange), exchange.head.unwrap().status), ("ok", 502));
}

#[tokio::test]
async fn limits_of_size() {
    let limits = Limits { max_head: 1000, max_body: 10, ..Limits::default() };
    let head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(2000));
    let exchange = Server::answering(head).await.ask(limits.clone()).await;
    assert_eq!(code(&exchange), "head-too-large");
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(2 << 20));
    let exchange = Server::answering(endless).await.ask(limits.clone()).await;
    assert_eq!(code(&exchange), "head-too-large");
    let exchange = Server::answering(sized("12345678901")).await.ask(limits.clone()).await;
    assert_eq!(code(&exchange), "body-too-large");
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(10_000);
    let exchange = Server::answering(interim).await.ask(limits.clone()).await;
    assert!(exchange.outcome.is_err());
    let exchange = Server::answering(sized("1234567890")).await.ask(limits).await;
    assert_eq!(code(&exchange), "ok");
}

#[tokio::test]
async fn limits_of_time() {
    let silent = Server::always(vec![Step::Request, Step::Hold]).await;
    assert_eq!(code(&silent.ask(short()).await), "first-byte-timeout");
    let headed = Server::always(vec![Step::Request, write(CHUNKED), Step::Hold]).await;
    let exchange = headed.ask(Limits { stall: Duration::from_nanos(1), ..short() }).await;
    assert_eq!(code(&exchange), "first-byte-timeout");
    assert!(exchange.head.is_some());
    let stalled = Server::always(vec![Step::Request, write(CHUNKED.to_owned() + &chunk("abc")), Step::Hold]).await;
    let exchange = stalled.ask(Limits { first_byte: Duration::from_secs(60), ..short() }).await;
    assert!(matches!(exchange.outcome, Err(WireError::Stalled { bytes: 3, .. })), "{:?}", exchange.outcome);
    assert_eq!(exchange.body, "abc");
    let exchange = stalled.ask(Limits { total: Duration::from_millis(50), ..Limits::default() }).await;
    assert_eq!(code(&exchange), "total-timeout");
    let deaf = Server::always(vec![Step::Hold]).await;
    let client = deaf.client(short());
    let request = Request { method: "POST".to_owned(), body: vec![0; 64 << 20].into(), ..Request::get("/") };
    let exchange = client.exchange(client.prepare(request).unwrap(), Stamp::now(), &deaf.progress).await;
    assert_eq!(code(&exchange), "first-byte-timeout");
}

#[tokio::test]
async fn nothing_listens() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Endpoint::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    drop(listener);
    let client = bench_wire::Client::new(endpoint.clone(), Secrets::new(endpoint), Limits::default()).unwrap();
    let progress = bench_wire::Progress::new();
    let exchange = client.exchange(client.prepare(Request::get("/")).unwrap(), Stamp::now(), &progress).await;
    assert_eq!(code(&exchange), "connect-refused");
    assert!(exchange.head.is_none() && exchange.first_byte_written.is_none());
    assert_eq!(client.connect_ahead(2).await.unwrap_err().code(), "connect-refused");
    assert_eq!((progress.snapshot().started, progress.snapshot().failed), (1, 1));
}

#[tokio::test]
async fn no_such_host() {
    let endpoint = Endpoint::parse("http://no-such-host.invalid:1").unwrap();
    let client = bench_wire::Client::new(endpoint.clone(), Secrets::new(endpoint), Limits::default()).unwrap();
    let exchange =
        client.exchange(client.prepare(Request::get("/")).unwrap(), Stamp::now(), &bench_wire::Progress::new()).await;
    assert_eq!(code(&exchange), "dns");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let server =
        Server::answering("HTTP/1.1 307 X\r\nlocation: https://evil.example/?k=1\r\ncontent-length: 0\r\n\r\n").await;
    let exchange = server.ask(Limits::default()).await;
    assert_eq!(exchange.outcome, Err(WireError::Redirect { status: 307, host: "https://evil.example".to_owned() }));
    let server = Server::answering("HTTP/1.1 308 X\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n").await;
    let exchange = server.ask(Limits::default()).await;
    assert_eq!((code(&exchange), exchange.head.unwrap().status), ("ok", 308));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn compressed_bodies_are_refused() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx").await;
    assert_eq!(code(&server.ask(Limits::default()).await), "encoded-body");
}

#[tokio::test]
async fn stopping_ends_what_is_under_way() {
    let server = Server::always(vec![Step::Request, write(CHUNKED.to_owned() + &chunk("abc")), Step::Hold]).await;
    let client = server.client(Limits::default());
    let prepared = client.prepare(Request::get("/")).unwrap();
    let (stopper, stop) = Stopper::new();
    let desk = Desk { progress: server.progress.clone(), ..Desk::default() };
    let stopping = async {
        until(|| server.snapshot().bytes == 3).await;
        stopper.stop();
    };
    let transmit = client.transmit(&prepared, Stamp::now(), &desk, &stop);
    let (transmission, ()) = tokio::join!(transmit, stopping);
    assert!(transmission.was_cancelled() && !transmission.succeeded());
    let exchange = transmission.into_exchange();
    assert_eq!((code(&exchange), &exchange.body[..]), ("cancelled", &b"abc"[..]));
    // Also before anything was sent.
    let exchange = client.transmit(&prepared, Stamp::now(), &desk, &stop).await.into_exchange();
    assert_eq!((code(&exchange), server.requests().len()), ("cancelled", 1));
}

#[tokio::test]
async fn secrets_leave_no_trace() {
    let answer = "HTTP/1.1 200 OK\r\nset-cookie: s=1\r\nx-echo: Bearer sk-hunter2\r\ncontent-length: 1\r\n\r\nx";
    let server = Server::start(move |n| match n {
        0 => vec![Step::Request, write(answer)],
        _ => vec![Step::Request, write("sk-hunter2 is not HTTP\r\n\r\n")],
    })
    .await;
    let mut secrets = Secrets::new(server.endpoint());
    secrets.insert("api-key", "sk-hunter2").unwrap();
    let client = bench_wire::Client::new(server.endpoint(), secrets.clone(), Limits::default()).unwrap();
    let value = vec![bench_wire::Part::Text("Bearer ".to_owned()), bench_wire::Part::Secret("api-key".to_owned())];
    let headers = vec![bench_wire::Header { name: "Authorization".to_owned(), value }];
    let request = Request { headers, ..Request::get("/") };
    let prepared = client.prepare(request).unwrap();
    let first = client.exchange(prepared.clone(), Stamp::now(), &server.progress).await;
    assert!(server.requests()[0].contains("authorization: Bearer sk-hunter2\r\n"));
    let head = first.head.clone().unwrap();
    assert_eq!(head.headers[0], ("set-cookie".to_owned(), "[redacted]".to_owned()));
    assert_eq!(head.headers[1], ("x-echo".to_owned(), "Bearer [redacted]".to_owned()));
    let second = client.exchange(prepared.clone(), Stamp::now(), &server.progress).await;
    assert_eq!(code(&second), "malformed-http");
    let shown = format!("{prepared:?} {first:?} {second:?} {client:?} {secrets:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(second.outcome.unwrap_err().to_string().contains("[redacted]"));

    let other = Server::answering(sized("")).await;
    let error = bench_wire::Client::new(other.endpoint(), secrets, Limits::default()).unwrap_err();
    assert_eq!(error.code(), "bad-request");
    let exchange = other.client(Limits::default()).exchange(prepared, Stamp::now(), &other.progress).await;
    assert_eq!((code(&exchange), other.connections()), ("bad-request", 0));
}
