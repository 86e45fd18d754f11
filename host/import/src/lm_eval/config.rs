//! The YAML of a task with everything that it includes.

use std::collections::BTreeSet;
use std::path::Path;

use bench_json::Budget;
use serde_json::Value;

use crate::error::ImportError;
use crate::places::locate;
use crate::rows::{self, Table};
use crate::tree::{Tree, beside, largest_file, name_of};
pub(super) use crate::yaml::Yaml;
use crate::yaml::parse;

/// Largest YAML file, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Most files that include one another.
const MOST_INCLUDES: usize = 32;

/// Most bytes of the values of all files that include one another.
const MOST_INCLUDED: u64 = 48 << 20;

/// Where the package keeps its tasks.
const TASKS: &str = "lm_eval/tasks";

/// Keys that say nothing about what is asked and how it is graded, or that are looked at elsewhere.
const KNOWN: [&str; 36] = [
    "task",
    "task_alias",
    "tag",
    "metadata",
    "dataset_path",
    "dataset_name",
    "dataset_kwargs",
    "training_split",
    "validation_split",
    "test_split",
    "fewshot_split",
    "fewshot_config",
    "num_fewshot",
    "output_type",
    "description",
    "doc_to_text",
    "doc_to_target",
    "doc_to_choice",
    "gen_prefix",
    "target_delimiter",
    "fewshot_delimiter",
    "generation_kwargs",
    "filter_list",
    "metric_list",
    "repeats",
    "should_decontaminate",
    "doc_to_decontamination_query",
    "unsafe_code",
    // Refused where they are set, see `Config::check`.
    "process_docs",
    "process_results",
    "custom_dataset",
    "doc_to_image",
    "doc_to_audio",
    "use_prompt",
    "group_alias",
    "include",
];

/// Keys whose value has no counterpart, and why.
const REFUSED: [(&str, &str); 6] = [
    ("process_docs", "it changes the rows by a program"),
    ("process_results", "it grades by a program"),
    ("custom_dataset", "it makes the rows by a program"),
    ("doc_to_image", "prompts are text"),
    ("doc_to_audio", "prompts are text"),
    ("use_prompt", "it takes a prompt of another library"),
];

/// Keys of `fewshot_config` that are looked at.
const FEW_SHOT: [&str; 9] = [
    "sampler",
    "split",
    "samples",
    "doc_to_text",
    "doc_to_target",
    "doc_to_choice",
    "fewshot_delimiter",
    "target_delimiter",
    "gen_prefix",
];

/// A task as its YAML has it.
pub(super) struct Config {
    /// The task's name.
    pub name: String,
    keys: Vec<(String, Yaml)>,
    tree: Tree,
    /// The folder of the YAML in the tree.
    folder: String,
}

impl Config {
    /// Reads a task: from a file, if there is one of that name, or by its name in the package.
    pub fn load(task: &str, from: Option<&Path>) -> Result<Self, ImportError> {
        let path = Path::new(task);
        let is_file = ["yaml", "yml"].iter().any(|ending| path.extension().is_some_and(|found| found == *ending));
        let (tree, file) = if is_file || path.is_file() {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            (Tree::folder(folder)?, name_of(path))
        } else {
            let tree = locate("lm_eval", from)?;
            let file = named(&tree, task)?;
            (tree, file)
        };
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let mut seen = BTreeSet::new();
        let keys = merged(&tree, &file, &mut seen, &mut { MOST_INCLUDED })?;
        let mut config = Self { name: String::new(), keys, tree, folder };
        config.check(&file)?;
        Ok(config)
    }

