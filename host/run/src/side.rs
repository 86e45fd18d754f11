//! One engine under measurement: what is known of it before the first workload, and its record afterwards.

use std::path::{Path, PathBuf};

use bench_eval::Clock;
use bench_load::Waiting;
use bench_machine::conditions::Conditions;
use bench_machine::{Fingerprint, ProcessCpu};
use bench_plugin::driver_types::Capability;
use bench_plugin::workload_types::{Decision, Facts};
use bench_record::{
    AbLink, Client, Endpoint, EvalStatus, Note, Problem, RunId, RunRecord, RunStatus, Store, SuiteIdentity,
    WorkloadStatus,
};
use bench_suite::Suite;
use bench_wire::{Stamp, Stop};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::catalog::Catalog;
use crate::connect::Connected;
use crate::counters::Observed;
use crate::demand::Demand;
use crate::engine::Engine;
use crate::error::RunError;
use crate::evals::Tasks;
use crate::keep::save_record;
use crate::options::{Params, RunOptions};
use crate::phase::Context;
use crate::preflight::{Pace, preflight};
use crate::report::{Reporter, Update};
use crate::times::Times;
use crate::tracelog::{Stamps, TraceLog};
use crate::workloads::{self, Planned};
use crate::{assemble, identify, resume};

/// What the whole run shares.
pub(crate) struct House<'a> {
    pub(crate) suite: &'a Suite,
    pub(crate) catalog: &'a Catalog,
    pub(crate) params: &'a Params,
    pub(crate) demand: &'a Demand,
    pub(crate) stop: &'a Stop,
}

/// One engine under measurement, with its record.
pub(crate) struct Side<'a> {
    pub(crate) options: &'a RunOptions,
    pub(crate) engine: &'a mut Engine,
    pub(crate) facts: Facts,
    pub(crate) planned: Vec<Planned>,
    pub(crate) pace: Pace,
    pub(crate) seed: u64,
    pub(crate) nonce: u64,
    pub(crate) scratch: PathBuf,
    pub(crate) conditions: Conditions,
    pub(crate) record: RunRecord,
    /// The raw reads of the workloads; none where no workload is left.
    pub(crate) trace: Option<TraceLog>,
    pub(crate) observed: Observed,
    pub(crate) times: Times,
    /// Why nothing more is asked of it.
    pub(crate) gone: Option<Problem>,
}

/// Says in each of two records which the other one is.
pub(crate) fn link(sides: &mut [Side<'_>]) {
    if let [a, b] = sides {
        a.record.ab = Some(AbLink { other: b.record.id.clone(), side: "a".to_owned() });
        b.record.ab = Some(AbLink { other: a.record.id.clone(), side: "b".to_owned() });
    }
}

impl<'a> Side<'a> {
    pub(crate) async fn begin(
        house: &House<'_>,
        options: &'a RunOptions,
        connected: &'a mut Connected,
        nonce: u64,
        earlier: Option<RunRecord>,
        tasks: &Tasks<'_>,
        reporter: &mut dyn Reporter,
    ) -> Result<Self, RunError> {
        let (_, id) = entropy()?;
        let id =
            earlier.as_ref().map_or_else(|| RunId::from_parts(OffsetDateTime::now_utc(), id), |run| run.id.clone());
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
        let mut planned = match options.evals.only_evals {
            true => Vec::new(),
            false => workloads::plan(house.catalog, house.suite, options, house.params, &facts)?,
        };
        let mut record = match earlier {
            Some(run) => {
                resume::same(&run, house.suite, engine)?;
                let record = resume::reopened(run, timestamp());
                planned.retain(|one| !record.workloads.iter().any(|done| done.label == one.label));
                record
            }
            None => begin(options, house, engine, id, nonce)?,
        };
        record.simulated = simulated;
        record.eval_options = options.evals.clone();
        record.plugins.retain(|plugin| plugin.kind != "scorer");
        record.plugins.extend(tasks.identities(house.catalog));
        record.load = house.demand.text();
        record.slo.clone_from(&options.slo);
        for identity in planned.iter().map(|planned| assemble::plugin(&planned.identity)) {
            if !record.plugins.contains(&identity) {
                record.plugins.push(identity);
            }
        }
        let whereabouts = identify::whereabouts(engine).await;
        let own = own();
        let (machine, conditions) = tokio::join!(Fingerprint::capture(), Conditions::capture(&own));
        record.machine = Some(machine);
        record.host.exe_sha256 = identify::program(&options.folders).await;
        record.model = identify::model(engine, &whereabouts, &options.folders, reporter).await;
        record.endpoint.attribution = Some(whereabouts.attribution);
        let pace = preflight(engine, house.suite, nonce, house.stop).await?;
        let store = Store::new(&options.folders.runs);
        let secrets = engine.client.secrets().clone();
        save_record(&store, &secrets, &record)?;
        if record.resumed_at.is_empty() {
            store.save_local(&record.id, &resume::local(options))?;
        }
        let trace = match planned.is_empty() {
            true => None,
            false => Some(TraceLog::create(&store, &record.id, secrets)?),
        };
        let scratch = store.trace_path(&record.id).parent().map_or_else(std::env::temp_dir, Path::to_path_buf);
        let seed = record.suite.seed;
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
            times: Times::default(),
            gone: None,
        })
    }

    /// The most streams that any phase will have at once.
    pub(crate) fn most_streams(&self, demand: &Demand) -> u32 {
        let phases = self.planned.iter().flat_map(|planned| &planned.phases);
        let streams = phases.filter_map(|phase| match &phase.decision {
            Decision::Run(run) => Some(demand.streams(run, self.pace)),
            Decision::Skip(_) => None,
        });
        streams.max().unwrap_or(1).clamp(1, 4096)
    }

    pub(crate) fn store(&self) -> Store {
        Store::new(&self.options.folders.runs)
    }

    pub(crate) fn announce(&self, number: usize, total: usize, reporter: &mut dyn Reporter) {
        if let Some(planned) = self.planned.get(number) {
            let title = &planned.workload.info().title;
            reporter.update(Update::Workload { label: &planned.label, title, number: number + 1, of: total });
        }
    }

    /// What a phase of the workload `number` needs.
    pub(crate) fn context<'c>(
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
            trace: self.trace.as_mut()?,
            beside: &mut self.observed,
            times: &mut self.times,
        })
    }

    /// Closes what the workloads left open: from here on nothing is measured. The record is stored with it, so that whatever ends
    /// the eval tasks leaves the measurements whole.
    pub(crate) async fn close(&mut self, busy: Option<ProcessCpu>, open_ns: u64) -> Result<(), RunError> {
        let Some(trace) = self.trace.take() else { return Ok(()) };
        let calibrations = std::mem::take(&mut self.record.client.calibrations);
        self.record.client = Client { calibrations, ..client(busy, open_ns, trace.stamps(), self.options.waiting) };
        self.record.trace = Some(trace.finish()?);
        let after = Conditions::capture(&own()).await;
        self.record.condition_flags =
            Conditions::compare(&self.conditions, &after).into_iter().map(Note::from).collect();
        self.record.conditions_before = Some(self.conditions.clone());
        self.record.conditions_after = Some(after);
        save_record(&self.store(), self.engine.client.secrets(), &self.record)
    }

    pub(crate) fn finish(mut self, house: &House<'_>) -> Result<RunRecord, RunError> {
        self.record.problems.extend(self.engine.trouble.take());
        self.record.left_out = self.engine.left_out();
        let store = self.store();
        let record = finish(self.record, house.stop);
        save_record(&store, self.engine.client.secrets(), &record)?;
        Ok(record)
    }
}

