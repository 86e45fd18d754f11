//! Compiled code on disk, keyed by the component's content and the engine that compiled it.
//!
//! Loading compiled code means running it, so an entry is trusted only because this user's own process wrote it: the folder
//! must belong to the user and be writable by nobody else, and each entry carries a digest that catches torn or rotten
//! files. A bad entry is a miss. Compiled code is never shipped and never taken from anywhere else.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

const DIGEST_BYTES: usize = 32;

/// A folder of compiled components.
#[derive(Debug, Clone)]
pub struct CompileCache {
    folder: PathBuf,
}

/// Why a folder cannot serve as a cache.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CacheError {
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: std::io::Error },
    #[error("{} belongs to another user or can be written by others", path.display())]
    NotPrivate { path: PathBuf },
}

impl CompileCache {
    /// Opens or makes the cache below `folder` for one engine, named by `engine_key`.
    pub(crate) fn open(folder: &Path, engine_key: &str) -> Result<CompileCache, CacheError> {
        let folder = folder.join(engine_key);
        let failed = |error| CacheError::Io { path: folder.clone(), error };
        create_private(&folder).map_err(failed)?;
        let metadata = fs::symlink_metadata(&folder).map_err(failed)?;
        if !metadata.is_dir() || !is_private(&metadata) {
            return Err(CacheError::NotPrivate { path: folder });
        }
        Ok(CompileCache { folder })
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.folder.join(format!("{digest}.bin"))
    }

    /// The compiled code of the component with this digest, when there is a sound entry.
    pub(crate) fn get(&self, digest: &str) -> Option<Vec<u8>> {
        let mut bytes = fs::read(self.path(digest)).ok()?;
        let body = bytes.len().checked_sub(DIGEST_BYTES)?;
        let (code, sum) = bytes.split_at(body);
        if Sha256::digest(code).as_slice() != sum {
            return None;
        }
        bytes.truncate(body);
        Some(bytes)
    }

    /// Keeps compiled code. Failure to do so costs a compilation later and nothing else, so it is not an error.
    pub(crate) fn put(&self, digest: &str, code: &[u8]) {
        let temporary = self.folder.join(format!(".{digest}.{}.tmp", std::process::id()));
        let written = fs::File::create(&temporary).and_then(|mut file| {
            file.write_all(code)?;
            file.write_all(&Sha256::digest(code))
        });
        let kept = written.and_then(|()| fs::rename(&temporary, self.path(digest)));
        if kept.is_err() {
            // Nothing more can be done about a folder that does not take files.
            fs::remove_file(&temporary).ok();
        }
    }

    /// Forgets an entry that turned out to be unusable.
    pub(crate) fn forget(&self, digest: &str) {
        fs::remove_file(self.path(digest)).ok();
    }
}

#[cfg(unix)]
fn create_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn is_private(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    const WRITABLE_BY_OTHERS: u32 = 0o022;
    // SAFETY: geteuid has no preconditions and cannot fail.
    let me = unsafe { libc::geteuid() };
    metadata.uid() == me && metadata.mode() & WRITABLE_BY_OTHERS == 0
}

#[cfg(not(unix))]
fn is_private(_metadata: &fs::Metadata) -> bool {
    true
}
