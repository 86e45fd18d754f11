//! Which differences are claimed, and which are not.

use bench_metrics::Distribution;
use bench_record::compare::{Row, Verdict, compare, ratio_interval};
use bench_record::{Note, RunRecord};

use super::fixture::run;

const STEADY: [u64; 5] = [10_000, 10_050, 9_950, 10_020, 9_980];
const FASTER: [u64; 5] = [5_000, 5_050, 4_950, 5_020, 4_980];

fn row<'a>(rows: &'a [Row], metric: &str) -> &'a Row {
    rows.iter().find(|row| row.metric == metric).unwrap()
}

fn verdict(reference: &RunRecord, other: RunRecord, metric: &str) -> Option<Verdict> {
    let found = compare(&[reference.clone(), other]).unwrap();
    row(&found.rows, metric).cells[1].as_ref().unwrap().verdict.clone()
}

#[test]
fn a_clear_difference_has_a_direction() {
    let slow = run("a", &STEADY);
    let fast = run("b", &FASTER);
    let found = compare(&[slow.clone(), fast.clone()]).unwrap();
    let decode = row(&found.rows, "decode_tps");
    let cell = decode.cells[1].as_ref().unwrap();
    assert_eq!(cell.verdict, Some(Verdict::Faster));
    assert!((cell.ratio.unwrap() - 2.0).abs() < 0.01);
    let interval = cell.interval.unwrap();
    assert!(interval.low < 2.0 && 2.0 < interval.high && interval.low > 1.9);
    assert_eq!(decode.cells[0].as_ref().unwrap().verdict, None);
    // Less time per token is faster too.
    assert_eq!(verdict(&slow, fast.clone(), "tpot_ms"), Some(Verdict::Faster));
    assert_eq!(verdict(&fast, slow, "tpot_ms"), Some(Verdict::Slower));
}

#[test]
fn noise_is_no_difference() {
    let a = run("a", &[10_000, 11_000, 9_000]);
    let b = run("b", &[10_500, 9_500, 11_500]);
    assert_eq!(verdict(&a, b, "decode_tps"), Some(Verdict::NoDifferenceShown));
}

#[test]
fn too_few_repeats_show_nothing() {
    let found = compare(&[run("a", &[10_000, 10_000]), run("b", &[5_000, 5_000])]).unwrap();
    let cell = row(&found.rows, "decode_tps").cells[1].clone().unwrap();
    assert_eq!((cell.verdict, cell.interval), (Some(Verdict::NoDifferenceShown), None));
    assert!((cell.ratio.unwrap() - 2.0).abs() < 1e-6);
}

#[test]
fn numbers_that_mean_something_else_are_not_compared() {
    let reference = run("a", &STEADY);
    let change = |change: fn(&mut RunRecord)| {
        let mut other = run("b", &FASTER);
        change(&mut other);
        match verdict(&reference, other, "decode_tps") {
            Some(Verdict::NotComparable { reason }) => reason.code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(change(|run| run.suite.version = "2.0.0".into()), "other-suite");
    assert_eq!(change(|run| run.suite.digest = "99".repeat(32)), "other-suite");
    assert_eq!(change(|run| run.suite.quick = true), "quick-and-full");
    assert_eq!(change(|run| run.simulated = true), "simulated-and-real");
    assert_eq!(change(|run| run.workloads[0].version = "0.2.0".into()), "other-workload");
    assert_eq!(change(|run| run.workloads[0].params = serde_json::json!({ "answer": 7 })), "other-parameters");
    assert_eq!(change(|run| run.workloads[0].phases[0].variables[0].value = 256.0), "other-phase");
}

#[test]
fn counts_have_no_verdict() {
    let found = compare(&[run("a", &STEADY), run("b", &FASTER)]).unwrap();
    let cell = row(&found.rows, "output_tokens").cells[1].clone().unwrap();
    assert_eq!((cell.verdict, cell.ratio), (None, Some(1.0)));
}

#[test]
fn other_differences_are_warnings() {
    let mut other = run("b", &FASTER);
    other.model.quantization = Some("Q8_0".into());
    other.model.digests[0].hex = "77".repeat(32);
    other.backend.as_mut().unwrap().version = Some("2".into());
    other.client.limited = true;
    other.condition_flags = vec![Note::new("on-battery", "The machine ran on a battery.")];
    let found = compare(&[run("a", &STEADY), other]).unwrap();
    let codes: Vec<&str> = found.warnings.iter().map(|warning| warning.note.code.as_str()).collect();
    assert_eq!(codes, ["client-limited", "on-battery", "other-quantization", "other-weights", "other-backend"]);
    assert!(found.warnings.iter().all(|warning| warning.run == 1));
    assert!(found.warnings[2].note.message.contains("Q4_0") && found.warnings[2].note.message.contains("Q8_0"));
}

#[test]
fn a_phase_that_one_run_lacks_is_an_empty_cell() {
    let mut other = run("b", &FASTER);
    other.workloads[0].phases[0].id = "elsewhere".into();
    let found = compare(&[run("a", &STEADY), other]).unwrap();
    let decode: Vec<_> = found.rows.iter().filter(|row| row.metric == "decode_tps").collect();
    assert_eq!(decode.len(), 2);
    assert!(decode[0].cells[1].is_none() && decode[1].cells[0].is_none());
    assert_eq!(decode[1].cells[1].as_ref().unwrap().verdict, None);
}

#[test]
fn one_run_is_nothing_to_compare() {
    assert_eq!(compare(&[run("a", &STEADY)]).unwrap_err().code(), "nothing-to-compare");
    assert_eq!(compare(&[]).unwrap_err().code(), "nothing-to-compare");
}

#[test]
fn the_interval_of_a_ratio_is_that_of_the_delta_method() {
    let of = |values: [f64; 3]| Distribution::of((0..).zip(values)).unwrap();
    let found = ratio_interval(&of([9.0, 10.0, 11.0]), &of([20.0, 20.0, 20.0])).unwrap();
    // Standard error 1 / √3 of a mean of 10; all the variance on one side leaves its 2 degrees of freedom.
    let reach = 4.3027 * (1.0 / 3.0_f64.sqrt() / 10.0);
    assert!((found.low - 2.0 * (-reach).exp()).abs() < 1e-9);
    assert!((found.high - 2.0 * reach.exp()).abs() < 1e-9);
}
