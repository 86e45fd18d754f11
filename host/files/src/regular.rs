//! Reading files that the user named, and that may be anything.

use std::fs::{File, FileType};
use std::io::Read as _;
use std::path::Path;

use crate::FilesError;
use crate::system;

/// Opens a file that the user named, for reading. Links are followed. Opening a FIFO, a socket or a device is an error, and
/// does not wait for another program.
///
/// # Errors
///
/// [`FilesError::Unreadable`] and [`FilesError::NotRegular`].
pub fn open_regular(path: &Path) -> Result<File, FilesError> {
    let unreadable = |error| FilesError::unreadable(path, error);
    // Opening a device may do something, so its kind is looked at before, and again once the file is open.
    check_kind(path, std::fs::metadata(path).map_err(unreadable)?.file_type())?;
    let file = system::open_without_waiting(path).map_err(unreadable)?;
    check_kind(path, file.metadata().map_err(unreadable)?.file_type())?;
    system::let_wait(&file).map_err(unreadable)?;
    Ok(file)
}

/// Opens a file as [`open_regular`] does, but not through a link of its name. Its owner and mode are not checked.
///
/// # Errors
///
/// The same as [`open_regular`]; a link is [`FilesError::NotRegular`].
pub fn open_no_link(path: &Path) -> Result<File, FilesError> {
    let unreadable = |error| FilesError::unreadable(path, error);
    check_kind(path, std::fs::symlink_metadata(path).map_err(unreadable)?.file_type())?;
    let file = system::open_no_link(path).map_err(unreadable)?;
    check_kind(path, file.metadata().map_err(unreadable)?.file_type())?;
    system::let_wait(&file).map_err(unreadable)?;
    Ok(file)
}

/// Reads a file that the user named, as [`open_regular`] opens it.
///
/// # Errors
///
/// [`FilesError::Unreadable`], [`FilesError::NotRegular`], and [`FilesError::TooLarge`] for more than `limit` bytes.
pub fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, FilesError> {
    read_at_most(&open_regular(path)?, path, limit)
}

/// Reads a file that decides what is trusted, such as a configuration. It and its folder belong to this user or to root, and
/// nobody else can write them; the folders above are checked as those of a [`crate::PrivateFolder`]. Links are followed, and
/// what they lead to is checked.
///
/// # Errors
///
/// Those of [`read_bounded`], [`FilesError::ForeignFolder`], [`FilesError::WritableFolder`], [`FilesError::ForeignEntry`] and
/// [`FilesError::WritableEntry`].
pub fn read_trusted(path: &Path, limit: u64) -> Result<Vec<u8>, FilesError> {
    read_at_most(&system::Handle::open_trusted(path)?, path, limit)
}

pub(crate) fn read_at_most(file: &File, path: &Path, limit: u64) -> Result<Vec<u8>, FilesError> {
    let too_large = || FilesError::TooLarge { path: path.to_owned(), limit };
    let expected = file.metadata().map_err(|error| FilesError::unreadable(path, error))?.len();
    if expected > limit {
        return Err(too_large());
    }
    // The file may grow while it is read, so the bound holds for the bytes too.
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| FilesError::unreadable(path, error))?;
    if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
}

pub(crate) fn check_kind(path: &Path, kind: FileType) -> Result<(), FilesError> {
    if kind.is_file() {
        return Ok(());
    }
    Err(FilesError::NotRegular { path: path.to_owned(), kind: describe_kind(kind) })
}

/// A kind of file in words, with an article.
pub(crate) fn describe_kind(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else if kind.is_symlink() {
        "a symbolic link"
    } else {
        system::describe_special(kind)
    }
}
