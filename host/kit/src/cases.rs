//! Cases from files: what a scorer is given, and what it should say.
//!
//! ```json
//! {
//!   "config": {},
//!   "cases": [
//!     { "target": "Paris", "answer": "It is Paris.", "value": 1, "reason": "correct", "extracted": "Paris" }
//!   ]
//! }
//! ```
//!
//! `target` is any JSON value. `value` is a number, or null for a sample that should be unscored. What a case does not state is
//! not checked. `metadata`, `reasoning`, `tool-calls` and `truncated` can be given as well.

use std::fs;
use std::path::{Path, PathBuf};

use bench_plugin::scorer_types::{Sample, Verdict};
use bench_plugin::types::{FinishReason, ToolCall};
use bench_plugin::{Plugin, with_room};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::bench::{Bench, Cost, Took};
use crate::error::{KitError, at};

/// Largest file of cases: 64 MiB.
const LARGEST: u64 = 64 << 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    #[serde(default)]
    config: Map<String, Value>,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Case {
    #[serde(default)]
    id: Option<String>,
    target: Value,
    #[serde(default)]
    answer: Option<String>,
    #[serde(default)]
    reasoning: Option<String>,
    #[serde(default)]
    tool_calls: Vec<Call>,
    #[serde(default)]
    truncated: bool,
    #[serde(default)]
    metadata: Map<String, Value>,
    /// Absent: not checked. Null: unscored.
    #[serde(default, deserialize_with = "stated")]
    value: Option<Value>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    extracted: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Call {
    name: String,
    arguments: Value,
}

/// A field that is there, even as null.
fn stated<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseOutcome {
    /// Its file's name and its place in it, or its own id.
    pub name: String,
    /// What differs from what was expected; empty where nothing does.
    pub differences: Vec<String>,
    /// What it took.
    #[serde(flatten)]
    pub took: Took,
}

/// What became of all cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseReport {
    /// In the order of the files' names.
    pub cases: Vec<CaseOutcome>,
    /// What they cost.
    pub cost: Option<Cost>,
}

impl CaseReport {
    /// Cases that differ.
    pub fn failed(&self) -> usize {
        self.cases.iter().filter(|case| !case.differences.is_empty()).count()
    }
}

/// Runs every case of every `*.json` in `folder` against the scorer.
///
/// # Errors
/// [`KitError::NoCases`], [`KitError::BadCases`], and faults of the scorer where it cannot be opened. A fault on one case is a
/// difference of that case.
pub fn run_cases(plugin: &Plugin, folder: &Path) -> Result<CaseReport, KitError> {
    with_room(|| run_all(plugin, folder))
}

fn run_all(plugin: &Plugin, folder: &Path) -> Result<CaseReport, KitError> {
    let mut bench = Bench::new(plugin)?;
    let mut cases = Vec::new();
    for path in files(folder)? {
        let file = read(&path)?;
        let config = Value::Object(file.config).to_string();
        let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        for (place, case) in file.cases.iter().enumerate() {
            let name = case.id.clone().unwrap_or_else(|| format!("{stem}-{}", place + 1));
            let (verdict, took) = bench.grade(&config, &case.sample(&name))?;
            let differences = match verdict {
                Ok(verdict) => case.differences(&verdict),
                Err(fault) => vec![fault.to_string()],
            };
            cases.push(CaseOutcome { name, differences, took });
        }
    }
    if cases.is_empty() {
        return Err(KitError::NoCases(folder.to_owned()));
    }
    let cost = Cost::of(cases.iter().map(|case| case.took));
    Ok(CaseReport { cases, cost })
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, KitError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "json") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() { Err(KitError::NoCases(folder.to_owned())) } else { Ok(files) }
}

fn read(path: &Path) -> Result<File, KitError> {
    let bad = |why: String| KitError::BadCases { path: path.to_owned(), why };
    let text = bench_files::read_bounded(path, LARGEST)?;
    serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))
}

impl Case {
    fn sample(&self, name: &str) -> Sample {
        let call = |(place, call): (usize, &Call)| ToolCall {
            id: format!("call-{place}"),
            name: call.name.clone(),
            // What is written as text is passed on as it is, so that malformed arguments can be tried.
            arguments: call.arguments.as_str().map_or_else(|| call.arguments.to_string(), str::to_owned),
        };
        Sample {
            id: name.to_owned(),
            epoch: 0,
            prompt: Vec::new(),
            target: self.target.to_string(),
            answer: self.answer.clone(),
            reasoning: self.reasoning.clone(),
            tool_calls: self.tool_calls.iter().enumerate().map(call).collect(),
            finish: Some(if self.truncated { FinishReason::Length } else { FinishReason::Stop }),
            likelihoods: Vec::new(),
            metadata: Value::Object(self.metadata.clone()).to_string(),
        }
    }

    fn differences(&self, verdict: &Verdict) -> Vec<String> {
        let mut differences = Vec::new();
        if let Some(wanted) = &self.value {
            let same = match wanted.as_f64() {
                Some(wanted) => (wanted - verdict.value).abs() <= 1e-9,
                None => verdict.value.is_nan(),
            };
            if !same {
                differences.push(format!("value {}, expected {wanted}", verdict.value));
            }
        }
        let reason = verdict.reason.word();
        if let Some(wanted) = self.reason.as_ref().filter(|wanted| **wanted != reason) {
            differences.push(format!("reason {reason}, expected {wanted}"));
        }
        if let Some(wanted) = self.extracted.as_ref().filter(|wanted| Some(*wanted) != verdict.extracted.as_ref()) {
            differences.push(format!("extracted {:?}, expected {wanted:?}", verdict.extracted));
        }
        differences
    }
}
