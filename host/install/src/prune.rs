//! Giving space back: what no lock needs leaves the store. The locks that count are the one at hand, the user's, every other that was ever
//! filled from this store, and of each the one before. Each file goes by itself, so whenever this is cut off the locks hold as before.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bench_registry::{Lock, Locked, is_digest};
use serde::Serialize;

use crate::error::{InstallError, at};
use crate::installer::Installer;

/// A file that nothing needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unneeded {
    /// SHA-256 in hex, by which it is stored.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Whether it is the beginning of a download that was cut off.
    pub partial: bool,
    #[serde(skip)]
    path: PathBuf,
}

/// What was freed, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// The files, by digest.
    pub files: Vec<Unneeded>,
    /// Their bytes together.
    pub bytes: u64,
    /// Locks that were looked at and are there.
    pub locks: Vec<PathBuf>,
}

impl Installer {
    /// Removes what no lock needs from the store; with `dry_run` only says what that is.
    ///
    /// # Errors
    /// When a lock that exists cannot be read, since what it needs is not known then, or files cannot be removed.
    pub fn prune(&mut self, dry_run: bool) -> Result<Pruned, InstallError> {
        let _guard = self.guard()?;
        let mut needed = BTreeSet::new();
        let mut pruned = Pruned::default();
        for path in self.home.known_locks()? {
            if !path.exists() {
                continue;
            }
            let lock = Lock::read(&path)?;
            needed.extend(lock.items().iter().flat_map(Locked::stored).map(|(sha256, _)| sha256.to_owned()));
            pruned.locks.push(path);
        }
        let store = self.home.store();
        for folder in folders(&store.root().join("sha256"))? {
            pruned.files.extend(stored(&folder, false)?.into_iter().filter(|file| !needed.contains(&file.sha256)));
        }
        pruned.files.extend(stored(&store.root().join("partial"), true)?);
        pruned.files.sort_by(|one, other| one.path.cmp(&other.path));
        pruned.bytes = pruned.files.iter().map(|file| file.bytes).sum();
        if !dry_run {
            for file in &pruned.files {
                self.files.remove(&file.path).map_err(at(&file.path))?;
            }
        }
        Ok(pruned)
    }
}

/// The entries of a folder that is one and no link to another. None where there is none.
fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, InstallError> {
    match fs::symlink_metadata(folder) {
        Ok(found) if found.is_dir() => {
            fs::read_dir(folder).map_err(at(folder))?.collect::<Result<_, _>>().map_err(at(folder))
        }
        Ok(_) => Ok(Vec::new()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(at(folder)(error)),
    }
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, InstallError> {
    Ok(entries(folder)?.iter().map(fs::DirEntry::path).collect())
}

/// The files of a folder that the store has put there: those that are named by a digest. Others are not ours to remove.
fn stored(folder: &Path, partial: bool) -> Result<Vec<Unneeded>, InstallError> {
    let mut found = Vec::new();
    for entry in entries(folder)? {
        let path = entry.path();
        let kind = fs::symlink_metadata(&path).map_err(at(&path))?;
        if let Some(sha256) = entry.file_name().to_str().filter(|name| is_digest(name) && !kind.is_dir()) {
            found.push(Unneeded { sha256: sha256.to_owned(), bytes: kind.len(), partial, path });
        }
    }
    Ok(found)
}
