//! A suite that is not written yet: tasks with their items in memory, checked as a suite is checked when it is read, and only then
//! written, all of it or nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bench_suite::{
    DataEntry, DataFormat, DatesEntry, Digest, FieldNames, Files, GenerationEntry, Manifest, QuickEntry, ScorerEntry,
    Suite, TaskEntry, TaskKind, TemplateEntry,
};
use bench_text::clean_text;
use semver::{Version, VersionReq};
use serde_json::{Map, Value};

use crate::error::ImportError;
use crate::options::{Options, kebab};

/// What stands for a licence that nobody stated.
pub const UNKNOWN: &str = "LicenseRef-unknown";

/// A suite that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Its folder.
    pub folder: PathBuf,
    /// Its name.
    pub name: String,
    /// Its licence, as the manifest states it.
    pub licence: String,
    /// SHA-256 over its files, as records state it.
    pub digest: String,
    /// Its tasks with their scorers and numbers of items.
    pub tasks: Vec<(String, String, usize)>,
    /// What should be known about it.
    pub notes: Vec<Note>,
}

/// Something to know about what was imported: what was left out, or done otherwise than in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Stable identifier in kebab case.
    pub code: &'static str,
    /// What it is.
    pub message: String,
}

impl Note {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// A task with its items.
#[derive(Clone)]
pub(crate) struct Task {
    pub name: String,
    pub title: String,
    pub kind: TaskKind,
    pub fields: FieldNames,
    pub template: TemplateEntry,
    pub generation: GenerationEntry,
    pub scorer: String,
    pub config: Map<String, Value>,
    pub repeats: Option<u32>,
    pub dates: Option<DatesEntry>,
    pub items: Vec<Map<String, Value>>,
}

impl Task {
    /// A task that asks `user` and has its reference in the field `target`.
    pub fn new(name: String, title: String, user: &str, scorer: &str) -> Self {
        Self {
            name,
            title,
            kind: TaskKind::Generate,
            fields: FieldNames::default(),
            template: template(user),
            generation: GenerationEntry::default(),
            scorer: scorer.to_owned(),
            config: Map::new(),
            repeats: None,
            dates: None,
            items: Vec::new(),
        }
    }
}

/// A template that is a user's message and nothing else.
pub(crate) fn template(user: &str) -> TemplateEntry {
    TemplateEntry {
        system: None,
        user: user.to_owned(),
        assistant_prefix: None,
        few_shot: 0,
        few_shot_file: None,
        few_shot_answer: None,
        few_shot_pick: bench_suite::Pick::First,
        seed: 0,
        raw: false,
        separator: "\n\n".to_owned(),
        delimiter: " ".to_owned(),
    }
}

/// A suite that is not written yet.
pub(crate) struct Draft {
    /// Used where the user names none.
    pub name: String,
    pub title: String,
    /// Where the data is from, in a sentence.
    pub source: String,
    /// What the source itself says of its licence.
    pub licence: Option<String>,
    /// The text of the licence, where it came with the data.
    pub licence_text: Option<String>,
    pub tasks: Vec<Task>,
    pub notes: Vec<Note>,
}

impl Draft {
    /// Checks the suite and writes it.
    pub fn write(mut self, options: &Options) -> Result<Imported, ImportError> {
        let name = options.name.clone().unwrap_or_else(|| kebab(&self.name));
        let licence = options.licence.clone().or(self.licence.take()).unwrap_or_else(|| UNKNOWN.to_owned());
        let mut files = Files::new();
        let mut entries = Vec::new();
        let tasks = std::mem::take(&mut self.tasks);
        for task in tasks {
            entries.push(self.entry(task, &licence, options, &mut files)?);
        }
        let manifest = Manifest {
            schema: 1,
            name: name.clone(),
            version: Version::new(1, 0, 0),
            title: line(&self.title),
            licence: licence.clone(),
            min_host: VersionReq::parse(">=0.1.0").unwrap_or(VersionReq::STAR),
            corpora: std::collections::BTreeMap::new(),
            workloads: Vec::new(),
            tasks: entries,
        };
        let text = toml::to_string(&manifest).map_err(|error| ImportError::unreadable("suite.toml", error))?;
        files.insert(bench_suite::MANIFEST.to_owned(), text.into_bytes());
        // What is written is what a run would read, or it is not written.
        let suite = Suite::from_files(&files)?;
        let asked = |task: &TaskEntry| {
            let items = suite.task(&task.name).map_or(0, |(_, data)| data.items.len());
            (task.name.clone(), task.scorer.plugin.clone(), items)
        };
        let made = Imported {
            folder: options.out.clone().unwrap_or_else(|| PathBuf::from(&name)),
            name,
            digest: suite.digest().to_string(),
            tasks: manifest.tasks.iter().map(asked).collect(),
            notes: std::mem::take(&mut self.notes),
            licence,
        };
        files.insert("README.md".to_owned(), self.readme(&made).into_bytes());
        if let Some(text) = &self.licence_text {
            files.insert("LICENCE.txt".to_owned(), text.clone().into_bytes());
        }
        write(&made.folder, &files)?;
        Ok(made)
    }

