//! Grading the samples of a log by one scorer for each task.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bench_grade::{GradeOptions, Grader, Verify};
use bench_plugin::{Host, HostOptions, Kind as PluginKind, Limits as PluginLimits, Plugin};
use bench_record::EstimateRecord;
use bench_registry::Shelf;
use bench_samples::import::{Format, Note, import};
use bench_samples::{Limits, SampleRecord, ScorerRecord, VerdictRecord, digest_of};
use serde::Serialize;
use serde_json::Value;

use crate::changes::{Change, change};
use crate::error::RescoreError;

/// Loads scorers, and grades with them.
pub struct Engine {
    host: Host,
    shelf: Shelf,
    verify: Verify,
}

/// What grading a log again came to.
#[derive(Debug, Serialize)]
pub struct Scored {
    /// Whose log it was.
    pub format: Format,
    /// Each task's scores.
    pub tasks: Vec<TaskScore>,
    /// What should be known about the log.
    pub notes: Vec<NoteRecord>,
    /// The samples with their new verdicts.
    #[serde(skip)]
    pub records: Vec<SampleRecord>,
}

/// Something to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteRecord {
    /// Stable identifier in kebab case.
    pub code: String,
    /// What it is.
    pub message: String,
}

impl From<Note> for NoteRecord {
    fn from(note: Note) -> Self {
        Self { code: note.code.to_owned(), message: note.message }
    }
}

/// The scores of a task.
#[derive(Debug, Serialize)]
pub struct TaskScore {
    /// The task.
    pub task: String,
    /// Who graded now.
    pub scorer: ScorerRecord,
    /// Whose rules that scorer follows; empty for rules of its own.
    pub reference: String,
    /// Who had graded, where anybody had: the scorers of its verdicts.
    pub graded_before: Vec<ScorerRecord>,
    /// Mean of the samples' values before; null where none had one.
    pub mean_before: Option<f64>,
    /// Mean of the samples' values now, made in the same way. The scores proper are the estimates.
    pub mean_after: Option<f64>,
    /// The scores, the headline first.
    pub estimates: Vec<EstimateRecord>,
    /// Samples by the reason of their verdict; those that were never answered under `unscored:` and why.
    pub reasons: BTreeMap<String, u64>,
    /// All samples.
    pub samples: usize,
    /// Those whose verdicts are other than before, in the order of the log.
    pub changes: Vec<Change>,
    /// Units of work that grading took; the same on every machine.
    pub fuel: u64,
    /// What should be known about the grading.
    pub notes: Vec<NoteRecord>,
}

impl Engine {
    /// An engine that keeps compiled scorers in `cache`, where given. `verify` is how many samples are graded a second time.
    pub fn new(cache: Option<PathBuf>, verify: Verify) -> Self {
        Self { host: Host::new(HostOptions { cache }), shelf: Shelf::embedded(), verify }
    }

    /// The same with what is installed.
    #[must_use]
    pub fn with_shelf(self, shelf: Shelf) -> Self {
        Self { shelf, ..self }
    }

    /// Grades the log at `log`, whichever tool wrote it. `scorer` is a name, `NAME@VERSION`, or the path of a component;
    /// `config` a JSON object or the path of a file with one.
    ///
    /// # Errors
    ///
    /// See [`RescoreError`].
    pub fn score(&self, log: &Path, scorer: &str, config: Option<&str>) -> Result<Scored, RescoreError> {
        let config = config.map(configuration).transpose()?.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        let plugin = self.load(scorer)?;
        let imported = import(log, Limits::default())?;
        let mut records = imported.records;
        let mut tasks = Vec::new();
        for part in by_task(&mut records) {
            tasks.push(self.grade(&plugin, &config, part)?);
        }
        let notes = imported.notes.into_iter().map(NoteRecord::from).collect();
        Ok(Scored { format: imported.format, tasks, notes, records })
    }

