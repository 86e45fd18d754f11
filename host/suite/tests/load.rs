//! Suites from folders and from memory: what a good one gives, and what each kind of bad one is told.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::fs;
use std::path::Path;

use bench_suite::{Digest, Files, Suite, SuiteError};
use proptest::prelude::*;
use semver::Version;

const TEXT: &str = "Some words of text.\n";

fn manifest() -> String {
    format!(
        r#"schema = 1
name = "tiny"
version = "1.2.3"
title = "Tiny"
licence = "CC0-1.0"
min-host = ">=0.1.0, <2"

[corpora.prose]
file = "corpora/prose.txt"
sha256 = "{}"
licence = "CC0-1.0"
source = "Written for this test."

[[workloads]]
label = "W1"
plugin = "chat-short"
version = "^0.1"
params = {{ prompt-tokens = 128, repeats = 5 }}
quick = {{ repeats = 1 }}

[[workloads]]
label = "W4"
plugin = "concurrent-decode"
version = "^0.1"
params = {{ streams = [1, 4] }}
"#,
        Digest::of(TEXT.as_bytes())
    )
}

fn files(manifest: &str) -> Files {
    Files::from([
        ("suite.toml".to_owned(), manifest.as_bytes().to_vec()),
        ("corpora/prose.txt".to_owned(), TEXT.as_bytes().to_vec()),
        ("README.md".to_owned(), b"Not part of the suite's identity.".to_vec()),
    ])
}

fn write(folder: &Path, files: &Files) {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// The error of a manifest in which `from` is written as `to`.
fn refused(from: &str, to: &str) -> SuiteError {
    let text = manifest().replace(from, to);
    assert_ne!(text, manifest(), "{from}");
    Suite::from_files(&files(&text)).unwrap_err()
}

#[test]
fn a_folder_and_its_bytes_give_the_same_suite() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files(&manifest()));
    let (read, held) = (Suite::load(folder.path()).unwrap(), Suite::from_files(&files(&manifest())).unwrap());
    assert_eq!((read.manifest(), read.digest()), (held.manifest(), held.digest()));
    assert_eq!(read.corpus("prose").unwrap().words(), 4);
    assert!(read.corpus("code").is_none());
    let listing = format!(
        "{}  corpora/prose.txt\n{}  suite.toml\n",
        Digest::of(TEXT.as_bytes()),
        Digest::of(manifest().as_bytes())
    );
    assert_eq!(read.digest(), Digest::of(listing.as_bytes()));
}

