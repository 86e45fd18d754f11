//! The result of a run as a table.

use bench_metrics::ErrorBar;
use bench_record::{Calibration, FitKind, PhaseRecord, PhaseStatus, RunRecord, WorkloadRecord, WorkloadStatus};
use comfy_table::{CellAlignment, Table, presets};

use crate::numbers::{figure, known};
use crate::plot;

/// A table without rules, which can be copied and read by a program.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.to_vec());
    table
}

/// Everything but the first columns is a number.
pub fn align_numbers(table: &mut Table, from: usize) {
    for column in table.column_iter_mut().skip(from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

/// What the columns of the main table are: title, metric, unit.
const COLUMNS: [(&str, &str); 6] = [
    ("TTFT ms", "ttft_ms"),
    ("prefill tok/s", "prefill_tps"),
    ("decode tok/s", "decode_tps"),
    ("ITL p50 ms", "decode_p50_latency_ms"),
    ("ITL p95 ms", "decode_p95_latency_ms"),
    ("total tok/s", "aggregate_tps"),
];

/// A value with the half-width of its interval, where there is one, and with the client's own error in it, where that was
/// measured.
fn cell(record: &RunRecord, phase: &PhaseRecord, metric: &str) -> String {
    let Some(values) = phase.summary.metrics.get(metric) else { return "–".to_owned() };
    let value = match values.half_width {
        Some(half) => format!("{} ±{}", figure(values.median), figure(half)),
        None => figure(values.median),
    };
    let calibration = record.client.calibration_for(phase.concurrency());
    match calibration.and_then(|calibration| calibration.error_of(metric)) {
        Some(error) => format!("{value} [{}]", figure(error.p99_ms.unwrap_or(error.max_ms))),
        None => value,
    }
}

fn tokens(phase: &PhaseRecord) -> String {
    let of = |metric: &str| phase.summary.metrics.get(metric).map(|values| values.median);
    format!("{}→{}", known(of("prompt_tokens")), known(of("output_tokens")))
}

/// The run as text.
pub fn run(record: &RunRecord) -> String {
    let mut text = heading(record);
    let mut main = table(&[&["workload", "tokens", "ok"][..], &COLUMNS.map(|(title, _)| title)[..]].concat());
    for workload in &record.workloads {
        for phase in &workload.phases {
            if phase.status != PhaseStatus::Skipped {
                main.add_row(row(record, workload, phase));
            }
        }
    }
    align_numbers(&mut main, 1);
    if main.row_count() > 0 {
        text.push_str(&format!("\n{main}\n"));
        text.push_str("\nmedians; ± is half the 95 % interval over repeats; – is not known or not enough samples\n");
        if !record.client.calibrations.is_empty() {
            text.push_str(
                "[ ] is the client's own error: 99 % of the times were at most so far off, else the largest seen\n",
            );
        }
    }
    for workload in &record.workloads {
        text.push_str(&extras(workload));
    }
    text.push_str(&footer(record));
    text
}

fn heading(record: &RunRecord) -> String {
    let backend = record.backend.as_ref().map_or_else(String::new, |backend| {
        format!("{} {}", backend.name, backend.version.as_deref().unwrap_or("(version unknown)"))
    });
    let quantization = record.model.quantization.as_deref().map_or_else(String::new, |q| format!(" {q}"));
    let mut text = format!(
        "run {}\n{backend} at {}, model {}{quantization}, {} {}{}\n",
        record.id,
        record.endpoint.url,
        record.model.id,
        record.suite.name,
        record.suite.version,
        if record.suite.quick { " (quick)" } else { "" },
    );
    if record.simulated {
        text.push_str("SIMULATION: these numbers say nothing about any model\n");
    }
    if let Some(machine) = &record.machine {
        text.push_str(&format!("client machine: {}\n", machine.headline()));
    }
    text
}

fn row(record: &RunRecord, workload: &WorkloadRecord, phase: &PhaseRecord) -> Vec<String> {
    let several = workload.phases.len() > 1;
    let name = if several { format!("{} {}", workload.label, phase.id) } else { workload.label.clone() };
    let asked = phase.summary.completed + phase.summary.failed + phase.summary.not_sent;
    let mut row = vec![name, tokens(phase), format!("{}/{asked}", phase.summary.completed)];
    row.extend(COLUMNS.iter().map(|(_, metric)| cell(record, phase, metric)));
    row
}

/// What a workload says beyond the main table: its own headline, its curves, what was skipped, what failed.
fn extras(workload: &WorkloadRecord) -> String {
    let mut text = format!("\n{} {}", workload.label, workload.name);
    match workload.status {
        WorkloadStatus::Completed => {}
        WorkloadStatus::Failed => text.push_str(" FAILED"),
        WorkloadStatus::Skipped => text.push_str(" skipped"),
        WorkloadStatus::Cancelled => text.push_str(" not run"),
    }
    if let Some(problem) = &workload.problem {
        text.push_str(&format!(": {} [{}]", problem.message, problem.code));
    }
    text.push('\n');
    let headline: Vec<String> = workload
        .headline
        .iter()
        .map(|metric| format!("{} {} {}", metric.name, known(metric.value), metric.unit))
        .collect();
    if !headline.is_empty() {
        text.push_str(&format!("  {}\n", headline.join(", ")));
    }
    for curve in &workload.curves {
        text.push_str(&plot::curve(curve));
    }
    for phase in &workload.phases {
        if let Some(reason) = &phase.skip_reason {
            text.push_str(&format!("  {} skipped: {reason}\n", phase.id));
        }
        if phase.prompt_fit == Some(FitKind::Nominal) {
            text.push_str(&format!("  {}: prompt lengths are estimates, or could not be met\n", phase.id));
        }
        for turn in &phase.skipped_turns {
            text.push_str(&format!("  {}: {}\n", phase.id, turn.message));
        }
        for flag in &phase.summary.flags {
            text.push_str(&format!("  {}: flag {} on {} requests\n", phase.id, flag.code, flag.count));
        }
        for problem in &phase.summary.problems {
            text.push_str(&format!("  {}: {} requests ended with {}\n", phase.id, problem.count, problem.code));
        }
    }
    text
}

/// How wrong the client's times are at one load.
fn error_line(calibration: &Calibration) -> String {
    let bar = |bar: Option<&ErrorBar>| match bar {
        Some(bar) => format!("p50 {}, p99 {}", figure(bar.p50_ms), known(bar.p99_ms)),
        None => "–".to_owned(),
    };
    format!(
        "\nclient error in ms at {} streams, stamps by {}: TTFT {}; ITL {} ({} events against {})\n",
        calibration.streams,
        calibration.stamp_source,
        bar(calibration.ttft.as_ref()),
        bar(calibration.itl.as_ref()),
        calibration.events,
        calibration.against,
    )
}

fn footer(record: &RunRecord) -> String {
    let mut text = String::new();
    for flag in &record.condition_flags {
        text.push_str(&format!("\nflag {}: {}", flag.code, flag.message));
    }
    for calibration in &record.client.calibrations {
        text.push_str(&error_line(calibration));
    }
    if !record.publishable.ok {
        let reasons: Vec<&str> = record.publishable.reasons.iter().map(|reason| reason.code.as_str()).collect();
        text.push_str(&format!("\nnot publishable: {}\n", reasons.join(", ")));
    }
    text
}
