//! A sample as a row. One table, from which every flat form is made.

use crate::failures::classify;
use crate::record::{SampleRecord, Status};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Number,
}

/// A value of a row; nothing where it is not known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Text(Option<String>),
    Integer(Option<i64>),
    Number(Option<f64>),
}

/// A column: its name, its type, and its value in a row.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) of: fn(&SampleRecord) -> Cell,
}

const fn text(name: &'static str, of: fn(&SampleRecord) -> Cell) -> Column {
    Column { name, kind: Kind::Text, of }
}

const fn integer(name: &'static str, of: fn(&SampleRecord) -> Cell) -> Column {
    Column { name, kind: Kind::Integer, of }
}

const fn number(name: &'static str, of: fn(&SampleRecord) -> Cell) -> Column {
    Column { name, kind: Kind::Number, of }
}

/// The columns in their order. Lists and objects are JSON as text.
pub(super) const COLUMNS: [Column; 41] = [
    text("task", |s| some(&s.task)),
    text("id", |s| some(&s.id)),
    integer("epoch", |s| Cell::Integer(Some(s.epoch.into()))),
    text("model", |s| maybe(&s.model)),
    text("group", |s| maybe(&s.group)),
    text("cluster", |s| maybe(&s.cluster)),
    text("status", |s| {
        some(match s.status {
            Status::Answered => "answered",
            Status::Failed { .. } => "failed",
            Status::Unscored { .. } => "unscored",
        })
    }),
    text("status_code", |s| match &s.status {
        Status::Answered => Cell::Text(None),
        Status::Failed { code, .. } | Status::Unscored { code, .. } => some(code),
    }),
    text("failure", |s| Cell::Text(classify(s).map(|failure| failure.name().to_owned()))),
    number("value", |s| Cell::Number(s.verdict.as_ref().and_then(|verdict| verdict.value))),
    text("reason", |s| Cell::Text(s.verdict.as_ref().map(|verdict| verdict.reason.to_string()))),
    text("extracted", |s| Cell::Text(s.verdict.as_ref().and_then(|verdict| verdict.extracted.clone()))),
    text("explanation", |s| Cell::Text(s.verdict.as_ref().and_then(|verdict| verdict.explanation.clone()))),
    text("sub_scores", |s| {
        Cell::Text(s.verdict.as_ref().filter(|v| !v.sub_scores.is_empty()).map(|v| json(&v.sub_scores)))
    }),
    text("scorer", |s| Cell::Text(s.verdict.as_ref().map(|verdict| verdict.scorer.name.clone()))),
    text("scorer_version", |s| Cell::Text(s.verdict.as_ref().map(|verdict| verdict.scorer.version.clone()))),
    text("scorer_sha256", |s| Cell::Text(s.verdict.as_ref().and_then(|verdict| verdict.scorer.sha256.clone()))),
    integer("fuel", |s| count(s.verdict.as_ref().and_then(|verdict| verdict.fuel))),
    text("target", |s| {
        Cell::Text(match &s.target {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        })
    }),
    text("answer", |s| maybe(&s.answer)),
    text("reasoning", |s| maybe(&s.reasoning)),
    text("tool_calls", |s| list(&s.tool_calls)),
    text("finish", |s| maybe(&s.finish)),
    text("likelihoods", |s| list(&s.likelihoods)),
    integer("prompt_tokens", |s| count(s.usage.prompt)),
    integer("cached_tokens", |s| count(s.usage.cached)),
    integer("completion_tokens", |s| count(s.usage.completion)),
    integer("reasoning_tokens", |s| count(s.usage.reasoning)),
    number("ttft_ms", |s| Cell::Number(s.timing.ttft_ms)),
    number("e2e_ms", |s| Cell::Number(s.timing.e2e_ms)),
    text("started_at", |s| maybe(&s.timing.started_at)),
    integer("attempts", |s| Cell::Integer(Some(s.attempts.into()))),
    number("cost_usd", |s| Cell::Number(s.cost_usd)),
    integer("seed", |s| count(s.seed)),
    text("origin", |s| Cell::Text(s.origin.as_ref().map(|origin| origin.tool.clone()))),
    text("prompt", |s| some(&json(&s.prompt))),
    text("document", |s| some(&json(&s.document))),
    text("document_sha256", |s| some(&s.document_sha256)),
    text("prompt_sha256", |s| some(&s.prompt_sha256)),
    text("target_sha256", |s| some(&s.target_sha256)),
    integer("schema", |s| Cell::Integer(Some(s.schema.into()))),
];

fn some(text: &str) -> Cell {
    Cell::Text(Some(text.to_owned()))
}

fn maybe(text: &Option<String>) -> Cell {
    Cell::Text(text.clone())
}

/// A count that no signed number holds is not known rather than another one.
fn count(count: Option<u64>) -> Cell {
    Cell::Integer(count.and_then(|count| i64::try_from(count).ok()))
}

fn list<T: serde::Serialize>(values: &[T]) -> Cell {
    Cell::Text((!values.is_empty()).then(|| json(&values)))
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
