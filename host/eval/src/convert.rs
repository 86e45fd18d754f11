//! Between a line of a sample log and the words of the scorer interface. Both say the same: whoever has the log can grade it again.

use bench_plugin::scorer_types::{Graded, Likelihood, Reason, Sample, Verdict};
use bench_plugin::types::{FinishReason, Message, Metric, Problem, Role, ToolCall};
use bench_samples::{
    LikelihoodRecord, MessageRecord, ProblemRecord, Reason as Word, SampleRecord, ScorerRecord, Status, SubScore,
    ToolCallRecord, VerdictRecord,
};

/// What a scorer is given of a sample. A sample whose failure counts against the model has no answer.
pub fn sample(record: &SampleRecord) -> Sample {
    let failed = matches!(record.status, Status::Failed { .. });
    Sample {
        id: record.id.clone(),
        epoch: record.epoch,
        prompt: record.prompt.iter().map(message).collect(),
        target: record.target.to_string(),
        answer: record.answer.clone().filter(|_| !failed),
        reasoning: record.reasoning.clone(),
        tool_calls: record.tool_calls.iter().map(call).collect(),
        finish: record.finish.as_deref().map(finish),
        likelihoods: record.likelihoods.iter().map(likelihood).collect(),
        metadata: serde_json::Value::Object(record.metadata()).to_string(),
    }
}

fn message(record: &MessageRecord) -> Message {
    let role = match record.role.as_str() {
        "system" | "developer" => Role::System,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        _ => Role::User,
    };
    Message {
        role,
        content: record.content.clone(),
        tool_calls: record.tool_calls.iter().map(call).collect(),
        tool_call_id: record.tool_call_id.clone(),
    }
}

fn call(record: &ToolCallRecord) -> ToolCall {
    ToolCall { id: record.id.clone(), name: record.name.clone(), arguments: record.arguments.clone() }
}

fn finish(word: &str) -> FinishReason {
    match word {
        "stop" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "tool-calls" => FinishReason::ToolCalls,
        "content-filter" => FinishReason::ContentFilter,
        other => FinishReason::Other(other.to_owned()),
    }
}

fn likelihood(record: &LikelihoodRecord) -> Likelihood {
    Likelihood {
        text: record.text.clone(),
        logprob: record.logprob.unwrap_or(f64::NAN),
        tokens: record.tokens,
        greedy: record.greedy,
        unconditional: record.unconditional,
    }
}

/// A verdict as a log has it. What is not finite is null there.
pub fn recorded(verdict: &Verdict, scorer: ScorerRecord, fuel: Option<u64>) -> VerdictRecord {
    let finite = |value: f64| value.is_finite().then_some(value);
    let (reason, problem) = match &verdict.reason {
        Reason::Correct => (Word::Correct, None),
        Reason::PartlyCorrect => (Word::PartlyCorrect, None),
        Reason::Wrong => (Word::Wrong, None),
        Reason::InvalidFormat => (Word::InvalidFormat, None),
        Reason::Refused => (Word::Refused, None),
        Reason::NoResponse => (Word::NoResponse, None),
        Reason::Truncated => (Word::Truncated, None),
        Reason::TimedOut => (Word::TimedOut, None),
        Reason::OutOfResources => (Word::OutOfResources, None),
        Reason::Forbidden => (Word::Forbidden, None),
        Reason::Tampered => (Word::Tampered, None),
        Reason::GraderFailed(problem) => (
            Word::GraderFailed,
            Some(ProblemRecord {
                code: problem.code.clone(),
                message: problem.message.clone(),
                hint: problem.hint.clone(),
            }),
        ),
        Reason::Other(word) => (Word::Other(word.clone()), None),
    };
    VerdictRecord {
        scorer,
        value: finite(verdict.value),
        reason,
        problem,
        extracted: verdict.extracted.clone(),
        explanation: verdict.explanation.clone(),
        sub_scores: verdict
            .sub_scores
            .iter()
            .map(|score| SubScore {
                name: score.name.clone(),
                value: finite(score.value),
                unit: score.unit.clone(),
                higher_is_better: score.higher_is_better,
            })
            .collect(),
        fuel,
    }
}

/// A verdict of a log with what adding up has to know of its sample; `None` where there is none.
pub fn graded(record: &SampleRecord) -> Option<Graded> {
    let verdict = record.verdict.as_ref()?;
    let reason = match &verdict.reason {
        Word::Correct => Reason::Correct,
        Word::PartlyCorrect => Reason::PartlyCorrect,
        Word::Wrong => Reason::Wrong,
        Word::InvalidFormat => Reason::InvalidFormat,
        Word::Refused => Reason::Refused,
        Word::NoResponse => Reason::NoResponse,
        Word::Truncated => Reason::Truncated,
        Word::TimedOut => Reason::TimedOut,
        Word::OutOfResources => Reason::OutOfResources,
        Word::Forbidden => Reason::Forbidden,
        Word::Tampered => Reason::Tampered,
        Word::GraderFailed => {
            let problem = verdict.problem.clone().unwrap_or_default();
            Reason::GraderFailed(Problem { code: problem.code, message: problem.message, hint: problem.hint })
        }
        Word::Other(word) => Reason::Other(word.clone()),
    };
    let sub_scores = verdict.sub_scores.iter().map(|score| Metric {
        name: score.name.clone(),
        value: score.value.unwrap_or(f64::NAN),
        unit: score.unit.clone(),
        higher_is_better: score.higher_is_better,
    });
    Some(Graded {
        verdict: Verdict {
            id: record.id.clone(),
            epoch: record.epoch,
            value: verdict.value.unwrap_or(f64::NAN),
            reason,
            extracted: verdict.extracted.clone(),
            explanation: verdict.explanation.clone(),
            sub_scores: sub_scores.collect(),
        },
        cluster: record.cluster.clone(),
        group: record.group.clone(),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_survives_the_log() {
        let verdict = Verdict {
            id: "a".to_owned(),
            epoch: 2,
            value: 0.5,
            reason: Reason::Other("odd".to_owned()),
            extracted: Some("x".to_owned()),
            explanation: None,
            sub_scores: vec![Metric {
                name: "f1".to_owned(),
                value: 0.25,
                unit: "ratio".to_owned(),
                higher_is_better: Some(true),
            }],
        };
        let mut record = SampleRecord::new("t", "a", 2, serde_json::Value::Null, Vec::new(), serde_json::Value::Null);
        assert_eq!(graded(&record), None);
        record.verdict = Some(recorded(&verdict, ScorerRecord::default(), Some(7)));
        assert_eq!(graded(&record).unwrap().verdict, verdict);
        let failed = Verdict {
            value: f64::NAN,
            reason: Reason::GraderFailed(Problem { code: "trap".to_owned(), message: "m".to_owned(), hint: None }),
            ..verdict
        };
        record.verdict = Some(recorded(&failed, ScorerRecord::default(), None));
        let again = graded(&record).unwrap().verdict;
        assert!(again.value.is_nan() && again.reason == failed.reason);
    }

    #[test]
    fn a_failure_that_counts_is_no_answer() {
        let mut record = SampleRecord::new("t", "a", 0, serde_json::Value::Null, Vec::new(), serde_json::json!(["x"]));
        record.answer = Some("half of".to_owned());
        assert_eq!(sample(&record).answer.as_deref(), Some("half of"));
        assert_eq!((sample(&record).target, sample(&record).metadata), ("[\"x\"]".to_owned(), "{}".to_owned()));
        record.status = Status::Failed { code: "context-overflow".to_owned(), message: String::new() };
        assert_eq!(sample(&record).answer, None);
    }
}
