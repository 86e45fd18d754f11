//! Folders by descriptor, and the checks of owners and modes.

use std::ffi::{OsStr, OsString};
use std::fs::{File, FileType};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags};
use rustix::io::Errno;

use crate::FilesError;
use crate::groups::is_private_group;
use crate::regular::check_kind;

const FOLDER_MODE: Mode = Mode::RWXU;
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);
const WRITABLE_BY_GROUP: u32 = 0o020;
const WRITABLE_BY_OTHERS: u32 = 0o002;
const STICKY: u32 = 0o1000;
const PERMISSIONS: u32 = 0o7777;

const FOLDER_FLAGS: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// For folders that are only passed through: reading them may be forbidden where passing is allowed.
#[cfg(any(target_os = "linux", target_os = "android"))]
const PASSING_FLAGS: OFlags = FOLDER_FLAGS.union(OFlags::PATH);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const PASSING_FLAGS: OFlags = FOLDER_FLAGS;

const ENTRY_FLAGS: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// An open folder.
#[derive(Debug, Clone)]
pub(crate) struct Handle {
    folder: Arc<OwnedFd>,
    path: PathBuf,
}

impl Handle {
    /// Opens a private folder. Each folder from the root down to it is checked by its own descriptor.
    pub(crate) fn open_checked(path: &Path, create: bool) -> Result<Handle, FilesError> {
        let handle = Handle::walk(path, create)?;
        check_own_folder(&handle.folder, &handle.path)?;
        Ok(handle)
    }

    /// Opens a file that only this user or root can write, in a folder that the same holds for.
    pub(crate) fn open_trusted(path: &Path) -> Result<File, FilesError> {
        let real = path.canonicalize().map_err(|error| FilesError::unreadable(path, error))?;
        let (folder, name) = match (real.parent(), real.file_name()) {
            (Some(folder), Some(name)) => (folder, name),
            _ => return Err(FilesError::BadName { name: path.to_owned() }),
        };
        let handle = Handle::walk(folder, false)?;
        check_foreign_folder(&handle.folder, &handle.path, &handle.path, false)?;
        let file = handle.open_file(name, OFlags::RDONLY | ENTRY_FLAGS, path)?;
        check_kind(path, file.metadata().map_err(|error| FilesError::unreadable(path, error))?.file_type())?;
        let Access { owner, mode, user, is_writable_by_others, .. } = Access::read(&file, path)?;
        if owner != 0 && owner != user {
            return Err(FilesError::ForeignEntry { path: path.to_owned(), owner, user });
        }
        if is_writable_by_others {
            return Err(FilesError::WritableEntry { path: path.to_owned(), mode });
        }
        let_wait(&file).map_err(|error| FilesError::unreadable(path, error))?;
        Ok(file)
    }

    /// Opens a folder whose parents are checked.
    fn walk(path: &Path, create: bool) -> Result<Handle, FilesError> {
        let (existing, missing) = resolve(path, create)?;
        let target = missing.iter().fold(existing.clone(), |path, name| path.join(name));
        let names: Vec<&OsStr> = existing
            .components()
            .filter_map(|component| match component {
                std::path::Component::Normal(name) => Some(name),
                _ => None,
            })
            .chain(missing.iter().map(OsString::as_os_str))
            .collect();
        let mut walked = PathBuf::from("/");
        let mut folder = open_folder(CWD, walked.as_os_str(), &walked, names.is_empty())?;
        for (index, name) in names.iter().enumerate() {
            check_foreign_folder(&folder, &walked, &target, true)?;
            walked.push(name);
            let is_last = index + 1 == names.len();
            let is_new = walked.components().count() > existing.components().count();
            folder = match is_new {
                true => make_and_open_folder(&folder, name, &walked)?,
                false => open_folder(&folder, name, &walked, is_last)?,
            };
        }
        Ok(Handle { folder: Arc::new(folder), path: target })
    }

    /// Opens a folder that the user named; links are followed, and nothing is checked.
    pub(crate) fn open_unchecked(path: &Path) -> Result<Handle, FilesError> {
        let flags = FOLDER_FLAGS.difference(OFlags::NOFOLLOW);
        let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(|e| FilesError::unwritable(path, e))?;
        Ok(Handle { folder: Arc::new(folder), path: path.to_owned() })
    }

