//! Verdicts of lm-eval itself on generated and hand-made answers, as `tests/references/ifeval.py --record` wrote them down.

mod common;

use bench_scoring::Reason;
use common::{grade, sample};
use serde::Deserialize;
use serde_json::Value;

const VECTORS: &str = include_str!("../../../../tests/references/vectors/ifeval.jsonl");

#[derive(Deserialize)]
struct Case {
    scorer: String,
    instruction_id_list: Value,
    kwargs: Value,
    answer: String,
    /// All strict, each strict, all loose, each loose; nothing where the reference fails or draws a random value.
    expected: Option<(bool, Vec<bool>, bool, Vec<bool>)>,
}

#[test]
fn grades_are_those_of_the_reference() {
    let mut unscored = 0;
    for line in VECTORS.lines() {
        let case: Case = serde_json::from_str(line).expect("vectors are JSON");
        let grade = grade(&case.scorer, &sample(&case.instruction_id_list, &case.kwargs, &case.answer));
        let Some((all_strict, strict, all_loose, loose)) = case.expected else {
            let code = if let Reason::GraderFailed(problem) = &grade.reason { problem.code.as_str() } else { "none" };
            assert_eq!((code, grade.value.is_nan()), ("bad-target", true), "{line}");
            unscored += 1;
            continue;
        };
        let scores = |kind: &str| -> Vec<bool> {
            let of = grade
                .sub_scores
                .iter()
                .filter(|(name, _)| name.strip_prefix(kind).is_some_and(|rest| rest.starts_with('-')));
            of.map(|&(_, value)| value == 1.0).collect()
        };
        let prompt_loose = grade.sub_scores.iter().any(|&(name, value)| name == "prompt-loose" && value == 1.0);
        let ours = (grade.value == 1.0, scores("strict"), prompt_loose, scores("loose"));
        assert_eq!(ours, (all_strict, strict, all_loose, loose), "{line}");
    }
    assert!(VECTORS.lines().count() > 500 && unscored > 10);
}
