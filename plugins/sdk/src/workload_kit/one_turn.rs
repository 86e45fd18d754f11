//! Workloads whose sessions are one question about one stretch of text, asked cold. They differ in sizes, in the words
//! around the text and in how sessions follow one another; the rest is here.

use std::cell::Cell;
use std::marker::PhantomData;

use super::{Identity, Params, Spec, greedy, problem, too_long};
use crate::types::{CacheMode, Generation, Message, Problem, Prompt, Role};
use crate::workload::{
    Decision, Facts, Fit, Info, Outcome, Phase, PhaseMeasures, Run, SessionKey, Shape, SkippedTurn, Step, Summary,
    Turn, Turns, Variable, Workload,
};

/// What one workload of one-turn sessions states about itself; [`OneTurn`] makes a whole workload of it.
pub trait Questions: 'static {
    /// Who it is.
    const ABOUT: About;
    /// Its parameters.
    const SPEC: Spec;
    /// Its words.
    const WORDING: Wording;

    /// Its phases, with these parameters.
    fn phases(params: &Params, facts: &Facts) -> Vec<Single>;

    /// What the phases' measures come to.
    fn summarise(phases: &[PhaseMeasures]) -> Summary;
}

/// Who a workload is; its name is that of its [`Spec`].
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Short label, such as `W1`.
    pub label: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// Version of the workload's crate.
    pub version: &'static str,
    /// One or two sentences: what it asks for.
    pub summary: &'static str,
}

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
    /// A phase of sessions one after the other, one for each repeat, with the parameters `answer-tokens`, `repeats` and
    /// `warmup`.
    pub fn sequential(id: String, variables: Vec<Variable>, prompt_tokens: u32, params: &Params) -> Self {
        Self {
            id,
            variables,
            shape: Shape::Sequential,
            prompt_tokens,
            answer_tokens: params.small("answer-tokens"),
            sessions: 1,
            warmup_sessions: params.small("warmup"),
            repeats: params.small("repeats"),
        }
    }

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
    /// Comes before the text.
    pub opening: &'static str,
    /// The data set that the text is taken from.
    pub corpus: &'static str,
    /// Come after the text, one per session in turn. A single empty question leaves the text alone.
    pub questions: &'static [&'static str],
}

/// The workload of [`Questions`].
#[derive(Debug)]
pub struct OneTurn<Q>(PhantomData<Q>);

impl<Q: Questions> OneTurn<Q> {
    fn phases(params: &str, facts: &Facts) -> Result<Vec<Single>, Problem> {
        Ok(Q::phases(&Q::SPEC.parse(params, facts.quick)?, facts))
    }
}

impl<Q: Questions> Workload for OneTurn<Q> {
    type Session = Session<Q>;

    fn describe() -> Info {
        Info {
            name: Q::SPEC.workload.into(),
            label: Q::ABOUT.label.into(),
            title: Q::ABOUT.title.into(),
            version: Q::ABOUT.version.into(),
            summary: Q::ABOUT.summary.into(),
            params_schema: Q::SPEC.schema(),
            corpora: vec![Q::WORDING.corpus.into()],
        }
    }

    fn plan(params: String, facts: Facts) -> Result<Vec<Phase>, Problem> {
        Ok(Self::phases(&params, &facts)?.iter().map(|phase| phase.phase(&facts)).collect())
    }

    fn summarise(phases: Vec<PhaseMeasures>) -> Result<Summary, Problem> {
        Ok(Q::summarise(&phases))
    }
}

/// A session of one turn.
#[derive(Debug)]
pub struct Session<Q> {
    planned: Result<Planned, Problem>,
    asked: Cell<bool>,
    of: PhantomData<Q>,
}

#[derive(Debug)]
struct Planned {
    turn: Turn,
    skip: Option<String>,
}

impl Planned {
    fn new<Q: Questions>(params: &str, facts: &Facts, key: &SessionKey) -> Result<Self, Problem> {
        let workload = Q::SPEC.workload;
        let mut phases = OneTurn::<Q>::phases(params, facts)?.into_iter();
        let phase = phases.find(|phase| phase.id == key.phase).ok_or_else(|| {
            problem(
                "unknown-phase",
                format!("workload {workload} has no phase `{}`", key.phase),
                "Ask for a phase of the plan made with the same parameters and facts.",
            )
        })?;
        Ok(Self { skip: phase.skip_reason(facts), turn: turn(workload, &Q::WORDING, &phase, key) })
    }
}

impl<Q: Questions> Turns for Session<Q> {
    /// A plan that failed, or a phase that is not in it, is reported by [`next`](Self::next), since a constructor cannot
    /// fail.
    fn new(params: String, facts: Facts, key: SessionKey) -> Self {
        Self { planned: Planned::new::<Q>(&params, &facts, &key), asked: Cell::new(false), of: PhantomData }
    }

    /// The turn, then the end.
    fn next(&self, _previous: Option<Outcome>) -> Result<Step, Problem> {
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

fn turn(workload: &str, wording: &Wording, phase: &Single, key: &SessionKey) -> Turn {
    let identity = Identity::of(workload, key);
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
