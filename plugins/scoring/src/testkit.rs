//! For the tests of rules: a sample by its few interesting fields, one grade, and vectors that a reference has recorded.

use bench_sdk::scorer::Sample;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::grade::Grade;
use crate::hosted::Scorer;

/// A sample of this reference, answer and fields of the item, the first and last as JSON.
pub fn sample(target: &str, answer: &str, metadata: &str) -> Sample {
    Sample {
        id: "one".to_owned(),
        epoch: 0,
        prompt: Vec::new(),
        target: target.to_owned(),
        answer: Some(answer.to_owned()),
        reasoning: None,
        tool_calls: Vec::new(),
        finish: None,
        likelihoods: Vec::new(),
        metadata: metadata.to_owned(),
    }
}

/// The grade of [`sample`] by a scorer of this configuration.
///
/// # Panics
/// Where the configuration is not one of the scorer's.
#[expect(clippy::expect_used, reason = "a failed test is a panic")]
pub fn grade<S: Scorer>(config: &str, target: &str, answer: &str, metadata: &str) -> Grade {
    let config = serde_json::from_str(config).expect("the configuration is one of the scorer's");
    S::new(config).expect("the configuration makes sense").grade(&sample(target, answer, metadata))
}

#[derive(Deserialize)]
struct Vector {
    config: Value,
    sample: Recorded,
    value: Option<f64>,
    extracted: Option<String>,
}

#[derive(Deserialize)]
struct Recorded {
    answer: String,
    target: Value,
    #[serde(default)]
    metadata: Map<String, Value>,
}

/// Grades recorded samples, a line each, and demands the recorded values and extracted answers; null is unscored.
///
/// # Panics
/// Where one differs, and where there are fewer than a hundred.
#[expect(clippy::expect_used, reason = "a failed test is a panic")]
pub fn replay<S: Scorer>(vectors: &str) {
    let mut count = 0;
    for line in vectors.lines() {
        let vector: Vector = serde_json::from_str(line).expect("a vector");
        let Recorded { answer, target, metadata } = vector.sample;
        let metadata = Value::Object(metadata).to_string();
        let grade = grade::<S>(&vector.config.to_string(), &target.to_string(), &answer, &metadata);
        match vector.value {
            Some(value) => assert!((grade.value - value).abs() < 1e-12, "{line}\n{grade:?}"),
            None => assert!(grade.value.is_nan(), "{line}\n{grade:?}"),
        }
        if let Some(extracted) = vector.extracted {
            assert_eq!(grade.extracted.unwrap_or_default(), extracted, "{line}");
        }
        count += 1;
    }
    assert!(count >= 100, "{count} vectors");
}
