//! lm-eval's files, with its own digests, so that whatever reads that tool's logs reads ours.

use serde_json::{Map, Value, json};

use super::summary::{self, by_item, summaries};
use super::{About, file_name};
use crate::digest::sha256_hex;
use crate::python;
use crate::record::{MessageRecord, SampleRecord};

/// The names of the files, in a folder that is named after the model, and what they hold.
pub(super) fn files(tasks: &[(&str, Vec<&SampleRecord>)], about: &About) -> Vec<(String, String)> {
    let all: Vec<&SampleRecord> = tasks.iter().flat_map(|(_, records)| records.iter().copied()).collect();
    let model = about.model(&all).unwrap_or("unknown");
    let folder = file_name(model);
    let date = date_id(&about.date(&all));
    let mut files = Vec::new();
    let mut results = Results::default();
    for (task, records) in tasks {
        let lines = lines(records);
        results.add(task, records, &lines);
        let text: String = lines.iter().map(|line| line.to_string() + "\n").collect();
        files.push((format!("{folder}/samples_{}_{date}.jsonl", file_name(task)), text));
    }
    let whole = python::dumps(&results.finish(model, &folder, &about.version));
    files.insert(0, (format!("{folder}/results_{date}.json"), whole));
    files
}

/// A date as the tool puts it into names of files: without a zone, and with dashes for colons.
fn date_id(date: &str) -> String {
    let end = date.get(10..).and_then(|rest| rest.find(['+', 'Z', 'z', '-'])).map_or(date.len(), |at| at + 10);
    let mut plain = date.get(..end).unwrap_or(date).replace(':', "-").replace(' ', "T");
    plain.retain(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
    if plain.contains('.') { plain } else { format!("{plain}.000000") }
}

/// A metric's name in the tool's way: its own, and the filter that it was seen through.
fn metric_and_filter(name: &str) -> (String, String) {
    match name.split_once(',') {
        Some((metric, filter)) => (metric.to_owned(), filter.to_owned()),
        None => (name.replace('-', "_"), "none".to_owned()),
    }
}

/// The filters of a task, each with its metrics: as the tool names them, and as samples do.
fn filters(records: &[&SampleRecord]) -> Vec<(String, Vec<(String, String)>)> {
    let mut filters: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for name in summary::metrics(records) {
        let (metric, filter) = metric_and_filter(&name);
        match filters.iter_mut().find(|(known, _)| *known == filter) {
            Some((_, metrics)) => metrics.push((metric, name)),
            None => filters.push((filter, vec![(metric, name)])),
        }
    }
    if filters.is_empty() {
        filters.push(("none".to_owned(), Vec::new()));
    }
    filters
}

/// One line for each filter and item.
fn lines(records: &[&SampleRecord]) -> Vec<Value> {
    let items = by_item(records);
    let mut lines = Vec::new();
    for (filter, metrics) in filters(records) {
        lines.extend(items.iter().enumerate().filter_map(|(place, item)| line(place, item, &filter, &metrics)));
    }
    lines
}

fn line(place: usize, item: &[&SampleRecord], filter: &str, metrics: &[(String, String)]) -> Option<Value> {
    let first = item.first()?;
    let target = python::text(&first.target);
    let context = context(&first.prompt);
    let (arguments, responses) = requests(item, &context);
    let extracted = first.verdict.as_ref().and_then(|verdict| verdict.extracted.clone());
    let filtered: Vec<Value> = match extracted {
        Some(extracted) if first.likelihoods.is_empty() => vec![extracted.into()],
        _ => responses.iter().map(|response| response.get(0).cloned().unwrap_or_default()).collect(),
    };
    let mut line = Map::new();
    line.insert("doc_id".to_owned(), first.id.parse::<u64>().map_or_else(|_| place.into(), Value::from));
    line.insert("sample_id".to_owned(), first.id.clone().into());
    line.insert("doc".to_owned(), first.document.clone());
    line.insert("target".to_owned(), target.clone().into());
    line.insert("arguments".to_owned(), arguments);
    line.insert("resps".to_owned(), responses.into());
    line.insert("filtered_resps".to_owned(), filtered.into());
    line.insert("filter".to_owned(), filter.into());
    line.insert("metrics".to_owned(), metrics.iter().map(|(metric, _)| metric.clone()).collect());
    let digest = |text: &str| Value::from(sha256_hex(text.as_bytes()));
    line.insert("doc_hash".to_owned(), digest(&python::dumps(&first.document)));
    line.insert("prompt_hash".to_owned(), digest(&context));
    line.insert("target_hash".to_owned(), digest(&target));
    for (metric, name) in metrics {
        line.insert(metric.clone(), summary::item_value(item, name).into());
    }
    Some(Value::Object(line))
}

/// The arguments of the requests of an item, and what came back for each.
fn requests(item: &[&SampleRecord], context: &str) -> (Value, Vec<Value>) {
    let likelihoods = item.first().map(|first| first.likelihoods.as_slice()).unwrap_or_default();
    let numbered = |pairs: Vec<Value>| {
        let named = pairs.into_iter().enumerate().map(|(place, pair)| (format!("gen_args_{place}"), pair));
        Value::Object(named.collect())
    };
    if likelihoods.is_empty() {
        let seed = item.first().and_then(|first| first.seed).map_or_else(|| json!({}), |seed| json!({ "seed": seed }));
        let answers: Vec<Value> = item.iter().map(|record| record.answer.clone().unwrap_or_default().into()).collect();
        return (numbered(vec![json!({"arg_0": context, "arg_1": seed})]), vec![Value::Array(answers)]);
    }
    let alone = likelihoods.iter().filter(|likelihood| likelihood.unconditional.is_some());
    let asked = likelihoods.iter().map(|l| (context, l.logprob, l.greedy, &l.text));
    let asked = asked.chain(alone.map(|l| ("", l.unconditional, None, &l.text)));
    let (arguments, responses) = asked
        .map(|(context, logprob, greedy, text)| {
            let logprob = python::float(logprob.unwrap_or(f64::NEG_INFINITY));
            // The tool's form has no word for what is not known.
            let greedy = if greedy == Some(true) { "True" } else { "False" };
            (json!({"arg_0": context, "arg_1": text}), json!([[logprob, greedy]]))
        })
        .unzip();
    (numbered(arguments), responses)
}

/// The prompt as the tool keeps it: raw text, or a conversation as JSON.
fn context(prompt: &[MessageRecord]) -> String {
    match prompt {
        [only] if only.role == "user" && only.tool_calls.is_empty() => only.content.clone(),
        messages => serde_json::to_string(messages).unwrap_or_default(),
    }
}

/// The results file so far.
#[derive(Default)]
struct Results {
    results: Map<String, Value>,
    subtasks: Map<String, Value>,
    configs: Map<String, Value>,
    versions: Map<String, Value>,
    shots: Map<String, Value>,
    higher: Map<String, Value>,
    counts: Map<String, Value>,
    hashes: Map<String, Value>,
}

impl Results {
    fn add(&mut self, task: &str, records: &[&SampleRecord], lines: &[Value]) {
        let items = by_item(records).len();
        let mut row = Map::new();
        row.insert("alias".to_owned(), task.into());
        row.insert("sample_len".to_owned(), items.into());
        let mut higher = Map::new();
        for summary in summaries(records) {
            let (metric, filter) = metric_and_filter(&summary.name);
            row.insert(format!("{metric},{filter}"), summary.mean.into());
            let error = summary.standard_error.map_or_else(|| "N/A".into(), Value::from);
            row.insert(format!("{metric}_stderr,{filter}"), error);
            higher.insert(metric, summary.higher_is_better.unwrap_or(true).into());
        }
        let is_likelihood = records.iter().any(|record| !record.likelihoods.is_empty());
        let kind = if is_likelihood { "multiple_choice" } else { "generate_until" };
        let repeats = records.iter().map(|record| record.epoch + 1).max().unwrap_or(1);
        let config = json!({"task": task, "output_type": kind, "repeats": repeats, "num_fewshot": 0});
        let text = |line: &Value, key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let hashes: String = lines
            .iter()
            .map(|line| text(line, "doc_hash") + &text(line, "prompt_hash") + &text(line, "target_hash"))
            .collect();
        self.results.insert(task.to_owned(), row.into());
        self.subtasks.insert(task.to_owned(), json!([]));
        self.configs.insert(task.to_owned(), config);
        self.versions.insert(task.to_owned(), "N/A".into());
        self.shots.insert(task.to_owned(), 0.into());
        self.higher.insert(task.to_owned(), higher.into());
        self.counts.insert(task.to_owned(), json!({"original": items, "effective": items}));
        self.hashes.insert(task.to_owned(), sha256_hex(hashes.as_bytes()).into());
    }

    fn finish(self, model: &str, folder: &str, version: &str) -> Value {
        json!({
            "results": self.results,
            "group_subtasks": self.subtasks,
            "configs": self.configs,
            "versions": self.versions,
            "n-shot": self.shots,
            "higher_is_better": self.higher,
            "n-samples": self.counts,
            "config": {"model": "bench", "model_args": format!("model={model}"), "batch_size": null, "limit": null},
            "task_hashes": self.hashes,
            "model_source": "bench",
            "model_name": model,
            "model_name_sanitized": folder,
            "written_by": format!("bench {version}"),
        })
    }
}
