//! What can go wrong with an eval task as a whole. What goes wrong with a sample is in its log.

use bench_grade::GradeError;
use bench_plugin::LoadError;
use bench_registry::RegistryError;
use bench_samples::SamplesError;
use bench_text::{clean_name, clean_sentence};

/// Why a task could not be run, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// A task that the suite does not have.
    #[error("the suite {suite} has no task `{wanted}`", suite = clean_name(.suite), wanted = clean_name(.wanted))]
    UnknownTask {
        /// The suite.
        suite: String,
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A scorer that cannot be had.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A scorer that cannot be loaded.
    #[error("the scorer `{scorer}` cannot be loaded: {error}", scorer = clean_name(.scorer))]
    Load {
        /// The scorer.
        scorer: String,
        /// Why.
        error: LoadError,
    },
    /// The task wants another version of its scorer.
    #[error(
        "the task {task} needs the scorer `{scorer}` {wanted}; this one is {found}",
        task = clean_name(.task),
        scorer = clean_name(.scorer),
        wanted = clean_name(.wanted),
        found = clean_name(.found),
    )]
    ScorerVersion {
        /// The task.
        task: String,
        /// The scorer.
        scorer: String,
        /// The task's requirement.
        wanted: String,
        /// The version at hand.
        found: String,
    },
    /// Grading as a whole failed.
    #[error("task {task}: {error}", task = clean_name(.task))]
    Grade {
        /// The task.
        task: String,
        /// Why.
        error: GradeError,
    },
    /// The scorer asks for a judge, and there is none.
    #[error(
        "the scorer of the task {task} asks a model for its opinion, and no judge was named",
        task = clean_name(.task),
    )]
    NoJudge {
        /// The task.
        task: String,
    },
    /// The log of the samples cannot be used.
    #[error(transparent)]
    Samples(#[from] SamplesError),
    /// The log is of another data set or another format of prompts.
    #[error(
        "the log of the task {task} has the sample {sample}, whose {what} is another one than that of the suite",
        task = clean_name(.task),
        sample = clean_name(.sample),
    )]
    Differs {
        /// The task.
        task: String,
        /// The sample.
        sample: String,
        /// What differs.
        what: &'static str,
    },
    /// The driver has no way to likelihoods of given texts.
    #[error("the driver {driver} has no way to ask how likely a given text is", driver = clean_name(.driver))]
    NoLikelihoods {
        /// The driver.
        driver: String,
    },
    /// What the backend reports as log-probabilities is none.
    #[error("the backend's log-probabilities cannot be used: {reason}", reason = clean_sentence(.reason))]
    DegenerateLogprobs {
        /// What is wrong with them.
        reason: String,
    },
    /// Every sample would fail in the same way.
    #[error("{message}", message = clean_sentence(.message))]
    Refused {
        /// Stable identifier.
        code: String,
        /// What happened.
        message: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// A limit of cost without a price.
    #[error("the model {model} has no price, so its cost cannot be limited", model = clean_name(.model))]
    NoPrice {
        /// The model.
        model: String,
    },
    /// A price list that cannot be used.
    #[error("the price list cannot be used: {reason}", reason = clean_sentence(.reason))]
    Prices {
        /// Why.
        reason: String,
    },
    /// A prompt could not be made.
    #[error(
        "the prompt of {sample} cannot be made: {reason}",
        sample = clean_name(.sample),
        reason = clean_sentence(.reason),
    )]
    Prompt {
        /// The sample.
        sample: String,
        /// Why.
        reason: String,
    },
    /// Two components were given for one scorer.
    #[error(
        "the file {file} cannot be used as a scorer: {reason}",
        file = clean_sentence(.file),
        reason = clean_sentence(.reason),
    )]
    ScorerFile {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// A task of the runtime ended by itself.
    #[error("a request was lost inside the program")]
    Lost,
}

impl EvalError {
    /// Stable identifier in kebab case.
    pub fn code(&self) -> &str {
        match self {
            Self::UnknownTask { .. } => "unknown-task",
            Self::Registry(error) => error.code(),
            Self::Load { error, .. } => error.code(),
            Self::ScorerVersion { .. } => "scorer-version",
            Self::Grade { error, .. } => error.code(),
            Self::NoJudge { .. } => "no-judge",
            Self::Samples(error) => error.code(),
            Self::Differs { .. } => "log-differs",
            Self::NoLikelihoods { .. } => "no-likelihoods",
            Self::DegenerateLogprobs { .. } => "degenerate-logprobs",
            Self::Refused { code, .. } => code,
            Self::NoPrice { .. } => "no-price",
            Self::Prices { .. } => "bad-prices",
            Self::Prompt { .. } => "bad-prompt",
            Self::ScorerFile { .. } => "scorer-file",
            Self::Lost => "lost-request",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownTask { known, .. } if known.is_empty() => Some("it has no tasks at all".to_owned()),
            Self::UnknownTask { known, .. } => Some(format!("it has {}", known.join(", "))),
            Self::Registry(error) => error.hint(),
            Self::Load { error, .. } => error.hint(),
            Self::ScorerVersion { .. } => Some(
                "use the suite that ships with this version of bench, or name the component with --scorer FILE"
                    .to_owned(),
            ),
            Self::Grade { error, .. } => error.hint(),
            Self::NoJudge { .. } => {
                Some("name one with --judge URL, and --judge-model NAME where it serves several".to_owned())
            }
            Self::Samples(error) => error.hint(),
            Self::Differs { .. } => Some("a run is resumed with the suite that it began with".to_owned()),
            Self::NoLikelihoods { .. } => {
                Some("drivers with the parameter `extra` have one: vllm, sglang, llama-cpp and openai".to_owned())
            }
            Self::DegenerateLogprobs { .. } => Some(
                "scores made of them would mean nothing; the backend must report the log-probabilities of prompts"
                    .to_owned(),
            ),
            Self::Refused { hint, .. } => hint.as_ref().map(|hint| clean_sentence(hint).to_string()),
            Self::NoPrice { .. } => Some("write its price into prices.toml in the folder of bench".to_owned()),
            Self::Prices { .. } => Some("correct prices.toml in the folder of bench".to_owned()),
            Self::Prompt { .. } => Some("correct the suite".to_owned()),
            Self::ScorerFile { .. } => Some("give each scorer's component once".to_owned()),
            Self::Lost => Some("resume the run with --resume; what was answered is in its log".to_owned()),
        }
    }
}
