//! lm-eval's logs: `samples_<task>_<date>.jsonl` beside `results_<date>.json`.
//!
//! There is one line for each pair of document and filter, and a metric stands under its name in that line. The samples of
//! a document's lines become one, whose headline is the first metric of the first filter; it and the others are called
//! `metric,filter`, as in the results file. A document that was asked about several times has one grade there, and it
//! goes to the first repeat.

use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;
use std::path::Path;

use bench_json::{Budget, JsonError, OverBudget};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Note, foreign_verdict, messages};
use crate::digest::sha256_hex;
use crate::error::{LineError, LineErrorKind};
use crate::python;
use crate::read::{Limits, Lines};
use crate::record::{LikelihoodRecord, MessageRecord, Origin, SampleRecord, SubScore};

/// Most requests, answers or filters of one document. They are compared with each other.
const MOST_REQUESTS: usize = 4096;

/// What the results file says about all samples.
#[derive(Debug, Clone, Default)]
pub(super) struct About {
    pub(super) model: Option<String>,
    pub(super) version: Option<String>,
    higher_is_better: Value,
}

impl About {
    pub(super) fn of(results: &Value) -> Self {
        let text = |key: &str| results.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let model = text("model_name").or_else(|| results.get("config")?.get("model")?.as_str());
        Self {
            model: model.map(str::to_owned),
            version: text("lm_eval_version").map(str::to_owned),
            higher_is_better: results.get("higher_is_better").cloned().unwrap_or_default(),
        }
    }

    fn higher_is_better(&self, task: &str, metric: &str) -> Option<bool> {
        self.higher_is_better.get(task)?.get(metric)?.as_bool()
    }
}

