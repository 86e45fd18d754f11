//! Every way in which an installation touches the disk. It is a trait so that tests can stop it at each single operation, as a power
//! cut would, and look at what is left.

use std::fmt;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use bench_files::{append_private, create_new_private, create_private_folder, open_no_link, staged_name};

/// Operations on files. Each is one step that happens or does not; what happens in between of two is what a crash leaves behind.
pub trait FileOps: Send + Sync + fmt::Debug {
    /// Makes a folder and those above it. New folders are the user's alone.
    ///
    /// # Errors
    /// The system's.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// Makes a file with this content, the user's alone, and makes it last.
    ///
    /// # Errors
    /// The system's. A file or link of that name is one, so names come from [`staged_path`].
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Adds to the end of a file, which is made where there is none.
    ///
    /// # Errors
    /// The system's.
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Makes last what was added.
    ///
    /// # Errors
    /// The system's.
    fn sync(&self, path: &Path) -> io::Result<()>;
    /// Moves a file within a file system, in one step, over whatever is there.
    ///
    /// # Errors
    /// The system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file. That there is none is fine.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Reads a file of at most `limit` bytes. `None` when there is none.
    ///
    /// # Errors
    /// The system's; a link or a larger file is `InvalidData`.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>>;
    /// Makes a file one that can be run.
    ///
    /// # Errors
    /// The system's.
    fn make_runnable(&self, path: &Path) -> io::Result<()>;
}

/// The file system as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl FileOps for Disk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        Ok(create_private_folder(path)?)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = create_new_private(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        append_private(path)?.write_all(bytes)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        open_no_link(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        // The move itself lasts once its folder is on disk. Systems that cannot open a folder do without.
        match to.parent().map(fs::File::open) {
            Some(Ok(folder)) => folder.sync_all(),
            _ => Ok(()),
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match open_no_link(path) {
            Err(error) if error.is_missing() => return Ok(None),
            other => other?,
        };
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than it may be"));
        }
        Ok(Some(bytes))
    }

    fn make_runnable(&self, path: &Path) -> io::Result<()> {
        let file = open_no_link(path)?;
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        file.sync_all()
    }
}

/// A path beside another one, with a random name that nobody can occupy before.
pub(crate) fn staged_path(path: &Path) -> io::Result<PathBuf> {
    Ok(path.with_file_name(staged_name(path.parent().unwrap_or(path))?))
}

/// Writes a file beside its place and moves it there: a reader finds the old one or the new one.
pub(crate) fn replace(files: &dyn FileOps, path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        files.create_folder(folder)?;
    }
    let staged = staged_path(path)?;
    let done = files.write(&staged, bytes).and_then(|()| files.rename(&staged, path));
    if done.is_err() {
        // The error is what counts. A file that stays takes space and is read by nothing.
        let _ = files.remove(&staged);
    }
    done
}
