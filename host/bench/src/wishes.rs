//! From the command line to the wishes of a run.

use std::time::Duration;

use bench_record::EvalOptions;
use bench_run::{Proxy, RunError, RunOptions, Trust};

use crate::cli::RunArgs;
use crate::failure::Failure;
use crate::folders;

/// What a run is asked to do.
pub fn options(args: &RunArgs) -> Result<RunOptions, Failure> {
    let load = args.load.as_deref().map(str::parse).transpose().map_err(bench_run::RunError::from)?;
    let resumes = args.evals.resume.is_some();
    Ok(RunOptions {
        plugin: args.plugin.clone(),
        endpoint: args.endpoint.clone(),
        model: args.model.clone(),
        // A run that is gone on with has a suite.
        suite: args.suite.clone().unwrap_or_else(|| if resumes { String::new() } else { "suite-v1".to_owned() }),
        workloads: args.workload.clone(),
        quick: args.quick,
        repeats: args.repeats,
        params: args.params.clone(),
        launch: args.launch,
        api_key_env: args.route.api_key_env.clone(),
        allow_http_key: args.route.allow_http_key,
        trust: trust(args)?,
        proxy: args.route.proxy.as_deref().map(Proxy::parse).transpose().map_err(RunError::from)?,
        timeout: args.route.timeout.map(Duration::from_secs),
        seed: args.seed,
        load,
        duration: args.duration,
        requests: args.requests,
        max_in_flight: args.max_in_flight,
        slo: args.slo.clone(),
        stamps: args.stamps.into(),
        workers: args.workers.map(usize::from),
        waiting: crate::commands::waiting(args.busy_poll),
        mix: args.mix.clone(),
        watch_every: Some(args.watch).filter(|every| !every.is_zero()),
        evals: evals(args),
        judge: args.evals.judge.clone(),
        judge_plugin: args.evals.judge_plugin.clone(),
        judge_model: args.evals.judge_model.clone(),
        scorers: args.evals.scorers.clone(),
        resume: args.evals.resume.clone(),
        command: bench_machine::redact::command_line(&std::env::args().collect::<Vec<_>>()),
        folders: folders::folders(),
    })
}

/// The largest file of certificates that is read: 4 MiB.
const LARGEST_CERTIFICATES: u64 = 4 << 20;

fn trust(args: &RunArgs) -> Result<Trust, Failure> {
    match (&args.route.ca_cert, args.route.pin_cert, args.route.insecure) {
        (Some(file), ..) => {
            let pem = bench_files::read_bounded(file, LARGEST_CERTIFICATES)?;
            Ok(Trust::platform_and(&pem).map_err(RunError::from)?)
        }
        (None, Some(pin), _) => Ok(Trust::pinned(pin)),
        (None, None, true) => Ok(Trust::unverified()),
        (None, None, false) => Ok(Trust::platform()),
    }
}

/// Who names workloads alone wants no tasks, and the other way round.
fn evals(args: &RunArgs) -> EvalOptions {
    let wishes = &args.evals;
    let some = |list: &[String]| !list.is_empty();
    EvalOptions {
        tasks: wishes.task.clone(),
        only_evals: wishes.only_evals || (some(&wishes.task) && !some(&args.workload)),
        no_evals: wishes.no_evals || (some(&args.workload) && !some(&wishes.task) && !wishes.only_evals),
        limit: wishes.limit,
        repeats: args.repeats,
        reuse_prefixes: wishes.reuse_prefixes,
        concurrency: wishes.concurrency,
        max_cost: wishes.max_cost,
        max_seconds: wishes.max_time.map(|time| time.as_secs_f64()),
    }
}
