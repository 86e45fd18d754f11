//! One phase: plan, warm up, measure, judge.
//!
//! Guest code plans and judges; in between it is handed to the window as a hostage ([`bench_load::measure`]), and the
//! borrow checker sees to it that nobody can call it there.

use std::num::NonZeroU32;

use bench_load::{Shape, measure};
use bench_plugin::Workload;
use bench_plugin::workload_types::{
    Decision, Facts, Outcome, Phase, Run, SessionKey, Shape as Wanted, SkippedTurn, Step,
};
use bench_record::{
    CounterDelta, PhaseRecord, PhaseStatus, Problem, RequestRecord, RequestStatus, ShapeRecord, Variable, Window,
};
use bench_suite::Suite;
use bench_wire::{Prepared, Progress, Stop};

use crate::engine::Engine;
use crate::error::RunError;
use crate::judge::{Judged, Place, Sent, judge};
use crate::prompt::{self, Ready};
use crate::report::{Reporter, Update};
use crate::tracelog::TraceLog;

/// Most turns that a session may have, and most sessions of a phase: a plugin that wants more is broken.
const MOST_TURNS: u32 = 1000;
const MOST_SESSIONS: u32 = 100_000;

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
    pub(crate) reporter: &'a mut dyn Reporter,
    pub(crate) stop: &'a Stop,
    pub(crate) trace: &'a mut TraceLog,
}

/// Sessions that are run in one go.
#[derive(Debug, Clone, Copy)]
struct Batch {
    warmup: bool,
    repeat: u32,
    first: u32,
    sessions: u32,
}

/// Runs a phase to its record. An error is a failure of the host's or of a plugin's; what the engine does wrong ends up in
/// the record.
pub(crate) async fn run(context: &mut Context<'_>, phase: &Phase) -> Result<PhaseRecord, RunError> {
    let mut record = empty(phase);
    let run = match &phase.decision {
        Decision::Skip(reason) => {
            record.status = PhaseStatus::Skipped;
            record.skip_reason = Some(reason.clone());
            return Ok(record);
        }
        Decision::Run(run) => run,
    };
    let shape = check(context.name, phase, run)?;
    record.shape = Some(match shape {
        Shape::Sequential => ShapeRecord::Sequential,
        Shape::ClosedLoop { streams } => ShapeRecord::ClosedLoop { streams: streams.get() },
    });
    record.repeats = run.repeats;
    record.warmup_sessions = run.warmup_sessions;
    let warmup = Batch { warmup: true, repeat: 0, first: 0, sessions: run.warmup_sessions };
    let mut alive = run.warmup_sessions == 0 || execute(context, phase, run, shape, warmup, &mut record).await?;
    let before = context.engine.counters().await?;
    for repeat in 0..run.repeats {
        if !alive || context.stop.is_stopped() {
            break;
        }
        let batch = Batch { warmup: false, repeat, first: repeat * run.sessions, sessions: run.sessions };
        alive = execute(context, phase, run, shape, batch, &mut record).await?;
    }
    if alive {
        let after = context.engine.counters().await?;
        record.telemetry = deltas(&before, &after);
    }
    record.summary = record.summarise();
    record.prompt_fit = PhaseRecord::fit_of(&record.requests);
    (record.status, record.problem) = verdict(&record.requests, context.stop);
    Ok(record)
}

fn empty(phase: &Phase) -> PhaseRecord {
    let variables = phase.variables.iter().map(|variable| Variable {
        name: variable.name.clone(),
        value: variable.value,
        unit: variable.unit.clone(),
    });
    PhaseRecord {
        id: phase.id.clone(),
        variables: variables.collect(),
        status: PhaseStatus::Completed,
        skip_reason: None,
        problem: None,
        shape: None,
        repeats: 0,
        warmup_sessions: 0,
        prompt_fit: None,
        windows: Vec::new(),
        requests: Vec::new(),
        skipped_turns: Vec::new(),
        summary: bench_metrics::summarise(&[], &[]),
        telemetry: Vec::new(),
    }
}

fn check(workload: &str, phase: &Phase, run: &Run) -> Result<Shape, RunError> {
    let bad = |reason: String| RunError::BadPlan { workload: workload.to_owned(), reason };
    let total = u64::from(run.sessions) * u64::from(run.repeats) + u64::from(run.warmup_sessions);
    if run.sessions == 0 || run.repeats == 0 {
        return Err(bad(format!("phase `{}` measures nothing", phase.id)));
    }
    if total > u64::from(MOST_SESSIONS) {
        return Err(bad(format!("phase `{}` has {total} sessions; at most {MOST_SESSIONS} are run", phase.id)));
    }
    match &run.shape {
        Wanted::Sequential => Ok(Shape::Sequential),
        Wanted::ClosedLoop(streams) => {
            let streams = NonZeroU32::new(*streams).ok_or_else(|| bad("a closed loop of no streams".to_owned()))?;
            Ok(Shape::ClosedLoop { streams })
        }
        Wanted::Other(name) => {
            Err(bad(format!("phase `{}` wants the load shape {name}, which is not known", phase.id)))
        }
    }
}

