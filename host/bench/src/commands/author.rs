//! `bench plugin new`, `build`, `test` and `check`: for those who write plugins.

use std::path::{Path, PathBuf};

use bench_kit::{CaseReport, CheckReport, Cost, KitError, Language, Template};
use bench_plugin::{Host, HostOptions, Kind, Limits};
use bench_text::clean_sentence;
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Outcome;
use crate::numbers::{bytes, figure};
use crate::{folders, output, results};

/// What a plugin in Python is built as.
const WORLD: &str = "scorer-plugin";

/// Begins a plugin.
pub fn new(kind: Kind, name: &str, language: Language, out: Option<&Path>) -> Outcome {
    let folder = out.map_or_else(|| PathBuf::from(name), Path::to_owned);
    let created = bench_kit::create(Template { kind, language }, name, &folder)?;
    output::data(&created.folder.display().to_string());
    output::say(&format!("a {kind} in {language}, {} files", created.files.len()));
    let folder = clean_sentence(created.folder.display());
    output::say(&format!("next: cd {folder} && bench plugin build && bench plugin test && bench plugin check"));
    Ok(Exit::Success)
}

/// Builds a plugin.
pub fn build(folder: &Path, as_json: bool) -> Outcome {
    let built = bench_kit::build(folder, WORLD).map_err(KitError::from)?;
    if as_json {
        output::json(&json!({
            "path": built.path, "language": built.language.to_string(), "bytes": built.bytes.len(),
        }));
    } else {
        output::data(&built.path.display().to_string());
        output::say(&format!("{} from {}", bytes(built.bytes.len() as u64), built.language));
    }
    Ok(Exit::Success)
}

/// Tries a scorer on cases.
pub fn test(plugin: &Path, cases: Option<&Path>, as_json: bool) -> Outcome {
    let (component, folder) = component(plugin);
    let cases = cases.map_or_else(|| folder.join("cases"), Path::to_owned);
    let plugin = host().load(&bench_kit::read_component(&component)?, Limits::SCORER).map_err(KitError::from)?;
    let report = bench_kit::run_cases(&plugin, &cases)?;
    if as_json {
        output::json(&report);
    } else {
        output::data(&outcomes(&report));
    }
    Ok(if report.failed() == 0 { Exit::Success } else { Exit::Incomplete })
}

fn outcomes(report: &CaseReport) -> String {
    let mut table = results::table(&["case", "fuel", "memory", "time", "verdict"]);
    for case in &report.cases {
        let verdict = if case.differences.is_empty() { "as expected".to_owned() } else { case.differences.join("; ") };
        let (memory, time) = (bytes(case.took.memory as u64), format!("{} µs", figure(case.took.us)));
        table.add_row(vec![case.name.clone(), case.took.fuel.to_string(), memory, time, verdict]);
    }
    let total = report.cases.len();
    let mut text = format!("{table}\n\n{} of {total} as expected", total - report.failed());
    if let Some(cost) = report.cost {
        text.push_str(&format!("; {}", costs(cost)));
    }
    text
}

fn costs(cost: Cost) -> String {
    format!(
        "a sample takes {} fuel (at most {}) and {} µs, an instance {} of memory",
        cost.fuel_median,
        cost.fuel_most,
        figure(cost.median_us),
        bytes(cost.memory_most as u64)
    )
}

/// Looks at a component as a registry would.
pub fn check(plugin: &Path, as_json: bool) -> Outcome {
    let (component, folder) = component(plugin);
    let cases = Some(folder.join("cases")).filter(|cases| cases.is_dir());
    let report = bench_kit::check(&host(), &bench_kit::read_component(&component)?, cases.as_deref())?;
    if as_json {
        output::json(&report);
    } else {
        output::data(&findings(&report));
    }
    Ok(if report.holds() { Exit::Success } else { Exit::Plugin })
}

fn findings(report: &CheckReport) -> String {
    let mut table = results::table(&["what", "", "found"]);
    for finding in &report.findings {
        table.add_row([finding.name, if finding.ok { "ok" } else { "NOT OK" }, &finding.detail]);
    }
    report.cost.map_or_else(|| table.to_string(), |cost| format!("{table}\n\n{}", costs(cost)))
}

/// The component that is meant, and the folder of its plugin.
fn component(plugin: &Path) -> (PathBuf, PathBuf) {
    match plugin.is_dir() {
        true => (plugin.join("plugin.wasm"), plugin.to_owned()),
        false => (plugin.to_owned(), plugin.parent().map(Path::to_owned).unwrap_or_default()),
    }
}

fn host() -> Host {
    Host::new(HostOptions { cache: Some(folders::folders().cache.join("compiled")) })
}
