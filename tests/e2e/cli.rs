//! The command line: what each command prints where, and how it ends.

use std::fs;

use serde_json::Value;

use crate::support::{Bench, NOBODY, engine, quick};

#[test]
fn every_command_explains_itself() {
    let bench = Bench::new();
    let commands = [
        &["run"][..],
        &["detect"],
        &["models"],
        &["list-models"],
        &["runs"],
        &["show"],
        &["report"],
        &["score"],
        &["rescore"],
        &["compare"],
        &["plugin"],
        &["plugin", "list"],
        &["plugin", "search"],
        &["plugin", "add"],
        &["plugin", "remove"],
        &["plugin", "update"],
        &["plugin", "pin"],
        &["plugin", "sync"],
        &["plugin", "rollback"],
        &["plugin", "inspect"],
        &["suite"],
        &["suite", "list"],
        &["suite", "show"],
        &["suite", "add"],
        &["suite", "update"],
        &["self-update"],
        &["registry"],
        &["registry", "init"],
        &["registry", "key"],
        &["registry", "add-key"],
        &["registry", "rotate"],
        &["registry", "delegate"],
        &["registry", "publish"],
        &["registry", "yank"],
        &["registry", "refresh"],
        &["registry", "verify"],
        &["registry", "serve"],
        &["registry", "export"],
        &["registry", "conformance"],
        &["calibrate"],
        &["sim"],
        &["completions"],
        &["man"],
    ];
    for command in commands {
        let ran = bench.run(command.iter().chain(&["--help"])).exits(0);
        assert!(ran.stdout.contains("Usage: bench"), "{ran}");
        assert_eq!(ran.stderr, "");
    }
    // A command that is added later must be added here.
    let help = bench.run(["--help"]).exits(0).stdout;
    let listed = help.split_once("Commands:").unwrap().1.split_once("Options:").unwrap().0;
    let names = listed.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    for name in names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        assert!(commands.iter().any(|command| command[0] == name), "`bench {name}` is not tested");
    }
}

