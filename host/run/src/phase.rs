//! One phase: warmed up, measured in repeats, summed up.
//!
//! The repeats are steps of their own, so that two engines can be measured in turns.

use std::path::Path;
use std::time::Duration;

use bench_eval::policy::GIVEN_UP;
use bench_metrics::Slo;
use bench_metrics::saturation::{Next, Step as SweepState, SweepPlan, next as next_step};
use bench_plugin::Workload;
use bench_plugin::driver_types::Counter;
use bench_plugin::workload_types::{Decision, Facts, Phase, Run};
use bench_record::{
    PhaseRecord, PhaseStatus, Problem, RequestRecord, RequestStatus, StageRecord, SweepRecord, Variable,
};
use bench_suite::Suite;
use bench_wire::Stop;

use crate::counters::{self, Observed};
use crate::demand::{Burst, Demand, Load};
use crate::engine::Engine;
use crate::error::RunError;
use crate::preflight::Pace;
use crate::report::{Reporter, Update};
use crate::sessions::{Batch, execute};
use crate::times::Times;
use crate::tracelog::TraceLog;

/// What a phase needs of its run.
pub(crate) struct Context<'a> {
    pub(crate) engine: &'a mut Engine,
    pub(crate) workload: &'a mut Workload,
    pub(crate) suite: &'a Suite,
    pub(crate) name: &'a str,
    pub(crate) params: &'a str,
    pub(crate) facts: &'a Facts,
    /// Makes prompts; may be fixed by the user.
    pub(crate) seed: u64,
    /// Makes salts; never the same twice.
    pub(crate) nonce: u64,
    pub(crate) demand: &'a Demand,
    pub(crate) pace: Pace,
    pub(crate) slo: Option<&'a Slo>,
    /// How often to look at the server's own metrics.
    pub(crate) watch_every: Option<Duration>,
    /// Where a window may keep what does not fit into memory.
    pub(crate) scratch: &'a Path,
    pub(crate) reporter: &'a mut dyn Reporter,
    pub(crate) stop: &'a Stop,
    pub(crate) trace: &'a mut TraceLog,
    pub(crate) beside: &'a mut Observed,
    pub(crate) times: &'a mut Times,
}

/// A phase that is being measured.
pub(crate) struct Measuring {
    pub(crate) record: PhaseRecord,
    /// `None` for a phase that is skipped.
    work: Option<Work>,
}

struct Work {
    run: Run,
    load: Load,
    before: Vec<Counter>,
    /// A request has come through. Without one more of the same is pointless.
    alive: bool,
}

impl Measuring {
    /// Repeats that are wanted.
    pub(crate) fn repeats(&self) -> u32 {
        self.work.as_ref().map_or(0, |work| work.load.repeats)
    }
}

/// Plans a phase and warms the engine up.
pub(crate) async fn begin(context: &mut Context<'_>, phase: &Phase) -> Result<Measuring, RunError> {
    let mut record = empty(phase);
    let run = match &phase.decision {
        Decision::Skip(reason) => {
            record.status = PhaseStatus::Skipped;
            record.skip_reason = Some(reason.clone());
            return Ok(Measuring { record, work: None });
        }
        Decision::Run(run) => run.clone(),
    };
    let load = context.demand.of(context.name, phase, &run, context.pace)?;
    record.shape = Some(load.record());
    record.repeats = load.repeats;
    record.warmup_sessions = load.warmup_sessions();
    let mut alive = true;
    if let Some(burst) = load.warming() {
        let batch = Batch { warmup: true, repeat: 0, first: 0, first_stage: 0 };
        alive = measure(context, phase, &run, &load, burst, batch, &mut record).await?;
    }
    let before = context.engine.counters().await?;
    Ok(Measuring { record, work: Some(Work { run, load, before, alive }) })
}

/// Measures one repeat.
pub(crate) async fn repeat(
    context: &mut Context<'_>,
    phase: &Phase,
    measuring: &mut Measuring,
    repeat: u32,
) -> Result<(), RunError> {
    let Some(work) = &mut measuring.work else { return Ok(()) };
    if !work.alive || context.stop.is_stopped() || repeat >= work.load.repeats {
        return Ok(());
    }
    let record = &mut measuring.record;
    if let Some(sweep) = context.demand.sweep() {
        let plan = SweepPlan { from: sweep.from.per_second(), to: sweep.to.per_second(), ..SweepPlan::default() };
        return self::sweep(context, phase, work, record, plan).await;
    }
    let burst = work.load.burst(context.seed ^ (u64::from(repeat) << 32))?;
    let batch = Batch { warmup: false, repeat, first: repeat * burst.sessions, first_stage: 0 };
    let stages = burst.stages.clone();
    work.alive = measure(context, phase, &work.run, &work.load, burst, batch, record).await?;
    if repeat == 0 {
        let opened_ns = record.windows.last().map_or(0, |window| window.opened_ns);
        record.stages = stages.iter().map(|stage| stage_record(stage, opened_ns)).collect();
    }
    Ok(())
}

