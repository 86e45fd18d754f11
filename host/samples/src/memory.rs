//! How much memory a sample takes.

use bench_json::{cost_of, text_cost};

use crate::record::{LikelihoodRecord, MessageRecord, SampleRecord, SubScore, ToolCallRecord, VerdictRecord};

/// Bytes of the texts that every sample has: its digests, its model and its origin.
const DIGESTS: u64 = 1024;

impl SampleRecord {
    /// Memory that the sample takes, in bytes; an estimate that is not below it by much.
    pub fn memory(&self) -> u64 {
        let optional = |text: &Option<String>| text.as_ref().map_or(0, |text| text_cost(text.len()));
        let calls = |calls: &[ToolCallRecord]| -> u64 {
            let one = |call: &ToolCallRecord| {
                size_of::<ToolCallRecord>() as u64
                    + [&call.id, &call.name, &call.arguments].map(|text| text_cost(text.len())).iter().sum::<u64>()
            };
            calls.iter().map(one).sum()
        };
        let message = |message: &MessageRecord| {
            size_of::<MessageRecord>() as u64
                + text_cost(message.role.len())
                + text_cost(message.content.len())
                + calls(&message.tool_calls)
        };
        let verdict = |verdict: &VerdictRecord| {
            let sub_score = |sub: &SubScore| size_of::<SubScore>() as u64 + text_cost(sub.name.len());
            optional(&verdict.extracted)
                + optional(&verdict.explanation)
                + 2 * verdict.sub_scores.iter().map(sub_score).sum::<u64>()
        };
        let likelihood =
            |likelihood: &LikelihoodRecord| size_of::<LikelihoodRecord>() as u64 + text_cost(likelihood.text.len());
        // The key is kept again where samples are told apart, and the room of lists doubles.
        2 * (size_of::<Self>() as u64 + text_cost(self.task.len()) + text_cost(self.id.len()))
            + DIGESTS
            + cost_of(&self.document)
            + cost_of(&self.target)
            + 2 * self.prompt.iter().map(message).sum::<u64>()
            + optional(&self.answer)
            + optional(&self.reasoning)
            + 2 * calls(&self.tool_calls)
            + 2 * self.likelihoods.iter().map(likelihood).sum::<u64>()
            + self.verdict.as_ref().map_or(0, verdict)
    }
}
