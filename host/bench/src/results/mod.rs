//! The result of a run as text: one table that compares the phases, below it what there is to say of each workload and phase, and
//! at the end what is to be known of the client and the machine. What has nothing to say is left out.

mod client;
mod comparison;
mod evals;
mod load;
mod names;
mod percentiles;
pub mod samples;

use std::fmt::{Display, Formatter};

use bench_record::{FitKind, PhaseRecord, PhaseStatus, RunRecord, WorkloadRecord, WorkloadStatus};
use bench_text::{clean_name, clean_sentence, clean_text};
use comfy_table::{CellAlignment, presets};

use crate::numbers::{figure, known};
use crate::{output, plot};

pub use comparison::text as comparison;
pub use names::in_kebab_case;

/// A table without rules, which can be copied and read by a program. Each cell is a text of others until it has been cleaned,
/// so that a row is always one line.
pub struct Table(comfy_table::Table);

impl Table {
    /// Adds a row.
    pub fn add_row<I: IntoIterator<Item: Display>>(&mut self, cells: I) {
        self.0.add_row(cells.into_iter().map(show_cell));
    }

    /// How many rows there are below the header.
    pub fn row_count(&self) -> usize {
        self.0.row_count()
    }
}

impl Display for Table {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

/// Characters of a cell: a name, or a few in a list.
const LONGEST_CELL: usize = 400;

fn show_cell(text: impl Display) -> String {
    clean_text(text, LONGEST_CELL).to_string()
}

/// An empty table.
pub fn table(header: &[&str]) -> Table {
    let mut table = comfy_table::Table::new();
    table.load_style(presets::NOTHING).set_header(header.iter().map(show_cell));
    Table(table)
}

/// Everything but the first columns is a number.
pub fn align_numbers(table: &mut Table, from: usize) {
    for column in table.0.column_iter_mut().skip(from) {
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
    text.push_str(&evals::text(record));
    text.push_str(&footer(record));
    text
}

fn heading(record: &RunRecord) -> String {
    let backend = record.backend.as_ref().map_or_else(String::new, |backend| {
        let version = backend.version.as_deref().unwrap_or("(version unknown)");
        format!("{} {}", clean_name(&backend.name), clean_name(version))
    });
    let quantization = record.model.quantization.as_deref().map_or_else(String::new, |q| format!(" {}", clean_name(q)));
    let mut text = format!(
        "run {}\n{backend} at {}, model {}{quantization}, {} {}{}\n",
        clean_name(&record.id),
        clean_sentence(&record.endpoint.url),
        clean_name(&record.model.id),
        clean_name(&record.suite.name),
        clean_name(&record.suite.version),
        if record.suite.quick { " (quick)" } else { "" },
    );
    if record.simulated {
        text.push_str("SIMULATION: these numbers say nothing about any model\n");
    }
    if let Some(machine) = &record.machine {
        text.push_str(&format!("client machine: {}\n", clean_sentence(machine.headline())));
    }
    if let Some(load) = &record.load {
        text.push_str(&format!("load: {}\n", clean_sentence(load)));
    }
    if let Some(ab) = &record.ab {
        text.push_str(&format!(
            "side {} of two that were measured in turns; the other is {}\n",
            clean_name(&ab.side),
            clean_name(&ab.other)
        ));
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

/// What a workload says beyond the main table: its own headline, its curves, its percentiles, and of each phase how its load went
/// and what is odd.
fn extras(workload: &WorkloadRecord) -> String {
    let mut text = format!("\n{}", clean_name(&workload.label));
    if workload.label != workload.name {
        text.push_str(&format!(" {}", clean_name(&workload.name)));
    }
    match workload.status {
        WorkloadStatus::Completed => {}
        WorkloadStatus::Failed => text.push_str(" FAILED"),
        WorkloadStatus::Skipped => text.push_str(" skipped"),
        WorkloadStatus::Cancelled => text.push_str(" not run"),
    }
    if let Some(problem) = &workload.problem {
        text.push_str(&format!(": {}", output::noted(&problem.message, &problem.code)));
    }
    text.push('\n');
    let headline: Vec<String> = workload
        .headline
        .iter()
        .map(|metric| format!("{} {} {}", clean_name(&metric.name), known(metric.value), clean_name(&metric.unit)))
        .collect();
    if !headline.is_empty() {
        text.push_str(&format!("  {}\n", headline.join(", ")));
    }
    for curve in &workload.curves {
        text.push_str(&plot::curve(curve));
    }
    text.push_str(&percentiles::table(workload));
    for phase in &workload.phases {
        text.push_str(&load::lines(phase));
        text.push_str(&remarks(phase));
    }
    text
}

/// What is odd about a phase.
fn remarks(phase: &PhaseRecord) -> String {
    let mut text = String::new();
    let mut remark = |words: String| text.push_str(&format!("  {}: {words}\n", clean_name(&phase.id)));
    if let Some(reason) = &phase.skip_reason {
        remark(format!("skipped: {}", clean_sentence(reason)));
    }
    if phase.prompt_fit == Some(FitKind::Nominal) {
        remark("prompt lengths are estimates, or could not be met".to_owned());
    }
    for turn in &phase.skipped_turns {
        remark(clean_sentence(&turn.message).to_string());
    }
    for flag in &phase.summary.flags {
        remark(format!("flag {} on {} requests", clean_name(&flag.code), flag.count));
    }
    for problem in &phase.summary.problems {
        remark(format!("{} requests ended with {}", problem.count, clean_name(&problem.code)));
    }
    text
}

fn footer(record: &RunRecord) -> String {
    let mut text = format!("\n{}", client::lines(record));
    for flag in &record.condition_flags {
        text.push_str(&format!("flag {}: {}\n", clean_name(&flag.code), clean_sentence(&flag.message)));
    }
    if let Some(route) = &record.endpoint.route {
        let through =
            route.proxy.as_ref().map(|proxy| format!(" through the proxy {}", clean_name(proxy))).unwrap_or_default();
        text.push_str(&format!("reached{through} with certificates: {}\n", clean_name(&route.certificates)));
    }
    if !record.left_out.is_empty() {
        let fields: Vec<String> = record.left_out.iter().map(clean_name).map(|name| name.to_string()).collect();
        text.push_str(&format!(
            "left out of requests, which the model or service does not take: {}\n",
            fields.join(", ")
        ));
    }
    for problem in &record.problems {
        text.push_str(&format!("problem {}: {}\n", clean_name(&problem.code), clean_sentence(&problem.message)));
    }
    if !record.publishable.ok {
        let reasons: Vec<&str> = record.publishable.reasons.iter().map(|reason| reason.code.as_str()).collect();
        text.push_str(&format!("not publishable: {}\n", clean_sentence(reasons.join(", "))));
    }
    text
}

/// A table as part of a text that is indented by so many spaces. The style itself puts one space before the first column.
fn indented(table: &Table, by: usize) -> String {
    let margin = " ".repeat(by.saturating_sub(1));
    table.0.lines().map(|line| format!("{margin}{}\n", line.trim_end())).collect()
}
