//! Which model is asked.

use bench_sim::SimConfig;
use serde_json::Value;

use crate::support::{Bench, NOBODY, Server, Tap, engine, quick};

fn two_models() -> SimConfig {
    SimConfig { models: vec!["first".to_owned(), "second".to_owned()], ..quick() }
}

fn asked_for(tap: &Tap) -> Vec<String> {
    let mut names: Vec<String> = tap
        .bodies()
        .iter()
        .map(|body| serde_json::from_slice::<Value>(body).unwrap()["model"].as_str().unwrap().to_owned())
        .collect();
    names.dedup();
    names
}

#[test]
fn of_two_models_the_first_is_taken() {
    let bench = Bench::new();
    let engine = engine(two_models());
    let tap = Tap::before(engine.addr());
    let (ran, record) = bench.quick(&tap.url(), "W1", &[]);
    let ran = ran.exits(0);
    assert_eq!(record["model"]["id"], "first");
    assert_eq!(asked_for(&tap), ["first"]);
    assert!(ran.stderr.contains("model first"), "{ran}");
}

#[test]
fn the_user_names_the_other_one() {
    let bench = Bench::new();
    let engine = engine(two_models());
    let tap = Tap::before(engine.addr());
    let (ran, record) = bench.quick(&tap.url(), "W1", &["--model", "second"]);
    ran.exits(0);
    assert_eq!(record["model"]["id"], "second");
    assert_eq!(asked_for(&tap), ["second"]);
    let served: Vec<&Value> =
        record["backend"]["models"].as_array().unwrap().iter().map(|model| &model["id"]).collect();
    assert_eq!(served, ["first", "second"], "the record says what else there was");
}

#[test]
fn a_model_that_is_not_served() {
    let bench = Bench::new();
    let engine = engine(two_models());
    let ran = bench.quick_without_record(&engine.url(), "W1", &["--model", "third"]);
    ran.fails(4, "model-not-found", &["third"]).hints("first, second");
    assert!(bench.runs().is_empty(), "nothing was measured");
}

#[test]
fn an_engine_without_models() {
    let bench = Bench::new();
    let server =
        Server::start(|_| crate::support::Answer::json("200 OK", &serde_json::json!({ "object": "list", "data": [] })));
    bench.quick_without_record(&server.url(), "W1", &[]).exits(4);
}

#[test]
fn models_are_listed_for_an_address() {
    let bench = Bench::new();
    let engine = engine(two_models());
    for command in ["models", "list-models"] {
        let ran = bench.run([command, "--endpoint", &engine.url()]).exits(0);
        assert!(ran.stdout.contains("first") && ran.stdout.contains("second"), "{ran}");
        let ran = bench.run([command, "--endpoint", &engine.url(), "--json"]).exits(0);
        assert_eq!(ran.json()[0]["backend"]["models"][1]["id"], "second");
    }
    let ran = bench.run(["models", "--endpoint", NOBODY]).exits(4);
    assert!(ran.stderr.contains("[no-engine]"), "{ran}");
}

#[test]
fn an_engine_is_detected_at_an_address() {
    let bench = Bench::new();
    let engine = engine(quick());
    let ran = bench.run(["detect", "--endpoint", &engine.url()]).exits(0);
    assert!(ran.stdout.contains("machine: ") && ran.stdout.contains(&engine.url()), "{ran}");
    let found = bench.run(["detect", "--endpoint", &engine.url(), "--json"]).exits(0).json();
    assert_eq!(found["engines"][0]["driver"], "openai", "no other driver claims an engine that it does not know");
    assert_eq!(found["engines"].as_array().unwrap().len(), 1);
    assert!(found["machine"]["cpu"].is_object(), "{}", found["machine"]);
    assert_eq!(found["failed"], serde_json::json!([]));
}
