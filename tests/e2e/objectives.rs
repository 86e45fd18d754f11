//! What a request has to keep, and how many did; models that are mixed; what the server says of itself meanwhile.

use std::collections::BTreeSet;

use bench_sim::{Fault, FaultKind, SimConfig, When};
use serde_json::{Value, json};

use crate::support::{Bench, Tap, check_schema, engine, phases, quick, sent};

fn roomy() -> SimConfig {
    SimConfig { slots: 64, ..quick() }
}

/// The goodput of twelve requests against an engine.
#[track_caller]
fn goodput(config: SimConfig, slo: &str, exit: i32) -> (String, Value, Value) {
    let bench = Bench::new();
    let engine = engine(config);
    let (ran, record) = bench.under(&engine.url(), "W1", "constant:60/s", &["--requests", "12", "--slo", slo]);
    let ran = ran.exits(exit);
    check_schema(&record);
    let goodput = phases(&record, "W1")[0]["goodput"].clone();
    (ran.stdout, record, goodput)
}

#[test]
fn objectives_that_every_request_keeps() {
    let (shown, record, goodput) = goodput(roomy(), "ttft=60s,itl=60s,tpot=60s,e2e=120s", 0);
    assert_eq!([&goodput["met"], &goodput["missed"], &goodput["failed"], &goodput["unjudged"]], [12, 0, 0, 0]);
    assert_eq!(goodput["share"], 1.0);
    assert_eq!(goodput["missed_by"], json!({}));
    assert_eq!(record["slo"]["ttft_ms"], 60_000.0);
    assert!(goodput["per_second"].as_f64().unwrap() > 0.0);
    assert!(shown.contains("100 % of 12 requests kept ttft ≤ 60000ms"), "{shown}");
}

#[test]
fn objectives_that_no_request_can_keep() {
    // The engine never emits anything before it is due: 5 ms until the first token.
    let (shown, _, goodput) = goodput(roomy(), "ttft=4ms,e2e=60s", 0);
    assert_eq!([&goodput["met"], &goodput["missed"]], [0, 12]);
    assert_eq!(goodput["share"], 0.0);
    assert_eq!(goodput["per_second"], 0.0);
    assert_eq!(goodput["missed_by"], json!({ "ttft": 12 }));
    assert!(shown.contains("goodput 0.00 req/s") && shown.contains("missed by ttft 12"), "{shown}");
}

#[test]
fn a_failed_request_keeps_no_objective() {
    // The first request comes before the load; of the next twelve, and one to warm up, some fail.
    let faults = vec![Fault { when: When::Every(4), kind: FaultKind::Disconnect { after_tokens: 3 } }];
    let (shown, record, goodput) = goodput(SimConfig { faults, ..roomy() }, "ttft=60s", 3);
    let failed = sent(&record, "W1").iter().filter(|request| request["status"] == "failed").count();
    assert!(failed >= 2, "{failed}");
    assert_eq!(goodput["failed"], failed);
    assert_eq!(goodput["met"], 12 - failed);
    let share = (12 - failed) as f64 / 12.0;
    assert!((goodput["share"].as_f64().unwrap() - share).abs() < 1e-9, "{goodput}");
    assert!(shown.contains(&format!("{failed} failed")), "{shown}");
}

#[test]
fn each_stage_has_its_own_goodput() {
    let bench = Bench::new();
    let engine = engine(roomy());
    let load = "stages:constant,20/s@200ms,40/s@200ms";
    let (ran, record) = bench.under(&engine.url(), "W1", load, &["--slo", "e2e=60s"]);
    ran.exits(0);
    let stages = phases(&record, "W1")[0]["stages"].as_array().unwrap();
    let met: Vec<&Value> = stages.iter().map(|stage| &stage["goodput"]["met"]).collect();
    assert_eq!(met, [4, 8]);
}

#[test]
fn without_objectives_there_is_no_goodput() {
    let bench = Bench::new();
    let engine = engine(roomy());
    let (ran, record) = bench.under(&engine.url(), "W1", "constant:60/s", &["--requests", "4"]);
    let ran = ran.exits(0);
    assert!(record["slo"].is_null() && phases(&record, "W1")[0]["goodput"].is_null());
    assert!(!ran.stdout.contains("goodput"), "{ran}");
}

#[test]
fn a_mix_of_models() {
    let bench = Bench::new();
    let engine = engine(SimConfig { models: vec!["base".to_owned(), "adapter".to_owned()], ..roomy() });
    let tap = Tap::before(engine.addr());
    let more = ["--requests", "60", "--mix", "base=1,adapter=1"];
    let (ran, record) = bench.under(&tap.url(), "W1", "constant:200/s", &more);
    let ran = ran.exits(0);
    check_schema(&record);
    let names = |requests: Vec<&Value>| -> BTreeSet<String> {
        requests.iter().map(|request| request["model"].as_str().unwrap().to_owned()).collect()
    };
    let both = BTreeSet::from(["base".to_owned(), "adapter".to_owned()]);
    assert_eq!(names(sent(&record, "W1")), both);
    let bodies: Vec<Value> = tap.bodies().iter().map(|body| serde_json::from_slice(body).unwrap()).collect();
    assert_eq!(names(bodies.iter().collect()), both, "and that is what was sent");
    assert!(ran.stdout.contains("ok by model: adapter "), "{ran}");
}

#[test]
fn a_mix_with_a_model_that_is_not_served() {
    let bench = Bench::new();
    let engine = engine(roomy());
    let ran = bench.quick_without_record(&engine.url(), "W1", &["--mix", "bench-sim=1,ghost=1"]);
    ran.fails(4, "model-not-found", &["ghost"]).hints("bench-sim");
    assert_eq!(engine.counters().requests, 0);
}

/// The points of a series of the engine's own.
fn points<'a>(record: &'a Value, name: &str) -> Option<&'a Vec<Value>> {
    let series = phases(record, "W1")[0]["server_series"].as_array().unwrap();
    series.iter().find(|series| series["name"].as_str().unwrap().contains(name))?["points"].as_array()
}

#[test]
fn the_engines_own_metrics_are_kept_beside() {
    let bench = Bench::new();
    let engine = engine(roomy());
    let more = ["--duration", "600ms", "--watch", "50ms"];
    let (ran, record) = bench.under(&engine.url(), "W1", "constant:50/s", &more);
    let ran = ran.exits(0);
    check_schema(&record);
    let counted = points(&record, "requests_total").expect("the engine has such a counter, and it grows");
    assert!(!counted.is_empty());
    let at: Vec<u64> = counted.iter().map(|point| point[0].as_u64().unwrap()).collect();
    assert!(at.is_sorted(), "in order of time: {at:?}");
    assert!(ran.stdout.contains("series of the engine's own metrics"), "{ran}");
}

#[test]
fn nobody_looks_when_told_not_to() {
    let bench = Bench::new();
    let engine = engine(roomy());
    let more = ["--duration", "200ms", "--watch", "0s"];
    let (ran, record) = bench.under(&engine.url(), "W1", "constant:50/s", &more);
    ran.exits(0);
    assert_eq!(phases(&record, "W1")[0]["server_series"], json!([]));
}
