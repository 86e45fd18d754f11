//! Which differences between the scores of two runs are claimed, and which are not.

use std::collections::BTreeMap;

use bench_metrics::Method;
use bench_record::compare::{GradedSample, ScoreCell, ScoreVerdict, compare_scores};
use bench_record::{EstimateRecord, EvalRecord, EvalStatus, RunRecord, ScorerIdentity};

use super::fixture::run;

/// A run of one task that `scorer` graded.
fn graded(id: &str, scorer: &str) -> RunRecord {
    let estimate = EstimateRecord {
        name: "accuracy".to_owned(),
        value: Some(0.5),
        higher_is_better: Some(true),
        ..EstimateRecord::default()
    };
    let eval = EvalRecord {
        task: "sums".to_owned(),
        title: "Sums".to_owned(),
        format: None,
        status: EvalStatus::Completed,
        problem: None,
        dataset: Default::default(),
        scorer: ScorerIdentity { name: scorer.to_owned(), ..ScorerIdentity::default() },
        judge: None,
        user: None,
        repeats: 1,
        estimates: vec![estimate],
        reasons: BTreeMap::new(),
        samples: Default::default(),
        tokens: Default::default(),
        cost_usd: None,
        seconds: 1.0,
        ttft_ms: None,
        e2e_ms: None,
        retries: BTreeMap::new(),
        concurrency: 1,
        backoff: Vec::new(),
        sensitivity: None,
        log: None,
        fuel: None,
        notes: Vec::new(),
    };
    RunRecord { evals: vec![eval], ..run(id, &[10_000]) }
}

/// Samples of these values, one an item.
fn samples(values: &[f64]) -> Vec<GradedSample> {
    let sample = |(number, value): (usize, &f64)| GradedSample {
        task: "sums".to_owned(),
        item: format!("item-{number}"),
        document_sha256: format!("{number:064x}"),
        cluster: None,
        value: Some(*value),
    };
    values.iter().enumerate().map(sample).collect()
}

fn cell(runs: [RunRecord; 2], samples: [Vec<GradedSample>; 2]) -> ScoreCell {
    let mut rows = compare_scores(&runs, &samples);
    let row = rows.pop().unwrap();
    assert!(rows.is_empty());
    assert_eq!((row.task.as_str(), row.metric.as_str(), row.cells.len()), ("sums", "accuracy", 2));
    assert_eq!(row.cells[0].as_ref().unwrap().verdict, None, "the reference has no verdict");
    row.cells[1].clone().unwrap()
}

fn both() -> [RunRecord; 2] {
    [graded("a", "match"), graded("b", "match")]
}

fn not_comparable(cell: &ScoreCell) -> &str {
    match &cell.verdict {
        Some(ScoreVerdict::NotComparable { reason }) if cell.difference.is_none() => &reason.code,
        other => panic!("{other:?}"),
    }
}

/// Half of the items right, then the same with so many of the wrong ones right, and so many of the right ones wrong.
fn halves(gained: usize, lost: usize) -> [Vec<GradedSample>; 2] {
    let before: Vec<f64> = (0..200).map(|number| f64::from(number % 2)).collect();
    let mut after = before.clone();
    (0..gained).for_each(|place| after[2 * place] = 1.0);
    (0..lost).for_each(|place| after[2 * place + 1] = 0.0);
    [samples(&before), samples(&after)]
}

#[test]
fn items_are_paired() {
    // 8 of 200 more are right, and none is wrong that was right. Scores of 200 items by themselves are known to 7 points.
    let found = cell(both(), halves(8, 0));
    let difference = found.difference.as_ref().unwrap();
    assert_eq!((difference.method, difference.pairs, difference.mean), (Method::PairedBca, 200, 0.04));
    assert_eq!((found.items_higher, found.items_lower), (8, 0));
    assert_eq!(found.verdict, Some(ScoreVerdict::Better));
    let [more, fewer] = halves(8, 0);
    assert_eq!(cell(both(), [fewer, more]).verdict, Some(ScoreVerdict::Worse));
}

#[test]
fn as_many_lost_as_gained_is_no_difference() {
    let found = cell(both(), halves(20, 18));
    assert_eq!((found.items_higher, found.items_lower), (20, 18));
    assert!(found.difference.as_ref().unwrap().low.unwrap() < 0.0);
    assert_eq!(found.verdict, Some(ScoreVerdict::NoDifferenceShown));
}

#[test]
fn equal_scores_have_no_interval() {
    let found = cell(both(), halves(0, 0));
    let difference = found.difference.unwrap();
    assert_eq!((difference.mean, difference.low, difference.detectable), (0.0, None, None));
    assert_eq!(found.verdict, Some(ScoreVerdict::NoDifferenceShown));
}

#[test]
fn less_is_better_where_the_metric_says_so() {
    let mut runs = both();
    runs.iter_mut().for_each(|run| run.evals[0].estimates[0].higher_is_better = Some(false));
    assert_eq!(cell(runs, halves(8, 0)).verdict, Some(ScoreVerdict::Worse));
}

#[test]
fn repeats_are_averaged_and_clusters_count_once() {
    let twice = |values: &[f64]| [samples(values), samples(values)].concat();
    let found =
        cell(both(), [twice(&[0.0, 0.0, 1.0, 1.0]), [samples(&[1.0; 4]), samples(&[0.0, 1.0, 1.0, 1.0])].concat()]);
    let difference = found.difference.unwrap();
    assert_eq!((difference.pairs, difference.clusters, difference.mean), (4, 4, 0.375));
    let clustered = halves(8, 0).map(|mut samples| {
        samples
            .iter_mut()
            .enumerate()
            .for_each(|(place, sample)| sample.cluster = Some(format!("text-{}", place / 100)));
        samples
    });
    let found = cell(both(), clustered);
    let difference = found.difference.unwrap();
    assert_eq!((difference.pairs, difference.clusters, difference.low), (200, 2, None));
    assert_eq!(found.verdict, Some(ScoreVerdict::NoDifferenceShown));
}

#[test]
fn scores_that_mean_something_else_are_not_compared() {
    let other_scorer = [graded("a", "match"), graded("b", "exact-match")];
    assert_eq!(not_comparable(&cell(other_scorer, halves(8, 0))), "other-scorer");
    let mut other_config = both();
    other_config[1].evals[0].scorer.config = serde_json::json!({ "ignore-case": true });
    assert_eq!(not_comparable(&cell(other_config, halves(8, 0))), "other-configuration");
    let mut other_suite = both();
    other_suite[1].suite.version = "9.9.9".to_owned();
    assert_eq!(not_comparable(&cell(other_suite, halves(8, 0))), "other-suite");
    let [before, mut after] = halves(8, 0);
    assert_eq!(not_comparable(&cell(both(), [before.clone(), Vec::new()])), "no-samples");
    after.iter_mut().skip(80).for_each(|sample| sample.document_sha256.push('0'));
    assert_eq!(not_comparable(&cell(both(), [before, after])), "other-items");
}

#[test]
fn a_task_that_one_run_lacks_has_an_empty_cell() {
    let [reference, mut other] = both();
    other.evals.clear();
    let rows = compare_scores(&[reference, other], &halves(8, 0));
    assert_eq!(rows[0].cells.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
}
