//! Two runs side by side: the metrics of their workloads, and below them the scores of their eval tasks.

use bench_metrics::Difference;
use bench_record::compare::{Cell, Clusters, Comparison, Row, ScoreCell, ScoreVerdict, Verdict};

use super::evals::task_name;
use super::{align_numbers, table};
use crate::numbers::{figure, known};

/// What is shown unless everything is asked for: one number for each thing that people compare engines by.
const SHOWN: [&str; 10] = [
    "ttft_ms",
    "ttft_intended_ms",
    "prefill_tps",
    "decode_tps",
    "tpot_ms",
    "decode_p95_latency_ms",
    "itl_chunk.p95_ms",
    "e2e_ms",
    "aggregate_tps",
    "request_rate",
];

/// The reference and one other run; all metrics, or the usual ones.
pub fn text(comparison: &Comparison, other: usize, all: bool) -> String {
    let parts = [
        (!comparison.rows.is_empty() || comparison.scores.is_empty()).then(|| speeds(comparison, other, all)),
        (!comparison.scores.is_empty()).then(|| scores(comparison, other)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

fn title(comparison: &Comparison, run: usize) -> String {
    comparison.runs.get(run).map_or_else(String::new, |run| run.id.to_string())
}

/// The headlines of eval tasks.
fn scores(comparison: &Comparison, other: usize) -> String {
    let [reference, value] = [0, other].map(|run| title(comparison, run));
    let mut scores = table(&[
        "task",
        "metric",
        &reference,
        &value,
        "difference",
        "95 % interval",
        "detectable",
        "items up",
        "down",
        "verdict",
        "by",
    ]);
    for row in &comparison.scores {
        let [old, new] = [0, other].map(|run| row.cells.get(run).and_then(Option::as_ref));
        let difference = new.and_then(|cell| cell.difference.as_ref());
        let count = |of: fn(&ScoreCell) -> u32| match (new, difference) {
            (Some(cell), Some(_)) => of(cell).to_string(),
            _ => dash(),
        };
        scores.add_row([
            task_name(&row.task, row.format.as_deref()),
            row.metric.clone(),
            known(old.and_then(|cell| cell.value)),
            known(new.and_then(|cell| cell.value)),
            difference.map_or_else(dash, |found| signed(found.mean)),
            difference.and_then(interval).unwrap_or_else(dash),
            known(difference.and_then(|found| found.detectable)),
            count(|cell| cell.items_higher),
            count(|cell| cell.items_lower),
            new.map_or_else(dash, score_verdict),
            difference.map_or_else(dash, |found| format!("{}, {} items", found.method.name(), found.pairs)),
        ]);
    }
    align_numbers(&mut scores, 2);
    scores.to_string()
}

fn score_verdict(cell: &ScoreCell) -> String {
    match &cell.verdict {
        Some(ScoreVerdict::Better) => "better".to_owned(),
        Some(ScoreVerdict::Worse) => "worse".to_owned(),
        Some(ScoreVerdict::NoDifferenceShown) => "no difference shown".to_owned(),
        Some(ScoreVerdict::NotComparable { reason }) => format!("not comparable: {}", reason.code),
        None => dash(),
    }
}

/// The metrics of workloads, of the reference and one other run.
fn speeds(comparison: &Comparison, other: usize, all: bool) -> String {
    let [reference, value] = [0, other].map(|run| title(comparison, run));
    let mut speeds = table(&[
        "workload",
        "metric",
        "unit",
        &reference,
        &value,
        "difference of means",
        "95 % interval",
        "detectable",
        "verdict",
        "by",
    ]);
    let at = |row: &Row, run: usize| row.cells.get(run).cloned().flatten();
    for row in comparison.rows.iter().filter(|row| all || SHOWN.contains(&row.metric.as_str())) {
        let (reference, value) = (at(row, 0), at(row, other));
        let median = |cell: &Option<Cell>| cell.as_ref().map_or_else(dash, |cell| figure(cell.value));
        let difference = value.as_ref().and_then(|cell| cell.difference.as_ref());
        speeds.add_row([
            format!("{} {}", row.label, row.phase),
            row.metric.clone(),
            row.unit.clone(),
            median(&reference),
            median(&value),
            difference.map_or_else(dash, |found| with_share(found, found.mean)),
            difference.and_then(interval).unwrap_or_else(dash),
            difference.and_then(detectable).unwrap_or_else(dash),
            value.as_ref().map_or_else(dash, verdict),
            value.as_ref().map_or_else(dash, basis),
        ]);
    }
    align_numbers(&mut speeds, 3);
    speeds.to_string()
}

fn dash() -> String {
    "–".to_owned()
}

fn signed(value: f64) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}", figure(value))
}

/// A difference with its sign, and as a share of the reference's mean.
fn with_share(of: &Difference, value: f64) -> String {
    let share = of.share(value).map(|share| format!(" ({:+.1} %)", 100.0 * share)).unwrap_or_default();
    format!("{}{share}", signed(value))
}

fn interval(of: &Difference) -> Option<String> {
    Some(format!("{} … {}", signed(of.low?), signed(of.high?)))
}

/// The least difference that would be shown in four of five comparisons of this size.
fn detectable(of: &Difference) -> Option<String> {
    let share = of.detectable_share.map(|share| format!(" ({:.1} %)", 100.0 * share)).unwrap_or_default();
    Some(format!("{}{share}", figure(of.detectable?)))
}

fn verdict(cell: &Cell) -> String {
    match &cell.verdict {
        Some(Verdict::Faster) => "faster".to_owned(),
        Some(Verdict::Slower) => "slower".to_owned(),
        Some(Verdict::NoDifferenceShown) => "no difference shown".to_owned(),
        Some(Verdict::NotComparable { reason }) => format!("not comparable: {}", reason.code),
        None => dash(),
    }
}

/// What the interval rests on: the method, and how many independent units.
fn basis(cell: &Cell) -> String {
    let Some(difference) = &cell.difference else { return dash() };
    let units = match cell.clusters {
        Some(Clusters::Sessions) => "sessions",
        _ => "repeats",
    };
    let (ours, theirs) = (difference.clusters, difference.other_clusters);
    let count = if ours == theirs { ours.to_string() } else { format!("{ours} and {theirs}") };
    format!("{}, {count} {units}", difference.method.name())
}
