//! Writing files whose folder the user named, and which therefore need not be private.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use crate::FilesError;
use crate::regular::describe_kind;
use crate::staged::StagedFile;
use crate::system::{self, Handle};

/// Makes a folder and the missing folders above it with mode 0700, whatever the umask is. Folders that exist stay as they
/// are, and no owner is checked; see [`crate::PrivateFolder`] for that.
///
/// # Errors
///
/// [`FilesError::Unwritable`].
pub fn create_private_folder(path: &Path) -> Result<(), FilesError> {
    system::create_folders(path)
}

/// Writes a file of mode 0600 in one step, whatever the umask is. A link of that name is replaced and not followed. The
/// folder need not be private.
///
/// # Errors
///
/// [`FilesError::Unwritable`], and [`FilesError::NotRegular`] when a folder or a special file has the name.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), FilesError> {
    let mut staged = stage_private(path)?;
    staged.write_all(bytes).map_err(|error| FilesError::unwritable(path, error))?;
    staged.persist().map(drop)
}

/// Writes a file that the user named: a regular file as [`write_private`] does, and through to the disk; a device or a
/// FIFO, such as `/dev/stdout`, directly.
///
/// # Errors
///
/// [`FilesError::Unwritable`], and [`FilesError::NotRegular`] when a folder has the name.
pub fn write_output(path: &Path, bytes: &[u8]) -> Result<(), FilesError> {
    let failed = |error| FilesError::unwritable(path, error);
    let is_special = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
    if is_special {
        return File::options().write(true).open(path).and_then(|mut file| file.write_all(bytes)).map_err(failed);
    }
    let mut staged = stage_private(path)?;
    staged.write_all(bytes).map_err(failed)?;
    staged.persist_synced().map(drop)
}

/// Starts a new file of mode 0600 that takes the name `path` when it is complete. The folder need not be private.
///
/// # Errors
///
/// The same as [`write_private`].
pub fn stage_private(path: &Path) -> Result<StagedFile, FilesError> {
    let (folder, name) = split(path)?;
    // Renaming would replace a device such as /dev/null by a file.
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() && !metadata.is_symlink() => {
            return Err(FilesError::NotRegular { path: path.to_owned(), kind: describe_kind(metadata.file_type()) });
        }
        _ => {}
    }
    StagedFile::create(&Handle::open_unchecked(folder)?, name)
}

/// Opens a file for reading and appending, and makes it when it is missing. Its mode is 0600 afterwards. The file must be a
/// regular file of this user with one name, and no link; its folder need not be private.
///
/// # Errors
///
/// The same as [`crate::PrivateFolder::append`].
pub fn append_private(path: &Path) -> Result<File, FilesError> {
    let (folder, name) = split(path)?;
    Handle::open_unchecked(folder)?.append(name)
}

/// Makes a file of mode 0600 for reading and writing that was not there before. A file or link of that name is an error.
/// [`stage_private`] is simpler where a file is written and renamed in one function.
///
/// # Errors
///
/// [`FilesError::Unwritable`].
pub fn create_new_private(path: &Path) -> Result<File, FilesError> {
    let (folder, name) = split(path)?;
    Handle::open_unchecked(folder)?.create_new(name)
}

/// The folder and the name of a path.
fn split(path: &Path) -> Result<(&Path, &OsStr), FilesError> {
    let name = path.file_name().ok_or_else(|| FilesError::BadName { name: path.to_owned() })?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok((folder.unwrap_or(Path::new(".")), name))
}
