//! Tasks of lm-eval: a YAML file, or a name in the installed package, with local data.
//!
//! A task's templates are programs of Jinja over the rows of a data set, more than a suite's templates can say, and its examples are
//! drawn by Python's generator of random numbers. So prompts are finished here, with the same examples in the same order, and an
//! item carries its own: the suite's template is `{prompt}`. What a task says that has no counterpart is refused by its name.

mod config;
mod items;
mod prompt;
mod scoring;

use std::path::{Path, PathBuf};

use bench_json::{Budget, cost_of_fields};
use bench_suite::{FieldNames, TaskKind};
use serde_json::Value;

use crate::draft::{Draft, Imported, Note, Task};
use crate::error::ImportError;
use crate::options::{Options, kebab};
use crate::rows::{self, Table};

use config::Config;

/// What to make of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LmEval {
    /// A YAML file, or the name of a task in the package.
    pub task: String,
    /// Where the package is: an environment, a folder or a wheel.
    pub from: Option<PathBuf>,
    /// The items, where the task names no local files.
    pub data: Option<PathBuf>,
    /// The examples, where the task names no local files.
    pub few_shot_data: Option<PathBuf>,
    /// Examples before each question, if not as many as the task says.
    pub few_shot: Option<usize>,
    /// The metric, where the task has several that do not go together.
    pub metric: Option<String>,
    /// The filter whose text is graded, where the task has several.
    pub filter: Option<String>,
    /// How prompts are sent.
    pub form: Form,
}

/// How prompts are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// As raw text, as lm-eval does where it applies no chat template.
    #[default]
    Raw,
    /// As one message of the user's, as lm-eval does where it applies one and examples are no turns of their own.
    Chat,
}

/// Makes a suite of a task.
///
/// # Errors
/// Any [`ImportError`].
pub fn import(wanted: &LmEval, options: &Options) -> Result<Imported, ImportError> {
    let config = Config::load(&wanted.task, wanted.from.as_deref())?;
    let mut notes = Vec::new();
    let kind = config.text("output_type")?.unwrap_or_else(|| "generate_until".to_owned());
    let likelihood = match kind.as_str() {
        "generate_until" => false,
        "multiple_choice" => true,
        other => {
            let why = match other {
                "loglikelihood" => "the likelihood of one continuation is no choice between several",
                "loglikelihood_rolling" => "the likelihood of whole documents is not asked for",
                _ => "there is no such output type",
            };
            return Err(ImportError::refused(format!("{}: output_type {other}", config.name), why));
        }
    };
    if likelihood && wanted.form == Form::Chat {
        return Err(ImportError::option("--chat", "likelihoods are those of raw text", "leave it out"));
    }
    let grading = scoring::grading(&config, likelihood, wanted, &mut notes)?;
    let budget = rows::import_budget();
    let eval = data(&config, wanted, Part::Items, &budget)?;
    let count = match wanted.few_shot {
        Some(count) => count,
        None => config.count("num_fewshot")?.unwrap_or(0),
    };
    let shots = prompt::Shots::new(&config, count, |split| match split {
        split if split == eval.split => {
            let pool = eval.table.rows.iter().map(|row| {
                budget.spend(cost_of_fields(&row.fields)).map_err(ImportError::memory(&*eval.table.name))?;
                Ok(row.fields.clone())
            });
            pool.collect()
        }
        _ => Ok(data(&config, wanted, Part::Examples, &budget)?.table.rows.into_iter().map(|row| row.fields).collect()),
    })?;
    let name = options.name.clone().unwrap_or_else(|| kebab(&config.name));
    let mut task = Task::new(name.clone(), format!("{} of lm-eval", config.name), "{prompt}", &grading.scorer);
    task.config = grading.config;
    task.kind = if likelihood { TaskKind::Loglikelihood } else { TaskKind::Generate };
    task.repeats = Some(1);
    task.fields = FieldNames { choices: likelihood.then(|| "choices".to_owned()), ..FieldNames::default() };
    task.template.raw = wanted.form == Form::Raw;
    if likelihood {
        task.template.delimiter = config.text("target_delimiter")?.unwrap_or_else(|| " ".to_owned());
        task.config.insert("target-delimiter".to_owned(), Value::String(task.template.delimiter.clone()));
    } else {
        task.generation = scoring::generation(&config)?;
    }
    if let Some((field, dates)) = options.dates(None)? {
        task.fields.date = Some(field);
        task.dates = Some(dates);
    }
    let made = items::items(&config, &eval.table, shots, wanted.form, likelihood, &budget)?;
    if made.system {
        task.template.system = Some("{system}".to_owned());
    }
    if made.prefix {
        task.template.assistant_prefix = Some("{prefix}".to_owned());
    }
    task.items = made.items;
    if let Some(field) = task.fields.date.clone() {
        items::lift(&mut task.items, &field);
    }
    let version = config.yaml("metadata").and_then(|metadata| metadata.get("version")).and_then(|v| v.json().ok());
    let version = version.map(|version| format!(", version {version}")).unwrap_or_default();
    let source = format!(
        "The task {}{version} of lm-eval over {}, SHA-256 {}{}.",
        config.name,
        eval.table.name,
        eval.table.sha256,
        config.text("dataset_path")?.map(|path| format!("; its data set is called {path}")).unwrap_or_default()
    );
    if count > 0 {
        notes.push(Note::new("examples", format!("Each prompt has {count} examples in it, those that lm-eval draws.")));
    }
    Draft {
        title: format!("{} of lm-eval", config.name),
        source,
        name,
        licence: None,
        licence_text: None,
        tasks: vec![task],
        notes,
    }
    .write(options)
}

