//! Being stopped from outside: by the user, or by a reader that has had enough.

#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command};
use std::time::Duration;

use bench_sim::{SimConfig, SimHandle};
use serde_json::Value;

use crate::support::{Bench, Ran, check_schema, engine, quick, sent, settled, workload};

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

fn wait_for(engine: &SimHandle, requests: u64) {
    while engine.counters().requests < requests {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An engine that takes its time after the first tokens, so that an interrupt comes in the middle of an answer.
fn slow() -> SimConfig {
    SimConfig { gap_us: 40_000, ..quick() }
}

#[test]
fn an_interrupt_keeps_what_is_finished() {
    let bench = Bench::new();
    let engine = engine(slow());
    let url = engine.url();
    let child = bench.spawn(["run", "--quick", "--plugin", "openai", "--endpoint", &url, "--json", "record.json"]);
    // One request before the suite, two of W1; the fourth is W2's.
    wait_for(&engine, 4);
    interrupt(&child);
    let ran = Ran::from(child.wait_with_output().unwrap()).exits(130);
    assert!(ran.stderr.contains("what is finished is kept"), "{ran}");
    let record: Value = serde_json::from_slice(&std::fs::read(bench.path("record.json")).unwrap()).unwrap();
    check_schema(&record);
    assert_eq!(record["status"], "cancelled");
    assert_eq!(workload(&record, "W1")["status"], "completed");
    assert_eq!(workload(&record, "W2")["status"], "cancelled");
    assert!(record["trace"]["sha256"].is_string());
    assert_eq!(settled(&engine).requests, 4, "nothing more was asked");
    assert!(bench.run(["show"]).exits(0).stdout.contains(record["id"].as_str().unwrap()));
    assert_eq!(record["publishable"]["ok"], false);
}

#[test]
fn an_interrupt_in_an_open_load_keeps_the_requests_that_are_finished() {
    let bench = Bench::new();
    let engine = engine(SimConfig { slots: 64, ..quick() });
    let url = engine.url();
    let load = ["--load", "constant:40/s", "--requests", "3000"];
    let fixed =
        ["run", "--quick", "--plugin", "openai", "--endpoint", &url, "--workload", "W1", "--json", "record.json"];
    let child = bench.spawn(fixed.iter().chain(&load));
    // More than the warm-up and what can be under way at once.
    while engine.counters().completed < 12 {
        std::thread::sleep(Duration::from_millis(5));
    }
    interrupt(&child);
    let ran = Ran::from(child.wait_with_output().unwrap()).exits(130);
    let record: Value = serde_json::from_slice(&std::fs::read(bench.path("record.json")).unwrap()).unwrap();
    check_schema(&record);
    assert_eq!(record["status"], "cancelled");
    assert_eq!(workload(&record, "W1")["status"], "cancelled");
    let finished = sent(&record, "W1").iter().filter(|request| request["status"] == "completed").count();
    assert!(finished >= 5, "{finished} finished: {ran}");
    assert!(settled(&engine).requests < 2_000, "the rest was not sent");
    assert!(record["trace"]["sha256"].is_string());
}

#[test]
fn an_interrupt_before_the_first_workload() {
    let bench = Bench::new();
    let engine = engine(slow());
    let url = engine.url();
    let child = bench.spawn(["run", "--quick", "--plugin", "openai", "--endpoint", &url]);
    wait_for(&engine, 1);
    interrupt(&child);
    let ran = Ran::from(child.wait_with_output().unwrap()).exits(130);
    assert!(ran.stderr.contains("[stopped]"), "{ran}");
    assert!(bench.runs().is_empty(), "there is nothing to keep");
}

#[test]
fn a_run_that_is_killed_leaves_what_was_finished() {
    let bench = Bench::new();
    let engine = engine(slow());
    let mut child = bench.spawn(["run", "--quick", "--plugin", "openai", "--endpoint", &engine.url()]);
    wait_for(&engine, 4);
    child.kill().unwrap();
    child.wait().unwrap();
    let record = bench.run(["show", "--json"]).exits(0).json();
    check_schema(&record);
    assert_eq!(record["status"], "incomplete");
    assert_eq!(record["publishable"]["ok"], false);
    assert_eq!(record["workloads"].as_array().unwrap().len(), 1);
    assert_eq!(workload(&record, "W1")["status"], "completed");
    bench.run(["show"]).exits(0);
    assert!(bench.run(["runs"]).exits(0).stdout.contains("incomplete"));
}

#[test]
fn a_reader_that_has_had_enough() {
    let bench = Bench::new();
    let engine = engine(quick());
    let url = engine.url();
    let run = ["run", "--quick", "--plugin", "openai", "--endpoint", &url, "--workload", "W1", "--json", "-"];
    for arguments in [
        &["plugin", "list"][..],
        &["plugin", "list", "--json"],
        &["suite", "show"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
        &run,
        &["show", "--format", "markdown"],
    ] {
        // Nobody reads: every write fails, as for the last lines before `| head -1`.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = bench.command(arguments).stdout(writer).output().unwrap();
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {words}");
        assert!(!words.contains("panicked") && !words.contains("error"), "{arguments:?}: {words}");
    }
}

#[test]
fn the_simulation_serves_until_it_is_interrupted() {
    let bench = Bench::new();
    let mut child = bench.spawn(["sim", "--port", "0"]);
    let mut url = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut url).unwrap();
    let ran = bench.run(["models", "--endpoint", url.trim()]).exits(0);
    assert!(ran.stdout.contains("bench-sim"), "{ran}");
    interrupt(&child);
    assert!(child.wait().unwrap().success());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "the address is all the data there is");
    bench.run(["models", "--endpoint", url.trim()]).exits(4);
}

#[test]
fn the_simulation_takes_a_configuration() {
    let bench = Bench::new();
    let shown = bench.run(["sim", "--print-config"]).exits(0).json();
    assert_eq!(shown, serde_json::to_value(SimConfig::default()).unwrap());
    let file = bench.write("sim.json", r#"{ "slots": 3, "models": ["little"] }"#);
    let shown = bench.run(["sim", "--print-config", "--config", file.to_str().unwrap()]).exits(0).json();
    assert_eq!(shown["slots"], 3);
    let file = bench.write("bad.json", r#"{ "slotz": 3 }"#);
    bench.run(["sim", "--config", file.to_str().unwrap()]).fails(6, "bad-config", &["bad.json", "slotz"]);
    bench.run(["sim", "--config", "nowhere.json"]).fails(6, "io", &["nowhere.json"]);
}