/// Runs a batch of sessions; `false` when not one request came through, so that more of the same is pointless.
async fn execute(
    context: &mut Context<'_>,
    phase: &Phase,
    run: &Run,
    shape: Shape,
    batch: Batch,
    record: &mut PhaseRecord,
) -> Result<bool, RunError> {
    let judged = if shape == Shape::Sequential && run.turns > 1 {
        turn_by_turn(context, phase, batch, record).await?
    } else {
        at_once(context, phase, run, shape, batch, record).await?
    };
    let any = judged.iter().any(|judged| judged.status == RequestStatus::Completed);
    record.requests.extend(judged);
    Ok(any)
}

fn key(context: &Context<'_>, phase: &Phase, batch: Batch, index: u32) -> SessionKey {
    SessionKey { phase: phase.id.clone(), warmup: batch.warmup, index: batch.first + index, seed: context.seed }
}

/// The salt of a request. Cold requests have one each. Those of a warm session share one, so that a turn can find the
/// turns before it in the cache, and nothing of any other session.
fn salt(context: &Context<'_>, key: &SessionKey, turn: u32, cache: bench_plugin::types::CacheMode) -> String {
    let session = format!("{}/{}/{}/{}", context.name, key.phase, key.warmup, key.index);
    match cache {
        bench_plugin::types::CacheMode::Cold => prompt::salt(context.nonce, &format!("{session}/{turn}")),
        bench_plugin::types::CacheMode::Warm => prompt::salt(context.nonce, &session),
    }
}

/// Plans every session ahead, then measures them in one window. The turns after the first learn what was asked before and
/// not what was answered: the answers do not exist yet.
async fn at_once(
    context: &mut Context<'_>,
    phase: &Phase,
    run: &Run,
    shape: Shape,
    batch: Batch,
    record: &mut PhaseRecord,
) -> Result<Vec<RequestRecord>, RunError> {
    let mut sessions: Vec<Vec<Prepared>> = Vec::new();
    let mut sent: Vec<Vec<Sent>> = Vec::new();
    for index in 0..batch.sessions {
        context.reporter.update(Update::Preparing {
            phase: &phase.id,
            done: u64::from(index),
            of: u64::from(batch.sessions),
        });
        let (turns, skipped) = plan(context, &key(context, phase, batch, index)).await?;
        let (prepared, rest) = turns.into_iter().map(Ready::split).unzip();
        sessions.push(prepared);
        sent.push(rest);
        note_skipped(record, skipped);
    }
    let requests: u64 = sessions.iter().map(|turns| turns.len() as u64).sum();
    let window = open(context, phase, run.repeats, batch, sessions, shape, requests, record).await;
    let mut judged = Vec::new();
    for (session, (turns, sent)) in window.sessions.iter().zip(&sent).enumerate() {
        for (turn, (seen, sent)) in turns.iter().zip(sent).enumerate() {
            let place = place(context, batch, session as u32, turn as u32);
            context.trace.add(place.ordinal, seen)?;
            judged.push(judge(context.engine, sent, seen, place).record);
        }
    }
    Ok(judged)
}

fn place(context: &mut Context<'_>, batch: Batch, session: u32, turn: u32) -> Place {
    Place {
        ordinal: context.trace.next_ordinal(),
        session: batch.first + session,
        repeat: batch.repeat,
        turn,
        warmup: batch.warmup,
    }
}

