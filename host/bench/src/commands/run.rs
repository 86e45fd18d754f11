//! `bench run`.

use std::path::Path;

use bench_record::{RunRecord, RunStatus};
use bench_run::{RunOptions, Stopper};

use super::runtime;
use crate::cli::RunArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::live::Live;
use crate::locks::allow_suite_lock;
use crate::wishes::options;
use crate::{output, results};

/// Runs a suite, shows it live, prints the result.
pub fn run(args: &RunArgs) -> Outcome {
    if args.load.as_deref() == Some("help") {
        output::data(bench_run::GRAMMAR);
        return Ok(Exit::Success);
    }
    let options = options(args)?;
    allow_suite_lock(&options.suite, args.trust_lock)?;
    match args.ab.as_slice() {
        [] => {}
        [a, b] => return in_turns(args, &options, [a, b]),
        other => {
            return Err(Failure {
                code: "not-two-engines".to_owned(),
                message: format!("--ab compares two engines, and {} addresses were given", other.len()),
                hint: Some("write both with a comma between them: --ab http://one:8080,http://two:8080".to_owned()),
                exit: Exit::Usage,
            });
        }
    }
    let (stopper, stop) = Stopper::new();
    let record = runtime()?.block_on(async {
        let watching = tokio::spawn(stop_on_interrupt(stopper));
        let mut live = Live::new();
        let result = bench_run::run(&options, &mut live, &stop).await;
        live.clear();
        watching.abort();
        result
    })?;
    deliver(&record, args.json.as_deref())?;
    Ok(exit_of(&record))
}

/// Two engines in turns, each with a record of its own, and the two side by side.
fn in_turns(args: &RunArgs, options: &RunOptions, endpoints: [&String; 2]) -> Outcome {
    let sides = endpoints.map(|endpoint| RunOptions { endpoint: Some(endpoint.clone()), ..options.clone() });
    let (stopper, stop) = Stopper::new();
    let records = runtime()?.block_on(async {
        let watching = tokio::spawn(stop_on_interrupt(stopper));
        let mut live = Live::new();
        let result = bench_run::run_ab(&sides, &mut live, &stop).await;
        live.clear();
        watching.abort();
        result
    })?;
    match args.json.as_deref() {
        Some(path) if path == Path::new("-") => output::json(&records),
        Some(path) => {
            let text = serde_json::to_vec_pretty(&records).unwrap_or_default();
            let written = bench_record::write_atomically(path, &text);
            written.map_err(|error| Failure { exit: Exit::Failure, ..Failure::from(error) })?;
            print_both(&records)?;
        }
        None => print_both(&records)?,
    }
    let worst = records.iter().map(exit_of).max_by_key(|exit| exit.code());
    Ok(worst.unwrap_or(Exit::Success))
}

fn print_both(records: &[RunRecord]) -> Result<(), Failure> {
    for record in records {
        table(record);
    }
    let store = bench_record::Store::new(crate::folders::folders().runs);
    let folders = records.iter().map(|record| store.folder(record.id.as_str())).collect::<Result<Vec<_>, _>>()?;
    super::compare::show(&super::compare::with_scores(records, &folders)?, false);
    Ok(())
}

/// The first interrupt ends the run and keeps what is finished; the second ends the program.
async fn stop_on_interrupt(stopper: Stopper) {
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    output::say("stopping; what is finished is kept (press again to end at once)");
    stopper.stop();
    if tokio::signal::ctrl_c().await.is_ok() {
        std::process::exit(Exit::Interrupted.code().into());
    }
}

/// Prints the result for people, and writes the record where it was asked for. With the record on standard output nothing
/// else may be there.
fn deliver(record: &RunRecord, json: Option<&Path>) -> Result<(), Failure> {
    match json {
        Some(path) if path == Path::new("-") => output::json(record),
        Some(path) => {
            let written = bench_record::write_record(record, path);
            written.map_err(|error| Failure { exit: Exit::Failure, ..Failure::from(error) })?;
            table(record);
        }
        None => table(record),
    }
    Ok(())
}

fn table(record: &RunRecord) {
    output::data(&results::run(record));
}

fn exit_of(record: &RunRecord) -> Exit {
    match record.status {
        RunStatus::Completed => Exit::Success,
        RunStatus::Cancelled => Exit::Interrupted,
        RunStatus::Failed | RunStatus::Incomplete => Exit::Incomplete,
    }
}
