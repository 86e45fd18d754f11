//! The samples of a stored run.

use std::path::{Component, Path, PathBuf};

use bench_record::compare::GradedSample;
use bench_record::{EvalRecord, RunRecord};
use bench_samples::import::Format;
use bench_samples::{Limits, SampleRecord, SamplesError, for_each, load, open};

use crate::engine::{Engine, NoteRecord, Scored, name_and_version};
use crate::error::RescoreError;

/// The samples of a run.
#[derive(Debug, Default)]
pub struct Samples {
    /// In the order of the record's tasks.
    pub records: Vec<SampleRecord>,
    /// What should be known about them.
    pub notes: Vec<NoteRecord>,
}

/// All samples of a run whose record is in `folder`.
///
/// # Errors
///
/// [`RescoreError::NoSamples`], or [`RescoreError::Samples`] for a log that cannot be read.
pub fn samples_of(run: &RunRecord, folder: &Path) -> Result<Samples, RescoreError> {
    let mut all = Samples::default();
    for (_, path) in logs(run, folder) {
        let part = read(&path)?;
        all.records.extend(part.records);
        all.notes.extend(part.notes);
    }
    if all.records.is_empty() { Err(RescoreError::NoSamples { run: run.id.to_string() }) } else { Ok(all) }
}

/// The verdicts of a run whose record is in `folder`, as it was graded; none where it has no samples.
///
/// # Errors
///
/// [`RescoreError::Samples`] for a log that cannot be read.
pub fn grades_of(run: &RunRecord, folder: &Path) -> Result<Vec<GradedSample>, RescoreError> {
    let mut grades = Vec::new();
    for (_, path) in logs(run, folder).filter(|(_, path)| path.exists()) {
        // Verdicts alone are kept, so a log may be larger than what its samples may take together.
        let limits = Limits { file_bytes: u64::MAX, ..Limits::default() };
        let read = for_each(open(&path, limits)?, |record| {
            grades.push(GradedSample {
                task: record.task,
                item: record.id,
                document_sha256: record.document_sha256,
                cluster: record.cluster,
                value: record.verdict.and_then(|verdict| verdict.value),
            });
        });
        read.map_err(|error| SamplesError::Line { path, error })?;
    }
    Ok(grades)
}

fn read(path: &Path) -> Result<Samples, RescoreError> {
    let loaded = load(path, Limits::default())?;
    let torn = loaded.torn.map(|line| NoteRecord {
        code: "torn-sample".to_owned(),
        message: format!("{}: line {line} ends in the middle and was left out", path.display()),
    });
    Ok(Samples { records: loaded.records, notes: torn.into_iter().collect() })
}

/// The logs of a run's tasks. A record may come from anybody, so a path that leaves its folder is none.
fn logs<'a>(run: &'a RunRecord, folder: &Path) -> impl Iterator<Item = (&'a EvalRecord, PathBuf)> {
    let is_inside = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
    run.evals.iter().filter_map(move |eval| {
        let file = Path::new(&eval.log.as_ref()?.file);
        is_inside(file).then(|| (eval, folder.join(file)))
    })
}

impl Engine {
    /// Grades the samples of a run again: each task by the scorer and configuration that it was graded with, in the version that is
    /// at hand. With `scorer`, a name, `NAME@VERSION` or the path of a component, only that scorer grades: the tasks that it
    /// had graded, or where it had graded none, all of them by its defaults.
    ///
    /// # Errors
    ///
    /// See [`RescoreError`].
    pub fn rescore(&self, run: &RunRecord, folder: &Path, scorer: Option<&str>) -> Result<Scored, RescoreError> {
        let mut scored = Scored { format: Format::Bench, tasks: Vec::new(), notes: Vec::new(), records: Vec::new() };
        let wanted = match scorer {
            Some(reference) => {
                let plugin = self.load(reference)?;
                let failed = |error| RescoreError::Load { scorer: reference.to_owned(), error };
                let name = plugin.scorer().map_err(failed)?.info().name.clone();
                Some((plugin, name))
            }
            None => None,
        };
        let is_used = |name: &str| run.evals.iter().any(|eval| eval.scorer.name == name);
        for (eval, path) in logs(run, folder) {
            let defaults = serde_json::json!({});
            let part = read(&path)?;
            scored.notes.extend(part.notes);
            let mut records = part.records;
            if records.is_empty() {
                continue;
            }
            let score = match &wanted {
                Some((_, name)) if is_used(name) && eval.scorer.name != *name => continue,
                Some((plugin, name)) => {
                    let config = if eval.scorer.name == *name { &eval.scorer.config } else { &defaults };
                    self.grade(plugin, config, &mut records)?
                }
                None => {
                    let plugin = self.load(name_and_version(&eval.scorer.name).0)?;
                    self.grade(&plugin, &eval.scorer.config, &mut records)?
                }
            };
            scored.tasks.push(score);
            scored.records.extend(records);
        }
        if scored.tasks.is_empty() { Err(RescoreError::NoSamples { run: run.id.to_string() }) } else { Ok(scored) }
    }
}
