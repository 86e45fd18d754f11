//! `bench detect`.

use bench_machine::Fingerprint;
use bench_plugin::driver_types::Model;
use bench_run::{Survey, survey};
use bench_text::{clean_sentence, clean_text};
use serde::Serialize;

use super::runtime;
use crate::cli::DetectArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::{folders, output, results};

/// Models in a cell; `bench models` lists all of them.
const MOST_MODELS: usize = 4;

/// Characters of each of them.
const LONGEST_MODEL: usize = 80;

#[derive(Serialize)]
struct Detected {
    machine: Fingerprint,
    #[serde(flatten)]
    survey: Survey,
}

/// Shows the machine and the engines that answer.
pub fn detect(args: &DetectArgs) -> Outcome {
    let catalog = folders::catalog()?;
    let (machine, survey) =
        runtime()?.block_on(async { tokio::join!(Fingerprint::capture(), survey(&catalog, args.endpoint.as_deref())) });
    if args.json {
        output::json(&Detected { machine, survey });
        return Ok(Exit::Success);
    }
    output::data(&format!("machine: {}", clean_sentence(machine.headline())));
    output::data(&engines(&survey));
    for endpoint in &survey.denied {
        output::say(&format!(
            "a server at {endpoint} wants an API key, and no key is sent to a server that no driver recognises; if you trust \
             it, name its driver: `bench run --plugin NAME --endpoint {endpoint}`"
        ));
    }
    nothing_answers(args.endpoint.as_deref(), &survey)
}

fn engines(survey: &Survey) -> String {
    if survey.engines.is_empty() && survey.hosted.is_empty() {
        return "engines: none found".to_owned();
    }
    let mut table = results::table(&["driver", "endpoint", "version", "models", "slots"]);
    for engine in &survey.engines {
        table.add_row(vec![
            engine.driver.clone(),
            engine.endpoint.clone(),
            engine.backend.version.clone().unwrap_or_else(|| "–".to_owned()),
            listed(&engine.backend.models),
            engine.backend.slots.map_or_else(|| "–".to_owned(), |slots| slots.to_string()),
        ]);
    }
    for service in &survey.hosted {
        let cells = [service.driver.as_str(), service.endpoint.as_str(), "–", "(key is set)", "–"];
        table.add_row(cells.map(str::to_owned).to_vec());
    }
    table.to_string()
}

/// The first models, and how many there are beyond them.
fn listed(models: &[Model]) -> String {
    let mut names: Vec<String> = models.iter().take(MOST_MODELS).map(|model| model_name(&model.id)).collect();
    if let Some(more @ 1..) = models.len().checked_sub(MOST_MODELS) {
        names.push(format!("and {more} more"));
    }
    names.join(" ")
}

/// A name among others in a cell.
fn model_name(id: &str) -> String {
    clean_text(id, LONGEST_MODEL).to_string()
}

/// An address that the user named and where no engine answers is a failure; finding none by oneself is not.
pub fn nothing_answers(endpoint: Option<&str>, survey: &Survey) -> Outcome {
    match endpoint {
        Some(endpoint) if survey.engines.is_empty() => Err(Failure {
            code: "no-engine".to_owned(),
            message: format!("no engine that any driver knows answers at {}", clean_sentence(endpoint)),
            hint: Some("check the address; the engine may still be loading its model".to_owned()),
            exit: Exit::Engine,
        }),
        _ => Ok(Exit::Success),
    }
}
