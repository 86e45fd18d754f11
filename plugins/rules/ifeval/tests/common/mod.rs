//! Samples, as a host would hand them over.

use std::sync::LazyLock;

use bench_scoring::{Grade, Sample, Scorer};
use rules_ifeval::{Config, IfEval, IfEvalFixed};
use serde_json::{Value, json};

/// A sample of an item with these instructions.
pub fn sample(instructions: &Value, kwargs: &Value, answer: &str) -> Sample {
    Sample {
        id: "item".into(),
        epoch: 0,
        prompt: Vec::new(),
        target: "null".into(),
        answer: Some(answer.into()),
        reasoning: None,
        tool_calls: Vec::new(),
        finish: None,
        likelihoods: Vec::new(),
        metadata: json!({ "instruction_id_list": instructions, "kwargs": kwargs }).to_string(),
    }
}

static REFERENCE: LazyLock<IfEval> = LazyLock::new(|| IfEval::new(Config {}).expect("the data of the crate is whole"));
static FIXED: LazyLock<IfEvalFixed> =
    LazyLock::new(|| IfEvalFixed::new(Config {}).expect("the data of the crate is whole"));

/// The grade by one of the scorers, which are loaded once.
pub fn grade(scorer: &str, sample: &Sample) -> Grade {
    if scorer == "ifeval" { REFERENCE.grade(sample) } else { FIXED.grade(sample) }
}
