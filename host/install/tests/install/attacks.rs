//! The cases of the conformance tests for clients of The Update Framework, by their names, against our reader; those of delegations are in
//! `delegations.rs`. F1 to F4 are defects that were measured in other readers and writers, which ours must not have.

use std::fs;

use serde_json::json;

use crate::forge::{Forge, add, pin};
use crate::support::day;

const UNTRUSTED: Result<(), &str> = Err("registry-untrusted");
const ROLLED_BACK: Result<(), &str> = Err("registry-rolled-back");
const MISMATCH: Result<(), &str> = Err("registry-mismatch");
const EXPIRED: Result<(), &str> = Err("registry-expired");
const METADATA: Result<(), &str> = Err("registry-metadata");

#[test]
fn basic_init_and_refresh() {
    let forge = Forge::new();
    assert_eq!(forge.refresh(), Ok(()));
    assert_eq!(forge.refresh(), Ok(()));
    assert_eq!(forge.get("a.txt").unwrap(), b"a");
    assert_eq!(forge.get("b.txt"), Err("item-unknown"));
    for file in ["root.json", "timestamp.json", "snapshot.json", "targets.json", "root_history/1.root.json"] {
        assert!(forge.memory(file).is_file(), "{file}");
    }
}

#[test]
fn unsigned_initial_root() {
    let mut forge = Forge::new();
    forge.signers.insert("root".to_owned(), Vec::new());
    forge.pinned = forge.signed(&forge.root, "root");
    assert_eq!(forge.refresh(), UNTRUSTED);
}

#[test]
fn invalid_initial_root() {
    let mut forge = Forge::new();
    for pinned in [&b""[..], b"{}", b"null", b"[1]", b"{\"signed\":{},\"signatures\":[]}"] {
        forge.pinned = pinned.to_vec();
        assert_eq!(forge.refresh(), UNTRUSTED);
    }
}

#[test]
fn unsigned_metadata() {
    for role in ["timestamp", "snapshot", "targets"] {
        let mut forge = Forge::new();
        forge.refresh().unwrap();
        forge.signers.insert(role.to_owned(), Vec::new());
        forge.next();
        assert_eq!(forge.refresh(), UNTRUSTED, "{role}");
    }
    let mut forge = Forge::new();
    add(&mut forge.root, 1);
    forge.signers.insert("root".to_owned(), Vec::new());
    forge.write_root();
    assert_eq!(forge.refresh(), UNTRUSTED);
}

#[test]
fn metadata_of_another_type() {
    for role in ["timestamp", "snapshot", "targets"] {
        let mut forge = Forge::new();
        match role {
            "timestamp" => forge.timestamp["_type"] = "snapshot".into(),
            "snapshot" => forge.snapshot["_type"] = "timestamp".into(),
            _ => forge.roles.get_mut("targets").unwrap()["_type"] = "root".into(),
        }
        forge.next();
        assert_eq!(forge.refresh(), METADATA, "{role}");
    }
}

#[test]
fn metadata_that_is_not_readable() {
    for file in
        ["metadata/timestamp.json", "metadata/1.snapshot.json", "metadata/1.targets.json", "metadata/2.root.json"]
    {
        for bytes in [&b""[..], b"{", b"\xff\xfe", b"[[[[[[", b"{\"signed\":{\"version\":1.5},\"signatures\":[]}"] {
            let mut forge = Forge::new();
            forge.files.insert(file.to_owned(), bytes.to_vec());
            assert!(forge.refresh().is_err(), "{file}");
        }
    }
}

#[test]
fn snapshot_hash_mismatch() {
    let mut forge = Forge::new();
    forge.timestamp["meta"]["snapshot.json"]["hashes"]["sha256"] = "00".repeat(32).into();
    add(&mut forge.timestamp, 1);
    forge.commit_timestamp();
    assert_eq!(forge.refresh(), MISMATCH);
    let mut forge = Forge::new();
    forge.timestamp["meta"]["snapshot.json"]["length"] = 7.into();
    forge.commit_timestamp();
    assert!(forge.refresh().is_err());
}

#[test]
fn targets_hash_mismatch() {
    let mut forge = Forge::new();
    forge.snapshot["meta"]["targets.json"]["hashes"]["sha256"] = "00".repeat(32).into();
    forge.commit_snapshot();
    assert_eq!(forge.refresh(), MISMATCH);
}

#[test]
fn target_file_mismatch() {
    for bytes in [&b"b"[..], b"", b"aa"] {
        let mut forge = Forge::new();
        let file = forge.files.keys().find(|file| file.starts_with("targets/")).unwrap().clone();
        forge.files.insert(file, bytes.to_vec());
        assert!(matches!(forge.get("a.txt"), Err("registry-mismatch" | "registry-unreachable")), "{bytes:?}");
    }
}