    /// The scorer that `reference` names.
    pub(crate) fn load(&self, reference: &str) -> Result<Plugin, RescoreError> {
        let (name, version) = name_and_version(reference);
        let found = self.shelf.plugin(PluginKind::Scorer, name)?;
        let failed = |error| RescoreError::Load { scorer: reference.to_owned(), error };
        let plugin = found.load(&self.host, PluginLimits::SCORER).map_err(failed)?;
        let found = plugin.scorer().map_err(failed)?.info().version.clone();
        match version.filter(|wanted| *wanted != found) {
            Some(wanted) => {
                Err(RescoreError::OtherVersion { scorer: name.to_owned(), wanted: wanted.to_owned(), found })
            }
            None => Ok(plugin),
        }
    }

    /// Grades the samples of one task, and writes the verdicts into them.
    pub(crate) fn grade(
        &self,
        plugin: &Plugin,
        config: &Value,
        records: &mut [SampleRecord],
    ) -> Result<TaskScore, RescoreError> {
        let task = records.first().map(|record| record.task.clone()).unwrap_or_default();
        let failed = |error| RescoreError::Grade { task: task.clone(), error };
        let options = GradeOptions { verify: self.verify, ..GradeOptions::default() };
        let grader = Grader::new(plugin, &config.to_string(), options).map_err(failed)?;
        let info = grader.info().clone();
        if info.needs_judge {
            return Err(RescoreError::NeedsJudge { scorer: info.name });
        }
        let scorer = ScorerRecord {
            name: info.name,
            version: info.version,
            sha256: Some(grader.digest().to_owned()),
            config_sha256: Some(digest_of(config)),
        };
        let before: Vec<Option<VerdictRecord>> = records.iter().map(|record| record.verdict.clone()).collect();
        let scores = bench_eval::regrade(&grader, &scorer, records).map_err(failed)?;
        let changes = before.iter().zip(&*records).filter_map(|(before, after)| change(before.as_ref(), after));
        let mut graded_before: Vec<ScorerRecord> =
            before.iter().flatten().map(|verdict| verdict.scorer.clone()).collect();
        graded_before.sort();
        graded_before.dedup();
        Ok(TaskScore {
            mean_before: mean(before.iter().map(Option::as_ref)),
            mean_after: mean(records.iter().map(|record| record.verdict.as_ref())),
            changes: changes.collect(),
            samples: records.len(),
            reference: info.reference,
            estimates: scores.estimates,
            reasons: scores.reasons,
            fuel: scores.fuel,
            notes: scores.notes.into_iter().map(|note| NoteRecord { code: note.code, message: note.message }).collect(),
            graded_before,
            scorer,
            task,
        })
    }
}

/// `NAME@VERSION`, or a name or path alone.
pub(crate) fn name_and_version(reference: &str) -> (&str, Option<&str>) {
    let is_path = reference.contains(['/', '\\']) || reference.ends_with(".wasm");
    match reference.split_once('@').filter(|_| !is_path) {
        Some((name, version)) => (name, Some(version)),
        None => (reference, None),
    }
}

/// The largest configuration that is read: 16 MiB.
const LARGEST_CONFIG: u64 = 16 << 20;

/// A JSON object, given as such or as the path of a file.
fn configuration(given: &str) -> Result<Value, RescoreError> {
    let wrong = |reason: String| RescoreError::Config { reason };
    let text = if given.trim_start().starts_with('{') {
        given.to_owned()
    } else {
        let bytes =
            bench_files::read_bounded(Path::new(given), LARGEST_CONFIG).map_err(|error| wrong(error.to_string()))?;
        String::from_utf8(bytes).map_err(|_| wrong(format!("{given} is not UTF-8")))?
    };
    let value = bench_json::value(&text, &bench_json::Budget::default()).map_err(|error| wrong(error.to_string()))?;
    if value.is_object() { Ok(value) } else { Err(wrong("it is no JSON object".to_owned())) }
}

/// The samples of each task, which are made to stand together, tasks in the order in which they come.
pub(crate) fn by_task(records: &mut [SampleRecord]) -> impl Iterator<Item = &mut [SampleRecord]> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for record in &*records {
        let next = places.len();
        places.entry(record.task.clone()).or_insert(next);
    }
    records.sort_by_key(|record| places.get(&record.task).copied());
    records.chunk_by_mut(|one, other| one.task == other.task)
}

fn mean<'a>(verdicts: impl Iterator<Item = Option<&'a VerdictRecord>>) -> Option<f64> {
    let values: Vec<f64> = verdicts.filter_map(|verdict| verdict?.value).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
