//! `bench report`.

use std::path::Path;

use bench_record::{Store, read_record, write_atomically};

use crate::cli::ReportArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::{folders, output};

/// Writes a stored run as a page, and prints where it is.
pub fn report(args: &ReportArgs) -> Outcome {
    let file = Store::new(folders::folders().runs).locate(&args.run)?;
    let page = bench_report::html(&read_record(&file)?);
    let path = args.out.clone().unwrap_or_else(|| file.with_file_name("report.html"));
    if path == Path::new("-") {
        output::data(&page);
        return Ok(Exit::Success);
    }
    let written = write_atomically(&path, page.as_bytes());
    written.map_err(|error| Failure { exit: Exit::Failure, ..Failure::from(error) })?;
    output::data(&path.display().to_string());
    Ok(Exit::Success)
}