#[test]
fn missing_files() {
    for file in ["metadata/timestamp.json", "metadata/1.snapshot.json", "metadata/1.targets.json"] {
        let mut forge = Forge::new();
        forge.files.remove(file);
        assert_eq!(forge.refresh(), METADATA, "{file}");
    }
    let mut forge = Forge::new();
    forge.files.retain(|file, _| !file.starts_with("targets/"));
    assert_eq!(forge.get("a.txt"), Err("registry-metadata"));
}

#[test]
fn custom_fields_are_kept_and_signed() {
    let mut forge = Forge::new();
    forge.timestamp["x-custom"] = json!({ "b": [1, "\u{e9}\n\"\\", null, true], "a": {} });
    forge.snapshot["meta"]["targets.json"]["x-custom"] = "y".into();
    forge.roles.get_mut("targets").unwrap()["targets"]["a.txt"]["custom"] = json!({ "kind": "driver" });
    forge.roles.get_mut("targets").unwrap()["x-custom"] = 1.into();
    forge.next();
    assert_eq!(forge.refresh(), Ok(()));
    // They are part of what is signed.
    let text = String::from_utf8(forge.files["metadata/timestamp.json"].clone()).unwrap();
    forge.files.insert("metadata/timestamp.json".to_owned(), text.replace("[1,", "[2,").into_bytes());
    fs::remove_dir_all(forge.memory("")).unwrap();
    assert_eq!(forge.refresh(), UNTRUSTED);
}

#[test]
fn expired_metadata() {
    for role in ["root", "timestamp", "snapshot", "targets"] {
        let mut forge = Forge::new();
        let early = day(0).to_string();
        match role {
            "root" => forge.next_root(|forge| forge.root["expires"] = early.into()),
            "timestamp" => forge.timestamp["expires"] = early.into(),
            "snapshot" => forge.snapshot["expires"] = early.into(),
            _ => forge.roles.get_mut("targets").unwrap()["expires"] = early.into(),
        }
        forge.next();
        assert_eq!(forge.refresh(), EXPIRED, "{role}");
        assert_eq!(forge.refresh_at(-1), Ok(()), "{role}: before that it was good");
    }
}

#[test]
fn expired_local_root_and_timestamp() {
    let mut forge = Forge::new();
    assert_eq!(forge.refresh(), Ok(()));
    assert_eq!(forge.refresh_at(40), EXPIRED);
    // The chain of roots goes through ones that are past their time.
    for number in 0..3 {
        forge.next_root(|forge| forge.root["expires"] = day(60 - number).to_string().into());
    }
    forge.next_root(|forge| forge.root["expires"] = day(90).to_string().into());
    for role in [&mut forge.timestamp, &mut forge.snapshot] {
        role["expires"] = day(90).to_string().into();
    }
    forge.roles.get_mut("targets").unwrap()["expires"] = day(90).to_string().into();
    forge.next();
    assert_eq!(forge.refresh_at(70), Ok(()));
}

#[test]
fn expired_local_timestamp_still_guards_against_rollback() {
    let mut forge = Forge::new();
    let old = forge.files["metadata/timestamp.json"].clone();
    forge.next();
    forge.timestamp["expires"] = day(2).to_string().into();
    forge.next();
    assert_eq!(forge.refresh(), Ok(()));
    forge.files.insert("metadata/timestamp.json".to_owned(), old);
    assert_eq!(forge.refresh_at(5), ROLLED_BACK);
}

#[test]
fn timestamp_rollback() {
    let mut forge = Forge::new();
    let old = forge.files["metadata/timestamp.json"].clone();
    forge.next();
    assert_eq!(forge.refresh(), Ok(()));
    forge.files.insert("metadata/timestamp.json".to_owned(), old);
    assert_eq!(forge.refresh(), ROLLED_BACK);
}

#[test]
fn snapshot_rollback() {
    let mut forge = Forge::new();
    forge.next();
    assert_eq!(forge.refresh(), Ok(()));
    add(&mut forge.snapshot, -1);
    add(&mut forge.timestamp, 1);
    forge.commit();
    assert_eq!(forge.refresh(), ROLLED_BACK);
}

#[test]
fn targets_rollback() {
    let mut forge = Forge::new();
    forge.next();
    assert_eq!(forge.refresh(), Ok(()));
    add(forge.roles.get_mut("targets").unwrap(), -1);
    add(&mut forge.snapshot, 1);
    add(&mut forge.timestamp, 1);
    forge.commit();
    assert_eq!(forge.refresh(), ROLLED_BACK);
}

#[test]
fn removal_of_a_role_from_the_snapshot() {
    let mut forge = Forge::new();
    forge.delegate("targets", "acme", &["acme/*"], true);
    forge.next();
    assert_eq!(forge.refresh(), Ok(()));
    forge.snapshot["meta"].as_object_mut().unwrap().remove("acme.json");
    add(&mut forge.snapshot, 1);
    add(&mut forge.timestamp, 1);
    forge.commit_snapshot();
    assert!(forge.refresh().is_err());
}

