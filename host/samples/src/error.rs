//! What can go wrong with logs of samples.

use std::path::PathBuf;

use bench_files::FilesError;
use bench_text::{clean_name, clean_sentence};

/// A failure to read or write a log of samples.
#[derive(Debug, thiserror::Error)]
pub enum SamplesError {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}", clean_sentence(path.display()))]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// What was named is no file, or one that cannot be read.
    #[error(transparent)]
    File(FilesError),
    /// The samples of a file, or a part of them, take more memory than they may.
    #[error("{}: {error}", clean_sentence(path.display()))]
    Memory {
        /// Which file.
        path: PathBuf,
        /// How much they may take.
        error: bench_json::OverBudget,
    },
    /// An archive is not read.
    #[error("{}: {error}", clean_sentence(path.display()))]
    Archive {
        /// Which file.
        path: PathBuf,
        /// Why not.
        error: bench_unpack::archive::Refusal,
    },
    /// A file, or what it unpacks to, is larger than what is read.
    #[error("{} has more than the {limit} bytes that are read", clean_sentence(path.display()))]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// Most bytes that are read.
        limit: u64,
    },
    /// Something is wrong with a line.
    #[error("{}, {error}", clean_sentence(path.display()))]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, and what it is.
        error: LineError,
    },
    /// The sample has been logged already.
    #[error("{} has the sample {key} already", clean_sentence(path.display()), key = clean_name(.key))]
    Logged {
        /// Which file.
        path: PathBuf,
        /// The sample.
        key: String,
    },
    /// Another program writes to the log.
    #[error("{} is being written by another program", clean_sentence(path.display()))]
    InUse {
        /// Which file.
        path: PathBuf,
    },
    /// The file is no log that is known.
    #[error("{} is not a log of samples: {reason}", clean_sentence(path.display()), reason = clean_sentence(.reason))]
    NotALog {
        /// Which file.
        path: PathBuf,
        /// What speaks against it.
        reason: String,
    },
    /// There is no sample in it.
    #[error("{} has no samples", clean_sentence(path.display()))]
    Empty {
        /// Which file or folder.
        path: PathBuf,
    },
    /// The samples cannot be written in that form.
    #[error("the samples cannot be written as {form}: {reason}", reason = clean_sentence(.reason))]
    Unwritable {
        /// The form.
        form: &'static str,
        /// What stands in the way.
        reason: String,
    },
}

/// Something is wrong with a line of a log.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct LineError {
    /// Which line, from 1.
    pub line: u64,
    /// What it is.
    pub kind: LineErrorKind,
}

/// What can be wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum LineErrorKind {
    /// It cannot be read.
    #[error("{0}")]
    Io(std::io::Error),
    /// It is longer than what is read.
    #[error("it has more than {limit} bytes")]
    TooLong {
        /// Most bytes of a line.
        limit: u64,
    },
    /// The file has more lines, or more bytes, than what is read.
    #[error("the file goes on beyond the {limit} {unit} that are read")]
    TooMany {
        /// The bound.
        limit: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// It is not UTF-8.
    #[error("it is not UTF-8 from byte {at} on")]
    NotUtf8 {
        /// Where in the line, from 0.
        at: usize,
    },
    /// It is not JSON, or not that of a sample.
    #[error("it is not a sample: {text}", text = clean_sentence(.0))]
    NotASample(String),
    /// A newer program wrote it.
    #[error("it has schema version {found}, but this program reads up to {known}")]
    Newer {
        /// The line's version.
        found: u64,
        /// The newest version that is read.
        known: u32,
    },
    /// The sample has no identifier.
    #[error("the sample has no id")]
    MissingId,
    /// The sample is there twice.
    #[error("the sample {key} is there already, in line {first}", key = clean_name(.key))]
    Duplicate {
        /// The sample.
        key: String,
        /// Where it is first.
        first: u64,
    },
    /// The line ends in the middle, as when the program that wrote it was killed.
    #[error("the line ends in the middle")]
    Torn,
    /// Its values take more memory than they may.
    #[error("{0}")]
    Memory(bench_json::OverBudget),
    /// What the line holds is not what its digest says.
    #[error("the {part} is not the one that its digest names")]
    Altered {
        /// `document`, `prompt` or `target`.
        part: &'static str,
    },
}

