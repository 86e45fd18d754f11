//! `bench report`.

use std::path::Path;

use bench_record::{Store, write_atomically};

use crate::cli::ReportArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::{folders, output};

/// Writes a stored run as a page, and prints where it is.
pub fn report(args: &ReportArgs) -> Outcome {
    let store = Store::new(folders::folders().runs);
    let page = bench_report::html(&store.load(&args.run)?);
    let path = match &args.out {
        Some(path) => path.clone(),
        None => store.folder(&args.run)?.join("report.html"),
    };
    if path == Path::new("-") {
        output::data(&page);
        return Ok(Exit::Success);
    }
    let written = write_atomically(&path, page.as_bytes());
    written.map_err(|error| Failure { exit: Exit::Failure, ..Failure::from(error) })?;
    output::data(&path.display().to_string());
    Ok(Exit::Success)
}
