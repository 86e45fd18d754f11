//! The sessions of one window: planned, opened, judged.
//!
//! Guest code plans and judges; in between it is handed to the window as a hostage ([`bench_load::measure`]), and the
//! borrow checker sees to it that nobody can call it there.

use std::sync::Arc;

use bench_load::{NotSent, Shape, Turn, Watch, Window, measure};
use bench_plugin::types::CacheMode;
use bench_plugin::workload_types::{Outcome, Phase, SessionKey, SkippedTurn, Step, Turn as PlannedTurn};
use bench_record::{InFlightCap, PhaseRecord, Problem, RequestRecord, Window as WindowRecord};
use bench_wire::{Desk, Prepared, Spool, SpoolBudget, Transmission};

use crate::demand::{Burst, Load};
use crate::error::RunError;
use crate::judge::{Judged, Place, Sent, judge};
use crate::phase::Context;
use crate::prompt::{self, Ready};
use crate::report::Update;

/// Most turns that a session may have: a plugin that wants more is broken.
const MOST_TURNS: u32 = 1000;

/// Which sessions of a phase are run in one go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch {
    pub(crate) warmup: bool,
    pub(crate) repeat: u32,
    /// Index of the first session.
    pub(crate) first: u32,
    /// What to add to the stages of the burst, where a phase has several.
    pub(crate) first_stage: u32,
}

/// Runs a burst of sessions and returns what became of each request that was meant to be sent.
pub(crate) async fn execute(
    context: &mut Context<'_>,
    phase: &Phase,
    load: &Load,
    burst: Burst,
    batch: Batch,
    turns: u32,
    record: &mut PhaseRecord,
) -> Result<Vec<RequestRecord>, RunError> {
    if load.is_sequential() && turns > 1 {
        turn_by_turn(context, phase, load, burst.sessions, batch, record).await
    } else {
        at_once(context, phase, load, burst, batch, record).await
    }
}

fn key(context: &Context<'_>, phase: &Phase, batch: Batch, index: u32) -> SessionKey {
    SessionKey { phase: phase.id.clone(), warmup: batch.warmup, index: batch.first + index, seed: context.seed }
}

/// The salt of a request. Cold requests have one each. Those of a warm session share one, so that a turn can find the turns
/// before it in the cache, and nothing of any other session; unless the workload names a salt for several sessions to share.
fn salt(context: &Context<'_>, key: &SessionKey, number: u32, turn: &PlannedTurn) -> String {
    let session = format!("{}/{}/{}/{}", context.name, key.phase, key.warmup, key.index);
    match (turn.generation.cache, &turn.generation.salt) {
        (CacheMode::Cold, _) => prompt::salt(context.nonce, &format!("{session}/{number}")),
        (CacheMode::Warm, Some(shared)) => {
            prompt::salt(context.nonce, &format!("{}/{}/shared/{shared}", context.name, key.phase))
        }
        (CacheMode::Warm, None) => prompt::salt(context.nonce, &session),
    }
}

/// The parameters of a session.
fn params(context: &Context<'_>, load: &Load, key: &SessionKey) -> String {
    load.params(context.params, key.index).unwrap_or_else(|| context.params.to_owned())
}

/// Plans every session ahead, then measures them in one window. The turns after the first learn what was asked before and
/// not what was answered: the answers do not exist yet.
async fn at_once(
    context: &mut Context<'_>,
    phase: &Phase,
    load: &Load,
    burst: Burst,
    batch: Batch,
    record: &mut PhaseRecord,
) -> Result<Vec<RequestRecord>, RunError> {
    let mut sessions: Vec<Vec<Prepared>> = Vec::new();
    let mut sent: Vec<Vec<Sent>> = Vec::new();
    for index in 0..burst.sessions {
        context.reporter.update(Update::Preparing {
            phase: &phase.id,
            done: u64::from(index),
            of: u64::from(burst.sessions),
        });
        if context.stop.is_stopped() {
            return Ok(Vec::new());
        }
        let (turns, skipped) = plan(context, load, &key(context, phase, batch, index)).await?;
        let (prepared, rest) = turns.into_iter().map(Ready::split).unzip();
        sessions.push(prepared);
        sent.push(rest);
        note_skipped(record, skipped);
    }
    let window = open(context, phase, batch, sessions, &burst.shape, record).await;
    if let (Shape::Open { most_in_flight: Some(most), .. }, false) = (&burst.shape, batch.warmup) {
        let cap = record.in_flight.get_or_insert(InFlightCap { most: most.get(), waited: 0, longest_ms: 0.0 });
        cap.add(window.held_back.requests, window.held_back.longest.as_secs_f64() * 1e3);
    }
    if window.ran_dry {
        let message = "the loop ran out of prepared sessions before its time was over".to_owned();
        let hint = Some("give a number of requests instead, or a shorter duration".to_owned());
        record.skipped_turns.push(Problem { code: "ran-dry".to_owned(), message, hint });
    }
    let mut judged = Vec::new();
    for (session, (turns, sent)) in window.sessions.into_iter().zip(&sent).enumerate() {
        for (turn, (seen, sent)) in turns.into_iter().zip(sent).enumerate() {
            // Nobody meant it to be sent: more sessions are prepared than a loop with an end may need.
            if matches!(seen, Err(NotSent::NotNeeded)) {
                continue;
            }
            let place = place(context, batch, session as u32, turn as u32);
            let stage = burst.stage_of.get(session).map(|stage| stage + batch.first_stage);
            judged.push(RequestRecord { stage, ..settle(context, sent, seen, place)?.record });
        }
    }
    Ok(judged)
}