/// What to do about a log that is too large.
const MORE_MEMORY: &str = "Split the log into several files, or allow more memory with `--max-memory`.";

impl SamplesError {
    /// A stable identifier in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "samples-io",
            Self::File(error) => error.code(),
            Self::Memory { error, .. } => error.code(),
            Self::Archive { error, .. } => error.code(),
            Self::TooLarge { .. } => "samples-too-large",
            Self::Line { error, .. } => error.code(),
            Self::Logged { .. } => "duplicate-sample",
            Self::InUse { .. } => "samples-in-use",
            Self::NotALog { .. } => "not-a-sample-log",
            Self::Empty { .. } => "no-samples",
            Self::Unwritable { .. } => "unwritable-samples",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => "Free some disk space.",
            Self::Io { .. } => return None,
            Self::Line { error, .. } => return error.hint(),
            Self::File(error) => return error.hint(),
            Self::Archive { error, .. } => error.hint(),
            Self::Memory { .. } | Self::TooLarge { .. } => MORE_MEMORY,
            Self::Logged { .. } => "Give every item of the data set an id of its own.",
            Self::InUse { .. } => "Wait for the other run to end, or stop it.",
            Self::NotALog { .. } => {
                "Logs that are read: this program's `samples/*.jsonl`, lm-eval's `samples_*.jsonl` and `results_*.json`, and \
                 inspect's `.eval` and `.json`."
            }
            Self::Empty { .. } => "Name a log with at least one sample.",
            Self::Unwritable { .. } => "Choose another form.",
        };
        Some(hint.to_owned())
    }

    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn line(path: impl Into<PathBuf>) -> impl FnOnce(LineError) -> Self {
        let path = path.into();
        move |error| Self::Line { path, error }
    }
}

impl From<FilesError> for SamplesError {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::Unreadable { path, error } => Self::Io { action: "read", path, source: error },
            FilesError::Unwritable { path, error } => Self::Io { action: "write", path, source: error },
            FilesError::TooLarge { path, limit } => Self::TooLarge { path, limit },
            other => Self::File(other),
        }
    }
}

impl LineError {
    /// A stable identifier in kebab case.
    pub fn code(&self) -> &'static str {
        match self.kind {
            LineErrorKind::Io(_) => "samples-io",
            LineErrorKind::TooLong { .. } => "sample-too-long",
            LineErrorKind::TooMany { .. } => "samples-too-large",
            LineErrorKind::NotUtf8 { .. } => "sample-not-utf8",
            LineErrorKind::NotASample(_) => "not-a-sample",
            LineErrorKind::Newer { .. } => "newer-sample",
            LineErrorKind::MissingId => "sample-without-id",
            LineErrorKind::Duplicate { .. } => "duplicate-sample",
            LineErrorKind::Torn => "torn-sample",
            LineErrorKind::Memory(error) => error.code(),
            LineErrorKind::Altered { .. } => "altered-sample",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self.kind {
            LineErrorKind::Io(_) => return None,
            LineErrorKind::TooLong { .. } | LineErrorKind::TooMany { .. } | LineErrorKind::Memory(_) => MORE_MEMORY,
            LineErrorKind::NotUtf8 { .. } => "Write the log as UTF-8.",
            LineErrorKind::NotASample(_) => "Every line must be one sample as `bench` writes it.",
            LineErrorKind::Newer { .. } => "Update this program.",
            LineErrorKind::MissingId => "Give every item of the data set an id.",
            LineErrorKind::Duplicate { .. } => "Give every item an id of its own, or remove one of the two lines.",
            LineErrorKind::Torn => "Resume the run; it drops the line and asks for the sample again.",
            LineErrorKind::Altered { .. } => "The file was edited after it was written; take the original.",
        };
        Some(hint.to_owned())
    }
}
