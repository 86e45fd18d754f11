//! Why a log could not be graded again.

use bench_grade::GradeError;
use bench_plugin::LoadError;
use bench_registry::RegistryError;
use bench_samples::SamplesError;
use bench_text::{clean_name, clean_sentence};

/// Why a log could not be graded again. What goes wrong with a single sample is a verdict, not an error.
#[derive(Debug, thiserror::Error)]
pub enum RescoreError {
    /// The log cannot be read.
    #[error(transparent)]
    Samples(#[from] SamplesError),
    /// There is no such scorer.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The component cannot be loaded.
    #[error("the scorer {scorer}: {error}", scorer = clean_name(.scorer))]
    Load {
        /// As it was asked for.
        scorer: String,
        /// Why not.
        error: LoadError,
    },
    /// The scorer at hand has another version than the one that was asked for.
    #[error(
        "{scorer} {wanted} is not at hand, only {found}",
        scorer = clean_name(.scorer),
        wanted = clean_name(.wanted),
        found = clean_name(.found),
    )]
    OtherVersion {
        /// Its name.
        scorer: String,
        /// What was asked for.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// The configuration is no JSON object, or its file cannot be read.
    #[error("the configuration: {reason}", reason = clean_sentence(.reason))]
    Config {
        /// What is wrong.
        reason: String,
    },
    /// The scorer wants the opinion of a model, and none is asked here.
    #[error("{scorer} asks a model for its opinion, and grading a log asks none", scorer = clean_name(.scorer))]
    NeedsJudge {
        /// Its name.
        scorer: String,
    },
    /// The samples of a task could not be graded.
    #[error("the task {task}: {error}", task = clean_name(.task))]
    Grade {
        /// The task.
        task: String,
        /// Why not.
        error: GradeError,
    },
    /// The run has no samples.
    #[error("the run {run} has no log of samples", run = clean_name(.run))]
    NoSamples {
        /// Its identifier.
        run: String,
    },
}

impl RescoreError {
    /// A stable identifier in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Samples(error) => error.code(),
            Self::Registry(error) => error.code(),
            Self::Load { error, .. } => error.code(),
            Self::OtherVersion { .. } => "other-scorer-version",
            Self::Config { .. } => "bad-scorer-config",
            Self::NeedsJudge { .. } => "scorer-needs-judge",
            Self::Grade { error, .. } => error.code(),
            Self::NoSamples { .. } => "no-samples",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Samples(error) => error.hint(),
            Self::Registry(error) => error.hint(),
            Self::Load { error, .. } => error.hint(),
            Self::OtherVersion { .. } => Some("Name the component's file, or leave the version out.".to_owned()),
            Self::Config { .. } => Some(
                "Give a JSON object, or a file with one; `bench plugin inspect` shows what a scorer takes.".to_owned(),
            ),
            Self::NeedsJudge { .. } => Some("Run the suite's task with a judge instead.".to_owned()),
            Self::Grade { error, .. } => error.hint(),
            Self::NoSamples { .. } => Some("Only runs of suites with eval tasks have samples.".to_owned()),
        }
    }

    /// The plugin is to blame, and not what it was given: a configuration that it refuses is the user's.
    pub fn is_plugins_fault(&self) -> bool {
        match self {
            Self::Grade { error, .. } => !matches!(error, GradeError::Open(_) | GradeError::Duplicate { .. }),
            _ => false,
        }
    }
}
