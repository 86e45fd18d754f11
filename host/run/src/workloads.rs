//! The workloads of a run: which, with which parameters, planned before the first is measured.

use bench_plugin::workload_types::{Facts, Phase};
use bench_plugin::{Kind, Workload};
use bench_registry::Shelf;
use bench_suite::{Suite, WorkloadEntry};
use semver::VersionReq;
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

/// A workload to run: an entry of the suite, or one of the bundle that the suite does not list, with the defaults of its own.
struct Choice {
    label: String,
    plugin: String,
    /// Versions that the suite was made for.
    version: Option<VersionReq>,
    params: Map<String, Value>,
}

impl Choice {
    fn of(entry: &WorkloadEntry, quick: bool) -> Self {
        Self {
            label: entry.label.clone(),
            plugin: entry.plugin.clone(),
            version: Some(entry.version.clone()),
            params: entry.effective_params(quick),
        }
    }

    fn beyond_the_suite(name: &str) -> Self {
        let name = name.to_owned();
        Self { label: name.clone(), plugin: name, version: None, params: Map::new() }
    }

    fn is_named(&self, name: &str) -> bool {
        self.label.eq_ignore_ascii_case(name) || self.plugin.eq_ignore_ascii_case(name)
    }
}

/// The workloads of the suite, and after them those that are at hand beyond it.
fn all(suite: &Suite, shelf: &Shelf, quick: bool) -> Vec<Choice> {
    let mut choices: Vec<Choice> = suite.manifest().workloads.iter().map(|entry| Choice::of(entry, quick)).collect();
    let carried = bench_registry::components().iter().filter(|component| component.kind == Kind::Workload);
    let installed = shelf.locked().filter(|item| item.kind.plugin() == Some(Kind::Workload));
    for name in carried.map(|component| component.name).chain(installed.map(|item| item.name.as_str())) {
        if !choices.iter().any(|choice| choice.plugin == name) {
            choices.push(Choice::beyond_the_suite(name));
        }
    }
    choices
}

/// Those with one of `names`; without names, those of the suite.
fn chosen(suite: &Suite, choices: Vec<Choice>, names: &[String]) -> Result<Vec<Choice>, RunError> {
    for name in names {
        if !choices.iter().any(|choice| choice.is_named(name)) {
            let known = |choice: &Choice| match &choice.version {
                Some(_) => format!("{} {}", choice.label, choice.plugin),
                None => format!("{} (beyond the suite)", choice.plugin),
            };
            return Err(RunError::UnknownWorkload {
                suite: suite.manifest().name.clone(),
                wanted: name.clone(),
                known: choices.iter().map(known).collect(),
            });
        }
    }
    let wanted = |choice: &Choice| match names {
        [] => choice.version.is_some(),
        names => names.iter().any(|name| choice.is_named(name)),
    };
    Ok(choices.into_iter().filter(wanted).collect())
}

/// Loads and plans the workloads that the options ask for, in the suite's order.
pub(crate) fn plan(
    catalog: &Catalog,
    suite: &Suite,
    options: &RunOptions,
    params: &Params,
    facts: &Facts,
) -> Result<Vec<Planned>, RunError> {
    let choices = all(suite, catalog.shelf(), options.quick);
    for (label, key, value) in &params.workloads {
        if !choices.iter().any(|choice| choice.is_named(label)) {
            return Err(RunError::BadParam {
                text: format!("{label}.{key}={value}"),
                reason: format!("there is no workload `{label}`"),
            });
        }
    }
    let mut planned = Vec::new();
    for choice in chosen(suite, choices, &options.workloads)? {
        let (mut workload, identity) = catalog.workload(&choice.plugin)?;
        if let Some(wanted) = &choice.version
            && !identity.version.parse().is_ok_and(|version| wanted.matches(&version))
        {
            return Err(RunError::WorkloadVersion {
                plugin: choice.plugin,
                wanted: wanted.to_string(),
                found: identity.version,
            });
        }
        if let Some(corpus) = workload.info().corpora.iter().find(|name| suite.corpus(name).is_none()) {
            return Err(RunError::NoCorpus {
                workload: choice.plugin,
                suite: suite.manifest().name.clone(),
                corpus: corpus.clone(),
            });
        }
        let mut effective = choice.params.clone();
        if let Some(repeats) = options.repeats {
            effective.insert("repeats".to_owned(), Value::from(repeats));
        }
        for (label, key, value) in &params.workloads {
            if choice.is_named(label) {
                effective.insert(key.clone(), value.clone());
            }
        }
        let phases = workload.plan(&Value::Object(effective.clone()).to_string(), facts)?;
        planned.push(Planned { label: choice.label, workload, identity, params: effective, phases });
    }
    Ok(planned)
}
