//! Folders by path, for systems that are not Unix. No owner, mode or link is checked here.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileType};
use std::path::{Path, PathBuf};

use crate::FilesError;
use crate::regular::check_kind;

/// A folder by its path.
#[derive(Debug, Clone)]
pub(crate) struct Handle {
    path: PathBuf,
}

impl Handle {
    pub(crate) fn open_checked(path: &Path, create: bool) -> Result<Handle, FilesError> {
        if create {
            create_folders(path)?;
        }
        let path = path.canonicalize().map_err(|error| FilesError::unreadable(path, error))?;
        Handle { path }.check_folder()
    }

    pub(crate) fn open_trusted(path: &Path) -> Result<File, FilesError> {
        crate::open_regular(path)
    }

    pub(crate) fn open_unchecked(path: &Path) -> Result<Handle, FilesError> {
        Handle { path: path.to_owned() }.check_folder()
    }

    pub(crate) fn open_child(&self, name: &OsStr, create: bool) -> Result<Handle, FilesError> {
        let path = self.path.join(name);
        if create {
            create_folders(&path)?;
        }
        Handle { path }.check_folder()
    }

    fn check_folder(self) -> Result<Handle, FilesError> {
        let metadata = fs::metadata(&self.path).map_err(|error| FilesError::unreadable(&self.path, error))?;
        if metadata.is_dir() {
            return Ok(self);
        }
        Err(FilesError::unreadable(&self.path, std::io::Error::from(std::io::ErrorKind::NotADirectory)))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn open_entry(&self, name: &OsStr) -> Result<File, FilesError> {
        let path = self.path.join(name);
        let unreadable = |error| FilesError::unreadable(&path, error);
        check_kind(&path, fs::symlink_metadata(&path).map_err(unreadable)?.file_type())?;
        File::open(&path).map_err(unreadable)
    }

    pub(crate) fn append(&self, name: &OsStr) -> Result<File, FilesError> {
        let path = self.path.join(name);
        if let Ok(metadata) = fs::symlink_metadata(&path) {
            check_kind(&path, metadata.file_type())?;
        }
        let file = File::options().read(true).append(true).create(true).open(&path);
        file.map_err(|error| FilesError::unwritable(&path, error))
    }

    pub(crate) fn create_new(&self, name: &OsStr) -> Result<File, FilesError> {
        let path = self.path.join(name);
        let file = File::options().read(true).write(true).create_new(true).open(&path);
        file.map_err(|error| FilesError::unwritable(&path, error))
    }

    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> Result<(), FilesError> {
        let target = self.path.join(to);
        fs::rename(self.path.join(from), &target).map_err(|error| FilesError::unwritable(&target, error))
    }

    pub(crate) fn remove(&self, name: &OsStr) -> Result<(), FilesError> {
        let path = self.path.join(name);
        fs::remove_file(&path).map_err(|error| FilesError::unwritable(&path, error))
    }

    pub(crate) fn names(&self) -> Result<Vec<OsString>, FilesError> {
        let unreadable = |error| FilesError::unreadable(&self.path, error);
        let entries = fs::read_dir(&self.path).map_err(unreadable)?;
        entries.map(|entry| Ok(entry.map_err(unreadable)?.file_name())).collect()
    }

    /// Names in folders are not written to disk by a call of their own here.
    pub(crate) fn sync(&self) -> Result<(), FilesError> {
        Ok(())
    }
}

pub(crate) fn create_folders(path: &Path) -> Result<(), FilesError> {
    fs::create_dir_all(path).map_err(|error| FilesError::unwritable(path, error))
}

pub(crate) fn open_without_waiting(path: &Path) -> std::io::Result<File> {
    File::open(path)
}

pub(crate) fn open_no_link(path: &Path) -> std::io::Result<File> {
    File::open(path)
}

pub(crate) fn let_wait(_file: &File) -> std::io::Result<()> {
    Ok(())
}

pub(crate) fn describe_special(_kind: FileType) -> &'static str {
    "a device"
}
