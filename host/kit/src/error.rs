//! What can go wrong.

use std::path::{Path, PathBuf};

use bench_files::FilesError;
use bench_forge::ForgeError;
use bench_plugin::{Fault, LoadError};
use bench_text::{clean_name, clean_sentence};

/// Why an author's request failed.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// A name that no plugin may have.
    #[error(
        "{text:?} is not a name of 1 to 64 lower-case letters, digits and inner hyphens that begins with a letter",
        text = clean_sentence(.0),
    )]
    BadName(String),
    /// There is no template for this kind in this language.
    #[error(
        "there is no template for a {kind} in {language}",
        kind = clean_name(.kind),
        language = clean_name(.language),
    )]
    NoTemplate {
        /// Such as `driver`.
        kind: String,
        /// Such as Python.
        language: String,
    },
    /// A new plugin does not replace anything.
    #[error("{text} exists already", text = clean_sentence(.0.display()))]
    Exists(PathBuf),
    /// The file system refused.
    #[error("{path}: {error}", path = clean_sentence(.path.display()))]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file that is not used as it is.
    #[error(transparent)]
    Files(FilesError),
    /// A file of cases is not what it should be.
    #[error("{path}: {why}", path = clean_sentence(.path.display()), why = clean_sentence(.why))]
    BadCases {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// There are no cases.
    #[error("{text} holds no file of cases (*.json)", text = clean_sentence(.0.display()))]
    NoCases(PathBuf),
    /// The component cannot be loaded.
    #[error("cannot load the component: {0}")]
    Load(#[from] LoadError),
    /// A call into the component went wrong.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// It could not be built.
    #[error(transparent)]
    Forge(#[from] ForgeError),
}

impl KitError {
    /// Stable name of the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadName(_) => "bad-name",
            Self::NoTemplate { .. } => "no-template",
            Self::Exists(_) => "exists",
            Self::Io { .. } => "io",
            Self::Files(error) => error.code(),
            Self::BadCases { .. } => "bad-cases",
            Self::NoCases(_) => "no-cases",
            Self::Load(error) => error.code(),
            Self::Fault(fault) => fault.code(),
            Self::Forge(error) => error.code(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::BadName(_) => Some("take a name such as my-scorer".to_owned()),
            Self::NoTemplate { .. } => {
                Some("scorers can be written in Rust, Python and JavaScript, everything else in Rust".to_owned())
            }
            Self::Exists(_) => Some("take another name, or move the folder away".to_owned()),
            Self::Io { .. } => None,
            Self::Files(error) => error.hint(),
            Self::BadCases { .. } | Self::NoCases(_) => Some(
                "a file of cases is {\"config\": {}, \"cases\": [{\"target\": …, \"answer\": …, \"value\": …, \"reason\": …}]}"
                    .to_owned(),
            ),
            Self::Load(error) => error.hint(),
            Self::Fault(fault) => fault.hint(),
            Self::Forge(error) => error.hint(),
        }
    }
}

/// Adds the path to an I/O error.
pub(crate) fn at(path: &Path) -> impl Fn(std::io::Error) -> KitError {
    let path = path.to_owned();
    move |error| KitError::Io { path: path.clone(), error }
}

impl From<FilesError> for KitError {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::Unreadable { path, error } | FilesError::Unwritable { path, error } => Self::Io { path, error },
            other => Self::Files(other),
        }
    }
}
