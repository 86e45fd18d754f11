//! Data sets in the shape of inspect's samples, and inspect's logs as a source of items: `input`, `choices`, `target`, `id` and
//! `metadata`.
//!
//! What a sample's `input` says is asked as it is. For choices there is a wording of this program's own, which asks for the line that
//! the scorer `choice` looks for; inspect's own wordings belong to its solvers, and a data set does not say which of them it is for.

use std::path::PathBuf;

use bench_json::{Budget, JsonError};
use bench_samples::{Limits, import::Format, import::import as import_log};
use bench_suite::{Digest, FieldNames, TemplateEntry};
use serde_json::{Map, Value};

use crate::draft::{Draft, Imported, Note, Task};
use crate::error::ImportError;
use crate::options::{Options, kebab};
use crate::plain::identify;
use crate::rows::{self, Row, Table};
use crate::tree::{largest_file, name_of, read_file};

/// What to make of a data set or log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inspect {
    /// The data set, or a log: `.eval`, or `.json` with `eval` and `samples`.
    pub file: PathBuf,
    /// Who grades, by the name that inspect's scorers have: `match`, `includes`, `answer`, `pattern`, `choice` and others.
    pub scorer: String,
    /// Its configuration.
    pub config: Map<String, Value>,
    /// What the user says, a template over `input` and `choices`.
    pub template: Option<String>,
    /// Most tokens of an answer.
    pub max_tokens: Option<u32>,
}

/// What is asked where there are choices.
const CHOICES: &str = "{input}\n\n{choices|letters}\n\nThink step by step if you like. End with a line that says ANSWER: and then the \
                       letter of the right choice.";

/// Parts of a sample that have no counterpart here, since nothing but a question is asked.
const REFUSED: [&str; 3] = ["sandbox", "files", "setup"];

/// Makes a suite of a data set or a log.
///
/// # Errors
/// Any [`ImportError`] but those about packages.
pub fn import(inspect: &Inspect, options: &Options) -> Result<Imported, ImportError> {
    let mut notes = Vec::new();
    let budget = rows::import_budget();
    let table = match logged(inspect, &budget, &mut notes)? {
        Some(table) => table,
        None => rows::read(&inspect.file, &budget)?,
    };
    let name = options.name.clone().unwrap_or_else(|| kebab(table.name.split('.').next().unwrap_or_default()));
    let items = table.rows.iter().map(|row| item(&table, row)).collect::<Result<Vec<_>, _>>()?;
    let choices = all_have_choices(&table, &items)?;
    let user = inspect.template.as_deref().unwrap_or(if choices { CHOICES } else { "{input}" });
    if inspect.scorer == "choice" && !choices {
        return Err(ImportError::refused("the scorer choice", "the items have no choices"));
    }
    let mut all = Task::new(name.clone(), format!("{name}, from {}", table.name), user, &inspect.scorer);
    all.config.clone_from(&inspect.config);
    all.generation.max_tokens = inspect.max_tokens.unwrap_or(all.generation.max_tokens);
    all.fields = FieldNames { choices: choices.then(|| "choices".to_owned()), ..FieldNames::default() };
    if let Some((field, dates)) = options.dates(None)? {
        all.fields.date = Some(field);
        all.dates = Some(dates);
    }
    all.items = items;
    identify(&table, &mut all, None)?;
    let tasks = by_system(all, &name);
    let title = format!("{name}, from {}", table.name);
    let source = format!("The file {}, SHA-256 {}.", table.name, table.sha256);
    // Rows are not kept beside the items and the suite that is made of them.
    drop(table);
    Draft { title, source, name, licence: None, licence_text: None, tasks, notes }.write(options)
}

/// The items of a log; nothing where the file is none.
fn logged(inspect: &Inspect, budget: &Budget, notes: &mut Vec<Note>) -> Result<Option<Table>, ImportError> {
    let path = &inspect.file;
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if !["eval", "json"].contains(&ending) {
        return Ok(None);
    }
    let bytes = read_file(path, largest_file())?;
    let sha256 = Digest::of(&bytes).to_string();
    if ending == "json" {
        let text = std::str::from_utf8(&bytes);
        let text = text.map_err(|error| ImportError::unreadable(&name_of(path), error))?;
        let log = match bench_json::object(text, &Budget::default()) {
            Ok(log) => Some(log),
            Err(JsonError::OverBudget(error)) => return Err(ImportError::memory(name_of(path))(error)),
            Err(JsonError::Syntax(_)) => None,
        };
        let is_log = log.is_some_and(|log| ["version", "eval", "samples"].iter().all(|key| log.contains_key(*key)));
        if !is_log {
            return Ok(None);
        }
    }
    drop(bytes);
    // Items are spent as rows are, so the samples may take a third of what rows may.
    let memory = budget.left() / 3;
    let limits = Limits { lines: bench_suite::MOST_ITEMS as u64, memory, ..Limits::default() };
    let found = import_log(path, limits)?;
    let name = name_of(path);
    if found.format != Format::Inspect {
        return Err(ImportError::unreadable(&name, "it is a log of another tool than inspect"));
    }
    notes.extend(found.notes.into_iter().map(|note| Note::new(note.code, note.message)));
    let mut rows = Vec::new();
    // Repeats of an item are the same item.
    let mut seen = std::collections::BTreeSet::new();
    for record in found.records {
        if !seen.insert(record.id.clone()) {
            continue;
        }
        let messages =
            record.prompt.iter().map(|message| serde_json::json!({ "role": message.role, "content": message.content }));
        let mut fields = Map::new();
        fields.insert("input".to_owned(), Value::Array(messages.collect()));
        if let Some(choices) = record.document.get("choices").filter(|choices| !choices.is_null()) {
            fields.insert("choices".to_owned(), choices.clone());
        }
        let place = format!("sample {}", record.id);
        fields.insert("id".to_owned(), Value::String(record.id));
        fields.insert("target".to_owned(), record.target);
        rows.push(Row { place, fields, inexact: None });
    }
    if rows.is_empty() {
        return Err(ImportError::Empty { name });
    }
    Ok(Some(Table { name, sha256, rows }))
}