    pub(crate) fn open_child(&self, name: &OsStr, create: bool) -> Result<Handle, FilesError> {
        let path = self.path.join(name);
        let folder = match create {
            true => make_and_open_folder(&self.folder, name, &path)?,
            false => open_folder(&self.folder, name, &path, true)?,
        };
        check_own_folder(&folder, &path)?;
        Ok(Handle { folder: Arc::new(folder), path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn open_entry(&self, name: &OsStr) -> Result<File, FilesError> {
        let path = self.path.join(name);
        let file = self.open_file(name, OFlags::RDONLY | ENTRY_FLAGS, &path)?;
        check_entry(&file, &path)?;
        let_wait(&file).map_err(|error| FilesError::unreadable(&path, error))?;
        Ok(file)
    }

    pub(crate) fn append(&self, name: &OsStr) -> Result<File, FilesError> {
        let path = self.path.join(name);
        let unwritable = |error: std::io::Error| FilesError::unwritable(&path, error);
        let file = self.open_file(name, OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | ENTRY_FLAGS, &path)?;
        check_entry(&file, &path)?;
        rustix::fs::fchmod(&file, FILE_MODE).map_err(|error| unwritable(error.into()))?;
        let_wait(&file).map_err(unwritable)?;
        Ok(file)
    }

    /// Opens an entry. What is wrong with its kind has an error of its own.
    fn open_file(&self, name: &OsStr, flags: OFlags, path: &Path) -> Result<File, FilesError> {
        match rustix::fs::openat(&self.folder, name, flags, FILE_MODE) {
            Ok(file) => Ok(File::from(file)),
            // What these mean depends on the system; the kind of the entry says it.
            Err(error @ (Errno::LOOP | Errno::MLINK | Errno::NXIO | Errno::ISDIR | Errno::OPNOTSUPP)) => {
                Err(match rustix::fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => FilesError::NotRegular { path: path.to_owned(), kind: describe_mode(stat.st_mode) },
                    Err(_) => FilesError::unreadable(path, error),
                })
            }
            Err(error) if flags.contains(OFlags::CREATE) => Err(FilesError::unwritable(path, error)),
            Err(error) => Err(FilesError::unreadable(path, error)),
        }
    }

    /// Makes a file that was not there before.
    pub(crate) fn create_new(&self, name: &OsStr) -> Result<File, FilesError> {
        let unwritable = |error: Errno| FilesError::unwritable(&self.path.join(name), error);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.folder, name, flags, FILE_MODE).map_err(unwritable)?;
        // The umask may have taken bits of the owner away.
        rustix::fs::fchmod(&file, FILE_MODE).map_err(unwritable)?;
        Ok(File::from(file))
    }

    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> Result<(), FilesError> {
        rustix::fs::renameat(&self.folder, from, &self.folder, to)
            .map_err(|error| FilesError::unwritable(&self.path.join(to), error))
    }

    pub(crate) fn remove(&self, name: &OsStr) -> Result<(), FilesError> {
        rustix::fs::unlinkat(&self.folder, name, AtFlags::empty())
            .map_err(|error| FilesError::unwritable(&self.path.join(name), error))
    }

    pub(crate) fn names(&self) -> Result<Vec<OsString>, FilesError> {
        let unreadable = |error: Errno| FilesError::unreadable(&self.path, error);
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.folder).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name().to_bytes().to_owned();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name));
            }
        }
        Ok(names)
    }

    /// Writes the names in the folder to disk.
    pub(crate) fn sync(&self) -> Result<(), FilesError> {
        rustix::fs::fsync(&self.folder).map_err(|error| FilesError::unwritable(&self.path, error))
    }
}

/// The part of the path that exists, without links, and the names of the missing folders below it.
fn resolve(path: &Path, create: bool) -> Result<(PathBuf, Vec<OsString>), FilesError> {
    let absolute = std::path::absolute(path).map_err(|error| FilesError::unreadable(path, error))?;
    let mut existing = absolute.as_path();
    let mut missing = Vec::new();
    loop {
        match existing.canonicalize() {
            Ok(real) => {
                missing.reverse();
                return Ok((real, missing));
            }
            // A link that leads nowhere exists itself, and is not replaced by a folder.
            Err(error) if create && error.kind() == std::io::ErrorKind::NotFound && !existing.is_symlink() => {
                let name = existing.file_name().ok_or_else(|| FilesError::BadName { name: path.to_owned() })?;
                missing.push(name.to_owned());
                existing = existing.parent().ok_or_else(|| FilesError::unreadable(path, error))?;
            }
            Err(error) => return Err(FilesError::unreadable(path, error)),
        }
    }
}

fn open_folder(parent: impl AsFd, name: &OsStr, path: &Path, is_last: bool) -> Result<OwnedFd, FilesError> {
    let flags = if is_last { FOLDER_FLAGS } else { PASSING_FLAGS };
    rustix::fs::openat(parent, name, flags, Mode::empty()).map_err(|error| FilesError::unreadable(path, error))
}

/// Opens a folder that is made when it is missing. Only a new folder gets its mode from here.
fn make_and_open_folder(parent: impl AsFd, name: &OsStr, path: &Path) -> Result<OwnedFd, FilesError> {
    let unwritable = |error: Errno| FilesError::unwritable(path, error);
    let is_new = match rustix::fs::mkdirat(&parent, name, FOLDER_MODE) {
        Ok(()) => true,
        Err(Errno::EXIST) => false,
        Err(error) => return Err(unwritable(error)),
    };
    let folder = open_folder(parent, name, path, true)?;
    if is_new {
        rustix::fs::fchmod(&folder, FOLDER_MODE).map_err(unwritable)?;
    }
    Ok(folder)
}

