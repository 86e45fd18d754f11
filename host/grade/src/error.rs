//! Why a set of samples could not be graded as a whole.

use bench_plugin::{Fault, LoadError};
use bench_text::{clean_name, clean_sentence};

/// Why nothing was graded. What goes wrong with a single sample is a verdict, not an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GradeError {
    /// The component is no scorer, or cannot say what it is.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The scorer does not take its configuration, or failed over it.
    #[error("the scorer cannot be set up: {0}")]
    Open(#[source] Fault),
    /// The scorer failed while it added verdicts up.
    #[error("the verdicts cannot be added up: {0}")]
    Aggregate(#[source] Fault),
    /// Two samples are the same repeat of the same item.
    #[error("there are two samples `{id}` of epoch {epoch}", id = clean_name(.id))]
    Duplicate {
        /// The item.
        id: String,
        /// The repeat.
        epoch: u32,
    },
    /// A second pass gave other verdicts.
    #[error(
        "{scorer} does not grade the same sample in the same way twice: {differing} of {checked} samples changed when they were \
         graded again in another order, the first of them `{id}` of epoch {epoch}: {difference}",
        scorer = clean_name(.scorer),
        id = clean_name(.id),
        difference = clean_sentence(.difference),
    )]
    Nondeterministic {
        /// Name and version.
        scorer: String,
        /// Of the first sample in question.
        id: String,
        /// Of the first sample in question.
        epoch: u32,
        /// What changed in its verdict.
        difference: String,
        /// Samples whose verdicts changed.
        differing: usize,
        /// Samples that were graded twice.
        checked: usize,
    },
}

impl GradeError {
    /// Stable identifier.
    pub fn code(&self) -> &'static str {
        match self {
            GradeError::Load(error) => error.code(),
            GradeError::Open(fault) | GradeError::Aggregate(fault) => fault.code(),
            GradeError::Duplicate { .. } => "duplicate-sample",
            GradeError::Nondeterministic { .. } => "nondeterministic-scorer",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            GradeError::Load(error) => error.hint(),
            GradeError::Open(fault) | GradeError::Aggregate(fault) => fault.hint(),
            GradeError::Duplicate { .. } => {
                Some("give each item an id of its own, and each repeat of it a number of its own".to_owned())
            }
            GradeError::Nondeterministic { .. } => Some(
                "a scorer must not carry anything from one sample to the next; its verdicts on these samples are worth \
                 nothing, so report it to its author"
                    .to_owned(),
            ),
        }
    }
}
