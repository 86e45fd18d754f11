//! A run from beginning to end. Data goes one way: suite, plan, encode, wire, trace, decode, metrics, record.

use std::path::{Path, PathBuf};

use bench_machine::conditions::Conditions;
use bench_machine::{Fingerprint, Found, ProcessCpu};
use bench_plugin::driver_types::Capability;
use bench_plugin::workload_types::{Decision, Facts, Phase};
use bench_record::{
    AbLink, Client, Endpoint, Note, PhaseRecord, PhaseStatus, Problem, RunId, RunRecord, RunStatus, Store,
    SuiteIdentity, WorkloadRecord, WorkloadStatus,
};
use bench_suite::Suite;
use bench_wire::Stop;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::calibrate::{CalibrationPlan, calibrate};
use crate::catalog::Catalog;
use crate::connect::{Connected, connect};
use crate::counters::Observed;
use crate::demand::Demand;
use crate::engine::Engine;
use crate::error::RunError;
use crate::identify;
use crate::options::{Params, RunOptions};
use crate::phase::{self, Context, Measuring};
use crate::preflight::{Pace, estimate, preflight};
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
    let records = run_sides(std::slice::from_ref(options), reporter, stop).await?;
    records.into_iter().next().ok_or(RunError::Stopped)
}

/// Runs a suite against two engines in turns: each repeat of each phase on both before the next one, and first on the one that was
/// second the time before, so that whatever drifts hits both alike. Each has a record of its own that names the other.
pub async fn run_ab(
    options: &[RunOptions; 2],
    reporter: &mut dyn Reporter,
    stop: &Stop,
) -> Result<Vec<RunRecord>, RunError> {
    run_sides(options, reporter, stop).await
}

async fn run_sides(
    options: &[RunOptions],
    reporter: &mut dyn Reporter,
    stop: &Stop,
) -> Result<Vec<RunRecord>, RunError> {
    let first = options.first().ok_or(RunError::Stopped)?;
    let params = Params::parse(&first.params)?;
    let suite = open_suite(&first.suite)?;
    let demand = Demand::new(first)?;
    for note in demand.notes() {
        reporter.update(Update::Note { code: "trace", text: note });
    }
    let catalog = Catalog::new(Some(first.folders.cache.join("compiled")));
    let mut connected = Vec::new();
    let mut result = Ok(());
    for options in options {
        match connect(&catalog, options, &params.driver, reporter).await {
            Ok(one) => connected.push(one),
            Err(error) => result = Err(error),
        }
    }
    let house = House { suite: &suite, catalog: &catalog, params: &params, demand: &demand, stop };
    let result = match result {
        Ok(()) => measure(&house, options, &mut connected, reporter).await,
        Err(error) => Err(error),
    };
    for one in connected {
        one.close().await;
    }
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

/// What the whole run shares.
struct House<'a> {
    suite: &'a Suite,
    catalog: &'a Catalog,
    params: &'a Params,
    demand: &'a Demand,
    stop: &'a Stop,
}

/// One engine under measurement, with its record.
struct Side<'a> {
    options: &'a RunOptions,
    engine: &'a mut Engine,
    facts: Facts,
    planned: Vec<Planned>,
    pace: Pace,
    seed: u64,
    nonce: u64,
    scratch: PathBuf,
    conditions: Conditions,
    record: RunRecord,
    trace: TraceLog,
    observed: Observed,
    /// Why nothing more is asked of it.
    gone: Option<Problem>,
}

async fn measure(
    house: &House<'_>,
    options: &[RunOptions],
    connected: &mut [Connected],
    reporter: &mut dyn Reporter,
) -> Result<Vec<RunRecord>, RunError> {
    let (nonce, _) = entropy()?;
    let mut sides = Vec::new();
    for (options, connected) in options.iter().zip(connected) {
        sides.push(Side::begin(house, options, connected, nonce, reporter).await?);
    }
    if let [a, b] = sides.as_mut_slice() {
        a.record.ab = Some(AbLink { other: b.record.id.clone(), side: "a".to_owned() });
        b.record.ab = Some(AbLink { other: a.record.id.clone(), side: "b".to_owned() });
    }
    let phases = sides.iter().flat_map(|side| side.planned.iter().flat_map(|planned| &planned.phases));
    let pace = sides.first().map(|side| side.pace);
    if let Some(pace) = pace {
        let (requests, seconds) = estimate(phases, pace);
        if house.demand.text().is_none() {
            reporter.update(Update::Estimate { seconds, requests });
        }
    }
    calibrate_sides(house, &mut sides, reporter).await?;
    let busy_from = ProcessCpu::sample();
    let total = sides.iter().map(|side| side.planned.len()).max().unwrap_or(0);
    for number in 0..total {
        for side in &mut sides {
            side.announce(number, total, reporter);
        }
        workload(house, &mut sides, number, reporter).await?;
        for side in &sides {
            side.store().save(&side.record)?;
        }
    }
    let busy = match (busy_from, ProcessCpu::sample()) {
        (Found::Present { value: from }, Found::Present { value: to }) => Some(to.since(&from)),
        _ => None,
    };
    let open_ns = sides.iter().map(|side| open_time(&side.record)).sum();
    let mut records = Vec::new();
    for side in sides {
        records.push(side.finish(house, busy.clone(), open_ns).await?);
    }
    Ok(records)
}