/// Sorts an answer out, keeps it and judges it. One at a time: a window may have brought more than memory holds.
fn settle(context: &mut Context<'_>, sent: &Sent, seen: Turn, place: Place) -> Result<Judged, RunError> {
    let seen = seen.map(Transmission::into_exchange);
    context.trace.add(place.ordinal, &seen)?;
    let mut judged = judge(context.engine, sent, &seen, place);
    context.times.take(&mut judged.record);
    if let Ok(exchange) = &seen {
        context.trace.saw_merged(judged.merged.iter().filter_map(|read| exchange.reads.get(*read)));
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

async fn open(
    context: &mut Context<'_>,
    phase: &Phase,
    batch: Batch,
    sessions: Vec<Vec<Prepared>>,
    shape: &Shape,
    record: &mut PhaseRecord,
) -> Window {
    let requests = sessions.iter().map(|turns| turns.len() as u64).sum();
    let desk = Desk { spool: Spool::new(SpoolBudget::WINDOW, context.scratch.to_owned()), ..Desk::default() };
    context.reporter.update(Update::Window {
        phase: &phase.id,
        repeat: (!batch.warmup).then_some(batch.repeat + 1),
        of: record.repeats,
        requests,
        progress: &desk.progress,
    });
    let lanes = context.engine.lanes.clone();
    let beside = Arc::clone(&context.engine.beside);
    let watched = context.engine.measures && !batch.warmup;
    let watch = context.watch_every.filter(|_| watched).map(|every| Watch {
        control: &beside.control,
        requests: &beside.requests,
        every,
    });
    let guests = (&mut *context.engine, &mut *context.workload);
    let (_, window) = measure(guests, &lanes, sessions, shape, &desk, context.stop, watch).await;
    context.reporter.update(Update::WindowClosed);
    context.trace.saw_workers(window.workers);
    if !batch.warmup {
        context.beside.add(&window.looks);
        record.windows.push(WindowRecord {
            repeat: batch.repeat,
            opened_ns: window.opened.as_nanos(),
            closed_ns: window.closed.as_nanos(),
        });
    }
    window
}

async fn plan(
    context: &mut Context<'_>,
    load: &Load,
    key: &SessionKey,
) -> Result<(Vec<Ready>, Vec<SkippedTurn>), RunError> {
    let params = params(context, load, key);
    let session = context.workload.begin(&params, context.facts, key)?;
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
                let salt = salt(context, key, turns.len() as u32, &turn);
                let model = context.engine.mixed_model(context.nonce, key);
                let ready = prompt::ready(context.engine, context.suite, context.name, turn, salt, model).await?;
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
    load: &Load,
    sessions: u32,
    batch: Batch,
    record: &mut PhaseRecord,
) -> Result<Vec<RequestRecord>, RunError> {
    let mut judged = Vec::new();
    for index in 0..sessions {
        let key = key(context, phase, batch, index);
        let params = params(context, load, &key);
        let session = context.workload.begin(&params, context.facts, &key)?;
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
            let salt = salt(context, &key, number, &turn);
            let model = context.engine.mixed_model(context.nonce, &key);
            let ready = prompt::ready(context.engine, context.suite, context.name, turn, salt, model).await?;
            let (prepared, sent) = ready.split();
            let window = open(context, phase, batch, vec![vec![prepared]], &Shape::Sequential, record).await;
            let Some(seen) = window.sessions.into_iter().next().and_then(|turns| turns.into_iter().next()) else {
                break;
            };
            let place = place(context, batch, index, number);
            let result = settle(context, &sent, seen, place)?;
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
