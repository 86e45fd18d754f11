//! inspect's log. It is written in the version that the tool writes itself, with zstd entries, and read back by the tool's own
//! reader in a test. What the format has no place for stands under `store.bench` of a sample.

use std::io::{Cursor, Write as _};

use serde_json::{Map, Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::About;
use super::summary::{Summary, by_item, item_value, summaries};
use crate::digest::{digest_of, sha256_hex};
use crate::error::SamplesError;
use crate::import::foreign::{Header, STORE, without_store};
use crate::record::{MessageRecord, Reason, SampleRecord, Status, ToolCallRecord};

/// A log of one task.
pub(super) struct Log {
    /// What stands for a value that is not a number until the text is made: JSON has no such value, and the tool reads `NaN`.
    /// It is a digest over all samples, so none of them can contain it.
    mark: String,
    header: Value,
    reductions: Value,
    samples: Vec<(String, Value)>,
    summaries: Value,
}

impl Log {
    pub(super) fn of(task: &str, records: &[&SampleRecord], about: &About) -> Self {
        let mark = digest_of(&records);
        let model = about.model(records).unwrap_or("none/none").to_owned();
        let created = about.date(records);
        let id = |what: &str| -> String {
            sha256_hex(format!("{what} {task} {model} {created}").as_bytes()).chars().take(22).collect()
        };
        let summaries = summaries(records);
        let header = Header {
            task: task.to_owned(),
            model: Some(model.clone()).filter(|model| model != "none/none"),
            version: None,
            scorers: summaries.iter().map(|summary| summary.name.clone()).collect(),
        };
        let samples: Vec<(String, Value)> = records
            .iter()
            .map(|record| {
                (
                    format!("samples/{}_epoch_{}.json", record.id, record.epoch + 1),
                    sample(record, &header, &model, &mark),
                )
            })
            .collect();
        let items = by_item(records);
        let ids: Vec<&str> = items.iter().filter_map(|item| Some(item.first()?.id.as_str())).collect();
        let epochs = records.iter().map(|record| record.epoch + 1).max().unwrap_or(1);
        let answered = records.iter().filter(|record| !matches!(record.status, Status::Unscored { .. })).count();
        let scorers: Vec<Value> = header.scorers.iter().map(|name| json!({"name": name})).collect();
        let eval = json!({
            "eval_id": id("eval"),
            "run_id": id("run"),
            "created": created,
            "task": task,
            "task_id": id("task"),
            "task_version": 0,
            "task_attribs": {},
            "task_args": {},
            "dataset": {"name": task, "samples": items.len(), "sample_ids": ids, "shuffled": false},
            "model": model,
            "model_generate_config": {},
            "model_args": {},
            "config": {"epochs": epochs},
            "packages": {},
            "metadata": {"written_by": format!("bench {}", about.version)},
            "scorers": scorers,
        });
        let results = json!({
            "total_samples": records.len(),
            "completed_samples": answered,
            "scores": summaries.iter().map(score_summary).collect::<Vec<_>>(),
        });
        Self {
            header: json!({
                "version": 2,
                "status": "success",
                "eval": eval,
                "plan": {"name": "plan", "steps": [], "config": {}},
                "results": results,
                "stats": {"started_at": created, "completed_at": created, "model_usage": model_usage(records, &model)},
            }),
            reductions: reductions(&items, &summaries, &mark),
            summaries: samples.iter().map(|(_, sample)| sample_summary(sample)).collect(),
            samples,
            mark,
        }
    }

    /// The archive's bytes; the same for the same samples.
    pub(super) fn archive(&self) -> Result<Vec<u8>, SamplesError> {
        let unwritable = |reason: String| SamplesError::Unwritable { form: "inspect", reason };
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Zstd)
            .last_modified_time(DateTime::default());
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let mut put = |name: &str, value: &Value| -> Result<(), SamplesError> {
            let text = text(value, &self.mark);
            // Sizes from 4 GiB on need a larger header, which must be chosen before.
            let options = options.large_file(text.len() as u64 >= u64::from(u32::MAX));
            archive.start_file(name, options).map_err(|error| unwritable(error.to_string()))?;
            archive.write_all(text.as_bytes()).map_err(|error| unwritable(error.to_string()))
        };
        let part = |key: &str| self.header.get(key).cloned().unwrap_or_default();
        put("_journal/start.json", &json!({"version": 2, "eval": part("eval"), "plan": part("plan")}))?;
        for (name, sample) in &self.samples {
            put(name, sample)?;
        }
        put("summaries.json", &self.summaries)?;
        put("reductions.json", &self.reductions)?;
        put("header.json", &self.header)?;
        archive.finish().map(Cursor::into_inner).map_err(|error| unwritable(error.to_string()))
    }

    /// The log as one JSON value.
    pub(super) fn json(&self) -> String {
        let mut whole = self.header.as_object().cloned().unwrap_or_default();
        whole.insert("samples".to_owned(), self.samples.iter().map(|(_, sample)| sample.clone()).collect());
        whole.insert("reductions".to_owned(), self.reductions.clone());
        text(&Value::Object(whole), &self.mark)
    }
}

