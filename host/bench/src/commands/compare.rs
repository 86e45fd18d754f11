//! `bench compare`.

use bench_record::Store;
use bench_record::compare::{Cell, Comparison, Verdict, compare as side_by_side};

use crate::cli::CompareArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::numbers::figure;
use crate::{folders, output, results};

/// Compares stored runs with the first of them.
pub fn compare(args: &CompareArgs) -> Outcome {
    let store = Store::new(folders::folders().runs);
    let records = args.runs.iter().map(|run| store.load(run)).collect::<Result<Vec<_>, _>>()?;
    let comparison = side_by_side(&records).map_err(Failure::from)?;
    if args.json {
        output::json(&comparison);
        return Ok(Exit::Success);
    }
    for warning in &comparison.warnings {
        let run = comparison.runs.get(warning.run).map_or_else(String::new, |run| run.id.to_string());
        output::warning(&format!("{run}: {} [{}]", warning.note.message, warning.note.code), None);
    }
    output::data(&output::printable(&table(&comparison)));
    Ok(Exit::Success)
}

fn table(comparison: &Comparison) -> String {
    let titles: Vec<String> = comparison.runs.iter().map(|run| run.id.to_string()).collect();
    let mut header = vec!["workload", "metric", "unit"];
    header.extend(titles.iter().map(String::as_str));
    let mut table = results::table(&header);
    for row in &comparison.rows {
        let mut cells = vec![format!("{} {}", row.label, row.phase), row.metric.clone(), row.unit.clone()];
        cells.extend(row.cells.iter().map(|cell| cell.as_ref().map_or_else(|| "–".to_owned(), words)));
        table.add_row(cells);
    }
    results::align_numbers(&mut table, 3);
    table.to_string()
}

fn words(cell: &Cell) -> String {
    let mut text = figure(cell.value);
    if let Some(ratio) = cell.ratio {
        text.push_str(&format!(" ({ratio:.2}×)"));
    }
    match &cell.verdict {
        Some(Verdict::Faster) => text.push_str(" faster"),
        Some(Verdict::Slower) => text.push_str(" slower"),
        Some(Verdict::NoDifferenceShown) => text.push_str(" no difference shown"),
        Some(Verdict::NotComparable { .. }) => text.push_str(" not comparable"),
        None => {}
    }
    text
}
