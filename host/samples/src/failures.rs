//! What went wrong with a sample, in one word. A scorer says why its verdict is what it is; what it cannot know, such as a
//! request that failed, and what it need not tell apart, such as arguments that are no JSON, is worked out here.

use std::collections::BTreeMap;

use bench_text::{clean_name, clean_sentence};
use serde::{Deserialize, Serialize};

use crate::record::{Reason, SampleRecord, Status, VerdictRecord};

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// The answer is not right.
    WrongAnswer,
    /// Some of it is.
    PartlyCorrect,
    /// The right tool was called with other arguments than expected.
    WrongArguments,
    /// Another tool was called than expected, or none, or one where none was wanted.
    WrongCall,
    /// The answer, or the arguments of a call, should be JSON and are not.
    MalformedJson,
    /// The answer is not of the form that was asked for.
    InvalidFormat,
    /// The model declined, or the backend withheld the answer.
    Refusal,
    /// The answer was cut at its length limit.
    Truncated,
    /// The model said nothing.
    NoResponse,
    /// The request, or code that the model wrote, took longer than it may.
    TimeOut,
    /// Code that the model wrote used more memory, recursion or output than it may.
    OutOfResources,
    /// Code that the model wrote asked for what it is not given, or tried to influence its grade.
    Forbidden,
    /// The request failed.
    RequestFailed,
    /// The scorer could not grade the sample.
    GraderFailed,
}

impl Failure {
    /// All of them, with a sentence for each.
    pub const TABLE: [(Failure, &'static str, &'static str); 14] = [
        (Failure::WrongAnswer, "wrong-answer", "the answer is not right"),
        (Failure::PartlyCorrect, "partly-correct", "some of the answer is right"),
        (Failure::WrongArguments, "wrong-arguments", "the right tool was called with other arguments than expected"),
        (
            Failure::WrongCall,
            "wrong-call",
            "another tool was called than expected, or none, or one where none was wanted",
        ),
        (
            Failure::MalformedJson,
            "malformed-json",
            "the answer, or the arguments of a call, should be JSON and are not",
        ),
        (Failure::InvalidFormat, "invalid-format", "the answer is not of the form that was asked for"),
        (Failure::Refusal, "refusal", "the model declined, or the backend withheld the answer"),
        (Failure::Truncated, "truncated", "the answer was cut at its length limit"),
        (Failure::NoResponse, "no-response", "the model said nothing"),
        (Failure::TimeOut, "time-out", "the request, or code that the model wrote, took longer than it may"),
        (Failure::OutOfResources, "out-of-resources", "code that the model wrote used more than it may"),
        (Failure::Forbidden, "forbidden", "code that the model wrote asked for what it is not given, or tampered"),
        (Failure::RequestFailed, "request-failed", "the request failed"),
        (Failure::GraderFailed, "grader-failed", "the scorer could not grade the sample"),
    ];

    /// Its name in kebab case.
    pub fn name(self) -> &'static str {
        Self::TABLE.iter().find(|(failure, ..)| *failure == self).map_or("", |(_, name, _)| name)
    }

    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        Self::TABLE.iter().find(|(failure, ..)| *failure == self).map_or("", |(.., meaning)| meaning)
    }
}

/// What went wrong with a sample; nothing where it is correct, or where nobody has graded it.
pub fn classify(sample: &SampleRecord) -> Option<Failure> {
    match &sample.status {
        Status::Unscored { code, .. } | Status::Failed { code, .. } => return Some(of_request(code)),
        Status::Answered => {}
    }
    let verdict = sample.verdict.as_ref()?;
    Some(match &verdict.reason {
        Reason::Correct => return None,
        Reason::GraderFailed => Failure::GraderFailed,
        _ if verdict.value.is_none() => Failure::GraderFailed,
        Reason::Refused => Failure::Refusal,
        Reason::NoResponse => Failure::NoResponse,
        Reason::Truncated => Failure::Truncated,
        Reason::TimedOut => Failure::TimeOut,
        Reason::OutOfResources => Failure::OutOfResources,
        Reason::Forbidden | Reason::Tampered => Failure::Forbidden,
        Reason::PartlyCorrect => Failure::PartlyCorrect,
        Reason::InvalidFormat if is_malformed_json(sample) => Failure::MalformedJson,
        Reason::InvalidFormat => Failure::InvalidFormat,
        Reason::Wrong => of_answer(sample, None, verdict),
        Reason::Other(word) => of_answer(sample, Some(word), verdict),
    })
}

/// The commonest reason for which samples have no verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommonReason {
    /// Stable identifier of the reason.
    pub code: String,
    /// What happened to the first of its samples.
    pub message: String,
    /// Samples with this reason.
    pub count: u64,
    /// Samples without a verdict, for any reason.
    pub unscored: u64,
    /// All samples.
    pub of: u64,
}

/// The share of samples without a verdict from which scores say little about the model.
pub const MOST_UNSCORED: f64 = 0.1;

