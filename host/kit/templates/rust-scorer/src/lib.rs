//! The scorer {name}: an answer is right when it contains the reference as a word of its own.

wit_bindgen::generate!({ path: "wit", world: "scorer-plugin" });

use bench::plugin::types::{Generation, Metric, Problem};
use exports::bench::plugin::scorer::{
    Estimate, Graded, Guest, GuestTask, Info, MetricInfo, Opinion, Reason, Sample, Task, Verdict,
};
use serde_json::Value;

struct Plugin;

/// The scorer with its configuration.
struct Scoring {
    ignore_case: bool,
}

impl Guest for Plugin {
    type Task = Scoring;

    fn describe() -> Info {
        Info {
            name: "{name}".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "The answer contains the reference as a word.".into(),
            reference: String::new(),
            config_schema: r#"{"type":"object","properties":{"ignore-case":{"type":"boolean","default":true}}}"#.into(),
            metrics: vec![MetricInfo {
                name: "accuracy".into(),
                summary: "Share of the answers that are right.".into(),
                unit: "ratio".into(),
                higher_is_better: Some(true),
            }],
            deterministic: true,
            unbounded: false,
            fresh_instance: false,
            needs_judge: false,
            needs_likelihoods: false,
        }
    }
}

impl GuestTask for Scoring {
    fn create(config: String) -> Result<Task, Problem> {
        let config: Value = serde_json::from_str(&config).map_err(|error| Problem {
            code: "bad-config".into(),
            message: error.to_string(),
            hint: None,
        })?;
        let ignore_case = config.get("ignore-case").and_then(Value::as_bool).unwrap_or(true);
        Ok(Task::new(Scoring { ignore_case }))
    }

    fn score(&self, samples: Vec<Sample>) -> Vec<Verdict> {
        samples.into_iter().map(|sample| self.verdict(sample)).collect()
    }

    fn questions(&self, _sample: Sample) -> Result<Vec<Generation>, Problem> {
        Ok(Vec::new())
    }

    fn conclude(&self, sample: Sample, _opinions: Vec<Opinion>) -> Verdict {
        self.verdict(sample)
    }

    fn aggregate(&self, graded: Vec<Graded>) -> Vec<Estimate> {
        let values: Vec<f64> = graded.iter().map(|one| one.verdict.value).filter(|value| value.is_finite()).collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let standard_error = (values.len() > 1).then(|| (squares / (count - 1.0) / count).sqrt());
        let metric =
            Metric { name: "accuracy".into(), value: mean, unit: "ratio".into(), higher_is_better: Some(true) };
        vec![Estimate {
            metric,
            group: None,
            standard_error,
            low: None,
            high: None,
            level: None,
            method: None,
            scored: values.len() as u32,
            unscored: (graded.len() - values.len()) as u32,
        }]
    }
}

impl Scoring {
    fn verdict(&self, sample: Sample) -> Verdict {
        let (value, reason) = match self.judge(&sample) {
            Ok(true) => (1.0, Reason::Correct),
            Ok(false) if sample.answer.as_deref().unwrap_or_default().trim().is_empty() => (0.0, Reason::NoResponse),
            Ok(false) => (0.0, Reason::Wrong),
            Err(problem) => (f64::NAN, Reason::GraderFailed(problem)),
        };
        Verdict {
            id: sample.id,
            epoch: sample.epoch,
            value,
            reason,
            extracted: sample.answer,
            explanation: None,
            sub_scores: Vec::new(),
        }
    }

    /// A reference that is no text is the task's fault, so the sample is unscored and not wrong.
    fn judge(&self, sample: &Sample) -> Result<bool, Problem> {
        let target: Value = serde_json::from_str(&sample.target).unwrap_or_default();
        let Some(wanted) = target.as_str() else {
            let message = format!("the reference of {} is not a text", sample.id);
            return Err(Problem { code: "bad-target".into(), message, hint: None });
        };
        let fold = |text: &str| if self.ignore_case { text.to_lowercase() } else { text.to_owned() };
        let (answer, wanted) = (fold(sample.answer.as_deref().unwrap_or_default()), fold(wanted));
        Ok(answer.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == wanted))
    }
}

export!(Plugin);
