//! Servers at addresses as they really are: other base paths, pasted addresses, no list of models, proxies in between.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use serde_json::json;

use crate::support::{Answer, Bench, Server};

fn words() -> Answer {
    let text =
        |text: &str| format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": { "content": text } }] }));
    let end = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 9, "completion_tokens": 2 } });
    let pieces = [text("one "), text("two"), format!("data: {end}\n\ndata: {usage}\n\ndata: [DONE]\n\n")];
    Answer::stream(pieces.iter().map(String::as_bytes))
}

/// A server whose interface begins at `base`, and whose paths end in `query`.
fn server_at(base: &'static str, query: &'static str) -> Server {
    Server::start(move |asked| {
        let path = |end: &str| asked.path == format!("{base}{end}{query}");
        if path("/models") {
            Answer::models()
        } else if path("/chat/completions") {
            words()
        } else {
            Answer::json("404 Not Found", &json!({ "error": { "message": "nothing here" } }))
        }
    })
}

#[test]
fn base_paths_and_pasted_addresses_are_understood() {
    for (base, typed, query) in [
        ("/v1", "", ""),
        ("/v1", "/v1/", ""),
        ("/v4", "/v4", ""),
        ("/v1beta/openai", "/v1beta/openai", ""),
        ("/api/v3", "/api/v3/chat/completions", ""),
        ("/v1", "/v1/chat/completions", ""),
        ("/v1", "/v1/models", ""),
        ("/openai/deployments/d", "/openai/deployments/d", "?api-version=2024-10-21"),
    ] {
        let (bench, server) = (Bench::new(), server_at(base, query));
        let endpoint = format!("{}{typed}{query}", server.url());
        let (ran, record) = bench.quick(&endpoint, "W1", &[]);
        ran.exits(0);
        assert_eq!(record["workloads"][0]["status"], "completed", "{endpoint}");
    }
}

#[test]
fn a_key_in_the_address_is_refused_and_not_repeated() {
    let ran = Bench::new().quick_without_record("http://127.0.0.1:1/v1?api_key=hunter2", "W1", &[]).exits(4);
    assert!(ran.stderr.contains("[bad-endpoint]") && !ran.stderr.contains("hunter2"), "{ran}");
}

#[test]
fn a_driver_and_a_model_that_are_named_are_enough() {
    type List = fn() -> Answer;
    let lists: [(&str, List); 5] = [
        ("missing", || Answer::json("404 Not Found", &json!({ "detail": "Not Found" }))),
        ("closed", || Answer::json("401 Unauthorized", &json!({ "error": { "message": "no key" } }))),
        ("broken", || Answer::json("500 Internal Server Error", &json!({}))),
        ("a web page", || Answer::full("200 OK", "text/html", "", "<html></html>")),
        ("of other models", || Answer::json("200 OK", &json!({ "data": [{ "id": "other" }] }))),
    ];
    for (what, list) in lists {
        let server = Server::start(move |asked| if asked.method == "GET" { list() } else { words() });
        let bench = Bench::new();
        let (ran, record) = bench.quick(&server.url(), "W1", &["--model", "mine"]);
        ran.exits(0);
        assert_eq!(record["model"]["id"], "mine", "the list is {what}");
        let asked = server.seen().into_iter().find(|asked| asked.method == "POST").unwrap();
        assert!(String::from_utf8_lossy(&asked.body).contains("\"model\":\"mine\""), "the list is {what}");
    }
}

/// A proxy that opens tunnels, and counts them.
fn proxy() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let opened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&opened);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            thread::spawn(move || tunnel(client, &count));
        }
    });
    (url, opened)
}

fn tunnel(mut client: TcpStream, count: &AtomicUsize) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).ok()?;
    let authority = head.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
    let mut server = TcpStream::connect(authority).ok()?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    count.fetch_add(1, SeqCst);
    let (mut from, mut to) = (client.try_clone().ok()?, server.try_clone().ok()?);
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    std::io::copy(&mut server, &mut client).ok().map(drop)
}

#[test]
fn measured_requests_go_through_a_proxy_that_the_user_names() {
    let (bench, server) = (Bench::new(), server_at("/v1", ""));
    let (url, opened) = proxy();
    let (ran, record) = bench.quick(&server.url(), "W1", &["--proxy", &url]);
    let ran = ran.exits(0);
    assert!(opened.load(SeqCst) > 0);
    assert_eq!(record["endpoint"]["route"], json!({ "certificates": "platform", "proxy": url }));
    assert!(ran.stdout.contains("through the proxy"), "{ran}");

    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let ran = bench.quick_without_record(&server.url(), "W1", &["--proxy", &gone.to_string()]).exits(4);
    assert!(ran.stderr.contains("[connect-refused]"), "{ran}");
    // A server that is no proxy.
    let ran = bench.quick_without_record(&server.url(), "W1", &["--proxy", &server.url()]).exits(4);
    assert!(ran.stderr.contains("[no-tunnel]"), "{ran}");
}

#[test]
fn a_time_may_have_several_units() {
    let (bench, server) = (Bench::new(), server_at("/v1", ""));
    let load = ["--load", "constant:5/s", "--duration", "0s600ms"];
    let (ran, record) = bench.quick(&server.url(), "W1", &load);
    ran.exits(0);
    assert_eq!(record["workloads"][0]["phases"][0]["summary"]["completed"], 3);
}
