//! Playing a workload without a backend, for the tests of workload crates: every session of a plan, turn by turn.

use crate::types::{Message, Prompt};
use crate::workload::{Decision, Facts, Outcome, Phase, Problem, SessionKey, Step, Turn, Turns, Workload};

/// Most steps that a session is played for; a session that goes on is cut, so that a test ends.
const MOST_STEPS: usize = 1000;

/// Facts of a model with this context length and nothing else known.
pub fn facts(context_length: Option<u64>) -> Facts {
    Facts { model: "model".into(), context_length, slots: None, tools: false, quick: false }
}

/// One played session.
#[derive(Debug, Clone, PartialEq)]
pub struct Played {
    /// Its key's phase.
    pub phase: String,
    /// It is a warm-up.
    pub warmup: bool,
    /// The turns that it asked for, as they were before anything was fitted.
    pub turns: Vec<Turn>,
    /// Its skipped turns: id and reason.
    pub skipped: Vec<(String, String)>,
}

/// Plays one session. `reply` stands for host and backend: it is given each turn and answers with its outcome.
///
/// # Errors
/// The session's own.
pub fn play<W: Workload>(
    params: &str,
    facts: &Facts,
    key: &SessionKey,
    mut reply: impl FnMut(&Turn) -> Option<Outcome>,
) -> Result<Played, Problem> {
    let session = W::Session::new(params.into(), facts.clone(), key.clone());
    let mut played = Played { phase: key.phase.clone(), warmup: key.warmup, turns: Vec::new(), skipped: Vec::new() };
    let mut previous = None;
    for _ in 0..MOST_STEPS {
        match session.next(previous.take())? {
            Step::Turn(turn) => {
                previous = reply(&turn);
                played.turns.push(turn);
            }
            Step::Skip(skipped) => played.skipped.push((skipped.id, skipped.reason)),
            Step::Done => break,
        }
    }
    Ok(played)
}

/// Plays all sessions of a plan, warm-up first, with [`fitted`] as the reply.
///
/// # Errors
/// Those of the plan and of its sessions.
pub fn play_all<W: Workload>(params: &str, facts: &Facts, seed: u64) -> Result<(Vec<Phase>, Vec<Played>), Problem> {
    let phases = W::plan(params.into(), facts.clone())?;
    let mut played = Vec::new();
    for phase in &phases {
        let Decision::Run(run) = &phase.decision else { continue };
        let measured = run.sessions.saturating_mul(run.repeats);
        let keys = (0..run.warmup_sessions).map(|index| (true, index)).chain((0..measured).map(|index| (false, index)));
        for (warmup, index) in keys {
            let key = SessionKey { phase: phase.id.clone(), warmup, index, seed };
            played.push(play::<W>(params, facts, &key, |turn| Some(fitted(turn)))?);
        }
    }
    Ok((phases, played))
}

/// The outcome of a turn whose text was fitted with a stand-in that names corpus and place.
pub fn fitted(turn: &Turn) -> Outcome {
    let content = turn.fit.as_ref().and_then(|fit| {
        let message = messages(turn).get(fit.message as usize)?;
        Some(format!("{}<{} from {}>{}", message.content, fit.corpus, fit.offset, turn.suffix))
    });
    Outcome {
        ok: true,
        fitted: content,
        text: "an answer".into(),
        tool_calls: Vec::new(),
        prompt_tokens: turn.fit.as_ref().map(|fit| fit.prompt_tokens.into()),
    }
}

/// The messages of a turn's prompt; a raw prompt has none.
pub fn messages(turn: &Turn) -> &[Message] {
    match &turn.generation.prompt {
        Prompt::Messages(messages) => messages,
        Prompt::Text(_) | Prompt::Other(_) => &[],
    }
}
