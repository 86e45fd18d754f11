//! Which differences are claimed, and which are not.

use bench_metrics::Method;
use bench_record::compare::{Cell, Clusters, Row, Verdict, compare};
use bench_record::{AbLink, Note, RunRecord};

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
    let difference = cell.difference.as_ref().unwrap();
    // From 100 tokens per second to 200.
    assert!((difference.mean - 100.0).abs() < 0.1 && (difference.share(difference.mean).unwrap() - 1.0).abs() < 1e-3);
    assert!(difference.low.unwrap() > 97.0 && difference.high.unwrap() < 103.0);
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
    let difference = cell.difference.unwrap();
    assert_eq!((cell.verdict, difference.low, difference.detectable), (Some(Verdict::NoDifferenceShown), None, None));
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

fn cell(reference: &RunRecord, other: &RunRecord, metric: &str) -> Cell {
    let found = compare(&[reference.clone(), other.clone()]).unwrap();
    row(&found.rows, metric).cells[1].clone().unwrap()
}

#[test]
fn twins_are_compared_with_each_other() {
    // The repeats differ much more than the runs do; only the pairs show that every one is a tenth slower.
    let gaps = [4_000, 8_000, 12_000, 16_000, 20_000];
    let reference = run("a", &gaps);
    let slower = run("b", &gaps.map(|gap| gap * 11 / 10));
    let found = cell(&reference, &slower, "tpot_ms");
    let difference = found.difference.unwrap();
    assert_eq!((difference.method, difference.pairs, difference.clusters), (Method::PairedT, 5, 5));
    assert_eq!((found.clusters, found.verdict), (Some(Clusters::Repeats), Some(Verdict::Slower)));
    // The differences are 0.4, 0.8, …, 2 ms: mean 1.2, standard deviation 0.4 · √2.5, t for 4 degrees of freedom 2.7764.
    let error = 0.4 * 2.5_f64.sqrt() / 5.0_f64.sqrt();
    assert!((difference.mean - 1.2).abs() < 1e-6 && (difference.low.unwrap() - (1.2 - 2.7764 * error)).abs() < 1e-4);
    // (2.7764 + 0.9410) standard errors are needed to be seen in four of five cases.
    assert!((difference.detectable.unwrap() - 3.7174 * error).abs() < 1e-3);
    assert!((difference.median.unwrap() - 1.2).abs() < 1e-6);

    // The same requests at other places have no twins, and then nothing is shown.
    let mut elsewhere = slower;
    for request in &mut elsewhere.workloads[0].phases[0].requests {
        request.turn_id = "another-question".into();
    }
    let found = cell(&reference, &elsewhere, "tpot_ms");
    let difference = found.difference.unwrap();
    assert_eq!((difference.method, difference.pairs), (Method::Welch, 0));
    assert_eq!(found.verdict, Some(Verdict::NoDifferenceShown));
}

#[test]
fn a_single_repeat_is_compared_by_its_sessions() {
    let one_repeat = |id: &str, gaps: &[u64]| {
        let mut run = run(id, gaps);
        let phase = &mut run.workloads[0].phases[0];
        for request in &mut phase.requests {
            request.repeat = 0;
        }
        phase.windows.truncate(1);
        phase.summary = phase.summarise();
        run
    };
    let found = cell(&one_repeat("a", &STEADY), &one_repeat("b", &FASTER), "tpot_ms");
    assert_eq!((found.clusters, found.verdict), (Some(Clusters::Sessions), Some(Verdict::Faster)));
    assert_eq!(found.difference.unwrap().clusters, 5);
    // One value of the whole phase shows nothing by itself.
    let rate = cell(&one_repeat("a", &STEADY), &one_repeat("b", &FASTER), "aggregate_tps");
    assert_eq!((rate.verdict, rate.difference.unwrap().low), (Some(Verdict::NoDifferenceShown), None));
}

#[test]
fn metrics_of_a_phase_are_paired_by_repeat() {
    let mut fast = run("b", &FASTER);
    let phase = &mut fast.workloads[0].phases[0];
    for window in &mut phase.windows {
        window.closed_ns /= 2;
    }
    phase.summary = phase.summarise();
    let found = cell(&run("a", &STEADY), &fast, "aggregate_tps");
    let difference = found.difference.unwrap();
    // 20 tokens in 0.5 s, and in 0.25 s.
    assert_eq!((difference.method, difference.pairs, difference.reference_mean), (Method::PairedT, 5, 40.0));
    assert_eq!((difference.mean, found.verdict), (40.0, Some(Verdict::Faster)));
}

#[test]
fn warm_up_and_failed_requests_have_no_part() {
    let mut other = run("b", &FASTER);
    let requests = &mut other.workloads[0].phases[0].requests;
    requests[0].warmup = true;
    requests[1].status = bench_record::RequestStatus::Failed;
    let found = cell(&run("a", &STEADY), &other, "tpot_ms");
    assert_eq!(found.difference.unwrap().pairs, 3);
}

#[test]
fn the_verdicts_come_with_what_to_keep_in_mind() {
    let (a, b) = (run("a", &STEADY), run("b", &FASTER));
    let codes = |runs: &[RunRecord]| compare(runs).unwrap().notes.into_iter().map(|note| note.code).collect::<Vec<_>>();
    assert!(codes(&[a.clone(), b.clone()]).contains(&"not-interleaved".to_owned()));
    let mut taking_turns = b.clone();
    taking_turns.ab = Some(AbLink { other: a.id.clone(), side: "b".into() });
    assert!(!codes(&[a.clone(), taking_turns]).contains(&"not-interleaved".to_owned()));
    let many = codes(&[a, b.clone(), b.clone(), b]);
    assert!(many.contains(&"many-verdicts".to_owned()), "{many:?}");
}

#[test]
fn a_comparison_reads_back_as_written() {
    let found = compare(&[run("a", &STEADY), run("b", &FASTER)]).unwrap();
    let json = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<bench_record::compare::Comparison>(&json).unwrap(), found);
}
