//! `bench compare`.

use std::path::PathBuf;

use bench_record::compare::{Comparison, compare as side_by_side, compare_scores};
use bench_record::{RunRecord, Store};
use bench_rescore::grades_of;
use bench_text::clean_name;

use crate::cli::CompareArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::{folders, output, results};

/// Compares stored runs with the first of them.
pub fn compare(args: &CompareArgs) -> Outcome {
    let store = Store::new(folders::folders().runs);
    let records = args.runs.iter().map(|run| store.load(run)).collect::<Result<Vec<_>, _>>()?;
    let folders = args.runs.iter().map(|run| store.folder(run)).collect::<Result<Vec<_>, _>>()?;
    let comparison = with_scores(&records, &folders)?;
    if args.json {
        output::json(&comparison);
    } else {
        show(&comparison, args.all);
    }
    Ok(Exit::Success)
}

/// Compares runs, their eval tasks too. `folders` are those of the runs, with the logs of samples.
pub fn with_scores(records: &[RunRecord], folders: &[PathBuf]) -> Result<Comparison, Failure> {
    let comparison = side_by_side(records)?;
    let graded = records.iter().zip(folders).map(|(record, folder)| grades_of(record, folder));
    let samples = graded.collect::<Result<Vec<_>, _>>()?;
    Ok(Comparison { scores: compare_scores(records, &samples), ..comparison })
}

/// Prints a comparison for people: the usual metrics, or all of them.
pub fn show(comparison: &Comparison, all: bool) {
    for warning in &comparison.warnings {
        let run = comparison.runs.get(warning.run).map_or_else(String::new, |run| run.id.to_string());
        let words = output::noted(&warning.note.message, &warning.note.code);
        output::warning(&format!("{}: {words}", clean_name(run)), None);
    }
    for note in &comparison.notes {
        output::note(&note.message, &note.code, note.hint.as_deref());
    }
    for other in 1..comparison.runs.len() {
        output::data(&results::comparison(comparison, other, all));
    }
}