fn note_skipped(record: &mut PhaseRecord, skipped: Vec<SkippedTurn>) {
    for turn in skipped {
        let message = format!("turn `{}`: {}", turn.id, turn.reason);
        let known = record.skipped_turns.iter().any(|other| other.message == message);
        if !known {
            record.skipped_turns.push(Problem { code: "turn-skipped".to_owned(), message, hint: None });
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "a window is the meeting of all of them")]
async fn open(
    context: &mut Context<'_>,
    phase: &Phase,
    repeats: u32,
    batch: Batch,
    sessions: Vec<Vec<Prepared>>,
    shape: Shape,
    requests: u64,
    record: &mut PhaseRecord,
) -> bench_load::Window {
    let progress = Progress::new();
    context.reporter.update(Update::Window {
        phase: &phase.id,
        repeat: (!batch.warmup).then_some(batch.repeat + 1),
        of: repeats,
        requests,
        progress: &progress,
    });
    let client = context.engine.client.clone();
    let guests = (&mut *context.engine, &mut *context.workload);
    let (_, window) = measure(guests, &client, sessions, shape, &progress, context.stop).await;
    context.reporter.update(Update::WindowClosed);
    if !batch.warmup {
        record.windows.push(Window {
            repeat: batch.repeat,
            opened_ns: window.opened.as_nanos(),
            closed_ns: window.closed.as_nanos(),
        });
    }
    window
}

async fn plan(context: &mut Context<'_>, key: &SessionKey) -> Result<(Vec<Ready>, Vec<SkippedTurn>), RunError> {
    let session = context.workload.begin(context.params, context.facts, key)?;
    let mut turns: Vec<Ready> = Vec::new();
    let mut skipped = Vec::new();
    let mut previous = None;
    for _ in 0..MOST_TURNS {
        match context.workload.next(&session, previous.as_ref())? {
            Step::Done => {
                context.workload.end(session)?;
                return Ok((turns, skipped));
            }
            Step::Skip(turn) => skipped.push(turn),
            Step::Turn(turn) => {
                let salt = salt(context, key, turns.len() as u32, turn.generation.cache);
                let ready = prompt::ready(context.engine, context.suite, context.name, turn, salt).await?;
                previous = Some(Outcome {
                    ok: true,
                    fitted: ready.fitted.clone(),
                    text: String::new(),
                    tool_calls: Vec::new(),
                    prompt_tokens: ready.expectation.prompt_tokens,
                });
                turns.push(ready);
            }
        }
    }
    Err(too_many_turns(context, key))
}

fn too_many_turns(context: &Context<'_>, key: &SessionKey) -> RunError {
    let reason = format!("a session of phase `{}` has more than {MOST_TURNS} turns", key.phase);
    RunError::BadPlan { workload: context.name.to_owned(), reason }
}

/// Runs the sessions one turn at a time, each turn in a window of its own, so that a turn can depend on the answer before
/// it. A turn that fails ends its session.
async fn turn_by_turn(
    context: &mut Context<'_>,
    phase: &Phase,
    batch: Batch,
    record: &mut PhaseRecord,
) -> Result<Vec<RequestRecord>, RunError> {
    let mut judged = Vec::new();
    for index in 0..batch.sessions {
        let key = key(context, phase, batch, index);
        let session = context.workload.begin(context.params, context.facts, &key)?;
        let mut previous: Option<Outcome> = None;
        let mut number = 0;
        for steps in 0.. {
            if steps == MOST_TURNS {
                return Err(too_many_turns(context, &key));
            }
            let turn = match context.workload.next(&session, previous.as_ref())? {
                Step::Done => break,
                Step::Skip(turn) => {
                    note_skipped(record, vec![turn]);
                    continue;
                }
                Step::Turn(turn) => turn,
            };
            let salt = salt(context, &key, number, turn.generation.cache);
            let ready = prompt::ready(context.engine, context.suite, context.name, turn, salt).await?;
            let (prepared, sent) = ready.split();
            let repeats = record.repeats;
            let window = open(context, phase, repeats, batch, vec![vec![prepared]], Shape::Sequential, 1, record).await;
            let Some(seen) = window.sessions.first().and_then(|turns| turns.first()) else { break };
            let place = place(context, batch, index, number);
            context.trace.add(place.ordinal, seen)?;
            let result = judge(context.engine, &sent, seen, place);
            number += 1;
            let ok = result.ok();
            previous = Some(outcome(&result, sent.fitted));
            judged.push(result.record);
            if !ok {
                break;
            }
        }
        context.workload.end(session)?;
    }
    Ok(judged)
}

fn outcome(judged: &Judged, fitted: Option<String>) -> Outcome {
    Outcome {
        ok: judged.ok(),
        fitted,
        text: judged.text.clone(),
        tool_calls: judged.tool_calls.clone(),
        prompt_tokens: judged.record.metrics.as_ref().and_then(|metrics| metrics.prompt_tokens),
    }
}

/// What the counters did in between, by name.
fn deltas(
    before: &[bench_plugin::driver_types::Counter],
    after: &[bench_plugin::driver_types::Counter],
) -> Vec<CounterDelta> {
    after
        .iter()
        .filter_map(|after| {
            let before = before.iter().find(|before| before.name == after.name && before.kind == after.kind)?;
            Some(CounterDelta::between(kind_name(after.kind), after.name.clone(), before.value, after.value))
        })
        .collect()
}

fn kind_name(kind: bench_plugin::driver_types::CounterKind) -> &'static str {
    use bench_plugin::driver_types::CounterKind as Kind;
    match kind {
        Kind::PrefixCacheQueries => "prefix-cache-queries",
        Kind::PrefixCacheHits => "prefix-cache-hits",
        Kind::PromptTokens => "prompt-tokens",
        Kind::CompletionTokens => "completion-tokens",
        Kind::DraftTokens => "draft-tokens",
        Kind::AcceptedTokens => "accepted-tokens",
        Kind::PrefillSeconds => "prefill-seconds",
        Kind::DecodeSeconds => "decode-seconds",
        Kind::Preemptions => "preemptions",
        Kind::Other => "other",
    }
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
