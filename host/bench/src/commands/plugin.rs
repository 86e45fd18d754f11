//! `bench plugin`.

use bench_registry::{ItemKind, components};
use bench_run::Identity;
use bench_text::{clean_name, clean_sentence, clean_text};
use serde::Serialize;
use serde_json::{Value, json};

use super::{author, grants, install, push};
use crate::cli::PluginCommand;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::numbers::bytes;
use crate::{folders, output, results};

#[derive(Serialize)]
struct Listed {
    kind: ItemKind,
    name: String,
    version: String,
    sha256: String,
    bytes: u64,
    source: String,
}

/// What is done with plugins.
pub fn plugin(command: &PluginCommand) -> Outcome {
    match command {
        PluginCommand::List { outdated: true, ask } => install::outdated(ask),
        PluginCommand::List { ask, .. } => list(ask.json),
        PluginCommand::Search { words, ask } => install::search(words, ask),
        PluginCommand::Add(args) => install::add(args),
        PluginCommand::Push(args) => push::push(args),
        PluginCommand::Remove(args) => install::remove(args),
        PluginCommand::Update(args) => install::update(args, None),
        PluginCommand::Pin { undo, items } => install::pin(items, *undo),
        PluginCommand::Sync(ask) => install::sync(ask),
        PluginCommand::Rollback(ask) => install::rollback(ask),
        PluginCommand::Prune { dry_run, ask } => install::prune(*dry_run, ask),
        PluginCommand::Grants { command, json } => grants::grants(command.as_ref(), *json),
        PluginCommand::Inspect { plugin, json } => inspect(plugin, *json),
        PluginCommand::New { kind, name, lang, out } => {
            author::new((*kind).into(), name, (*lang).into(), out.as_deref())
        }
        PluginCommand::Build { folder, json } => author::build(folder, *json),
        PluginCommand::Test { plugin, cases, json } => author::test(plugin, cases.as_deref(), *json),
        PluginCommand::Check { plugin, json } => author::check(plugin, *json),
    }
}

fn list(as_json: bool) -> Outcome {
    let shelf = folders::folders().shelf(None)?;
    let installed = shelf.locked().filter(|item| item.kind.plugin().is_some()).map(|item| Listed {
        kind: item.kind,
        name: item.name.to_string(),
        version: item.version.to_string(),
        sha256: item.sha256.clone(),
        bytes: item.bytes,
        source: format!("{}{}", item.registry, if item.pinned { ", pinned" } else { "" }),
    });
    let carried = components().iter().map(|component| Listed {
        kind: component.kind.into(),
        name: component.name.to_owned(),
        version: component.version.to_owned(),
        sha256: component.sha256.to_owned(),
        bytes: component.bytes.len() as u64,
        source: "bundle".to_owned(),
    });
    let all: Vec<Listed> = installed.chain(carried).collect();
    if as_json {
        output::json(&all);
        return Ok(Exit::Success);
    }
    let mut table = results::table(&["kind", "name", "version", "size", "sha256", "source"]);
    for plugin in &all {
        table.add_row(vec![
            plugin.kind.to_string(),
            plugin.name.clone(),
            plugin.version.clone(),
            bytes(plugin.bytes),
            plugin.sha256.chars().take(16).collect(),
            plugin.source.clone(),
        ]);
    }
    output::data(&table.to_string());
    Ok(Exit::Success)
}

fn inspect(reference: &str, as_json: bool) -> Outcome {
    let catalog = folders::catalog()?;
    let (identity, description) = catalog.describe(reference)?;
    let description = results::in_kebab_case(description);
    let asked = catalog.asked_needs(reference)?;
    if as_json {
        output::json(&json!({ "identity": identity, "description": description, "asks": asked }));
    } else {
        let asks = format!("asks for {}\nmay have {}", asked.needs, identity.permit.needs());
        output::data(&format!("{}\n{asks}", words(&identity, &description)));
    }
    Ok(Exit::Success)
}

/// Characters of the schema of a plugin's parameters.
const LONGEST_SCHEMA: usize = 20_000;

fn words(identity: &Identity, description: &Value) -> String {
    let text = |key: &str| clean_sentence(description[key].as_str().unwrap_or_default()).to_string();
    let mut lines = vec![
        format!("{} {} {}", identity.kind, clean_name(&identity.name), clean_name(&identity.version)),
        text("title"),
        text("summary"),
        format!("world    {}", clean_name(&identity.world)),
        format!("sha256   {}", identity.sha256),
        format!("size     {}", bytes(identity.bytes as u64)),
        format!("source   {}", clean_sentence(&identity.source)),
        format!(
            "imports  {}",
            if identity.imports.is_empty() {
                "nothing".to_owned()
            } else {
                clean_sentence(identity.imports.join(", ")).to_string()
            }
        ),
    ];
    let mut listed = |title: &str, key: &str| {
        if let Some(values) = description[key].as_array().filter(|values| !values.is_empty()) {
            let words: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            lines.push(format!("{title} {}", clean_sentence(words.join(", "))));
        }
    };
    listed("can     ", "capabilities");
    listed("tries   ", "endpoints");
    listed("corpora ", "corpora");
    if let Some(evidence) = description["evidence"].as_str() {
        lines.push(format!("evidence {}", clean_name(evidence)));
    }
    let schema = description["params_schema"].as_str().unwrap_or_default();
    lines.push(format!("params   {}", clean_text(schema, LONGEST_SCHEMA)));
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}
