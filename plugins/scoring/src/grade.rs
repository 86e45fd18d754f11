//! A verdict before it knows whose it is.

use bench_sdk::scorer::{Reason, Sample, Verdict};
use bench_sdk::types::{FinishReason, Metric, Problem};

use crate::python::strip;

/// What a scorer makes of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Grade {
    /// In [0, 1] unless the scorer is unbounded; not a number where the sample is unscored.
    pub value: f64,
    /// Why.
    pub reason: Reason,
    /// What was taken to be the answer.
    pub extracted: Option<String>,
    /// Why, in a sentence for people.
    pub explanation: Option<String>,
    /// Values of the scorer's further metrics, by name.
    pub sub_scores: Vec<(&'static str, f64)>,
}

impl Grade {
    /// A grade of 1 or 0.
    pub fn binary(correct: bool) -> Self {
        Self::of(if correct { 1.0 } else { 0.0 })
    }

    /// A grade of a value in [0, 1]: correct at 1, wrong at 0, partly correct between.
    pub fn of(value: f64) -> Self {
        let reason = match value {
            value if value >= 1.0 => Reason::Correct,
            value if value > 0.0 => Reason::PartlyCorrect,
            _ => Reason::Wrong,
        };
        Self::because(value, reason)
    }

    /// A grade of 0 for a reason of its own, such as [`Reason::InvalidFormat`].
    pub fn zero(reason: Reason) -> Self {
        Self::because(0.0, reason)
    }

    /// A grade of any value for any reason.
    pub fn because(value: f64, reason: Reason) -> Self {
        Self { value, reason, extracted: None, explanation: None, sub_scores: Vec::new() }
    }

    /// A sample that cannot be graded.
    pub fn failed(problem: Problem) -> Self {
        Self::because(f64::NAN, Reason::GraderFailed(problem))
    }

    /// With what was taken to be the answer.
    #[must_use]
    pub fn extracted(self, answer: impl Into<String>) -> Self {
        Self { extracted: Some(answer.into()), ..self }
    }

    /// With a sentence for people.
    #[must_use]
    pub fn explained(self, why: impl Into<String>) -> Self {
        Self { explanation: Some(why.into()), ..self }
    }

    /// With the value of a further metric.
    #[must_use]
    pub fn with(mut self, metric: &'static str, value: f64) -> Self {
        self.sub_scores.push((metric, value));
        self
    }

    /// Why a wrong answer is wrong, where the sample itself says so: withheld by the backend, cut at its limit, or not there.
    ///
    /// Applied to every grade; a scorer need not. Samples of likelihoods have no answer and are left alone, and so is a value
    /// that is not 0.
    #[must_use]
    pub fn settle(self, sample: &Sample) -> Self {
        let wrong = self.value == 0.0 && matches!(self.reason, Reason::Wrong | Reason::InvalidFormat);
        if !wrong || !sample.likelihoods.is_empty() {
            return self;
        }
        let said = sample.answer.as_deref().is_some_and(|answer| !strip(answer).is_empty());
        let silent = !said && sample.tool_calls.is_empty();
        let reason = match &sample.finish {
            Some(FinishReason::ContentFilter) => Reason::Refused,
            Some(FinishReason::Length) => Reason::Truncated,
            _ if silent => Reason::NoResponse,
            _ => self.reason,
        };
        Self { reason, ..self }
    }

    /// The verdict on a sample, whose id it takes over. The units of sub-scores are those that the scorer states of itself.
    pub(crate) fn on(self, sample: Sample) -> Verdict {
        let metric = |(name, value): (&str, f64)| Metric {
            name: name.into(),
            value,
            unit: String::new(),
            higher_is_better: None,
        };
        Verdict {
            id: sample.id,
            epoch: sample.epoch,
            value: self.value,
            reason: self.reason,
            extracted: self.extracted,
            explanation: self.explanation,
            sub_scores: self.sub_scores.into_iter().map(metric).collect(),
        }
    }
}