#[test]
fn fast_forward_recovery() {
    for role in ["timestamp", "snapshot", "targets"] {
        let mut forge = Forge::new();
        match role {
            "timestamp" => add(&mut forge.timestamp, 99_999),
            "snapshot" => add(&mut forge.snapshot, 99_999),
            _ => add(forge.roles.get_mut("targets").unwrap(), 99_999),
        }
        forge.next();
        assert_eq!(forge.refresh(), Ok(()), "{role}: whoever has the keys can count");
        // The owner exchanges the keys of the roles above it and starts again.
        forge.next_root(|forge| {
            forge.authority("timestamp", &["o2"], 1);
            forge.authority("snapshot", &["s2"], 1);
            forge.authority("targets", &["t2"], 1);
        });
        forge.timestamp["version"] = 1.into();
        forge.snapshot["version"] = 1.into();
        forge.roles.get_mut("targets").unwrap()["version"] = 1.into();
        forge.next();
        assert_eq!(forge.refresh(), Ok(()), "{role}");
    }
}

#[test]
fn threshold_not_met() {
    for role in ["timestamp", "snapshot", "targets"] {
        let mut forge = Forge::new();
        forge.next_root(|forge| forge.authority(role, &["k1", "k2", "k3"], 2));
        forge.next();
        assert_eq!(forge.refresh(), Ok(()), "{role}");
        forge.signers.insert(role.to_owned(), vec!["k1".to_owned()]);
        forge.next();
        assert_eq!(forge.refresh(), UNTRUSTED, "{role}");
    }
}

#[test]
fn fewer_keys_than_the_threshold() {
    let mut forge = Forge::new();
    forge.next_root(|forge| forge.authority("timestamp", &["k1"], 2));
    forge.next();
    assert!(forge.refresh().is_err());
}

#[test]
fn a_threshold_of_nothing() {
    let mut forge = Forge::new();
    forge.next_root(|forge| forge.root["roles"]["timestamp"]["threshold"] = 0.into());
    forge.signers.insert("timestamp".to_owned(), Vec::new());
    forge.next();
    assert!(forge.refresh().is_err());
}

#[test]
fn duplicate_key_ids_and_signatures_count_once() {
    let mut forge = Forge::new();
    forge.next_root(|forge| {
        forge.authority("timestamp", &["k1", "k2"], 2);
        let id = forge.root["roles"]["timestamp"]["keyids"][0].clone();
        forge.root["roles"]["timestamp"]["keyids"] = json!([id, id]);
    });
    forge.signers.insert("timestamp".to_owned(), vec!["k1".to_owned()]);
    forge.next();
    assert!(forge.refresh().is_err());
    let mut forge = Forge::new();
    forge.next_root(|forge| forge.authority("timestamp", &["k1", "k2"], 2));
    forge.signers.insert("timestamp".to_owned(), vec!["k1".to_owned(), "k1".to_owned()]);
    forge.next();
    assert_eq!(forge.refresh(), UNTRUSTED);
}

#[test]
fn root_rotation() {
    let mut forge = Forge::new();
    for number in 0..12 {
        let names = [format!("n{number}"), format!("m{number}")];
        forge.next_root(|forge| forge.authority("root", &[&names[0], &names[1]], 2));
    }
    forge.next();
    // The client has slept through all of it.
    assert_eq!(forge.refresh(), Ok(()));
    assert!(forge.memory("root_history/13.root.json").is_file());
}

#[test]
fn a_new_root_needs_the_old_and_the_new_threshold() {
    let mut forge = Forge::new();
    add(&mut forge.root, 1);
    forge.authority("root", &["n1", "n2"], 2);
    forge.write_root();
    assert_eq!(forge.refresh(), UNTRUSTED, "the new ones alone");
    forge.signers.insert("root".to_owned(), ["r1", "r2"].map(str::to_owned).to_vec());
    forge.write_root();
    assert_eq!(forge.refresh(), UNTRUSTED, "the old ones alone");
    forge.signers.insert("root".to_owned(), ["r1", "n1", "n2"].map(str::to_owned).to_vec());
    forge.write_root();
    assert_eq!(forge.refresh(), UNTRUSTED, "one of the old ones");
    forge.signers.insert("root".to_owned(), ["r1", "r2", "n1"].map(str::to_owned).to_vec());
    forge.write_root();
    assert_eq!(forge.refresh(), UNTRUSTED, "one of the new ones");
    forge.signers.insert("root".to_owned(), ["r1", "r3", "n1", "n2"].map(str::to_owned).to_vec());
    forge.write_root();
    assert_eq!(forge.refresh(), Ok(()));
}

