//! `bench plugin`.

use bench_plugin::Kind;
use bench_registry::components;
use bench_run::{Catalog, Identity, RunError};
use serde::Serialize;
use serde_json::{Value, json};

use super::author;
use crate::cli::PluginCommand;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
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

/// A plugin is of one kind; which one is found by trying.
fn inspect(reference: &str, as_json: bool) -> Outcome {
    let catalog = Catalog::new(Some(folders::folders().cache.join("compiled")));
    let (identity, description) = match catalog.driver(reference) {
        Ok((driver, identity)) => {
            let info = driver.info();
            (identity, serde_json::to_value(info).unwrap_or_default())
        }
        Err(error) if is_other_kind(&error) => {
            let scorer = |second: RunError| match is_other_kind(&second) {
                true => catalog
                    .scorer(reference)
                    .map_err(|third| if is_other_kind(&third) { best(error, second) } else { third.into() }),
                false => Err(second.into()),
            };
            match catalog.workload(reference) {
                Ok((workload, identity)) => (identity, serde_json::to_value(workload.info()).unwrap_or_default()),
                Err(second) => {
                    let (scorer, identity) = scorer(second)?;
                    (identity, serde_json::to_value(scorer.info()).unwrap_or_default())
                }
            }
        }
        Err(error) => return Err(error.into()),
    };
    let description = results::in_kebab_case(description);
    if as_json {
        output::json(&json!({ "identity": identity, "description": description }));
    } else {
        output::data(&output::printable(&words(&identity, &description)));
    }
    Ok(Exit::Success)
}

fn is_other_kind(error: &RunError) -> bool {
    matches!(error.code(), "plugin-wrong-kind" | "plugin-unknown")
}

/// With no plugin of either kind, the first answer lists the drivers and the second the workloads; a component of a third
/// kind is best described by what it is.
fn best(first: RunError, second: RunError) -> Failure {
    if second.code() == "plugin-unknown" { first.into() } else { second.into() }
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
