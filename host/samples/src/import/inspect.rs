//! inspect's logs: a `.eval` archive with an entry per sample, or one `.json` with all of them.
//!
//! The tool promises no stable format beyond its own reader, so fields are looked up one by one and what is missing is
//! taken as not known. A log that this program wrote carries under `store.bench` what the format has no place for.

use std::cell::Cell;
use std::path::Path;

use bench_json::{Budget, OverBudget};
use serde_json::{Map, Value, json};

use super::detect::Bounds;
use super::{Note, foreign_verdict, messages, not_a_log};
use crate::error::SamplesError;
use crate::python;
use crate::record::{
    MessageRecord, Origin, ProblemRecord, Reason, SampleRecord, Status, SubScore, TimingRecord, UsageRecord,
};

/// Bytes of texts that the messages of one sample may refer to. Each reference becomes a copy.
const MOST_REFERRED: u64 = 32 << 20;

/// Where a sample of this program keeps what the format has no place for.
pub(crate) const STORE: &str = "bench";

/// What the log says about all its samples.
#[derive(Debug, Clone, Default)]
pub(crate) struct Header {
    pub(crate) task: String,
    pub(crate) model: Option<String>,
    pub(crate) version: Option<String>,
    /// Scorers in their order, the headline first.
    pub(crate) scorers: Vec<String>,
}

impl Header {
    pub(super) fn of(log: &Value) -> Option<Self> {
        let eval = log.get("eval")?;
        let headline = log.pointer("/results/headline/score").and_then(Value::as_str);
        let named = eval.get("scorers").and_then(Value::as_array).into_iter().flatten();
        let named = named.filter_map(|scorer| scorer.get("name")?.as_str());
        Some(Self {
            task: eval.get("task")?.as_str()?.to_owned(),
            model: eval.get("model").and_then(Value::as_str).filter(|model| *model != "none/none").map(str::to_owned),
            version: eval.pointer("/packages/inspect_ai").and_then(Value::as_str).map(str::to_owned),
            scorers: headline.into_iter().chain(named).map(str::to_owned).collect(),
        })
    }
}

/// Is this a log, as one JSON value?
pub(super) fn is_log(value: &Value) -> bool {
    ["version", "status", "eval"].iter().all(|key| value.get(key).is_some())
}

/// Reads a log that is one JSON value.
pub(super) fn json_log(
    path: &Path,
    log: &Value,
    bounds: Bounds<'_>,
    notes: &mut Vec<Note>,
) -> Result<Vec<SampleRecord>, SamplesError> {
    let header = Header::of(log).ok_or_else(|| not_a_log(path, "it names no task"))?;
    let samples = log.get("samples").and_then(Value::as_array).into_iter().flatten();
    let mut collected = Collected::default();
    for (place, value) in samples.enumerate() {
        let added = collected.add(value, &header, bounds.budget);
        added.map_err(|fault| fault.named(path, &format!("sample {}", place + 1)))?;
    }
    Ok(collected.finish(notes))
}

/// Why a sample is not read.
pub(super) enum Fault {
    Broken(String),
    Memory(OverBudget),
}

impl Fault {
    pub(super) fn named(self, path: &Path, name: &str) -> SamplesError {
        match self {
            Self::Broken(reason) => not_a_log(path, format!("{name}: {reason}")),
            Self::Memory(error) => SamplesError::Memory { path: path.to_owned(), error },
        }
    }
}

/// The samples so far.
#[derive(Default)]
pub(super) struct Collected {
    records: Vec<SampleRecord>,
    left_out: usize,
}

impl Collected {
    pub(super) fn add(&mut self, value: &Value, header: &Header, budget: &Budget) -> Result<(), Fault> {
        let (record, left_out) = sample(value, header).map_err(Fault::Broken)?;
        budget.spend(record.memory()).map_err(Fault::Memory)?;
        self.left_out += left_out;
        self.records.push(record);
        Ok(())
    }

    pub(super) fn finish(self, notes: &mut Vec<Note>) -> Vec<SampleRecord> {
        if self.left_out > 0 {
            let message = format!("{} parts of messages that are no text were left out", self.left_out);
            notes.push(Note::new("no-text", message));
        }
        self.records
    }
}

/// Reads a sample, and counts the parts of its messages that are no text.
pub(crate) fn sample(value: &Value, header: &Header) -> Result<(SampleRecord, usize), String> {
    let (record, left_out) = without_store(value, header)?;
    match value.get("store").and_then(|store| store.get(STORE)).and_then(Value::as_object) {
        Some(kept) => Ok((restored(record, kept)?, left_out)),
        None => Ok((record, left_out)),
    }
}

