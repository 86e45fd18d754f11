//! The local store: a directory per run with `run.json` and, where it was kept, `trace.parquet`.
//!
//! A record is written whole under another name and renamed into place, so a reader sees the old one or the new one and a
//! crash loses neither. The store is a plain directory: runs can be copied in and out with ordinary tools.
//!
//! The store is private: it is used only while no other user can write it, and new folders and files are the user's alone.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use bench_files::{PrivateFolder, read_bounded, write_output};
use bench_json::{Budget, memory};
use serde::{Deserialize, Serialize};

use crate::{RecordError, RunId, RunRecord, RunStatus, WorkloadStatus, schema};

/// Largest `run.json` that is read, in bytes: 128 MiB, or more where the user allows more memory.
fn max_record_bytes() -> u64 {
    memory() / 3 * 2
}

const RECORD_FILE: &str = "run.json";
const LOCAL_FILE: &str = "local.json";
const TRACE_FILE: &str = "trace.parquet";

/// A directory of runs.
#[derive(Debug, Clone)]
pub struct Store {
    runs: PathBuf,
}

/// What is needed to resume a run and means something on this machine alone. It stands beside the record and not in it, since a
/// path tells about its user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalFacts {
    /// The suite's folder, where it was one that the user named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<PathBuf>,
}

/// A run in a list, or what stands in its place.
#[derive(Debug)]
pub enum Entry {
    /// A readable run.
    Run(RunSummary),
    /// A directory whose record cannot be read.
    Broken {
        /// Name of the directory.
        name: String,
        /// Why not.
        error: RecordError,
    },
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its name.
    pub id: RunId,
    /// How far it came.
    pub status: RunStatus,
    /// When it began.
    pub started_at: String,
    /// The suite.
    pub suite: SuiteName,
    /// The backend, where one was recognised.
    pub backend: Option<BackendName>,
    /// The model.
    pub model: ModelName,
    /// The backend was a simulation.
    pub simulated: bool,
    /// What became of each workload.
    pub workloads: Vec<WorkloadName>,
}

/// A suite in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuiteName {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// A short run.
    pub quick: bool,
}

/// A backend in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendName {
    /// Name.
    pub name: String,
    /// Version.
    pub version: Option<String>,
}

/// A model in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelName {
    /// Identifier.
    pub id: String,
}

/// A workload in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadName {
    /// Short label.
    pub label: String,
    /// What became of it.
    pub status: WorkloadStatus,
}

impl Store {
    /// The store under `root`, which need not exist yet.
    pub fn new(root: impl AsRef<Path>) -> Self {
        Self { runs: root.as_ref().join("runs") }
    }

    /// The directory of the run called `id`, which need not exist.
    pub fn directory(&self, id: &RunId) -> PathBuf {
        self.runs.join(id.as_str())
    }

    /// Where the trace of the run called `id` belongs.
    pub fn trace_path(&self, id: &RunId) -> PathBuf {
        self.directory(id).join(TRACE_FILE)
    }

    /// Writes `record`, replacing what was there. Called after each workload, it keeps what is finished through a crash.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`], or [`RecordError::Unwritable`] when the record could not be read back.
    pub fn save(&self, record: &RunRecord) -> Result<PathBuf, RecordError> {
        let json = encode(record)?;
        let folder = PrivateFolder::open_or_create(&self.runs)?.subfolder(record.id.as_str())?;
        let path = self.directory(&record.id).join(RECORD_FILE);
        let mut staged = folder.stage(RECORD_FILE)?;
        staged.write_all(&json).map_err(RecordError::io("write", &path))?;
        staged.persist_synced()?;
        Ok(path)
    }

    /// Keeps what means something on this machine alone beside the record called `id`.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`].
    pub fn save_local(&self, id: &RunId, facts: &LocalFacts) -> Result<(), RecordError> {
        let json =
            serde_json::to_vec_pretty(facts).map_err(|error| RecordError::Unwritable { reason: error.to_string() })?;
        let folder = PrivateFolder::open_or_create(&self.runs)?.subfolder(id.as_str())?;
        let mut staged = folder.stage(LOCAL_FILE)?;
        staged.write_all(&json).map_err(RecordError::io("write", &self.directory(id).join(LOCAL_FILE)))?;
        staged.persist_synced()?;
        Ok(())
    }

