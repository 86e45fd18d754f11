//! `bench suite`.

use bench_registry::{ItemKind, LOCK_FILE, suites, trust_lock};
use bench_run::open_suite;
use bench_suite::Suite;
use bench_text::{clean_name, clean_sentence};
use serde_json::{Value, json};

use super::install;
use crate::cli::SuiteCommand;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::{folders, output, results};

/// Lists or shows suites.
pub fn suite(command: &SuiteCommand) -> Outcome {
    match command {
        SuiteCommand::List(args) => list(args.json),
        SuiteCommand::Add(args) => install::add_suites(args),
        SuiteCommand::Update(args) => install::update(args, Some(ItemKind::Suite)),
        SuiteCommand::Show { suite, json } => show(suite, *json),
        SuiteCommand::Trust { folder } => {
            let lock = folder.join(LOCK_FILE);
            trust_lock(&folders::folders().runs, &lock)?;
            output::say(&format!("{} is allowed until it changes", clean_sentence(lock.display())));
            Ok(Exit::Success)
        }
        SuiteCommand::Import(command) => super::import::import(command),
    }
}

fn list(as_json: bool) -> Outcome {
    let shelf = folders::folders().shelf(None)?;
    let opened = suites().iter().map(|suite| open_suite(&shelf, suite.name)).collect::<Result<Vec<_>, _>>()?;
    if as_json {
        output::json(&opened.iter().map(value).collect::<Vec<_>>());
        return Ok(Exit::Success);
    }
    let mut table = results::table(&["suite", "version", "title", "workloads", "tasks"]);
    for suite in &opened {
        let manifest = suite.manifest();
        let labels: Vec<&str> = manifest.workloads.iter().map(|workload| workload.label.as_str()).collect();
        table.add_row(vec![
            manifest.name.clone(),
            manifest.version.to_string(),
            manifest.title.clone(),
            labels.join(" "),
            manifest.tasks.len().to_string(),
        ]);
    }
    output::data(&table.to_string());
    Ok(Exit::Success)
}

fn value(suite: &Suite) -> Value {
    let files: serde_json::Map<String, Value> =
        suite.files().iter().map(|(path, digest)| (path.clone(), Value::from(digest.to_string()))).collect();
    json!({ "manifest": suite.manifest(), "digest": suite.digest().to_string(), "files": files })
}

fn show(reference: &str, as_json: bool) -> Outcome {
    let suite = open_suite(&folders::folders().shelf(None)?, reference)?;
    if as_json {
        output::json(&value(&suite));
        return Ok(Exit::Success);
    }
    let manifest = suite.manifest();
    let mut text = format!(
        "{} {}: {}\nlicence {}\ndigest  {}\n\n",
        clean_name(&manifest.name),
        manifest.version,
        clean_sentence(&manifest.title),
        clean_name(&manifest.licence),
        suite.digest()
    );
    let mut table = results::table(&["label", "plugin", "version", "params", "quick"]);
    for workload in &manifest.workloads {
        table.add_row(vec![
            workload.label.clone(),
            workload.plugin.clone(),
            workload.version.to_string(),
            Value::Object(workload.params.clone()).to_string(),
            Value::Object(workload.quick.clone()).to_string(),
        ]);
    }
    if !manifest.workloads.is_empty() {
        text.push_str(&format!("{table}\n"));
    }
    let mut table = results::table(&["task", "items", "repeats", "kind", "scorer", "licence", "title"]);
    for task in &manifest.tasks {
        let items = suite.task(&task.name).map_or(0, |(_, data)| data.items.len());
        table.add_row(vec![
            task.name.clone(),
            items.to_string(),
            task.effective_repeats(items, false).to_string(),
            serde_json::to_value(task.kind).ok().and_then(|kind| Some(kind.as_str()?.to_owned())).unwrap_or_default(),
            format!("{} {}", task.scorer.plugin, task.scorer.version),
            task.data.licence.clone(),
            task.title.clone(),
        ]);
    }
    if !manifest.tasks.is_empty() {
        text.push_str(&format!("\n{table}\n"));
    }
    output::data(&text);
    Ok(Exit::Success)
}
