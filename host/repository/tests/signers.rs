//! Keys outside files: a program signs, and nothing is written unless what it gives is right.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bench_repository::{Keys, Policy, Repository, SigningKey, verify};
use jiff::Timestamp;

const ROLES: [&str; 7] = ["root-1", "root-2", "targets-1", "targets-2", "snapshot", "timestamp", "index"];

fn day(number: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + number * 86_400).unwrap()
}

fn openssl(arguments: &[&str]) {
    let status = Command::new("openssl").args(arguments).status().unwrap();
    assert!(status.success(), "openssl {arguments:?}");
}

/// A key that OpenSSL alone knows: `NAME.pem` with the private half in the folder `elsewhere`, and in `keys` the description.
fn outside(folder: &Path, name: &str, command: &str) {
    let (keys, elsewhere) = (folder.join("keys"), folder.join("elsewhere"));
    fs::create_dir_all(&keys).unwrap();
    fs::create_dir_all(&elsewhere).unwrap();
    let private = elsewhere.join(format!("{name}.pem")).display().to_string();
    let public = keys.join(format!("{name}.pub.pem")).display().to_string();
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", &private]);
    openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]);
    let command = command.replace("{private}", &private);
    fs::write(keys.join(format!("{name}.signer")), format!("public = \"{name}.pub.pem\"\ncommand = {command}\n"))
        .unwrap();
}

const BY_FILE: &str = r#"["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", "{private}", "-in", "{message}"]"#;
const TO_FILE: &str =
    r#"["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", "{private}", "-in", "{message}", "-out", "{signature}"]"#;
const BASE64: &str =
    r#"["sh", "-c", "cat > $1.m && openssl pkeyutl -sign -rawin -inkey $1 -in $1.m | base64", "sh", "{private}"]"#;

/// The words of a shell, with the whole message on its standard input.
fn shell(words: &str) -> String {
    format!("[\"sh\", \"-c\", \"{words}\"]")
}

fn all_files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(all_files(&path))
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()))
        }
    }
    found.sort();
    found
}

#[test]
fn a_registry_whose_keys_are_all_outside() {
    let folder = tempfile::tempdir().unwrap();
    for (number, name) in ROLES.iter().enumerate() {
        outside(folder.path(), name, [BY_FILE, TO_FILE, BASE64][number % 3]);
    }
    let keys = Keys::from_folder(&folder.path().join("keys")).unwrap();
    let registry = folder.path().join("registry");
    Repository::init(&registry, &keys, &Policy::default(), day(0)).unwrap();
    assert_eq!(verify(&registry, day(1)).unwrap().problems, []);
    Repository::open(&registry, &|| {}).unwrap().refresh(&keys, day(80)).unwrap();
    assert_eq!(verify(&registry, day(81)).unwrap().problems, []);
}

#[test]
fn what_a_program_gets_wrong_is_said_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for name in ROLES.iter().filter(|name| **name != "timestamp") {
        SigningKey::generate(&folder.path().join("keys"), name).unwrap();
    }
    outside(folder.path(), "timestamp", BY_FILE);
    let registry = folder.path().join("registry");
    let place = folder.path().join("keys/timestamp.signer");
    let keys = || Keys::from_folder(&folder.path().join("keys")).unwrap();
    Repository::init(&registry, &keys(), &Policy::default(), day(0)).unwrap();
    let before = all_files(&registry);
    let right = fs::read_to_string(&place).unwrap();
    let another = folder.path().join("elsewhere/another.pem").display().to_string();
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", &another]);
    let command = |text: &str| format!("public = \"timestamp.pub.pem\"\ncommand = {text}\n");
    let private = folder.path().join("elsewhere/timestamp.pem").display().to_string();
    let digested =
        shell("sha512sum {message} > {message}.d; openssl pkeyutl -sign -rawin -inkey PRIVATE -in {message}.d")
            .replace("PRIVATE", &private);
    for (text, code, said) in [
        (command("[\"/nowhere/to/be/found\"]"), "signer-missing", "/nowhere/to/be/found"),
        (command(&shell("cat > /dev/null; exit 3")), "signer-failed", "3"),
        (command(&shell("exit 0")), "signer-failed", "0 bytes"),
        (command(&shell("head -c 1000000 /dev/zero")), "signer-failed", "did not sign"),
        (command(&shell("head -c 64 /dev/zero")), "signer-wrong-key", "another key"),
        (command(&shell("echo {signature} > /dev/null")), "signer-failed", "no signature in the file"),
        (command(&BY_FILE.replace("{private}", &another)), "signer-wrong-key", "another key"),
        // A signature of a digest is none of the message.
        (command(&digested), "signer-wrong-key", "another key"),
    ] {
        fs::write(&place, &text).unwrap();
        let error = Repository::open(&registry, &|| {}).unwrap().refresh(&keys(), day(80)).unwrap_err();
        assert_eq!(error.code(), code, "{text}: {error}");
        assert!(error.to_string().contains(said), "{text}: {error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("nothing was changed")));
        assert_eq!(all_files(&registry), before, "{text}");
    }
    fs::write(&place, right).unwrap();
    Repository::open(&registry, &|| {}).unwrap().refresh(&keys(), day(80)).unwrap();
}

#[test]
fn descriptions_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("x.signer");
    fs::write(folder.path().join("rsa.pem"), "-----BEGIN PUBLIC KEY-----\nMFww\n-----END PUBLIC KEY-----\n").unwrap();
    let hex = "ab".repeat(32);
    for text in [
        "nonsense".to_owned(),
        format!("public = \"{hex}\"\ncommand = []"),
        format!("public = \"{hex}\"\ncommand = [\"\"]"),
        format!("public = \"{hex}\"\ncommand = \"true\""),
        format!("public = \"{hex}\"\ncommand = [\"true\"]\npin = \"1234\""),
        "public = \"rsa.pem\"\ncommand = [\"true\"]".to_owned(),
    ] {
        fs::write(&place, &text).unwrap();
        assert_eq!(SigningKey::read(&place).unwrap_err().code(), "key-unusable", "{text}");
    }
    fs::write(&place, "public = \"missing.pem\"\ncommand = [\"true\"]").unwrap();
    assert_eq!(SigningKey::read(&place).unwrap_err().code(), "io");
    fs::write(&place, format!("public = \"{hex}\"\ncommand = [\"true\"]")).unwrap();
    assert_eq!(SigningKey::read(&place).unwrap().public().hex(), hex);
}
