//! Replays what the references said about recorded samples; `tests/references/inspect_scorers.py --record` writes them.

use bench_scoring::{Grade, Sample, Scorer};
use rules_inspect::{Answer, Choice, Includes, Match, Pattern};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

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

fn graded<S: Scorer>(config: Value, sample: &Sample) -> Grade
where
    S::Config: DeserializeOwned,
{
    let config = serde_json::from_value(config).expect("the configuration is one of the scorer's");
    S::new(config).expect("the configuration makes sense").grade(sample)
}

fn replay(vectors: &str, grade: impl Fn(Value, &Sample) -> Grade) {
    let mut count = 0;
    for line in vectors.lines() {
        let vector: Vector = serde_json::from_str(line).expect("a vector");
        let sample = Sample {
            id: "recorded".to_owned(),
            epoch: 0,
            prompt: Vec::new(),
            target: vector.sample.target.to_string(),
            answer: Some(vector.sample.answer),
            reasoning: None,
            tool_calls: Vec::new(),
            finish: None,
            likelihoods: Vec::new(),
            metadata: Value::Object(vector.sample.metadata).to_string(),
        };
        let grade = grade(vector.config, &sample);
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

macro_rules! vectors {
    ($($test:ident: $file:literal => $scorer:ty),+ $(,)?) => {$(
        #[test]
        fn $test() {
            let vectors = include_str!(concat!("../../../../tests/references/vectors/", $file, ".jsonl"));
            replay(vectors, |config, sample| graded::<$scorer>(config, sample));
        }
    )+};
}

vectors! {
    match_agrees_with_inspect: "match" => Match,
    includes_agrees_with_inspect: "includes" => Includes,
    answer_agrees_with_inspect: "answer" => Answer,
    pattern_agrees_with_inspect: "pattern" => Pattern,
    choice_agrees_with_inspect: "choice" => Choice,
}
