//! The local store: a directory per run with `run.json` and, where it was kept, `trace.parquet`.
//!
//! A record is written whole under another name and renamed into place, so a reader sees the old one or the new one and a
//! crash loses neither. The store is a plain directory: runs can be copied in and out with ordinary tools.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{RecordError, RunId, RunRecord, RunStatus, WorkloadStatus, schema};

/// Largest `run.json` that is read, in bytes.
const MAX_RECORD_BYTES: u64 = 256 << 20;

const RECORD_FILE: &str = "run.json";
const TRACE_FILE: &str = "trace.parquet";

/// A directory of runs.
#[derive(Debug, Clone)]
pub struct Store {
    runs: PathBuf,
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
        let directory = self.directory(&record.id);
        fs::create_dir_all(&directory).map_err(RecordError::io("create the directory", &directory))?;
        let path = directory.join(RECORD_FILE);
        write_record(record, &path)?;
        Ok(path)
    }

    /// All runs, newest first, and after them what could not be read. A missing store is an empty one.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`] when the directory itself cannot be read.
    pub fn list(&self) -> Result<Vec<Entry>, RecordError> {
        let mut runs = Vec::new();
        let mut broken = Vec::new();
        for name in self.names()? {
            match summary(&self.runs.join(&name).join(RECORD_FILE)) {
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
        let mut candidates: Vec<String> =
            self.names()?.into_iter().filter(|name| name.starts_with(wanted.as_str())).collect();
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
        read_record(&self.locate(reference)?)
    }

    /// The folder of the record that `reference` means, as in [`Store::load`]: what else belongs to the run stands in it.
    ///
    /// # Errors
    ///
    /// As for [`Store::resolve`].
    pub fn folder(&self, reference: &str) -> Result<PathBuf, RecordError> {
        let file = self.locate(reference)?;
        Ok(file.parent().map(Path::to_owned).unwrap_or_default())
    }

    fn locate(&self, reference: &str) -> Result<PathBuf, RecordError> {
        if reference.contains(['/', '\\']) || reference.ends_with(".json") {
            return Ok(PathBuf::from(reference));
        }
        Ok(self.directory(&self.resolve(reference)?).join(RECORD_FILE))
    }

    /// Names of directories that could be runs, in order.
    fn names(&self) -> Result<Vec<String>, RecordError> {
        let entries = match fs::read_dir(&self.runs) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(RecordError::io("read the directory", &self.runs))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(RecordError::io("read the directory", &self.runs))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() && RunId::new(name.as_str()).is_ok() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

/// Reads the record in the file at `path`.
///
/// # Errors
///
/// [`RecordError::Io`], [`RecordError::TooLarge`], or those of [`crate::parse`].
pub fn read_record(path: &Path) -> Result<RunRecord, RecordError> {
    schema::parse(&read_bounded(path)?, &path.display().to_string())
}

/// Writes `record` to the file at `path` as indented JSON, whole or not at all.
///
/// # Errors
///
/// [`RecordError::Io`], or [`RecordError::Unwritable`] when the record could not be read back.
pub fn write_record(record: &RunRecord, path: &Path) -> Result<(), RecordError> {
    let unwritable = |reason: String| RecordError::Unwritable { reason };
    let mut json = serde_json::to_vec_pretty(record).map_err(|error| unwritable(error.to_string()))?;
    json.push(b'\n');
    // JSON turns a number that is not finite into null, which no longer reads as a number.
    schema::parse(&json, "the record just written").map_err(|error| unwritable(error.to_string()))?;
    write_atomically(path, &json)
}

/// Writes `bytes` to `path` so that the file holds the old content or the new one, even through a crash.
///
/// # Errors
///
/// [`RecordError::Io`].
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), RecordError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(bytes)?;
        persist(file, path)
    };
    write().map_err(RecordError::io("write", path))
}

/// Makes a finished temporary file durable under its name.
pub(crate) fn persist(file: tempfile::NamedTempFile, path: &Path) -> std::io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The rename is only durable once the directory is; elsewhere than on Unix directories cannot be opened.
    #[cfg(unix)]
    if let Some(directory) = path.parent() {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

fn summary(path: &Path) -> Result<RunSummary, RecordError> {
    schema::parse_as(&read_bounded(path)?, &path.display().to_string())
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, RecordError> {
    let too_large = |size| RecordError::TooLarge { path: path.to_owned(), size, limit: MAX_RECORD_BYTES };
    let file = File::open(path).map_err(RecordError::io("open", path))?;
    let size = file.metadata().map_err(RecordError::io("read", path))?.len();
    if size > MAX_RECORD_BYTES {
        return Err(too_large(size));
    }
    let mut json = Vec::new();
    // A pipe or a growing file has more than its size says.
    file.take(MAX_RECORD_BYTES + 1).read_to_end(&mut json).map_err(RecordError::io("read", path))?;
    if json.len() as u64 > MAX_RECORD_BYTES {
        return Err(too_large(json.len() as u64));
    }
    Ok(json)
}