/// A line of the log. What versions of the tool lack is optional.
#[derive(Deserialize)]
struct Line {
    doc_id: Value,
    #[serde(default)]
    doc: Value,
    #[serde(default)]
    target: Value,
    #[serde(default)]
    arguments: Value,
    #[serde(default)]
    resps: Vec<Value>,
    #[serde(default)]
    filtered_resps: Vec<Value>,
    #[serde(default)]
    filter: Option<String>,
    #[serde(default)]
    metrics: Option<Vec<String>>,
    #[serde(default)]
    doc_hash: Option<String>,
    #[serde(default)]
    target_hash: Option<String>,
    #[serde(default)]
    prompt_hash: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Memory that the values of a prompt may take, in bytes. A prompt that takes more is taken for a text.
const PROMPT_MEMORY: u64 = 16 << 20;

/// Is this the first line of such a log?
pub(super) fn is_line(line: &Value) -> bool {
    ["doc_id", "resps", "arguments"].iter().all(|key| line.get(key).is_some())
}

/// The task and the date of a file that is called `samples_<task>_<date>.jsonl`.
pub(super) fn task_and_date(path: &Path) -> Option<(String, String)> {
    let name = path.file_name()?.to_str()?.strip_prefix("samples_")?.strip_suffix(".jsonl")?;
    let (task, date) = name.rsplit_once('_')?;
    let is_date = date.get(..4)?.bytes().all(|byte| byte.is_ascii_digit()) && date.contains('T');
    is_date.then(|| (task.to_owned(), date.to_owned()))
}

/// Reads the lines of a log.
pub(super) fn samples(
    input: impl BufRead,
    limits: Limits,
    task: &str,
    about: &About,
    budget: &Budget,
    notes: &mut Vec<Note>,
) -> Result<Vec<SampleRecord>, LineError> {
    let mut records: Vec<SampleRecord> = Vec::new();
    // Where the samples of a document begin, and the filters that it was seen with.
    let mut places: HashMap<String, (usize, usize, Vec<String>)> = HashMap::new();
    let mut altered: BTreeMap<&'static str, u64> = BTreeMap::new();
    for line in Lines::new(input, limits) {
        let line = line?;
        let number = line.number;
        let wrong = |kind: LineErrorKind| LineError { line: number, kind };
        let text = std::str::from_utf8(&line.text);
        let text = text.map_err(|error| wrong(LineErrorKind::NotUtf8 { at: error.valid_up_to() }))?;
        let part = budget.part(limits.part());
        let value = bench_json::value(text, &part);
        let parsed: Line = match value.and_then(|value| Ok(serde_json::from_value(value)?)) {
            Ok(parsed) => parsed,
            Err(JsonError::OverBudget(error)) => return Err(wrong(LineErrorKind::Memory(error))),
            Err(_) if !line.whole => {
                notes.push(Note::new(
                    "torn-sample",
                    format!("{task}: line {number} ends in the middle and was left out"),
                ));
                continue;
            }
            Err(error) => return Err(wrong(LineErrorKind::NotASample(error.to_string()))),
        };
        let id = python::text(&parsed.doc_id);
        if id.is_empty() || parsed.doc_id.is_null() {
            return Err(wrong(LineErrorKind::MissingId));
        }
        parsed.altered().for_each(|part| *altered.entry(part).or_default() += 1);
        let filter = parsed.filter.clone().unwrap_or_else(|| "none".to_owned());
        if let Some((first, seen_at, filters)) = places.get_mut(&id) {
            if filters.contains(&filter) {
                let key = format!("{task} {id} with the filter {filter}");
                return Err(wrong(LineErrorKind::Duplicate { key, first: *seen_at as u64 }));
            }
            if filters.len() >= MOST_REQUESTS {
                let reason = format!("the document {id} has more than {MOST_REQUESTS} filters");
                return Err(wrong(LineErrorKind::NotASample(reason)));
            }
            filters.push(filter);
            if let Some(record) = records.get_mut(*first) {
                let before = record.memory();
                parsed.grade(record, task, about);
                budget.spend(record.memory() - before).map_err(|error| wrong(LineErrorKind::Memory(error)))?;
            }
            continue;
        }
        places.insert(id.clone(), (records.len(), usize::try_from(number).unwrap_or(usize::MAX), vec![filter]));
        let begin = records.len();
        if parsed.requests().len().max(parsed.answers()) > MOST_REQUESTS {
            let reason = format!("it has more than {MOST_REQUESTS} requests or answers");
            return Err(wrong(LineErrorKind::NotASample(reason)));
        }
        // Each answer becomes a sample with a document and a prompt of its own.
        let over = |error: OverBudget| wrong(LineErrorKind::Memory(error));
        budget.spend(part.spent().saturating_mul(parsed.answers().max(1) as u64)).map_err(over)?;
        records.extend(parsed.asked(task, &id, about));
        if let Some(record) = records.get_mut(begin) {
            parsed.grade(record, task, about);
        }
        budget.give_back(part.spent().saturating_mul(parsed.answers().max(1) as u64));
        let kept = records.iter().skip(begin).map(SampleRecord::memory).sum();
        budget.spend(kept).map_err(over)?;
    }
    for (part, lines) in altered {
        notes.push(Note::new(
            "altered-sample",
            format!("{task}: in {lines} lines the {part} is not the one of its digest"),
        ));
    }
    Ok(records)
}

impl Line {
    /// What is not as its digest says. The tool digests what Python makes of a value.
    fn altered(&self) -> impl Iterator<Item = &'static str> {
        let differs = |stated: &Option<String>, text: String| {
            stated.as_ref().is_some_and(|stated| *stated != sha256_hex(text.as_bytes()))
        };
        let prompt = self.requests().first().and_then(|request| request.first()?.as_str().map(str::to_owned));
        let parts = [
            ("document", differs(&self.doc_hash, python::dumps(&self.doc))),
            ("target", differs(&self.target_hash, python::text(&self.target))),
            ("prompt", prompt.is_some_and(|prompt| differs(&self.prompt_hash, prompt))),
        ];
        parts.into_iter().filter(|(_, altered)| *altered).map(|(part, _)| part)
    }

    /// How many answers there are to the first request.
    fn answers(&self) -> usize {
        self.resps.first().and_then(Value::as_array).map_or(1, Vec::len)
    }

    /// The arguments of each request.
    fn requests(&self) -> Vec<Vec<Value>> {
        let in_order = |value: &Value| match value {
            Value::Array(values) => values.clone(),
            Value::Object(fields) => fields.values().cloned().collect(),
            _ => Vec::new(),
        };
        in_order(&self.arguments).iter().map(in_order).collect()
    }

