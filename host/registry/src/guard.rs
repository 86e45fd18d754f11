//! Leave to change something that several processes may want to change at once: an installation, or a registry.

use std::fs;
use std::io;
use std::path::Path;

/// A file that is locked. It holds nothing, and stays; the lock ends with this value, or with the process, however that ends.
#[derive(Debug)]
pub struct Guard {
    _file: fs::File,
}

impl Guard {
    /// Waits for others who hold the file. `waiting` is called once if there are any.
    ///
    /// # Errors
    /// When the file cannot be made or locked, as where nothing can be written.
    pub fn take(file: &Path, waiting: &dyn Fn()) -> io::Result<Self> {
        let file = bench_files::append_private(file)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                waiting();
                file.lock()?;
            }
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        Ok(Self { _file: file })
    }
}
