//! Samples, and grades of both scorers.

use bench_scoring::{Grade, Reason, Sample, Scorer, ToolCall};
use rules_calls::{Config, FunctionCall, FunctionCallFixed};
use serde_json::{Value, json};

/// A sample of a category with functions, and what is wanted.
pub fn sample(category: &str, functions: &Value, target: &Value) -> Sample {
    Sample {
        id: format!("{category}_0"),
        epoch: 0,
        prompt: Vec::new(),
        target: target.to_string(),
        answer: None,
        reasoning: None,
        tool_calls: Vec::new(),
        finish: None,
        likelihoods: Vec::new(),
        metadata: json!({ "function": functions }).to_string(),
    }
}

/// With a text as its answer.
pub fn answered(sample: Sample, answer: &str) -> Sample {
    Sample { answer: Some(answer.to_owned()), ..sample }
}

/// With structured calls as its answer.
pub fn called(sample: Sample, calls: &[(&str, &str)]) -> Sample {
    let call = |&(name, arguments): &(&str, &str)| ToolCall {
        id: String::new(),
        name: name.into(),
        arguments: arguments.into(),
    };
    Sample { tool_calls: calls.iter().map(call).collect(), ..sample }
}

/// The configuration of these settings.
pub fn config(settings: &Value) -> Config {
    serde_json::from_value(settings.clone()).unwrap()
}

/// The grade by the reference's rules.
pub fn reference(settings: &Value, sample: &Sample) -> Grade {
    FunctionCall::new(config(settings)).unwrap().grade(sample).settle(sample)
}

/// The grade by the repaired rules.
pub fn fixed(settings: &Value, sample: &Sample) -> Grade {
    FunctionCallFixed::new(config(settings)).unwrap().grade(sample).settle(sample)
}

/// Both values, the reference's first.
pub fn both(settings: &Value, sample: &Sample) -> (f64, f64) {
    (reference(settings, sample).value, fixed(settings, sample).value)
}

/// A function with properties, of which some are required.
pub fn function(name: &str, properties: &Value, required: &[&str]) -> Value {
    json!({ "name": name, "parameters": { "type": "dict", "properties": properties, "required": required } })
}

/// Is this a sample that cannot be graded, for its task's sake?
pub fn is_unscored(grade: &Grade) -> bool {
    grade.value.is_nan() && matches!(&grade.reason, Reason::GraderFailed(problem) if problem.code == "bad-target")
}
