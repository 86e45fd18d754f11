//! Logs of any tool that is known, as samples of this one's.
//!
//! What another tool calls an item's document, target and answer is taken over as it is, so that a scorer sees what that tool's
//! own would have seen. What a tool does not log stays empty; nothing is made up.

mod archive;
mod detect;
mod inspect;
mod lm_eval;
mod messages;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use detect::import;

/// What writing inspect's logs needs of reading them.
pub(crate) mod foreign {
    pub(crate) use super::inspect::{Header, STORE, without_store};
}

use crate::error::SamplesError;
use crate::record::{SampleRecord, VerdictRecord};

/// Whose log it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// This program's.
    Bench,
    /// lm-eval's `samples_*.jsonl` and `results_*.json`.
    LmEval,
    /// inspect's `.eval` and `.json`.
    Inspect,
}

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Whose log it was.
    pub format: Format,
    /// The samples, in the order of the log.
    pub records: Vec<SampleRecord>,
    /// What should be known about them.
    pub notes: Vec<Note>,
}

/// Something that should be known about what was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Stable identifier in kebab case.
    pub code: &'static str,
    /// What it is, and where.
    pub message: String,
}

impl Note {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

fn not_a_log(path: &Path, reason: impl Into<String>) -> SamplesError {
    SamplesError::NotALog { path: path.to_owned(), reason: reason.into() }
}

/// Why a verdict of another tool, which gives no reason, is what it is.
fn reason_of(value: Option<f64>) -> crate::record::Reason {
    use crate::record::Reason;
    match value {
        None => Reason::GraderFailed,
        Some(value) if value >= 1.0 => Reason::Correct,
        Some(value) if value > 0.0 => Reason::PartlyCorrect,
        Some(_) => Reason::Wrong,
    }
}

/// A verdict of another tool's scorer.
fn foreign_verdict(name: String, version: String, value: Option<f64>) -> VerdictRecord {
    VerdictRecord {
        scorer: crate::record::ScorerRecord { name, version, sha256: None, config_sha256: None },
        value,
        reason: reason_of(value),
        problem: None,
        extracted: None,
        explanation: None,
        sub_scores: Vec::new(),
        fuel: None,
    }
}
