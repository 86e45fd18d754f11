//! The Berkeley function-calling leaderboard, version 4, out of the package `bfcl-eval`: a task for each category that one answer
//! decides and the scorer `function-call` grades.
//!
//! Descriptions of functions go to the backend's own interface for tools, or with [`Calls::Text`] into the system message, in words
//! of this program's own. The leaderboard adds a sentence on the language to each description and has its own system message, so a
//! score is near its number and not it; what is graded and how is the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bench_json::Budget;
use bench_suite::FieldNames;
use serde_json::{Map, Value, json};

use crate::dist;
use crate::draft::{Draft, Imported, Note, Task};
use crate::error::ImportError;
use crate::inspect::asked;
use crate::options::{Options, kebab};
use crate::places::locate;
use crate::rows::{self, Row, Table};
use crate::tree::{Tree, largest_file};

/// What to make of the package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bfcl {
    /// Where the package is: an environment, a folder, a wheel, or the folder of the data itself.
    pub from: Option<PathBuf>,
    /// Categories, as the leaderboard calls them; all that can be asked where none is named.
    pub categories: Vec<String>,
    /// How calls are made.
    pub calls: Calls,
}

/// How calls are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Calls {
    /// Through the backend's interface for tools.
    #[default]
    Tools,
    /// As text in the answer; the functions are described in the system message.
    Text,
}

/// Categories whose calls are Python's, and which one answer decides.
const PYTHON: [&str; 11] = [
    "simple_python",
    "multiple",
    "parallel",
    "parallel_multiple",
    "irrelevance",
    "live_simple",
    "live_multiple",
    "live_parallel",
    "live_parallel_multiple",
    "live_irrelevance",
    "live_relevance",
];

/// Those of other languages, whose calls are texts.
const FOREIGN: [(&str, &str); 2] = [("simple_java", "java"), ("simple_javascript", "javascript")];

/// Makes a suite of the package's data.
///
/// # Errors
/// Any [`ImportError`].
pub fn import(bfcl: &Bfcl, options: &Options) -> Result<Imported, ImportError> {
    let (tree, folder) = open(bfcl.from.as_deref())?;
    let (licence, licence_text, version) = dist::licence(&tree, "bfcl_eval");
    let categories: Vec<&str> = match bfcl.categories.as_slice() {
        [] if bfcl.calls == Calls::Text => PYTHON.into_iter().chain(FOREIGN.map(|(name, _)| name)).collect(),
        [] => PYTHON.to_vec(),
        named => named.iter().map(String::as_str).collect(),
    };
    let mut draft = Draft {
        name: "bfcl".to_owned(),
        title: "Calls of functions, from the Berkeley function-calling leaderboard".to_owned(),
        source: format!("The data of bfcl-eval{}.", version.map(|version| format!(" {version}")).unwrap_or_default()),
        licence,
        licence_text,
        tasks: Vec::new(),
        notes: vec![Note::new(
            "own-wording",
            "The leaderboard words its prompts otherwise, so scores are near its own and not the same.",
        )],
    };
    if options.window.is_some() {
        return Err(ImportError::option("--after, --before", "the items have no dates", "leave it out"));
    }
    let budget = rows::import_budget();
    for category in &categories {
        draft.tasks.extend(tasks(&tree, &folder, category, bfcl.calls, &budget, &mut draft.notes)?);
    }
    if bfcl.categories.is_empty() {
        let known = |name: &String| categories.contains(&name.as_str());
        let left: Vec<String> = there(&tree, &folder)?.into_iter().filter(|name| !known(name)).collect();
        for name in left {
            let why = reason(&name, bfcl.calls).unwrap_or_else(|| "it is not known".to_owned());
            draft.notes.push(Note::new("category-left-out", format!("The category {name} is left out: {why}.")));
        }
    }
    draft.write(options)
}

