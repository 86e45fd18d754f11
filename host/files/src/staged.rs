//! New files under random names, which get their real names when they are complete.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use crate::FilesError;
use crate::names::{check_name, staged_name};
use crate::system::Handle;

/// A new file of mode 0600 under a random name. It takes its real name in one step, and goes away when it is dropped
/// before that.
#[derive(Debug)]
pub struct StagedFile {
    folder: Handle,
    file: File,
    staged: OsString,
    name: OsString,
    is_persisted: bool,
}

impl StagedFile {
    pub(crate) fn create(folder: &Handle, name: &OsStr) -> Result<StagedFile, FilesError> {
        let name = check_name(name)?.to_owned();
        let staged = OsString::from(staged_name(folder.path())?);
        let file = folder.create_new(&staged)?;
        Ok(StagedFile { folder: folder.clone(), file, staged, name, is_persisted: false })
    }

    /// The open file.
    pub fn as_file(&self) -> &File {
        &self.file
    }

    /// Gives the file its name, replacing what has the name so far. A link of that name is replaced and not followed.
    /// After a crash of the machine the content may be missing; [`StagedFile::persist_synced`] writes it to disk first.
    ///
    /// # Errors
    ///
    /// [`FilesError::Unwritable`]; the staged file is gone then.
    pub fn persist(mut self) -> Result<File, FilesError> {
        self.folder.rename(&self.staged, &self.name)?;
        self.is_persisted = true;
        let file = self.file.try_clone();
        file.map_err(|error| FilesError::unwritable(&self.folder.path().join(&self.name), error))
    }

    /// Writes the content to disk, gives the file its name, and writes the folder to disk.
    ///
    /// # Errors
    ///
    /// [`FilesError::Unwritable`].
    pub fn persist_synced(self) -> Result<File, FilesError> {
        let path = self.folder.path().join(&self.name);
        self.file.sync_all().map_err(|error| FilesError::unwritable(&path, error))?;
        let folder = self.folder.clone();
        let file = self.persist()?;
        folder.sync()?;
        Ok(file)
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Seek for StagedFile {
    fn seek(&mut self, position: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(position)
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.is_persisted {
            // The caller has an error of its own already; a file that stays costs disk space and is listed by nothing.
            self.folder.remove(&self.staged).ok();
        }
    }
}
