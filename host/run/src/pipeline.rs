//! A run from beginning to end. Data goes one way: suite, plan, encode, wire, trace, decode, metrics, record.

use std::path::Path;

use bench_machine::conditions::Conditions;
use bench_machine::{Fingerprint, Found, ProcessCpu};
use bench_plugin::driver_types::Capability;
use bench_plugin::workload_types::Facts;
use bench_record::{
    Client, Endpoint, Note, PhaseRecord, PhaseStatus, Problem, RunId, RunRecord, RunStatus, Store, SuiteIdentity,
    WorkloadRecord, WorkloadStatus,
};
use bench_suite::Suite;
use bench_wire::Stop;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::calibrate::{CalibrationPlan, calibrate};
use crate::catalog::Catalog;
use crate::connect::{Connected, connect};
use crate::engine::Engine;
use crate::error::RunError;
use crate::identify;
use crate::options::{Params, RunOptions};
use crate::phase::{self, Context};
use crate::preflight::{estimate, preflight};
use crate::report::{Reporter, Update};
use crate::tracelog::{Stamps, TraceLog};
use crate::workloads::{self, Planned};
use crate::{assemble, judge};

/// The suite that the options name: a folder, or one that the binary carries.
pub fn open_suite(reference: &str) -> Result<Suite, RunError> {
    if reference.contains(['/', '\\']) || Path::new(reference).join(bench_suite::MANIFEST).is_file() {
        return Ok(Suite::load(Path::new(reference))?);
    }
    let embedded = bench_registry::suite(reference)?;
    let files = embedded.files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
    Ok(Suite::from_files(&files)?)
}

/// Runs a suite against an engine and stores the record. What the engine does wrong is in the record; an error here means
/// that there is none worth keeping.
pub async fn run(options: &RunOptions, reporter: &mut dyn Reporter, stop: &Stop) -> Result<RunRecord, RunError> {
    let params = Params::parse(&options.params)?;
    let suite = open_suite(&options.suite)?;
    let catalog = Catalog::new(Some(options.folders.cache.join("compiled")));
    let mut connected = connect(&catalog, options, &params.driver, reporter).await?;
    let result = measure(options, &params, &suite, &catalog, &mut connected, reporter, stop).await;
    connected.close().await;
    result
}

fn entropy() -> Result<(u64, [u8; 4]), RunError> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(|error| RunError::Random(error.to_string()))?;
    let [a, b, c, d, e, f, g, h, id @ ..] = bytes;
    Ok((u64::from_le_bytes([a, b, c, d, e, f, g, h]), id))
}

fn timestamp() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}

async fn measure(
    options: &RunOptions,
    params: &Params,
    suite: &Suite,
    catalog: &Catalog,
    connected: &mut Connected,
    reporter: &mut dyn Reporter,
    stop: &Stop,
) -> Result<RunRecord, RunError> {
    let (nonce, id) = entropy()?;
    let id = RunId::from_parts(OffsetDateTime::now_utc(), id);
    let simulated = connected.sim.is_some() || is_simulation(&connected.engine).await;
    let engine = &mut connected.engine;
    announce(engine, reporter);
    let facts = Facts {
        model: engine.model.id.clone(),
        context_length: engine.model.context_length,
        slots: engine.backend.slots,
        tools: engine.can(Capability::Tools),
        quick: options.quick,
    };
    let mut planned = workloads::plan(catalog, suite, options, params, &facts)?;
    let mut record = begin(options, params, suite, engine, id, nonce)?;
    record.simulated = simulated;
    record.plugins.extend(planned.iter().map(|planned| assemble::plugin(&planned.identity)));
    let whereabouts = identify::whereabouts(engine).await;
    let own = [std::process::id()];
    let (machine, conditions) = tokio::join!(Fingerprint::capture(), Conditions::capture(&own));
    record.machine = Some(machine);
    record.host.exe_sha256 = identify::program(&options.folders).await;
    record.model = identify::model(engine, &whereabouts, &options.folders, reporter).await;
    record.endpoint.attribution = Some(whereabouts.attribution);

    let pace = preflight(engine, suite, nonce, stop).await?;
    let (requests, seconds) = estimate(planned.iter().flat_map(|planned| &planned.phases), pace);
    reporter.update(Update::Estimate { seconds, requests });

    let store = Store::new(&options.folders.runs);
    store.save(&record)?;
    let mut trace = TraceLog::create(&store, &record.id, engine.client.secrets().clone())?;
    if !options.quick && !simulated {
        record.client.calibration = Some(calibrate(&CalibrationPlan::SHORT).await?);
    }
    let busy_from = ProcessCpu::sample();
    let seed = options.seed.unwrap_or(nonce);
    let mut gone: Option<Problem> = None;
    let total = planned.len();
    for (number, planned) in planned.iter_mut().enumerate() {
        let title = planned.workload.info().title.clone();
        reporter.update(Update::Workload { label: &planned.label, title: &title, number: number + 1, of: total });
        let done = match &gone {
            Some(problem) => untried(planned, problem.clone()),
            None => {
                let setting = Setting { suite, facts: &facts, seed, nonce, stop };
                let done = workload(&setting, engine, planned, &mut trace, reporter).await?;
                if done.status == WorkloadStatus::Failed {
                    gone = absence(engine).await;
                }
                done
            }
        };
        reporter.update(Update::WorkloadDone { workload: &done });
        record.workloads.push(done);
        store.save(&record)?;
    }
    record.client =
        Client { calibration: record.client.calibration.take(), ..client(&busy_from, &record, trace.stamps()) };
    record.trace = Some(trace.finish()?);
    let after = Conditions::capture(&own).await;
    record.condition_flags = Conditions::compare(&conditions, &after).into_iter().map(Note::from).collect();
    record.conditions_before = Some(conditions);
    record.conditions_after = Some(after);
    record.problems.extend(engine.trouble.take());
    finish(record, stop, &store)
}

