//! Reading a suite: from a folder or from memory, into the same checked value.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use bench_json::{Budget, memory};
use semver::Version;

use crate::{Corpus, DataEntry, Digest, Manifest, SuiteError, TaskData, TaskEntry, WorkloadEntry, data};

/// Name of the manifest in a suite's folder.
pub const MANIFEST: &str = "suite.toml";

/// Largest manifest, in bytes.
const LARGEST_MANIFEST: u64 = 256 * 1024;

/// Largest corpus, in bytes. Offsets into a corpus are 32 bits, and no prompt needs more text than this.
const LARGEST_FILE: u64 = 16 * 1024 * 1024;

/// Largest data file of a task, in bytes.
const LARGEST_DATA: u64 = 256 * 1024 * 1024;

/// Largest sum of a suite's files, in bytes.
const LARGEST_SUITE: u64 = 512 * 1024 * 1024;

/// A suite's files in memory, by path relative to its folder.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A suite that is complete: every file is there and is the one that the manifest names.
#[derive(Debug, Clone)]
pub struct Suite {
    manifest: Manifest,
    corpora: BTreeMap<String, Arc<Corpus>>,
    files: BTreeMap<String, Digest>,
    tasks: BTreeMap<String, Arc<TaskData>>,
}

impl Suite {
    /// Reads the suite in a folder. Only the manifest and the files that it names are read.
    ///
    /// # Errors
    /// Any [`SuiteError`] but [`SuiteError::HostVersion`].
    pub fn load(folder: &Path) -> Result<Self, SuiteError> {
        let root = folder
            .canonicalize()
            .map_err(|source| SuiteError::Folder { path: folder.display().to_string(), source })?;
        Self::assemble(|path, limit| read(&root, path, limit))
    }

    /// Reads a suite from memory. Files that the manifest does not name are ignored.
    ///
    /// # Errors
    /// Any [`SuiteError`] but [`SuiteError::Folder`], [`SuiteError::Unreadable`] and [`SuiteError::HostVersion`].
    pub fn from_files(files: &Files) -> Result<Self, SuiteError> {
        Self::assemble(|path, limit| {
            let bytes = files.get(path).ok_or_else(|| SuiteError::Missing { path: path.to_owned() })?;
            if bytes.len() as u64 > limit {
                return Err(SuiteError::TooLarge { path: path.to_owned(), limit });
            }
            Ok(bytes.clone())
        })
    }

    fn assemble(read: impl FnMut(&str, u64) -> Result<Vec<u8>, SuiteError>) -> Result<Self, SuiteError> {
        let budget = Budget::new(memory() / 2 * 3);
        let mut shelf = Shelf { read, room: LARGEST_SUITE, budget, files: BTreeMap::new() };
        let manifest = Manifest::parse(&shelf.text(MANIFEST, LARGEST_MANIFEST, None)?)?;
        let mut corpora = BTreeMap::new();
        for (name, entry) in &manifest.corpora {
            let text = shelf.text(&entry.file, LARGEST_FILE, Some(entry.sha256))?;
            // A word of one letter takes two bytes of text and up to eight to number it.
            let taken = shelf.budget.spend(5 * text.len() as u64);
            taken.map_err(|error| SuiteError::Memory { path: entry.file.clone(), error })?;
            let corpus = Corpus::new(text).ok_or_else(|| SuiteError::EmptyCorpus { path: entry.file.clone() })?;
            corpora.insert(name.clone(), Arc::new(corpus));
        }
        let mut tasks = BTreeMap::new();
        for task in &manifest.tasks {
            tasks.insert(task.name.clone(), Arc::new(shelf.task(task)?));
        }
        Ok(Self { manifest, corpora, files: shelf.files, tasks })
    }

    /// What `suite.toml` says.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The text of this name.
    pub fn corpus(&self, name: &str) -> Option<&Arc<Corpus>> {
        self.corpora.get(name)
    }

    /// The workload of this label or plugin name, whatever the case of the label.
    pub fn workload(&self, name: &str) -> Option<&WorkloadEntry> {
        let workloads = &self.manifest.workloads;
        workloads
            .iter()
            .find(|workload| workload.label.eq_ignore_ascii_case(name))
            .or_else(|| workloads.iter().find(|workload| workload.plugin == name))
    }

    /// The task of this name, with what it asks.
    pub fn task(&self, name: &str) -> Option<(&TaskEntry, &Arc<TaskData>)> {
        let entry = self.manifest.tasks.iter().find(|task| task.name == name)?;
        Some((entry, self.tasks.get(name)?))
    }

