//! `bench show`.

use bench_metrics::peers::{PEERS, Peer};
use bench_record::export::exporter;
use bench_record::{RunRecord, Store};
use bench_run::restate;
use bench_text::clean_name;

use super::samples;
use crate::cli::{Format, ShowArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::numbers::figure;
use crate::{folders, output, results};

/// Shows a stored run.
pub fn show(args: &ShowArgs) -> Outcome {
    let store = Store::new(folders::folders().runs);
    let record = store.load(&args.run)?;
    if samples::wanted(args) {
        return samples::show(&store, &record, args);
    }
    if let Some(peer) = &args.peer {
        return in_words_of(&store, &record, peer, args);
    }
    let form = match args.format {
        _ if args.json => "json",
        Format::Table => {
            output::data(&results::run(&record));
            return Ok(Exit::Success);
        }
        Format::Json => "json",
        Format::Csv => "csv",
        Format::Markdown => "markdown",
        // The others are forms of samples, which are shown above.
        Format::Vllm | Format::LmEval | Format::Inspect | Format::Parquet | Format::Localmaxxing => "vllm",
    };
    if let Some(exporter) = exporter(form) {
        let text = exporter.export(&[record])?;
        match form {
            "csv" => output::csv(&text),
            "markdown" => output::data(&text),
            _ => output::json_text(&text),
        }
    }
    Ok(Exit::Success)
}

/// The run by the definitions of another tool.
fn in_words_of(store: &Store, record: &RunRecord, name: &str, args: &ShowArgs) -> Outcome {
    let Some(peer) = Peer::named(name) else {
        let known: Vec<&str> = PEERS.into_iter().map(Peer::id).collect();
        return Err(Failure {
            code: "unknown-tool".to_owned(),
            message: format!("the definitions of `{}` are not known", clean_name(name)),
            hint: Some(format!("those known are {}", known.join(", "))),
            exit: Exit::Usage,
        });
    };
    // A record that was named by its file has its trace beside it.
    let trace = store.folder(&args.run)?.join("trace.parquet");
    let catalog = folders::catalog()?;
    let (phases, notes) = restate(&catalog, record, &trace, peer)?;
    for note in &notes {
        output::note(&note.message, &note.code, note.hint.as_deref());
    }
    if args.json {
        output::json(&phases);
        return Ok(Exit::Success);
    }
    let mut text =
        format!("run {} by the definitions of {} ({})\n", clean_name(&record.id), peer.title(), peer.revision());
    for phase in &phases {
        let mut table = results::table(&[&format!("{} {}", phase.workload, phase.phase), "statistic", "value", "unit"]);
        for number in &phase.view.numbers {
            table.add_row([&number.metric, &number.statistic, &figure(number.value), &number.unit]);
        }
        results::align_numbers(&mut table, 2);
        text.push_str(&format!("\n{table}\n"));
    }
    if let Some(first) = phases.first() {
        text.push('\n');
        first.view.differs.iter().for_each(|sentence| text.push_str(&format!("- {sentence}\n")));
    }
    output::data(&text);
    Ok(Exit::Success)
}