fn finish(mut record: RunRecord, stop: &Stop, store: &Store) -> Result<RunRecord, RunError> {
    let failed = record.workloads.iter().any(|workload| workload.status == WorkloadStatus::Failed);
    record.status = if stop.is_stopped() {
        RunStatus::Cancelled
    } else if failed {
        RunStatus::Failed
    } else {
        RunStatus::Completed
    };
    record.finished_at = Some(timestamp());
    record.publishable = bench_record::assess(&record);
    store.save(&record)?;
    Ok(record)
}

fn announce(engine: &Engine, reporter: &mut dyn Reporter) {
    reporter.update(Update::Connected {
        title: &engine.line.driver.info().title,
        endpoint: &engine.line.endpoint.to_string(),
        version: engine.backend.version.as_deref(),
        model: &engine.model.id,
        context_length: engine.model.context_length,
    });
}

/// Does a simulation of ours answer, also one that somebody else started? Only asked on this machine.
async fn is_simulation(engine: &Engine) -> bool {
    let request = bench_plugin::types::HttpRequest {
        method: "GET".to_owned(),
        path: "/bench-sim/config".to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let says_so = |answer: &bench_plugin::types::HttpResponse| {
        let server = answer.headers.iter().find(|header| header.name == "server");
        answer.status == 200 && server.is_some_and(|header| header.value.starts_with("bench-sim"))
    };
    engine.line.endpoint.is_loopback() && engine.line.send(request).await.is_ok_and(|answer| says_so(&answer))
}

fn begin(
    options: &RunOptions,
    params: &Params,
    suite: &Suite,
    engine: &Engine,
    id: RunId,
    nonce: u64,
) -> Result<RunRecord, RunError> {
    let manifest = suite.manifest();
    let identity = SuiteIdentity {
        name: manifest.name.clone(),
        version: manifest.version.to_string(),
        digest: suite.digest().to_string(),
        quick: options.quick,
        seed: options.seed.unwrap_or(nonce),
        params: assemble::params(engine, &params.driver),
    };
    let endpoint = Endpoint { url: engine.line.endpoint.to_string(), ..Endpoint::default() };
    let host = assemble::host_build();
    let mut record = RunRecord::begin(id, timestamp(), host, identity, endpoint, bench_record::Model::default());
    record.command.clone_from(&options.command);
    record.backend = Some(assemble::backend(engine));
    record.plugins.push(assemble::plugin(&engine.line.identity));
    Ok(record)
}

/// What all workloads of a run share.
struct Setting<'a> {
    suite: &'a Suite,
    facts: &'a Facts,
    seed: u64,
    nonce: u64,
    stop: &'a Stop,
}

fn blank(planned: &Planned) -> WorkloadRecord {
    let info = planned.workload.info();
    WorkloadRecord {
        name: info.name.clone(),
        label: planned.label.clone(),
        version: info.version.clone(),
        params: Value::Object(planned.params.clone()),
        status: WorkloadStatus::Completed,
        problem: None,
        phases: Vec::new(),
        headline: Vec::new(),
        curves: Vec::new(),
    }
}

