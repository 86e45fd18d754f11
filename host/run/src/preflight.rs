//! A first request, before anything is measured: it shows at once whether the engine answers at all, and how fast, which the
//! estimate of the whole run is made from.

use bench_eval::policy::{FIELD_LEFT_OUT, GIVEN_UP};
use bench_load::{Shape, measure};
use bench_plugin::types::{CacheMode, Generation, Message, Prompt, Role, Sampling};
use bench_plugin::workload_types::{Decision, Phase, Run, Turn};
use bench_suite::Suite;
use bench_wire::{Desk, Stop, Transmission};

use crate::engine::Engine;
use crate::error::{RunError, list_names};
use crate::judge::{ONLY_HIDDEN, Place, judge};
use crate::prompt;

/// Tokens per second of a single stream, as the first request shows them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    prefill: f64,
    decode: f64,
}

impl Pace {
    /// Time between two tokens of a single stream, in microseconds.
    pub(crate) fn gap_us(self) -> u64 {
        ((1e6 / self.decode) as u64).clamp(200, 200_000)
    }

    /// Seconds that a request of `run` takes alone.
    pub(crate) fn seconds(self, run: &Run) -> f64 {
        run.largest_prompt as f64 / self.prefill + run.largest_answer as f64 / self.decode
    }
}

/// Tokens that the first request asks for.
const ANSWER: u32 = 16;

const QUESTION: &str = "Describe in a few plain sentences how a river changes on its way from a mountain spring to the sea: \
                        what happens to its speed, its width, the size of the stones it carries, and the life in and \
                        around it, and why each of these changes happens where it does.";

fn question() -> Turn {
    let message =
        Message { role: Role::User, content: QUESTION.to_owned(), tool_calls: Vec::new(), tool_call_id: None };
    let generation = Generation {
        prompt: Prompt::Messages(vec![message]),
        tools: Vec::new(),
        max_tokens: ANSWER,
        force_length: true,
        stop: Vec::new(),
        sampling: Sampling { temperature: Some(0.0), top_p: None, top_k: None, seed: None },
        cache: CacheMode::Cold,
        salt: None,
        logprobs: None,
    };
    Turn { id: "preflight".to_owned(), generation, fit: None, suffix: String::new() }
}

/// Fields that a model may refuse one after the other.
const MOST_REFUSALS: usize = 8;

/// Asks once, and again without a field that the model does not take. Another refusal ends the run before it begins, with
/// the engine's reason.
pub(crate) async fn preflight(engine: &mut Engine, suite: &Suite, nonce: u64, stop: &Stop) -> Result<Pace, RunError> {
    let mut refusals = 0;
    loop {
        match ask(engine, suite, nonce, stop).await {
            Err(RunError::Refused { problem, .. })
                if problem.code == FIELD_LEFT_OUT && refusals < MOST_REFUSALS && !stop.is_stopped() =>
            {
                refusals += 1;
            }
            asked => return asked,
        }
    }
}

async fn ask(engine: &mut Engine, suite: &Suite, nonce: u64, stop: &Stop) -> Result<Pace, RunError> {
    let ready = prompt::ready(engine, suite, "preflight", question(), prompt::salt(nonce, "preflight"), None).await?;
    let (prepared, sent) = ready.split();
    let (lanes, desk) = (engine.lanes.clone(), Desk::default());
    let sessions = vec![vec![prepared]];
    let (engine, window) = measure(engine, &lanes, sessions, &Shape::Sequential, &desk, stop, None).await;
    if stop.is_stopped() {
        return Err(RunError::Stopped);
    }
    let place = Place { ordinal: 0, session: 0, repeat: 0, turn: 0, warmup: true };
    let seen = window.sessions.into_iter().flatten().next().map(|turn| turn.map(Transmission::into_exchange));
    let Some(judged) = seen.map(|seen| judge(engine, &sent, &seen, place)) else {
        return Err(RunError::Stopped);
    };
    if let Some(fault) = judged.fault {
        return Err(fault.into());
    }
    match (judged.record.metrics, judged.record.problem) {
        (Some(metrics), _) => {
            let seconds = (metrics.wall_ms / 1e3).max(1e-6);
            let prompt = metrics.prompt_tokens.unwrap_or(100) as f64;
            Ok(Pace {
                prefill: metrics.prefill_tps.unwrap_or(prompt / seconds).max(1e-3),
                decode: metrics.decode_tps.unwrap_or(f64::from(ANSWER) / seconds).max(1e-3),
            })
        }
        // A model that thinks first may have no word left within the few tokens of this request, and a server that gives answers up
        // is there all the same: what it does to measured requests is the result.
        (None, Some(problem)) if problem.code == ONLY_HIDDEN || problem.code == GIVEN_UP => {
            let seconds = judged.record.wall_ms.map_or(1.0, |wall_ms| wall_ms / 1e3).max(1e-6);
            Ok(Pace { prefill: (100.0 / seconds).max(1e-3), decode: (f64::from(ANSWER) / seconds).max(1e-3) })
        }
        (None, problem) => {
            let problem = problem.map_or_else(
                || bench_plugin::types::Problem {
                    code: "no-answer".to_owned(),
                    message: "the engine did not answer".to_owned(),
                    hint: None,
                },
                |problem| bench_plugin::types::Problem {
                    code: problem.code,
                    message: problem.message,
                    hint: problem.hint,
                },
            );
            // The user named a model that the list does not have, and the server agrees with its list.
            let served: Vec<String> = engine.backend.models.iter().map(|model| model.id.clone()).collect();
            let hint = match problem.code == "model-not-found" && !served.is_empty() {
                true => Some(format!("it serves {}", list_names(&served))),
                false => problem.hint,
            };
            let problem = bench_plugin::types::Problem { hint, ..problem };
            Err(RunError::Refused { problem, status: judged.record.http_status.unwrap_or(0) })
        }
    }
}

/// Requests and seconds that the phases will take. Streams at a time are taken to be no faster together than one alone,
/// which errs on the long side.
pub(crate) fn estimate<'a>(phases: impl Iterator<Item = &'a Phase>, pace: Pace) -> (u64, f64) {
    let mut requests = 0;
    let mut seconds = 0.0;
    for phase in phases {
        if let Decision::Run(run) = &phase.decision {
            let sessions = u64::from(run.sessions) * u64::from(run.repeats) + u64::from(run.warmup_sessions);
            let turns = u64::from(run.turns.max(1));
            let count = sessions.saturating_mul(turns);
            requests += count;
            // In a session of many turns most of a prompt comes from the cache, so its growth is paid for once.
            let prompts = if turns > 1 { sessions } else { count };
            seconds += prompts as f64 * run.largest_prompt as f64 / pace.prefill;
            seconds += count as f64 * run.largest_answer as f64 / pace.decode;
        }
    }
    (requests, seconds)
}
