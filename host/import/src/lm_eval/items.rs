//! The items of a task, each with its finished prompt.

use bench_json::{Budget, cost_of_fields};
use serde_json::{Map, Value, json};

use super::Form;
use super::config::{Config, Yaml};
use super::prompt::{Doc, Shots, Words};
use crate::error::ImportError;
use crate::jinja::Templates;
use crate::rows::{Row, Table};
use bench_samples::python;

/// The items, and which parts of a prompt they have beside the question.
pub(super) struct Made {
    pub items: Vec<Map<String, Value>>,
    pub system: bool,
    pub prefix: bool,
}

/// Largest prompt, in bytes.
pub(super) const LARGEST_PROMPT: usize = 8 * 1024 * 1024;

/// Makes the items of a table.
pub(super) fn items(
    config: &Config,
    table: &Table,
    mut shots: Shots,
    form: Form,
    likelihood: bool,
    budget: &Budget,
) -> Result<Made, ImportError> {
    let templates = Templates::new();
    let maker = Maker {
        config,
        own: Words::of_task(config, &templates)?,
        examples: Words::of_examples(config, &templates)?,
        templates: &templates,
        form,
        likelihood,
    };
    let mut made = Made { items: Vec::new(), system: false, prefix: false };
    for (place, row) in table.rows.iter().enumerate() {
        if let Some(number) = &row.inexact {
            return Err(
                table.wrong(row, format!("the whole number {number} has more than 64 bits and would be changed"))
            );
        }
        let item = maker.item(place, &row.fields, &mut shots).map_err(|error| named(error, config, row))?;
        // A prompt may be far longer than its row. It is written to the suite and read again, as rows are.
        let more = cost_of_fields(&item).saturating_sub(cost_of_fields(&row.fields));
        budget.spend(more.saturating_mul(3)).map_err(ImportError::memory(format!("{}, {}", config.name, row.place)))?;
        made.system |= item.contains_key("system");
        made.prefix |= item.contains_key("prefix");
        made.items.push(item);
    }
    let odd = |has: bool, name: &str| has && made.items.iter().any(|item| !item.contains_key(name));
    for (has, name, key) in [(made.system, "system", "description"), (made.prefix, "prefix", "gen_prefix")] {
        if odd(has, name) {
            let what = format!("{}: {key}", config.name);
            return Err(ImportError::refused(what, "it is empty for some items and not for others"));
        }
    }
    Ok(made)
}

/// Says for which row a template failed.
fn named(error: ImportError, config: &Config, row: &Row) -> ImportError {
    match error {
        ImportError::Template { key, reason, .. } => {
            ImportError::Template { key: format!("{}: {key}", config.name), item: Some(row.place.clone()), reason }
        }
        other => other,
    }
}

/// Copies the field of an item's document to where a suite looks for it.
pub(super) fn lift(items: &mut [Map<String, Value>], field: &str) {
    for item in items {
        if let Some(value) = item.get("doc").and_then(|doc| doc.get(field)).cloned() {
            item.insert(field.to_owned(), value);
        }
    }
}

struct Maker<'m> {
    config: &'m Config,
    own: Words<'m>,
    examples: Words<'m>,
    templates: &'m Templates,
    form: Form,
    likelihood: bool,
}

impl Maker<'_> {
    fn item(&self, place: usize, doc: &Doc, shots: &mut Shots) -> Result<Map<String, Value>, ImportError> {
        let wrong = |key: &str, reason: String| ImportError::Template { key: key.to_owned(), item: None, reason };
        let description = self.description(doc)?;
        let examples = shots.before(doc, &self.examples)?;
        let question = self.own.text(doc)?;
        let choices = self.own.choices(doc)?;
        let target = self.target(doc, choices.as_deref())?;
        let prefix = self.own.prefix(doc)?;
        let mut item = Map::new();
        item.insert("id".to_owned(), json!(place));
        let prompt = match self.form {
            Form::Raw => {
                let begun = prefix.as_deref().map(|prefix| format!("{}{prefix}", self.own.before(&question, prefix)));
                format!("{description}{examples}{question}{}", begun.unwrap_or_default())
            }
            Form::Chat => {
                if !description.is_empty() {
                    item.insert("system".to_owned(), json!(description));
                }
                if let Some(prefix) = prefix {
                    item.insert("prefix".to_owned(), json!(prefix));
                }
                format!("{examples}{question}")
            }
        };
        if prompt.len() > LARGEST_PROMPT {
            return Err(wrong("doc_to_text", format!("the prompt has more than {LARGEST_PROMPT} bytes")));
        }
        item.insert("prompt".to_owned(), json!(prompt));
        item.insert("target".to_owned(), target);
        // Filters look for the choices that the document has, if the task has none of its own.
        let given = || {
            doc.get("choices")
                .filter(|choices| choices.as_array().is_some_and(|list| list.iter().all(Value::is_string)))
        };
        match choices {
            Some(choices) if self.likelihood && choices.len() < 2 => {
                return Err(wrong("doc_to_choice", format!("{} choices are none to choose from", choices.len())));
            }
            Some(choices) => drop(item.insert("choices".to_owned(), json!(choices))),
            None if self.likelihood => return Err(wrong("doc_to_choice", "it is missing".to_owned())),
            None => given().into_iter().for_each(|choices| drop(item.insert("choices".to_owned(), choices.clone()))),
        }
        item.insert("doc".to_owned(), Value::Object(doc.clone()));
        Ok(item)
    }

    fn description(&self, doc: &Doc) -> Result<String, ImportError> {
        let Some(Yaml::Text(template)) = self.config.yaml("description") else { return Ok(String::new()) };
        let rendered = match doc.get(template) {
            Some(Value::String(text)) => Ok(text.clone()),
            _ => self.templates.render(template, doc),
        };
        rendered.map_err(|reason| ImportError::Template { key: "description".to_owned(), item: None, reason })
    }

    /// The reference as the scorer takes it.
    fn target(&self, doc: &Doc, choices: Option<&[String]>) -> Result<Value, ImportError> {
        let wrong = |reason: String| ImportError::Template { key: "doc_to_target".to_owned(), item: None, reason };
        let target = self.own.target(doc)?;
        let is_place = |value: &Value| value.is_u64() || value.is_i64();
        if self.likelihood {
            return match &target {
                Value::Number(_) if is_place(&target) => Ok(target),
                Value::String(_) => Ok(target),
                Value::Array(list) if !list.is_empty() && list.iter().all(is_place) => Ok(target),
                other => Err(wrong(format!("{} is neither the place of a choice nor its text", python::text(other)))),
            };
        }
        match (target, choices) {
            (Value::Null, _) => Err(wrong("there is none".to_owned())),
            (Value::Number(place), Some(choices)) => {
                let found = place.as_u64().and_then(|place| choices.get(usize::try_from(place).ok()?));
                found.map(|text| json!(text)).ok_or_else(|| wrong(format!("{place} is the place of no choice")))
            }
            (Value::Array(list), _) if list.is_empty() => Err(wrong("the list of references is empty".to_owned())),
            (Value::Array(list), _) => Ok(Value::Array(list.iter().map(|text| json!(python::text(text))).collect())),
            (other, _) => Ok(json!(python::text(&other))),
        }
    }
}