/// Now, on both clocks.
pub(crate) fn clock() -> Clock {
    Clock { date: OffsetDateTime::now_utc(), stamp: Stamp::now() }
}

pub(crate) fn entropy() -> Result<(u64, [u8; 4]), RunError> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(|error| RunError::Random(error.to_string()))?;
    let [a, b, c, d, e, f, g, h, id @ ..] = bytes;
    Ok((u64::from_le_bytes([a, b, c, d, e, f, g, h]), id))
}

fn own() -> [u32; 1] {
    [std::process::id()]
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
    house: &House<'_>,
    engine: &Engine,
    id: RunId,
    nonce: u64,
) -> Result<RunRecord, RunError> {
    let manifest = house.suite.manifest();
    let identity = SuiteIdentity {
        name: manifest.name.clone(),
        version: manifest.version.to_string(),
        digest: house.suite.digest().to_string(),
        quick: options.quick,
        seed: options.seed.unwrap_or(nonce),
        params: assemble::params(engine, &house.params.driver),
        lock: house.catalog.shelf().suite_lock(&options.suite).map(str::to_owned),
    };
    let endpoint =
        Endpoint { url: engine.line.endpoint.to_string(), route: engine.line.reach.record(), ..Endpoint::default() };
    let host = assemble::host_build();
    let mut record = RunRecord::begin(id, timestamp(), host, identity, endpoint, bench_record::Model::default());
    record.command.clone_from(&options.command);
    record.backend = Some(assemble::backend(engine));
    record.plugins.push(assemble::plugin(&engine.line.identity));
    Ok(record)
}

pub(crate) fn open_time(record: &RunRecord) -> u64 {
    let windows = record.workloads.iter().flat_map(|workload| &workload.phases).flat_map(|phase| &phase.windows);
    windows.map(|window| window.closed_ns.saturating_sub(window.opened_ns)).sum()
}

/// What the measuring itself cost. The share is of one processor over the time that windows were open.
fn client(cpu: Option<ProcessCpu>, open_ns: u64, stamps: Stamps, waiting: Waiting) -> Client {
    let share = cpu.as_ref().filter(|_| open_ns > 0).map(|used| used.total_seconds() / (open_ns as f64 / 1e9));
    let busy_poll = waiting == Waiting::Poll;
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
        limited: !busy_poll && share.is_some_and(|share| share > most),
        busy_poll,
        ..Client::default()
    }
}

fn timestamp() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}

fn finish(mut record: RunRecord, stop: &Stop) -> RunRecord {
    let failed = record.workloads.iter().any(|workload| workload.status == WorkloadStatus::Failed)
        || record.evals.iter().any(|eval| eval.status == EvalStatus::Failed);
    let partial = record.evals.iter().any(|eval| eval.status == EvalStatus::Partial);
    record.status = if stop.is_stopped() {
        RunStatus::Cancelled
    } else if failed {
        RunStatus::Failed
    } else if partial {
        RunStatus::Incomplete
    } else {
        RunStatus::Completed
    };
    record.finished_at = Some(timestamp());
    record.publishable = bench_record::assess(&record);
    record
}
