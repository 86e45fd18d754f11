//! `math-equal`: the answer is the expected mathematical value, however it is written.

use bench_scoring::{About, Grade, MetricAbout, Problem, Reason, Sample, Scorer, python, target_texts};
use serde::Deserialize;

use crate::parser::{Meaning, meaning};
use crate::{extract, hendrycks, same};

/// What makes two results the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rules {
    /// The same text once normalised, or the same value: numbers, fractions, roots, tuples, sets, intervals, matrices,
    /// expressions, equations.
    #[default]
    Value,
    /// The same text once normalised, as the grader of the MATH data set does it and no more.
    Hendrycks,
}

/// Which part of the answer is the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The last `\boxed`; else what follows the last `answer is` or `answer:`; else the last formula; else all of it.
    #[default]
    Auto,
    /// The last `\boxed`, without which the answer is not of the form that was asked for.
    Boxed,
    /// From the first dollar sign to the last, or all of it, as lm-eval takes it.
    Dollars,
    /// All of it.
    Whole,
}

/// Configuration of [`MathEqual`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct MathEqualConfig {
    /// What makes two results the same.
    pub rules: Rules,
    /// Which part of the answer is the result.
    pub part: Part,
}

/// The answer is the expected mathematical value.
#[derive(Debug)]
pub struct MathEqual(MathEqualConfig);

impl MathEqual {
    fn result<'t>(&self, answer: &'t str) -> Option<&'t str> {
        match self.0.part {
            Part::Boxed => extract::boxed(answer),
            Part::Whole => Some(answer),
            Part::Dollars => {
                let inside = answer.find('$').zip(answer.rfind('$')).filter(|(first, last)| first < last);
                Some(inside.map_or(answer, |(first, last)| &answer[first + 1..last]))
            }
            Part::Auto => {
                let announced = || extract::announced(answer).map(|text| extract::formula(text).unwrap_or(text));
                let short =
                    || Some(answer).filter(|answer| answer.lines().count() <= 1 && extract::formula(answer).is_none());
                extract::boxed(answer)
                    .or_else(announced)
                    .or_else(short)
                    .or_else(|| extract::formula(answer))
                    .or_else(|| answer.lines().rev().find(|line| !line.trim().is_empty()))
            }
        }
    }
}

/// A result without the marks around it.
fn bare(text: &str) -> &str {
    let mut bare = python::strip(text).trim_end_matches('.');
    for (open, close) in [("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$")] {
        bare = bare.strip_prefix(open).and_then(|inside| inside.strip_suffix(close)).unwrap_or(bare);
    }
    python::strip(bare).trim_end_matches('.')
}

/// By value where both are understood, and by their text. Text alone would take `y = 3` for `x = 3`, since its rules drop a short
/// left side.
fn same_value(gold: &str, answer: &str, known: Option<&Meaning>) -> bool {
    let (gold, answer) = (bare(gold), bare(answer));
    let text = !answer.is_empty() && hendrycks::equal(gold, answer);
    match (meaning(gold), known) {
        (Some(gold @ Meaning::Chain(..)), Some(answer @ Meaning::Chain(..))) => same::same(&gold, answer),
        (Some(gold), Some(answer)) => text || same::same(&gold, answer),
        _ => text,
    }
}

impl Scorer for MathEqual {
    const ABOUT: About = About {
        name: "math-equal",
        version: env!("CARGO_PKG_VERSION"),
        summary: "The answer is the expected mathematical value, however it is written.",
        reference: "lm-eval 0.4.13 (hendrycks_math) for the rules `hendrycks`",
        config: r#"{
            "rules": { "enum": ["value", "hendrycks"], "default": "value",
                "description": "Whether results of the same value are the same, or results of the same normalised text alone." },
            "part": { "enum": ["auto", "boxed", "dollars", "whole"], "default": "auto",
                "description": "Which part of the answer is the result; `auto` looks for a box, for `answer is`, for a formula." }
        }"#,
        metrics: &[MetricAbout {
            name: "accuracy",
            summary: "Share of the answers that are the expected value.",
            unit: "ratio",
            higher_is_better: Some(true),
        }],
        unbounded: false,
        needs_judge: false,
        needs_likelihoods: false,
    };
    type Config = MathEqualConfig;

    fn new(config: MathEqualConfig) -> Result<Self, Problem> {
        Ok(Self(config))
    }

    fn grade(&self, sample: &Sample) -> Grade {
        let targets = match target_texts(sample) {
            Ok(targets) => targets,
            Err(problem) => return Grade::failed(problem),
        };
        let Some(result) = self.result(sample.answer.as_deref().unwrap_or_default()) else {
            return Grade::zero(Reason::InvalidFormat).explained("no result where one is looked for");
        };
        // A reference may be a worked solution.
        let mut golds = targets.iter().map(|target| extract::boxed(target).unwrap_or(target));
        let right = match self.0.rules {
            Rules::Hendrycks => golds.any(|gold| hendrycks::equal(gold, result)),
            Rules::Value => {
                let known = meaning(bare(result));
                golds.any(|gold| same_value(gold, result, known.as_ref()))
            }
        };
        Grade::binary(right).extracted(python::strip(result))
    }
}
