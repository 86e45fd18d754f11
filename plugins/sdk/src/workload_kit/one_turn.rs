//! Workloads whose sessions are one question about one stretch of text, asked cold. They differ in sizes, in the words
//! around the text and in how sessions follow one another; the rest is here.

use std::cell::Cell;

use super::{Identity, greedy, problem, too_long};
use crate::types::{CacheMode, Generation, Message, Problem, Prompt, Role};
use crate::workload::{
    Decision, Facts, Fit, Outcome, Phase, Run, SessionKey, Shape, SkippedTurn, Step, Turn, Variable,
};

/// A phase of one-turn sessions.
#[derive(Debug, Clone)]
pub struct Single {
    /// Unique in the workload, in kebab case.
    pub id: String,
    /// What tells this phase from the others.
    pub variables: Vec<Variable>,
    /// How sessions follow one another.
    pub shape: Shape,
    /// Tokens of the whole prompt, template included.
    pub prompt_tokens: u32,
    /// Tokens of the answer, forced.
    pub answer_tokens: u32,
    /// Measured sessions of one repeat.
    pub sessions: u32,
    /// Sessions before the measured ones.
    pub warmup_sessions: u32,
    /// Repeats.
    pub repeats: u32,
}

impl Single {
    /// Why the phase is not possible here, if it is not.
    pub fn skip_reason(&self, facts: &Facts) -> Option<String> {
        too_long(facts, self.prompt_tokens.into(), self.answer_tokens.into())
    }

    /// The phase as the host sees it: skipped where a request would be longer than the model's limit.
    pub fn phase(&self, facts: &Facts) -> Phase {
        let decision = match self.skip_reason(facts) {
            Some(reason) => Decision::Skip(reason),
            None => Decision::Run(Run {
                shape: self.shape.clone(),
                warmup_sessions: self.warmup_sessions,
                sessions: self.sessions,
                repeats: self.repeats,
                largest_prompt: self.prompt_tokens.into(),
                largest_answer: self.answer_tokens.into(),
                turns: 1,
            }),
        };
        Phase { id: self.id.clone(), variables: self.variables.clone(), decision }
    }
}

/// The words of a one-turn workload.
#[derive(Debug, Clone, Copy)]
pub struct Wording {
    /// Name of the workload; part of every session's identity.
    pub workload: &'static str,
    /// Comes before the text.
    pub opening: &'static str,
    /// The data set that the text is taken from.
    pub corpus: &'static str,
    /// Come after the text, one per session in turn. A single empty question leaves the text alone.
    pub questions: &'static [&'static str],
}

/// A session of one turn.
#[derive(Debug)]
pub struct OneTurn {
    planned: Result<Planned, Problem>,
    asked: Cell<bool>,
}

#[derive(Debug)]
struct Planned {
    turn: Turn,
    skip: Option<String>,
}

impl OneTurn {
    /// The session `key` among `phases`. A plan that failed, or a phase that is not in it, is reported by
    /// [`next`](Self::next), since a constructor cannot fail.
    pub fn new(wording: &Wording, phases: Result<Vec<Single>, Problem>, facts: &Facts, key: &SessionKey) -> Self {
        let planned = phases.and_then(|phases| {
            let phase = phases.into_iter().find(|phase| phase.id == key.phase).ok_or_else(|| {
                problem(
                    "unknown-phase",
                    format!("workload {} has no phase `{}`", wording.workload, key.phase),
                    "Ask for a phase of the plan made with the same parameters and facts.",
                )
            })?;
            Ok(Planned { skip: phase.skip_reason(facts), turn: turn(wording, &phase, key) })
        });
        Self { planned, asked: Cell::new(false) }
    }

    /// The turn, then the end.
    ///
    /// # Errors
    /// Whatever made the plan fail, and `unknown-phase`.
    pub fn next(&self, _previous: Option<Outcome>) -> Result<Step, Problem> {
        let planned = self.planned.as_ref().map_err(Clone::clone)?;
        if self.asked.replace(true) {
            return Ok(Step::Done);
        }
        Ok(match &planned.skip {
            Some(reason) => Step::Skip(SkippedTurn { id: planned.turn.id.clone(), reason: reason.clone() }),
            None => Step::Turn(planned.turn.clone()),
        })
    }
}

fn turn(wording: &Wording, phase: &Single, key: &SessionKey) -> Turn {
    let identity = Identity::of(wording.workload, key);
    let question = wording.questions.get(key.index as usize % wording.questions.len().max(1)).copied().unwrap_or("");
    Turn {
        id: "question".into(),
        generation: Generation {
            prompt: Prompt::Messages(vec![Message {
                role: Role::User,
                content: wording.opening.into(),
                tool_calls: Vec::new(),
                tool_call_id: None,
            }]),
            tools: Vec::new(),
            max_tokens: phase.answer_tokens,
            force_length: true,
            stop: Vec::new(),
            sampling: greedy(),
            cache: CacheMode::Cold,
            salt: Some(identity.salt_text()),
            logprobs: None,
        },
        fit: Some(Fit {
            message: 0,
            corpus: wording.corpus.into(),
            offset: identity.offset,
            prompt_tokens: phase.prompt_tokens,
        }),
        suffix: question.into(),
    }
}
