//! What a new verdict says that the old one did not.

use bench_samples::{Reason, SampleRecord, VerdictRecord};
use serde::Serialize;

/// How a verdict differs from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The value is higher.
    Higher,
    /// The value is lower.
    Lower,
    /// The sample had no value and has one.
    Gained,
    /// The sample had a value and has none.
    Lost,
    /// The value is the same, and the reason for it another.
    Reason,
}

impl Kind {
    /// Its name in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
            Self::Gained => "gained",
            Self::Lost => "lost",
            Self::Reason => "reason",
        }
    }
}

/// The essence of a verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The value; null where there is none.
    pub value: Option<f64>,
    /// Why.
    pub reason: Reason,
    /// What was taken to be the answer.
    pub extracted: Option<String>,
}

/// A sample whose verdict changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The item.
    pub id: String,
    /// The repeat.
    pub epoch: u32,
    /// How.
    pub kind: Kind,
    /// Before; nothing where nobody had graded it.
    pub before: Option<Outcome>,
    /// Now; nothing where it was not graded.
    pub after: Option<Outcome>,
}

fn outcome(verdict: &VerdictRecord) -> Outcome {
    Outcome { value: verdict.value, reason: verdict.reason.clone(), extracted: verdict.extracted.clone() }
}

/// How the verdict of `after` differs from `before`, if it does. Other tools give no reasons, so theirs are not compared.
pub(crate) fn change(before: Option<&VerdictRecord>, after: &SampleRecord) -> Option<Change> {
    let now = after.verdict.as_ref();
    let value = |verdict: Option<&VerdictRecord>| verdict.and_then(|verdict| verdict.value);
    let kind = match (value(before), value(now)) {
        (Some(old), Some(new)) if new > old => Kind::Higher,
        (Some(old), Some(new)) if new < old => Kind::Lower,
        (None, Some(_)) => Kind::Gained,
        (Some(_), None) => Kind::Lost,
        _ => {
            let (old, new) = (before?, now?);
            let is_foreign = old.scorer.sha256.is_none();
            if is_foreign || old.reason == new.reason {
                return None;
            }
            Kind::Reason
        }
    };
    Some(Change {
        id: after.id.clone(),
        epoch: after.epoch,
        kind,
        before: before.map(outcome),
        after: now.map(outcome),
    })
}
