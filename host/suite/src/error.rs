//! What can be wrong with a suite.

use std::io;

use bench_text::{clean_name, clean_sentence};

use crate::data::ItemError;
use crate::template::TemplateError;

/// A suite that cannot be used, and why. Paths are relative to the suite's folder unless they name the folder itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SuiteError {
    /// The folder itself could not be opened.
    #[error("suite folder {path} cannot be opened: {source}", path = clean_sentence(.path))]
    Folder {
        /// The folder.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file that the suite needs is not there.
    #[error("suite file {path} is missing", path = clean_sentence(.path))]
    Missing {
        /// The file.
        path: String,
    },
    /// A file is there but could not be read.
    #[error("suite file {path} cannot be read: {source}", path = clean_sentence(.path))]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A path that could leave the suite's folder, or that not every system can write.
    #[error("suite path `{path}` is not allowed: {why}", path = clean_sentence(.path))]
    Path {
        /// The path as written.
        path: String,
        /// Why.
        why: &'static str,
    },
    /// A file, or all of them together, are larger than a suite may be.
    #[error("suite file {path} brings more than {limit} bytes", path = clean_sentence(.path))]
    TooLarge {
        /// The file.
        path: String,
        /// The limit that was passed.
        limit: u64,
    },
    /// The corpora and items up to a file take more memory than those of a suite may.
    #[error("suite file {path}: {error}", path = clean_name(.path))]
    Memory {
        /// The file.
        path: String,
        /// How much they may take.
        error: bench_json::OverBudget,
    },
    /// The manifest or a lock is not TOML, or has an unknown, missing or mistyped key.
    #[error(
        "{file}, line {line}, column {column}: {message}",
        file = clean_sentence(.file),
        message = clean_sentence(.message),
    )]
    Syntax {
        /// The file.
        file: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What the parser found; for an unknown key it names the key and the known ones.
        message: String,
    },
    /// The manifest is well-formed, but a value makes no sense.
    #[error("suite.toml: {what}: {why}", what = clean_name(.what), why = clean_sentence(.why))]
    Value {
        /// The key.
        what: String,
        /// Why.
        why: String,
    },
    /// A data file is not the one that the manifest names.
    #[error(
        "suite file {path} has SHA-256 {actual}, and the manifest says {expected}",
        path = clean_sentence(.path),
        actual = clean_name(.actual),
        expected = clean_name(.expected),
    )]
    Digest {
        /// The file.
        path: String,
        /// What the manifest says.
        expected: String,
        /// What the file has.
        actual: String,
    },
    /// A text file is not UTF-8.
    #[error("suite file {path} is not UTF-8 after byte {valid_up_to}", path = clean_sentence(.path))]
    NotText {
        /// The file.
        path: String,
        /// Bytes before the first bad one.
        valid_up_to: usize,
    },
    /// A text file holds no words.
    #[error("suite file {path} holds no words", path = clean_sentence(.path))]
    EmptyCorpus {
        /// The file.
        path: String,
    },
    /// A data file of a task cannot be used.
    #[error("task {task}, suite file {path}: {error}", task = clean_name(.task), path = clean_sentence(.path))]
    Data {
        /// The task.
        task: String,
        /// The file.
        path: String,
        /// What is wrong.
        error: ItemError,
    },
    /// A template of a task cannot be used, or not with an item.
    #[error(
        "task {task}, {key}{}: {error}",
        item_words(.item.as_deref()),
        task = clean_name(.task),
        key = clean_name(.key),
    )]
    Template {
        /// The task.
        task: String,
        /// The key of the template.
        key: String,
        /// The item that it does not fit.
        item: Option<String>,
        /// What is wrong.
        error: TemplateError,
    },
    /// The suite is made for another version of the host.
    #[error(
        "suite {suite} needs a host of version {needed}, and this one is {host}",
        suite = clean_name(.suite),
        needed = clean_name(.needed),
        host = clean_name(.host),
    )]
    HostVersion {
        /// The suite.
        suite: String,
        /// What it needs.
        needed: String,
        /// What there is.
        host: String,
    },
}

fn item_words(item: Option<&str>) -> String {
    item.map_or_else(String::new, |item| format!(", item {item:?}"))
}

impl SuiteError {
    /// A stable identifier in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Folder { .. } => "suite-not-found",
            Self::Missing { .. } => "suite-file-missing",
            Self::Unreadable { .. } => "suite-file-unreadable",
            Self::Path { .. } => "suite-path-not-allowed",
            Self::TooLarge { .. } => "suite-too-large",
            Self::Memory { error, .. } => error.code(),
            Self::Syntax { .. } => "suite-manifest-invalid",
            Self::Value { .. } => "suite-value-invalid",
            Self::Digest { .. } => "suite-digest-mismatch",
            Self::NotText { .. } => "suite-not-utf8",
            Self::EmptyCorpus { .. } => "suite-corpus-empty",
            Self::Data { error, .. } => error.code(),
            Self::Template { error, .. } => error.code(),
            Self::HostVersion { .. } => "suite-needs-other-host",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Folder { .. } => {
                "Give the path of a folder with a suite.toml, or the name of a suite from `bench suite list`."
            }
            Self::Missing { .. } => "Restore the file, or take its entry out of suite.toml.",
            Self::Unreadable { .. } => "Check the file's permissions and that it is a regular file.",
            Self::Path { .. } => {
                "Use a relative path with forward slashes that stays inside the suite's folder, such as corpora/prose.txt."
            }
            Self::TooLarge { .. } => {
                "Make the file smaller: long prompts wrap around, so a corpus need not be as long."
            }
            Self::Syntax { .. } => "Correct that line; the suite crate's documentation lists every key.",
            Self::Value { .. } => "Correct the value in suite.toml.",
            Self::Digest { .. } => {
                "The file was changed after the suite was made. Restore it; results of a changed suite belong under a new \
                 version with the new digest."
            }
            Self::NotText { .. } => "Save the file as UTF-8.",
            Self::EmptyCorpus { .. } => "Put text into the file; prompts are cut from it.",
            Self::Memory { error, .. } => error.hint(),
            Self::Data { error, .. } => return error.hint(),
            Self::Template { error, .. } => return error.hint(),
            Self::HostVersion { .. } => "Update bench, or take an older version of the suite.",
        };
        Some(hint.to_owned())
    }
}
