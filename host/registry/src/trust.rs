//! Lock files of suites that the user allowed.
//!
//! A suite's folder may hold a lock file, which replaces the user's: it chooses among the installed plugins, also older
//! versions. A suite of somebody else must not do so unasked. What the user allowed is kept by the digest of the lock file,
//! so a changed file is asked for again.

use std::io::Write as _;
use std::path::Path;

use bench_files::{FilesError, PrivateFolder};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::RegistryError;
use crate::lock::{LARGEST_LOCK, LOCK_FILE, Lock, hex};
use crate::store::read_bounded;

/// The list in the user's data folder.
const TRUSTED_LOCKS_FILE: &str = "trusted-locks.toml";
/// The largest list that is read: 1 MiB.
const LARGEST_LIST: u64 = 1 << 20;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustedLocks {
    #[serde(default, rename = "lock")]
    locks: Vec<TrustedLock>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustedLock {
    /// Where the file was, for the user.
    path: String,
    /// SHA-256 of the file in hex.
    sha256: String,
}

impl TrustedLocks {
    fn read(data: &Path) -> Result<Self, RegistryError> {
        let folder = match PrivateFolder::open(data) {
            Err(error) if error.is_missing() => return Ok(Self::default()),
            other => other?,
        };
        let bad = |problem: String| RegistryError::BadLock { path: folder.entry_path(TRUSTED_LOCKS_FILE), problem };
        match folder.read_entry_bounded(TRUSTED_LOCKS_FILE, LARGEST_LIST) {
            Err(error) if error.is_missing() => Ok(Self::default()),
            other => {
                let text = String::from_utf8(other?).map_err(|_| bad("it is no text".to_owned()))?;
                toml::from_str(&text).map_err(|error| bad(error.message().to_owned()))
            }
        }
    }

    fn has(&self, sha256: &str) -> bool {
        self.locks.iter().any(|lock| lock.sha256 == sha256)
    }
}

/// Allows the lock file at `lock`, as it is now, for the user whose data is in the folder `data`.
///
/// # Errors
/// When the lock file or the user's data folder cannot be used.
pub fn trust_lock(data: &Path, lock: &Path) -> Result<(), RegistryError> {
    let bytes = read_bounded(lock, LARGEST_LOCK)?;
    parse(&bytes, lock)?;
    let sha256 = hex(&Sha256::digest(&bytes));
    let mut list = TrustedLocks::read(data)?;
    if list.has(&sha256) {
        return Ok(());
    }
    let shown = std::path::absolute(lock).unwrap_or_else(|_| lock.to_owned());
    list.locks.push(TrustedLock { path: shown.display().to_string(), sha256 });
    // Plain structs of strings always serialise.
    let text = toml::to_string(&list).unwrap_or_default();
    let mut staged = PrivateFolder::open_or_create(data)?.stage(TRUSTED_LOCKS_FILE)?;
    let written = staged.write_all(format!("# Written by `bench suite trust`.\n{text}").as_bytes());
    written.map_err(|error| FilesError::Unwritable { path: data.join(TRUSTED_LOCKS_FILE), error })?;
    staged.persist_synced()?;
    Ok(())
}

/// Whether the user with this data folder allowed the lock file at `lock` as it is now. A lock file that does not exist
/// chooses nothing and is allowed.
///
/// # Errors
/// When the lock file or the list cannot be read.
pub fn is_lock_trusted(data: &Path, lock: &Path) -> Result<bool, RegistryError> {
    match read_bounded(lock, LARGEST_LOCK) {
        Err(RegistryError::Unreadable { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        bytes => Ok(TrustedLocks::read(data)?.has(&hex(&Sha256::digest(bytes?)))),
    }
}

/// Reads the user's own lock file, in the user's data folder. A file that does not exist is an empty one.
///
/// # Errors
/// Those of [`Lock::read`], and [`RegistryError::Files`] when other users can write the folder or the file.
pub fn read_private_lock(data: &Path) -> Result<Lock, RegistryError> {
    let bytes = PrivateFolder::open(data).and_then(|folder| folder.read_entry_bounded(LOCK_FILE, LARGEST_LOCK));
    match bytes {
        Err(error) if error.is_missing() => Ok(Lock::default()),
        bytes => parse(&bytes?, &data.join(LOCK_FILE)),
    }
}

/// Reads the lock file of a suite that the user allowed.
///
/// # Errors
/// [`RegistryError::UntrustedLock`], and those of [`Lock::read`].
pub fn read_trusted_lock(data: &Path, lock: &Path) -> Result<Lock, RegistryError> {
    // The bytes that were allowed are the bytes that are parsed.
    let bytes = read_bounded(lock, LARGEST_LOCK)?;
    let parsed = parse(&bytes, lock)?;
    if TrustedLocks::read(data)?.has(&hex(&Sha256::digest(&bytes))) {
        return Ok(parsed);
    }
    Err(RegistryError::UntrustedLock { path: lock.to_owned(), items: parsed.items().len() })
}

fn parse(bytes: &[u8], path: &Path) -> Result<Lock, RegistryError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| RegistryError::BadLock { path: path.to_owned(), problem: "it is no text".to_owned() })?;
    Lock::parse(text, path)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_lock_file_counts_once_it_is_allowed_and_as_long_as_it_stays_the_same() {
        let top = tempfile::tempdir().unwrap();
        let (data, lock) = (top.path().join("data"), top.path().join("bench.lock"));
        assert!(is_lock_trusted(&data, &lock).unwrap());
        fs::write(&lock, Lock::default().text()).unwrap();
        let error = read_trusted_lock(&data, &lock).unwrap_err();
        assert_eq!(error.code(), "suite-lock-untrusted");
        assert!(error.hint().unwrap().contains("bench suite trust"));
        assert!(!is_lock_trusted(&data, &lock).unwrap());
        trust_lock(&data, &lock).unwrap();
        trust_lock(&data, &lock).unwrap();
        read_trusted_lock(&data, &lock).unwrap();
        let list = fs::read_to_string(data.join(TRUSTED_LOCKS_FILE)).unwrap();
        assert_eq!(list.matches("sha256").count(), 1);
        fs::write(&lock, Lock::default().text() + "# changed\n").unwrap();
        assert_eq!(read_trusted_lock(&data, &lock).unwrap_err().code(), "suite-lock-untrusted");
        fs::write(&lock, "layout = 2").unwrap();
        assert_eq!(trust_lock(&data, &lock).unwrap_err().code(), "lock-unreadable");
        fs::write(data.join(TRUSTED_LOCKS_FILE), "x").unwrap();
        assert_eq!(is_lock_trusted(&data, &lock).unwrap_err().code(), "lock-unreadable");
    }
}
