//! `bench show`.

use bench_record::Store;
use bench_record::export::exporter;

use crate::cli::{Format, ShowArgs};
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::{folders, output, results};

/// Shows a stored run.
pub fn show(args: &ShowArgs) -> Outcome {
    let record = Store::new(folders::folders().runs).load(&args.run)?;
    let form = match args.format {
        _ if args.json => "json",
        Format::Table => {
            output::data(&output::printable(&results::run(&record)));
            return Ok(Exit::Success);
        }
        Format::Json => "json",
        Format::Csv => "csv",
        Format::Markdown => "markdown",
        Format::Vllm => "vllm",
    };
    if let Some(exporter) = exporter(form) {
        output::data(&exporter.export(&[record])?);
    }
    Ok(Exit::Success)
}
