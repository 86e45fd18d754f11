//! Samples and their grades as tables.

use std::fmt::Write as _;

use bench_rescore::{Change, Outcome, Scored, TaskScore};
use bench_samples::failures::{CommonReason, classify, commonest_unscored, count};
use bench_samples::{SampleRecord, ScorerRecord};
use bench_text::{clean_name, clean_text};

use super::{align_numbers, table};
use crate::numbers::figure;

/// Most samples of a table for people; programs get all of them.
const MOST_ROWS: usize = 50;

/// Longest text in a cell, in characters.
const MOST_LETTERS: usize = 60;

/// What grading a log again came to.
pub fn scored(scored: &Scored) -> String {
    let each = |each: &TaskScore| task(each, commonest_of(scored, each).as_ref());
    scored.tasks.iter().map(each).collect::<Vec<_>>().join("\n")
}

/// The commonest reason for which samples of a task have no verdict.
pub fn commonest_of(scored: &Scored, task: &TaskScore) -> Option<CommonReason> {
    commonest_unscored(scored.records.iter().filter(|record| record.task == task.task))
}

fn task(task: &TaskScore, commonest: Option<&CommonReason>) -> String {
    let mut text = format!("{}: {} samples graded by {}", clean_name(&task.task), task.samples, name(&task.scorer));
    if !task.reference.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(text, ", by the rules of {}", clean_name(&task.reference));
    }
    let before: Vec<String> = task.graded_before.iter().map(name).collect();
    let before = if before.is_empty() { "nobody".to_owned() } else { before.join(", ") };
    let _ = write!(text, "\nbefore by {before}\n");
    let mut scores = table(&["metric", "group", "value", "standard error", "interval", "scored", "unscored"]);
    for score in &task.estimates {
        let limits = score.low.zip(score.high).map(|(low, high)| format!("{} … {}", figure(low), figure(high)));
        scores.add_row([
            score.name.clone(),
            score.group.clone().unwrap_or_default(),
            number(score.value),
            number(score.standard_error),
            limits.unwrap_or_else(dash),
            score.scored.to_string(),
            score.unscored.to_string(),
        ]);
    }
    align_numbers(&mut scores, 2);
    let reasons: Vec<String> =
        task.reasons.iter().map(|(reason, count)| format!("{} {count}", clean_name(reason))).collect();
    let _ = write!(text, "{scores}\n{}\n", reasons.join(", "));
    unscored(&mut text, commonest);
    let _ = writeln!(text, "mean of samples: {} before, {} now", number(task.mean_before), number(task.mean_after));
    if task.changes.is_empty() {
        text.push_str("no verdict changed\n");
        return text;
    }
    let _ = writeln!(text, "{} of {} verdicts changed", task.changes.len(), task.samples);
    let mut changes = table(&["sample", "repeat", "change", "before", "now", "answer before", "answer now"]);
    task.changes.iter().take(MOST_ROWS).for_each(|change| {
        changes.add_row(row(change));
    });
    let _ = writeln!(text, "{changes}");
    more(&mut text, task.changes.len());
    text
}

fn row(change: &Change) -> [String; 7] {
    let verdict = |outcome: &Option<Outcome>| {
        outcome.as_ref().map_or_else(dash, |outcome| format!("{} {}", number(outcome.value), outcome.reason))
    };
    let answer = |outcome: &Option<Outcome>| short(outcome.as_ref().and_then(|outcome| outcome.extracted.as_deref()));
    [
        short(Some(&change.id)),
        change.epoch.to_string(),
        change.kind.name().to_owned(),
        verdict(&change.before),
        verdict(&change.after),
        answer(&change.before),
        answer(&change.after),
    ]
}

/// What went wrong, and with which samples.
pub fn failures(samples: &[SampleRecord]) -> String {
    if samples.is_empty() {
        return "nothing went wrong".to_owned();
    }
    let mut counts = table(&["failure", "samples", "meaning"]);
    for (failure, count) in count(samples) {
        counts.add_row([failure.name().to_owned(), count.to_string(), failure.meaning().to_owned()]);
    }
    let mut rows = table(&["task", "sample", "repeat", "failure", "wanted", "answer", "why"]);
    for sample in samples.iter().take(MOST_ROWS) {
        let verdict = sample.verdict.as_ref();
        let extracted = verdict.and_then(|verdict| verdict.extracted.as_deref()).or(sample.answer.as_deref());
        let why = verdict.and_then(|verdict| verdict.explanation.as_deref());
        rows.add_row([
            sample.task.clone(),
            short(Some(&sample.id)),
            sample.epoch.to_string(),
            classify(sample).map(|failure| failure.name().to_owned()).unwrap_or_default(),
            target(sample),
            short(extracted),
            short(why.or(match &sample.status {
                bench_samples::Status::Answered => None,
                bench_samples::Status::Failed { message, .. } | bench_samples::Status::Unscored { message, .. } => {
                    Some(message)
                }
            })),
        ]);
    }
    let mut text = format!("{counts}\n");
    unscored(&mut text, commonest_unscored(samples).as_ref());
    let _ = write!(text, "\n{rows}\n");
    more(&mut text, samples.len());
    text
}

/// The commonest reason for which samples have no verdict, where some have none.
fn unscored(text: &mut String, commonest: Option<&CommonReason>) {
    if let Some(commonest) = commonest {
        let _ = writeln!(text, "without a verdict: {commonest}");
    }
}

/// All samples, with their values.
pub fn samples(samples: &[SampleRecord]) -> String {
    let mut rows = table(&["task", "sample", "repeat", "value", "reason", "wanted", "answer"]);
    for sample in samples.iter().take(MOST_ROWS) {
        let verdict = sample.verdict.as_ref();
        let extracted = verdict.and_then(|verdict| verdict.extracted.as_deref()).or(sample.answer.as_deref());
        rows.add_row([
            sample.task.clone(),
            short(Some(&sample.id)),
            sample.epoch.to_string(),
            number(verdict.and_then(|verdict| verdict.value)),
            verdict.map_or_else(dash, |verdict| verdict.reason.to_string()),
            target(sample),
            short(extracted),
        ]);
    }
    let mut text = format!("{rows}\n");
    more(&mut text, samples.len());
    text
}

fn target(sample: &SampleRecord) -> String {
    let text = sample.target.as_str().map_or_else(|| sample.target.to_string(), str::to_owned);
    short(Some(&text))
}

fn more(text: &mut String, all: usize) {
    if all > MOST_ROWS {
        let _ = writeln!(text, "and {} more; --json lists all", all - MOST_ROWS);
    }
}

fn name(scorer: &ScorerRecord) -> String {
    let version = if scorer.version.is_empty() { String::new() } else { format!(" {}", clean_name(&scorer.version)) };
    let digest = scorer.sha256.as_deref().map(|sha256| sha256.chars().take(12).collect::<String>());
    format!(
        "{}{version}{}",
        clean_name(&scorer.name),
        digest.map(|digest| format!(" ({})", clean_name(digest))).unwrap_or_default()
    )
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(dash, figure)
}

fn dash() -> String {
    "–".to_owned()
}

/// A text on one line, cut where it is long.
fn short(text: Option<&str>) -> String {
    let Some(text) = text else { return dash() };
    // A long answer is not joined to its end: the cell shows its beginning.
    let words: Vec<&str> = text.split_whitespace().take(MOST_LETTERS).collect();
    clean_text(words.join(" "), MOST_LETTERS).to_string()
}
