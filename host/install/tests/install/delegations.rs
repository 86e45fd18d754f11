//! Cases of the conformance tests in which roles let others speak, by their names.

use std::fs;

use crate::forge::{Forge, add};
use crate::support::day;

#[test]
fn delegations_are_followed_in_order_and_depth_first() {
    let mut forge = Forge::new();
    forge.delegate("targets", "one", &["x/*"], false);
    forge.delegate("one", "three", &["x/*"], false);
    forge.delegate("targets", "two", &["x/*", "y/*"], false);
    forge.target("three", "x/a", b"three");
    forge.target("two", "x/a", b"two");
    forge.target("two", "x/b", b"two");
    forge.target("three", "y/a", b"three");
    forge.next();
    assert_eq!(forge.get("x/a").unwrap(), b"three");
    assert_eq!(forge.get("x/b").unwrap(), b"two");
    assert_eq!(forge.get("y/a"), Err("item-unknown"), "nobody delegated it to the one that lists it");
}

#[test]
fn a_terminating_delegation_ends_the_search() {
    for (terminating, expected) in [(true, Err("item-unknown")), (false, Ok(b"two".to_vec()))] {
        let mut forge = Forge::new();
        forge.delegate("targets", "one", &["x/*"], terminating);
        forge.delegate("targets", "two", &["x/*"], false);
        forge.target("two", "x/a", b"two");
        forge.next();
        assert_eq!(forge.get("x/a"), expected);
    }
}

#[test]
fn a_circle_of_delegations_ends() {
    let mut forge = Forge::new();
    forge.delegate("targets", "one", &["*"], false);
    forge.delegate("one", "two", &["*"], false);
    let keys = forge.signers["one"].clone();
    forge.delegate("two", "one", &["*"], false);
    forge.signers.insert("one".to_owned(), keys);
    forge.next();
    assert_eq!(forge.get("nothing"), Err("item-unknown"));
}

#[test]
fn very_many_delegations_end() {
    let mut forge = Forge::new();
    let mut parent = "targets".to_owned();
    for number in 0..60 {
        let child = format!("r{number}");
        forge.delegate(&parent, &child, &["*"], false);
        parent = child;
    }
    forge.target(&parent, "deep", b"x");
    forge.next();
    assert_eq!(forge.get("deep"), Err("item-unknown"));
}

#[test]
fn a_role_that_is_not_in_the_snapshot() {
    let mut forge = Forge::new();
    forge.delegate("targets", "acme", &["acme/*"], false);
    forge.target("acme", "acme/a", b"x");
    forge.next();
    forge.snapshot["meta"].as_object_mut().unwrap().remove("acme.json");
    add(&mut forge.snapshot, 1);
    add(&mut forge.timestamp, 1);
    forge.commit_snapshot();
    assert_eq!(forge.get("acme/a"), Err("item-unknown"));
    assert_eq!(forge.get("a.txt").unwrap(), b"a");
}

#[test]
fn a_kept_role_is_verified_for_each_delegator() {
    let mut forge = Forge::new();
    forge.delegate("targets", "one", &["x/*"], false);
    forge.delegate("one", "shared", &["x/*"], false);
    forge.target("shared", "x/a", b"x");
    // Another role names the same one with another key.
    forge.delegate("targets", "two", &["y/*"], false);
    forge.delegate("two", "other", &["y/*"], false);
    let two = forge.roles.get_mut("two").unwrap();
    two["delegations"]["roles"][0]["name"] = "shared".into();
    forge.target("shared", "y/a", b"y");
    forge.next();
    assert_eq!(forge.get("x/a").unwrap(), b"x");
    assert!(forge.get("y/a").is_err());
}

#[test]
fn unusual_role_names() {
    for name in
        ["?", "#", "/delegatedrole", "../delegatedrole", "../../x", "a b", "rol\u{e9}", "CON", "1.root", "%2e%2e"]
    {
        let mut forge = Forge::new();
        forge.delegate("targets", name, &["x/*"], true);
        forge.target(name, "x/a", b"x");
        forge.next();
        // What cannot be kept is read again; nothing leaves the client's folder.
        assert_eq!(forge.get("x/a").unwrap(), b"x", "{name}");
        let client = forge.memory("");
        let mut around: Vec<_> =
            fs::read_dir(client.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        around.sort();
        assert_eq!(around, ["client", "keys"], "{name}");
    }
}

#[test]
fn a_role_named_like_a_top_one_is_nobody() {
    for name in ["root", "snapshot", "timestamp", "targets"] {
        let mut forge = Forge::new();
        let keys = forge.signers[name].clone();
        if name != "targets" {
            forge.delegate("targets", name, &["x/*"], true);
            forge.target(name, "x/a", b"x");
        }
        forge.signers.insert(name.to_owned(), keys);
        forge.next();
        assert!(forge.get("x/a").is_err(), "{name}");
    }
}

/// F1: one publisher whose list has expired must not keep the others from being installed.
#[test]
fn an_expired_publisher_is_its_own_affair() {
    let mut forge = Forge::new();
    forge.delegate("targets", "late", &["late/*"], true);
    forge.delegate("targets", "good", &["good/*"], true);
    forge.target("late", "late/a", b"x");
    forge.target("good", "good/a", b"x");
    forge.roles.get_mut("late").unwrap()["expires"] = day(0).to_string().into();
    forge.next();
    assert_eq!(forge.get("late/a"), Err("registry-expired"));
    assert_eq!(forge.get("good/a").unwrap(), b"x");
    assert_eq!(forge.get("a.txt").unwrap(), b"a");
}

/// F3: a star ends at a slash.
#[test]
fn a_star_does_not_cross_a_slash() {
    let mut forge = Forge::new();
    forge.delegate("targets", "acme", &["acme/*"], true);
    forge.target("acme", "acme/a", b"x");
    forge.target("acme", "acme/deep/a", b"x");
    forge.next();
    assert_eq!(forge.get("acme/a").unwrap(), b"x");
    assert_eq!(forge.get("acme/deep/a"), Err("item-unknown"));
}
