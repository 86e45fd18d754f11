//! Every way in which requests can follow one another, in place of the workloads' own.

use bench_sim::SimConfig;
use serde_json::{Value, json};

use crate::support::{Bench, NOBODY, Ran, check_schema, engine, phases, quick, sent, settled, workload};

/// Room for everything that is sent, so that nothing but the client decides when a request is worked on.
fn roomy() -> SimConfig {
    SimConfig { slots: 256, ..quick() }
}

/// Runs W1 under a load, checks what holds for all of them, and gives the record and its only phase.
#[track_caller]
fn measure(load: &str, more: &[&str]) -> (Ran, Value, Value) {
    let bench = Bench::new();
    let engine = engine(roomy());
    let (ran, record) = bench.under(&engine.url(), "W1", load, more);
    let ran = ran.exits(0);
    check_schema(&record);
    assert!(record["load"].is_string(), "the record names the load");
    assert!(ran.stdout.contains("load: "), "{ran}");
    let requests = sent(&record, "W1");
    assert!(!requests.is_empty());
    for request in &requests {
        assert_eq!(request["status"], "completed", "{request}");
        let at = |key: &str| request["times"][key].as_u64().unwrap();
        assert!(at("intended_ns") <= at("started_ns"), "nothing is sent before its time: {}", request["times"]);
        assert!(at("started_ns") <= at("first_byte_written_ns") && at("first_token_ns") <= at("ended_ns"));
        let metrics = &request["metrics"];
        let of = |key: &str| metrics[key].as_f64().unwrap();
        assert!(of("ttft_intended_ms") >= of("ttft_started_ms"), "both are told, and waiting counts: {metrics}");
        let queue = of("ttft_intended_ms") - of("ttft_started_ms");
        assert!((queue - of("queue_ms")).abs() < 1e-6, "{queue} and {}", metrics["queue_ms"]);
    }
    let phase = phases(&record, "W1")[0].clone();
    let counters = settled(&engine);
    let all = phase["requests"].as_array().unwrap().len() as u64;
    assert_eq!(counters.requests, all + 1, "what the engine saw is in the record, and one request before it");
    (ran, record, phase)
}

/// The moments at which requests of a phase were meant to start, from the first.
fn intended(phase: &Value) -> Vec<u64> {
    let measured = phase["requests"].as_array().unwrap().iter().filter(|request| request["warmup"] == false);
    let mut at: Vec<u64> = measured.map(|request| request["times"]["intended_ns"].as_u64().unwrap()).collect();
    at.sort_unstable();
    let first = at[0];
    at.iter().map(|moment| moment - first).collect()
}