/// A value as JSON, with `NaN` for what is not a number.
fn text(value: &Value, mark: &str) -> String {
    serde_json::to_string(value).unwrap_or_default().replace(&format!("\"{mark}\""), "NaN")
}

fn value_of(value: Option<f64>, mark: &str) -> Value {
    value.map_or_else(|| mark.into(), Value::from)
}

fn sample(record: &SampleRecord, header: &Header, model: &str, mark: &str) -> Value {
    let input = match record.prompt.as_slice() {
        [only] if only.role == "user" && only.tool_calls.is_empty() => Value::String(only.content.clone()),
        messages => messages.iter().map(message).collect(),
    };
    let mut answer = json!({"role": "assistant", "content": record.answer.as_deref().unwrap_or_default()});
    if let (Some(reasoning), Some(fields)) = (&record.reasoning, answer.as_object_mut()) {
        let text = record.answer.as_deref().unwrap_or_default();
        let parts = json!([{"type": "reasoning", "reasoning": reasoning}, {"type": "text", "text": text}]);
        fields.insert("content".to_owned(), parts);
    }
    with_calls(&mut answer, &record.tool_calls);
    let stop = match record.finish.as_deref() {
        Some("length") => "max_tokens",
        Some("tool-calls") => "tool_calls",
        Some("content-filter") => "content_filter",
        Some("stop") => "stop",
        _ => "unknown",
    };
    let messages: Vec<Value> = record.prompt.iter().map(message).chain([answer.clone()]).collect();
    let mut metadata = record.metadata();
    metadata.remove("input");
    let choices = metadata.get("choices").filter(|choices| is_texts(choices)).cloned();
    if choices.is_some() {
        metadata.remove("choices");
    }
    let target = match &record.target {
        texts if texts.is_string() || is_texts(texts) => texts.clone(),
        other => crate::python::text(other).into(),
    };
    let usage = usage(record);
    let mut sample = json!({
        "id": record.id,
        "epoch": u64::from(record.epoch) + 1,
        "input": input,
        "target": target,
        "messages": messages,
        "output": {
            "model": model,
            "choices": [{"message": answer, "stop_reason": stop}],
            "completion": record.answer.as_deref().unwrap_or_default(),
            "usage": usage,
            "time": record.timing.e2e_ms.map(|ms| ms / 1000.0),
        },
        "scores": scores(record, mark),
        "metadata": metadata,
        "model_usage": {model: usage},
        "started_at": record.timing.started_at,
        "total_time": record.timing.e2e_ms.map(|ms| ms / 1000.0),
        "uuid": sha256_hex(record.key().to_string().as_bytes()).chars().take(22).collect::<String>(),
        "error_retries": [],
        "attachments": {},
        "events": [],
    });
    if let Some(fields) = sample.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
        if let Some(choices) = choices {
            fields.insert("choices".to_owned(), choices);
        }
        if let Status::Unscored { code, message } = &record.status {
            let error = json!({"message": format!("{code}: {message}"), "traceback": "", "traceback_ansi": ""});
            fields.insert("error".to_owned(), error);
        }
    }
    let kept = kept(record, &text(&sample, mark), header);
    if let Some(fields) = sample.as_object_mut() {
        let store = if kept.is_empty() { json!({}) } else { json!({STORE: kept}) };
        fields.insert("store".to_owned(), store);
    }
    sample
}

/// What reading the sample back would not give: the fields that would differ, as they are.
fn kept(record: &SampleRecord, sample: &str, header: &Header) -> Map<String, Value> {
    let read: Value = serde_json::from_str(&bench_json::plain_json(sample)).unwrap_or_default();
    let fields = |record: &SampleRecord| match serde_json::to_value(record) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let back = without_store(&read, header).map(|(record, _)| fields(&record)).unwrap_or_default();
    let own = fields(record);
    let mut kept = Map::new();
    for name in own.keys().chain(back.keys()).filter(|name| !name.ends_with("_sha256")) {
        if own.get(name) != back.get(name) {
            kept.insert(name.clone(), own.get(name).cloned().unwrap_or_default());
        }
    }
    kept
}

fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|texts| !texts.is_empty() && texts.iter().all(Value::is_string))
}

/// A message in the tool's form. Roles beyond its four become the user's.
fn message(message: &MessageRecord) -> Value {
    let role = if ["system", "assistant", "tool"].contains(&message.role.as_str()) { &message.role } else { "user" };
    let mut value = json!({"role": role, "content": message.content});
    with_calls(&mut value, &message.tool_calls);
    if let (Some(id), "tool", Some(fields)) = (&message.tool_call_id, role, value.as_object_mut()) {
        fields.insert("tool_call_id".to_owned(), id.clone().into());
    }
    value
}

