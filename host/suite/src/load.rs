//! Reading a suite: from a folder or from memory, into the same checked value.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use semver::Version;

use crate::{Corpus, Digest, Manifest, SuiteError, WorkloadEntry};

/// Name of the manifest in a suite's folder.
pub const MANIFEST: &str = "suite.toml";

/// Largest manifest, in bytes.
const LARGEST_MANIFEST: u64 = 256 * 1024;

/// Largest data file, in bytes. Offsets into a corpus are 32 bits, and no prompt needs more text than this.
const LARGEST_FILE: u64 = 16 * 1024 * 1024;

/// Largest sum of a suite's files, in bytes.
const LARGEST_SUITE: u64 = 64 * 1024 * 1024;

/// A suite's files in memory, by path relative to its folder.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A suite that is complete: every file is there and is the one that the manifest names.
#[derive(Debug, Clone)]
pub struct Suite {
    manifest: Manifest,
    corpora: BTreeMap<String, Arc<Corpus>>,
    files: BTreeMap<String, Digest>,
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

    fn assemble(mut read: impl FnMut(&str, u64) -> Result<Vec<u8>, SuiteError>) -> Result<Self, SuiteError> {
        let manifest_bytes = read(MANIFEST, LARGEST_MANIFEST)?;
        let mut files = BTreeMap::from([(MANIFEST.to_owned(), Digest::of(&manifest_bytes))]);
        let mut room = LARGEST_SUITE.saturating_sub(manifest_bytes.len() as u64);
        let manifest = Manifest::parse(&text(MANIFEST, manifest_bytes)?)?;

        let mut corpora = BTreeMap::new();
        for (name, entry) in &manifest.corpora {
            let bytes = read(&entry.file, LARGEST_FILE.min(room))?;
            room = room.saturating_sub(bytes.len() as u64);
            let actual = Digest::of(&bytes);
            if actual != entry.sha256 {
                return Err(SuiteError::Digest {
                    path: entry.file.clone(),
                    expected: entry.sha256.to_string(),
                    actual: actual.to_string(),
                });
            }
            let corpus = Corpus::new(text(&entry.file, bytes)?)
                .ok_or_else(|| SuiteError::EmptyCorpus { path: entry.file.clone() })?;
            files.insert(entry.file.clone(), actual);
            corpora.insert(name.clone(), Arc::new(corpus));
        }
        Ok(Self { manifest, corpora, files })
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
    if !fs::metadata(&full).map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("not a regular file")));
    }
    let mut bytes = Vec::new();
    File::open(&full).map_err(failed)?.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(SuiteError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}
