//! Whether what a scorer returned can be true.

use crate::scorer_types::{Estimate, Reason, Sample, Verdict};

/// Sub-scores that one verdict may have.
const MOST_SUB_SCORES: usize = 1_000;

/// Metrics that a task may have, those of its groups included.
const MOST_ESTIMATES: usize = 100_000;

impl Reason {
    /// The reason as the interface writes it; the scorer's own word for [`Reason::Other`].
    pub fn word(&self) -> &str {
        match self {
            Reason::Correct => "correct",
            Reason::PartlyCorrect => "partly-correct",
            Reason::Wrong => "wrong",
            Reason::InvalidFormat => "invalid-format",
            Reason::Refused => "refused",
            Reason::NoResponse => "no-response",
            Reason::Truncated => "truncated",
            Reason::TimedOut => "timed-out",
            Reason::OutOfResources => "out-of-resources",
            Reason::Forbidden => "forbidden",
            Reason::Tampered => "tampered",
            Reason::GraderFailed(_) => "grader-failed",
            Reason::Other(word) => word,
        }
    }
}

/// What is wrong with the verdicts on these samples, if anything is.
pub(crate) fn lie(verdicts: &[Verdict], samples: &[&Sample], unbounded: bool) -> Option<String> {
    if verdicts.len() != samples.len() {
        return Some(format!("{} verdicts on {} samples", verdicts.len(), samples.len()));
    }
    verdicts.iter().zip(samples).find_map(|(verdict, sample)| lie_about(verdict, sample, unbounded))
}

/// What is wrong with the verdict on a sample, if anything is.
pub(crate) fn lie_about(verdict: &Verdict, sample: &Sample, unbounded: bool) -> Option<String> {
    let of = || excerpt(&sample.id);
    if verdict.id != sample.id {
        return Some(format!("a verdict on sample `{}` in the place of the one on `{}`", excerpt(&verdict.id), of()));
    }
    if verdict.epoch != sample.epoch {
        let (found, wanted) = (verdict.epoch, sample.epoch);
        return Some(format!(
            "a verdict on epoch {found} of sample `{}` in the place of the one on epoch {wanted}",
            of()
        ));
    }
    if let Some(wrong) = wrong_value(verdict, unbounded) {
        return Some(format!("the value of sample `{}` is {}, {wrong}", of(), verdict.value));
    }
    if verdict.sub_scores.len() > MOST_SUB_SCORES {
        return Some(format!("{} sub-scores of sample `{}`", verdict.sub_scores.len(), of()));
    }
    let broken = verdict.sub_scores.iter().find(|score| score.value.is_infinite() || score.name.is_empty())?;
    Some(format!("sub-score `{}` of sample `{}` is {}", excerpt(&broken.name), of(), broken.value))
}

fn wrong_value(verdict: &Verdict, unbounded: bool) -> Option<&'static str> {
    let value = verdict.value;
    let failed = matches!(verdict.reason, Reason::GraderFailed(_));
    let settled = matches!(verdict.reason, Reason::Correct | Reason::PartlyCorrect | Reason::Wrong);
    if value.is_infinite() {
        Some("which no value may be")
    } else if value.is_nan() && settled {
        Some("and yet the reason says that it was graded")
    } else if !value.is_nan() && failed {
        Some("and yet the reason says that it could not be graded")
    } else if !value.is_nan() && !unbounded && !(0.0..=1.0).contains(&value) {
        Some("outside [0, 1]")
    } else {
        None
    }
}

/// What is wrong with these estimates, if anything is.
pub(crate) fn lie_of_estimates(estimates: &[Estimate]) -> Option<String> {
    if estimates.len() > MOST_ESTIMATES {
        return Some(format!("{} estimates", estimates.len()));
    }
    estimates.iter().find_map(|estimate| {
        let numbers =
            [Some(estimate.metric.value), estimate.standard_error, estimate.low, estimate.high, estimate.level];
        let infinite = numbers.into_iter().flatten().find(|number| number.is_infinite())?;
        Some(format!("a number of metric `{}` is {infinite}", excerpt(&estimate.metric.name)))
    })
}

/// The beginning of a name that may be of any length.
fn excerpt(text: &str) -> &str {
    const LONGEST: usize = 80;
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}