/// Sums the phase up.
pub(crate) async fn finish(context: &mut Context<'_>, measuring: Measuring) -> Result<PhaseRecord, RunError> {
    let Measuring { mut record, work } = measuring;
    let Some(work) = work else { return Ok(record) };
    if work.alive {
        let after = context.engine.counters().await?;
        record.telemetry = counters::deltas(&work.before, &after);
    }
    record.server_series = std::mem::take(context.beside).finish();
    let times = std::mem::take(context.times);
    times.sum_up(&mut record, context.slo);
    (record.status, record.problem) = verdict(&record.requests, context.stop);
    Ok(record)
}

/// Runs a burst; `false` when not one request came through.
async fn measure(
    context: &mut Context<'_>,
    phase: &Phase,
    run: &Run,
    load: &Load,
    burst: Burst,
    batch: Batch,
    record: &mut PhaseRecord,
) -> Result<bool, RunError> {
    let judged = execute(context, phase, load, burst, batch, run.turns, record).await?;
    // A server that gives its answers up is there: how often it does is what the phase shows.
    let answers = |judged: &RequestRecord| {
        let given_up = judged.problem.as_ref().is_some_and(|problem| problem.code == GIVEN_UP);
        judged.status == RequestStatus::Completed || given_up
    };
    let any = judged.iter().any(answers);
    record.requests.extend(judged);
    Ok(any)
}

/// One rate after the other until the server no longer keeps up, and then between the two.
async fn sweep(
    context: &mut Context<'_>,
    phase: &Phase,
    work: &mut Work,
    record: &mut PhaseRecord,
    plan: SweepPlan,
) -> Result<(), RunError> {
    let Some(wanted) = context.demand.sweep() else { return Ok(()) };
    let mut steps: Vec<SweepState> = Vec::new();
    let mut first = 0;
    let end = loop {
        let rate = match next_step(&plan, &steps) {
            Next::Done(result) => break Some(result),
            Next::Try(_) if context.stop.is_stopped() => break None,
            Next::Try(rate) => rate,
        };
        let Some(load) = context.demand.step(wanted, rate) else { break None };
        context.reporter.update(Update::Note { code: "sweep-step", text: &format!("{rate:.3} requests per second") });
        let burst = load.burst(context.seed ^ ((steps.len() as u64) << 32))?;
        let stage = steps.len() as u32;
        let sessions = burst.sessions;
        let ends_ns = burst.stages.last().map_or(0, |stage| stage.to_ns);
        let batch = Batch { warmup: false, repeat: 0, first, first_stage: stage };
        work.alive = measure(context, phase, &work.run, &load, burst, batch, record).await?;
        first += sessions;
        let opened_ns = record.windows.last().map_or(0, |window| window.opened_ns);
        record.stages.push(StageRecord {
            name: format!("{rate:.3}-per-s"),
            asked_rate: Some(rate),
            opened_ns,
            closed_ns: opened_ns + ends_ns,
            ..StageRecord::default()
        });
        steps.push(SweepState::of(rate, &record.timed(Some(stage)), context.slo));
    };
    // A search that was stopped has found nothing.
    record.sweep = end.map(|result| SweepRecord { plan, steps, result });
    Ok(())
}

fn stage_record(stage: &bench_load::Stage, opened_ns: u64) -> StageRecord {
    StageRecord {
        name: stage.name.clone(),
        asked_rate: stage.rate(),
        opened_ns: opened_ns.saturating_add(stage.from_ns),
        closed_ns: opened_ns.saturating_add(stage.to_ns),
        ..StageRecord::default()
    }
}

fn empty(phase: &Phase) -> PhaseRecord {
    let variables = phase.variables.iter().map(|variable| Variable {
        name: variable.name.clone(),
        value: variable.value,
        unit: variable.unit.clone(),
    });
    PhaseRecord { id: phase.id.clone(), variables: variables.collect(), ..PhaseRecord::default() }
}

/// A phase is complete when every measured request is. The first failure speaks for the phase.
fn verdict(requests: &[RequestRecord], stop: &Stop) -> (PhaseStatus, Option<Problem>) {
    let failed = requests.iter().find(|request| request.status == RequestStatus::Failed);
    let failed = failed.or_else(|| requests.iter().find(|request| request.status != RequestStatus::Completed));
    let problem = failed.and_then(|request| request.problem.clone());
    match (problem, requests.iter().any(|request| !request.warmup)) {
        _ if stop.is_stopped() => (PhaseStatus::Cancelled, None),
        (None, true) => (PhaseStatus::Completed, None),
        (None, false) => (
            PhaseStatus::Skipped,
            Some(Problem { code: "no-turns".to_owned(), message: "every turn was skipped".to_owned(), hint: None }),
        ),
        (Some(problem), _) => (PhaseStatus::Failed, Some(problem)),
    }
}