/// Adds calls of tools. The tool wants an object for arguments; what is none is said to be in error, in the tool's own field.
fn with_calls(message: &mut Value, calls: &[ToolCallRecord]) {
    let is_assistant = message.get("role").and_then(Value::as_str) == Some("assistant");
    let Some(fields) = message.as_object_mut().filter(|_| is_assistant && !calls.is_empty()) else { return };
    let call = |call: &ToolCallRecord| match serde_json::from_str::<Map<String, Value>>(&call.arguments) {
        Ok(arguments) => json!({"id": call.id, "function": call.name, "arguments": arguments, "type": "function"}),
        Err(error) => json!({"id": call.id, "function": call.name, "arguments": {}, "type": "function",
            "parse_error": format!("{error}: {}", call.arguments)}),
    };
    fields.insert("tool_calls".to_owned(), calls.iter().map(call).collect());
}

fn usage(record: &SampleRecord) -> Value {
    let count = |count: Option<u64>| count.unwrap_or_default();
    let (prompt, completion) = (count(record.usage.prompt), count(record.usage.completion));
    let mut usage = json!({
        "input_tokens": prompt,
        "output_tokens": completion,
        "total_tokens": prompt.saturating_add(completion),
        "input_tokens_cache_read": record.usage.cached,
        "reasoning_tokens": record.usage.reasoning,
        "total_cost": record.cost_usd,
    });
    if let Some(fields) = usage.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    usage
}

fn model_usage(records: &[&SampleRecord], model: &str) -> Value {
    let sum = |of: fn(&SampleRecord) -> Option<u64>| {
        records.iter().filter_map(|record| of(record)).fold(0_u64, u64::saturating_add)
    };
    let (prompt, completion) = (sum(|record| record.usage.prompt), sum(|record| record.usage.completion));
    json!({model: {
        "input_tokens": prompt,
        "output_tokens": completion,
        "total_tokens": prompt.saturating_add(completion),
        "reasoning_tokens": sum(|record| record.usage.reasoning),
    }})
}

/// The scores of a sample: the verdict under its scorer's name, and each sub-score under its own.
fn scores(record: &SampleRecord, mark: &str) -> Value {
    let mut scores = Map::new();
    let Some(verdict) = &record.verdict else { return Value::Object(scores) };
    let mut score = json!({"value": value_of(verdict.value, mark), "history": []});
    let reason = match &verdict.reason {
        Reason::Correct | Reason::PartlyCorrect | Reason::Wrong => None,
        Reason::InvalidFormat => Some("invalid_response_format".to_owned()),
        Reason::Refused => Some("refusal".to_owned()),
        Reason::NoResponse => Some("no_response".to_owned()),
        Reason::GraderFailed => Some("grader_failed".to_owned()),
        other => Some(other.to_string().replace('-', "_")),
    };
    if let Some(fields) = score.as_object_mut() {
        let texts = [("answer", &verdict.extracted), ("explanation", &verdict.explanation), ("reason", &reason)];
        fields.extend(texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text.clone()?.into()))));
    }
    scores.insert(verdict.scorer.name.clone(), score);
    for sub in &verdict.sub_scores {
        scores.entry(&sub.name).or_insert_with(|| json!({"value": value_of(sub.value, mark), "history": []}));
    }
    Value::Object(scores)
}

fn score_summary(summary: &Summary) -> Value {
    let mut metrics = Map::new();
    for (name, value) in [("mean", summary.mean), ("stderr", summary.standard_error)] {
        if let Some(value) = value {
            metrics.insert(name.to_owned(), json!({"name": name, "value": value}));
        }
    }
    json!({
        "name": summary.name,
        "scorer": summary.name,
        "scored_samples": summary.scored,
        "unscored_samples": summary.unscored,
        "metrics": metrics,
    })
}

fn reductions(items: &[Vec<&SampleRecord>], summaries: &[Summary], mark: &str) -> Value {
    let of = |summary: &Summary| {
        let samples = items.iter().filter_map(|item| {
            Some(json!({"sample_id": item.first()?.id, "value": value_of(item_value(item, &summary.name), mark), "history": []}))
        });
        json!({"scorer": summary.name, "reducer": "mean", "samples": samples.collect::<Vec<_>>()})
    };
    summaries.iter().map(of).collect()
}

/// What the tool's viewer shows of a sample in a list.
fn sample_summary(sample: &Value) -> Value {
    let mut summary = Map::new();
    for key in
        ["id", "epoch", "input", "choices", "target", "scores", "model_usage", "started_at", "total_time", "uuid"]
    {
        if let Some(value) = sample.get(key) {
            summary.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(error) = sample.pointer("/error/message") {
        summary.insert("error".to_owned(), error.clone());
    }
    let messages = sample.get("messages").and_then(Value::as_array).map_or(0, Vec::len);
    summary.insert("message_count".to_owned(), messages.into());
    summary.insert("completed".to_owned(), true.into());
    Value::Object(summary)
}