impl<'a> Side<'a> {
    async fn begin(
        house: &House<'_>,
        options: &'a RunOptions,
        connected: &'a mut Connected,
        nonce: u64,
        reporter: &mut dyn Reporter,
    ) -> Result<Self, RunError> {
        let (_, id) = entropy()?;
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
        let planned = workloads::plan(house.catalog, house.suite, options, house.params, &facts)?;
        let mut record = begin(options, house.params, house.suite, engine, id, nonce)?;
        record.simulated = simulated;
        record.load = house.demand.text();
        record.slo.clone_from(&options.slo);
        record.plugins.extend(planned.iter().map(|planned| assemble::plugin(&planned.identity)));
        let whereabouts = identify::whereabouts(engine).await;
        let own = own();
        let (machine, conditions) = tokio::join!(Fingerprint::capture(), Conditions::capture(&own));
        record.machine = Some(machine);
        record.host.exe_sha256 = identify::program(&options.folders).await;
        record.model = identify::model(engine, &whereabouts, &options.folders, reporter).await;
        record.endpoint.attribution = Some(whereabouts.attribution);
        let pace = preflight(engine, house.suite, nonce, house.stop).await?;
        let store = Store::new(&options.folders.runs);
        store.save(&record)?;
        let trace = TraceLog::create(&store, &record.id, engine.client.secrets().clone())?;
        let scratch = store.trace_path(&record.id).parent().map_or_else(std::env::temp_dir, Path::to_path_buf);
        let seed = options.seed.unwrap_or(nonce);
        Ok(Self {
            options,
            engine,
            facts,
            planned,
            pace,
            seed,
            nonce,
            scratch,
            conditions,
            record,
            trace,
            observed: Observed::default(),
            gone: None,
        })
    }

    /// The most streams that any phase will have at once.
    fn most_streams(&self, demand: &Demand) -> u32 {
        let phases = self.planned.iter().flat_map(|planned| &planned.phases);
        let streams = phases.filter_map(|phase| match &phase.decision {
            Decision::Run(run) => Some(demand.streams(run, self.pace)),
            Decision::Skip(_) => None,
        });
        streams.max().unwrap_or(1).clamp(1, 4096)
    }

    fn store(&self) -> Store {
        Store::new(&self.options.folders.runs)
    }

    fn announce(&self, number: usize, total: usize, reporter: &mut dyn Reporter) {
        if let Some(planned) = self.planned.get(number) {
            let title = &planned.workload.info().title;
            reporter.update(Update::Workload { label: &planned.label, title, number: number + 1, of: total });
        }
    }

    /// What a phase of the workload `number` needs.
    fn context<'c>(
        &'c mut self,
        house: &'c House<'_>,
        number: usize,
        params: &'c str,
        reporter: &'c mut dyn Reporter,
    ) -> Option<Context<'c>> {
        let planned = self.planned.get_mut(number)?;
        Some(Context {
            engine: self.engine,
            name: &planned.identity.name,
            workload: &mut planned.workload,
            suite: house.suite,
            params,
            facts: &self.facts,
            seed: self.seed,
            nonce: self.nonce,
            demand: house.demand,
            pace: self.pace,
            slo: self.options.slo.as_ref(),
            watch_every: self.options.watch_every,
            scratch: &self.scratch,
            reporter,
            stop: house.stop,
            trace: &mut self.trace,
            beside: &mut self.observed,
        })
    }

    async fn finish(
        mut self,
        house: &House<'_>,
        busy: Option<ProcessCpu>,
        open_ns: u64,
    ) -> Result<RunRecord, RunError> {
        let store = self.store();
        let calibrations = std::mem::take(&mut self.record.client.calibrations);
        self.record.client = Client { calibrations, ..client(busy, open_ns, self.trace.stamps()) };
        self.record.trace = Some(self.trace.finish()?);
        let after = Conditions::capture(&own()).await;
        self.record.condition_flags =
            Conditions::compare(&self.conditions, &after).into_iter().map(Note::from).collect();
        self.record.conditions_before = Some(self.conditions);
        self.record.conditions_after = Some(after);
        self.record.problems.extend(self.engine.trouble.take());
        finish(self.record, house.stop, &store)
    }
}

