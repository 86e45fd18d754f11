//! A folder that only this user can write.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::FilesError;
use crate::names::{check_name, is_staged};
use crate::regular::read_at_most;
use crate::staged::StagedFile;
use crate::system::Handle;

/// A folder that only this user can write, used by its descriptor. Clones share the descriptor.
#[derive(Debug, Clone)]
pub struct PrivateFolder {
    handle: Handle,
}

impl PrivateFolder {
    /// Opens a folder that exists. Links in the path are resolved once; after that no link is followed.
    ///
    /// # Errors
    ///
    /// [`FilesError::Unreadable`] for a folder that cannot be opened, and [`FilesError::ForeignFolder`] or
    /// [`FilesError::WritableFolder`] for a folder that is not private.
    pub fn open(path: &Path) -> Result<PrivateFolder, FilesError> {
        Ok(PrivateFolder { handle: Handle::open_checked(path, false)? })
    }

    /// Opens a folder, and makes it and the missing folders above it with mode 0700, whatever the umask is.
    ///
    /// # Errors
    ///
    /// The same as [`PrivateFolder::open`], and [`FilesError::Unwritable`] for a folder that cannot be made.
    pub fn open_or_create(path: &Path) -> Result<PrivateFolder, FilesError> {
        Ok(PrivateFolder { handle: Handle::open_checked(path, true)? })
    }

    /// Opens a folder in this folder, and makes it with mode 0700 when it is missing.
    ///
    /// # Errors
    ///
    /// The same as [`PrivateFolder::open_or_create`], and [`FilesError::BadName`]. A link is an error.
    pub fn subfolder(&self, name: impl AsRef<OsStr>) -> Result<PrivateFolder, FilesError> {
        Ok(PrivateFolder { handle: self.handle.open_child(check_name(name.as_ref())?, true)? })
    }

    /// Opens a folder in this folder that exists.
    ///
    /// # Errors
    ///
    /// The same as [`PrivateFolder::open`], and [`FilesError::BadName`]. A link is an error.
    pub fn existing_subfolder(&self, name: impl AsRef<OsStr>) -> Result<PrivateFolder, FilesError> {
        Ok(PrivateFolder { handle: self.handle.open_child(check_name(name.as_ref())?, false)? })
    }

    /// Opens an entry for reading. It is a regular file of this user that nobody else can write, with one name.
    ///
    /// # Errors
    ///
    /// [`FilesError::Unreadable`] (see [`FilesError::is_missing`]), [`FilesError::NotRegular`] for links and special
    /// files, [`FilesError::ForeignEntry`], [`FilesError::WritableEntry`], [`FilesError::LinkedEntry`] and
    /// [`FilesError::BadName`].
    pub fn open_entry(&self, name: impl AsRef<OsStr>) -> Result<File, FilesError> {
        self.handle.open_entry(check_name(name.as_ref())?)
    }

    /// Reads an entry of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// The same as [`PrivateFolder::open_entry`], and [`FilesError::TooLarge`].
    pub fn read_entry_bounded(&self, name: impl AsRef<OsStr>, limit: u64) -> Result<Vec<u8>, FilesError> {
        let file = self.open_entry(name.as_ref())?;
        read_at_most(&file, &self.entry_path(name), limit)
    }

    /// Opens an entry for reading and appending, and makes it when it is missing. Its mode is 0600 afterwards.
    ///
    /// # Errors
    ///
    /// The same as [`PrivateFolder::open_entry`], and [`FilesError::Unwritable`].
    pub fn append(&self, name: impl AsRef<OsStr>) -> Result<File, FilesError> {
        self.handle.append(check_name(name.as_ref())?)
    }

    /// Makes an entry of mode 0600 for reading and writing that was not there before.
    ///
    /// # Errors
    ///
    /// [`FilesError::Unwritable`] and [`FilesError::BadName`].
    pub fn create_new(&self, name: impl AsRef<OsStr>) -> Result<File, FilesError> {
        self.handle.create_new(check_name(name.as_ref())?)
    }

    /// Starts a new file that takes the name `name` when it is complete.
    ///
    /// # Errors
    ///
    /// [`FilesError::Unwritable`] and [`FilesError::BadName`].
    pub fn stage(&self, name: impl AsRef<OsStr>) -> Result<StagedFile, FilesError> {
        StagedFile::create(&self.handle, name.as_ref())
    }

    /// Removes an entry that is not a folder. A link is removed, not what it names.
    ///
    /// # Errors
    ///
    /// [`FilesError::Unwritable`] (see [`FilesError::is_missing`]) and [`FilesError::BadName`].
    pub fn remove(&self, name: impl AsRef<OsStr>) -> Result<(), FilesError> {
        self.handle.remove(check_name(name.as_ref())?)
    }

    /// The names of all entries, sorted, without files that are not complete.
    ///
    /// # Errors
    ///
    /// [`FilesError::Unreadable`].
    pub fn names(&self) -> Result<Vec<OsString>, FilesError> {
        let mut names = self.handle.names()?;
        names.retain(|name| !is_staged(name));
        names.sort();
        Ok(names)
    }

    /// The path of the folder when it was opened, without links. For messages: another folder may have the path by now.
    pub fn path(&self) -> &Path {
        self.handle.path()
    }

    /// The path of an entry, for messages.
    pub fn entry_path(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.path().join(name.as_ref())
    }
}
