//! Samples in the forms of other tools.

mod columns;
mod csv;
mod inspect;
mod lm_eval;
mod parquet;
mod predictions;
mod summary;

use std::io::Write as _;
use std::path::{Path, PathBuf};

pub use predictions::{Answered, predictions};

use crate::error::SamplesError;
use crate::log;
use crate::record::SampleRecord;

/// A form that samples are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// This program's log, one file.
    Bench,
    /// `results_<date>.json` and `samples_<task>_<date>.jsonl` in a folder named after the model.
    LmEval,
    /// A `.eval` archive per task.
    Inspect,
    /// A `.json` log of inspect's per task.
    InspectJson,
    /// One file of comma-separated values.
    Csv,
    /// One Parquet file.
    Parquet,
}

impl Form {
    /// All forms with their names.
    pub const TABLE: [(Form, &'static str); 6] = [
        (Form::Bench, "bench"),
        (Form::LmEval, "lm-eval"),
        (Form::Inspect, "inspect"),
        (Form::InspectJson, "inspect-json"),
        (Form::Csv, "csv"),
        (Form::Parquet, "parquet"),
    ];

    /// The form of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::TABLE.into_iter().find(|(_, known)| *known == name).map(|(form, _)| form)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::TABLE.into_iter().find(|(form, _)| *form == self).map_or("", |(_, name)| name)
    }

    /// The form of a file, by how its name ends.
    pub fn of_file(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        Self::TABLE.into_iter().map(|(form, _)| form).find(|form| form.extension() == Some(extension))
    }

    /// How its files end; nothing where it is a folder.
    fn extension(self) -> Option<&'static str> {
        match self {
            Self::Bench => Some("jsonl"),
            Self::LmEval => None,
            Self::Inspect => Some("eval"),
            Self::InspectJson => Some("json"),
            Self::Csv => Some("csv"),
            Self::Parquet => Some("parquet"),
        }
    }
}

/// What samples do not say of themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// When the run began, as RFC 3339 writes it [default: when the first sample was sent].
    pub created: Option<String>,
    /// The model, for samples that name none.
    pub model: Option<String>,
    /// Version of the program that writes.
    pub version: String,
}

impl About {
    /// When the run began. A form that must have a date gets the beginning of time where none is known.
    fn date(&self, records: &[&SampleRecord]) -> String {
        let sent = records.iter().filter_map(|record| record.timing.started_at.clone()).min();
        self.created.clone().or(sent).unwrap_or_else(|| "1970-01-01T00:00:00+00:00".to_owned())
    }

    fn model<'a>(&'a self, records: &[&'a SampleRecord]) -> Option<&'a str> {
        records.iter().find_map(|record| record.model.as_deref()).or(self.model.as_deref())
    }
}

/// Writes samples to `out`, and gives the files. `out` is a file, or for a form that makes several files a folder.
///
/// # Errors
///
/// [`SamplesError::Unwritable`], [`SamplesError::Io`].
pub fn write(form: Form, records: &[SampleRecord], about: &About, out: &Path) -> Result<Vec<PathBuf>, SamplesError> {
    let tasks = by_task(records);
    match form {
        Form::Bench => log::write(out, records).map(|()| vec![out.to_owned()]),
        Form::Csv => put(out, csv::text(records).as_bytes()).map(|()| vec![out.to_owned()]),
        Form::Parquet => put(out, &parquet::bytes(records)?).map(|()| vec![out.to_owned()]),
        Form::LmEval => {
            let mut written = Vec::new();
            for (name, text) in lm_eval::files(&tasks, about) {
                let path = out.join(name);
                put(&path, text.as_bytes())?;
                written.push(path);
            }
            Ok(written)
        }
        Form::Inspect | Form::InspectJson => {
            let mut written = Vec::new();
            let extension = form.extension().unwrap_or_default();
            let is_file = out.extension().is_some_and(|found| found == extension);
            if is_file && tasks.len() > 1 {
                let reason = "there are several tasks, and a file holds one; name a folder".to_owned();
                return Err(SamplesError::Unwritable { form: form.name(), reason });
            }
            for (task, records) in &tasks {
                let path = if is_file { out.to_owned() } else { out.join(format!("{}.{extension}", file_name(task))) };
                let log = inspect::Log::of(task, records, about);
                let bytes = if form == Form::Inspect { log.archive()? } else { log.json().into_bytes() };
                put(&path, &bytes)?;
                written.push(path);
            }
            Ok(written)
        }
    }
}

/// The samples as text, for a form that has one.
pub fn text(form: Form, records: &[SampleRecord]) -> Option<String> {
    match form {
        Form::Csv => Some(csv::text(records)),
        Form::Bench => {
            let lines = records.iter().map(|record| serde_json::to_string(record).unwrap_or_default() + "\n");
            Some(lines.collect())
        }
        _ => None,
    }
}

/// The samples of each task, tasks in the order in which they come.
fn by_task(records: &[SampleRecord]) -> Vec<(&str, Vec<&SampleRecord>)> {
    let mut tasks: Vec<(&str, Vec<&SampleRecord>)> = Vec::new();
    for record in records {
        match tasks.iter_mut().find(|(task, _)| *task == record.task) {
            Some((_, samples)) => samples.push(record),
            None => tasks.push((&record.task, vec![record])),
        }
    }
    tasks
}

/// A name that no file system and no shell takes for a path, by the rule of lm-eval for models: everything special is replaced.
fn file_name(name: &str) -> String {
    let is_special = |c: char| c.is_control() || "\"<>:/|\\?*[] ".contains(c);
    let plain: String = name.chars().map(|c| if is_special(c) { '_' } else { c }).collect();
    let plain = plain.trim_start_matches('.');
    if plain.is_empty() { "unnamed".to_owned() } else { plain.to_owned() }
}

/// Writes a file whole or not at all.
fn put(path: &Path, bytes: &[u8]) -> Result<(), SamplesError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(SamplesError::io("make the folder", folder))?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(SamplesError::io("write", path))?;
    file.write_all(bytes).map_err(SamplesError::io("write", path))?;
    log::persist(file, path)
}
