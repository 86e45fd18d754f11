//! Servers that lie, stall, send too much, or are something else than a registry.

use std::io::Write as _;
use std::net::TcpStream;

use bench_oci::{Digest, Reference};

use crate::registry::{Asked, Registry, reply};
use crate::*;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Sends bytes for as long as anybody takes them.
fn endless(connection: &mut TcpStream, kind: &str) -> bool {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
    let chunk = [b"10000\r\n".to_vec(), vec![b' '; 65_536], b"\r\n".to_vec()].concat();
    let _ = connection.write_all(head.as_bytes());
    while connection.write_all(&chunk).is_ok() {}
    true
}

/// Says that more is to come than it sends.
fn claims(connection: &mut TcpStream, kind: &str, length: u64) -> bool {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{{");
    let _ = connection.write_all(head.as_bytes());
    true
}

/// The code of a pull of what was pushed honestly, when reads whose path holds `part` are answered in this way.
fn pulled(part: &'static str, way: impl Fn(&mut TcpStream) -> bool + Send + Sync + 'static) -> &'static str {
    let registry = Registry::start(move |asked: &Asked, connection: &mut TcpStream| {
        asked.method == "GET" && asked.path.contains(part) && way(connection)
    });
    let pinned = push(&registry.host(), &settings()).unwrap();
    let error = pull(&registry.host(), pinned.digest().unwrap(), &settings()).unwrap_err();
    assert!(error.hint().is_some(), "{error}");
    assert!(error.to_string().chars().all(|letter| !letter.is_control()), "{error}");
    error.code()
}

#[test]
fn statuses_are_told_apart() {
    for (status, code) in [
        ("401 Unauthorized", "oci-denied"),
        ("403 Forbidden", "oci-denied"),
        ("404 Not Found", "oci-not-found"),
        ("429 Too Many Requests", "oci-busy"),
        ("500 Internal Server Error", "oci-status"),
        ("204 No Content", "oci-status"),
    ] {
        for part in ["/manifests/", "/blobs/"] {
            assert_eq!(pulled(part, move |to| reply(to, status, &[], b"\x1b[2J")), code, "{status} of {part}");
        }
    }
}

#[test]
fn manifests_that_are_none() {
    let kind = [("content-type", MANIFEST)];
    assert_eq!(
        pulled("/manifests/", |to| reply(to, "200 OK", &[("content-type", "text/html")], b"<html>")),
        "oci-no-manifest"
    );
    assert_eq!(pulled("/manifests/", |to| reply(to, "200 OK", &[], b"{}")), "oci-no-manifest");
    assert_eq!(pulled("/manifests/", move |to| reply(to, "200 OK", &kind, b"{}")), "oci-mismatch");
    let list = [("content-type", "application/vnd.oci.image.index.v1+json")];
    assert_eq!(pulled("/manifests/", move |to| reply(to, "200 OK", &list, b"{}")), "oci-layout");
    assert_eq!(pulled("/manifests/", |to| endless(to, MANIFEST)), "oci-too-long");
    assert_eq!(pulled("/manifests/", |to| claims(to, MANIFEST, 1 << 40)), "oci-too-long");
    assert_eq!(pulled("/manifests/", |to| claims(to, MANIFEST, 100)), "oci-unreachable");
    assert_eq!(pulled("/manifests/", |_| true), "oci-unreachable");
}

#[test]
fn a_manifest_with_the_right_digest_of_something_else() {
    let bodies = [
        ("<html>".to_owned(), "oci-no-manifest"),
        (
            r#"{"schemaVersion": 2, "config": {"mediaType": "a", "digest": "b", "size": 1}, "layers": []}"#.to_owned(),
            "oci-layout",
        ),
        ("[".repeat(100_000), "oci-no-manifest"),
    ];
    for (body, code) in bodies {
        let digest = Digest::of(body.as_bytes());
        let sent = body.clone();
        let registry =
            Registry::start(move |_, to| reply(to, "200 OK", &[("content-type", MANIFEST)], sent.as_bytes()));
        assert_eq!(pull(&registry.host(), &digest, &settings()).unwrap_err().code(), code);
    }
}

#[test]
fn blobs_of_another_length() {
    assert_eq!(pulled("/blobs/", |to| reply(to, "200 OK", &[], b"short")), "oci-mismatch");
    assert_eq!(pulled("/blobs/", |to| claims(to, "x/y", 1 << 40)), "oci-mismatch");
    assert_eq!(pulled("/blobs/", |to| endless(to, "x/y")), "oci-mismatch");
    assert_eq!(pulled("/blobs/", |to| claims(to, "x/y", COMPONENT.len() as u64)), "oci-unreachable");
    assert_eq!(pulled("/blobs/", |to| reply(to, "206 Partial Content", &[], b"short")), "oci-mismatch");
    let ends = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    assert_eq!(pulled("/blobs/", |to| to.write_all(ends).is_ok()), "oci-mismatch");
}

#[test]
fn nobody_is_sent_where_they_have_no_business() {
    for (part, place) in [
        ("/manifests/", "https://example.invalid/x"),
        ("/manifests/", "/v2/acme/other"),
        ("/blobs/", "http://example.invalid/x"),
        ("/blobs/", "ftp://example.invalid/x"),
        ("/blobs/", "https://u:p@example.invalid/x"),
        ("/blobs/", ""),
    ] {
        let way = move |to: &mut TcpStream| reply(to, "302 Found", &[("location", place)], b"");
        assert_eq!(pulled(part, way), "oci-redirect", "{part} to {place}");
    }
    // Round and round.
    let way = |to: &mut TcpStream| reply(to, "302 Found", &[("location", "/blobs/again")], b"");
    assert_eq!(pulled("/blobs/", way), "oci-redirect");
}

#[test]
fn nobody_there() {
    let digest = Digest::of(b"");
    assert_eq!(pull("127.0.0.1:1", &digest, &settings()).unwrap_err().code(), "oci-unreachable");
    assert_eq!(push("127.0.0.1:1", &settings()).unwrap_err().code(), "oci-unreachable");
}

/// The code of a push to a registry that answers one kind of request in its own way.
fn pushed(
    method: &'static str,
    part: &'static str,
    way: impl Fn(&mut TcpStream) -> bool + Send + Sync + 'static,
) -> (&'static str, Vec<Asked>) {
    let registry = Registry::start(move |asked: &Asked, to: &mut TcpStream| {
        asked.method == method && asked.path.contains(part) && way(to)
    });
    let code = push(&registry.host(), &settings()).unwrap_err().code();
    (code, registry.asked())
}

#[test]
fn pushes_that_do_not_arrive_leave_no_manifest() {
    for (method, part, status, code) in [
        ("HEAD", "/blobs/", "403 Forbidden", "oci-denied"),
        ("HEAD", "/blobs/", "500 Internal Server Error", "oci-status"),
        ("POST", "/uploads/", "404 Not Found", "oci-not-found"),
        ("POST", "/uploads/", "202 Accepted", "oci-receipt"),
        ("PUT", "/uploads/", "413 Content Too Large", "oci-status"),
        ("PUT", "/uploads/", "302 Found\r\nlocation: https://example.invalid/", "oci-redirect"),
    ] {
        let (found, asked) = pushed(method, part, move |to| reply(to, status, &[], b""));
        assert_eq!(found, code, "{method} {part} {status}");
        assert!(asked.iter().all(|asked| !asked.path.contains("/manifests/")), "{status}");
    }
    let elsewhere = |to: &mut TcpStream| reply(to, "202 Accepted", &[("location", "http://127.0.0.1:1/x")], b"");
    assert_eq!(pushed("POST", "/uploads/", elsewhere).0, "oci-redirect");
    let denied = |to: &mut TcpStream| reply(to, "403 Forbidden", &[], b"");
    assert_eq!(pushed("PUT", "/manifests/", denied).0, "oci-denied");
    let other = |to: &mut TcpStream| reply(to, "201 Created", &[("docker-content-digest", "sha256:00")], b"");
    assert_eq!(pushed("PUT", "/manifests/", other).0, "oci-receipt");
}

#[test]
fn what_nobody_could_install_is_not_pushed() {
    let push = |text: &str| {
        let reference: Reference = text.parse().unwrap();
        wait(bench_oci::push(&reference, &artifact(), &settings())).unwrap_err().code()
    };
    assert_eq!(push("oci://127.0.0.1:1/acme/fast"), "oci-push-target");
    assert_eq!(push(&format!("oci://127.0.0.1:1/acme/fast:1@{}", Digest::of(b""))), "oci-push-target");
    assert_eq!(push("oci://127.0.0.1:1/fast/other:1"), "oci-name");
}
