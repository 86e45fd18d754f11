//! Where an installation is kept, and who may change it: one process at a time. Reading needs no permission, since what is read is only
//! ever exchanged as a whole.

use std::path::{Path, PathBuf};

use bench_files::PrivateFolder;
use bench_registry::{Guard, LARGEST_LOCK, LOCK_FILE, Lock, Store, is_lock_trusted, trust_lock};

use crate::error::{InstallError, at};
use crate::files::{Disk, FileOps, replace};

/// The list of locks that are not the user's own and were filled from this store, a path a line.
const OTHER_LOCKS: &str = "locks.known";

/// The folders of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The user's data.
    pub data: PathBuf,
    /// What can be made again, such as compiled code.
    pub cache: PathBuf,
    /// The lock that is changed: the user's, or one beside a suite.
    pub lock: PathBuf,
}

impl Home {
    /// The installation of the user with these folders.
    #[must_use]
    pub fn new(data: &Path, cache: &Path) -> Self {
        Self { data: data.to_owned(), cache: cache.to_owned(), lock: data.join(LOCK_FILE) }
    }

    /// The same with another lock file.
    #[must_use]
    pub fn with_lock(self, lock: PathBuf) -> Self {
        Self { lock, ..self }
    }

    /// The installed bytes.
    #[must_use]
    pub fn store(&self) -> Store {
        Store::new(self.data.join("store"))
    }

    /// What was verified of a registry's metadata.
    #[must_use]
    pub fn metadata(&self, registry: &str) -> PathBuf {
        self.data.join("registries").join(registry)
    }

    /// The set before this one.
    #[must_use]
    pub fn previous(&self) -> PathBuf {
        previous_of(&self.lock)
    }

    /// All locks that the store may hold something for, and of each the one before: the user's, this one, and every other that was filled
    /// from it. They need not exist any more.
    pub(crate) fn known_locks(&self) -> Result<Vec<PathBuf>, InstallError> {
        let mut locks = vec![self.data.join(LOCK_FILE), self.lock.clone()];
        let list = self.data.join(OTHER_LOCKS);
        if let Some(bytes) = Disk.read(&list, LARGEST_LOCK).map_err(at(&list))? {
            locks.extend(String::from_utf8_lossy(&bytes).lines().map(PathBuf::from));
        }
        let previous: Vec<PathBuf> = locks.iter().map(|lock| previous_of(lock)).collect();
        locks.extend(previous);
        locks.sort();
        locks.dedup();
        Ok(locks)
    }

    /// Notes that the store holds something for this lock, if it is not the user's own. That comes before the first byte does.
    pub(crate) fn remember(&self, files: &dyn FileOps) -> Result<(), InstallError> {
        if self.lock == self.data.join(LOCK_FILE) {
            return Ok(());
        }
        let lock = std::path::absolute(&self.lock).map_err(at(&self.lock))?;
        let Some(line) = lock.to_str().filter(|line| !line.contains('\n')) else {
            let error =
                std::io::Error::new(std::io::ErrorKind::InvalidInput, "a lock's path has to be one line of text");
            return Err(at(&lock)(error));
        };
        let list = self.data.join(OTHER_LOCKS);
        let known = files.read(&list, LARGEST_LOCK).map_err(at(&list))?.unwrap_or_default();
        let known = String::from_utf8_lossy(&known);
        // Those that are gone need nothing any more.
        let mut lines: Vec<&str> = known.lines().filter(|known| Path::new(known).exists()).collect();
        if lines.contains(&line) {
            return Ok(());
        }
        lines.push(line);
        replace(files, &list, (lines.join("\n") + "\n").as_bytes()).map_err(at(&list))
    }

    /// Exchanges the lock: the set before stays as the previous one. Whenever this is cut off, the lock is the old one or the new one.
    pub(crate) fn exchange(&self, files: &dyn FileOps, new: &Lock) -> Result<(), InstallError> {
        // A suite's lock that the user allowed, or that this makes, is allowed afterwards as well.
        let is_suites = self.lock != self.data.join(LOCK_FILE);
        let is_allowed = is_suites && is_lock_trusted(&self.data, &self.lock)?;
        let previous = self.previous();
        if let Some(current) = files.read(&self.lock, LARGEST_LOCK).map_err(at(&self.lock))? {
            replace(files, &previous, &current).map_err(at(&previous))?;
        } else {
            replace(files, &previous, Lock::default().text().as_bytes()).map_err(at(&previous))?;
        }
        replace(files, &self.lock, new.text().as_bytes()).map_err(at(&self.lock))?;
        if is_allowed {
            trust_lock(&self.data, &self.lock)?;
        }
        Ok(())
    }

    /// Leave to change the installation: waits for other processes that have it. `waiting` is called once if there are any.
    ///
    /// # Errors
    /// When the file cannot be made, as in a home that can only be read.
    pub fn guard(&self, waiting: &dyn Fn()) -> Result<Guard, InstallError> {
        let path = self.data.join("install.guard");
        PrivateFolder::open_or_create(&self.data)?;
        Guard::take(&path, waiting).map_err(at(&path))
    }

    /// Puts a lock in the place of one that cannot be read.
    pub(crate) fn restore(&self, files: &dyn FileOps, lock: &Lock) -> Result<(), InstallError> {
        replace(files, &self.lock, lock.text().as_bytes()).map_err(at(&self.lock))
    }
}

fn previous_of(lock: &Path) -> PathBuf {
    let mut path = lock.as_os_str().to_owned();
    path.push(".previous");
    path.into()
}
