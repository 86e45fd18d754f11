//! What the numbers depend on: the program, the plugins, the model, the machine.

use bench_record::RunRecord;
use serde_json::Value;

use super::words::{Table, facts};
use crate::text::{count, esc, put};

/// Facts about the machine that are listed.
const MOST: usize = 400;

/// The section of identities.
pub(crate) fn provenance(page: &mut String, record: &RunRecord) {
    let text = |value: &str| esc(value).to_string();
    let code = |value: &str| if value.is_empty() { String::new() } else { format!("<code>{}</code>", esc(value)) };
    let some = |value: &Option<String>| value.as_deref().map(text).unwrap_or_default();
    page.push_str("<section><h2>What the numbers depend on</h2>");
    let digests: Vec<String> = record
        .model
        .digests
        .iter()
        .take(32)
        .map(|digest| format!("{} ({}, by the {})", code(&digest.hex), text(&digest.algorithm), text(&digest.source)))
        .collect();
    facts(
        page,
        &[
            ("Run", text(record.id.as_str())),
            ("Command", code(&record.command.join(" "))),
            ("Program", format!("bench {} for {}", text(&record.host.version), text(&record.host.target))),
            ("Executable", record.host.exe_sha256.as_deref().map(code).unwrap_or_default()),
            (
                "Suite",
                format!("{} {} {}", text(&record.suite.name), text(&record.suite.version), code(&record.suite.digest)),
            ),
            ("Seed", record.suite.seed.to_string()),
            ("Model digests", digests.join("<br>")),
            ("Quantisation", some(&record.model.quantization)),
            ("Context length", record.model.context_length.map(count).unwrap_or_default()),
            ("Parameters", record.model.parameters.map(count).unwrap_or_default()),
            ("Backend build", record.backend.as_ref().map(|b| text(&b.build.join(" "))).unwrap_or_default()),
            ("Engine runs on", origin(record)),
            ("Started", text(&record.started_at)),
            ("Finished", some(&record.finished_at)),
            (
                "Raw trace",
                record.trace.as_ref().map_or_else(
                    || "not kept".to_owned(),
                    |trace| format!("{} ({} bytes) {}", text(&trace.file), count(trace.bytes), code(&trace.sha256)),
                ),
            ),
        ],
    );
    let mut table = Table::new(&["Plugin", "Version", "From", "SHA-256"], 4);
    for plugin in record.plugins.iter().take(100) {
        let source = serde_json::to_value(plugin.source).ok().and_then(|value| value.as_str().map(str::to_owned));
        table.row(vec![
            format!("{}<small>{}</small>", esc(&plugin.name), esc(&plugin.kind)),
            text(&plugin.version),
            text(source.as_deref().unwrap_or("")),
            code(&plugin.sha256),
        ]);
    }
    table.write(page);
    machine(page, record);
    page.push_str("</section>");
}

/// Whose machine the engine is on, in words.
fn origin(record: &RunRecord) -> String {
    let value = serde_json::to_value(&record.endpoint.attribution).unwrap_or(Value::Null);
    let part = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or("");
    match part("origin") {
        "local-machine" => "this machine".to_owned(),
        "" => String::new(),
        other => format!("{} {}", esc(&other.replace('-', " ")), esc(part("reason"))),
    }
}

/// The client's machine: all that the record knows, closed at first.
fn machine(page: &mut String, record: &RunRecord) {
    let Some(machine) = &record.machine else { return };
    let mut rows = Vec::new();
    flatten(&serde_json::to_value(machine).unwrap_or(Value::Null), String::new(), &mut rows);
    put!(page, "<details><summary>The client's machine: {}</summary>", esc(&machine.headline()));
    let rows: Vec<(&str, String)> =
        rows.iter().take(MOST).map(|(name, value)| (name.as_str(), esc(value).to_string())).collect();
    facts(page, &rows);
    page.push_str("</details>");
}

/// Each fact with its path. What was looked for and not found is left out, and what failed says so.
fn flatten(value: &Value, path: String, rows: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => match (fields.get("status").and_then(Value::as_str), fields.get("value")) {
            (Some("present"), Some(value)) => flatten(value, path, rows),
            (Some("not-present"), _) => {}
            (Some("failed"), _) => {
                let reason = fields.get("reason").and_then(Value::as_str).unwrap_or("");
                rows.push((path, format!("could not be read: {reason}")));
            }
            _ => {
                for (name, value) in fields {
                    let name = name.replace('_', " ");
                    flatten(value, if path.is_empty() { name } else { format!("{path} › {name}") }, rows);
                }
            }
        },
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            for (place, item) in items.iter().enumerate() {
                flatten(item, format!("{path} {}", place + 1), rows);
            }
        }
        Value::Array(items) => {
            let words: Vec<String> = items.iter().map(plain).collect();
            rows.push((path, words.join(", ")));
        }
        Value::Null => {}
        other => rows.push((path, plain(other))),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
