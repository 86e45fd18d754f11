//! Samples and verdicts as they cross the boundary many at a time: the interface `scorer-bulk`, for every scorer.

use bench_packed::{Damaged, Packer, Unpacker};

use crate::bindings::scorer::exports::bench::plugin::scorer_bulk as bulk;
use crate::scorer::{GradeTask, Likelihood, Reason, Sample, ScorerPlugin, TaskBorrow, Verdict};
use crate::types::{FinishReason, Message, Problem, Role, ToolCall};

pub use bench_packed::Packed;

impl<P: ScorerPlugin> bulk::Guest for P {
    fn score(task: TaskBorrow<'_>, samples: bulk::Packed) -> bulk::Packed {
        let bulk::Packed { text, shape, numbers } = samples;
        let Packed { text, shape, numbers } = score(task.get::<P::Task>(), &Packed { text, shape, numbers });
        bulk::Packed { text, shape, numbers }
    }
}

/// The verdicts on samples; none where the samples do not add up, which the host sees.
pub fn score(task: &impl GradeTask, samples: &Packed) -> Packed {
    let mut from = Unpacker::new(samples);
    let verdicts = list(&mut from, sample).map(|samples| task.score(samples)).unwrap_or_default();
    let mut into = Packer::with_capacity(verdicts.len() * 32, verdicts.len() * 8);
    into.count(verdicts.len());
    verdicts.iter().for_each(|verdict| lay(&mut into, verdict));
    into.finish()
}

fn list<'p, T>(
    from: &mut Unpacker<'p>,
    one: impl Fn(&mut Unpacker<'p>) -> Result<T, Damaged>,
) -> Result<Vec<T>, Damaged> {
    let count = from.count()?;
    (0..count).map(|_| one(from)).collect()
}

/// The next sample.
///
/// # Errors
/// [`Damaged`].
pub fn sample(from: &mut Unpacker<'_>) -> Result<Sample, Damaged> {
    Ok(Sample {
        id: from.text()?.into(),
        epoch: from.whole()?,
        prompt: list(from, message)?,
        target: from.text()?.into(),
        answer: from.optional_text()?.map(Into::into),
        reasoning: from.optional_text()?.map(Into::into),
        tool_calls: list(from, tool_call)?,
        finish: finish(from)?,
        likelihoods: list(from, likelihood)?,
        metadata: from.text()?.into(),
    })
}

fn message(from: &mut Unpacker<'_>) -> Result<Message, Damaged> {
    let role = match from.whole()? {
        0 => Role::System,
        1 => Role::User,
        2 => Role::Assistant,
        3 => Role::Tool,
        _ => return Err(Damaged),
    };
    Ok(Message {
        role,
        content: from.text()?.into(),
        tool_calls: list(from, tool_call)?,
        tool_call_id: from.optional_text()?.map(Into::into),
    })
}

fn tool_call(from: &mut Unpacker<'_>) -> Result<ToolCall, Damaged> {
    Ok(ToolCall { id: from.text()?.into(), name: from.text()?.into(), arguments: from.text()?.into() })
}

fn finish(from: &mut Unpacker<'_>) -> Result<Option<FinishReason>, Damaged> {
    Ok(match from.whole()? {
        0 => None,
        1 => Some(FinishReason::Stop),
        2 => Some(FinishReason::Length),
        3 => Some(FinishReason::ToolCalls),
        4 => Some(FinishReason::ContentFilter),
        5 => Some(FinishReason::Other(from.text()?.into())),
        _ => return Err(Damaged),
    })
}

fn likelihood(from: &mut Unpacker<'_>) -> Result<Likelihood, Damaged> {
    Ok(Likelihood {
        text: from.text()?.into(),
        logprob: from.number()?,
        tokens: from.whole()?,
        greedy: from.optional_flag()?,
        unconditional: from.optional_number()?,
    })
}

/// Lays a verdict beside those before it.
pub fn lay(into: &mut Packer, verdict: &Verdict) {
    into.text(&verdict.id);
    into.whole(verdict.epoch);
    into.number(verdict.value);
    reason(into, &verdict.reason);
    into.optional_text(verdict.extracted.as_deref());
    into.optional_text(verdict.explanation.as_deref());
    into.count(verdict.sub_scores.len());
    for score in &verdict.sub_scores {
        into.text(&score.name);
        into.number(score.value);
        into.text(&score.unit);
        into.optional_flag(score.higher_is_better);
    }
}

fn reason(into: &mut Packer, reason: &Reason) {
    let case = match reason {
        Reason::Correct => 0,
        Reason::PartlyCorrect => 1,
        Reason::Wrong => 2,
        Reason::InvalidFormat => 3,
        Reason::Refused => 4,
        Reason::NoResponse => 5,
        Reason::Truncated => 6,
        Reason::TimedOut => 7,
        Reason::OutOfResources => 8,
        Reason::Forbidden => 9,
        Reason::Tampered => 10,
        Reason::GraderFailed(_) => 11,
        Reason::Other(_) => 12,
    };
    into.whole(case);
    match reason {
        Reason::GraderFailed(Problem { code, message, hint }) => {
            into.text(code);
            into.text(message);
            into.optional_text(hint.as_deref());
        }
        Reason::Other(word) => into.text(word),
        _ => {}
    }
}
