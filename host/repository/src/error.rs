//! What can go wrong while a registry is written.

use std::path::PathBuf;

use bench_files::FilesError;
use bench_kit::KitError;
use bench_registry::NameError;
use bench_suite::SuiteError;
use bench_text::{clean_name, clean_sentence};

/// A registry that cannot be written, or a release that it does not take.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// A file or folder that cannot be read or written.
    #[error("{}: {error}", clean_sentence(path.display()))]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file or folder that is not used as it is.
    #[error(transparent)]
    Files(FilesError),
    /// Something is at the place of a new registry.
    #[error("{} holds a registry already", clean_sentence(path.display()))]
    Exists {
        /// The registry's folder.
        path: PathBuf,
    },
    /// Metadata that is not what it should be.
    #[error("{file} cannot be used: {problem}", file = clean_sentence(.file), problem = clean_sentence(.problem))]
    BadMetadata {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A key that is none.
    #[error(
        "{origin} is no signing key: {problem}",
        origin = clean_sentence(.origin),
        problem = clean_sentence(.problem),
    )]
    BadKey {
        /// The file or variable.
        origin: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A program that signs cannot be started.
    #[error("`{program}`, which is to sign, cannot be started: {error}", program = clean_name(.program))]
    NoSigner {
        /// The program.
        program: String,
        /// Why.
        error: std::io::Error,
    },
    /// A program that signs has not signed.
    #[error(
        "`{program}` did not sign: {problem}",
        program = clean_name(.program),
        problem = clean_sentence(.problem),
    )]
    Signer {
        /// The program.
        program: String,
        /// What it did instead.
        problem: String,
    },
    /// What a program gave is no signature by the key that its description names.
    #[error("what `{program}` signed with is another key than its description names", program = clean_name(.program))]
    WrongSignature {
        /// The program.
        program: String,
    },
    /// Too few of the keys that a role asks for.
    #[error("`{role}` needs {threshold} signatures, and {found} of its keys are at hand", role = clean_name(.role))]
    KeysMissing {
        /// The role.
        role: String,
        /// Signatures that it needs.
        threshold: u64,
        /// Keys of it that were found.
        found: usize,
        /// The keys that it knows, by id.
        known: Vec<String>,
    },
    /// A role that the registry does not have.
    #[error("the registry has no role `{role}`", role = clean_name(.role))]
    UnknownRole {
        /// The role.
        role: String,
    },
    /// A change that leaves a role without enough keys.
    #[error("`{role}` would keep {keys} keys and needs {threshold} signatures", role = clean_name(.role))]
    TooFewKeys {
        /// The role.
        role: String,
        /// Keys that would be left.
        keys: usize,
        /// Signatures that it needs.
        threshold: u64,
    },
    /// A name that is not allowed.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A suite that cannot be published.
    #[error("the suite cannot be published: {0}")]
    Suite(#[from] SuiteError),
    /// A component that cannot be looked at.
    #[error(transparent)]
    Kit(#[from] KitError),
    /// A release that is refused.
    #[error("{item} is refused: {reason}", item = clean_name(.item), reason = clean_sentence(.reason))]
    Refused {
        /// What was to be published.
        item: String,
        /// The rule that it breaks.
        reason: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// A release that does not exist.
    #[error("the registry has no {path}", path = clean_sentence(.path))]
    UnknownRelease {
        /// Its path.
        path: String,
    },
}

impl RepositoryError {
    /// Stable identifier.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::Files(error) => error.code(),
            Self::Exists { .. } => "registry-exists",
            Self::BadMetadata { .. } => "metadata-unusable",
            Self::BadKey { .. } => "key-unusable",
            Self::NoSigner { .. } => "signer-missing",
            Self::Signer { .. } => "signer-failed",
            Self::WrongSignature { .. } => "signer-wrong-key",
            Self::KeysMissing { .. } => "keys-missing",
            Self::UnknownRole { .. } => "role-unknown",
            Self::TooFewKeys { .. } => "too-few-keys",
            Self::Name(error) => error.code(),
            Self::Suite(error) => error.code(),
            Self::Kit(error) => error.code(),
            Self::Refused { .. } => "release-refused",
            Self::UnknownRelease { .. } => "release-unknown",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } => None,
            Self::Files(error) => error.hint(),
            Self::Exists { .. } => Some("name another folder, or use the registry that is there".to_owned()),
            Self::BadMetadata { .. } => {
                Some("restore the file from a copy of the registry; nothing was changed".to_owned())
            }
            Self::BadKey { .. } => {
                Some("a key is Ed25519 in PKCS#8 DER; in an environment variable, the same in hex; `NAME.signer` says how a program signs".to_owned())
            }
            Self::NoSigner { .. } => {
                Some("install it, or name it by its path in the `command` of its .signer file; nothing was changed".to_owned())
            }
            Self::Signer { .. } => {
                Some("what it said is above; try the same `command` by hand; nothing was changed".to_owned())
            }
            Self::WrongSignature { .. } => {
                Some("compare `public` of its .signer file with the key that it uses, and see that it signs the message itself and not a digest of it; nothing was changed".to_owned())
            }
            Self::KeysMissing { known, .. } => {
                let known: Vec<&str> = known.iter().map(|id| id.get(..16).unwrap_or(id)).collect();
                Some(format!("give more of its keys with --keys, --key or --key-env; it knows {}", known.join(", ")))
            }
            Self::UnknownRole { .. } => {
                Some("roles are root, targets, snapshot, timestamp and the publishers'".to_owned())
            }
            Self::TooFewKeys { .. } => Some("add a key first with `bench registry add-key`".to_owned()),
            Self::Name(error) => error.hint(),
            Self::Suite(error) => error.hint(),
            Self::Kit(error) => error.hint(),
            Self::Refused { remedy, .. } => Some((*remedy).to_owned()),
            Self::UnknownRelease { .. } => Some("`bench registry verify` shows what there is".to_owned()),
        }
    }
}

/// Adds the path to an I/O error.
pub(crate) fn at(path: &std::path::Path) -> impl Fn(std::io::Error) -> RepositoryError + '_ {
    move |error| RepositoryError::Io { path: path.to_owned(), error }
}

impl From<FilesError> for RepositoryError {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::Unreadable { path, error } | FilesError::Unwritable { path, error } => Self::Io { path, error },
            other => Self::Files(other),
        }
    }
}
