//! Digests of model files: which weights were measured, down to the byte.
//!
//! The whole file is hashed, not a prefix of it: two quantisations can share their first megabytes. That takes minutes for a
//! large model, so digests are kept in a cache that notices a changed file.

mod cache;
pub mod facts;
pub mod gguf;
mod reader;
pub mod safetensors;
mod served;

pub use facts::ModelFacts;
pub use served::ServedModel;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use bench_files::{FilesError, open_regular};
use bench_text::clean_sentence;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Found, hex};

/// Files of one model at most.
const FILE_LIMIT: usize = 4096;
/// Size of one read while hashing.
const BLOCK: usize = 1 << 20;

/// Digest of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelDigest {
    /// Of one file: its SHA-256. Of several: SHA-256 over `name`, NUL, `sha256`, newline of each, sorted by name.
    /// Lower-case hexadecimal.
    pub sha256: String,
    /// Size of all files together.
    pub bytes: u64,
    /// Kind of the files.
    pub format: ModelFormat,
    /// The files, sorted by name.
    pub files: Vec<FileDigest>,
    /// What the headers of the files say about the model.
    pub facts: Found<ModelFacts>,
}

/// Digest of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileDigest {
    /// Name without directories.
    pub name: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

/// Kind of model file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ModelFormat {
    /// GGUF, in one file or in shards.
    Gguf,
    /// Safetensors, in one file or a directory of them.
    Safetensors,
    /// Anything else.
    Other,
}

/// Why a model has no digest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// Nothing is there.
    #[error("there is no model at {path}", path = clean_sentence(.path.display()))]
    NotFound {
        /// Path as given.
        path: PathBuf,
    },
    /// It is neither a file nor a directory.
    #[error("{path} is neither a file nor a directory", path = clean_sentence(.path.display()))]
    NotAFile {
        /// Path as given.
        path: PathBuf,
    },
    /// The directory holds no safetensors.
    #[error("the directory {path} holds no .safetensors file", path = clean_sentence(.path.display()))]
    NoWeights {
        /// Path as given.
        path: PathBuf,
    },
    /// The directory holds more files than any model has.
    #[error("the directory {path} holds more than {FILE_LIMIT} weight files", path = clean_sentence(.path.display()))]
    TooManyFiles {
        /// Path as given.
        path: PathBuf,
    },
    /// A shard of the model is missing.
    #[error("shard {path} of the model is missing", path = clean_sentence(.path.display()))]
    ShardMissing {
        /// The shard that was looked for.
        path: PathBuf,
    },
    /// The file changed while it was read.
    #[error("{path} changed while it was read", path = clean_sentence(.path.display()))]
    Changed {
        /// Path as given.
        path: PathBuf,
    },
    /// The file could not be read.
    #[error("{path} could not be read: {source}", path = clean_sentence(.path.display()))]
    Unreadable {
        /// Path as given.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl ModelError {
    /// Stable name of the kind of error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "model-file-not-found",
            Self::NotAFile { .. } => "model-not-a-file",
            Self::NoWeights { .. } => "model-without-weights",
            Self::TooManyFiles { .. } => "model-too-many-files",
            Self::ShardMissing { .. } => "model-shard-missing",
            Self::Changed { .. } => "model-changed-while-read",
            Self::Unreadable { .. } => "model-unreadable",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotFound { .. } => "Check the path; the backend may run in a container with paths of its own.",
            Self::NotAFile { .. } => "Name the model file, or the directory that holds the .safetensors files.",
            Self::NoWeights { .. } => "Name the .gguf file itself, or a directory with .safetensors files.",
            Self::TooManyFiles { .. } => "Name the directory of one model.",
            Self::ShardMissing { .. } => "Download the model again; all shards belong in one directory.",
            Self::Changed { .. } => "Wait until the download has finished, then run again.",
            Self::Unreadable { .. } => "Check that you may read the file.",
        };
        Some(hint.to_owned())
    }
}

/// How far the hashing has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes hashed or found in the cache.
    pub done_bytes: u64,
    /// Bytes altogether.
    pub total_bytes: u64,
}