    /// The samples of this document: one for each repeat of its request, or one with all its continuations.
    fn asked(&self, task: &str, id: &str, about: &About) -> Vec<SampleRecord> {
        let requests = self.requests();
        let context = requests.first().and_then(|request| request.first()).map(python::text).unwrap_or_default();
        let likelihoods = self.likelihoods(&requests);
        let mut target = self.target.clone();
        if let (Some(index), false) =
            (target.as_str().and_then(|text| text.parse::<i64>().ok()), likelihoods.is_empty())
        {
            // The tool writes every target as a text; among continuations it is an index.
            target = index.into();
        }
        let is_whole_text = requests.first().is_some_and(|request| request.len() < 2) && !likelihoods.is_empty();
        let prompt = if is_whole_text { Vec::new() } else { conversation(&context) };
        let begin = |epoch: u32| {
            let mut record = SampleRecord::new(task, id, epoch, self.doc.clone(), prompt.clone(), target.clone());
            record.model.clone_from(&about.model);
            record.origin = Some(Origin { tool: "lm-eval".to_owned(), version: about.version.clone() });
            record
        };
        if !likelihoods.is_empty() {
            let mut record = begin(0);
            record.likelihoods = likelihoods;
            return vec![record];
        }
        let answers = match self.resps.first() {
            Some(Value::Array(answers)) => answers.clone(),
            Some(other) => vec![other.clone()],
            None => vec![Value::Null],
        };
        let with = |(epoch, answer): (u32, &Value)| {
            let mut record = begin(epoch);
            record.answer = if answer.is_null() { None } else { Some(python::text(answer)) };
            record
        };
        (0_u32..).zip(&answers).map(with).collect()
    }

    /// What was found out about each continuation; nothing where the task asked for an answer. A second round of the same
    /// continuations after an empty context tells how likely they are by themselves.
    fn likelihoods(&self, requests: &[Vec<Value>]) -> Vec<LikelihoodRecord> {
        let generates = requests.iter().any(|request| request.get(1).is_some_and(Value::is_object));
        if generates {
            return Vec::new();
        }
        let mut found: Vec<LikelihoodRecord> = Vec::new();
        for (request, response) in requests.iter().zip(&self.resps) {
            let mut response = response;
            while let Some(first) = response.get(0).filter(|first| first.is_array()) {
                response = first;
            }
            let (logprob, greedy) = match response {
                Value::Array(pair) => (pair.first(), pair.get(1)),
                single => (Some(single), None),
            };
            let Some(logprob) = logprob.and_then(number) else { return Vec::new() };
            let context = request.first().and_then(Value::as_str).unwrap_or_default();
            let text = request.get(1).map_or(context, |text| text.as_str().unwrap_or_default());
            let known =
                found.iter_mut().find(|likelihood| likelihood.text == text && likelihood.unconditional.is_none());
            match known {
                Some(likelihood) if context.is_empty() => likelihood.unconditional = finite(logprob),
                _ => found.push(LikelihoodRecord {
                    text: text.to_owned(),
                    logprob: finite(logprob),
                    tokens: 0,
                    greedy: greedy.map(|greedy| python::text(greedy) == "True"),
                    unconditional: None,
                }),
            }
        }
        found
    }

    /// Adds what this line's filter and metrics say.
    fn grade(&self, record: &mut SampleRecord, task: &str, about: &About) {
        let filter = self.filter.as_deref().unwrap_or("none");
        let named = self.metrics.clone().unwrap_or_else(|| {
            self.rest
                .iter()
                .filter(|(_, value)| number(value).is_some() || value.is_null())
                .map(|(name, _)| name.clone())
                .collect()
        });
        for metric in named {
            let value = self.rest.get(&metric).and_then(number).and_then(finite);
            let name = format!("{metric},{filter}");
            let higher_is_better = about.higher_is_better(task, &metric);
            match &mut record.verdict {
                Some(verdict) => {
                    let sub = SubScore { name, value, unit: String::new(), higher_is_better };
                    verdict.sub_scores.push(sub);
                }
                None => {
                    let mut verdict = foreign_verdict(name, about.version.clone().unwrap_or_default(), value);
                    if record.likelihoods.is_empty() {
                        verdict.extracted = self.filtered_resps.first().map(first_text);
                    }
                    record.verdict = Some(verdict);
                }
            }
        }
    }
}

/// The first text in a list of lists.
fn first_text(value: &Value) -> String {
    match value {
        Value::Array(values) => values.first().map(first_text).unwrap_or_default(),
        other => python::text(other),
    }
}

/// A number, or a text of one: the tool writes answers of any type as texts.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

/// A context is raw text, or a conversation as JSON where the tool applied a chat template of the engine's.
fn conversation(context: &str) -> Vec<MessageRecord> {
    let as_chat = || -> Option<Vec<MessageRecord>> {
        // The context was part of a line, so its values are held to what a line may take.
        let Ok(Value::Array(list)) = bench_json::value(context, &Budget::new(PROMPT_MEMORY)) else { return None };
        let all = !list.is_empty() && list.iter().all(|message| message.get("role").is_some_and(Value::is_string));
        all.then(|| list.iter().map(|message| messages::message(message, &|text| text).message).collect())
    };
    let chat = if context.starts_with('[') { as_chat() } else { None };
    chat.unwrap_or_else(|| vec![MessageRecord::new("user", context)])
}
