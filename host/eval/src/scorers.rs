//! The scorers of a suite's tasks: from the bundle, or from files that the user names.

use std::collections::BTreeMap;

use bench_plugin::scorer_types::Info;
use bench_plugin::{Host, Kind, Limits, Plugin};
use bench_registry::{Shelf, Source};
use bench_suite::TaskEntry;

use crate::error::EvalError;

/// A scorer that is loaded.
#[derive(Debug)]
pub struct LoadedScorer {
    /// The component.
    pub plugin: Plugin,
    /// What it says of itself.
    pub info: Info,
    /// Where it came from.
    pub source: Source,
}

/// The scorers of some tasks, by name.
#[derive(Debug, Default)]
pub struct Scorers(BTreeMap<String, LoadedScorer>);

impl Scorers {
    /// Loads what the tasks need. `files` are components that stand in for those of the bundle that have their names.
    ///
    /// # Errors
    /// A scorer that cannot be had or loaded, or that has another version than its task needs.
    pub fn load(host: &Host, shelf: &Shelf, tasks: &[&TaskEntry], files: &[String]) -> Result<Self, EvalError> {
        let mut own: BTreeMap<String, LoadedScorer> = BTreeMap::new();
        for file in files {
            let refused = |reason: String| EvalError::ScorerFile { file: file.clone(), reason };
            if !file.contains(['/', '\\']) && !file.ends_with(".wasm") {
                return Err(refused("it is no path".to_owned()));
            }
            let loaded = load(host, shelf, file)?;
            let name = loaded.info.name.clone();
            if own.contains_key(&name) {
                return Err(refused(format!("`{name}` was given before")));
            }
            own.insert(name, loaded);
        }
        let mut scorers = BTreeMap::new();
        for task in tasks {
            let name = &task.scorer.plugin;
            if !scorers.contains_key(name) {
                let loaded = own.remove(name).map_or_else(|| load(host, shelf, name), Ok)?;
                scorers.insert(name.clone(), loaded);
            }
            let found = scorers.get(name).map(|loaded| loaded.info.version.clone()).unwrap_or_default();
            if !found.parse().is_ok_and(|version| task.scorer.version.matches(&version)) {
                return Err(EvalError::ScorerVersion {
                    task: task.name.clone(),
                    scorer: name.clone(),
                    wanted: task.scorer.version.to_string(),
                    found,
                });
            }
        }
        Ok(Self(scorers))
    }

    /// The scorer of this name.
    pub fn get(&self, name: &str) -> Option<&LoadedScorer> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &LoadedScorer)> {
        self.0.iter().map(|(name, loaded)| (name.as_str(), loaded))
    }
}

fn load(host: &Host, shelf: &Shelf, reference: &str) -> Result<LoadedScorer, EvalError> {
    let failed = |error| EvalError::Load { scorer: reference.to_owned(), error };
    let found = shelf.plugin(Kind::Scorer, reference)?;
    let plugin = found.load(host, Limits::SCORER).map_err(failed)?;
    let info = plugin.scorer().map_err(failed)?.info().clone();
    Ok(LoadedScorer { plugin, info, source: found.source })
}