/// Computes digests and keeps them in a directory. Several processes may share it.
#[derive(Debug, Clone)]
pub struct ModelDigests {
    cache: cache::Cache,
}

impl ModelDigests {
    /// Keeps digests in `directory`, which is made when it is first needed.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { cache: cache::Cache::new(directory.into()) }
    }

    /// Digest of a model: a file, all shards of a sharded GGUF (any shard names the model), or a directory of safetensors.
    /// Blocks for as long as reading takes; `progress` is called about once per MiB.
    ///
    /// # Errors
    /// [`ModelError`]. A header that cannot be understood is no error: it is in [`ModelDigest::facts`].
    pub fn digest(&self, path: &Path, progress: &mut dyn FnMut(Progress)) -> Result<ModelDigest, ModelError> {
        let (format, paths) = files_of(path)?;
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            files.push(WeightFile { file: open(&path)?, path });
        }
        let config = files.first().and_then(|file| open_regular(&file.path.with_file_name("config.json")).ok());
        self.digest_files(format, files, config, progress)
    }

    /// Digest of the model that a server has; see [`ModelDigests::digest`].
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn digest_served(
        &self,
        model: ServedModel,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<ModelDigest, ModelError> {
        self.digest_files(model.format, model.files, model.config, progress)
    }

    fn digest_files(
        &self,
        format: ModelFormat,
        mut files: Vec<WeightFile>,
        config: Option<File>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<ModelDigest, ModelError> {
        let sizes = files.iter().map(WeightFile::size).collect::<Result<Vec<u64>, ModelError>>()?;
        let total_bytes = sizes.iter().fold(0, |sum: u64, size| sum.saturating_add(*size));
        let mut digests = Vec::with_capacity(files.len());
        let mut before = 0_u64;
        for file in &mut files {
            let mut report = |done: u64| progress(Progress { done_bytes: before.saturating_add(done), total_bytes });
            let digest = self.digest_file(file, &mut report)?;
            before = before.saturating_add(digest.bytes);
            progress(Progress { done_bytes: before, total_bytes });
            digests.push(digest);
        }
        digests.sort_by(|a, b| a.name.cmp(&b.name));
        let sha256 = match digests.as_slice() {
            [only] => only.sha256.clone(),
            several => combined(several),
        };
        let facts = facts::read(format, &mut files, config);
        Ok(ModelDigest { sha256, bytes: before, format, files: digests, facts })
    }

    fn digest_file(&self, weights: &mut WeightFile, report: &mut dyn FnMut(u64)) -> Result<FileDigest, ModelError> {
        let WeightFile { path, file } = weights;
        let path = path.as_path();
        let unreadable = |source| ModelError::Unreadable { path: path.to_owned(), source };
        let state = cache::FileState::of(path, &file.metadata().map_err(unreadable)?);
        let name = file_name(path);
        if let Some(sha256) = self.cache.get(&state) {
            return Ok(FileDigest { name, bytes: state.bytes, sha256 });
        }
        let mut hash = Sha256::new();
        let mut block = vec![0_u8; BLOCK];
        let mut done = 0_u64;
        loop {
            match file.read(&mut block) {
                Ok(0) => break,
                Ok(count) => {
                    hash.update(block.get(..count).unwrap_or_default());
                    done = done.saturating_add(count as u64);
                    report(done);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(error)),
            }
        }
        let after = cache::FileState::of(path, &file.metadata().map_err(unreadable)?);
        if after != state || done != state.bytes {
            return Err(ModelError::Changed { path: path.to_owned() });
        }
        let sha256 = hex(&hash.finalize());
        self.cache.put(&state, &sha256);
        Ok(FileDigest { name, bytes: done, sha256 })
    }
}

/// A file of a model, open for reading.
#[derive(Debug)]
struct WeightFile {
    path: PathBuf,
    file: File,
}

impl WeightFile {
    fn size(&self) -> Result<u64, ModelError> {
        let unreadable = |source| ModelError::Unreadable { path: self.path.clone(), source };
        Ok(self.file.metadata().map_err(unreadable)?.len())
    }
}

/// Opens a regular file.
fn open(path: &Path) -> Result<File, ModelError> {
    let path_buf = || path.to_owned();
    open_regular(path).map_err(|error| match error {
        FilesError::Unreadable { error, .. } if error.kind() == std::io::ErrorKind::NotFound => {
            ModelError::NotFound { path: path_buf() }
        }
        FilesError::Unreadable { error, .. } => ModelError::Unreadable { path: path_buf(), source: error },
        _ => ModelError::NotAFile { path: path_buf() },
    })
}

/// SHA-256 over the names and digests of several files that are sorted by name.
pub fn combined(files: &[FileDigest]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        // Neither a file name nor a hexadecimal digest can hold a NUL, so no two sets give the same bytes.
        hash.update(file.name.as_bytes());
        hash.update([0]);
        hash.update(file.sha256.as_bytes());
        hash.update(b"\n");
    }
    hex(&hash.finalize())
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn metadata(path: &Path) -> Result<std::fs::Metadata, ModelError> {
    std::fs::metadata(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => ModelError::NotFound { path: path.to_owned() },
        _ => ModelError::Unreadable { path: path.to_owned(), source },
    })
}