#[test]
fn a_root_of_another_version_than_its_name() {
    for wrong in [0, 2, 5] {
        let mut forge = Forge::new();
        add(&mut forge.root, wrong);
        let bytes = forge.signed(&forge.root, "root");
        forge.files.insert("metadata/2.root.json".to_owned(), bytes);
        assert_eq!(forge.refresh(), UNTRUSTED, "{wrong}");
    }
}

#[test]
fn rotation_of_every_other_key() {
    for role in ["timestamp", "snapshot", "targets"] {
        let mut forge = Forge::new();
        forge.refresh().unwrap();
        let old = forge.signers[role].clone();
        forge.next_root(|forge| forge.authority(role, &["new"], 1));
        forge.next();
        assert_eq!(forge.refresh(), Ok(()), "{role}");
        forge.signers.insert(role.to_owned(), old);
        forge.next();
        assert_eq!(forge.refresh(), UNTRUSTED, "{role}: the old key counts no more");
    }
}

#[test]
fn fetched_targets_are_kept_and_replaced() {
    let mut forge = Forge::new();
    assert_eq!(forge.get("a.txt").unwrap(), b"a");
    let files = forge.files.clone();
    forge.files.retain(|file, _| !file.starts_with("targets/"));
    assert_eq!(forge.get("a.txt").unwrap(), b"a", "it is there already");
    // What was kept is not believed.
    fs::write(forge.memory("targets/a.txt"), b"z").unwrap();
    assert!(forge.get("a.txt").is_err());
    forge.files = files;
    assert_eq!(forge.get("a.txt").unwrap(), b"a");
    forge.target("targets", "a.txt", b"new");
    forge.next();
    assert_eq!(forge.get("a.txt").unwrap(), b"new");
}

#[test]
fn what_the_client_remembers_is_not_believed() {
    let mut forge = Forge::new();
    forge.next();
    forge.refresh().unwrap();
    for file in ["timestamp.json", "snapshot.json", "targets.json", "root.json", "root_history/1.root.json"] {
        fs::write(forge.memory(file), b"{\"signed\":{},\"signatures\":[]}").unwrap();
        assert_eq!(forge.refresh(), Ok(()), "{file}");
        assert_eq!(forge.get("a.txt").unwrap(), b"a", "{file}");
    }
    // A root of the attacker's in the memory is followed no further than the pinned one leads.
    let other = Forge::new();
    fs::write(forge.memory("root.json"), &other.pinned).unwrap();
    fs::write(forge.memory("root_history/2.root.json"), &other.pinned).unwrap();
    forge.files = other.files.clone();
    assert_eq!(forge.refresh(), UNTRUSTED);
}

#[test]
fn mixing_old_and_new() {
    let mut forge = Forge::new();
    let old = forge.files["metadata/1.targets.json"].clone();
    forge.next();
    forge.files.insert("metadata/2.targets.json".to_owned(), old);
    assert_eq!(forge.refresh(), MISMATCH);
}

#[test]
fn endless_metadata() {
    for (file, bytes) in
        [("metadata/timestamp.json", 1 << 20), ("metadata/2.root.json", 4 << 20), ("metadata/1.targets.json", 32 << 20)]
    {
        let mut forge = Forge::new();
        forge.files.insert(file.to_owned(), vec![b' '; bytes]);
        assert!(forge.refresh().is_err(), "{file}");
    }
}

/// F2: a client that saw a key revoked remembers it, even when a mirror hides the root that said so.
#[test]
fn a_revoked_key_stays_revoked_between_runs() {
    let mut forge = Forge::new();
    let stolen = forge.signers["timestamp"].clone();
    forge.next_root(|forge| forge.authority("timestamp", &["o2"], 1));
    forge.next();
    assert_eq!(forge.refresh(), Ok(()));
    forge.files.remove("metadata/2.root.json");
    forge.signers.insert("timestamp".to_owned(), stolen);
    add(&mut forge.timestamp, 99);
    forge.timestamp["expires"] = day(3650).to_string().into();
    forge.commit_timestamp();
    assert_eq!(forge.refresh(), UNTRUSTED);
}

/// F4 is the author's side: expiries in whole seconds, in `host/repository/tests/author.rs`. Here: others' fractions are read.
#[test]
fn fractions_of_a_second_are_read() {
    let mut forge = Forge::new();
    forge.timestamp["expires"] = "2099-01-01T00:00:00.123456Z".into();
    forge.next();
    assert_eq!(forge.refresh(), Ok(()));
}

#[test]
fn a_pin_names_what_it_pins() {
    let forge = Forge::new();
    let pinned = pin(&forge.snapshot, &forge.files["metadata/1.snapshot.json"]);
    assert_eq!(forge.timestamp["meta"]["snapshot.json"], pinned);
}
