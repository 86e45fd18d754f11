//! Two engines measured in turns, and what may be said of the difference.

use bench_sim::SimConfig;
use serde_json::Value;

use crate::support::{Bench, NOBODY, check_schema, engine, quick, sent};

/// Runs W1 on two engines in turns and gives both records and what `bench compare` says of them.
#[track_caller]
fn compare(a: SimConfig, b: SimConfig, more: &[&str]) -> (Vec<Value>, Value, String) {
    let bench = Bench::new();
    let engines = [engine(a), engine(b)];
    let both = format!("{},{}", engines[0].url(), engines[1].url());
    let fixed = ["run", "--quick", "--plugin", "openai", "--workload", "W1", "--ab", &both, "--json", "both.json"];
    let ran = bench.run(fixed.iter().chain(more)).exits(0);
    let records: Vec<Value> = serde_json::from_slice(&std::fs::read(bench.path("both.json")).unwrap()).unwrap();
    assert_eq!(records.len(), 2);
    records.iter().for_each(check_schema);
    let id = |side: usize| records[side]["id"].as_str().unwrap();
    for (side, other) in [(0, 1), (1, 0)] {
        assert_eq!(records[side]["ab"]["other"], id(other), "the records name each other");
        assert_eq!(records[side]["ab"]["side"], ["a", "b"][side]);
        assert_eq!(records[side]["endpoint"]["url"].as_str().unwrap().trim_end_matches('/'), engines[side].url());
    }
    assert_eq!(bench.runs().len(), 2);
    let compared = bench.run(["compare", id(0), id(1), "--json"]).exits(0).json();
    (records, compared, ran.stdout)
}

/// The verdict on a metric.
#[track_caller]
fn verdict(compared: &Value, metric: &str) -> String {
    let rows = compared["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["metric"] == metric).unwrap_or_else(|| panic!("no row {metric}: {compared}"));
    let verdict = &row["cells"][1]["verdict"];
    verdict.as_str().or(verdict["kind"].as_str()).unwrap_or_else(|| panic!("no verdict: {row}")).to_owned()
}

#[test]
fn a_slower_engine_is_called_slower() {
    let slow = SimConfig { gap_us: 6_000, ttft_us: 60_000, ..quick() };
    let (records, compared, shown) = compare(quick(), slow.clone(), &["--repeats", "5"]);
    for metric in ["decode_tps", "e2e_ms", "ttft_ms"] {
        assert_eq!(verdict(&compared, metric), "slower", "{metric}");
    }
    assert!(shown.contains("slower") && shown.contains("95 % interval"), "{shown}");
    // The repeats took turns: none of one engine lies between two of the other.
    let starts = |side: usize| -> Vec<String> {
        sent(&records[side], "W1").iter().map(|request| request["repeat"].to_string()).collect()
    };
    assert_eq!(starts(0), starts(1));
    let (_, compared, _) = compare(slow, quick(), &["--repeats", "5"]);
    assert_eq!(verdict(&compared, "e2e_ms"), "faster");
}

#[test]
fn equal_engines_get_a_verdict_all_the_same() {
    let (_, compared, _) = compare(quick(), quick(), &["--repeats", "4"]);
    for row in compared["rows"].as_array().unwrap() {
        let verdict = &row["cells"][1]["verdict"];
        let word = verdict.as_str().or(verdict["kind"].as_str()).unwrap_or("none");
        assert!(["faster", "slower", "no-difference-shown", "not-comparable", "none"].contains(&word), "{row}");
    }
}

#[test]
fn a_load_on_both_is_the_same_load() {
    let options = ["--load", "poisson:60/s", "--requests", "10", "--repeats", "2", "--seed", "5"];
    let (records, _, _) = compare(quick(), quick(), &options);
    let moments = |record: &Value| -> Vec<u64> {
        let requests = sent(record, "W1");
        let at = |request: &Value| request["times"]["intended_ns"].as_u64().unwrap();
        requests[..10].iter().map(|request| at(request) - at(requests[0])).collect()
    };
    assert_eq!(moments(&records[0]), moments(&records[1]));
}

#[test]
fn both_records_on_standard_output() {
    let bench = Bench::new();
    let (a, b) = (engine(quick()), engine(quick()));
    let both = format!("{},{}", a.url(), b.url());
    let ran = bench.run(["run", "--quick", "--plugin", "openai", "--workload", "W1", "--ab", &both, "--json", "-"]);
    assert_eq!(ran.exits(0).json().as_array().unwrap().len(), 2);
}

#[test]
fn two_engines_are_two() {
    let bench = Bench::new();
    for addresses in [NOBODY, "http://a,http://b,http://c"] {
        let ran = bench.run(["run", "--quick", "--ab", addresses]).exits(2);
        assert_eq!(ran.stdout, "");
    }
    let a = engine(quick());
    let both = format!("{},{NOBODY}", a.url());
    let ran = bench.run(["run", "--quick", "--plugin", "openai", "--ab", &both]);
    ran.fails(4, "connect-refused", &["127.0.0.1:1"]);
    assert!(bench.runs().is_empty(), "with one engine missing nothing is measured");
}