#[test]
fn the_version() {
    let bench = Bench::new();
    let ran = bench.run(["--version"]).exits(0);
    assert_eq!(ran.stdout, format!("bench {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_exit_codes_are_documented() {
    let bench = Bench::new();
    let help = bench.run(["--help"]).exits(0).stdout;
    let table = help.split_once("Exit codes:\n").unwrap().1;
    insta::assert_snapshot!(table, @r"
        0  everything that was asked for was done
        1  something of this machine's failed, such as a file that cannot be written
        2  the command line makes no sense
        3  the run is over and some of it failed; what succeeded is in the record
        4  the engine cannot be reached, is not what was expected, or refuses
        5  a plugin failed
        6  a suite, plugin, record or other file cannot be used
      130  the run was stopped; what was finished is in the record
    ");
}

#[test]
fn a_command_line_that_makes_no_sense() {
    let bench = Bench::new();
    for arguments in [
        &["fly"][..],
        &["run", "--repeats", "0"],
        &["run", "--repeats", "many"],
        &["run", "--seed", "-1"],
        &["compare", "one"],
        &["show", "--format", "pdf"],
        &["show", "--json", "--format", "csv"],
        &["calibrate", "--events", "0"],
        &["completions", "tcl"],
        &[],
    ] {
        let ran = bench.run(arguments).exits(2);
        assert_eq!(ran.stdout, "", "{arguments:?}");
        assert!(!ran.stderr.is_empty());
    }
}

#[test]
fn a_record_that_cannot_be_written() {
    let bench = Bench::new();
    let engine = engine(quick());
    let into = bench.write("a-file", "").join("record.json");
    let ran = bench.quick_without_record(&engine.url(), "W1", &["--json", into.to_str().unwrap()]);
    assert!(ran.code == Some(2) || ran.code == Some(1), "{ran}");
    let ran = bench.run([
        "run",
        "--quick",
        "--plugin",
        "openai",
        "--endpoint",
        &engine.url(),
        "--workload",
        "W1",
        "--json",
        into.to_str().unwrap(),
    ]);
    let ran = ran.exits(1);
    assert!(ran.stderr.contains("a-file"), "{ran}");
    assert_eq!(bench.runs().len(), 1, "the run itself is stored");
}

#[test]
fn a_home_that_cannot_be_written() {
    let bench = Bench::new();
    let engine = engine(quick());
    bench.write("runs", "a file where a folder belongs");
    let ran = bench.quick_without_record(&engine.url(), "W1", &[]);
    let ran = ran.exits(1);
    assert!(ran.stderr.contains("runs"), "{ran}");
}

#[test]
fn plugins_are_listed() {
    let bench = Bench::new();
    let ran = bench.run(["plugin", "list"]).exits(0);
    assert_eq!(ran.stderr, "");
    insta::with_settings!({ filters => vec![(r"\d+(\.\d+)? [KM]iB +[0-9a-f]{16}", "SIZE DIGEST"), (r" +\n", "\n")] }, {
        insta::assert_snapshot!(ran.stdout);
    });
    let listed = bench.run(["plugin", "list", "--json"]).exits(0).json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), ran.stdout.lines().count() - 1);
    // Scorers are large; one stands for all.
    let described = listed.iter().filter(|plugin| plugin["kind"] != "scorer" || plugin["name"] == "gsm8k");
    for plugin in described {
        let name = plugin["name"].as_str().unwrap();
        let shown = bench.run(["plugin", "inspect", name, "--json"]).exits(0).json();
        for key in ["name", "version", "sha256", "kind", "bytes"] {
            assert_eq!(shown["identity"][key], plugin[key], "{name}");
        }
        assert_eq!(
            shown["identity"]["imports"],
            serde_json::json!(["bench:plugin/types@0.1.0"]),
            "{name} may import types alone"
        );
        assert!(shown["description"]["summary"].is_string());
        let text = bench.run(["plugin", "inspect", name]).exits(0).stdout;
        assert!(text.starts_with(&format!("{} {name} ", plugin["kind"].as_str().unwrap())), "{text}");
    }
}

#[test]
fn a_plugin_is_described() {
    let bench = Bench::new();
    let ran = bench.run(["plugin", "inspect", "openai"]).exits(0);
    insta::with_settings!({ filters => vec![(r"[0-9a-f]{64}", "DIGEST"), (r"\d+(\.\d+)? [KM]iB", "SIZE")] }, {
        insta::assert_snapshot!(ran.stdout);
    });
}

#[test]
fn suites_are_listed_and_shown() {
    let bench = Bench::new();
    let listed = bench.run(["suite", "list"]).exits(0).stdout;
    insta::with_settings!({ filters => vec![(r" +\n", "\n")] }, { insta::assert_snapshot!(listed) });
    let shown = bench.run(["suite", "show"]).exits(0).stdout;
    insta::with_settings!({ filters => vec![(r"[0-9a-f]{64}", "DIGEST"), (r" +\n", "\n")] }, {
        insta::assert_snapshot!(shown);
    });
    let json = bench.run(["suite", "show", "suite-v1", "--json"]).exits(0).json();
    assert_eq!(bench.run(["suite", "list", "--json"]).exits(0).json()[1], json);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../suites/suite-v1");
    let own = bench.run(["suite", "show", folder, "--json"]).exits(0).json();
    assert_eq!(own, json, "the suite in the folder is the one in the binary");
}

/// Two runs of the same engine.
fn two_runs() -> (Bench, Vec<Value>) {
    let bench = Bench::new();
    let engine = engine(quick());
    let mut records = Vec::new();
    for _ in 0..2 {
        let (ran, record) = bench.quick(&engine.url(), "W1,W4", &[]);
        ran.exits(0);
        records.push(record);
    }
    (bench, records)
}

fn id(record: &Value) -> &str {
    record["id"].as_str().unwrap()
}

#[test]
fn stored_runs_are_listed_shown_and_compared() {
    let (bench, records) = two_runs();
    let listed = bench.run(["runs"]).exits(0);
    assert!(records.iter().all(|record| listed.stdout.contains(id(record))), "{listed}");
    assert!(listed.stdout.contains("(simulated)") && listed.stdout.contains("(quick)"), "{listed}");
    let listed = bench.run(["runs", "--json"]).exits(0).json();
    assert_eq!(listed.as_array().unwrap().len(), 2);

    let latest = bench.run(["show", "--json"]).exits(0).json();
    assert!(records.contains(&latest));
    for record in &records {
        assert_eq!(&bench.run(["show", id(record), "--json"]).exits(0).json(), record);
        let table = bench.run(["show", id(record)]).exits(0).stdout;
        assert!(table.contains("SIMULATION") && table.contains("decode tok/s"), "{table}");
        let markdown = bench.run(["show", id(record), "--format", "markdown"]).exits(0).stdout;
        assert!(markdown.starts_with(&format!("# Run {}", id(record))), "{markdown}");
        let csv = bench.run(["show", id(record), "--format", "csv"]).exits(0).stdout;
        let columns: Vec<usize> = csv.lines().map(|line| line.matches(',').count()).collect();
        assert!(columns.len() > 10 && columns[0] >= 5, "{csv}");
        let path = bench.path("runs").join(id(record)).join("run.json");
        assert_eq!(&bench.run(["show", path.to_str().unwrap(), "--json"]).exits(0).json(), record);
    }
    let beginning = "2";
    let ran = bench.run(["show", beginning]).exits(6);
    assert!(
        records.iter().all(|record| ran.stderr.contains(id(record))),
        "an ambiguous beginning lists the runs: {ran}"
    );

    let compared = bench.run(["compare", id(&records[0]), id(&records[1])]).exits(0);
    assert!(compared.stdout.contains("ttft_ms") && compared.stdout.contains("decode_tps"), "{compared}");
    let compared = bench.run(["compare", id(&records[0]), "latest", "--json"]).exits(0).json();
    assert_eq!(compared["runs"].as_array().unwrap().len(), 2);
    assert!(!compared["rows"].as_array().unwrap().is_empty());
}

#[test]
fn runs_that_are_not_there_or_broken() {
    let (bench, records) = two_runs();
    bench.run(["show", "19990101"]).fails(6, "run-not-found", &["19990101"]);
    bench.run(["compare", "latest", "19990101"]).fails(6, "run-not-found", &["19990101"]);
    let file = bench.path("runs").join(id(&records[0])).join("run.json");
    fs::write(&file, "{ this is no JSON").unwrap();
    let ran = bench.run(["show", id(&records[0])]).exits(6);
    assert!(ran.stderr.contains("run.json"), "{ran}");
    let listed = bench.run(["runs"]).exits(0);
    assert!(listed.stderr.contains("warning: ") && listed.stderr.contains(id(&records[0])), "{listed}");
    assert!(listed.stdout.contains(id(&records[1])), "one broken run hides no other: {listed}");
    let mut newer = records[1].clone();
    newer["schema_version"] = serde_json::json!(999);
    fs::write(&file, newer.to_string()).unwrap();
    bench.run(["show", file.to_str().unwrap()]).exits(6);
    let empty = Bench::new();
    empty.run(["show"]).exits(6);
    assert!(empty.run(["runs"]).exits(0).stdout.lines().count() <= 1);
    assert_eq!(empty.run(["runs", "--json"]).exits(0).json(), serde_json::json!([]));
}

#[test]
fn completions_and_the_manual() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = bench.run(["completions", shell]).exits(0);
        assert!(ran.stdout.contains("calibrate"), "{shell}");
        assert_eq!(ran.stderr, "");
    }
    let man = bench.run(["man"]).exits(0).stdout;
    assert!(man.contains(".TH bench"), "{man}");
}

