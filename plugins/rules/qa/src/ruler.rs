//! RULER's string match: how many of the references the answer holds.
//!
//! lm-eval's copy has two defects. Its `part`, meant for questions with several acceptable answers, takes the best of the samples,
//! of which it is given one, instead of the best of the references, so that it gives the same as `all`. And it looks for
//! substrings, so that 1234567 is found in 91234567, and an empty reference in everything. [`RulerFixed`] has neither.

use bench_scoring::python;
use bench_scoring::{About, Grade, MetricAbout, Problem, Sample, Scorer, target_texts};
use serde::Deserialize;

/// How several references count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The share of them that is found: needles, variable tracking, common and frequent words.
    #[default]
    All,
    /// Questions. With [`RulerFixed`] one that is found is enough; lm-eval takes the share here too.
    Part,
}

/// Configuration of [`Ruler`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RulerConfig {
    /// How several references count.
    pub mode: Mode,
}

/// Configuration of [`RulerFixed`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RulerFixedConfig {
    /// How several references count.
    pub mode: Mode,
    /// A reference has to stand as words of its own.
    pub whole_words: bool,
}

impl Default for RulerFixedConfig {
    fn default() -> Self {
        Self { mode: Mode::All, whole_words: true }
    }
}

const fn about(name: &'static str, summary: &'static str, config: &'static str) -> About {
    About {
        name,
        version: env!("CARGO_PKG_VERSION"),
        summary,
        reference: "lm-eval 0.4.13",
        config,
        metrics: &[MetricAbout {
            name: "string-match",
            summary: "Share of the references that the answer holds.",
            unit: "ratio",
            higher_is_better: Some(true),
        }],
        unbounded: false,
        needs_judge: false,
        needs_likelihoods: false,
    }
}

/// The answer without the white space around it, with line ends for control characters.
fn prediction(sample: &Sample) -> String {
    let answer = python::strip(sample.answer.as_deref().unwrap_or_default());
    let printable: String = answer.chars().map(|character| if character < ' ' { '\n' } else { character }).collect();
    python::strip(&printable).to_owned()
}

fn grade(sample: &Sample, one_is_enough: bool, holds: impl Fn(&str, &str) -> bool) -> Grade {
    let targets = match target_texts(sample) {
        Ok(targets) => targets,
        Err(problem) => return Grade::failed(problem),
    };
    let prediction = prediction(sample);
    let lower = python::lower(&prediction);
    let missing: Vec<&String> = targets.iter().filter(|target| !holds(&lower, &python::lower(target))).collect();
    let found = targets.len() - missing.len();
    let value = match one_is_enough {
        true if found > 0 => 1.0,
        _ => found as f64 / targets.len() as f64,
    };
    let grade = Grade::of(value).extracted(prediction);
    match missing.first() {
        Some(first) if value < 1.0 => {
            grade.explained(format!("{} of {} missing, first `{first}`", missing.len(), targets.len()))
        }
        _ => grade,
    }
}

/// Whether `word` is in `text` without a word character right before or after it.
fn holds_word(text: &str, word: &str) -> bool {
    let is_word = |character: char| character == '_' || character.is_alphanumeric();
    let (Some(first), Some(last)) = (word.chars().next(), word.chars().next_back()) else { return false };
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(word)) {
        let start = from + at;
        let before = text[..start].chars().next_back().is_some_and(is_word);
        let after = text[start + word.len()..].chars().next().is_some_and(is_word);
        if !(before && is_word(first) || after && is_word(last)) {
            return true;
        }
        from = start + first.len_utf8();
    }
    false
}

/// The answer holds the references, as lm-eval's RULER looks for them.
#[derive(Debug)]
pub struct Ruler;

impl Scorer for Ruler {
    const ABOUT: About = about(
        "ruler",
        "Share of the references that the answer holds.",
        r#"{
            "mode": { "enum": ["all", "part"], "default": "all",
                "description": "Taken as lm-eval's tasks name it; lm-eval computes the same for both." }
        }"#,
    );
    type Config = RulerConfig;

    fn new(_config: RulerConfig) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn grade(&self, sample: &Sample) -> Grade {
        grade(sample, false, |text, target| text.contains(target))
    }
}

/// The answer holds the references as words of their own, or one of them where that is enough.
#[derive(Debug)]
pub struct RulerFixed(RulerFixedConfig);

impl Scorer for RulerFixed {
    const ABOUT: About = about(
        "ruler-fixed",
        "The answer holds all references, or one of them, as words of their own.",
        r#"{
            "mode": { "enum": ["all", "part"], "default": "all",
                "description": "The share of the references that is found, or whether one of them is." },
            "whole-words": { "type": "boolean", "default": true,
                "description": "A reference has to stand as words of its own." }
        }"#,
    );
    type Config = RulerFixedConfig;

    fn new(config: RulerFixedConfig) -> Result<Self, Problem> {
        Ok(Self(config))
    }

    fn grade(&self, sample: &Sample) -> Grade {
        let whole_words = self.0.whole_words;
        let holds =
            |text: &str, target: &str| if whole_words { holds_word(text, target) } else { text.contains(target) };
        grade(sample, self.0.mode == Mode::Part, holds)
    }
}
