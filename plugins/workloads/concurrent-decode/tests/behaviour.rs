//! What concurrent-decode asks for and reports, played without a backend.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::collections::BTreeSet;

use bench_sdk::types::Metric;
use bench_sdk::workload::{Decision, Facts, Measure, PhaseMeasures, Shape, Variable, Workload};
use bench_sdk::workload_kit::trial::{facts, play_all};
use proptest::prelude::*;
use workload_concurrent_decode::ConcurrentDecode;

fn variable(name: &str, value: f64) -> Variable {
    Variable { name: name.into(), value, unit: "streams".into() }
}

fn phase(streams: f64, queued: f64, aggregate: f64) -> PhaseMeasures {
    let measure = |name: &str, value| Measure {
        metric: Metric { name: name.into(), value, unit: "tok/s".into(), higher_is_better: Some(true) },
        half_width: None,
        samples: 3,
    };
    PhaseMeasures {
        phase: format!("streams-{streams}"),
        variables: vec![variable("streams", streams), variable("queued", queued)],
        completed: 3,
        failed: 0,
        measures: vec![measure("aggregate-rate", aggregate), measure("per-stream-rate", aggregate / streams)],
    }
}

#[test]
fn each_repeat_has_as_many_sessions_as_streams() {
    let (phases, sessions) = play_all::<ConcurrentDecode>("", &facts(None), 1).unwrap();
    let runs: Vec<_> = phases
        .iter()
        .map(|phase| match &phase.decision {
            Decision::Run(run) => (run.shape.clone(), run.sessions, run.repeats),
            Decision::Skip(reason) => panic!("{reason}"),
        })
        .collect();
    let wanted = [1, 4, 8, 16].map(|streams| (Shape::ClosedLoop(streams), streams, 3));
    assert_eq!(runs, wanted);
    // One round of warm-up and three measured ones of 29 streams in all.
    assert_eq!(sessions.len(), 4 * 29);
    let salts: BTreeSet<_> = sessions.iter().map(|session| session.turns[0].generation.salt.clone()).collect();
    assert_eq!(salts.len(), sessions.len());
}

#[test]
fn sessions_in_flight_together_begin_at_other_words() {
    let (_, sessions) = play_all::<ConcurrentDecode>(r#"{"streams": 64}"#, &facts(None), 9).unwrap();
    let places: BTreeSet<u64> =
        sessions.iter().map(|session| session.turns[0].fit.as_ref().unwrap().offset % 73_550).collect();
    assert_eq!(places.len(), sessions.len());
}

#[test]
fn more_streams_than_slots_run_and_say_so() {
    let phases = ConcurrentDecode::plan(String::new(), Facts { slots: Some(4), ..facts(Some(2048)) }).unwrap();
    let queued: Vec<f64> = phases
        .iter()
        .map(|phase| phase.variables.iter().find(|variable| variable.name == "queued").unwrap().value)
        .collect();
    assert_eq!(queued, [0.0, 0.0, 4.0, 12.0]);
    assert!(phases.iter().all(|phase| matches!(phase.decision, Decision::Run(_))));
    assert!(ConcurrentDecode::describe().summary.contains("wait in the backend"));
}

#[test]
fn only_too_little_room_skips() {
    let phases = ConcurrentDecode::plan(String::new(), facts(Some(1279))).unwrap();
    assert!(phases.iter().all(|phase| matches!(&phase.decision, Decision::Skip(reason) if reason.contains("1280"))));
}

#[test]
fn the_summary_has_the_peak_and_both_curves() {
    let summary =
        ConcurrentDecode::summarise(vec![phase(8.0, 4.0, 90.0), phase(1.0, 0.0, 30.0), phase(4.0, 0.0, 100.0)])
            .unwrap();
    let value = |name: &str| summary.headline.iter().find(|metric| metric.name == name).map(|metric| metric.value);
    assert_eq!((value("peak-aggregate-rate"), value("streams-at-peak")), (Some(100.0), Some(4.0)));
    assert_eq!((value("aggregate-scaling"), value("queued-streams-at-most")), (Some(3.0), Some(4.0)));
    let names: Vec<&str> = summary.curves.iter().map(|curve| curve.name.as_str()).collect();
    assert_eq!(names, ["aggregate-rate-by-streams", "per-stream-rate-by-streams"]);
    assert_eq!(summary.curves[0].points.iter().map(|point| point.x).collect::<Vec<_>>(), [1.0, 4.0, 8.0]);
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(
        params in "\\PC{0,40}|\\{\"(streams|warmup|repeats)\": ?\\[?[0-9]{1,12}\\]?\\}",
        context_length: Option<u64>,
        slots: Option<u32>,
        quick: bool,
        (x, y, z) in any::<(f64, f64, f64)>(),
    ) {
        let _ = ConcurrentDecode::plan(params, Facts { quick, slots, ..facts(context_length) });
        let summary = ConcurrentDecode::summarise(vec![phase(x, y, z), phase(z, x, y)]).unwrap();
        prop_assert!(summary.headline.iter().all(|metric| metric.value.is_finite()));
    }
}
