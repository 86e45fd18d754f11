//! Whose log it is, by what is in it.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use bench_json::{Budget, JsonError};
use serde_json::Value;

use super::{Format, Imported, Note, archive, inspect, lm_eval, not_a_log};
use crate::error::SamplesError;
use crate::read::{self, Limits};
use crate::record::SampleRecord;

/// Reads the log at `path`, whichever tool wrote it: a file, or a folder of them.
///
/// A folder is read as lm-eval's where it has a `results_*.json` or `samples_*.jsonl`, of which the newest date counts; else
/// every `.jsonl` in it is a log of this program's, or every `.eval` one of inspect's.
///
/// # Errors
///
/// [`SamplesError::NotALog`], [`SamplesError::Empty`], [`SamplesError::Line`] with what is wrong with a line,
/// [`SamplesError::TooLarge`], [`SamplesError::Memory`], [`SamplesError::Archive`], [`SamplesError::File`],
/// [`SamplesError::Io`].
pub fn import(path: &Path, limits: Limits) -> Result<Imported, SamplesError> {
    let mut notes = Vec::new();
    let is_folder = std::fs::metadata(path).map_err(SamplesError::io("open", path))?.is_dir();
    let read = if is_folder { folder } else { file };
    let (format, records) = read(path, Bounds { limits, budget: &Budget::new(limits.memory) }, &mut notes)?;
    if records.is_empty() {
        return Err(SamplesError::Empty { path: path.to_owned() });
    }
    let mut seen = HashSet::new();
    if let Some(twice) = records.iter().map(SampleRecord::key).find(|key| !seen.insert(key.clone())) {
        return Err(SamplesError::Logged { path: path.to_owned(), key: twice.to_string() });
    }
    Ok(Imported { format, records, notes })
}

/// The limits of each file, and the memory that all files share.
#[derive(Clone, Copy)]
pub(super) struct Bounds<'b> {
    pub(super) limits: Limits,
    pub(super) budget: &'b Budget,
}

type Found = (Format, Vec<SampleRecord>);

fn folder(path: &Path, bounds: Bounds<'_>, notes: &mut Vec<Note>) -> Result<Found, SamplesError> {
    let files = files_in(path)?;
    let named = |file: &PathBuf| file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut dated: Vec<(String, String, &PathBuf)> = Vec::new();
    for file in &files {
        dated.extend(lm_eval::task_and_date(file).map(|(task, date)| (date, task, file)));
    }
    if let Some(newest) = dated.iter().map(|(date, ..)| date.clone()).max() {
        if dated.iter().any(|(date, ..)| *date != newest) {
            notes.push(Note::new(
                "newest-run",
                format!("several runs are in {}; this is that of {newest}", path.display()),
            ));
        }
        return lm_eval_run(path, &newest, bounds, notes);
    }
    let mut records = Vec::new();
    let ours: Vec<&PathBuf> = files.iter().filter(|file| named(file).ends_with(".jsonl")).collect();
    let theirs: Vec<&PathBuf> = files.iter().filter(|file| named(file).ends_with(".eval")).collect();
    let (format, logs) = if ours.is_empty() { (Format::Inspect, theirs) } else { (Format::Bench, ours) };
    for log in &logs {
        let (found, more) = file(log, bounds, notes)?;
        if found != format {
            return Err(not_a_log(log, "it is another tool's than the others of its folder"));
        }
        records.extend(more);
    }
    if logs.is_empty() {
        return Err(not_a_log(path, "the folder has no log"));
    }
    Ok((format, records))
}

/// The files of a folder, by name.
fn files_in(path: &Path) -> Result<Vec<PathBuf>, SamplesError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(SamplesError::io("read the folder", path))? {
        files.push(entry.map_err(SamplesError::io("read the folder", path))?.path());
    }
    files.sort();
    Ok(files)
}

