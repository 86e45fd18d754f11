//! What can keep a suite from being made.

use std::io;
use std::path::{Path, PathBuf};

use bench_suite::SuiteError;
use bench_text::{clean_name, clean_sentence};

/// Why no suite was made. Whatever is refused is named.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file could not be read or written.
    #[error("cannot {what} {}: {source}", clean_sentence(.path.display()))]
    Io {
        /// What was tried, such as `read`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What was named is no file, or one that cannot be read.
    #[error(transparent)]
    File(#[from] bench_files::FilesError),
    /// The values of a file, or a part of them, take more memory than they may.
    #[error("{name}: {error}", name = clean_name(.name))]
    Memory {
        /// The file, with the row or column where there is one.
        name: String,
        /// How much they may take.
        error: bench_json::OverBudget,
    },
    /// A file, or what is packed in it, is larger than may be.
    #[error("{name} has more than {limit} bytes", name = clean_name(.name))]
    TooLarge {
        /// The file.
        name: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// A file is not of the form that its name says.
    #[error("{name} cannot be read: {reason}", name = clean_name(.name), reason = clean_sentence(.reason))]
    Unreadable {
        /// The file.
        name: String,
        /// Why.
        reason: String,
    },
    /// A row of a data file cannot be used.
    #[error(
        "{name}, {place}: {reason}",
        name = clean_name(.name),
        place = clean_sentence(.place),
        reason = clean_sentence(.reason),
    )]
    Row {
        /// The file.
        name: String,
        /// Which row, in words.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A data file without rows.
    #[error("{name} has no items", name = clean_name(.name))]
    Empty {
        /// The file.
        name: String,
    },
    /// A package that is nowhere.
    #[error("the Python package `{package}` is in none of these: {}", clean_sentence(.looked.join(", ")))]
    NoPackage {
        /// The package.
        package: &'static str,
        /// Where it was looked for.
        looked: Vec<String>,
    },
    /// A task, file or category that is not there.
    #[error("there is no {what} `{name}` in {place}", name = clean_name(.name), place = clean_sentence(.place))]
    NotThere {
        /// What it is.
        what: &'static str,
        /// Its name.
        name: String,
        /// Where it was looked for.
        place: String,
    },
    /// A path in a file from outside that leads out of its folder.
    #[error(
        "{name} names the path `{path}`, which leads out of its folder",
        name = clean_name(.name),
        path = clean_sentence(.path),
    )]
    Outside {
        /// The file.
        name: String,
        /// The path.
        path: String,
    },
    /// Something that has no counterpart here.
    #[error("{what} is refused: {why}", what = clean_name(.what), why = clean_sentence(.why))]
    Refused {
        /// What, by the name that it has in the source.
        what: String,
        /// Why.
        why: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// A template of the source that an item does not fit, or that is none.
    #[error(
        "{key}{}: {reason}",
        item_words(.item.as_deref()),
        key = clean_name(.key),
        reason = clean_sentence(.reason),
    )]
    Template {
        /// The key of the template.
        key: String,
        /// The item.
        item: Option<String>,
        /// What is wrong.
        reason: String,
    },
    /// The folder to write is there already.
    #[error("{} is there already", clean_sentence(.path.display()))]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// An option that makes no sense, or one that is missing.
    #[error("{what}: {why}", what = clean_name(.what), why = clean_sentence(.why))]
    Option {
        /// The option.
        what: String,
        /// Why.
        why: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// What was made is no suite.
    #[error("what was imported is no suite: {0}")]
    Suite(#[from] SuiteError),
    /// A log could not be read.
    #[error(transparent)]
    Log(#[from] bench_samples::SamplesError),
}

fn item_words(item: Option<&str>) -> String {
    item.map_or_else(String::new, |item| format!(", item {item}"))
}

impl ImportError {
    /// A stable identifier in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "import-io",
            Self::File(error) => error.code(),
            Self::Memory { error, .. } => error.code(),
            Self::TooLarge { .. } => "import-too-large",
            Self::Unreadable { .. } => "import-unreadable",
            Self::Row { .. } => "import-row",
            Self::Empty { .. } => "import-empty",
            Self::NoPackage { .. } => "import-no-package",
            Self::NotThere { .. } => "import-not-there",
            Self::Outside { .. } => "import-path-outside",
            Self::Refused { .. } => "import-refused",
            Self::Template { .. } => "import-template",
            Self::Exists { .. } => "import-folder-exists",
            Self::Option { .. } => "import-option",
            Self::Suite(error) => error.code(),
            Self::Log(error) => error.code(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Io { .. } => "check the path and its permissions",
            Self::File(error) => return error.hint(),
            Self::Memory { error, .. } => error.hint(),
            Self::TooLarge { .. } => "import a part of it, or allow more memory with --max-memory",
            Self::Unreadable { .. } => {
                "data files are JSON, JSON lines, CSV or Parquet in UTF-8, packed with gzip or not"
            }
            Self::Row { .. } => "correct that row, or leave it out",
            Self::Empty { .. } => "name the file that has the items",
            Self::NoPackage { .. } => "name its folder, a virtual environment or a wheel with --from",
            Self::NotThere { .. } => "check its name",
            Self::Outside { .. } => "copy what it names beside it, and name that",
            Self::Template { .. } => "give the data the fields that the task asks for",
            Self::Exists { .. } => "name another folder with --out; nothing is overwritten",
            Self::Refused { hint, .. } | Self::Option { hint, .. } => return hint.clone(),
            Self::Suite(error) => return error.hint(),
            Self::Log(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }

    /// Whether the command line is at fault, and not what it names.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Option { .. } | Self::Exists { .. } | Self::NotThere { .. } | Self::NoPackage { .. })
    }

    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }

    pub(crate) fn unreadable(name: &str, reason: impl ToString) -> Self {
        Self::Unreadable { name: name.to_owned(), reason: reason.to_string() }
    }

    pub(crate) fn memory(name: impl Into<String>) -> impl FnOnce(bench_json::OverBudget) -> Self {
        let name = name.into();
        move |error| Self::Memory { name, error }
    }

    pub(crate) fn refused(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Refused { what: what.into(), why: why.into(), hint: None }
    }

    pub(crate) fn refused_unless(what: impl Into<String>, why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused { what: what.into(), why: why.into(), hint: Some(hint.into()) }
    }

    pub(crate) fn option(what: impl Into<String>, why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Option { what: what.into(), why: why.into(), hint: Some(hint.into()) }
    }
}
