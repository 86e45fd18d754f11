//! `bench rescore`.

use bench_record::Store;
use bench_rescore::{Engine, Verify};
use bench_samples::export::{About, write};

use super::score::{form, print};
use crate::cli::RescoreArgs;
use crate::failure::Outcome;
use crate::folders;

/// Grades the eval tasks of a stored run again.
pub fn rescore(args: &RescoreArgs) -> Outcome {
    let form = args.out.as_deref().map(form).transpose()?;
    let store = Store::new(folders::folders().runs);
    let record = store.load(&args.run)?;
    let engine = Engine::new(Some(folders::folders().cache.join("compiled")), Verify::Sampled)
        .with_shelf(folders::folders().shelf(None)?);
    let scored = engine.rescore(&record, &store.folder(&args.run)?, args.scorer.as_deref())?;
    if let (Some(form), Some(path)) = (form, &args.out) {
        let about = About {
            created: Some(record.started_at.clone()),
            model: Some(record.model.id.clone()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        write(form, &scored.records, &about, path)?;
    }
    Ok(print(&scored, args.json))
}