fn untried(planned: &Planned, problem: Problem) -> WorkloadRecord {
    WorkloadRecord { status: WorkloadStatus::Cancelled, problem: Some(problem), ..blank(planned) }
}

/// Runs one workload. What its plugin or the driver does wrong fails the workload and not the run.
async fn workload(
    setting: &Setting<'_>,
    engine: &mut Engine,
    planned: &mut Planned,
    trace: &mut TraceLog,
    reporter: &mut dyn Reporter,
) -> Result<WorkloadRecord, RunError> {
    let mut record = blank(planned);
    let params = planned.params_text();
    for phase in std::mem::take(&mut planned.phases) {
        if setting.stop.is_stopped() {
            break;
        }
        let mut context = Context {
            engine,
            workload: &mut planned.workload,
            suite: setting.suite,
            name: &record.name,
            params: &params,
            facts: setting.facts,
            seed: setting.seed,
            nonce: setting.nonce,
            reporter,
            stop: setting.stop,
            trace,
        };
        match phase::run(&mut context, &phase).await {
            Ok(done) => {
                reporter.update(Update::PhaseDone { phase: &done });
                let silent = done.status == PhaseStatus::Failed && done.summary.completed == 0;
                record.phases.push(done);
                // With nobody there, the other phases would fail in the same way, one time-out after the other.
                if silent && engine.is_there().await.is_err() {
                    break;
                }
            }
            Err(error @ RunError::Record(_)) => return Err(error),
            Err(error) => {
                record.status = WorkloadStatus::Failed;
                record.problem = Some(problem_of(engine, &error));
                break;
            }
        }
    }
    if record.status == WorkloadStatus::Completed {
        (record.status, record.problem) = verdict(&record.phases, setting.stop);
    }
    let measures = assemble::measures(&record.phases);
    if !measures.is_empty() {
        match planned.workload.summarise(&measures) {
            Ok(summary) => (record.headline, record.curves) = assemble::summary(summary),
            Err(fault) => {
                record.status = WorkloadStatus::Failed;
                record.problem = Some(judge::of_fault(&fault));
            }
        }
    }
    Ok(record)
}

fn problem_of(engine: &Engine, error: &RunError) -> Problem {
    Problem {
        code: error.code().to_owned(),
        message: engine.redact(&error.to_string()),
        hint: error.hint().map(|hint| engine.redact(&hint)),
    }
}

/// A workload failed when any phase did; it was skipped when all were.
fn verdict(phases: &[PhaseRecord], stop: &Stop) -> (WorkloadStatus, Option<Problem>) {
    if stop.is_stopped() {
        return (WorkloadStatus::Cancelled, None);
    }
    if let Some(failed) = phases.iter().find(|phase| phase.status == PhaseStatus::Failed) {
        return (WorkloadStatus::Failed, failed.problem.clone());
    }
    if phases.iter().any(|phase| phase.status == PhaseStatus::Completed) {
        return (WorkloadStatus::Completed, None);
    }
    let reason = phases.iter().find_map(|phase| phase.skip_reason.clone());
    let problem = reason.map(|message| Problem { code: "skipped".to_owned(), message, hint: None });
    (WorkloadStatus::Skipped, problem)
}

async fn absence(engine: &mut Engine) -> Option<Problem> {
    let error = engine.is_there().await.err()?;
    Some(problem_of(engine, &error))
}

/// What the measuring itself cost. The share is of one processor over the time that windows were open.
fn client(from: &Found<ProcessCpu>, record: &RunRecord, stamps: Stamps) -> Client {
    let stamped = Client {
        stamp_source: stamps.source().map(str::to_owned),
        longest_lag_ms: stamps.longest_lag_ms(),
        ..Client::default()
    };
    let (Found::Present { value: from }, Found::Present { value: to }) = (from, ProcessCpu::sample()) else {
        return stamped;
    };
    let used = to.since(from);
    let windows = record.workloads.iter().flat_map(|workload| &workload.phases).flat_map(|phase| &phase.windows);
    let open: u64 = windows.map(|window| window.closed_ns.saturating_sub(window.opened_ns)).sum();
    let share = (open > 0).then(|| used.total_seconds() / (open as f64 / 1e9));
    Client {
        cpu: Some(used),
        cpu_share: share,
        limited: share.is_some_and(|share| share > assemble::MOST_CLIENT_SHARE),
        ..stamped
    }
}