/// The files that make up the model at a path, sorted by name.
fn files_of(path: &Path) -> Result<(ModelFormat, Vec<PathBuf>), ModelError> {
    let metadata = metadata(path)?;
    if metadata.is_dir() {
        return Ok((ModelFormat::Safetensors, weights_in(path)?));
    }
    if !metadata.is_file() {
        return Err(ModelError::NotAFile { path: path.to_owned() });
    }
    match format_of(path)? {
        ModelFormat::Gguf => Ok((ModelFormat::Gguf, gguf_shards(path)?)),
        format => Ok((format, vec![path.to_owned()])),
    }
}

fn weights_in(directory: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let unreadable = |source| ModelError::Unreadable { path: directory.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "safetensors") && path.is_file() {
            paths.push(path);
        }
        if paths.len() > FILE_LIMIT {
            return Err(ModelError::TooManyFiles { path: directory.to_owned() });
        }
    }
    if paths.is_empty() {
        return Err(ModelError::NoWeights { path: directory.to_owned() });
    }
    paths.sort();
    Ok(paths)
}

/// The kind of a file by its first bytes: stores such as Ollama's name files by digest alone.
fn format_of(path: &Path) -> Result<ModelFormat, ModelError> {
    let unreadable = |source| ModelError::Unreadable { path: path.to_owned(), source };
    let mut file = open(path)?;
    let mut magic = [0_u8; 4];
    let is_gguf = match file.read_exact(&mut magic) {
        Ok(()) => magic == gguf::MAGIC,
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => false,
        Err(error) => return Err(unreadable(error)),
    };
    if is_gguf {
        return Ok(ModelFormat::Gguf);
    }
    if path.extension().is_some_and(|extension| extension == "safetensors") {
        return Ok(ModelFormat::Safetensors);
    }
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let is_safetensors = safetensors::parse(std::io::BufReader::new(file)).is_ok();
    Ok(if is_safetensors { ModelFormat::Safetensors } else { ModelFormat::Other })
}

/// All shards of a file named like `model-00002-of-00005.gguf`; the file itself when it is named otherwise.
fn gguf_shards(path: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let name = file_name(path);
    let Some((stem, count)) = shard_of(&name) else { return Ok(vec![path.to_owned()]) };
    (1..=count)
        .map(|number| {
            let shard = path.with_file_name(format!("{stem}-{number:05}-of-{count:05}.gguf"));
            if shard.is_file() { Ok(shard) } else { Err(ModelError::ShardMissing { path: shard }) }
        })
        .collect()
}

fn shard_of(name: &str) -> Option<(&str, u32)> {
    let (rest, count) = name.strip_suffix(".gguf")?.rsplit_once("-of-")?;
    let (stem, number) = rest.rsplit_once('-')?;
    let five = |digits: &str| (digits.len() == 5).then(|| digits.parse::<u32>().ok())?;
    let (number, count) = (five(number)?, five(count)?);
    ((1..=count).contains(&number) && count as usize <= FILE_LIMIT).then_some((stem, count))
}
