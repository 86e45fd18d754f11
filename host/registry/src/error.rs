//! What can go wrong when something is looked up.

use std::path::PathBuf;

use bench_files::FilesError;
use bench_plugin::Kind;
use bench_text::{clean_name, clean_sentence};

/// A plugin or suite that cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No plugin of this name.
    #[error("there is no {kind} named `{name}`", name = clean_name(.name))]
    UnknownPlugin {
        /// The kind that was looked for.
        kind: Kind,
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<&'static str>,
    },
    /// No suite of this name.
    #[error("there is no suite named `{name}`", name = clean_name(.name))]
    UnknownSuite {
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<&'static str>,
    },
    /// A file that cannot be read.
    #[error("cannot read {}: {error}", clean_sentence(path.display()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file or folder that is not used as it is.
    #[error(transparent)]
    Files(FilesError),
    /// A file that is too large to be a plugin.
    #[error("{} has {bytes} bytes; a plugin has at most {limit}", clean_sentence(path.display()))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The bound.
        limit: u64,
    },
    /// A lock file that cannot be used.
    #[error(
        "the lock file {} cannot be used: {problem}",
        clean_sentence(path.display()),
        problem = clean_sentence(.problem),
    )]
    BadLock {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A suite's lock file that the user has not allowed.
    #[error(
        "the suite's lock file {} replaces yours: it chooses the versions of {items} plugins and suites, and you have not allowed it",
        clean_sentence(path.display()),
    )]
    UntrustedLock {
        /// The lock file.
        path: PathBuf,
        /// How many plugins and suites it lists.
        items: usize,
    },
    /// Installed bytes that are not what was installed.
    #[error(
        "what is installed at {} is damaged: {problem}",
        clean_sentence(path.display()),
        problem = clean_sentence(.problem),
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// An installed plugin that another version of the host is needed for.
    #[error(
        "{name} {version} needs a host of version {needed}, and this is {host}",
        name = clean_name(.name),
        version = clean_name(.version),
        needed = clean_name(.needed),
        host = clean_name(.host),
    )]
    HostUnfit {
        /// The plugin.
        name: String,
        /// Its version.
        version: String,
        /// The versions of the host that it can use.
        needed: String,
        /// This host's version.
        host: String,
    },
}

impl RegistryError {
    /// Stable identifier.
    pub fn code(&self) -> &'static str {
        match self {
            RegistryError::UnknownPlugin { .. } => "plugin-unknown",
            RegistryError::UnknownSuite { .. } => "suite-unknown",
            RegistryError::Unreadable { .. } => "file-unreadable",
            RegistryError::Files(error) => error.code(),
            RegistryError::TooLarge { .. } => "plugin-too-large",
            RegistryError::BadLock { .. } => "lock-unreadable",
            RegistryError::UntrustedLock { .. } => "suite-lock-untrusted",
            RegistryError::Damaged { .. } => "store-damaged",
            RegistryError::HostUnfit { .. } => "host-unfit",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            RegistryError::UnknownPlugin { name, known, .. } => Some(suggestion(name, known, "bench plugin list")),
            RegistryError::UnknownSuite { name, known } => Some(suggestion(name, known, "bench suite list")),
            RegistryError::Unreadable { .. } | RegistryError::TooLarge { .. } => Some(
                "a name without a slash is looked up among the plugins; a path needs a slash or ends in .wasm"
                    .to_owned(),
            ),
            RegistryError::Files(error) => error.hint(),
            RegistryError::BadLock { .. } => Some(
                "`bench plugin rollback` brings the previous one back; a lock of a later version needs a later bench"
                    .to_owned(),
            ),
            RegistryError::UntrustedLock { path, .. } => {
                let folder = path.parent().unwrap_or(path);
                Some(format!(
                    "look at it, then run `bench suite trust {}`, or give `--trust-lock`; a changed file is asked for again",
                    folder.display()
                ))
            }
            RegistryError::Damaged { .. } => Some("remove the file; `bench plugin sync` fetches it again".to_owned()),
            RegistryError::HostUnfit { .. } => Some(
                "`bench self-update` brings a later host; `bench plugin update` a version of the plugin for this one"
                    .to_owned(),
            ),
        }
    }
}

impl From<FilesError> for RegistryError {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::Unreadable { path, error } => Self::Unreadable { path, error },
            other => Self::Files(other),
        }
    }
}

fn suggestion(name: &str, known: &[&str], command: &str) -> String {
    let close = known.iter().filter(|other| distance(name, other) <= 2).min_by_key(|other| distance(name, other));
    match close {
        Some(close) => format!("did you mean `{close}`? `{command}` lists all"),
        None => format!("known are {}; `{command}` tells more", known.join(", ")),
    }
}

/// Levenshtein distance, by the usual recurrence over one row.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(x != *y)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}
