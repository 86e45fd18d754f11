//! Leave to change a registry: one publisher at a time. Two who sign on top of the same metadata would each leave the other's release out,
//! with the same version numbers. Readers need no leave, since what they read is exchanged by one file.

use std::fs;
use std::path::Path;

use crate::error::{RepositoryError, at};

/// The file that is locked. It holds nothing, and stays.
pub(crate) const GUARD_FILE: &str = "publish.guard";

/// Held while a registry is changed. It ends with the process, however that ends.
#[derive(Debug)]
pub(crate) struct Guard {
    _file: fs::File,
}

impl Guard {
    /// Waits for others who are changing the registry. `waiting` is called once if there are any.
    pub(crate) fn take(folder: &Path, waiting: &dyn Fn()) -> Result<Self, RepositoryError> {
        let path = folder.join(GUARD_FILE);
        let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(at(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                waiting();
                file.lock().map_err(at(&path))?;
            }
            Err(fs::TryLockError::Error(error)) => return Err(at(&path)(error)),
        }
        Ok(Self { _file: file })
    }
}
