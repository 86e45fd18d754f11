//! A scorer that compares texts. Each test scorer is one of these with one way to misbehave.

/// Defines and exports a scorer. `$score` is called as `scorer.task.score`; `$fresh` is what `info.fresh-instance` says.
#[macro_export]
macro_rules! scorer {
    (fresh: $fresh:expr, score: $score:expr) => {
        use bench_sdk::scorer::{Estimate, GradeTask, Graded, Info, Opinion, Sample, ScorerPlugin, Task, Verdict};
        use bench_sdk::types::{Generation, Problem};

        struct Plugin;
        struct Equality;

        impl ScorerPlugin for Plugin {
            type Task = Equality;

            fn describe() -> Info {
                $crate::info($fresh)
            }
        }

        impl GradeTask for Equality {
            fn create(config: String) -> Result<Task, Problem> {
                match config.as_str() {
                    "{}" => Ok(Task::new(Equality)),
                    _ => Err($crate::problem("bad-config")),
                }
            }

            fn score(&self, samples: Vec<Sample>) -> Vec<Verdict> {
                $score(samples)
            }

            fn questions(&self, sample: Sample) -> Result<Vec<Generation>, Problem> {
                $crate::questions(&sample)
            }

            fn conclude(&self, sample: Sample, opinions: Vec<Opinion>) -> Verdict {
                $crate::conclude(&sample, &opinions)
            }

            fn aggregate(&self, graded: Vec<Graded>) -> Vec<Estimate> {
                $crate::aggregate(&graded)
            }
        }

        bench_sdk::export_scorer!(Plugin);
    };
    (score: $score:expr) => {
        $crate::scorer!(fresh: false, score: $score);
    };
}

use bench_sdk::scorer::{Estimate, Graded, Info, MetricInfo, Opinion, Reason, Sample, Verdict};
use bench_sdk::types::{CacheMode, Generation, Metric, Problem, Prompt, Sampling};

/// A problem with this code.
pub fn problem(code: &str) -> Problem {
    Problem { code: code.to_owned(), message: "said by a test guest".to_owned(), hint: None }
}

/// What a test scorer says about itself.
pub fn info(fresh_instance: bool) -> Info {
    Info {
        name: "test-scorer".to_owned(),
        version: "0.1.0".to_owned(),
        summary: String::new(),
        reference: String::new(),
        config_schema: "{}".to_owned(),
        metrics: vec![MetricInfo {
            name: "accuracy".to_owned(),
            summary: String::new(),
            unit: "ratio".to_owned(),
            higher_is_better: Some(true),
        }],
        deterministic: true,
        unbounded: false,
        fresh_instance,
        needs_judge: true,
        needs_likelihoods: false,
    }
}

/// A verdict of this value.
pub fn verdict(sample: &Sample, value: f64) -> Verdict {
    Verdict {
        id: sample.id.clone(),
        epoch: sample.epoch,
        value,
        reason: if value >= 1.0 { Reason::Correct } else { Reason::Wrong },
        extracted: sample.answer.clone(),
        explanation: None,
        sub_scores: Vec::new(),
    }
}

/// The verdict of a scorer that behaves: 1 where the answer is the target, byte for byte.
pub fn equality(sample: &Sample) -> Verdict {
    let equal = sample.answer.as_ref() == Some(&sample.target);
    verdict(sample, if equal { 1.0 } else { 0.0 })
}

/// One question per sample, and a problem where the answer is `problem`.
///
/// # Errors
/// As said.
pub fn questions(sample: &Sample) -> Result<Vec<Generation>, Problem> {
    if sample.answer.as_deref() == Some("problem") {
        return Err(problem("cannot-ask"));
    }
    Ok(vec![Generation {
        prompt: Prompt::Text(format!("Is `{}` right?", sample.answer.as_deref().unwrap_or_default())),
        tools: Vec::new(),
        max_tokens: 1,
        force_length: false,
        stop: Vec::new(),
        sampling: Sampling { temperature: None, top_p: None, top_k: None, seed: None },
        cache: CacheMode::Warm,
        salt: None,
        logprobs: None,
    }])
}

/// 1 where the judge says yes; a trap where it says `trap`.
pub fn conclude(sample: &Sample, opinions: &[Opinion]) -> Verdict {
    let said = opinions.first().and_then(|opinion| opinion.answer.as_deref());
    assert!(said != Some("trap"), "as asked");
    verdict(sample, if said == Some("yes") { 1.0 } else { 0.0 })
}

/// The mean in the order of the verdicts, and an infinite one where there are none.
pub fn aggregate(graded: &[Graded]) -> Vec<Estimate> {
    let values: Vec<f64> = graded.iter().map(|graded| graded.verdict.value).filter(|value| !value.is_nan()).collect();
    let value = if graded.is_empty() { f64::INFINITY } else { values.iter().sum::<f64>() / values.len() as f64 };
    let metric = Metric { name: "accuracy".to_owned(), value, unit: "ratio".to_owned(), higher_is_better: Some(true) };
    vec![Estimate {
        metric,
        group: None,
        standard_error: None,
        low: None,
        high: None,
        level: None,
        method: None,
        scored: values.len() as u32,
        unscored: (graded.len() - values.len()) as u32,
    }]
}
