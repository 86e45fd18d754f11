//! Other users of the machine: who can read what a run leaves, what a file that is no file does, whose lock file counts, and what
//! a server learns about files by naming them.

#![cfg(unix)]

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::{Value, json};

use crate::support::{Answer, Bench, Ran, Server, engine, quick, sha256};

/// Everything in a folder, links not followed.
fn tree(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        if path.is_dir() && !path.is_symlink() {
            found.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        next += 1;
    }
    found
}

#[test]
fn what_the_program_writes_is_the_users_alone_whatever_the_umask_is() {
    for umask in ["000", "022", "077"] {
        let (bench, engine) = (Bench::new(), engine(quick()));
        let before = tree(bench.home());
        let run = |arguments: &[&str]| {
            let program = bench.command(arguments);
            let mut shell = Command::new("sh");
            shell.args(["-c", "umask \"$1\" && shift && exec \"$@\"", "sh", umask]);
            shell.arg(program.get_program()).args(program.get_args()).current_dir(bench.home());
            for (name, value) in program.get_envs() {
                match value {
                    Some(value) => shell.env(name, value),
                    None => shell.env_remove(name),
                };
            }
            Ran::from(shell.output().unwrap()).exits(0);
        };
        run(&["run", "--quick", "--plugin", "openai", "--endpoint", &engine.url(), "--workload", "W1"]);
        run(&["report"]);
        run(&["registry", "key", "mine", "--keys", "keys"]);
        run(&["plugin", "sync"]);
        let made: Vec<PathBuf> = tree(bench.home()).into_iter().filter(|path| !before.contains(path)).collect();
        for name in ["keys/mine.der", "install.guard"] {
            assert!(made.contains(&bench.path(name)), "umask {umask}: no {name} in {made:?}");
        }
        for path in made {
            let metadata = fs::symlink_metadata(&path).unwrap();
            let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(metadata.mode() & 0o7777, expected, "umask {umask}: {}", path.display());
        }
    }
}

#[test]
fn a_home_that_others_can_write_is_refused_with_the_command_that_mends_it() {
    let (bench, engine) = (Bench::new(), engine(quick()));
    fs::set_permissions(bench.home(), fs::Permissions::from_mode(0o777)).unwrap();
    let ran = bench.quick_without_record(&engine.url(), "W1", &[]);
    ran.fails(6, "folder-not-private", &["0777"]).hints(&format!("chmod go-w {}", bench.home().display()));
    fs::set_permissions(bench.home(), fs::Permissions::from_mode(0o755)).unwrap();
    bench.quick_without_record(&engine.url(), "W1", &[]).exits(0);
}

/// Runs a command on a FIFO. Who reads from it gets nothing, and the command fails otherwise than it should.
fn on_fifo(bench: &Bench, fifo: &Path, arguments: &[&str]) -> Ran {
    let path = fifo.to_owned();
    let writer = thread::spawn(move || drop(File::options().write(true).open(path)));
    let ran = bench.run(arguments);
    // Lets the writer go when nobody has read.
    let reader = File::options().read(true).write(true).open(fifo).unwrap();
    writer.join().unwrap();
    drop(reader);
    ran
}

#[test]
fn files_that_are_none_are_named_and_not_waited_for() {
    let bench = Bench::new();
    let (fifo, config) = (bench.path("fifo.wasm"), bench.path("fifo.json"));
    for path in [&fifo, &config] {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }
    for arguments in [&["plugin", "inspect", "./fifo.wasm"][..], &["plugin", "check", "./fifo.wasm"]] {
        on_fifo(&bench, &fifo, arguments).fails(6, "not-a-regular-file", &["fifo.wasm", "a FIFO"]);
    }
    for arguments in [
        &["show", "./fifo.json"][..],
        &["report", "./fifo.json"],
        &["rescore", "./fifo.json"],
        &["compare", "./fifo.json", "./fifo.json"],
        &["sim", "--config", "./fifo.json"],
        &["score", "./fifo.json", "--scorer", "match"],
    ] {
        on_fifo(&bench, &config, arguments).fails(6, "not-a-regular-file", &["fifo.json", "a FIFO"]);
    }
}

#[test]
fn the_lock_file_of_a_suite_counts_once_the_user_allows_it() {
    let (bench, engine) = (Bench::new(), engine(quick()));
    let suites = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites/suite-v1");
    let folder = bench.path("foreign");
    assert!(Command::new("cp").arg("-r").arg(&suites).arg(&folder).status().unwrap().success());
    let lock = folder.join("bench.lock");
    fs::write(&lock, "layout = 1\n").unwrap();
    let run = |more: &[&str]| {
        let url = engine.url();
        let fixed =
            ["run", "--quick", "--plugin", "openai", "--endpoint", &url, "--workload", "W1", "--suite", "./foreign"];
        bench.run(fixed.iter().chain(more))
    };
    run(&[]).fails(6, "suite-lock-untrusted", &["foreign/bench.lock"]).hints("bench suite trust");
    bench.run(["suite", "trust", "./foreign"]).exits(0);
    run(&[]).exits(0);
    fs::write(&lock, "layout = 1\n# changed\n").unwrap();
    run(&[]).fails(6, "suite-lock-untrusted", &[]);
    run(&["--trust-lock"]).exits(0);
    run(&[]).exits(0);
    fs::remove_file(&lock).unwrap();
    run(&[]).exits(0);
}

/// The record of a run against a server that names its model by a path.
fn record_of_model_at(path: &Path) -> (String, Value) {
    let bench = Bench::new();
    let models = json!({ "object": "list", "data": [{ "id": path, "object": "model" }] });
    let delta = |delta: Value, reason: Value| json!({ "id": "c", "object": "chat.completion.chunk", "choices": [{ "index": 0, "delta": delta, "finish_reason": reason }] });
    let events = format!(
        "data: {}\n\ndata: {}\n\ndata: [DONE]\n\n",
        delta(json!({ "content": "one" }), Value::Null),
        delta(json!({}), "length".into())
    );
    let server = Server::start(move |asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/v1/models") => Answer::json("200 OK", &models),
        ("POST", "/v1/chat/completions") => Answer::stream([events.as_bytes()]),
        _ => Answer::json("404 Not Found", &json!({})),
    });
    let (_, record) = bench.quick(&server.url(), "W1", &[]);
    (record.to_string(), record)
}

#[test]
fn a_server_learns_nothing_about_files_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.txt");
    fs::write(&secret, "PIN=4711\n").unwrap();
    let (text, record) = record_of_model_at(&secret);
    assert!(!text.contains(&sha256(b"PIN=4711\n")), "{text}");
    assert_eq!((&record["model"]["file"], &record["model"]["digests"]), (&Value::Null, &json!([])));
    let mut missing = record_of_model_at(&folder.path().join("missing.txt")).1["model"].clone();
    missing["id"] = record["model"]["id"].clone();
    assert_eq!(missing, record["model"], "whether a file exists is not to be seen");

    // The server of this test runs in this process, which has the file open.
    let weights = folder.path().join("weights.gguf");
    let content = [&b"GGUF"[..], &3_u32.to_le_bytes(), &[0; 16]].concat();
    fs::write(&weights, &content).unwrap();
    let _held = File::open(&weights).unwrap();
    let (_, record) = record_of_model_at(&weights);
    assert_eq!(record["model"]["digests"][0]["hex"], sha256(&content));
}
