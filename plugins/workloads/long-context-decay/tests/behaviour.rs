//! What long-context-decay asks for and reports, played without a backend.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::types::Metric;
use bench_sdk::workload::{Decision, Facts, Measure, PhaseMeasures, Variable, Workload};
use bench_sdk::workload_kit::trial::{facts, play_all};
use proptest::prelude::*;
use workload_long_context_decay::LongContextDecay;

fn phase(context: f64, measures: &[(&str, f64)]) -> PhaseMeasures {
    let measures = measures.iter().map(|(name, value)| Measure {
        metric: Metric { name: (*name).into(), value: *value, unit: "tok/s".into(), higher_is_better: Some(true) },
        half_width: None,
        samples: 3,
    });
    PhaseMeasures {
        phase: format!("context-{context}"),
        variables: vec![Variable { name: "context".into(), value: context, unit: "tokens".into() }],
        completed: 3,
        failed: 0,
        measures: measures.collect(),
    }
}

#[test]
fn one_phase_for_each_context_and_the_long_ones_are_skipped() {
    let (phases, sessions) = play_all::<LongContextDecay>("", &facts(Some(65_536 + 256)), 1).unwrap();
    let ids: Vec<&str> = phases.iter().map(|phase| phase.id.as_str()).collect();
    assert_eq!(ids, ["context-32768", "context-65536", "context-131072"]);
    let Decision::Skip(reason) = &phases[2].decision else { panic!("{phases:?}") };
    assert!(reason.contains("131072") && reason.contains("65792"), "{reason}");
    assert_eq!(sessions.len(), 2 * (1 + 3));
    assert!(sessions.iter().all(|session| session.turns[0].generation.max_tokens == 256));
}

#[test]
fn contexts_can_be_given_and_become_unique_phases() {
    let phases = LongContextDecay::plan(r#"{"contexts": [4096, 1024, 1024]}"#.into(), facts(None)).unwrap();
    let ids: Vec<&str> = phases.iter().map(|phase| phase.id.as_str()).collect();
    assert_eq!(ids, ["context-1024", "context-4096"]);
    assert_eq!(phases[1].variables[0].value, 4096.0);
}

#[test]
fn curves_rise_with_context_and_retention_compares_the_ends() {
    let phases = vec![
        phase(4096.0, &[("prefill-rate", 50.0), ("decode-rate", 8.0)]),
        phase(1024.0, &[("prefill-rate", 100.0), ("decode-rate", 10.0)]),
        phase(2048.0, &[("prefill-rate", 80.0), ("decode-rate", f64::INFINITY)]),
    ];
    let summary = LongContextDecay::summarise(phases).unwrap();
    let [prefill, decode] = summary.curves.as_slice() else { panic!("{:?}", summary.curves) };
    let points =
        |curve: &bench_sdk::workload::Curve| curve.points.iter().map(|point| (point.x, point.y)).collect::<Vec<_>>();
    assert_eq!(points(prefill), [(1024.0, 100.0), (2048.0, 80.0), (4096.0, 50.0)]);
    assert_eq!(points(decode), [(1024.0, 10.0), (4096.0, 8.0)]);
    let value = |name: &str| summary.headline.iter().find(|metric| metric.name == name).map(|metric| metric.value);
    assert_eq!((value("prefill-retention"), value("decode-retention")), (Some(0.5), Some(0.8)));
    assert_eq!(value("decode-rate-at-longest"), Some(8.0));
}

#[test]
fn a_single_or_silent_phase_makes_no_ratio() {
    let summary = LongContextDecay::summarise(vec![phase(1024.0, &[("decode-rate", 10.0)])]).unwrap();
    assert_eq!(summary.headline.len(), 1);
    assert!(LongContextDecay::summarise(vec![phase(1024.0, &[])]).unwrap().curves.is_empty());
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(
        params in "\\PC{0,40}|\\{\"contexts\": ?\\[[0-9, ]{0,40}\\]\\}",
        context_length: Option<u64>,
        quick: bool,
        (x, y) in any::<(f64, f64)>(),
    ) {
        let _ = LongContextDecay::plan(params, Facts { quick, ..facts(context_length) });
        let summary = LongContextDecay::summarise(vec![phase(x, &[("decode-rate", y)]), phase(y, &[("decode-rate", x)])]).unwrap();
        prop_assert!(summary.headline.iter().all(|metric| metric.value.is_finite()));
    }
}