    fn check(&mut self, file: &str) -> Result<(), ImportError> {
        if let Some(group) = self.yaml("group").filter(|value| **value != Yaml::Null) {
            let name = group.json().map(|name| name.as_str().unwrap_or_default().to_owned()).unwrap_or_default();
            let of = match self.yaml("task").and_then(|tasks| tasks.json().ok()) {
                Some(Value::Array(tasks)) => tasks.iter().map(title).collect::<Vec<_>>().join(", "),
                _ => String::new(),
            };
            let hint = format!("import its tasks one by one: {of}");
            return Err(ImportError::refused_unless(format!("{file}: the group {name}"), "it is several tasks", hint));
        }
        self.name = match self.yaml("task") {
            Some(Yaml::Text(name)) => name.clone(),
            Some(Yaml::List(_)) => return Err(ImportError::refused(format!("{file}: task"), "it is several tasks")),
            _ => return Err(ImportError::unreadable(file, "it names no `task`")),
        };
        for (key, value) in &self.keys {
            let what = || format!("{}: {key}", self.name);
            if !KNOWN.contains(&key.as_str()) {
                return Err(ImportError::refused(what(), "it is no key of a task that is known here"));
            }
            let refused = REFUSED.iter().find(|(name, _)| name == key);
            match (value.function(), refused) {
                (Some(name), Some((_, why))) => {
                    return Err(ImportError::refused(format!("{}: !function {name}", what()), *why));
                }
                (Some(name), None) => return Err(self.function(key, name)),
                (None, Some((_, why))) if *value != Yaml::Null => return Err(ImportError::refused(what(), *why)),
                _ => {}
            }
        }
        let Some(Yaml::Map(pairs)) = self.yaml("fewshot_config") else { return Ok(()) };
        let unknown = pairs.iter().find(|(key, value)| *value != Yaml::Null && !FEW_SHOT.contains(&key.as_str()));
        match unknown {
            Some((key, _)) => {
                let what = format!("{}: fewshot_config.{key}", self.name);
                Err(ImportError::refused(what, "it is not known here"))
            }
            None => Ok(()),
        }
    }

    /// A function that the task would run.
    pub fn function(&self, key: &str, name: &str) -> ImportError {
        ImportError::refused(
            format!("{}: {key}: !function {name}", self.name),
            "it is a program in Python, and none is run",
        )
    }

