//! Going on with a run that was stopped, cut off, or ended by a limit. What it began with stands in its record and is not asked for
//! again; what it measures now must be what it measured then.

use std::path::Path;

use bench_record::{EvalStatus, LocalFacts, Problem, RunRecord, RunStatus, Store, WorkloadStatus};
use bench_suite::Suite;

use crate::engine::Engine;
use crate::error::RunError;
use crate::identify::public_name;
use crate::options::RunOptions;

/// The record of the run to go on with, where the options name one.
pub(crate) fn earlier(options: &RunOptions) -> Result<Option<RunRecord>, RunError> {
    let Some(reference) = &options.resume else { return Ok(None) };
    Ok(Some(Store::new(&options.folders.runs).load(reference)?))
}

/// The options with everything that the earlier run fixed. Limits of cost and time are those of now: raising them is why people
/// resume.
pub(crate) fn adopt(options: &RunOptions, earlier: &RunRecord) -> RunOptions {
    let driver = earlier.plugins.iter().find(|plugin| plugin.kind == "driver").map(|plugin| plugin.name.clone());
    let evals = bench_record::EvalOptions {
        max_cost: options.evals.max_cost,
        max_seconds: options.evals.max_seconds,
        concurrency: options.evals.concurrency.or(earlier.eval_options.concurrency),
        ..earlier.eval_options.clone()
    };
    RunOptions {
        plugin: options.plugin.clone().or(driver),
        endpoint: options.endpoint.clone().or_else(|| Some(earlier.endpoint.url.clone())),
        suite: if options.suite.is_empty() { suite(options, earlier) } else { options.suite.clone() },
        quick: earlier.suite.quick,
        seed: Some(earlier.suite.seed),
        evals,
        ..options.clone()
    }
}

/// The suite of the earlier run: its folder, where it was one, else its name.
fn suite(options: &RunOptions, earlier: &RunRecord) -> String {
    let folder = Store::new(&options.folders.runs).local(&earlier.id).suite;
    let folder = folder.and_then(|folder| folder.into_os_string().into_string().ok());
    folder.unwrap_or_else(|| earlier.suite.name.clone())
}

/// The facts that a run of these options needs to be resumed on this machine.
pub(crate) fn local(options: &RunOptions) -> LocalFacts {
    let folder = Path::new(&options.suite);
    let is_folder = folder.join(bench_suite::MANIFEST).is_file();
    LocalFacts { suite: is_folder.then(|| std::path::absolute(folder).ok()).flatten() }
}

/// Whether suite and model are those of the earlier run.
pub(crate) fn same(earlier: &RunRecord, suite: &Suite, engine: &Engine) -> Result<(), RunError> {
    let differs = |what, before: &str, now: String| RunError::ResumeDiffers {
        run: earlier.id.to_string(),
        what,
        before: before.to_owned(),
        now,
    };
    let digest = suite.digest().to_string();
    if digest != earlier.suite.digest {
        return Err(differs("suite", &earlier.suite.digest, digest));
    }
    let model = public_name(&engine.model.id);
    if model != earlier.model.id && !earlier.model.id.is_empty() {
        return Err(differs("model", &earlier.model.id, model));
    }
    Ok(())
}

/// The record as it goes on: what is finished stays.
pub(crate) fn reopened(mut record: RunRecord, now: String) -> RunRecord {
    record.status = RunStatus::Incomplete;
    record.finished_at = None;
    record.resumed_at.push(now);
    record.workloads.retain(|workload| {
        // A failure is a finding too; only what was not tried is tried now.
        matches!(workload.status, WorkloadStatus::Completed | WorkloadStatus::Skipped | WorkloadStatus::Failed)
    });
    record.evals.retain(|eval| eval.status == EvalStatus::Completed);
    if record.trace.is_none() && !record.workloads.is_empty() {
        record.problems.push(Problem {
            code: "trace-incomplete".to_owned(),
            message: "the run was cut off while it measured; the trace of what came before that is lost".to_owned(),
            hint: None,
        });
    }
    record
}