#[test]
fn data_and_talk_are_apart() {
    let bench = Bench::new();
    let engine = engine(quick());
    let ran = bench.run(["run", "--quick", "--endpoint", &engine.url(), "--workload", "W1", "--json", "-"]).exits(0);
    assert!(ran.stdout.starts_with('{') && ran.stdout.trim_end().ends_with('}'));
    ran.json();
    for talk in ["at http://", "[1/1] W1"] {
        assert!(ran.stderr.contains(talk), "{ran}");
    }
    assert!(!ran.stderr.contains('\u{1b}') && !ran.stderr.contains('\r'), "no terminal, no drawing: {ran}");
}

#[test]
fn no_colours_where_nobody_looks() {
    let bench = Bench::new().with("NO_COLOR", "1").with("CLICOLOR_FORCE", "1");
    for arguments in [&["run", "--plugin", "openai", "--endpoint", NOBODY][..], &["--help"], &["fly"]] {
        let ran = bench.run(arguments);
        assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'), "{ran}");
    }
}

#[test]
fn names_from_outside_cannot_fool_a_terminal() {
    let bench = Bench::new();
    let name = "model\u{1b}[2J\u{7}";
    let engine = engine(bench_sim::SimConfig { models: vec![name.to_owned()], ..quick() });
    let (ran, record) = bench.quick(&engine.url(), "W1", &[]);
    let ran = ran.exits(0);
    assert_eq!(record["model"]["id"], name, "the record has the name as it is");
    let shown = bench.run(["show"]).exits(0);
    let listed = bench.run(["runs"]).exits(0);
    let detected = bench.run(["detect", "--endpoint", &engine.url()]).exits(0);
    for text in [&ran.stdout, &ran.stderr, &shown.stdout, &listed.stdout, &detected.stdout] {
        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text:?}");
    }
}
