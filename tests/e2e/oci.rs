//! Plugins out of an OCI registry, as a user types it.

use std::fs;

use bench_plugin::Kind;
use serde_json::Value;

use crate::oci_registry::Registry;
use crate::support::{Bench, changed, engine, quick};

/// A component that nobody else has the name of, pushed by `author`, and its place by digest.
fn pushed(author: &Bench, registry: &Registry) -> (String, String) {
    let file = author.write("openbi.wasm", changed(Kind::Driver, "openai", "openai", "openbi"));
    let place = format!("oci://{}/acme/openbi:1.0", registry.host());
    let push = ["plugin", "push", file.to_str().unwrap(), &place, "--licence", "MIT"];
    let ran = author.run(push).exits(0);
    assert!(ran.stdout.starts_with(&format!("{place}@sha256:")), "{ran}");
    let json = author.run(push.iter().chain(&["--json"])).exits(0).json();
    assert_eq!(json["reference"], ran.stdout.trim(), "the same component is the same digest");
    (place, ran.stdout.trim().to_owned())
}

#[test]
fn what_one_pushes_another_installs_by_digest_and_runs() {
    let (author, user, registry) = (Bench::new(), Bench::new(), Registry::start(|_, _| false));
    let (place, pinned) = pushed(&author, &registry);
    user.run(["plugin", "add", &place]).fails(6, "oci-unpinned", &["names no digest"]).hints(&pinned);
    let added = user.run(["plugin", "add", &pinned, "--json"]).exits(0).json();
    assert_eq!(
        (&added["changes"][0]["name"], &added["changes"][0]["registry"]),
        (&"openbi".into(), &pinned[..].into())
    );
    let listed = user.run(["plugin", "list", "--json"]).exits(0).json();
    let own = listed.as_array().unwrap().iter().find(|plugin| plugin["name"] == "openbi").unwrap();
    assert_eq!(own["source"], pinned);

    let engine = engine(quick());
    let run = ["run", "--quick", "--endpoint", &engine.url(), "--workload", "W1", "--plugin", "openbi"];
    user.run(run.iter().chain(&["--json", "record.json"])).exits(0);
    let record: Value = serde_json::from_slice(&fs::read(user.path("record.json")).unwrap()).unwrap();
    let driver = record["plugins"].as_array().unwrap().iter().find(|plugin| plugin["kind"] == "driver").unwrap();
    assert_eq!((&driver["name"], &driver["source"]), (&"openbi".into(), &"registry".into()));
    assert_eq!(driver["sha256"], own["sha256"]);

    user.run(["plugin", "add", &pinned, "--frozen", "--offline"]).exits(0);
    user.run(["plugin", "remove", "openbi"]).exits(0);
    user.run(run).fails(6, "plugin-unknown", &["openbi"]);
    user.run(["plugin", "add", &pinned, "--frozen"]).fails(6, "lock-frozen", &["openbi"]);
    user.run(["plugin", "rollback"]).exits(0);
    user.run(["plugin", "inspect", "openbi"]).exits(0);
}

#[test]
fn what_cannot_be_pushed_or_added_is_said_plainly() {
    let (user, registry) = (Bench::new(), Registry::start(|_, _| false));
    let carried =
        bench_registry::components().iter().find(|it| it.kind == Kind::Driver && it.name == "openai").unwrap();
    let file = user.write("openai.wasm", carried.bytes);
    let file = file.to_str().unwrap();
    let place = |rest: &str| format!("oci://{}/{rest}", registry.host());
    user.run(["plugin", "push", file, &place("acme/other:1")]).fails(6, "oci-name", &["openai"]).hints("/openai");
    user.run(["plugin", "push", file, &place("acme/openai")]).fails(6, "oci-push-target", &["no tag"]);
    let nothing = user.write("nothing.wasm", "nothing");
    assert_ne!(user.run(["plugin", "push", nothing.to_str().unwrap(), &place("acme/nothing:1")]).code, Some(0));
    assert!(registry.asked().is_empty(), "what is refused here is not sent");
    let pinned = user.run(["plugin", "push", file, &place("acme/openai:1")]).exits(0).stdout;
    user.run(["plugin", "add", pinned.trim()]).fails(6, "name-taken", &["this program carries"]).hints("path");
    let nobody = format!("oci://127.0.0.1:1/acme/x@sha256:{}", "0".repeat(64));
    user.run(["plugin", "add", &nobody]).fails(6, "oci-unreachable", &["127.0.0.1:1"]);
    assert_eq!(user.run(["plugin", "add", "oci://HOST/x"]).code, Some(2));
    assert_eq!(user.run(["suite", "add", &nobody]).code, Some(2), "suites come from signed registries");
}
