//! Digests that were computed before.
//!
//! One small file per model file, replaced in one step: two processes never lose each other's work, and a reader never
//! sees half a file. Whatever cannot be read or does not match is a miss.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bench_files::{FilesError, PrivateFolder};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::hex;

const ENTRY_LIMIT: u64 = 64 << 10;

/// What makes a file the same file as before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileState {
    path: String,
    pub(super) bytes: u64,
    modified_ns: i128,
    inode: u64,
}

impl FileState {
    pub(super) fn of(path: &Path, metadata: &std::fs::Metadata) -> Self {
        // Symbolic links are followed, so that a link that is bent to another file is another file.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let modified_ns = metadata.modified().map_or(i128::MIN, |time| match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i128::try_from(after.as_nanos()).unwrap_or(i128::MAX),
            Err(before) => i128::try_from(before.duration().as_nanos()).map_or(i128::MIN, |nanos| -nanos),
        });
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Self { path: path.to_string_lossy().into_owned(), bytes: metadata.len(), modified_ns, inode }
    }
}

#[derive(Serialize, Deserialize)]
struct Entry {
    version: u32,
    file: FileState,
    sha256: String,
}

const VERSION: u32 = 1;

/// A folder of digests. It is used only while no other user can write it: its digests enter records.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    directory: PathBuf,
}

impl Cache {
    pub(super) const fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The digest of a file in this very state.
    pub(super) fn get(&self, file: &FileState) -> Option<String> {
        let folder = PrivateFolder::open(&self.directory).ok()?;
        let text = folder.read_entry_bounded(entry_name(file), ENTRY_LIMIT).ok()?;
        let entry: Entry = serde_json::from_slice(&text).ok()?;
        let is_digest = entry.sha256.len() == 64 && entry.sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        (entry.version == VERSION && entry.file == *file && is_digest).then_some(entry.sha256)
    }

    /// Keeps a digest. A cache that cannot be written costs time on the next run and nothing else, so that is no error.
    pub(super) fn put(&self, file: &FileState, sha256: &str) {
        let entry = Entry { version: VERSION, file: file.clone(), sha256: sha256.to_owned() };
        let Ok(text) = serde_json::to_vec(&entry) else { return };
        let write = || -> Result<(), FilesError> {
            let mut staged = PrivateFolder::open_or_create(&self.directory)?.stage(entry_name(file))?;
            // A full disk leaves no entry behind.
            if staged.write_all(&text).is_ok() {
                staged.persist()?;
            }
            Ok(())
        };
        let _ = write();
    }
}

/// The name of the entry of a file.
fn entry_name(file: &FileState) -> String {
    format!("{}.json", hex(&Sha256::digest(file.path.as_bytes())))
}
