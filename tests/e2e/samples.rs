//! Logs of samples: graded again, shown, and written for other tools.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::evals::{adder, run, suite, sums};
use crate::support::{Bench, engine};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_run_is_graded_again_shown_and_written() {
    let bench = Bench::new();
    let suite = suite(&bench, &sums(6), "");
    let engine = engine(adder(6));
    run(&bench, &suite, &engine.url(), &["--seed", "7"]).exits(0);

    let again = json(&bench.run(["rescore", "--json"]).exits(0).stdout);
    let task = &again["tasks"][0];
    assert_eq!((task["task"].as_str(), task["samples"].as_u64()), (Some("sums"), Some(6)));
    assert_eq!(task["changes"], Value::Array(vec![]), "the same component says the same");
    assert_eq!(task["graded_before"][0], task["scorer"]);
    let other = bench.run(["rescore", "--scorer", "includes@0.1.0"]).exits(0);
    assert!(
        other.stdout.contains("graded by includes 0.1.0") && other.stdout.contains("before by exact-match"),
        "{other}"
    );
    bench.run(["rescore", "--scorer", "exact-match@7.0.0"]).fails(6, "other-scorer-version", &["7.0.0"]);

    let failures = bench.run(["show", "--failures"]).exits(0).stdout;
    assert!(
        failures.contains("wrong-answer") && failures.contains("sum-2") && !failures.contains("sum-1 "),
        "{failures}"
    );
    assert_eq!(bench.run(["show", "--samples", "--format", "csv"]).exits(0).stdout.lines().count(), 7);
    assert_eq!(bench.run(["show", "--failures", "--json"]).exits(0).stdout.lines().count(), 2);
    bench.run(["show", "--format", "inspect"]).fails(2, "needs-out", &["--out"]);

    // What is written for other tools is read and graded as if they had written it.
    let before = &task["mean_after"];
    for (format, out) in [("inspect", "logs/inspect"), ("lm-eval", "logs/lm-eval"), ("json", "logs/bench/sums.jsonl")] {
        let out = bench.path(out).display().to_string();
        bench.run(["show", "--samples", "--format", format, "--out", &out]).exits(0);
        let log = match format {
            "lm-eval" => fs::read_dir(&out).unwrap().next().unwrap().unwrap().path().display().to_string(),
            _ => out,
        };
        let scored = json(&bench.run(["score", "--scorer", "exact-match", "--json", &log]).exits(0).stdout);
        assert_eq!(&scored["tasks"][0]["mean_after"], before, "{format}");
        assert_eq!(&scored["tasks"][0]["mean_before"], before, "{format}");
    }
    let parquet = bench.path("samples.parquet");
    bench.run(["show", "--out", parquet.to_str().unwrap()]).exits(0);
    assert!(fs::read(parquet).unwrap().starts_with(b"PAR1"));
}

#[test]
fn logs_of_other_tools_are_graded_and_kept() {
    let bench = Bench::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/tests/fixtures");
    let log = fixtures.join("inspect/sums.eval").display().to_string();
    let out = bench.path("graded.eval").display().to_string();
    let scored = bench.run(["score", "--scorer", "exact-match", &log, "--out", &out]).exits(0);
    assert!(scored.stdout.contains("before by match") && scored.stdout.contains("verdicts changed"), "{scored}");
    let again = bench.run(["score", "--scorer", "exact-match", &out]).exits(0);
    assert!(again.stdout.contains("no verdict changed"), "{again}");
    // The tool's own scorer, by our component of the same name, says what the tool said.
    let same = bench.run(["score", "--scorer", "match", "--config", r#"{"location": "end"}"#, &log]).exits(0);
    assert!(same.stdout.contains("no verdict changed"), "{same}");
    bench.run(["score", "--scorer", "includes", &log, "--out", "x.docx"]).fails(2, "unknown-form", &[".eval"]);
    bench.run(["score", "--scorer", "includes", "--config", "{\"colour\": 1}", &log]).fails(
        6,
        "plugin-problem",
        &["colour"],
    );
    let nonsense = bench.write("nonsense.jsonl", "{}\n").display().to_string();
    bench.run(["score", "--scorer", "includes", &nonsense]).fails(6, "not-a-sample", &["line 1"]);
}