    /// The manifest and the files that it names, with their digests, by path.
    pub fn files(&self) -> &BTreeMap<String, Digest> {
        &self.files
    }

    /// One digest for the whole suite: SHA-256 over the lines `<sha256>  <path>` in the order of the paths, each ended by a
    /// newline. It is what `sha256sum` of the files, sorted by path, gives to another `sha256sum`.
    pub fn digest(&self) -> Digest {
        let listing: String = self.files.iter().map(|(path, digest)| format!("{digest}  {path}\n")).collect();
        Digest::of(listing.as_bytes())
    }

    /// Whether this host may run the suite.
    ///
    /// # Errors
    /// [`SuiteError::HostVersion`].
    pub fn check_host(&self, host: &Version) -> Result<(), SuiteError> {
        if self.manifest.min_host.matches(host) {
            return Ok(());
        }
        Err(SuiteError::HostVersion {
            suite: format!("{} {}", self.manifest.name, self.manifest.version),
            needed: self.manifest.min_host.to_string(),
            host: host.to_string(),
        })
    }
}

/// Takes the files of a suite one by one.
struct Shelf<R> {
    read: R,
    /// Bytes that may still come.
    room: u64,
    /// Memory that corpora and items may still take.
    budget: Budget,
    files: BTreeMap<String, Digest>,
}

impl<R: FnMut(&str, u64) -> Result<Vec<u8>, SuiteError>> Shelf<R> {
    /// The text in a file, which must have the digest that the manifest states.
    fn text(&mut self, path: &str, limit: u64, stated: Option<Digest>) -> Result<String, SuiteError> {
        let bytes = (self.read)(path, limit.min(self.room).min(self.budget.left()))?;
        let actual = Digest::of(&bytes);
        if let Some(stated) = stated.filter(|stated| *stated != actual) {
            return Err(SuiteError::Digest {
                path: path.to_owned(),
                expected: stated.to_string(),
                actual: actual.to_string(),
            });
        }
        // Several tasks may ask about one file.
        if self.files.insert(path.to_owned(), actual).is_none() {
            self.room = self.room.saturating_sub(bytes.len() as u64);
        }
        text(path, bytes)
    }

    fn task(&mut self, task: &TaskEntry) -> Result<TaskData, SuiteError> {
        let DataEntry { file, sha256, .. } = &task.data;
        let refused = |path: &str, error| SuiteError::Data { task: task.name.clone(), path: path.to_owned(), error };
        let text = self.text(file, LARGEST_DATA, Some(*sha256))?;
        // The text is there while its items are made, and not afterwards.
        let taken = text.len() as u64;
        self.budget.spend(taken).map_err(|error| SuiteError::Memory { path: file.clone(), error })?;
        let items = data::read(&self.budget, &text, &task.fields, task.split.as_deref(), task.dates.as_ref())
            .map_err(|error| refused(file, error))?;
        self.budget.give_back(taken);
        drop(text);
        let examples = match &task.template.few_shot_file {
            Some(examples) => {
                let text = self.text(&examples.file, LARGEST_DATA, Some(examples.sha256))?;
                let read = data::read(&self.budget, &text, &task.fields, None, None);
                Some(read.map_err(|error| refused(&examples.file, error))?.items)
            }
            None => None,
        };
        TaskData::new(task, items, examples)
    }
}

fn text(path: &str, bytes: Vec<u8>) -> Result<String, SuiteError> {
    String::from_utf8(bytes)
        .map_err(|error| SuiteError::NotText { path: path.to_owned(), valid_up_to: error.utf8_error().valid_up_to() })
}

/// Reads a file under `root`, which is canonical. A link that leads out of the folder is refused, as is anything that is
/// not a regular file (a pipe would block).
fn read(root: &Path, path: &str, limit: u64) -> Result<Vec<u8>, SuiteError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => SuiteError::Missing { path: path.to_owned() },
        _ => SuiteError::Unreadable { path: path.to_owned(), source },
    };
    let full = root.join(path).canonicalize().map_err(failed)?;
    if !full.starts_with(root) {
        return Err(SuiteError::Path {
            path: path.to_owned(),
            why: "it is a link that leads out of the suite's folder",
        });
    }
    let size = fs::metadata(&full).map_err(failed)?;
    if !size.is_file() {
        return Err(failed(io::Error::other("not a regular file")));
    }
    if size.len() > limit {
        return Err(SuiteError::TooLarge { path: path.to_owned(), limit });
    }
    let mut bytes = Vec::new();
    File::open(&full).map_err(failed)?.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(SuiteError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}