#[test]
fn an_open_load_with_a_cap_tells_what_waited() {
    let (ran, _, phase) = measure("constant:1000/s", &["--requests", "20", "--max-in-flight", "1"]);
    let cap = &phase["in_flight"];
    assert_eq!(cap["most"], 1);
    assert!(cap["waited"].as_u64().unwrap() > 0 && cap["longest_ms"].as_f64().unwrap() > 0.0, "{cap}");
    assert!(ran.stdout.contains("requests waited for the cap of 1 in flight"), "{ran}");
    let mut spans: Vec<(u64, u64)> = phase["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|request| request["warmup"] == false)
        .map(|request| {
            (request["times"]["started_ns"].as_u64().unwrap(), request["times"]["ended_ns"].as_u64().unwrap())
        })
        .collect();
    spans.sort_unstable();
    assert!(spans.is_sorted_by(|one, next| one.1 <= next.0), "two at once: {spans:?}");
}

#[test]
fn a_cap_beside_a_closed_load_is_refused() {
    let (bench, engine) = (Bench::new(), engine(roomy()));
    let ran = bench.run(["run", "--endpoint", &engine.url(), "--load", "closed:2", "--max-in-flight", "1"]).exits(2);
    assert!(ran.stderr.contains("--max-in-flight 1"), "{ran}");
}

#[test]
fn a_closed_loop_of_so_many_streams() {
    let (_, _, phase) = measure("closed:3", &["--requests", "9"]);
    assert_eq!(phase["shape"], json!({ "kind": "closed-loop", "streams": 3, "ramp_s": null }));
    assert_eq!(phase["summary"]["completed"], 9);
    assert!(phase["pacing"]["asked_rate"].is_null(), "a closed loop has no rate of its own");
}

#[test]
fn a_closed_loop_that_lasts() {
    let bench = Bench::new();
    let engine = engine(roomy());
    let (ran, record) = bench.under(&engine.url(), "W1", "closed:4", &["--duration", "300ms"]);
    ran.exits(0);
    assert_eq!(settled(&engine).in_flight_max, 4);
    assert!(sent(&record, "W1").len() >= 4, "each stream began at least once");
    assert!(sent(&record, "W1").iter().all(|request| request["status"] == "completed"));
}

#[test]
fn a_closed_loop_that_grows() {
    let (_, record, phase) = measure("closed:1..4,ramp=200ms", &["--duration", "500ms"]);
    assert_eq!(phase["shape"]["streams"], 4);
    assert_eq!(phase["shape"]["ramp_s"], 0.2);
    assert_eq!(record["load"], "closed:1..4,ramp=200ms");
}

#[test]
fn one_after_the_other() {
    let (_, _, phase) = measure("sequential", &["--requests", "3"]);
    assert_eq!(phase["shape"], json!({ "kind": "sequential" }));
    let spans: Vec<(u64, u64)> = phase["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|request| request["warmup"] == false)
        .map(|request| {
            let times = &request["times"];
            (times["started_ns"].as_u64().unwrap(), times["ended_ns"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(spans.len(), 3);
    assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0), "never two at once: {spans:?}");
}

#[test]
fn a_constant_rate() {
    let (ran, _, phase) = measure("constant:40/s", &["--requests", "12"]);
    let gaps: Vec<u64> = intended(&phase).windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps, [25_000_000; 11], "exactly as far apart as the rate says");
    assert_eq!(phase["shape"]["kind"], "open-loop");
    assert_eq!(phase["shape"]["arrivals"], json!({ "law": "constant" }));
    let asked = phase["pacing"]["asked_rate"].as_f64().unwrap();
    assert!((asked - 40.0).abs() < 1e-6, "{asked}");
    assert!(phase["pacing"]["send_error"]["p50_ms"].is_number());
    assert!(ran.stdout.contains("of 40.0 req/s"), "{ran}");
}

#[test]
fn arrivals_at_random_are_fixed_by_the_seed() {
    let moments = |seed: &str| {
        let (_, _, phase) = measure("poisson:60/s", &["--requests", "20", "--seed", seed]);
        assert_eq!(phase["shape"]["arrivals"], json!({ "law": "poisson" }));
        intended(&phase)
    };
    let first = moments("7");
    assert_eq!(first.len(), 20);
    assert_eq!(first, moments("7"), "the same seed gives the same moments");
    assert_ne!(first, moments("8"));
}

#[test]
fn bursts() {
    let (_, record, phase) = measure("gamma:60/s,burstiness=0.25", &["--requests", "20"]);
    assert_eq!(phase["shape"]["arrivals"], json!({ "law": "gamma", "burstiness": 0.25 }));
    assert_eq!(record["load"], "gamma:60/s,burstiness=0.25");
    assert_eq!(phase["summary"]["completed"], 20);
}

#[test]
fn a_rate_that_grows() {
    let (_, _, phase) = measure("ramp:5/s..80/s,arrivals=constant", &["--duration", "800ms"]);
    let gaps: Vec<u64> = intended(&phase).windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.windows(2).all(|pair| pair[1] < pair[0]), "each gap is shorter than the one before: {gaps:?}");
    assert_eq!(phase["shape"]["stages"][0]["from_rate"], 5.0);
    assert_eq!(phase["shape"]["stages"][0]["to_rate"], 80.0);
}

#[test]
fn one_rate_after_the_other() {
    let (ran, _, phase) = measure("stages:constant,10/s@400ms,50/s@400ms", &[]);
    let stages = phase["stages"].as_array().unwrap();
    let asked: Vec<f64> = stages.iter().map(|stage| stage["asked_rate"].as_f64().unwrap()).collect();
    assert_eq!(asked, [10.0, 50.0]);
    let count = |stage: u64| {
        let of = |request: &&Value| request["warmup"] == false && request["stage"] == stage;
        phase["requests"].as_array().unwrap().iter().filter(of).count()
    };
    assert_eq!([count(0), count(1)], [4, 20], "each request is of the stage in which it was meant to start");
    for (place, stage) in stages.iter().enumerate() {
        assert_eq!(stage["summary"]["completed"], count(place as u64));
        let name = stage["name"].as_str().unwrap();
        assert!(ran.stdout.contains(name), "stage {name} is in the table: {ran}");
    }
    assert!(ran.stdout.contains("asked/s"), "{ran}");
}

#[test]
fn a_search_for_the_capacity() {
    // One slot and a request of some 35 ms: about 28 requests per second, far from both ends of the search.
    let bench = Bench::new();
    let engine = engine(SimConfig { slots: 1, ..quick() });
    let (ran, record) =
        bench.under(&engine.url(), "W1", "sweep:from=16/s,to=256/s,arrivals=constant", &["--duration", "500ms"]);
    let ran = ran.exits(0);
    check_schema(&record);
    let phase = &phases(&record, "W1")[0];
    let sweep = &phase["sweep"];
    let steps = sweep["steps"].as_array().unwrap();
    assert_eq!(steps.len(), phase["stages"].as_array().unwrap().len());
    assert_eq!(steps[0]["asked_rate"], 16.0);
    let result = &sweep["result"];
    let bad = result["first_bad"].as_f64().unwrap();
    assert!(bad < 256.0, "one slot cannot hold the highest rate, and the search stops before it: {result}");
    assert!(result["overload"].as_array().is_some_and(|reasons| !reasons.is_empty()), "{result}");
    assert!(ran.stdout.contains("TTFT p50 ms") && ran.stdout.contains("too much"), "{ran}");
    assert!(ran.stderr.contains("trying 16.000 requests per second"), "{ran}");
    assert!(!ran.stderr.contains("warning"), "a step is no warning: {ran}");
    assert_eq!(
        steps.iter().map(|step| step["requests"].as_u64().unwrap()).sum::<u64>(),
        sent(&record, "W1").len() as u64
    );
}

#[test]
fn a_search_that_finds_no_end_says_so() {
    let (ran, _, phase) = measure("sweep:from=20/s,to=40/s,arrivals=constant", &["--duration", "300ms"]);
    assert_eq!(phase["sweep"]["result"]["reason"], "highest-held");
    assert!(phase["sweep"]["result"]["capacity_rps"].is_null(), "what was not found is not a number");
    assert!(ran.stdout.contains("no capacity found"), "{ran}");
}

#[test]
fn repeats_of_a_load_are_windows_of_their_own() {
    let (_, _, phase) = measure("constant:50/s", &["--requests", "5", "--repeats", "3"]);
    assert_eq!(phase["repeats"], 3);
    assert_eq!(phase["windows"].as_array().unwrap().len(), 3);
    assert_eq!(phase["summary"]["completed"], 15);
}

#[test]
fn synthetic_traffic_is_no_part_of_the_suite_and_runs_by_name() {
    let bench = Bench::new();
    let engine = engine(roomy());
    let more = ["--requests", "8", "--param", "traffic.answer-tokens=4", "--param", "traffic.prefix-tokens=64"];
    let (ran, record) = bench.under(&engine.url(), "traffic", "constant:40/s", &more);
    ran.exits(0);
    check_schema(&record);
    assert_eq!(workload(&record, "traffic")["name"], "traffic");
    assert_eq!(workload(&record, "traffic")["params"]["prefix-tokens"], 64);
    let requests = sent(&record, "traffic");
    assert_eq!(requests.len(), 8);
    assert!(requests.iter().all(|request| request["metrics"]["requested_output_tokens"] == 4));
    let hits = requests.iter().filter(|request| request["metrics"]["cached_tokens"].as_u64() > Some(0)).count();
    assert!(hits > 0, "sessions share the prefix, and the engine remembers it");
    let with_own_shape = bench.quick(&engine.url(), "W1,traffic", &[]).1;
    let labels: Vec<&Value> =
        with_own_shape["workloads"].as_array().unwrap().iter().map(|workload| &workload["label"]).collect();
    assert_eq!(labels, ["W1", "traffic"]);
}

/// Expects a refusal of the command line, before anything is asked of anybody.
#[track_caller]
fn refusal(arguments: &[&str]) -> String {
    let bench = Bench::new();
    let ran = bench.run(["run", "--endpoint", NOBODY].iter().chain(arguments)).exits(2);
    assert_eq!(ran.stdout, "", "{ran}");
    assert!(bench.runs().is_empty());
    ran.stderr
}

#[test]
fn loads_that_are_none() {
    let first_line = |load: &str| refusal(&["--load", load]).lines().next().unwrap_or_default().to_owned();
    let bad = ["nonsense", "poisson:10", "closed:0", "closed:4..2,ramp=1s", "gamma:10/s", "gamma:10/s,burstiness=-1"];
    let worse =
        ["stages:poisson", "stages:poisson,5/s", "ramp:5/s", "sweep:from=9/s,to=2/s", "replay:", "poisson:10/s,x=1"];
    let said: Vec<String> = bad.iter().chain(&worse).map(|load| first_line(load)).collect();
    insta::assert_snapshot!(said.join("\n"));
    let help = refusal(&["--load", "nonsense"]);
    assert!(help.contains("hint: ") && help.contains("poisson:10/s"), "the hint shows how loads are written: {help}");
    assert!(help.lines().any(|line| line.trim_start().starts_with("closed:32  ")), "each load has a line: {help}");
}

#[test]
fn the_loads_are_listed() {
    let ran = Bench::new().run(["run", "--load", "help"]).exits(0);
    assert_eq!(ran.stderr, "");
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn options_that_make_no_sense() {
    let bad: [&[&str]; 14] = [
        &["--slo", "x=1"],
        &["--slo", "ttft=1"],
        &["--slo", "ttft=1ms,ttft=2ms"],
        &["--slo", "itl=-3ms"],
        &["--load", "poisson:1/s", "--duration", "5"],
        &["--load", "poisson:1/s", "--duration", "5parsecs"],
        &["--load", "poisson:1/s", "--requests", "0"],
        &["--duration", "5s"],
        &["--requests", "5"],
        &["--mix", "a=0"],
        &["--mix", "a"],
        &["--watch", "3"],
        &["--stamps", "sundial"],
        &["--workers", "0"],
    ];
    let said = bad.map(|arguments| {
        let text = refusal(arguments);
        let told = text.split("\n\nFor more information").next().unwrap_or_default().to_owned();
        format!("{}\n{told}\n", arguments.join(" "))
    });
    insta::assert_snapshot!(said.join("\n"));
    refusal(&["--ab", "http://127.0.0.1:1,http://127.0.0.1:2"]);
}
