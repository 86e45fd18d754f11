//! `bench suite import`.

use bench_import::{Imported, Options, Window, bfcl, code, inspect, lm_eval, plain};
use bench_text::{clean_name, clean_sentence};
use serde_json::{Map, Value, json};

use crate::cli::{CallsForm, Common, ImportCommand};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::{output, results};

/// Makes a suite.
pub fn import(command: &ImportCommand) -> Outcome {
    let (common, made) = match command {
        ImportCommand::LmEval { task, from, data, few_shot_data, few_shot, metric, filter, chat, common } => {
            let wanted = lm_eval::LmEval {
                task: task.clone(),
                from: from.clone(),
                data: data.clone(),
                few_shot_data: few_shot_data.clone(),
                few_shot: few_shot.map(|count| count as usize),
                metric: metric.clone(),
                filter: filter.clone(),
                form: if *chat { lm_eval::Form::Chat } else { lm_eval::Form::Raw },
            };
            (common, lm_eval::import(&wanted, &options(common)))
        }
        ImportCommand::Inspect { file, scorer, config, template, max_tokens, common } => {
            let wanted = inspect::Inspect {
                file: file.clone(),
                scorer: scorer.clone(),
                config: configuration(config.as_deref())?,
                template: template.clone(),
                max_tokens: *max_tokens,
            };
            (common, inspect::import(&wanted, &options(common)))
        }
        ImportCommand::Bfcl { category, from, calls, common } => {
            let calls = match calls {
                CallsForm::Tools => bfcl::Calls::Tools,
                CallsForm::Text => bfcl::Calls::Text,
            };
            let wanted = bfcl::Bfcl { from: from.clone(), categories: category.clone(), calls };
            (common, bfcl::import(&wanted, &options(common)))
        }
        ImportCommand::HumanEval { file, from, max_tokens, common } => {
            let wanted = code::Code { file: file.clone(), from: from.clone(), max_tokens: *max_tokens };
            (common, code::import(&wanted, &options(common)))
        }
        ImportCommand::Jsonl {
            file,
            scorer,
            config,
            fields,
            id,
            target,
            choices,
            template,
            system,
            max_tokens,
            common,
        } => {
            let wanted = plain::Plain {
                file: file.clone(),
                fields: fields.iter().cloned().collect(),
                id: id.clone(),
                target: target.clone(),
                choices: choices.clone(),
                template: template.clone(),
                system: system.clone(),
                scorer: scorer.clone(),
                config: configuration(config.as_deref())?,
                max_tokens: *max_tokens,
            };
            (common, plain::import(&wanted, &options(common)))
        }
    };
    print(&made?, common.json);
    Ok(Exit::Success)
}

fn options(common: &Common) -> Options {
    let window = Window { field: common.date_field.clone(), from: common.after.clone(), to: common.before.clone() };
    Options {
        name: common.name.clone(),
        out: common.out.clone(),
        limit: common.limit.map(|limit| limit as usize),
        seed: common.seed,
        licence: common.licence.clone(),
        window: (window.from.is_some() || window.to.is_some()).then_some(window),
    }
}

fn configuration(text: Option<&str>) -> Result<Map<String, Value>, Failure> {
    serde_json::from_str(text.unwrap_or("{}")).map_err(|error| Failure {
        code: "bad-config".to_owned(),
        message: format!("--config is no JSON object: {error}"),
        hint: Some("write it as {\"ignore-case\": true}".to_owned()),
        exit: Exit::Usage,
    })
}

fn print(made: &Imported, as_json: bool) {
    for note in &made.notes {
        output::note(&note.message, note.code, None);
    }
    if as_json {
        let tasks =
            made.tasks.iter().map(|(name, scorer, items)| json!({ "name": name, "scorer": scorer, "items": items }));
        output::json(&json!({
            "folder": made.folder,
            "name": made.name,
            "licence": made.licence,
            "digest": made.digest,
            "tasks": tasks.collect::<Vec<_>>(),
            "notes": made.notes.iter().map(|note| json!({ "code": note.code, "message": note.message })).collect::<Vec<_>>(),
        }));
        return;
    }
    let mut table = results::table(&["task", "scorer", "items"]);
    for (name, scorer, items) in &made.tasks {
        table.add_row(vec![name.clone(), scorer.clone(), items.to_string()]);
    }
    let folder = clean_sentence(made.folder.display());
    let text = format!(
        "{table}\n\nlicence {}\nwrote   {folder}; run it with bench run --suite {folder}\n",
        clean_name(&made.licence)
    );
    output::data(&text);
}
