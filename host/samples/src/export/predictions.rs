//! Samples as leaderboards list them: a question, an answer, a reference, right or not.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::record::SampleRecord;

/// A sample, and nothing of how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// What the user said last.
    pub input: String,
    /// What the model answered; calls of tools as JSON where there is no text. Empty where there was no answer.
    pub output: String,
    /// The reference; JSON where it is no text.
    pub gold: String,
    /// Whether the verdict's value is 1 or more.
    pub correct: bool,
}

/// The samples of each task that have a verdict, in their order. Repeats are samples of their own.
pub fn predictions(records: &[SampleRecord]) -> BTreeMap<String, Vec<Answered>> {
    let mut tasks: BTreeMap<String, Vec<Answered>> = BTreeMap::new();
    for record in records {
        let Some(value) = record.verdict.as_ref().and_then(|verdict| verdict.value) else { continue };
        let asked = record.prompt.iter().rev().find(|message| message.role == "user").or(record.prompt.last());
        let calls = || serde_json::to_string(&record.tool_calls).unwrap_or_default();
        let said = record.answer.clone().filter(|text| !text.is_empty() || record.tool_calls.is_empty());
        tasks.entry(record.task.clone()).or_default().push(Answered {
            input: asked.map(|message| message.content.clone()).unwrap_or_default(),
            output: said.unwrap_or_else(|| if record.tool_calls.is_empty() { String::new() } else { calls() }),
            gold: match &record.target {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            },
            correct: value >= 1.0,
        });
    }
    tasks
}