fn item(table: &Table, row: &Row) -> Result<Map<String, Value>, ImportError> {
    let wrong = |reason: &str| table.wrong(row, reason);
    if let Some(number) = &row.inexact {
        return Err(table.wrong(row, format!("the whole number {number} has more than 64 bits and would be changed")));
    }
    let given = |field: &str| row.fields.get(field).filter(|value| !value.is_null() && value.as_str() != Some(""));
    if let Some(part) = REFUSED.into_iter().find(|part| given(part).is_some()) {
        return Err(table.wrong(row, format!("`{part}` has no counterpart here: nothing runs beside the model")));
    }
    let (system, input) = match given("input") {
        Some(Value::String(text)) => (None, text.clone()),
        Some(Value::Array(messages)) => asked(messages).map_err(|reason| table.wrong(row, reason))?,
        Some(_) => return Err(wrong("`input` is neither a text nor a list of messages")),
        None => return Err(wrong("it has no `input`")),
    };
    let target = match given("target") {
        Some(Value::String(text)) => Value::String(text.clone()),
        Some(Value::Number(number)) => Value::String(number.to_string()),
        Some(Value::Array(list)) if !list.is_empty() && list.iter().all(Value::is_string) => Value::Array(list.clone()),
        Some(_) => return Err(wrong("`target` is neither a text nor a list of texts")),
        None => Value::String(String::new()),
    };
    let mut item = Map::new();
    // What a sample says of itself is its fields, as far as they are not called as the others are.
    if let Some(Value::Object(metadata)) = given("metadata") {
        item.extend(metadata.clone());
    }
    for name in ["id", "choices", "system"] {
        item.remove(name);
    }
    if let Some(choices) = given("choices") {
        let texts = choices.as_array().is_some_and(|list| list.len() >= 2 && list.iter().all(Value::is_string));
        if !texts {
            return Err(wrong("`choices` is no list of two texts or more"));
        }
        item.insert("choices".to_owned(), choices.clone());
    }
    if let Some(id) = given("id") {
        item.insert("id".to_owned(), id.clone());
    }
    if let Some(system) = system {
        item.insert("system".to_owned(), Value::String(system));
    }
    item.insert("input".to_owned(), Value::String(input));
    item.insert("target".to_owned(), target);
    Ok(item)
}

/// What the system and the user say, where that is all that is said.
pub(crate) fn asked(messages: &[Value]) -> Result<(Option<String>, String), String> {
    let mut said = Vec::new();
    for message in messages {
        let role = message.get("role").and_then(Value::as_str).ok_or("a message without a role")?;
        let content = match message.get("content") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(parts)) => texts(parts).ok_or("a message with something else than text")?,
            _ => return Err("a message without text".to_owned()),
        };
        said.push((role, content));
    }
    let roles: Vec<&str> = said.iter().map(|(role, _)| *role).collect();
    match (roles.as_slice(), said.as_slice()) {
        (["user"], [(_, user)]) => Ok((None, user.clone())),
        (["system", "user"], [(_, system), (_, user)]) => Ok((Some(system.clone()), user.clone())),
        _ => Err(format!(
            "its messages are by {:.200}: only a question, with or without a system message, can be asked",
            roles.join(", ")
        )),
    }
}

fn texts(parts: &[Value]) -> Option<String> {
    let text = |part: &Value| {
        (part.get("type")?.as_str()? == "text").then(|| part.get("text")?.as_str().map(str::to_owned))?
    };
    parts.iter().map(text).collect::<Option<Vec<_>>>().map(|texts| texts.join("\n"))
}

/// Whether all items have choices, or none; one template asks them all.
fn all_have_choices(table: &Table, items: &[Map<String, Value>]) -> Result<bool, ImportError> {
    let with = items.iter().filter(|item| item.contains_key("choices")).count();
    if with == 0 || with == items.len() {
        return Ok(with > 0);
    }
    let odd = items.iter().position(|item| !item.contains_key("choices")).and_then(|place| table.rows.get(place));
    match odd {
        Some(row) => Err(table.wrong(row, "it has no list of choices, and other items have one: import them apart")),
        None => Ok(true),
    }
}

/// Items with a system message of their own are asked by another template than those without, so they are a task of their own.
fn by_system(mut all: Task, name: &str) -> Vec<Task> {
    let items = std::mem::take(&mut all.items);
    let (with, without): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| item.contains_key("system"));
    let some_without = !without.is_empty();
    let mut tasks = Vec::new();
    if some_without {
        tasks.push(Task { items: without, ..all.clone() });
    }
    if !with.is_empty() {
        let name = if some_without { format!("{name}-system") } else { name.to_owned() };
        let template = TemplateEntry { system: Some("{system}".to_owned()), ..all.template.clone() };
        tasks.push(Task { name, template, items: with, ..all });
    }
    tasks
}
