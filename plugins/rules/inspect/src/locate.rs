//! `match` and `includes`: a reference somewhere in the answer.

use bench_scoring::python::{self, Flags, Regex};
use bench_scoring::{About, Grade, Problem, Sample, Scorer, problem, target_texts};
use serde::Deserialize;

use crate::numbers;

/// Where the reference has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Location {
    /// The answer begins with it.
    Begin,
    /// The answer ends with it.
    #[default]
    End,
    /// The answer holds it.
    Any,
    /// The answer is it.
    Exact,
}

/// Configuration of [`Match`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct MatchConfig {
    /// Where the reference has to be.
    pub location: Location,
    /// Compare without regard to case.
    pub ignore_case: bool,
    /// Compare numbers where the reference is one.
    pub numeric: bool,
}

impl Default for MatchConfig {
    fn default() -> Self {
        Self { location: Location::End, ignore_case: true, numeric: false }
    }
}

/// The answer begins with, ends with, holds or is a reference; punctuation and white space around either do not count.
#[derive(Debug)]
pub struct Match {
    config: MatchConfig,
    /// A full stop that is not part of a number.
    full_stop: Regex,
}

/// What a comparison takes to be the answer, and whether it is the reference.
struct Found {
    answer: String,
    matched: bool,
}

impl Match {
    fn compare(&self, value: &str, target: &str) -> Result<Found, Problem> {
        let value = python::strip(value);
        let target = python::strip(target);
        let folded = |text: &str| if self.config.ignore_case { python::casefold(text) } else { text.to_owned() };
        let (folded_value, mut folded_target) = (folded(value), folded(target));
        if self.config.numeric {
            folded_target = self.undecorated(&folded_target)?;
            if let Some(target) = numbers::parse(&folded_target) {
                let target = crate::general::general(target);
                let folded_value = self.undecorated(&folded_value)?;
                return Ok(self.compare_numbers(value, &folded_value, &target));
            }
        }
        let value_text = strip_punctuation(&folded_value);
        let target_text = strip_punctuation(&folded_target);
        let matched = match self.config.location {
            Location::Begin => value_text.starts_with(target_text),
            Location::End => value_text.ends_with(target_text),
            Location::Any => value_text.contains(target_text),
            Location::Exact => value_text == target_text,
        };
        Ok(Found { answer: value.to_owned(), matched })
    }

    fn compare_numbers(&self, whole: &str, undecorated: &str, target: &str) -> Found {
        let words = undecorated.split(python::is_space).filter(|word| !word.is_empty());
        let answer = match self.config.location {
            Location::Begin => words.filter_map(numbers::word).next().unwrap_or_default(),
            Location::End => words.rev().filter_map(numbers::word).next().unwrap_or_default(),
            Location::Exact => numbers::normalised(undecorated),
            Location::Any => {
                let found = words.filter_map(numbers::word).find(|number| number == target);
                return match found {
                    Some(answer) => Found { answer, matched: true },
                    None => Found { answer: whole.to_owned(), matched: false },
                };
            }
        };
        let matched = answer == target;
        Found { answer, matched }
    }

    fn undecorated(&self, text: &str) -> Result<String, Problem> {
        let bare = numbers::undecorated(text);
        self.full_stop.replace_all(&bare, "").map_err(|error| problem("pattern-too-hard", error.to_string(), ""))
    }
}

/// Without Python's ASCII white space and punctuation at both ends.
fn strip_punctuation(text: &str) -> &str {
    text.trim_matches(|character: char| {
        matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c') || character.is_ascii_punctuation()
    })
}

impl Scorer for Match {
    const ABOUT: About = crate::about(
        "match",
        "The answer begins with, ends with, holds or is a reference, as text or as a number.",
        r#"{
            "location": { "enum": ["begin", "end", "any", "exact"], "default": "end",
                "description": "Where the reference has to be." },
            "ignore-case": { "type": "boolean", "default": true, "description": "Compare without regard to case." },
            "numeric": { "type": "boolean", "default": false,
                "description": "Compare numbers, to five significant digits, where the reference is one." }
        }"#,
    );
    type Config = MatchConfig;

    fn new(config: MatchConfig) -> Result<Self, Problem> {
        let full_stop = Regex::new(r"\.(?=\s|$|\D)", Flags::default())
            .map_err(|error| problem("bad-pattern", error.to_string(), ""))?;
        Ok(Self { config, full_stop })
    }

    fn grade(&self, sample: &Sample) -> Grade {
        first_that_matches(sample, |value, target| self.compare(value, target))
    }
}

/// Configuration of [`Includes`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct IncludesConfig {
    /// Compare without regard to case.
    pub ignore_case: bool,
}

impl Default for IncludesConfig {
    fn default() -> Self {
        Self { ignore_case: true }
    }
}

/// The answer holds a reference.
#[derive(Debug)]
pub struct Includes {
    config: IncludesConfig,
}

impl Scorer for Includes {
    const ABOUT: About = crate::about(
        "includes",
        "The answer holds a reference.",
        r#"{ "ignore-case": { "type": "boolean", "default": true, "description": "Compare without regard to case." } }"#,
    );
    type Config = IncludesConfig;

    fn new(config: IncludesConfig) -> Result<Self, Problem> {
        Ok(Self { config })
    }

    fn grade(&self, sample: &Sample) -> Grade {
        let folded = |text: &str| if self.config.ignore_case { python::casefold(text) } else { text.to_owned() };
        let answer = folded(sample.answer.as_deref().unwrap_or_default());
        first_that_matches(sample, |_, target| {
            let matched = answer.contains(&folded(target));
            Ok(Found { answer: answer.clone(), matched })
        })
    }
}

/// The references in order, until one matches; what the last comparison took for the answer is the answer.
fn first_that_matches(sample: &Sample, compare: impl Fn(&str, &str) -> Result<Found, Problem>) -> Grade {
    let targets = match target_texts(sample) {
        Ok(targets) => targets,
        Err(problem) => return Grade::failed(problem),
    };
    let answer = sample.answer.as_deref().unwrap_or_default();
    let mut last = String::new();
    for target in &targets {
        match compare(answer, target) {
            Err(problem) => return Grade::failed(problem),
            Ok(found) if found.matched => return Grade::binary(true).extracted(found.answer),
            Ok(found) => last = found.answer,
        }
    }
    Grade::binary(false).extracted(last)
}
