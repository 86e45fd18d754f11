//! `answer`: what follows `ANSWER:` is a reference.

use bench_scoring::{About, Grade, Problem, Sample, Scorer};
use serde::Deserialize;

use crate::pattern::{PatternConfig, Rules};

/// What to take after `ANSWER:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerKind {
    /// A single letter, after the last `ANSWER:`.
    Letter,
    /// The word that ends the line of the last `ANSWER:`, but for a mark after it.
    Word,
    /// The rest of the line, which has to be the last one that is not blank.
    Line,
}

impl AnswerKind {
    const fn pattern(self) -> &'static str {
        match self {
            Self::Letter => r"(?is)ANSWER\s*:\s*([A-Za-z])(?:[^\w]|\n|$)(?!.*ANSWER\s*:)",
            Self::Word => r"(?is)ANSWER\s*:\s*(\S+?)(?=[.,;:!?]?\s*(?:\n|$))(?!.*ANSWER\s*:)",
            Self::Line => r"(?i)ANSWER\s*:\s*([^\n]+)\s*\Z",
        }
    }

    /// The reference's pattern for a line takes the white space at its end for part of the answer, so that `ANSWER: yes ` with a
    /// space after it, or with the carriage return of a Windows line end, is not `yes`.
    const fn pattern_fixed(self) -> &'static str {
        match self {
            Self::Letter | Self::Word => self.pattern(),
            Self::Line => r"(?i)ANSWER\s*:\s*([^\n]*[^\n\s])\s*\Z",
        }
    }
}

/// Configuration of [`Answer`] and [`AnswerFixed`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AnswerConfig {
    /// What to take after `ANSWER:`.
    pub pattern: AnswerKind,
}

const CONFIG: &str =
    r#"{ "pattern": { "enum": ["letter", "word", "line"], "description": "What to take after ANSWER:." } }"#;

fn rules(pattern: &str) -> Result<Rules, Problem> {
    Rules::new(&PatternConfig { pattern: pattern.to_owned(), ignore_case: true, match_all: false })
}

/// What follows `ANSWER:` is a reference, without regard to case.
#[derive(Debug)]
pub struct Answer(Rules);

impl Scorer for Answer {
    const ABOUT: About = crate::about("answer", "What follows ANSWER: is a reference.", CONFIG);
    type Config = AnswerConfig;

    fn new(config: AnswerConfig) -> Result<Self, Problem> {
        rules(config.pattern.pattern()).map(Self)
    }

    fn grade(&self, sample: &Sample) -> Grade {
        self.0.grade(sample)
    }
}

/// What follows `ANSWER:` is a reference, without regard to case or to white space at the end of the line.
#[derive(Debug)]
pub struct AnswerFixed(Rules);

impl Scorer for AnswerFixed {
    const ABOUT: About = crate::about(
        "answer-fixed",
        "What follows ANSWER: is a reference, white space at the end of the line aside.",
        CONFIG,
    );
    type Config = AnswerConfig;

    fn new(config: AnswerConfig) -> Result<Self, Problem> {
        rules(config.pattern.pattern_fixed()).map(Self)
    }

    fn grade(&self, sample: &Sample) -> Grade {
        self.0.grade(sample)
    }
}
