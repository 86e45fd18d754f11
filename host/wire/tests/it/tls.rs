//! The same over TLS, with an authority made for the test.

use std::sync::Arc;

use crate::support::*;
use bench_wire::{Client, Control, Limits, Request, Secrets, Stamp, StampMode, Trust};
use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

/// An acceptor for a certificate that names `name`, and the PEM text of its authority.
fn acceptor(name: &str) -> (TlsAcceptor, String) {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(params, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.serialize_der().try_into().unwrap())
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), authority.pem())
}

fn client(server: &Server, trust: &Trust) -> Client {
    Client::with(server.endpoint(), Secrets::new(server.endpoint()), Limits::default(), trust, StampMode::default())
        .unwrap()
}

#[tokio::test]
async fn reads_are_matched_through_tls() {
    let (acceptor, pem) = acceptor("127.0.0.1");
    let steps = vec![
        Step::Request,
        write(CHUNKED),
        write(chunk("data: 1\n\n")),
        Step::UntilBytes(9),
        write(chunk("data: 2\n\n") + &chunk("data: 3\n\n")),
        Step::UntilBytes(27),
        write(chunk("")),
        Step::Request,
        write(sized("x")),
        Step::Hold,
    ];
    let server = Server::with_tls(move |_| steps.clone(), Some(acceptor)).await;
    let client = client(&server, &Trust::only(pem.as_bytes()).unwrap());
    let exchange = server.get(&client).await;
    assert_eq!(code(&exchange), "ok");
    assert_eq!(exchange.body, "data: 1\n\ndata: 2\n\ndata: 3\n\n");
    assert_eq!(ends(&exchange).last(), Some(&27));
    assert!(ends(&exchange).contains(&9));
    assert!(exchange.reads.is_sorted_by(|a, b| a.end < b.end && a.at <= b.at));
    assert!(exchange.first_byte_written.unwrap() < exchange.head.unwrap().at);
    let second = server.get(&client).await;
    assert!(second.connected.is_none() && second.succeeded());
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn certificates_of_the_users_own_are_accepted_as_the_user_says() {
    // What `openssl req -x509` makes: signed by itself, and an authority.
    let mut params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.serialize_der().try_into().unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = Server::with_tls(|_| vec![Step::Request, write(sized("x")), Step::Hold], Some(acceptor)).await;
    let digest = <sha2::Sha256 as sha2::Digest>::digest(certificate.der());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let accepted = [
        Trust::platform_and(certificate.pem().as_bytes()).unwrap(),
        Trust::pinned(hex.parse().unwrap()),
        Trust::unverified(),
    ];
    for trust in accepted {
        assert_eq!(code(&server.get(&client(&server, &trust)).await), "ok", "{trust:?}");
        let control =
            Control::with_trust(server.endpoint(), Secrets::new(server.endpoint()), Limits::default(), &trust).unwrap();
        assert_eq!(control.send(Request::get("/")).await.unwrap().status, 200, "{trust:?}");
    }
    for trust in [Trust::platform(), Trust::pinned("00".repeat(32).parse().unwrap())] {
        assert_eq!(code(&server.get(&client(&server, &trust)).await), "tls", "{trust:?}");
    }
}

#[tokio::test]
async fn connections_opened_ahead_survive_session_tickets() {
    let (acceptor, pem) = acceptor("127.0.0.1");
    let server = Server::with_tls(|_| vec![Step::Request, write(sized("x")), Step::Hold], Some(acceptor)).await;
    let client = client(&server, &Trust::only(pem.as_bytes()).unwrap());
    client.connect_ahead(2).await.unwrap();
    // The server has sent its tickets by the time it has taken its second connection in hand.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let (a, b) = tokio::join!(server.get(&client), server.get(&client));
    assert!(a.connected.is_none() && b.connected.is_none());
    assert!(a.succeeded() && b.succeeded());
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn large_records_are_read_whole() {
    let (acceptor, pem) = acceptor("127.0.0.1");
    let text = "0123456789abcdef".repeat(1 << 15);
    let answer = format!("{CHUNKED}{}{}", chunk(&text), chunk(""));
    let server = Server::with_tls(move |_| vec![Step::Request, write(&answer)], Some(acceptor)).await;
    let exchange = server.get(&client(&server, &Trust::only(pem.as_bytes()).unwrap())).await;
    assert_eq!(code(&exchange), "ok");
    assert_eq!(exchange.body, text);
    assert!(exchange.reads.is_sorted_by(|a, b| a.end < b.end && a.at <= b.at));
}

#[tokio::test]
async fn truncation_is_not_taken_for_the_end() {
    let (acceptor, pem) = acceptor("127.0.0.1");
    let steps = vec![Step::Request, write("HTTP/1.1 200 OK\r\n\r\nhello"), Step::UntilBytes(5), Step::Reset];
    let server = Server::with_tls(move |_| steps.clone(), Some(acceptor)).await;
    let exchange = server.get(&client(&server, &Trust::only(pem.as_bytes()).unwrap())).await;
    assert_eq!((code(&exchange), &exchange.body[..]), ("closed-early", &b"hello"[..]));
}

#[tokio::test]
async fn strangers_are_refused() {
    let (stranger, _) = acceptor("127.0.0.1");
    let (misnamed, pem) = acceptor("elsewhere.example");
    let trust = Trust::only(pem.as_bytes()).unwrap();
    for acceptor in [stranger, misnamed] {
        let server = Server::with_tls(|_| vec![Step::Request, write(sized("x"))], Some(acceptor)).await;
        let exchange = server.get(&client(&server, &trust)).await;
        assert_eq!(code(&exchange), "tls");
        assert!(server.requests().is_empty());
        let control =
            Control::with_trust(server.endpoint(), Secrets::new(server.endpoint()), Limits::default(), &trust).unwrap();
        assert_eq!(control.send(Request::get("/")).await.unwrap_err().code(), "tls");
    }
    // No TLS at all.
    let plain = Server::always(vec![write("HTTP/1.1 400 Bad Request\r\n\r\n")]).await;
    let endpoint = bench_wire::Endpoint::parse(&plain.address.replace("http:", "https:")).unwrap();
    let client =
        Client::with(endpoint.clone(), Secrets::new(endpoint), Limits::default(), &trust, StampMode::default())
            .unwrap();
    let exchange = client.exchange(client.prepare(Request::get("/")).unwrap(), Stamp::now(), &plain.progress).await;
    assert_eq!(code(&exchange), "tls");
}

#[tokio::test]
async fn control_speaks_tls_too() {
    let (acceptor, pem) = acceptor("127.0.0.1");
    let server = Server::with_tls(|_| vec![Step::Request, write(sized("x"))], Some(acceptor)).await;
    let trust = Trust::platform_and(pem.as_bytes()).unwrap();
    let control =
        Control::with_trust(server.endpoint(), Secrets::new(server.endpoint()), Limits::default(), &trust).unwrap();
    assert_eq!(control.send(Request::get("/")).await.unwrap().body, "x");
}
