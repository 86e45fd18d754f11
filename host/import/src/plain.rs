//! Any data file with one row an item: the user says which field is what.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bench_suite::{FieldNames, Template};
use serde_json::{Map, Value};

use crate::draft::{Draft, Imported, Task};
use crate::error::ImportError;
use crate::options::{Options, kebab};
use crate::rows::{self, Row, Table};

/// What to make of a data file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plain {
    /// The file.
    pub file: PathBuf,
    /// Names that templates and scorers know fields by, with the fields of the file.
    pub fields: BTreeMap<String, String>,
    /// The field that tells items apart; by default `id`, or the row's number where no row has one.
    pub id: Option<String>,
    /// The field with the reference; none for scorers that need none.
    pub target: Option<String>,
    /// The field with the choices.
    pub choices: Option<String>,
    /// What the user says, a template; by default the field `question`, `input` or `prompt`.
    pub template: Option<String>,
    /// What the system says, a template.
    pub system: Option<String>,
    /// Who grades.
    pub scorer: String,
    /// Its configuration.
    pub config: Map<String, Value>,
    /// Most tokens of an answer.
    pub max_tokens: Option<u32>,
}

/// Makes a suite of a data file.
///
/// # Errors
/// Any [`ImportError`] but those about packages.
pub fn import(plain: &Plain, options: &Options) -> Result<Imported, ImportError> {
    let table = rows::read(&plain.file, &rows::import_budget())?;
    let stem = table.name.split('.').next().unwrap_or_default().to_owned();
    let name = options.name.clone().unwrap_or_else(|| kebab(&stem));
    let target = plain.target.clone().or_else(|| known(&table, &["target", "answer"]));
    let user = match &plain.template {
        Some(template) => template.clone(),
        None => {
            let renamed = |name: &&str| plain.fields.contains_key(*name);
            let usual = ["question", "input", "prompt"];
            let field = usual.into_iter().find(renamed).map(str::to_owned).or_else(|| known(&table, &usual));
            let field = field.ok_or_else(|| {
                let why = format!("no field is called question, input or prompt; there are {}", columns(&table));
                ImportError::option("--template", why, "write one, such as --template '{text}'")
            })?;
            format!("{{{field}}}")
        }
    };
    let mut task = Task::new(name.clone(), format!("{name}, from {}", table.name), &user, &plain.scorer);
    task.template.system.clone_from(&plain.system);
    task.config.clone_from(&plain.config);
    task.generation.max_tokens = plain.max_tokens.unwrap_or(task.generation.max_tokens);
    task.fields =
        FieldNames { target: target.unwrap_or_default(), choices: plain.choices.clone(), ..FieldNames::default() };
    if let Some((field, dates)) = options.dates(known(&table, &["date"]).as_deref())? {
        task.fields.date = Some(field);
        task.dates = Some(dates);
    }
    check_fields(&table, &task)?;
    for row in &table.rows {
        task.items.push(item(&table, row, plain)?);
    }
    identify(&table, &mut task, plain.id.as_deref())?;
    let title = format!("{name}, from {}", table.name);
    let source = format!("The file {}, SHA-256 {}.", table.name, table.sha256);
    // Rows are not kept beside the items and the suite that is made of them.
    drop(table);
    Draft { title, source, name, licence: None, licence_text: None, tasks: vec![task], notes: Vec::new() }
        .write(options)
}

fn columns(table: &Table) -> String {
    let names = table.rows.first().map(|row| row.fields.keys().cloned().collect::<Vec<_>>());
    names.unwrap_or_default().join(", ")
}

/// The first of these fields that the first row has.
pub(crate) fn known(table: &Table, names: &[&str]) -> Option<String> {
    let first = table.rows.first()?;
    names.iter().find(|name| first.fields.contains_key(**name)).map(|name| (*name).to_owned())
}

/// A template that cannot be read is the user's mistake, and named as such before a suite is blamed for it.
fn check_fields(table: &Table, task: &Task) -> Result<(), ImportError> {
    let texts = [("--template", Some(&task.template.user)), ("--system", task.template.system.as_ref())];
    for (what, text) in texts {
        let Some(text) = text else { continue };
        Template::parse(text).map_err(|error| ImportError::Option {
            what: what.to_owned(),
            why: error.to_string(),
            hint: error.hint(),
        })?;
    }
    if task.fields.target.is_empty() {
        let why = format!("no field is called target or answer; there are {}", columns(table));
        let hint = "name the field with --target, or the empty text where the scorer needs no reference";
        let needs_none = ["ifeval", "ifeval-fixed", "json-schema", "json-schema-fixed", "model-graded", "code-exec"];
        if !needs_none.contains(&task.scorer.as_str()) {
            return Err(ImportError::option("--target", why, hint));
        }
    }
    Ok(())
}

fn item(table: &Table, row: &Row, plain: &Plain) -> Result<Map<String, Value>, ImportError> {
    let mut item = row.fields.clone();
    for (name, field) in &plain.fields {
        let value = row.fields.get(field).ok_or_else(|| {
            let there = row.fields.keys().cloned().collect::<Vec<_>>().join(", ");
            table.wrong(row, format!("it has no field `{field}`; there are {there}"))
        })?;
        item.insert(name.clone(), value.clone());
    }
    if let Some(number) = &row.inexact {
        return Err(table.wrong(row, format!("the whole number {number} has more than 64 bits and would be changed")));
    }
    Ok(item)
}

/// Gives items their identifiers: those of a field, or their numbers where nobody names a field and no row has an `id`.
pub(crate) fn identify(table: &Table, task: &mut Task, field: Option<&str>) -> Result<(), ImportError> {
    if let Some(field) = field {
        task.fields.id = field.to_owned();
        return Ok(());
    }
    let with = task.items.iter().filter(|item| item.get("id").is_some_and(|id| !id.is_null())).count();
    if with == 0 {
        for (item, place) in task.items.iter_mut().zip(1_usize..) {
            item.insert("id".to_owned(), Value::from(place));
        }
        return Ok(());
    }
    let missing = task.items.iter().position(|item| item.get("id").is_none_or(Value::is_null));
    match missing.and_then(|place| table.rows.get(place)) {
        Some(row) => Err(table.wrong(row, "it has no `id`, and other rows have one")),
        None => Ok(()),
    }
}
