//! What goes well.

use bench_oci::{Access, Client, Digest};
use serde_json::Value;

use crate::registry::{Registry, reply};
use crate::*;

#[test]
fn what_is_pushed_is_pulled_again_by_its_digest() {
    let registry = Registry::start(|_, _| false);
    let host = registry.host();
    let pinned = push(&host, &settings()).unwrap();
    let digest = pinned.digest().unwrap();
    assert_eq!(pinned.to_string(), format!("oci://{host}/acme/fast:1@{digest}"));
    assert_eq!(pull(&host, digest, &settings()).unwrap(), COMPONENT);
    let client = Client::new(&pinned, Access::Pull, &settings()).unwrap();
    assert_eq!(wait(client.digest_of("1")).unwrap(), *digest);
    // Once more: the same digest, and no bytes are sent that are there.
    let before = registry.asked().len();
    assert_eq!(push(&host, &settings()).unwrap(), pinned);
    let methods: Vec<String> = registry.asked()[before..].iter().map(|asked| asked.method.clone()).collect();
    assert_eq!(methods, ["HEAD", "HEAD", "PUT"]);
    assert!(registry.asked().iter().all(|asked| asked.headers["user-agent"].starts_with("bench/")));
}

#[test]
fn what_is_pushed_is_the_layout_that_other_tools_read() {
    let registry = Registry::start(|_, _| false);
    push(&registry.host(), &settings()).unwrap();
    let sent = registry.asked();
    let manifest = sent.iter().find(|asked| asked.path.ends_with("/manifests/1")).unwrap();
    assert_eq!(manifest.headers["content-type"], "application/vnd.oci.image.manifest.v1+json");
    let manifest: Value = serde_json::from_slice(&manifest.body).unwrap();
    assert_eq!(manifest["schemaVersion"], 2);
    assert_eq!(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
    assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm");
    assert_eq!(manifest["layers"][0]["digest"], layer().digest.to_string());
    assert_eq!(manifest["layers"][0]["size"], COMPONENT.len());
    assert_eq!(manifest["annotations"]["org.opencontainers.image.version"], "1.2.3");
    let digest = manifest["config"]["digest"].as_str().unwrap();
    let config = sent.iter().find(|asked| Digest::of(&asked.body).to_string() == digest).unwrap();
    let config: Value = serde_json::from_slice(&config.body).unwrap();
    assert_eq!((&config["architecture"], &config["os"]), (&"wasm".into(), &"wasip2".into()));
    assert_eq!(config["layerDigests"][0], layer().digest.to_string());
    assert_eq!(config["component"]["exports"][0], "bench:plugin/driver@0.1.0");
    assert!(config["created"].is_string());
}

#[test]
fn bytes_may_lie_elsewhere_and_are_asked_for_without_a_login() {
    let shelf = Registry::start(|asked, connection| {
        asked.path == "/elsewhere?signed=1" && reply(connection, "200 OK", &[], COMPONENT)
    });
    let place = format!("http://{}/elsewhere?signed=1", shelf.host());
    let registry = Registry::start(move |asked, connection| {
        if !asked.headers.contains_key("authorization") {
            return reply(connection, "401 Unauthorized", &[("www-authenticate", "Basic realm=x")], b"");
        }
        let blob = asked.method == "GET" && asked.path.contains("/blobs/");
        blob && reply(connection, "307 Temporary Redirect", &[("location", &place)], b"")
    });
    let settings = settings_of(&registry.host());
    let pinned = push(&registry.host(), &settings).unwrap();
    assert_eq!(pull(&registry.host(), pinned.digest().unwrap(), &settings).unwrap(), COMPONENT);
    assert!(shelf.asked().iter().all(|asked| !asked.headers.contains_key("authorization")));
    assert_eq!(shelf.asked().len(), 1);
}

#[test]
fn a_blob_goes_on_where_it_broke_off() {
    let registry = Registry::start(|asked, connection| {
        let Some(range) = asked.headers.get("range") else { return false };
        assert_eq!(range, "bytes=10-");
        let said = format!("bytes 10-{}/{}", COMPONENT.len() - 1, COMPONENT.len());
        reply(connection, "206 Partial Content", &[("content-range", &said)], &COMPONENT[10..])
    });
    push(&registry.host(), &settings()).unwrap();
    let client = Client::new(&reference(&registry.host(), ""), Access::Pull, &settings()).unwrap();
    let rest = wait(async {
        let mut blob = client.blob(&layer(), 10).await.unwrap();
        assert_eq!(blob.starts(), 10);
        blob.chunk().await.unwrap().unwrap()
    });
    assert_eq!(&rest[..], &COMPONENT[10..]);
}
