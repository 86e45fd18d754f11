//! `bench compare`.

use bench_metrics::Difference;
use bench_record::Store;
use bench_record::compare::{Cell, Clusters, Comparison, Row, Verdict, compare as side_by_side};

use crate::cli::CompareArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::numbers::figure;
use crate::{folders, output, results};

/// Compares stored runs with the first of them.
pub fn compare(args: &CompareArgs) -> Outcome {
    let store = Store::new(folders::folders().runs);
    let records = args.runs.iter().map(|run| store.load(run)).collect::<Result<Vec<_>, _>>()?;
    let comparison = side_by_side(&records).map_err(Failure::from)?;
    if args.json {
        output::json(&comparison);
        return Ok(Exit::Success);
    }
    show(&comparison, args.all);
    Ok(Exit::Success)
}

/// Prints a comparison for people: the usual metrics, or all of them.
pub fn show(comparison: &Comparison, all: bool) {
    for warning in &comparison.warnings {
        let run = comparison.runs.get(warning.run).map_or_else(String::new, |run| run.id.to_string());
        output::warning(&format!("{run}: {} [{}]", warning.note.message, warning.note.code), None);
    }
    for note in &comparison.notes {
        output::warning(&format!("{} [{}]", note.message, note.code), note.hint.as_deref());
    }
    for other in 1..comparison.runs.len() {
        output::data(&output::printable(&table(comparison, other, all)));
    }
}

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

/// The reference and one other run.
fn table(comparison: &Comparison, other: usize, all: bool) -> String {
    let title = |run: usize| comparison.runs.get(run).map_or_else(String::new, |run| run.id.to_string());
    let (reference, value) = (title(0), title(other));
    let mut table = results::table(&[
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
        table.add_row([
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
    results::align_numbers(&mut table, 3);
    table.to_string()
}

fn dash() -> String {
    "–".to_owned()
}

/// A difference with its sign, and as a share of the reference's mean.
fn with_share(of: &Difference, value: f64) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    let share = of.share(value).map(|share| format!(" ({:+.1} %)", 100.0 * share)).unwrap_or_default();
    format!("{sign}{}{share}", figure(value))
}

fn interval(of: &Difference) -> Option<String> {
    let sign = |value: f64| if value > 0.0 { "+" } else { "" };
    let (low, high) = (of.low?, of.high?);
    Some(format!("{}{} … {}{}", sign(low), figure(low), sign(high), figure(high)))
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