/// The sample by what the format has a place for.
pub(crate) fn without_store(value: &Value, header: &Header) -> Result<(SampleRecord, usize), String> {
    let id = value.get("id").filter(|id| id.is_string() || id.is_number()).map(python::text);
    let id = id.filter(|id| !id.is_empty()).ok_or("it has no id")?;
    let epoch = value.get("epoch").and_then(Value::as_u64).unwrap_or(1).saturating_sub(1);
    let epoch = u32::try_from(epoch).map_err(|_| format!("there is no repeat {epoch}"))?;
    let attachments = value.get("attachments").and_then(Value::as_object);
    let referred = Cell::new(0_u64);
    let resolve = |text| {
        let found = resolved(attachments, text);
        referred.set(referred.get().saturating_add(found.len() as u64));
        // Past the bound nothing is copied any more, and the sample is refused below.
        if referred.get() > MOST_REFERRED { "" } else { found }
    };
    let mut left_out = 0;
    let mut read = |value| {
        let read = messages::message(value, &resolve);
        left_out += read.left_out;
        read.message
    };

    let input = value.get("input").unwrap_or(&Value::Null);
    let mut prompt: Vec<MessageRecord> = match value.get("messages").and_then(Value::as_array) {
        Some(all) => {
            let is_answer = |message: &Value| message.get("role").and_then(Value::as_str) == Some("assistant");
            let end = all.iter().rposition(is_answer).unwrap_or(all.len());
            all.iter().take(end).map(&mut read).collect()
        }
        None => Vec::new(),
    };
    if prompt.is_empty() {
        prompt = match input {
            Value::String(text) => vec![MessageRecord::new("user", resolve(text))],
            Value::Array(all) => all.iter().map(&mut read).collect(),
            _ => Vec::new(),
        };
    }
    let document = document(value, input, attachments);
    let target = value.get("target").cloned().unwrap_or_default();
    let mut record = SampleRecord::new(&header.task, id, epoch, document, prompt, target);

    if let Some(choice) = value.pointer("/output/choices/0") {
        let answer = messages::message(choice.get("message").unwrap_or(&Value::Null), &resolve);
        left_out += answer.left_out;
        record.answer = Some(answer.message.content);
        record.reasoning = answer.reasoning;
        record.tool_calls = answer.message.tool_calls;
        record.finish = choice.get("stop_reason").and_then(Value::as_str).and_then(finish);
    }
    if referred.get() > MOST_REFERRED {
        return Err(format!("the texts of its messages have more than {MOST_REFERRED} bytes"));
    }
    record.status = status(value);
    record.usage = usage(value);
    record.cost_usd = value.pointer("/output/usage/total_cost").and_then(Value::as_f64);
    let e2e_ms = value.pointer("/output/time").and_then(Value::as_f64).map(|seconds| seconds * 1000.0);
    let started_at = value.get("started_at").and_then(Value::as_str).filter(|text| !text.is_empty());
    record.timing = TimingRecord { ttft_ms: None, e2e_ms, started_at: started_at.map(str::to_owned) };
    let retries = value.get("error_retries").and_then(Value::as_array).map_or(0, Vec::len);
    record.attempts = u32::try_from(retries).unwrap_or(u32::MAX - 1) + 1;
    record.model.clone_from(&header.model);
    record.origin = Some(Origin { tool: "inspect".to_owned(), version: header.version.clone() });
    grade(&mut record, value.get("scores").and_then(Value::as_object), header);
    Ok((record, left_out))
}

/// Long texts are kept once and referred to.
fn resolved<'a>(attachments: Option<&'a Map<String, Value>>, text: &'a str) -> &'a str {
    let reference = text.strip_prefix("attachment://").or_else(|| text.strip_prefix("tc://"));
    let found = reference.and_then(|reference| attachments?.get(reference)?.as_str());
    found.unwrap_or(text)
}

/// The fields of the item: its metadata, and beside them its input and choices.
fn document(value: &Value, input: &Value, attachments: Option<&Map<String, Value>>) -> Value {
    let mut fields = value.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
    let input = match input {
        Value::String(text) => Value::String(resolved(attachments, text).to_owned()),
        // What a message is beside its role and content, such as an identifier, differs from run to run.
        Value::Array(all) => {
            let plain = |message: &Value| json!({"role": message.get("role"), "content": message.get("content")});
            Value::Array(all.iter().map(plain).collect())
        }
        other => other.clone(),
    };
    let choices = value.get("choices").filter(|choices| !choices.is_null());
    for (name, value) in [("input", Some(&input)), ("choices", choices)] {
        if let Some(value) = value {
            fields.entry(name).or_insert_with(|| value.clone());
        }
    }
    Value::Object(fields)
}

fn finish(word: &str) -> Option<String> {
    let ours = match word {
        "max_tokens" | "model_length" => "length",
        "tool_calls" => "tool-calls",
        "content_filter" => "content-filter",
        "unknown" => return None,
        other => other,
    };
    Some(ours.to_owned())
}

