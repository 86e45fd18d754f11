//! `bench plugin`.

use bench_plugin::Kind;
use bench_registry::components;
use bench_run::{Catalog, Identity};
use serde::Serialize;
use serde_json::{Value, json};

use super::author;
use crate::cli::PluginCommand;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::numbers::bytes;
use crate::{folders, output, results};

#[derive(Serialize)]
struct Listed {
    kind: Kind,
    name: &'static str,
    version: &'static str,
    sha256: &'static str,
    bytes: usize,
}

/// What is done with plugins.
pub fn plugin(command: &PluginCommand) -> Outcome {
    match command {
        PluginCommand::List(args) => {
            list(args.json);
            Ok(Exit::Success)
        }
        PluginCommand::Inspect { plugin, json } => inspect(plugin, *json),
        PluginCommand::New { kind, name, lang, out } => {
            author::new((*kind).into(), name, (*lang).into(), out.as_deref())
        }
        PluginCommand::Build { folder, json } => author::build(folder, *json),
        PluginCommand::Test { plugin, cases, json } => author::test(plugin, cases.as_deref(), *json),
        PluginCommand::Check { plugin, json } => author::check(plugin, *json),
    }
}

fn list(as_json: bool) {
    let all: Vec<Listed> = components()
        .iter()
        .map(|component| Listed {
            kind: component.kind,
            name: component.name,
            version: component.version,
            sha256: component.sha256,
            bytes: component.bytes.len(),
        })
        .collect();
    if as_json {
        return output::json(&all);
    }
    let mut table = results::table(&["kind", "name", "version", "size", "sha256"]);
    for plugin in &all {
        table.add_row(vec![
            plugin.kind.to_string(),
            plugin.name.to_owned(),
            plugin.version.to_owned(),
            bytes(plugin.bytes as u64),
            plugin.sha256.chars().take(16).collect(),
        ]);
    }
    output::data(&table.to_string());
}

fn inspect(reference: &str, as_json: bool) -> Outcome {
    let catalog = Catalog::new(Some(folders::folders().cache.join("compiled")));
    let (identity, description) = catalog.describe(reference)?;
    let description = results::in_kebab_case(description);
    if as_json {
        output::json(&json!({ "identity": identity, "description": description }));
    } else {
        output::data(&output::printable(&words(&identity, &description)));
    }
    Ok(Exit::Success)
}

fn words(identity: &Identity, description: &Value) -> String {
    let text = |key: &str| description[key].as_str().unwrap_or_default().to_owned();
    let mut lines = vec![
        format!("{} {} {}", identity.kind, identity.name, identity.version),
        text("title"),
        text("summary"),
        format!("world    {}", identity.world),
        format!("sha256   {}", identity.sha256),
        format!("size     {}", bytes(identity.bytes as u64)),
        format!("source   {}", identity.source),
        format!(
            "imports  {}",
            if identity.imports.is_empty() { "nothing".to_owned() } else { identity.imports.join(", ") }
        ),
    ];
    let mut listed = |title: &str, key: &str| {
        if let Some(values) = description[key].as_array().filter(|values| !values.is_empty()) {
            let words: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            lines.push(format!("{title} {}", words.join(", ")));
        }
    };
    listed("can     ", "capabilities");
    listed("tries   ", "endpoints");
    listed("corpora ", "corpora");
    if let Some(evidence) = description["evidence"].as_str() {
        lines.push(format!("evidence {evidence}"));
    }
    lines.push(format!("params   {}", text("params_schema")));
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}
