//! Starting, watching and ending engines. Small shell scripts stand for engines.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bench_machine::launch::{Engine, LaunchError, LaunchSpec};

const LONG: Duration = Duration::from_secs(30);

fn script(root: &Path, text: &str) -> LaunchSpec {
    LaunchSpec {
        program: "/bin/sh".to_owned(),
        arguments: vec!["-c".to_owned(), text.to_owned()],
        environment: BTreeMap::new(),
        trusted: true,
        log_path: root.join("engine.log"),
    }
}

/// Whether a process runs; a zombie does not.
fn runs(pid: &str) -> bool {
    std::process::Command::new("ps")
        .args(["-o", "stat=", "-p", pid])
        .output()
        .is_ok_and(|output| output.stdout.first().is_some_and(|state| *state != b'Z'))
}

async fn until(mut check: impl FnMut() -> bool) {
    while !check() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_engine_becomes_ready_and_stops_when_asked() {
    let root = tempfile::tempdir().unwrap();
    let mark = root.path().join("ready");
    let text = format!("trap 'exit 7' TERM; touch {}; while :; do sleep 0.02; done", mark.display());
    let mut engine = Engine::launch(&script(root.path(), &text)).unwrap();
    engine.wait_ready(|| std::future::ready(mark.exists()), LONG).await.unwrap();
    assert!(engine.exit_status().is_none());
    assert_eq!(engine.stop(LONG).await.unwrap().code(), Some(7));
}

#[tokio::test]
async fn an_engine_that_ends_early_shows_the_end_of_its_log() {
    let root = tempfile::tempdir().unwrap();
    let text = "for n in $(seq 1 50); do echo line $n; done; echo no memory >&2; exit 3";
    let mut engine = Engine::launch(&script(root.path(), text)).unwrap();
    let error = engine.wait_ready(std::future::pending::<bool>, LONG).await.unwrap_err();
    assert_eq!(error.code(), "engine-exited-early");
    let LaunchError::ExitedEarly { status, log_tail, .. } = error else { panic!("{error}") };
    assert!(status.contains('3'));
    let lines: Vec<&str> = log_tail.lines().collect();
    assert_eq!((lines.len(), lines[0], lines[19]), (20, "line 32", "no memory"));
}

#[tokio::test]
async fn an_engine_that_is_never_ready_is_reported() {
    let root = tempfile::tempdir().unwrap();
    let mut engine = Engine::launch(&script(root.path(), "sleep 60")).unwrap();
    let error = engine.wait_ready(|| std::future::ready(false), Duration::from_millis(20)).await.unwrap_err();
    assert_eq!(error.code(), "engine-not-ready-in-time");
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn an_engine_that_ignores_the_request_is_ended_with_its_workers() {
    let root = tempfile::tempdir().unwrap();
    let worker = root.path().join("worker");
    let text = format!(
        "trap '' TERM; sleep 60 & echo $! > {0}.tmp; mv {0}.tmp {0}; while :; do sleep 0.02; done",
        worker.display()
    );
    let engine = Engine::launch(&script(root.path(), &text)).unwrap();
    until(|| worker.exists()).await;
    let worker = std::fs::read_to_string(worker).unwrap();
    assert!(runs(worker.trim()));
    let status = engine.stop(Duration::from_millis(50)).await.unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    until(|| !runs(worker.trim())).await;
}

#[tokio::test]
async fn a_dropped_engine_is_gone() {
    let root = tempfile::tempdir().unwrap();
    let engine = Engine::launch(&script(root.path(), "sleep 60")).unwrap();
    let pid = engine.pid().to_string();
    assert!(runs(&pid));
    drop(engine);
    assert!(!runs(&pid));
}

#[test]
fn an_engine_outlives_the_thread_that_launched_it() {
    let root = tempfile::tempdir().unwrap();
    let spec = script(root.path(), "sleep 60");
    let launched = std::thread::spawn(move || Engine::launch(&spec).unwrap()).join();
    let mut engine = launched.unwrap();
    assert!(engine.exit_status().is_none());
    assert!(runs(&engine.pid().to_string()));
}

#[tokio::test]
async fn a_missing_program_and_a_log_that_cannot_be_written_are_told_apart() {
    let root = tempfile::tempdir().unwrap();
    for program in ["no-such-engine-of-bench", "/no/such/engine"] {
        let spec = LaunchSpec { program: program.to_owned(), ..script(root.path(), "") };
        let error = Engine::launch(&spec).unwrap_err();
        assert_eq!(error.code(), "engine-not-found");
        assert!(error.to_string().contains(program));
    }
    let text = root.path().join("text");
    std::fs::write(&text, "just text").unwrap();
    let error = Engine::launch(&script(&text, "")).unwrap_err();
    assert_eq!(error.code(), "engine-log-not-writable");
    let spec = LaunchSpec { program: text.to_string_lossy().into_owned(), ..script(root.path(), "") };
    assert_eq!(Engine::launch(&spec).unwrap_err().code(), "engine-not-started");
}

#[tokio::test]
async fn the_environment_is_clean_and_secrets_stay_out_of_the_log_tail() {
    let root = tempfile::tempdir().unwrap();
    let mut spec = script(root.path(), "env; echo using $VLLM_API_KEY; exit 1");
    spec.environment.insert("VLLM_API_KEY".to_owned(), "abcdef123456".to_owned());
    spec.environment.insert("VLLM_TEST".to_owned(), "1".to_owned());
    let mut engine = Engine::launch(&spec).unwrap();
    engine.wait_ready(|| std::future::ready(false), LONG).await.unwrap_err();
    let log = std::fs::read_to_string(engine.log_path()).unwrap();
    assert!(log.contains("VLLM_TEST=1") && log.contains("PATH="));
    // Cargo sets many variables for a test; none is on the list.
    assert!(!log.contains("CARGO_PKG_NAME"));
    assert!(engine.log_tail().contains("using <redacted>"), "{}", engine.log_tail());
    assert!(!engine.log_tail().contains("abcdef123456"));
}

#[test]
fn a_record_of_the_launch_has_no_secrets() {
    let spec = LaunchSpec {
        program: "/opt/engines/llama-server".to_owned(),
        arguments: ["--api-key", "abcdef", "--port", "81"].map(str::to_owned).to_vec(),
        environment: BTreeMap::from([
            ("HF_TOKEN".to_owned(), "abcdef".to_owned()),
            ("OMP_NUM_THREADS".to_owned(), "2".to_owned()),
        ]),
        trusted: true,
        log_path: "log".into(),
    };
    let described = spec.describe();
    assert_eq!(described.program, "llama-server");
    assert_eq!(described.arguments, ["--api-key", "<redacted>", "--port", "81"]);
    assert!(!serde_json::to_string(&described).unwrap().contains("abcdef"));
    assert_eq!(described.environment["OMP_NUM_THREADS"], "2");
}

#[cfg(unix)]
#[tokio::test]
async fn the_log_is_the_users_alone_and_replaces_a_planted_link() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let root = tempfile::tempdir().unwrap();
    let mut spec = script(root.path(), "echo a prompt; exit 1");
    let elsewhere = root.path().join("elsewhere");
    std::fs::write(&elsewhere, "untouched").unwrap();
    spec.log_path = root.path().join("logs/engine.log");
    std::fs::create_dir(root.path().join("logs")).unwrap();
    symlink(&elsewhere, &spec.log_path).unwrap();
    let mut engine = Engine::launch(&spec).unwrap();
    engine.wait_ready(|| std::future::ready(false), LONG).await.unwrap_err();
    assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "untouched");
    let metadata = std::fs::symlink_metadata(engine.log_path()).unwrap();
    assert!(metadata.is_file());
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o600);
    assert!(engine.log_tail().contains("a prompt"), "{}", engine.log_tail());
}

#[test]
fn a_forbidden_variable_starts_nothing() {
    let root = tempfile::tempdir().unwrap();
    for (name, trusted) in [("LD_PRELOAD", true), ("PATH", true), ("VLLM_PLUGINS", false)] {
        let environment = BTreeMap::from([(name.to_owned(), "x".to_owned())]);
        let mark = root.path().join(name);
        let spec = LaunchSpec { environment, trusted, ..script(root.path(), &format!("touch {}", mark.display())) };
        let error = Engine::launch(&spec).unwrap_err();
        assert_eq!(error.code(), "engine-variable-forbidden", "{error}");
        assert!(error.to_string().contains(name) && !mark.exists());
    }
}
