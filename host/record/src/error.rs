//! What can go wrong with records.

use std::path::PathBuf;

use bench_files::FilesError;
use bench_text::{clean_name, clean_sentence};

/// A failure to read, write or find a record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A file or directory could not be read or written.
    #[error("cannot {action} {}: {source}", clean_sentence(path.display()))]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file is larger than any record or trace should be.
    #[error("{} has more than the {limit} bytes that are read", clean_sentence(path.display()))]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// Most bytes that are read.
        limit: u64,
    },
    /// A file or folder that is not used as it is.
    #[error(transparent)]
    Files(FilesError),
    /// What a record holds takes more memory than it may.
    #[error("{what}: {error}", what = clean_name(.what))]
    Memory {
        /// The file, or what else was read.
        what: String,
        /// How much it may take.
        error: bench_json::OverBudget,
    },
    /// The text is not a run record.
    #[error("{what} is not a run record: {reason}", what = clean_name(.what), reason = clean_sentence(.reason))]
    NotARecord {
        /// The file, or what else was read.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The record was written by a newer version of this program.
    #[error("{what} has schema version {found}, but this program reads up to {known}", what = clean_name(.what))]
    NewerVersion {
        /// The file, or what else was read.
        what: String,
        /// The record's version.
        found: u64,
        /// The newest version that is read.
        known: u32,
    },
    /// A record holds something that JSON cannot, such as a number that is not finite.
    #[error("the record cannot be written as JSON: {reason}", reason = clean_sentence(.reason))]
    Unwritable {
        /// What is wrong with it.
        reason: String,
    },
    /// An identifier with characters that are not allowed in one.
    #[error("`{id}` is not the identifier of a run", id = clean_name(.id))]
    BadId {
        /// The text.
        id: String,
    },
    /// No run of that name.
    #[error("no run is called `{reference}`", reference = clean_sentence(.reference))]
    RunNotFound {
        /// What was asked for.
        reference: String,
    },
    /// Several runs begin like that.
    #[error(
        "`{reference}` could be any of {}",
        clean_sentence(candidates.join(", ")),
        reference = clean_sentence(.reference),
    )]
    AmbiguousRun {
        /// What was asked for.
        reference: String,
        /// Identifiers that fit, at most five.
        candidates: Vec<String>,
    },
    /// A trace file that is damaged or was not written by this program.
    #[error("{} is not a usable trace: {reason}", clean_sentence(path.display()), reason = clean_sentence(.reason))]
    BadTrace {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Too few runs to compare.
    #[error("a comparison needs at least two runs")]
    NothingToCompare,
}

impl RecordError {
    /// A stable identifier in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "record-io",
            Self::Memory { error, .. } => error.code(),
            Self::TooLarge { .. } => "record-too-large",
            Self::Files(error) => error.code(),
            Self::NotARecord { .. } => "not-a-record",
            Self::NewerVersion { .. } => "newer-record",
            Self::Unwritable { .. } => "unwritable-record",
            Self::BadId { .. } => "bad-run-id",
            Self::RunNotFound { .. } => "run-not-found",
            Self::AmbiguousRun { .. } => "ambiguous-run",
            Self::BadTrace { .. } => "bad-trace",
            Self::NothingToCompare => "nothing-to-compare",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                "Check the permissions of the directory, or name another one in BENCH_HOME."
            }
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => "Free some disk space.",
            Self::Io { .. } => return None,
            Self::Files(error) => return error.hint(),
            Self::Memory { error, .. } => error.hint(),
            Self::TooLarge { .. } | Self::NotARecord { .. } => "Name a `run.json` that `bench run` wrote.",
            Self::NewerVersion { .. } => "Update this program.",
            Self::Unwritable { .. } => "This is a fault of the program or of a plugin; please report it.",
            Self::BadId { .. } => "Identifiers consist of letters, digits, `-` and `_`; `bench runs` lists them.",
            Self::RunNotFound { .. } => "`bench runs` lists the runs; `latest` names the newest.",
            Self::AmbiguousRun { .. } => "Give more of the identifier.",
            Self::BadTrace { .. } => "Metrics in the record stay valid; only recomputing them needs the trace.",
            Self::NothingToCompare => "Name two or more runs.",
        };
        Some(hint.to_owned())
    }

    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

impl From<FilesError> for RecordError {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::Unreadable { path, error } => Self::Io { action: "read", path, source: error },
            FilesError::Unwritable { path, error } => Self::Io { action: "write", path, source: error },
            FilesError::TooLarge { path, limit } => Self::TooLarge { path, limit },
            other => Self::Files(other),
        }
    }
}
