//! `bench models`.

use bench_run::survey;

use super::{detect, runtime};
use crate::cli::DetectArgs;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::{folders, output, results};

/// Lists the models that the engines serve.
pub fn models(args: &DetectArgs) -> Outcome {
    let catalog = folders::catalog()?;
    let survey = runtime()?.block_on(async { survey(&catalog, args.endpoint.as_deref()).await });
    if args.json {
        output::json(&survey.engines);
        return Ok(Exit::Success);
    }
    let dash = || "–".to_owned();
    let mut table = results::table(&["model", "driver", "endpoint", "context", "quantization", "parameters"]);
    for engine in &survey.engines {
        for model in &engine.backend.models {
            table.add_row(vec![
                model.id.clone(),
                engine.driver.clone(),
                engine.endpoint.clone(),
                model.context_length.map_or_else(dash, |tokens| tokens.to_string()),
                model.quantization.clone().unwrap_or_else(dash),
                model.parameters.map_or_else(dash, |count| count.to_string()),
            ]);
        }
    }
    output::data(&table.to_string());
    detect::nothing_answers(args.endpoint.as_deref(), &survey)
}
