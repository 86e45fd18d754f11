//! Requests that nobody times.

use std::time::Duration;

use crate::support::*;
use bench_wire::{Control, Endpoint, Header, Limits, Part, Request, Response, Secrets, WireError};

async fn send(server: &Server, limits: Limits, request: Request) -> Result<Response, WireError> {
    let mut secrets = Secrets::new(server.endpoint());
    secrets.insert("api-key", "sk-hunter2").unwrap();
    let result = Control::new(server.endpoint(), secrets, limits).unwrap().send(request).await;
    assert!(!format!("{result:?}").contains("hunter2"), "{result:?}");
    result
}

async fn get(answer: impl AsRef<[u8]>) -> Result<Response, WireError> {
    send(&Server::answering(answer).await, Limits::default(), Request::get("/x?y=1")).await
}

#[tokio::test]
async fn answers_of_any_status() {
    let server =
        Server::answering("HTTP/1.1 404 X\r\nX-A: sk-hunter2\r\nset-cookie: a\r\ncontent-length: 2\r\n\r\n{}").await;
    let header = Header { name: "x-key".to_owned(), value: vec![Part::Secret("api-key".to_owned())] };
    let request =
        Request { method: "POST".to_owned(), headers: vec![header], body: "body".into(), ..Request::get("/x?y=1") };
    let response = send(&server, Limits::default(), request).await.unwrap();
    assert_eq!((response.status, &response.body[..]), (404, &b"{}"[..]));
    assert!(response.headers.contains(&("x-a".to_owned(), "[redacted]".to_owned())));
    assert!(response.headers.contains(&("set-cookie".to_owned(), "[redacted]".to_owned())));
    let sent = &server.requests()[0];
    assert!(sent.starts_with("POST /x?y=1 HTTP/1.1\r\n"), "{sent}");
    assert!(sent.contains("x-key: sk-hunter2\r\n") && sent.ends_with("\r\n\r\nbody"));
    assert_eq!(sent.matches("host:").count(), 1);
    assert_eq!(sent.matches("content-length:").count(), 1);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let error = get("HTTP/1.1 302 X\r\nlocation: http://evil.example/?k=sk-hunter2\r\ncontent-length: 0\r\n\r\n")
        .await
        .unwrap_err();
    assert_eq!(error, WireError::Redirect { status: 302, host: "http://evil.example".to_owned() });
    let same = get("HTTP/1.1 302 X\r\nlocation: /y\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    assert_eq!(same.status, 302);
}

#[tokio::test]
async fn a_redirect_is_handed_over_to_who_asks_for_it_and_not_followed() {
    let elsewhere = "HTTP/1.1 307 X\r\nlocation: http://other.example/?k=sk-hunter2\r\ncontent-length: 0\r\n\r\n";
    let server = Server::answering(elsewhere).await;
    let mut secrets = Secrets::new(server.endpoint());
    secrets.insert("api-key", "sk-hunter2").unwrap();
    let control = Control::new(server.endpoint(), secrets, Limits::default()).unwrap();
    let answer = control.open_as_it_is(Request::get("/x")).await.unwrap();
    assert_eq!(answer.status, 307);
    assert!(answer.headers.contains(&("location".to_owned(), "http://other.example/?k=[redacted]".to_owned())));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn broken_answers_have_codes() {
    for (answer, code) in [
        ("<html></html>\r\n\r\n", "malformed-http"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort", "closed-early"),
        ("", "closed-early"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "malformed-http"),
    ] {
        assert_eq!(get(answer).await.unwrap_err().code(), code, "{answer}");
    }
}

#[tokio::test]
async fn limits() {
    let tiny = Limits {
        first_byte: Duration::from_millis(50),
        connect: Duration::from_millis(50),
        stall: Duration::from_millis(50),
        max_body: 10,
        ..Limits::default()
    };
    let large = Server::answering(sized("12345678901")).await;
    assert_eq!(send(&large, tiny.clone(), Request::get("/")).await.unwrap_err().code(), "body-too-large");
    let silent = Server::always(vec![Step::Request, Step::Hold]).await;
    assert_eq!(send(&silent, tiny.clone(), Request::get("/")).await.unwrap_err().code(), "first-byte-timeout");
    let stalled = Server::always(vec![Step::Request, write(CHUNKED.to_owned() + &chunk("abc")), Step::Hold]).await;
    assert_eq!(send(&stalled, tiny.clone(), Request::get("/")).await.unwrap_err().code(), "stalled");
    let short = Limits { total: Duration::from_millis(50), ..Limits::default() };
    assert_eq!(send(&silent, short, Request::get("/")).await.unwrap_err().code(), "total-timeout");
}

#[tokio::test]
async fn nobody_there() {
    for (address, code) in [("http://127.0.0.1:9", "connect-refused"), ("http://no-such-host.invalid", "dns")] {
        let endpoint = Endpoint::parse(address).unwrap();
        let control = Control::new(endpoint.clone(), Secrets::new(endpoint), Limits::default()).unwrap();
        assert_eq!(control.send(Request::get("/")).await.unwrap_err().code(), code);
    }
}

#[tokio::test]
async fn bad_requests_are_not_sent() {
    let server = Server::answering(sized("")).await;
    let error = send(&server, Limits::default(), Request::get("http://evil/")).await.unwrap_err();
    assert_eq!((error.code(), server.connections()), ("bad-request", 0));
}

/// Measured requests are read by this crate's own reader, the others by hyper. On the same bytes both must come to the same.
#[tokio::test]
async fn both_ways_to_read_an_answer_agree() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answers = [
        sized("hello"),
        format!("{chunked}5\r\nhello\r\n0\r\n\r\n"),
        format!("{chunked}0000005;a=b\r\nhello\r\nA \r\n0123456789\r\n0\r\nx: y\r\n\r\n"),
        format!("{chunked}5\nhello\r\n0\r\n\r\n"),
        format!("{chunked}5\r\nhellooo\r\n0\r\n\r\n"),
        format!("{chunked}G\r\nhello\r\n0\r\n\r\n"),
        format!("{chunked}5\r\nhel"),
        format!("{chunked}FFFFFFFFFFFFFFFFF\r\nhello"),
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 5, 5\r\n\r\nhello".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 7\r\n\r\nhello".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nhello".to_owned(),
        "HTTP/1.0 200 OK\r\n\r\nuntil the end".to_owned(),
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno".to_owned(),
        "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        "HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n".to_owned(),
        "ICY 200 OK\r\n\r\n".to_owned(),
    ];
    for answer in answers {
        let server = Server::answering(&answer).await;
        let exchange = server.ask(Limits::default()).await;
        let control = Control::new(server.endpoint(), Secrets::new(server.endpoint()), Limits::default()).unwrap();
        let own = exchange.outcome.map(|()| (exchange.head.unwrap().status, exchange.body));
        let theirs = control.send(Request::get("/x")).await.map(|response| (response.status, response.body));
        match (own, theirs) {
            (Ok(own), Ok(theirs)) => assert_eq!(own, theirs, "{answer:?}"),
            (Err(_), Err(_)) => {}
            (own, theirs) => panic!("{answer:?}: {own:?} and {theirs:?}"),
        }
    }
}
