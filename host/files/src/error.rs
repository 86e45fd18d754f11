//! What can go wrong with files and folders.

use std::path::{Path, PathBuf};

use bench_text::clean_sentence;

/// A file or folder that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilesError {
    /// A folder is not private because it, or a folder above it, belongs to another user.
    #[error(
        "the folder {} is not private: {} belongs to user {owner}",
        clean_sentence(path.display()),
        clean_sentence(at.display()),
    )]
    ForeignFolder {
        /// The folder that was to be used.
        path: PathBuf,
        /// The folder at fault: the same folder or a folder above it.
        at: PathBuf,
        /// The user id of its owner.
        owner: u32,
        /// The effective user id of this process.
        user: u32,
    },
    /// A folder is not private because other users can write it or a folder above it.
    #[error(
        "the folder {} is not private: other users can write {} (mode {mode:04o})",
        clean_sentence(path.display()),
        clean_sentence(at.display()),
    )]
    WritableFolder {
        /// The folder that was to be used.
        path: PathBuf,
        /// The folder at fault: the same folder or a folder above it.
        at: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// An entry of a private folder belongs to another user.
    #[error("the file {} belongs to user {owner}", clean_sentence(path.display()))]
    ForeignEntry {
        /// The file.
        path: PathBuf,
        /// The user id of its owner.
        owner: u32,
        /// The effective user id of this process.
        user: u32,
    },
    /// Other users can write an entry of a private folder.
    #[error("other users can write the file {} (mode {mode:04o})", clean_sentence(path.display()))]
    WritableEntry {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// An entry of a private folder has further names, perhaps in folders of other users.
    #[error("the file {} has {links} hard links", clean_sentence(path.display()))]
    LinkedEntry {
        /// The file.
        path: PathBuf,
        /// The number of its names.
        links: u64,
    },
    /// What was named is not a regular file.
    #[error("{} is {kind} and not a regular file", clean_sentence(path.display()))]
    NotRegular {
        /// What was named.
        path: PathBuf,
        /// What it is, with an article.
        kind: &'static str,
    },
    /// A file has more bytes than are read.
    #[error("the file {} has more than {limit} bytes", clean_sentence(path.display()))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most bytes that are read.
        limit: u64,
    },
    /// A file or folder cannot be opened or read.
    #[error("cannot read {}: {error}", clean_sentence(path.display()))]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file or folder cannot be made, written, renamed or removed.
    #[error("cannot write {}: {error}", clean_sentence(path.display()))]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A name that leads out of its folder, or no name at all.
    #[error("`{}` is not the name of a file in a folder", clean_sentence(name.display()))]
    BadName {
        /// The name.
        name: PathBuf,
    },
}

impl FilesError {
    /// Stable identifier.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ForeignFolder { .. } | Self::WritableFolder { .. } => "folder-not-private",
            Self::ForeignEntry { .. } | Self::WritableEntry { .. } | Self::LinkedEntry { .. } => "file-not-private",
            Self::NotRegular { .. } => "not-a-regular-file",
            Self::TooLarge { .. } => "file-too-large",
            Self::Unreadable { .. } => "file-unreadable",
            Self::Unwritable { .. } => "file-unwritable",
            Self::BadName { .. } => "bad-file-name",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::ForeignFolder { path, at, owner, user } if path != at => format!(
                "run `bench` as user {owner}, use a folder elsewhere (BENCH_HOME), or run `chown {user} {}`",
                quoted(at)
            ),
            Self::ForeignFolder { at, user, .. } => {
                format!("if you trust what lies in it, run `chown -R {user} {}`", quoted(at))
            }
            Self::WritableFolder { at, .. } => format!("run `chmod go-w {}`", quoted(at)),
            Self::ForeignEntry { path, user, .. } => {
                format!("if you trust its content, run `chown {user} {}`, else remove it", quoted(path))
            }
            Self::WritableEntry { path, .. } => {
                format!("if you trust its content, run `chmod go-w {}`, else remove it", quoted(path))
            }
            Self::LinkedEntry { path, .. } => format!("replace {} with a copy of its own", quoted(path)),
            Self::NotRegular { .. } => "name a regular file; write the output of a program to a file first".to_owned(),
            Self::TooLarge { .. } => "name a smaller file".to_owned(),
            Self::Unreadable { error, .. } | Self::Unwritable { error, .. } => match error.kind() {
                std::io::ErrorKind::PermissionDenied => "check the permissions of the file and its folder".to_owned(),
                std::io::ErrorKind::NotFound => "check the spelling of the path".to_owned(),
                std::io::ErrorKind::StorageFull => "free some disk space".to_owned(),
                _ => return None,
            },
            Self::BadName { .. } => "a name has no `/` and is neither `.` nor `..`".to_owned(),
        };
        Some(hint)
    }

    /// Whether the file or folder does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Unreadable { error, .. } | Self::Unwritable { error, .. }
            if error.kind() == std::io::ErrorKind::NotFound)
    }

    pub(crate) fn unreadable(path: &Path, error: impl Into<std::io::Error>) -> FilesError {
        FilesError::Unreadable { path: path.to_owned(), error: error.into() }
    }

    pub(crate) fn unwritable(path: &Path, error: impl Into<std::io::Error>) -> FilesError {
        FilesError::Unwritable { path: path.to_owned(), error: error.into() }
    }
}

/// The error of the system where there is one. Other errors keep their sentence, as invalid data.
impl From<FilesError> for std::io::Error {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::Unreadable { error, .. } | FilesError::Unwritable { error, .. } => error,
            other => Self::new(std::io::ErrorKind::InvalidData, other),
        }
    }
}

/// The path as a word for a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = text.chars().all(|character| character.is_alphanumeric() || "/._-+:@%".contains(character));
    if is_plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
