//! What is printed when a command fails: what happened, a stable code, and what to do next.

use bench_files::FilesError;
use bench_grants::GrantError;
use bench_import::ImportError;
use bench_install::InstallError;
use bench_kit::KitError;
use bench_oci::OciError;
use bench_plugin::LoadError;
use bench_record::RecordError;
use bench_registry::{NameError, RegistryError};
use bench_repository::RepositoryError;
use bench_rescore::RescoreError;
use bench_run::{Category, RunError};
use bench_samples::SamplesError;
use bench_sim::SimError;
use bench_suite::SuiteError;

use crate::exit::Exit;

/// A failed command.
#[derive(Debug)]
pub struct Failure {
    /// Stable identifier.
    pub code: String,
    /// What happened, and where.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// How the program ends.
    pub exit: Exit,
}

/// The result of a command.
pub type Outcome = Result<Exit, Failure>;

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        let exit = match error.category() {
            Category::Usage => Exit::Usage,
            Category::Input => Exit::Input,
            Category::Engine => Exit::Engine,
            Category::Plugin => Exit::Plugin,
            Category::Machine if matches!(error, RunError::Stopped) => Exit::Interrupted,
            Category::Machine => Exit::Failure,
        };
        Failure { code: error.code().to_owned(), message: error.to_string(), hint: error.hint(), exit }
    }
}

macro_rules! from_error {
    ($($error:ty => $exit:expr),+ $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure { code: error.code().to_owned(), message: error.to_string(), hint: error.hint(), exit: $exit }
            }
        }
    )+};
}

from_error! {
    FilesError => Exit::Input,
    GrantError => Exit::Input,
    RecordError => Exit::Input,
    RegistryError => Exit::Input,
    SamplesError => Exit::Input,
    SuiteError => Exit::Input,
    LoadError => Exit::Input,
    SimError => Exit::Failure,
    KitError => Exit::Input,
    InstallError => Exit::Input,
    NameError => Exit::Usage,
    OciError => Exit::Input,
    RepositoryError => Exit::Input,
}

impl From<RescoreError> for Failure {
    fn from(error: RescoreError) -> Failure {
        let exit = if error.is_plugins_fault() { Exit::Plugin } else { Exit::Input };
        Failure { code: error.code().to_owned(), message: error.to_string(), hint: error.hint(), exit }
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Failure {
        let exit = if error.is_usage() { Exit::Usage } else { Exit::Input };
        Failure { code: error.code().to_owned(), message: error.to_string(), hint: error.hint(), exit }
    }
}

impl Failure {
    /// A failure of this machine's: a file, a thread, a signal handler.
    pub fn machine(what: &str, error: &std::io::Error) -> Failure {
        Failure { code: "io".to_owned(), message: format!("{what}: {error}"), hint: None, exit: Exit::Failure }
    }
}