    /// What [`Store::save_local`] kept of a run. Nothing where there is none or it cannot be read: the user can say it again.
    pub fn local(&self, id: &RunId) -> LocalFacts {
        let bytes = read_bounded(&self.directory(id).join(LOCAL_FILE), 64 << 10).ok();
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// All runs, newest first, and after them what could not be read. A missing store is an empty one.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`] when the directory itself cannot be read.
    pub fn list(&self) -> Result<Vec<Entry>, RecordError> {
        let Some(store) = self.open()? else { return Ok(Vec::new()) };
        let mut runs: Vec<RunSummary> = Vec::new();
        let mut broken = Vec::new();
        for name in names(&store)? {
            let summary = match store.existing_subfolder(&name) {
                Ok(folder) => read_entry(&folder).and_then(|(json, what)| schema::parse_as(&json, &what)),
                Err(error) => Err(error.into()),
            };
            match summary {
                Ok(run) => runs.push(run),
                Err(error) => broken.push(Entry::Broken { name, error }),
            }
        }
        runs.sort_by(|a, b| (&b.started_at, &b.id).cmp(&(&a.started_at, &a.id)));
        Ok(runs.into_iter().map(Entry::Run).chain(broken).collect())
    }

    /// The run that `reference` means: its identifier, a beginning of it that no other run has, or `latest` or `last` for the
    /// newest.
    ///
    /// # Errors
    ///
    /// [`RecordError::RunNotFound`], [`RecordError::AmbiguousRun`], [`RecordError::BadId`] or [`RecordError::Io`].
    pub fn resolve(&self, reference: &str) -> Result<RunId, RecordError> {
        let missing = || RecordError::RunNotFound { reference: reference.to_owned() };
        if matches!(reference, "latest" | "last") {
            let newest = self.list()?.into_iter().find_map(|entry| match entry {
                Entry::Run(run) => Some(run.id),
                Entry::Broken { .. } => None,
            });
            return newest.ok_or_else(missing);
        }
        let wanted = RunId::new(reference)?;
        let names = self.open()?.map_or_else(|| Ok(Vec::new()), |store| names(&store))?;
        let mut candidates: Vec<String> = names.into_iter().filter(|name| name.starts_with(wanted.as_str())).collect();
        if candidates.iter().any(|name| name == wanted.as_str()) {
            return Ok(wanted);
        }
        match candidates.as_slice() {
            [] => Err(missing()),
            [one] => RunId::new(one.clone()),
            _ => {
                candidates.truncate(5);
                Err(RecordError::AmbiguousRun { reference: reference.to_owned(), candidates })
            }
        }
    }

    /// Reads the run that `reference` means, as in [`Store::resolve`]. A reference with a path separator or the ending `.json` is
    /// a file instead.
    ///
    /// # Errors
    ///
    /// As for [`Store::resolve`] and [`read_record`].
    pub fn load(&self, reference: &str) -> Result<RunRecord, RecordError> {
        if is_path(reference) {
            return read_record(Path::new(reference));
        }
        let (json, what) = read_entry(&self.run_folder(reference)?)?;
        schema::parse(&json, &what)
    }

    /// The folder of the record that `reference` means, as in [`Store::load`]: what else belongs to the run stands in it.
    ///
    /// # Errors
    ///
    /// As for [`Store::resolve`].
    pub fn folder(&self, reference: &str) -> Result<PathBuf, RecordError> {
        if is_path(reference) {
            return Ok(Path::new(reference).parent().map(Path::to_owned).unwrap_or_default());
        }
        // That the folder is private is checked here, before anything in it is read.
        self.run_folder(reference)?;
        Ok(self.directory(&self.resolve(reference)?))
    }

    /// The folder of a run in this store.
    fn run_folder(&self, reference: &str) -> Result<PrivateFolder, RecordError> {
        let id = self.resolve(reference)?;
        let store = self.open()?.ok_or_else(|| RecordError::RunNotFound { reference: reference.to_owned() })?;
        Ok(store.existing_subfolder(id.as_str())?)
    }

    /// The folder of all runs. `None` when there is none yet.
    fn open(&self) -> Result<Option<PrivateFolder>, RecordError> {
        match PrivateFolder::open(&self.runs) {
            Err(error) if error.is_missing() => Ok(None),
            other => Ok(Some(other?)),
        }
    }
}

/// Whether a reference means a file and not a run of the store.
fn is_path(reference: &str) -> bool {
    reference.contains(['/', '\\']) || reference.ends_with(".json")
}

/// Names that could be those of runs, in order.
fn names(store: &PrivateFolder) -> Result<Vec<String>, RecordError> {
    let names = store.names()?.into_iter().filter_map(|name| name.into_string().ok());
    Ok(names.filter(|name| RunId::new(name.as_str()).is_ok() && store.path().join(name).is_dir()).collect())
}

/// The record in the folder of a run, and its path for messages.
fn read_entry(folder: &PrivateFolder) -> Result<(Vec<u8>, String), RecordError> {
    let json = folder.read_entry_bounded(RECORD_FILE, max_record_bytes())?;
    Ok((json, folder.entry_path(RECORD_FILE).display().to_string()))
}

/// Reads the record in the file at `path`.
///
/// # Errors
///
/// [`RecordError::Io`], [`RecordError::Files`], [`RecordError::TooLarge`], or those of [`crate::parse`].
pub fn read_record(path: &Path) -> Result<RunRecord, RecordError> {
    schema::parse(&read_bounded(path, max_record_bytes())?, &path.display().to_string())
}

/// Writes `record` to the file at `path` as indented JSON, whole or not at all.
///
/// # Errors
///
/// [`RecordError::Io`], or [`RecordError::Unwritable`] when the record could not be read back.
pub fn write_record(record: &RunRecord, path: &Path) -> Result<(), RecordError> {
    write_atomically(path, &encode(record)?)
}

/// The record as indented JSON.
fn encode(record: &RunRecord) -> Result<Vec<u8>, RecordError> {
    let unwritable = |reason: String| RecordError::Unwritable { reason };
    let mut json = serde_json::to_vec_pretty(record).map_err(|error| unwritable(error.to_string()))?;
    json.push(b'\n');
    // JSON turns a number that is not finite into null, which no longer reads as a number.
    let unbounded = Budget::new(u64::MAX);
    schema::parse_within::<RunRecord>(&json, "the record just written", &unbounded)
        .map_err(|error| unwritable(error.to_string()))?;
    Ok(json)
}

/// Writes `bytes` to `path` so that the file holds the old content or the new one, even through a crash. A device or a FIFO
/// is written to directly.
///
/// # Errors
///
/// [`RecordError::Io`].
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), RecordError> {
    Ok(write_output(path, bytes)?)
}