fn file(path: &Path, bounds: Bounds<'_>, notes: &mut Vec<Note>) -> Result<Found, SamplesError> {
    let mut input = BufReader::with_capacity(1 << 16, read::open_file(path)?);
    let begin = input.fill_buf().map_err(SamplesError::io("read", path))?;
    if begin.starts_with(b"PK\x03\x04") {
        return Ok((Format::Inspect, archive::samples(path, bounds, notes)?));
    }
    if path.extension().is_some_and(|extension| extension == "json") {
        return whole_json(path, bounds, notes);
    }
    let mut first = Vec::new();
    while first.iter().all(u8::is_ascii_whitespace) {
        first.clear();
        let read = (&mut input)
            .take(bounds.limits.line_bytes)
            .read_until(b'\n', &mut first)
            .map_err(SamplesError::io("read", path))?;
        if read == 0 {
            return Err(SamplesError::Empty { path: path.to_owned() });
        }
    }
    let text = String::from_utf8_lossy(&first);
    let line: Option<Value> = bench_json::value(&text, &Budget::new(bounds.limits.part())).ok();
    if line.as_ref().is_some_and(lm_eval::is_line) {
        return lm_eval_file(path, bounds, notes);
    }
    // Anything else is told what is wrong with its lines.
    let loaded = read::load_within(path, bounds.limits, bounds.budget)?;
    if let Some(line) = loaded.torn {
        let message = format!("{}: line {line} ends in the middle and was left out", path.display());
        notes.push(Note::new("torn-sample", message));
    }
    Ok((Format::Bench, loaded.records))
}

/// A file that is one JSON value: inspect's log, or lm-eval's results beside its samples.
fn whole_json(path: &Path, bounds: Bounds<'_>, notes: &mut Vec<Note>) -> Result<Found, SamplesError> {
    let value = read_json(path, bounds)?;
    if inspect::is_log(&value) {
        return Ok((Format::Inspect, inspect::json_log(path, &value, bounds, notes)?));
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let date = name.strip_suffix(".json").and_then(|stem| stem.rsplit_once('_')).map(|(_, date)| date.to_owned());
    match date.filter(|_| value.get("results").is_some()) {
        Some(date) => lm_eval_run(path.parent().unwrap_or(Path::new(".")), &date, bounds, notes),
        None => Err(not_a_log(path, "the JSON is neither inspect's nor lm-eval's")),
    }
}

/// All sample files of one date in a folder.
fn lm_eval_run(folder: &Path, date: &str, bounds: Bounds<'_>, notes: &mut Vec<Note>) -> Result<Found, SamplesError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut records = Vec::new();
    for file in files_in(folder)? {
        if lm_eval::task_and_date(&file).is_some_and(|(_, of)| of == date) {
            records.extend(lm_eval_file(&file, bounds, notes)?.1);
        }
    }
    if records.is_empty() {
        return Err(not_a_log(folder, format!("there is no samples_*_{date}.jsonl; run lm-eval with --log_samples")));
    }
    Ok((Format::LmEval, records))
}

/// One sample file, with what the results beside it say.
fn lm_eval_file(path: &Path, bounds: Bounds<'_>, notes: &mut Vec<Note>) -> Result<Found, SamplesError> {
    let stem = || path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let (task, date) = lm_eval::task_and_date(path).unwrap_or_else(|| (stem(), String::new()));
    let beside = path.with_file_name(format!("results_{date}.json"));
    let about = if beside.is_file() {
        lm_eval::About::of(&read_json(&beside, bounds)?)
    } else {
        notes.push(Note::new("no-results", format!("{} has no results file beside it", path.display())));
        lm_eval::About::default()
    };
    let input = BufReader::with_capacity(1 << 16, read::open_file(path)?);
    let records = lm_eval::samples(input, bounds.limits, &task, &about, bounds.budget, notes);
    let records = records.map_err(SamplesError::line(path))?;
    Ok((Format::LmEval, records))
}

/// Reads a file that is one JSON value. The memory of the value stays spent.
fn read_json(path: &Path, bounds: Bounds<'_>) -> Result<Value, SamplesError> {
    let over = |error| SamplesError::Memory { path: path.to_owned(), error };
    // The text and the value are in memory together, and a value takes more than its text.
    let limit = bounds.limits.file_bytes.min(bounds.budget.left() / 2);
    let file = read::open_file(path)?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(SamplesError::io("read", path))?;
    if bytes.len() as u64 > limit {
        return Err(SamplesError::TooLarge { path: path.to_owned(), limit });
    }
    let text = std::str::from_utf8(&bytes).map_err(|error| not_a_log(path, error.to_string()))?;
    // The text is spent as long as it is there.
    bounds.budget.spend(text.len() as u64).map_err(over)?;
    let value = bench_json::value(text, bounds.budget).map_err(|error| match error {
        JsonError::OverBudget(error) => over(error),
        JsonError::Syntax(error) => not_a_log(path, error.to_string()),
    });
    bounds.budget.give_back(text.len() as u64);
    value
}
