//! One line per metric of a phase and of each of its stages, after RFC 4180, for spreadsheets and data frames.

use std::fmt::Write as _;

use bench_metrics::{Goodput, METRICS, Summary};

use super::Exporter;
use crate::{PhaseRecord, RecordError, RunRecord, StageRecord, WorkloadRecord};

/// Comma-separated values with a header line.
pub struct Csv;

const HEADER: &str = "run,started_at,backend,backend_version,model,quantization,suite,suite_version,quick,simulated,workload,phase,\
                      variables,metric,unit,median,mean,sd,min,max,p90,p95,p99,half_width,n,repeats,load,slo,stage,asked_rate,\
                      achieved_rate,goodput_share,goodput_rate,client_error_p50_ms,client_error_p99_ms,stamp_source";

impl Exporter for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn extension(&self) -> &'static str {
        "csv"
    }

    fn export(&self, runs: &[RunRecord]) -> Result<String, RecordError> {
        let mut out = format!("{HEADER}\r\n");
        for run in runs {
            for workload in &run.workloads {
                for phase in &workload.phases {
                    let place = Place { run, workload, phase };
                    place.lines(&mut out, &Part::whole(phase));
                    for stage in &phase.stages {
                        place.lines(&mut out, &Part::stage(stage));
                    }
                }
            }
        }
        Ok(out)
    }
}

/// A phase, or a stage of one.
struct Part<'a> {
    stage: &'a str,
    summary: &'a Summary,
    asked: Option<f64>,
    achieved: Option<f64>,
    goodput: Option<&'a Goodput>,
}

impl<'a> Part<'a> {
    fn whole(phase: &'a PhaseRecord) -> Self {
        let pacing = phase.pacing.as_ref();
        Self {
            stage: "",
            summary: &phase.summary,
            asked: pacing.and_then(|pacing| pacing.asked_rate),
            achieved: pacing.and_then(|pacing| pacing.achieved_rate),
            goodput: phase.goodput.as_ref(),
        }
    }

    fn stage(stage: &'a StageRecord) -> Self {
        Self {
            stage: &stage.name,
            summary: &stage.summary,
            asked: stage.asked_rate,
            achieved: stage.achieved_rate,
            goodput: stage.goodput.as_ref(),
        }
    }
}

/// Where numbers stand.
struct Place<'a> {
    run: &'a RunRecord,
    workload: &'a WorkloadRecord,
    phase: &'a PhaseRecord,
}

impl Place<'_> {
    /// A line per metric.
    fn lines(&self, out: &mut String, part: &Part<'_>) {
        let Self { run, workload, phase } = self;
        let backend = run.backend.as_ref();
        let about = [
            run.id.as_str(),
            &run.started_at,
            backend.map_or("", |b| &b.name),
            backend.and_then(|b| b.version.as_deref()).unwrap_or(""),
            &run.model.id,
            run.model.quantization.as_deref().unwrap_or(""),
            &run.suite.name,
            &run.suite.version,
            if run.suite.quick { "true" } else { "false" },
            if run.simulated { "true" } else { "false" },
        ]
        .map(text)
        .join(",");
        let variables: Vec<String> = phase.variables.iter().map(|v| format!("{}={}", v.name, v.value)).collect();
        let slo = run.slo.as_ref().map(ToString::to_string).unwrap_or_default();
        let load = [run.load.as_deref().unwrap_or(""), &slo, part.stage].map(text).join(",");
        let rates = [
            part.asked,
            part.achieved,
            part.goodput.and_then(|goodput| goodput.share),
            part.goodput.and_then(|goodput| goodput.per_second),
        ]
        .map(maybe)
        .join(",");
        for def in METRICS {
            let Some(found) = part.summary.metrics.get(def.name) else { continue };
            let place = [&workload.name, &phase.id, &variables.join(" "), def.name, def.unit].map(text).join(",");
            let numbers = [
                found.median.to_string(),
                found.mean.to_string(),
                maybe(found.sd),
                found.min.to_string(),
                found.max.to_string(),
                maybe(found.p90),
                maybe(found.p95),
                maybe(found.p99),
                maybe(found.half_width),
                found.n.to_string(),
                found.repeats.to_string(),
            ]
            .join(",");
            let calibration = run.client.calibration_for(phase.concurrency());
            let error = calibration.and_then(|calibration| calibration.error_of(def.name));
            let client = [
                maybe(error.map(|error| error.p50_ms)),
                maybe(error.and_then(|error| error.p99_ms)),
                text(run.client.stamp_source.as_deref().unwrap_or("")),
            ]
            .join(",");
            // Writing to a string cannot fail.
            let _ = write!(out, "{about},{place},{numbers},{load},{rates},{client}\r\n");
        }
    }
}

/// A number that is not known is an empty field.
fn maybe(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A text as a field. Spreadsheets take a text that begins like a formula for one, so it gets an apostrophe in front: model
/// names and versions come from servers.
fn text(value: &str) -> String {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let value = if formula { format!("'{value}") } else { value.to_owned() };
    if value.contains([',', '"', '\n', '\r']) { format!("\"{}\"", value.replace('"', "\"\"")) } else { value }
}