fn status(value: &Value) -> Status {
    let has_scores = value.get("scores").and_then(Value::as_object).is_some_and(|scores| !scores.is_empty());
    if let Some(error) = value.get("error").filter(|error| !error.is_null()) {
        let message = error.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
        let code = "inspect-error".to_owned();
        return if has_scores { Status::Failed { code, message } } else { Status::Unscored { code, message } };
    }
    let limit = value.pointer("/limit/type").and_then(Value::as_str);
    let silent = value.pointer("/output/choices/0").is_none();
    match limit.filter(|_| silent) {
        Some(kind @ ("time" | "working")) => {
            Status::Failed { code: "time-out".to_owned(), message: format!("the sample ran into its {kind} limit") }
        }
        Some(kind) => {
            Status::Failed { code: format!("{kind}-limit"), message: format!("the sample ran into its {kind} limit") }
        }
        None => Status::Answered,
    }
}

fn usage(value: &Value) -> UsageRecord {
    let count = |name: &str| value.pointer("/output/usage").and_then(|usage| usage.get(name)?.as_u64());
    // Some providers leave cached tokens out of the input; the total has them.
    let prompt = match (count("total_tokens"), count("output_tokens")) {
        (Some(total), Some(output)) => total.checked_sub(output),
        _ => count("input_tokens"),
    };
    UsageRecord {
        prompt,
        cached: count("input_tokens_cache_read"),
        completion: count("output_tokens"),
        reasoning: count("reasoning_tokens"),
    }
}

/// The scores: the headline is the verdict, the values of others are sub-scores under their names.
fn grade(record: &mut SampleRecord, scores: Option<&Map<String, Value>>, header: &Header) {
    let Some(scores) = scores else { return };
    let headline = header.scorers.iter().find(|name| scores.contains_key(*name)).or_else(|| scores.keys().next());
    let Some((name, score)) = headline.and_then(|name| Some((name, scores.get(name)?))) else { return };
    let text = |key: &str| score.get(key).and_then(Value::as_str).map(str::to_owned);
    let value = score.get("value").unwrap_or(&Value::Null);
    let mut verdict = foreign_verdict(name.clone(), String::new(), number(value));
    verdict.extracted = text("answer");
    verdict.explanation = text("explanation");
    if let Some(word) = text("reason") {
        verdict.reason = reason(&word);
    }
    if verdict.reason == Reason::GraderFailed {
        let message = verdict.explanation.clone().unwrap_or_else(|| "the sample has no value".to_owned());
        verdict.problem = Some(ProblemRecord { code: "unscored".to_owned(), message, hint: None });
    }
    let sub = |name: String, value: &Value| SubScore { name, value: number(value), ..SubScore::default() };
    if let Value::Object(parts) = value {
        verdict.sub_scores.extend(parts.iter().map(|(part, value)| sub(part.clone(), value)));
        verdict.value = verdict.sub_scores.first().and_then(|first| first.value);
        verdict.reason = super::reason_of(verdict.value);
        verdict.problem = None;
    }
    for (other, score) in scores.iter().filter(|(other, _)| *other != name) {
        match score.get("value") {
            Some(Value::Object(parts)) => {
                verdict.sub_scores.extend(parts.iter().map(|(part, value)| sub(format!("{other}.{part}"), value)));
            }
            value => verdict.sub_scores.push(sub(other.clone(), value.unwrap_or(&Value::Null))),
        }
    }
    record.verdict = Some(verdict);
}

/// Values as the tool's own metrics take them.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64().filter(|value| value.is_finite()),
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "c" | "yes" | "true" => Some(1.0),
            "p" => Some(0.5),
            "i" | "n" | "no" | "false" => Some(0.0),
            other => other.parse().ok().filter(|value: &f64| value.is_finite()),
        },
        _ => None,
    }
}

fn reason(word: &str) -> Reason {
    match word {
        "invalid_response_format" => Reason::InvalidFormat,
        "refusal" => Reason::Refused,
        "no_response" => Reason::NoResponse,
        "grader_failed" | "scoring_failed" => Reason::GraderFailed,
        other => Reason::from(other.replace('_', "-")),
    }
}

/// Puts back what this program had kept of a sample. Whatever the format has a place for counts as it stands there, since it
/// may have been graded again since.
fn restored(record: SampleRecord, kept: &Map<String, Value>) -> Result<SampleRecord, String> {
    let graded = record.verdict.as_ref().map(|verdict| (verdict.scorer.name.clone(), verdict.value));
    let Ok(Value::Object(mut fields)) = serde_json::to_value(&record) else { return Ok(record) };
    for (name, value) in kept {
        let is_old = || {
            let value = |key: &str| value.pointer(key).cloned().unwrap_or_default();
            Some((value("/scorer/name"), value("/value").as_f64()))
                != graded.clone().map(|(name, value)| (Value::String(name), value))
        };
        if name == "verdict" && is_old() {
            continue;
        }
        if value.is_null() {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    // A reference may be nothing at all.
    fields.entry("target").or_insert(Value::Null);
    fields.entry("document").or_insert(Value::Null);
    let mut record: SampleRecord = serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())?;
    record.seal();
    Ok(record)
}