fn own() -> [u32; 1] {
    [std::process::id()]
}

/// Measures the client itself at the loads that are about to come: alone, and at the most streams that any phase has, at the
/// rate at which the engine sends. A run that cannot be published anyway goes without.
async fn calibrate_sides(
    house: &House<'_>,
    sides: &mut [Side<'_>],
    reporter: &mut dyn Reporter,
) -> Result<(), RunError> {
    let Some(first) = sides.first() else { return Ok(()) };
    if first.options.quick || first.record.simulated || house.stop.is_stopped() {
        return Ok(());
    }
    let gap_us = first.pace.gap_us();
    let most = first.most_streams(house.demand);
    let mut calibrations = Vec::new();
    for streams in [1, most].into_iter().filter(|streams| *streams == 1 || *streams == most) {
        if calibrations.iter().any(|done: &bench_record::Calibration| done.streams == streams) {
            continue;
        }
        reporter.update(Update::Note { code: "calibrating", text: "measuring the client's own error" });
        let plan = CalibrationPlan {
            streams,
            gap_us,
            events: (CALIBRATION_US / gap_us).clamp(20, 400) as u32,
            stamps: first.options.stamps,
            workers: first.options.workers,
            ..CalibrationPlan::default()
        };
        calibrations.push(calibrate(&plan).await?.calibration);
    }
    for side in sides {
        side.record.client.calibrations.clone_from(&calibrations);
    }
    Ok(())
}

/// How long the client is measured at a load, in microseconds.
const CALIBRATION_US: u64 = 1_500_000;

/// Runs one workload on all sides, phase by phase and repeat by repeat. What a plugin does wrong fails the workload of its side and
/// not the run.
async fn workload(
    house: &House<'_>,
    sides: &mut [Side<'_>],
    number: usize,
    reporter: &mut dyn Reporter,
) -> Result<(), RunError> {
    let mut works: Vec<Work> = Vec::new();
    for side in sides.iter_mut() {
        works.push(Work::new(side, number));
    }
    let phases = works.iter().map(|work| work.phases.len()).max().unwrap_or(0);
    for place in 0..phases {
        if house.stop.is_stopped() {
            break;
        }
        let mut repeats = 0;
        for (side, work) in sides.iter_mut().zip(&mut works) {
            work.begin(house, side, number, place, reporter).await?;
            repeats = repeats.max(work.repeats());
        }
        for repeat in 0..repeats {
            let mut order: Vec<usize> = (0..sides.len()).collect();
            if repeat % 2 == 1 {
                order.reverse();
            }
            for index in order {
                if let (Some(side), Some(work)) = (sides.get_mut(index), works.get_mut(index)) {
                    work.repeat(house, side, number, place, repeat, reporter).await?;
                }
            }
        }
        for (side, work) in sides.iter_mut().zip(&mut works) {
            work.end(house, side, number, reporter).await?;
        }
    }
    for (side, work) in sides.iter_mut().zip(works) {
        let done = work.finish(house, side, number);
        if done.status == WorkloadStatus::Failed {
            side.gone = absence(side.engine).await;
        }
        reporter.update(Update::WorkloadDone { workload: &done });
        side.record.workloads.push(done);
    }
    Ok(())
}

/// A workload on one side while it is measured.
struct Work {
    record: WorkloadRecord,
    params: String,
    phases: Vec<Phase>,
    current: Option<Measuring>,
    /// It goes no further.
    over: bool,
}

impl Work {
    fn new(side: &mut Side<'_>, number: usize) -> Self {
        let Some(planned) = side.planned.get_mut(number) else {
            return Self { record: nameless(), params: String::new(), phases: Vec::new(), current: None, over: true };
        };
        let (record, phases) = match &side.gone {
            Some(problem) => (untried(planned, problem.clone()), Vec::new()),
            None => (blank(planned), std::mem::take(&mut planned.phases)),
        };
        Self { record, params: planned.params_text(), phases, current: None, over: side.gone.is_some() }
    }

    fn repeats(&self) -> u32 {
        self.current.as_ref().map_or(0, Measuring::repeats)
    }

    async fn begin(
        &mut self,
        house: &House<'_>,
        side: &mut Side<'_>,
        number: usize,
        place: usize,
        reporter: &mut dyn Reporter,
    ) -> Result<(), RunError> {
        let Some(phase) = self.phases.get(place).filter(|_| !self.over).cloned() else { return Ok(()) };
        let Some(mut context) = side.context(house, number, &self.params, reporter) else { return Ok(()) };
        match phase::begin(&mut context, &phase).await {
            Ok(measuring) => self.current = Some(measuring),
            Err(error) => self.fail(side, error)?,
        }
        Ok(())
    }

    async fn repeat(
        &mut self,
        house: &House<'_>,
        side: &mut Side<'_>,
        number: usize,
        place: usize,
        repeat: u32,
        reporter: &mut dyn Reporter,
    ) -> Result<(), RunError> {
        let (Some(measuring), Some(phase)) = (&mut self.current, self.phases.get(place)) else { return Ok(()) };
        let Some(mut context) = side.context(house, number, &self.params, reporter) else { return Ok(()) };
        let done = phase::repeat(&mut context, phase, measuring, repeat).await;
        done.or_else(|error| self.fail(side, error))
    }

    async fn end(
        &mut self,
        house: &House<'_>,
        side: &mut Side<'_>,
        number: usize,
        reporter: &mut dyn Reporter,
    ) -> Result<(), RunError> {
        let Some(measuring) = self.current.take() else { return Ok(()) };
        let Some(mut context) = side.context(house, number, &self.params, reporter) else { return Ok(()) };
        match phase::finish(&mut context, measuring).await {
            Ok(done) => {
                reporter.update(Update::PhaseDone { phase: &done });
                let silent = done.status == PhaseStatus::Failed && done.summary.completed == 0;
                self.record.phases.push(done);
                // With nobody there, the other phases would fail in the same way, one time-out after the other.
                self.over |= silent && side.engine.is_there().await.is_err();
                Ok(())
            }
            Err(error) => self.fail(side, error),
        }
    }

    /// A record that cannot be written ends the run, anything else the workload.
    fn fail(&mut self, side: &Side<'_>, error: RunError) -> Result<(), RunError> {
        if matches!(error, RunError::Record(_)) {
            return Err(error);
        }
        self.record.status = WorkloadStatus::Failed;
        self.record.problem = Some(problem_of(side.engine, &error));
        self.current = None;
        self.over = true;
        Ok(())
    }

    /// The record with its verdict and what the workload says of itself.
    fn finish(self, house: &House<'_>, side: &mut Side<'_>, number: usize) -> WorkloadRecord {
        let mut record = self.record;
        if record.status == WorkloadStatus::Completed {
            (record.status, record.problem) = verdict(&record.phases, house.stop);
        }
        let measures = assemble::measures(&record.phases);
        if let Some(planned) = side.planned.get_mut(number).filter(|_| !measures.is_empty()) {
            match planned.workload.summarise(&measures) {
                Ok(summary) => (record.headline, record.curves) = assemble::summary(summary),
                Err(fault) => {
                    record.status = WorkloadStatus::Failed;
                    record.problem = Some(judge::of_fault(&fault));
                }
            }
        }
        record
    }
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

/// Stands in where a side has fewer workloads than the other, which cannot be: both run the same suite.
fn nameless() -> WorkloadRecord {
    WorkloadRecord {
        name: String::new(),
        label: String::new(),
        version: String::new(),
        params: Value::Null,
        status: WorkloadStatus::Cancelled,
        problem: None,
        phases: Vec::new(),
        headline: Vec::new(),
        curves: Vec::new(),
    }
}

fn untried(planned: &Planned, problem: Problem) -> WorkloadRecord {
    WorkloadRecord { status: WorkloadStatus::Cancelled, problem: Some(problem), ..blank(planned) }
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

fn open_time(record: &RunRecord) -> u64 {
    let windows = record.workloads.iter().flat_map(|workload| &workload.phases).flat_map(|phase| &phase.windows);
    windows.map(|window| window.closed_ns.saturating_sub(window.opened_ns)).sum()
}

/// What the measuring itself cost. The share is of one processor over the time that windows were open.
fn client(cpu: Option<ProcessCpu>, open_ns: u64, stamps: Stamps) -> Client {
    let share = cpu.as_ref().filter(|_| open_ns > 0).map(|used| used.total_seconds() / (open_ns as f64 / 1e9));
    let most = assemble::MOST_CLIENT_SHARE * stamps.workers().max(1) as f64;
    Client {
        cpu,
        cpu_share: share,
        workers: u32::try_from(stamps.workers()).ok().filter(|workers| *workers > 0),
        stamp_source: stamps.source().map(str::to_owned),
        longest_lag_ms: stamps.longest_lag_ms(),
        reads: stamps.reads(),
        merged_reads: stamps.merged(),
        late_share: stamps.late_share(),
        limited: share.is_some_and(|share| share > most),
        ..Client::default()
    }
}
