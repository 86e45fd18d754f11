//! `bench runs`.

use bench_record::{Entry, Store};
use bench_text::clean_name;

use crate::cli::JsonArgs;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::{folders, output, results};

/// Lists the stored runs, newest first.
pub fn runs(args: &JsonArgs) -> Outcome {
    let entries = Store::new(folders::folders().runs).list()?;
    let mut table = results::table(&["run", "status", "suite", "backend", "model"]);
    let mut sound = Vec::new();
    for entry in &entries {
        match entry {
            Entry::Run(run) => sound.push(run),
            Entry::Broken { name, error } => {
                let name = clean_name(name);
                output::warning(&format!("the run {name} cannot be read: {error}"), error.hint().as_deref());
            }
        }
    }
    if args.json {
        output::json(&sound);
        return Ok(Exit::Success);
    }
    for run in sound {
        let backend = run.backend.as_ref().map_or("–", |backend| backend.name.as_str());
        let backend = if run.simulated { format!("{backend} (simulated)") } else { backend.to_owned() };
        let quick = if run.suite.quick { " (quick)" } else { "" };
        table.add_row(vec![
            run.id.to_string(),
            word(&run.status),
            format!("{} {}{quick}", run.suite.name, run.suite.version),
            backend,
            run.model.id.clone(),
        ]);
    }
    output::data(&table.to_string());
    Ok(Exit::Success)
}

/// A status as its name in the record.
fn word(status: &impl serde::Serialize) -> String {
    serde_json::to_value(status).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
