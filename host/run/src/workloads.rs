//! The workloads of a run: which, with which parameters, planned before the first is measured.

use bench_plugin::Workload;
use bench_plugin::workload_types::{Facts, Phase};
use bench_suite::{Suite, WorkloadEntry};
use serde_json::{Map, Value};

use crate::catalog::{Catalog, Identity};
use crate::error::RunError;
use crate::options::{Params, RunOptions};

/// A workload that is ready to run.
pub(crate) struct Planned {
    pub(crate) label: String,
    pub(crate) workload: Workload,
    pub(crate) identity: Identity,
    pub(crate) params: Map<String, Value>,
    pub(crate) phases: Vec<Phase>,
}

impl Planned {
    /// The parameters as the plugin takes them.
    pub(crate) fn params_text(&self) -> String {
        Value::Object(self.params.clone()).to_string()
    }
}

fn is_named(entry: &WorkloadEntry, name: &str) -> bool {
    entry.label.eq_ignore_ascii_case(name) || entry.plugin.eq_ignore_ascii_case(name)
}

fn chosen<'a>(suite: &'a Suite, names: &[String]) -> Result<Vec<&'a WorkloadEntry>, RunError> {
    let entries = &suite.manifest().workloads;
    for name in names {
        if !entries.iter().any(|entry| is_named(entry, name)) {
            return Err(RunError::UnknownWorkload {
                suite: suite.manifest().name.clone(),
                wanted: name.clone(),
                known: entries.iter().map(|entry| format!("{} {}", entry.label, entry.plugin)).collect(),
            });
        }
    }
    let wanted = |entry: &&WorkloadEntry| names.is_empty() || names.iter().any(|name| is_named(entry, name));
    Ok(entries.iter().filter(wanted).collect())
}

/// Loads and plans the workloads that the options ask for, in the suite's order.
pub(crate) fn plan(
    catalog: &Catalog,
    suite: &Suite,
    options: &RunOptions,
    params: &Params,
    facts: &Facts,
) -> Result<Vec<Planned>, RunError> {
    let entries = chosen(suite, &options.workloads)?;
    for (label, key, value) in &params.workloads {
        if !suite.manifest().workloads.iter().any(|entry| is_named(entry, label)) {
            return Err(RunError::BadParam {
                text: format!("{label}.{key}={value}"),
                reason: format!("the suite has no workload `{label}`"),
            });
        }
    }
    let mut planned = Vec::new();
    for entry in entries {
        let (mut workload, identity) = catalog.workload(&entry.plugin)?;
        let fits = identity.version.parse().is_ok_and(|version| entry.version.matches(&version));
        if !fits {
            return Err(RunError::WorkloadVersion {
                plugin: entry.plugin.clone(),
                wanted: entry.version.to_string(),
                found: identity.version,
            });
        }
        let mut effective = entry.effective_params(options.quick);
        if let Some(repeats) = options.repeats {
            effective.insert("repeats".to_owned(), Value::from(repeats));
        }
        for (label, key, value) in &params.workloads {
            if is_named(entry, label) {
                effective.insert(key.clone(), value.clone());
            }
        }
        let phases = workload.plan(&Value::Object(effective.clone()).to_string(), facts)?;
        planned.push(Planned { label: entry.label.clone(), workload, identity, params: effective, phases });
    }
    Ok(planned)
}