    fn entry(
        &mut self,
        mut task: Task,
        licence: &str,
        options: &Options,
        files: &mut Files,
    ) -> Result<TaskEntry, ImportError> {
        let all = task.items.len();
        check_ids(&task)?;
        task.items = chosen(std::mem::take(&mut task.items), &task.fields.id, options);
        if task.items.len() < all {
            let how =
                options.seed.map_or_else(|| "the first ones".to_owned(), |seed| format!("drawn with seed {seed}"));
            let message = format!("{}: {} of {all} items, {how}", task.name, task.items.len());
            self.notes.push(Note::new("limited", message));
        }
        let data: String = task.items.iter().map(|item| Value::Object(item.clone()).to_string() + "\n").collect();
        let file = format!("data/{}.jsonl", task.name);
        let entry = TaskEntry {
            title: line(&task.title),
            summary: None,
            licence: None,
            kind: task.kind,
            data: DataEntry {
                file: file.clone(),
                sha256: Digest::of(data.as_bytes()),
                licence: licence.to_owned(),
                source: line(&self.source),
                format: DataFormat::Jsonl,
            },
            scorer: ScorerEntry {
                plugin: task.scorer,
                version: VersionReq::parse("^0.1").unwrap_or(VersionReq::STAR),
                config: task.config,
            },
            fields: task.fields,
            template: task.template,
            generation: task.generation,
            repeats: task.repeats,
            limit: None,
            quick: QuickEntry::default(),
            dates: task.dates,
            split: None,
            conversation: None,
            needle: None,
            formats: Vec::new(),
            name: task.name,
        };
        files.insert(file, data.into_bytes());
        Ok(entry)
    }

    fn readme(&self, made: &Imported) -> String {
        let mut text = format!("# {}\n\n{}\n\n{}\n\n", made.name, self.title, self.source);
        if made.licence == UNKNOWN {
            text.push_str(
                "The licence of the data is not known to the program that made this suite. Until somebody finds out, the data is \
                 not to be passed on.\n\n",
            );
        } else {
            text.push_str(&format!("Licence of the data: {}.", made.licence));
            let beside = if self.licence_text.is_some() { " Its text is in `LICENCE.txt`." } else { "" };
            text.push_str(&format!("{beside}\n\n"));
        }
        text.push_str("| task | scorer | items |\n| --- | --- | ---: |\n");
        for (name, scorer, items) in &made.tasks {
            text.push_str(&format!("| `{name}` | `{scorer}` | {items} |\n"));
        }
        if !made.notes.is_empty() {
            text.push_str("\nTo know:\n\n");
            made.notes.iter().for_each(|note| text.push_str(&format!("- {}\n", line(&note.message))));
        }
        text
    }
}

/// A text on one line, as manifests have them.
fn line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut line = clean_text(words.join(" "), 480).to_string();
    while line.len() > 480 {
        line.pop();
    }
    line
}

/// Results are kept under an item's identifier, so each has one of its own. What is wrong is said here in the words of the source;
/// in those of the suite it would be a line that nobody has seen.
fn check_ids(task: &Task) -> Result<(), ImportError> {
    let mut seen = BTreeSet::new();
    let field = &task.fields.id;
    for (place, item) in task.items.iter().enumerate() {
        let wrong =
            |reason: String| ImportError::Row { name: task.name.clone(), place: format!("item {}", place + 1), reason };
        let id = item.get(field).filter(|id| id.is_string() || id.is_u64() || id.is_i64());
        let id = id.ok_or_else(|| wrong(format!("it has no text or whole number in `{field}` to tell it by")))?;
        let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        if !seen.insert(id.clone()) {
            return Err(wrong(format!("an item before it has its identifier, {id:?}")));
        }
    }
    Ok(())
}

/// The items that a limit leaves: the first ones, or those whose identifiers have the smallest digests together with the seed, so
/// that the choice does not depend on the order and a larger limit adds to a smaller one.
fn chosen(items: Vec<Map<String, Value>>, id: &str, options: &Options) -> Vec<Map<String, Value>> {
    let Some(limit) = options.limit.filter(|limit| *limit < items.len()) else { return items };
    let Some(seed) = options.seed else { return items.into_iter().take(limit).collect() };
    let key = |item: &Map<String, Value>| {
        let id = item.get(id).map(Value::to_string).unwrap_or_default();
        Digest::of(format!("{seed}\n{id}").as_bytes())
    };
    let mut order: Vec<(Digest, usize)> = items.iter().map(key).zip(0..).collect();
    order.sort_unstable();
    let kept: BTreeSet<usize> = order.into_iter().take(limit).map(|(_, place)| place).collect();
    items.into_iter().enumerate().filter(|(place, _)| kept.contains(place)).map(|(_, item)| item).collect()
}

/// Writes the files into a folder that is not there yet, the manifest last: without it, the folder is no suite.
fn write(folder: &Path, files: &Files) -> Result<(), ImportError> {
    if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(ImportError::io("create", parent))?;
    }
    fs::create_dir(folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => ImportError::Exists { path: folder.to_owned() },
        _ => ImportError::io("create", folder)(error),
    })?;
    let is_manifest = |path: &str| path == bench_suite::MANIFEST;
    let ordered =
        files.iter().filter(|(path, _)| !is_manifest(path)).chain(files.iter().filter(|(path, _)| is_manifest(path)));
    for (path, bytes) in ordered {
        let full = folder.join(path);
        let written = full.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&full, bytes));
        if let Err(error) = written {
            // This call made the folder, so what is in it is its own.
            let _ = fs::remove_dir_all(folder);
            return Err(ImportError::io("write", &full)(error));
        }
    }
    Ok(())
}