    /// The value of a key.
    pub fn yaml(&self, key: &str) -> Option<&Yaml> {
        self.keys.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The text of a key; nothing where it is absent or null.
    pub fn text(&self, key: &str) -> Result<Option<String>, ImportError> {
        self.text_in(self.yaml(key), key)
    }

    /// The text of a key of `fewshot_config`.
    pub fn few_shot(&self, key: &str) -> Result<Option<String>, ImportError> {
        self.text_in(self.yaml("fewshot_config").and_then(|config| config.get(key)), key)
    }

    fn text_in(&self, value: Option<&Yaml>, key: &str) -> Result<Option<String>, ImportError> {
        match value {
            None | Some(Yaml::Null) => Ok(None),
            Some(Yaml::Text(text)) => Ok(Some(text.clone())),
            // A name such as 2024 is a number to YAML.
            Some(Yaml::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(ImportError::refused(format!("{}: {key}", self.name), "it is no text")),
        }
    }

    /// The whole number of a key.
    pub fn count(&self, key: &str) -> Result<Option<usize>, ImportError> {
        let wrong = || ImportError::refused(format!("{}: {key}", self.name), "it is no whole number");
        match self.yaml(key) {
            None | Some(Yaml::Null) => Ok(None),
            Some(Yaml::Number(number)) => {
                let count = number.as_u64().and_then(|count| usize::try_from(count).ok());
                count.map(Some).ok_or_else(wrong)
            }
            Some(_) => Err(wrong()),
        }
    }

    /// The split that the task names for its examples.
    pub fn named_split(&self) -> Result<Option<String>, ImportError> {
        Ok(self.few_shot("split")?.or(self.text("fewshot_split")?))
    }

    /// The split that examples are drawn from.
    pub fn example_split(&self) -> Result<String, ImportError> {
        let usual = || Ok(self.text("training_split")?.or(self.text("validation_split")?).or(self.text("test_split")?));
        let split = self.named_split()?.map_or_else(usual, |split| Ok::<_, ImportError>(Some(split)))?;
        Ok(split.unwrap_or_else(|| "train".to_owned()))
    }

    /// The rows of a file that the task names, beside its YAML.
    pub fn rows(&self, file: &Path, budget: &Budget) -> Result<Table, ImportError> {
        let inside = beside(&self.folder, &file.to_string_lossy())?;
        rows::parse(&name_of(file), self.tree.read(&inside, largest_file())?, budget)
    }
}

/// What to call an entry of a group.
fn title(task: &Value) -> String {
    let name = task.as_str().or_else(|| task.get("task")?.as_str()).or_else(|| task.get("group")?.as_str());
    name.unwrap_or("one without a name").to_owned()
}

/// The file of a task in the package: one of that name, or one that says so.
fn named(tree: &Tree, task: &str) -> Result<String, ImportError> {
    let files = tree.files(TASKS)?;
    let is_yaml = |file: &&String| file.ends_with(".yaml") || file.ends_with(".yml");
    let stem =
        |file: &str| file.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(stem, _)| stem.to_owned());
    let (mut first, mut rest): (Vec<&String>, Vec<&String>) =
        files.iter().filter(is_yaml).partition(|file| stem(file).as_deref() == Some(task));
    first.append(&mut rest);
    for file in first {
        // A line that could say so, before the whole file is looked at: there are thousands.
        let bytes = tree.read(file, LARGEST)?;
        let says = |line: &&str| {
            let line = line.trim_start_matches('"');
            (line.starts_with("task") || line.starts_with("group")) && line.contains(task)
        };
        let Ok(text) = String::from_utf8(bytes) else { continue };
        if text.lines().find(says).is_none() {
            continue;
        }
        let Ok(yaml) = parse(file, &text) else { continue };
        let is_it = |key: &str| matches!(yaml.get(key), Some(Yaml::Text(name)) if name == task);
        if is_it("task") || is_it("group") {
            return Ok(file.clone());
        }
    }
    let place = format!("the package lm_eval in {}", tree.name());
    Err(ImportError::NotThere { what: "task", name: task.to_owned(), place })
}

/// The keys of a file over those of what it includes.
fn merged(
    tree: &Tree,
    file: &str,
    seen: &mut BTreeSet<String>,
    room: &mut u64,
) -> Result<Vec<(String, Yaml)>, ImportError> {
    if !seen.insert(file.to_owned()) {
        return Err(ImportError::unreadable(file, "it includes itself"));
    }
    if seen.len() > MOST_INCLUDES {
        return Err(ImportError::unreadable(file, format!("more than {MOST_INCLUDES} files include one another")));
    }
    let bytes = tree.read(file, LARGEST)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        ImportError::unreadable(file, format!("it is not UTF-8 after byte {}", error.valid_up_to()))
    })?;
    let read = parse(file, text)?;
    *room = room.checked_sub(read.bytes()).ok_or_else(|| {
        ImportError::unreadable(file, format!("the files up to it have more than {MOST_INCLUDED} bytes of values"))
    })?;
    let Yaml::Map(mut own) = read else {
        return Err(ImportError::unreadable(file, "it is no mapping of keys"));
    };
    let Some(place) = own.iter().position(|(key, _)| key == "include") else { return Ok(own) };
    let (_, included) = own.remove(place);
    let included = match included {
        Yaml::List(list) => list,
        one => vec![one],
    };
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut all: Vec<(String, Yaml)> = Vec::new();
    let put = |all: &mut Vec<(String, Yaml)>, pairs: Vec<(String, Yaml)>| {
        let replaced: BTreeSet<&String> = pairs.iter().map(|(key, _)| key).collect();
        all.retain(|(name, _)| !replaced.contains(name));
        all.extend(pairs);
    };
    for one in included {
        let Yaml::Text(path) = one else {
            return Err(ImportError::unreadable(file, "`include` is neither a path nor a list of them"));
        };
        let mut pairs = merged(tree, &beside(folder, &path)?, seen, room)?;
        pairs.retain(|(key, _)| key != "task_list");
        put(&mut all, pairs);
    }
    put(&mut all, own);
    Ok(all)
}