#[test]
fn quick_parameters_replace_the_others() {
    let suite = Suite::from_files(&files(&manifest())).unwrap();
    let workload = suite.workload("w1").unwrap();
    assert_eq!(serde_json::to_value(workload.effective_params(false)).unwrap()["repeats"], 5);
    let quick = serde_json::to_value(workload.effective_params(true)).unwrap();
    assert_eq!((&quick["repeats"], &quick["prompt-tokens"]), (&1.into(), &128.into()));
    assert_eq!(suite.workload("concurrent-decode").unwrap().label, "W4");
    assert!(suite.workload("W9").is_none());
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_known_ones() {
    let error = refused("title = ", "titel = ");
    assert_eq!(error.code(), "suite-manifest-invalid");
    let message = error.to_string();
    for part in ["suite.toml, line 4, column 1", "`titel`", "`title`", "`min-host`"] {
        assert!(message.contains(part), "{part} in {message}");
    }
    assert!(refused("label = \"W4\"", "lable = \"W4\"").to_string().contains("line 22"));
}

#[test]
fn values_that_make_no_sense_are_refused() {
    for (from, to, code) in [
        ("schema = 1", "schema = 2", "suite-value-invalid"),
        ("name = \"tiny\"", "name = \"../tiny\"", "suite-value-invalid"),
        ("title = \"Tiny\"", "title = \"\\u001b[31mTiny\"", "suite-value-invalid"),
        ("version = \"1.2.3\"", "version = \"1.2\"", "suite-manifest-invalid"),
        (">=0.1.0, <2", "soon", "suite-manifest-invalid"),
        ("label = \"W4\"", "label = \"w1\"", "suite-value-invalid"),
        ("plugin = \"chat-short\"", "plugin = \"Chat short\"", "suite-value-invalid"),
        ("corpora/prose.txt", "../prose.txt", "suite-path-not-allowed"),
        ("corpora/prose.txt", "/etc/passwd", "suite-path-not-allowed"),
        ("corpora/prose.txt", "corpora/verse.txt", "suite-file-missing"),
        ("schema = 1", "schema = 1\nschema = 1", "suite-manifest-invalid"),
    ] {
        let error = refused(from, to);
        assert_eq!(error.code(), code, "{to}: {error}");
        assert!(error.hint().is_some());
        assert!(!error.to_string().contains('\u{1b}'), "{error:?}");
    }
}

#[test]
fn a_changed_file_is_noticed() {
    let mut changed = files(&manifest());
    changed.insert("corpora/prose.txt".into(), b"Other words.".to_vec());
    let error = Suite::from_files(&changed).unwrap_err();
    assert_eq!(error.code(), "suite-digest-mismatch");
    assert!(error.to_string().contains(&Digest::of(b"Other words.").to_string()));
}

#[test]
fn files_must_be_text_with_words_and_of_bounded_size() {
    for (bytes, code) in [
        (b"good, then \xff".to_vec(), "suite-not-utf8"),
        (b" \n ".to_vec(), "suite-corpus-empty"),
        (vec![b'a'; 16 * 1024 * 1024 + 1], "suite-too-large"),
    ] {
        let stated = Digest::of(&bytes).to_string();
        let mut files = files(&manifest().replace(&Digest::of(TEXT.as_bytes()).to_string(), &stated));
        files.insert("corpora/prose.txt".into(), bytes);
        assert_eq!(Suite::from_files(&files).unwrap_err().code(), code);
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &files);
        assert_eq!(Suite::load(folder.path()).unwrap_err().code(), code);
    }
    let binary = Files::from([("suite.toml".to_owned(), vec![0xff])]);
    assert_eq!(Suite::from_files(&binary).unwrap_err().code(), "suite-not-utf8");
}

#[test]
fn folders_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Suite::load(&folder.path().join("nowhere")).unwrap_err().code(), "suite-not-found");
    assert_eq!(Suite::load(folder.path()).unwrap_err().code(), "suite-file-missing");
    fs::create_dir(folder.path().join("suite.toml")).unwrap();
    assert_eq!(Suite::load(folder.path()).unwrap_err().code(), "suite-file-unreadable");
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_folder_is_refused() {
    let (outside, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("prose.txt"), TEXT).unwrap();
    fs::write(folder.path().join("suite.toml"), manifest()).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("corpora")).unwrap();
    assert_eq!(Suite::load(folder.path()).unwrap_err().code(), "suite-path-not-allowed");
}

#[test]
fn the_host_must_be_one_that_the_suite_knows() {
    let suite = Suite::from_files(&files(&manifest())).unwrap();
    assert!(suite.check_host(&Version::new(0, 1, 0)).is_ok());
    let error = suite.check_host(&Version::new(2, 0, 0)).unwrap_err();
    assert_eq!(error.code(), "suite-needs-other-host");
    assert!(error.to_string().contains("tiny 1.2.3"));
}

proptest! {
    #[test]
    fn no_manifest_makes_it_panic(text in "\\PC{0,300}") {
        let _ = Suite::from_files(&files(&text)).map_err(|error| (error.code(), error.to_string()));
    }

    #[test]
    fn no_change_of_a_manifest_makes_it_panic(at in 0_usize..700, with in "[\\[\\]{}=\"'.#\n0-9a-z-]{0,4}") {
        let mut text = manifest();
        let at = at.min(text.len());
        text.truncate(at);
        text.push_str(&with);
        text.push_str(manifest().get(at..).unwrap_or(""));
        let _ = Suite::from_files(&files(&text)).map_err(|error| (error.code(), error.to_string()));
    }
}
