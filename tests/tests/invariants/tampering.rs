//! Whoever changes the committed registry without its keys is found out: each case changes a copy of it and asks what `bench registry
//! verify` asks.

use std::fs;
use std::path::{Path, PathBuf};

use bench_repository::verify;

use crate::artefacts::SIGNED_DAY;
use crate::project::root;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let there = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &there);
        } else {
            fs::copy(&path, &there).unwrap();
        }
    }
}

/// Codes of everything that is wrong with a copy after a change of it.
fn found(day: &str, change: impl FnOnce(&Path)) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let registry = folder.path().join("registry");
    copy(&root().join("registry"), &registry);
    change(&registry);
    match verify(&registry, day.parse().unwrap()) {
        Ok(verified) => verified.problems.iter().map(|problem| problem.code.to_owned()).collect(),
        Err(error) => vec![error.code().to_owned()],
    }
}

fn after(change: impl FnOnce(&Path)) -> Vec<String> {
    found(SIGNED_DAY, change)
}

fn first(folder: &Path, ending: &str) -> PathBuf {
    let mut all: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all.into_iter().find(|path| path.to_str().unwrap().ends_with(ending)).unwrap()
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn changes_of_the_committed_registry_without_its_keys_are_found() {
    let none: [&str; 0] = [];
    assert_eq!(after(|_| {}), none);
    let driver = "targets/driver/openai";
    assert_eq!(after(|it| flip(&first(&it.join(driver), ".wasm"))), ["target-changed"]);
    assert_eq!(after(|it| fs::remove_file(first(&it.join(driver), ".wasm")).unwrap()), ["target-missing"]);
    assert_eq!(
        after(|it| fs::rename(first(&it.join(driver), ".wasm"), it.join(driver).join("9.9.9.wasm")).unwrap()),
        ["target-missing", "file-unlisted"]
    );
    for name in ["driver/openai/9.1.0.wasm", "driver/openai/notes.txt", "driver/new/0.1.0.wasm", "index/v2.json"] {
        let add = |it: &Path| {
            let path = it.join("targets").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "unsigned").unwrap();
        };
        assert_eq!(after(add), ["file-unlisted"], "{name}");
    }
    // Named as if it had been there before.
    let earlier = format!("targets/index/{}.v1.json", "ab".repeat(32));
    assert_eq!(after(|it| fs::write(it.join(earlier), "unsigned").unwrap()), ["file-unlisted"]);
    for name in ["99.targets.json", "1.nobody.json", "snapshot.json", "notes.txt"] {
        assert_eq!(after(|it| fs::write(it.join("metadata").join(name), "{}").unwrap()), ["file-unlisted"], "{name}");
    }
}

#[test]
fn edits_of_the_committed_metadata_are_found() {
    for name in [".root.json", ".targets.json", ".snapshot.json", "timestamp.json"] {
        let file = |it: &Path| first(&it.join("metadata"), name);
        let edit = |it: &Path| {
            let text = fs::read_to_string(file(it)).unwrap();
            let changed = text.replacen("\"expires\": \"20", "\"expires\": \"21", 1);
            assert_ne!(text, changed);
            fs::write(file(it), changed).unwrap();
        };
        assert_eq!(after(edit), ["metadata-unusable"], "{name}");
        assert_eq!(after(|it| flip(&file(it))), ["metadata-unusable"], "{name}");
        let gone = after(|it| fs::remove_file(file(it)).unwrap());
        assert!(gone == ["io"] || gone == ["metadata-unusable"], "{name}: {gone:?}");
    }
    // A component that was exchanged together with what the list says of it, without the keys.
    let swap = |it: &Path| {
        let list = first(&it.join("metadata"), ".targets.json");
        let text = fs::read_to_string(&list).unwrap();
        fs::write(&list, text.replacen("\"length\": ", "\"length\": 1", 1)).unwrap();
    };
    assert_eq!(after(swap), ["metadata-unusable"]);
}

#[test]
fn signatures_that_nobody_renewed_are_found() {
    let late = found("2028-06-01T00:00:00Z", |_| {});
    assert!(late.iter().all(|code| code == "role-expired") && late.len() >= 2, "{late:?}");
    let much_later = found("2040-01-01T00:00:00Z", |_| {});
    assert!(much_later.len() >= 4 && much_later.iter().all(|code| code == "role-expired"), "{much_later:?}");
}
