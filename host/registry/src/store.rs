//! The store of installed bytes, seen by those who run them. A file's name is its digest, and that is checked each time: what
//! somebody changed on disk is not run.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::error::RegistryError;
use crate::lock::{hex, is_digest};

/// A folder of files named by their digests, `sha256/ab/abcd..`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The store below a folder, which need not exist.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where the bytes with this digest are kept. `None` when it is no SHA-256.
    #[must_use]
    pub fn path(&self, sha256: &str) -> Option<PathBuf> {
        is_digest(sha256).then(|| self.root.join("sha256").join(&sha256[..2]).join(sha256))
    }

    /// The store's folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The bytes with this digest.
    ///
    /// # Errors
    /// When there are none, they are other bytes by now, or a link leads elsewhere.
    pub fn read(&self, sha256: &str, bytes: u64) -> Result<Vec<u8>, RegistryError> {
        let path = self.path(sha256).ok_or_else(|| RegistryError::Damaged {
            path: self.root.clone(),
            problem: "the lock has a digest that is none".to_owned(),
        })?;
        let damaged = |problem: &str| RegistryError::Damaged { path: path.clone(), problem: problem.to_owned() };
        let kind =
            fs::symlink_metadata(&path).map_err(|error| RegistryError::Unreadable { path: path.clone(), error })?;
        if !kind.is_file() {
            return Err(damaged("it is no plain file"));
        }
        if kind.len() != bytes {
            return Err(damaged("it has another size than the lock says"));
        }
        let found = read_bounded(&path, bytes)?;
        if hex(&Sha256::digest(&found)) == sha256 {
            Ok(found)
        } else {
            Err(damaged("it has other bytes than the lock says"))
        }
    }
}

/// Reads a file of at most `limit` bytes.
pub fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, RegistryError> {
    let failed = |error| RegistryError::Unreadable { path: path.to_owned(), error };
    let file = fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    let length = bytes.len() as u64;
    if length > limit {
        return Err(RegistryError::TooLarge { path: path.to_owned(), bytes: length, limit });
    }
    Ok(bytes)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    #[test]
    fn changed_bytes_and_links_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let sha256 = hex(&Sha256::digest(b"hello"));
        let path = store.path(&sha256).unwrap();
        assert_eq!(store.read(&sha256, 5).unwrap_err().code(), "file-unreadable");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "hello").unwrap();
        assert_eq!(store.read(&sha256, 5).unwrap(), b"hello");
        assert_eq!(store.read(&sha256, 4).unwrap_err().code(), "store-damaged");
        fs::write(&path, "jello").unwrap();
        assert_eq!(store.read(&sha256, 5).unwrap_err().code(), "store-damaged");
        #[cfg(unix)]
        {
            let elsewhere = folder.path().join("elsewhere");
            fs::write(&elsewhere, "hello").unwrap();
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
            assert_eq!(store.read(&sha256, 5).unwrap_err().code(), "store-damaged");
        }
        assert!(store.path("../../etc/passwd").is_none());
    }
}
