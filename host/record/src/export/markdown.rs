//! Tables for people, and the reference of all metrics.

use std::fmt::Write as _;

use bench_metrics::{Direction, Distribution, METRICS, MetricDef, Scope};
use bench_text::clean_sentence;

use super::Exporter;
use crate::{PhaseRecord, PhaseStatus, RecordError, RunRecord, WorkloadRecord, WorkloadStatus};

/// Metrics that are printed, in the order of the table; the record has the others.
const PRINTED: &[&str] = &[
    "ttft_ms",
    "prefill_tps",
    "decode_tps",
    "decode_p50_latency_ms",
    "decode_p95_latency_ms",
    "aggregate_tps",
    "output_tps",
    "turn_p50_ms",
    "turn_p95_ms",
    "window_ms",
    "prefix_cache_hit_rate",
    "draft_acceptance_rate",
    "prompt_tokens",
    "output_tokens",
    "total_output_tokens",
];

/// Markdown tables.
pub struct Markdown;

impl Exporter for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn extension(&self) -> &'static str {
        "md"
    }

    fn export(&self, runs: &[RunRecord]) -> Result<String, RecordError> {
        let mut out = String::new();
        let mut used = Vec::new();
        for run in runs {
            head(&mut out, run);
            for workload in &run.workloads {
                table(&mut out, workload, &mut used);
            }
        }
        if !used.is_empty() {
            out.push_str("## Definitions\n\n");
            for def in METRICS.iter().filter(|def| used.contains(&def.name)) {
                line(&mut out, &format!("- `{}` ({}): {}", def.name, def.unit, def.definition));
            }
        }
        Ok(out)
    }
}

/// Every metric with its unit, direction and definition, as a Markdown table for the documentation.
pub fn metric_reference() -> String {
    let mut out = String::from("| field | identifier | unit | better | of | definition |\n|---|---|---|---|---|---|\n");
    for def in METRICS {
        let better = match def.direction {
            Direction::Higher => "more",
            Direction::Lower => "less",
            Direction::Neutral => "–",
        };
        let scope = match def.scope {
            Scope::Request => "request",
            Scope::Phase => "phase",
        };
        line(
            &mut out,
            &format!("| `{}` | `{}` | {} | {better} | {scope} | {} |", def.name, def.id, def.unit, def.definition),
        );
    }
    out
}

fn head(out: &mut String, run: &RunRecord) {
    let unknown = || "unknown".to_owned();
    let backend = run.backend.as_ref().map_or_else(unknown, |backend| {
        format!("{} {}", backend.name, backend.version.as_deref().unwrap_or("(version unknown)"))
    });
    let quantization = run.model.quantization.clone().unwrap_or_else(unknown);
    line(out, &format!("# Run {}", cell(run.id.as_str())));
    out.push('\n');
    if run.simulated {
        out.push_str("**Simulation: these numbers are about this program, not about any engine.**\n\n");
    }
    if run.suite.quick {
        out.push_str("**Quick run: too few repeats to be compared with full ones.**\n\n");
    }
    out.push_str("| | |\n|---|---|\n");
    let suite = format!("{} {}", run.suite.name, run.suite.version);
    let rows = [
        ("started", run.started_at.clone()),
        ("backend", backend),
        ("endpoint", run.endpoint.url.clone()),
        ("model", run.model.id.clone()),
        ("quantisation", quantization),
        ("suite", suite),
        ("program", format!("bench {}", run.host.version)),
    ];
    for (name, value) in rows {
        line(out, &format!("| {name} | {} |", cell(&value)));
    }
    out.push('\n');
}

fn table(out: &mut String, workload: &WorkloadRecord, used: &mut Vec<&'static str>) {
    line(out, &format!("## {} {}", cell(&workload.label), cell(&workload.name)));
    out.push('\n');
    if workload.status != WorkloadStatus::Completed {
        let status = match workload.status {
            WorkloadStatus::Failed => "failed",
            WorkloadStatus::Skipped => "skipped",
            _ => "cancelled",
        };
        let why = workload.problem.as_ref().map_or("", |problem| &problem.message);
        line(out, &format!("{status}: {}", cell(why)));
        out.push('\n');
    }
    for phase in workload.phases.iter().filter(|phase| phase.status == PhaseStatus::Skipped) {
        line(out, &format!("{} skipped: {}", cell(&phase.id), cell(phase.skip_reason.as_deref().unwrap_or(""))));
        out.push('\n');
    }
    let phases: Vec<&PhaseRecord> = workload.phases.iter().filter(|phase| !phase.summary.metrics.is_empty()).collect();
    if phases.is_empty() {
        return;
    }
    let names: Vec<String> = phases.iter().map(|phase| cell(&phase.id)).collect();
    line(out, &format!("| metric | unit | {} |", names.join(" | ")));
    line(out, &format!("|---|---|{}", "--:|".repeat(phases.len())));
    for def in PRINTED.iter().filter_map(|name| bench_metrics::definition(name)) {
        let values: Vec<Option<&Distribution>> =
            phases.iter().map(|phase| phase.summary.metrics.get(def.name)).collect();
        if values.iter().any(Option::is_some) {
            metric_row(out, def, &values);
            used.push(def.name);
        }
    }
    let counts: Vec<String> =
        phases.iter().map(|phase| format!("{} of {}", phase.summary.completed, phase.summary.requests)).collect();
    line(out, &format!("| completed | requests | {} |", counts.join(" | ")));
    out.push('\n');
}

fn metric_row(out: &mut String, def: &MetricDef, values: &[Option<&Distribution>]) {
    let numbers: Vec<String> = values
        .iter()
        .map(|value| match value {
            Some(Distribution { median, half_width: Some(half), .. }) => {
                format!("{} ± {}", number(*median), number(*half))
            }
            Some(Distribution { median, .. }) => number(*median),
            None => "–".to_owned(),
        })
        .collect();
    line(out, &format!("| `{}` | {} | {} |", def.name, def.unit, numbers.join(" | ")));
}

/// Four significant digits; whole numbers as they are.
fn number(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e15 {
        return format!("{value:.0}");
    }
    let digits = 3 - (value.abs().log10().floor() as i32).clamp(-6, 3);
    format!("{value:.*}", usize::try_from(digits).unwrap_or(0))
}

fn line(out: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

/// A text of others, without the power to break a table, to be taken for markup or to reach a terminal.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean_sentence(text).to_string().chars() {
        match c {
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}