/// The tree, and the folder in it that has the data.
fn open(from: Option<&Path>) -> Result<(Tree, String), ImportError> {
    if let Some(from) = from.filter(|from| from.is_dir()) {
        let own = Tree::folder(from)?;
        for folder in ["", "data"] {
            if own.has(&path(folder, &file_of("simple_python"))) {
                return Ok((own, folder.to_owned()));
            }
        }
    }
    Ok((locate("bfcl_eval", from)?, "bfcl_eval/data".to_owned()))
}

fn file_of(category: &str) -> String {
    format!("BFCL_v4_{category}.json")
}

fn path(folder: &str, file: &str) -> String {
    if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") }
}

/// The categories that there are.
fn there(tree: &Tree, folder: &str) -> Result<Vec<String>, ImportError> {
    let begin = path(folder, "BFCL_v4_");
    let files = tree.files(folder)?;
    let name = |file: &String| Some(file.strip_prefix(&begin)?.strip_suffix(".json")?.to_owned());
    Ok(files.iter().filter_map(name).filter(|name| !name.contains('/')).collect())
}

/// Why a category cannot be asked.
fn reason(category: &str, calls: Calls) -> Option<String> {
    let has = |word| category.contains(word);
    let why = match () {
        () if PYTHON.contains(&category) => return None,
        () if FOREIGN.iter().any(|(name, _)| *name == category) => {
            if calls == Calls::Text {
                return None;
            }
            "its arguments are written in another language, which a call of a tool has no form for"
        }
        () if has("multi_turn") => "its functions are simulated programs that run between the turns",
        () if has("memory") => "it needs a memory that the model writes and reads between conversations",
        () if has("web_search") => "it needs a search of the web",
        () if has("format_sensitivity") => {
            "it asks items of other categories in other formats; a task's `formats` do that"
        }
        () => return Some("there is no such category that one answer decides".to_owned()),
    };
    Some(why.to_owned())
}

/// The tasks of a category: items with a system message of their own are asked by another template than those without.
fn tasks(
    tree: &Tree,
    folder: &str,
    category: &str,
    calls: Calls,
    budget: &Budget,
    notes: &mut Vec<Note>,
) -> Result<Vec<Task>, ImportError> {
    if let Some(why) = reason(category, calls) {
        let hint = if why.contains("another language") {
            "ask for calls as text with --calls text".to_owned()
        } else {
            format!("categories that can be asked are {}", PYTHON.join(", "))
        };
        return Err(ImportError::refused_unless(format!("the category {category}"), why, hint));
    }
    let read = |file: &str| rows::parse(file, tree.read(file, largest_file())?, budget);
    let table = read(&path(folder, &file_of(category)))?;
    let judged = !category.contains("relevance");
    let answers = if judged {
        answers(&read(&path(folder, &format!("possible_answer/{}", file_of(category))))?)?
    } else {
        BTreeMap::new()
    };
    let language = FOREIGN.iter().find(|(name, _)| *name == category).map_or("python", |(_, language)| language);
    let mut plain = task(category, language, calls, judged, false);
    let mut with_system = task(category, language, calls, judged, true);
    for row in &table.rows {
        match item(&table, row, category, &answers, judged)? {
            Ok((item, false)) => plain.items.push(item),
            Ok((item, true)) => with_system.items.push(item),
            Err(why) => {
                let id = row.fields.get("id").and_then(Value::as_str).unwrap_or(&row.place);
                notes.push(Note::new("item-left-out", format!("{id} is left out: {why}.")));
            }
        }
    }
    Ok([plain, with_system].into_iter().filter(|task| !task.items.is_empty()).collect())
}

fn answers(table: &Table) -> Result<BTreeMap<String, Value>, ImportError> {
    let mut answers = BTreeMap::new();
    for row in &table.rows {
        let id = row.fields.get("id").and_then(Value::as_str).ok_or_else(|| table.wrong(row, "it has no `id`"))?;
        let truth = row.fields.get("ground_truth").filter(|truth| truth.is_array());
        let truth = truth.ok_or_else(|| table.wrong(row, "`ground_truth` is no list"))?;
        if answers.insert(id.to_owned(), truth.clone()).is_some() {
            return Err(table.wrong(row, format!("the answer to {id} is there twice")));
        }
    }
    Ok(answers)
}

