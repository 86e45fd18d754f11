//! One line per metric of a phase, after RFC 4180, for spreadsheets and data frames.

use std::fmt::Write as _;

use bench_metrics::METRICS;

use super::Exporter;
use crate::{RecordError, RunRecord};

/// Comma-separated values with a header line.
pub struct Csv;

const HEADER: &str = "run,started_at,backend,backend_version,model,quantization,suite,suite_version,quick,simulated,workload,phase,\
                      variables,metric,unit,median,mean,sd,min,max,p90,p95,p99,half_width,n,repeats";

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
            for workload in &run.workloads {
                for phase in &workload.phases {
                    let variables: Vec<String> =
                        phase.variables.iter().map(|v| format!("{}={}", v.name, v.value)).collect();
                    for def in METRICS {
                        let Some(found) = phase.summary.metrics.get(def.name) else { continue };
                        let place =
                            [&workload.name, &phase.id, &variables.join(" "), def.name, def.unit].map(text).join(",");
                        // A number that is not known is an empty field.
                        let maybe = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
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
                        // Writing to a string cannot fail.
                        let _ = write!(out, "{about},{place},{numbers}\r\n");
                    }
                }
            }
        }
        Ok(out)
    }
}

/// A text as a field. Spreadsheets take a text that begins like a formula for one, so it gets an apostrophe in front: model
/// names and versions come from servers.
fn text(value: &str) -> String {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let value = if formula { format!("'{value}") } else { value.to_owned() };
    if value.contains([',', '"', '\n', '\r']) { format!("\"{}\"", value.replace('"', "\"\"")) } else { value }
}