/// Makes a folder and the missing folders above it. Links are followed, and nothing is checked.
pub(crate) fn create_folders(path: &Path) -> Result<(), FilesError> {
    let (existing, missing) = match resolve(path, true) {
        Ok(resolved) => resolved,
        Err(FilesError::Unreadable { path, error }) => return Err(FilesError::Unwritable { path, error }),
        Err(error) => return Err(error),
    };
    let mut folder = Handle::open_unchecked(&existing)?;
    for name in missing {
        let path = folder.path.join(&name);
        folder = Handle { folder: Arc::new(make_and_open_folder(&folder.folder, &name, &path)?), path };
    }
    Ok(())
}

/// What is checked of an open file or folder.
struct Access {
    owner: u32,
    mode: u32,
    links: u64,
    user: u32,
    is_writable_by_others: bool,
}

impl Access {
    fn read(file: impl AsFd, path: &Path) -> Result<Access, FilesError> {
        // By way of the standard library, whose fields have the same types on all systems.
        let file = file.as_fd().try_clone_to_owned().map_err(|error| FilesError::unreadable(path, error))?;
        let metadata = File::from(file).metadata().map_err(|error| FilesError::unreadable(path, error))?;
        let (mode, user) = (metadata.mode() & PERMISSIONS, rustix::process::geteuid().as_raw());
        let is_writable_by_group = mode & WRITABLE_BY_GROUP != 0 && !is_private_group(user, metadata.gid());
        Ok(Access {
            owner: metadata.uid(),
            mode,
            links: metadata.nlink(),
            user,
            is_writable_by_others: mode & WRITABLE_BY_OTHERS != 0 || is_writable_by_group,
        })
    }
}

/// Checks a folder that may be root's, such as a folder above `target`. In a sticky folder nobody but their owners exchanges
/// entries, which is enough for folders above others.
fn check_foreign_folder(folder: &OwnedFd, at: &Path, target: &Path, may_be_sticky: bool) -> Result<(), FilesError> {
    let Access { owner, mode, user, is_writable_by_others, .. } = Access::read(folder, at)?;
    if owner != 0 && owner != user {
        return Err(FilesError::ForeignFolder { path: target.to_owned(), at: at.to_owned(), owner, user });
    }
    if is_writable_by_others && !(may_be_sticky && mode & STICKY != 0) {
        return Err(FilesError::WritableFolder { path: target.to_owned(), at: at.to_owned(), mode });
    }
    Ok(())
}

fn check_own_folder(folder: &OwnedFd, path: &Path) -> Result<(), FilesError> {
    let Access { owner, mode, user, is_writable_by_others, .. } = Access::read(folder, path)?;
    if owner != user {
        return Err(FilesError::ForeignFolder { path: path.to_owned(), at: path.to_owned(), owner, user });
    }
    if is_writable_by_others {
        return Err(FilesError::WritableFolder { path: path.to_owned(), at: path.to_owned(), mode });
    }
    Ok(())
}

fn check_entry(file: &File, path: &Path) -> Result<(), FilesError> {
    check_kind(path, file.metadata().map_err(|error| FilesError::unreadable(path, error))?.file_type())?;
    let Access { owner, mode, links, user, is_writable_by_others } = Access::read(file, path)?;
    let path = || path.to_owned();
    if owner != user {
        return Err(FilesError::ForeignEntry { path: path(), owner, user });
    }
    if is_writable_by_others {
        return Err(FilesError::WritableEntry { path: path(), mode });
    }
    // An entry that was removed since it was opened has no name left, which is no fault.
    if links > 1 {
        return Err(FilesError::LinkedEntry { path: path(), links });
    }
    Ok(())
}

/// Opens a file for reading. Opening a FIFO does not wait for a writer.
pub(crate) fn open_without_waiting(path: &Path) -> std::io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Opens a file for reading that is not a link.
pub(crate) fn open_no_link(path: &Path) -> std::io::Result<File> {
    File::options().read(true).custom_flags(ENTRY_FLAGS.bits().cast_signed()).open(path)
}

/// Takes the flag back that kept opening from waiting: callers expect ordinary files.
pub(crate) fn let_wait(file: &File) -> std::io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(file)?;
    Ok(rustix::fs::fcntl_setfl(file, flags.difference(OFlags::NONBLOCK))?)
}

pub(crate) fn describe_special(kind: FileType) -> &'static str {
    if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

fn describe_mode(mode: rustix::fs::RawMode) -> &'static str {
    match rustix::fs::FileType::from_raw_mode(mode) {
        rustix::fs::FileType::Directory => "a folder",
        rustix::fs::FileType::Symlink => "a symbolic link",
        rustix::fs::FileType::Fifo => "a FIFO",
        rustix::fs::FileType::Socket => "a socket",
        _ => "a device",
    }
}