fn task(category: &str, language: &str, calls: Calls, judged: bool, has_system: bool) -> Task {
    let suffix = if has_system { "-system" } else { "" };
    let mut task =
        Task::new(format!("{}{suffix}", kebab(category)), format!("BFCL: {category}"), "{prompt}", "function-call");
    task.fields = FieldNames {
        target: if judged { "ground_truth".to_owned() } else { String::new() },
        tools: (calls == Calls::Tools).then(|| "tools".to_owned()),
        ..FieldNames::default()
    };
    task.config.insert("functions".to_owned(), json!("function"));
    match calls {
        Calls::Tools => {
            task.template.system = has_system.then(|| "{system}".to_owned());
            task.config.insert("underscores".to_owned(), json!(true));
        }
        Calls::Text => {
            let example = match language {
                "python" => {
                    "a list of calls in Python and nothing else, such as [name(argument=1), other(text='a')]".to_owned()
                }
                other => format!("a list of calls in {other} and nothing else, such as [name(argument=1)]"),
            };
            let described = format!(
                "You can call these functions:\n{{function|json}}\n\nAnswer with {example}. If none of them is of use, say so in a sentence."
            );
            task.template.system = Some(if has_system { format!("{{system}}\n\n{described}") } else { described });
            task.config.insert("source".to_owned(), json!("text"));
            task.config.insert("format".to_owned(), json!(language));
        }
    }
    task
}

/// An item and whether it has a system message; or why it cannot be asked.
#[expect(clippy::type_complexity, reason = "the inner result is an item that is left out, the outer one a broken file")]
fn item(
    table: &Table,
    row: &Row,
    category: &str,
    answers: &BTreeMap<String, Value>,
    judged: bool,
) -> Result<Result<(Map<String, Value>, bool), String>, ImportError> {
    let id = row.fields.get("id").and_then(Value::as_str).ok_or_else(|| table.wrong(row, "it has no `id`"))?;
    if let Some(number) = &row.inexact {
        return Ok(Err(format!("the whole number {number} has more than 64 bits and would be changed")));
    }
    let turns = row.fields.get("question").and_then(Value::as_array);
    let turns = turns.ok_or_else(|| table.wrong(row, "`question` is no list of turns"))?;
    let [Value::Array(messages)] = turns.as_slice() else {
        return Ok(Err(format!("it has {} turns", turns.len())));
    };
    let (system, prompt) = match asked(messages) {
        Ok(asked) => asked,
        Err(why) => return Ok(Err(why)),
    };
    let functions = row.fields.get("function").and_then(Value::as_array);
    let functions = functions.ok_or_else(|| table.wrong(row, "`function` is no list"))?;
    let mut item = Map::new();
    item.insert("id".to_owned(), json!(id));
    item.insert("category".to_owned(), json!(category));
    item.insert("prompt".to_owned(), json!(prompt));
    item.insert("function".to_owned(), Value::Array(functions.clone()));
    item.insert("tools".to_owned(), Value::Array(functions.iter().map(offered).collect()));
    if judged {
        let truth = answers.get(id).ok_or_else(|| table.wrong(row, format!("there is no answer to {id}")))?;
        item.insert("ground_truth".to_owned(), truth.clone());
    }
    let has_system = system.is_some();
    if let Some(system) = system {
        item.insert("system".to_owned(), json!(system));
    }
    Ok(Ok((item, has_system)))
}

/// A function as backends take it, whose names have no dots.
fn offered(function: &Value) -> Value {
    let mut function = function.clone();
    if let Some(Value::String(name)) = function.get_mut("name") {
        *name = name.replace('.', "_");
    }
    function
}
