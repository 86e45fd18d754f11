//! Who asks, and who is told.

use std::net::TcpStream;

use base64::Engine as _;

use crate::registry::{Asked, Registry, reply};
use crate::*;

/// `Basic` of anna.
fn basic() -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("anna:hunter2"))
}

/// A registry whose tokens come from `/token` of itself. Gives a token to whom `known` says.
fn with_tokens(known: impl Fn(&Asked) -> bool + Send + Sync + 'static) -> Registry {
    Registry::start(move |asked, connection| {
        let host = &asked.headers["host"];
        if asked.path.starts_with("/token?") {
            return match known(asked) {
                true => reply(connection, "200 OK", &[], br#"{"token": "tok-123"}"#),
                false => reply(connection, "401 Unauthorized", &[], b""),
            };
        }
        if asked.headers.get("authorization").is_some_and(|value| value == "Bearer tok-123") {
            return false;
        }
        let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"reg\"");
        reply(connection, "401 Unauthorized", &[("www-authenticate", &challenge)], b"")
    })
}

#[test]
fn anybody_gets_a_token_for_what_anybody_may_read() {
    let registry = with_tokens(|_| true);
    let pinned = push(&registry.host(), &settings()).unwrap();
    assert_eq!(pull(&registry.host(), pinned.digest().unwrap(), &settings()).unwrap(), COMPONENT);
    let asked = registry.asked();
    let tokens: Vec<&Asked> = asked.iter().filter(|asked| asked.path.starts_with("/token")).collect();
    let paths: Vec<&str> = tokens.iter().map(|asked| asked.path.as_str()).collect();
    let scope = "/token?service=reg&scope=repository%3Aacme%2Ffast%3Apull";
    assert_eq!(paths, [format!("{scope}%2Cpush"), scope.to_owned()], "one token each, for what is done with it");
    assert!(tokens.iter().all(|asked| !asked.headers.contains_key("authorization")));
}

#[test]
fn a_login_buys_a_token() {
    let registry = with_tokens(|asked| asked.headers.get("authorization") == Some(&basic()));
    let error = push(&registry.host(), &settings()).unwrap_err();
    assert_eq!(error.code(), "oci-denied");
    assert!(error.hint().unwrap().contains("BENCH_OCI_USER"));
    push(&registry.host(), &settings_of(&registry.host())).unwrap();
    // A login for another port is for another registry.
    assert_eq!(push(&registry.host(), &settings_of("127.0.0.1:1")).unwrap_err().code(), "oci-denied");
}

#[test]
fn a_login_goes_to_another_host_only_when_the_user_allows_it() {
    let tokens = with_tokens(|asked| asked.headers.get("authorization") == Some(&basic()));
    let challenge = format!("Bearer realm=\"http://{}/token\",service=\"reg\"", tokens.host());
    let registry = Registry::start(move |asked, connection| {
        !asked.headers.contains_key("authorization")
            && reply(connection, "401 Unauthorized", &[("www-authenticate", &challenge)], b"")
    });
    let mut settings = settings_of(&registry.host());
    let error = push(&registry.host(), &settings).unwrap_err();
    assert_eq!(error.code(), "oci-foreign-realm");
    let hint = error.hint().unwrap();
    assert!(hint.contains(&format!("[oci.\"{}\"] and realm = \"{}\"", registry.host(), tokens.host())), "{hint}");
    assert!(tokens.asked().is_empty(), "nothing was sent there");
    // Without a login there is nothing to give away.
    assert_eq!(push(&registry.host(), &self::settings()).unwrap_err().code(), "oci-denied");
    settings.realms.insert(registry.host(), tokens.host());
    push(&registry.host(), &settings).unwrap();
}

#[test]
fn a_registry_that_wants_the_password_gets_it_once_it_asks() {
    let registry = Registry::start(|asked, connection| {
        asked.headers.get("authorization") != Some(&basic())
            && reply(connection, "401 Unauthorized", &[("www-authenticate", "Basic realm=\"r\"")], b"")
    });
    push(&registry.host(), &settings_of(&registry.host())).unwrap();
    assert!(!registry.asked()[0].headers.contains_key("authorization"), "nobody is told before they ask");
    assert_eq!(push(&registry.host(), &settings()).unwrap_err().code(), "oci-denied");
}

#[test]
fn tokens_from_bad_places_are_not_asked_for() {
    for (realm, code) in [
        ("http://example.invalid/token", "oci-redirect"),
        ("ftp://example.invalid/token", "oci-no-token"),
        ("https://u:p@example.invalid/token", "oci-no-token"),
        ("", "oci-no-token"),
    ] {
        let challenge = format!("Bearer realm=\"{realm}\"");
        let registry = Registry::start(move |_, connection| {
            reply(connection, "401 Unauthorized", &[("www-authenticate", &challenge)], b"")
        });
        let error = push(&registry.host(), &settings_of(&registry.host())).unwrap_err();
        assert_eq!(error.code(), code, "{realm}: {error}");
    }
}

type Way = fn(&mut TcpStream) -> bool;

#[test]
fn tokens_that_are_none() {
    let ways: [(&str, Way); 5] = [
        ("oci-no-token", |connection| reply(connection, "200 OK", &[], b"<html>")),
        ("oci-no-token", |connection| reply(connection, "200 OK", &[], br#"{"token": null}"#)),
        ("oci-no-token", |connection| reply(connection, "200 OK", &[], br#"{"token": "a\r\nb"}"#)),
        ("oci-too-long", |connection| reply(connection, "200 OK", &[], &[b' '; 100_000])),
        ("oci-redirect", |connection| reply(connection, "302 Found", &[("location", "https://example.invalid/")], b"")),
    ];
    for (place, (code, way)) in ways.into_iter().enumerate() {
        let registry = Registry::start(move |asked, connection| {
            let challenge = format!("Bearer realm=\"http://{}/token\"", asked.headers["host"]);
            if asked.path.starts_with("/token") {
                return way(connection);
            }
            reply(connection, "401 Unauthorized", &[("www-authenticate", &challenge)], b"")
        });
        assert_eq!(push(&registry.host(), &settings()).unwrap_err().code(), code, "way {place}");
    }
}

#[test]
fn what_a_server_repeats_of_a_password_is_not_shown() {
    let registry = Registry::start(|asked, connection| {
        let Some(sent) = asked.headers.get("authorization") else {
            return reply(connection, "401 Unauthorized", &[("www-authenticate", "Basic realm=x")], b"");
        };
        let body = format!(r#"{{"errors": [{{"code": "DENIED", "message": "hunter2 {sent} no"}}]}}"#);
        reply(connection, "403 Forbidden", &[], body.as_bytes())
    });
    let settings = settings_of(&registry.host());
    let client = Client::new(&reference(&registry.host(), ""), Access::Pull, &settings).unwrap();
    let error = wait(client.digest_of("1")).unwrap_err();
    assert_eq!(error.code(), "oci-denied");
    assert!(error.to_string().contains("DENIED"), "{error}");
    for secret in ["hunter2", basic().trim_start_matches("Basic ")] {
        assert!(!format!("{error} {error:?} {client:?}").contains(secret), "{error:?}");
    }
}