/// Which rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Items,
    Examples,
}

/// Rows with the split that they are.
struct Data {
    table: Table,
    split: String,
}

/// The rows of the split that is evaluated, or of the one that examples are drawn from.
fn data(config: &Config, wanted: &LmEval, part: Part, budget: &Budget) -> Result<Data, ImportError> {
    let eval_split =
        config.text("test_split")?.or(config.text("validation_split")?).unwrap_or_else(|| "test".to_owned());
    let (split, given, option) = match part {
        Part::Items => (eval_split, wanted.data.as_deref(), "--data"),
        Part::Examples => (config.example_split()?, wanted.few_shot_data.as_deref(), "--few-shot-data"),
    };
    if let Some(path) = given {
        return Ok(Data { table: rows::read(path, budget)?, split });
    }
    let missing = |why: String| {
        ImportError::option(option, why, format!("name a JSON, CSV or Parquet file with the rows of `{split}`"))
    };
    let path = config.text("dataset_path")?.unwrap_or_default();
    if !["json", "csv", "parquet"].contains(&path.as_str()) {
        let part = config.text("dataset_name")?.map(|name| format!(" ({name})")).unwrap_or_default();
        return Err(missing(format!(
            "the task reads the split `{split}` of the data set {path}{part}, which is no local file"
        )));
    }
    let files = config.yaml("dataset_kwargs").and_then(|kwargs| kwargs.get("data_files"));
    let files = files.map(config::Yaml::json).transpose().map_err(|name| config.function("dataset_kwargs", &name))?;
    let file = match files {
        // A file without the name of its split is the training data, to `datasets`.
        Some(Value::String(file)) if split == "train" => Some(file),
        Some(Value::Object(splits)) => match splits.get(&split) {
            Some(Value::String(file)) => Some(file.clone()),
            Some(Value::Array(list)) => match list.as_slice() {
                [Value::String(file)] => Some(file.clone()),
                _ => return Err(missing(format!("the split `{split}` has several files"))),
            },
            _ => None,
        },
        _ => None,
    };
    let file = file.ok_or_else(|| missing(format!("the task names no file for the split `{split}`")))?;
    Ok(Data { table: config.rows(Path::new(&file), budget)?, split })
}