impl CommonReason {
    /// No sample has a verdict, or more than [`MOST_UNSCORED`] of them have none.
    pub fn is_too_common(&self) -> bool {
        self.unscored == self.of || self.unscored as f64 > MOST_UNSCORED * self.of as f64
    }
}

impl std::fmt::Display for CommonReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (code, message) = (clean_name(&self.code), clean_sentence(&self.message));
        write!(f, "{} of {} because of `{code}`: {message}", self.count, self.unscored)
    }
}

/// The commonest reason for which samples have no verdict; nothing where each has a verdict. Samples that nobody graded count as
/// having none only where their request failed.
pub fn commonest_unscored<'s>(samples: impl IntoIterator<Item = &'s SampleRecord>) -> Option<CommonReason> {
    let mut causes: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    let mut of = 0;
    for sample in samples {
        of += 1;
        if let Some((code, message)) = unscored(sample) {
            causes.entry(code).or_insert((0, message)).0 += 1;
        }
    }
    let unscored = causes.values().map(|(count, _)| count).sum();
    // Of reasons that are equally common, the first in the alphabet.
    let (code, (count, message)) = causes.into_iter().rev().max_by_key(|(_, (count, _))| *count)?;
    let (code, message) = (code.to_owned(), message.to_owned());
    Some(CommonReason { code, message, count, unscored, of })
}

/// Why a sample has no verdict.
fn unscored(sample: &SampleRecord) -> Option<(&str, &str)> {
    if let Status::Unscored { code, message } = &sample.status {
        return Some((code, message));
    }
    let verdict = sample.verdict.as_ref()?;
    match (&verdict.reason, &verdict.problem) {
        (Reason::GraderFailed, Some(problem)) => Some((&problem.code, &problem.message)),
        (Reason::GraderFailed, None) => Some(("grader-failed", "the scorer could not grade the sample")),
        _ if verdict.value.is_none() => Some(("no-value", "the scorer gave no value")),
        _ => None,
    }
}

/// Requests fail with codes of many makers; time limits are told by their names.
fn of_request(code: &str) -> Failure {
    let is_time = ["timeout", "time-out", "timed-out", "deadline", "stalled"].iter().any(|word| code.contains(word));
    if is_time { Failure::TimeOut } else { Failure::RequestFailed }
}

/// A wrong answer for which the scorer gives no reason, or one of its own.
fn of_answer(sample: &SampleRecord, word: Option<&str>, verdict: &VerdictRecord) -> Failure {
    if let Some(failure) = word.and_then(of_word) {
        return failure;
    }
    if sample.finish.as_deref() == Some("content-filter") {
        return Failure::Refusal;
    }
    if sample.finish.as_deref() == Some("length") {
        return Failure::Truncated;
    }
    if sample.tool_calls.is_empty() {
        return Failure::WrongAnswer;
    }
    if has_malformed_arguments(sample) {
        return Failure::MalformedJson;
    }
    // Scorers of calls give the reference checker's name of the error in front of their sentence.
    verdict.explanation.as_deref().and_then(of_word).unwrap_or(Failure::WrongAnswer)
}

/// Words by which checkers of calls name what is wrong, the ones about calls first since they are the more special.
fn of_word(word: &str) -> Option<Failure> {
    let has = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
    if has(&[
        "wrong_func_name",
        "wrong-func",
        "wrong-function",
        "wrong-call",
        "wrong_count",
        "wrong-count",
        "cannot_find_match",
    ]) {
        Some(Failure::WrongCall)
    } else if has(&[
        "argument",
        "param",
        "missing_required",
        "missing-required",
        "type_error",
        "type-error",
        "value_error",
        "value-error",
        "missing_optional",
        "missing-optional",
    ]) {
        Some(Failure::WrongArguments)
    } else {
        None
    }
}

/// The model was after JSON, and what came is none: a call whose arguments are no JSON, or an answer that begins like it.
fn is_malformed_json(sample: &SampleRecord) -> bool {
    if has_malformed_arguments(sample) {
        return true;
    }
    let Some(answer) = sample.answer.as_deref() else { return false };
    let answer = answer.trim();
    let fenced = answer.strip_prefix("```json").or_else(|| answer.strip_prefix("```"));
    let body = fenced.map_or(answer, |rest| rest.trim().strip_suffix("```").unwrap_or(rest).trim());
    body.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(body).is_err()
}

fn has_malformed_arguments(sample: &SampleRecord) -> bool {
    let is_json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    sample.tool_calls.iter().any(|call| !call.arguments.trim().is_empty() && !is_json(&call.arguments))
}

/// How many samples failed in which way, the most frequent first.
pub fn count<'a>(samples: impl IntoIterator<Item = &'a SampleRecord>) -> Vec<(Failure, u64)> {
    let mut counts = std::collections::BTreeMap::new();
    for failure in samples.into_iter().filter_map(classify) {
        *counts.entry(failure).or_insert(0_u64) += 1;
    }
    let mut counts: Vec<(Failure, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(failure, count)| (std::cmp::Reverse(*count), *failure));
    counts
}
