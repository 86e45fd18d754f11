//! `pattern`: what a regular expression captures is a reference.

use bench_scoring::python::{self, Flags, Match, Regex};
use bench_scoring::{About, Grade, Problem, Reason, Sample, Scorer, problem, target_texts};
use serde::Deserialize;

/// Configuration of [`Pattern`] and [`PatternFixed`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PatternConfig {
    /// A regular expression of Python's. Without a group the whole match counts.
    pub pattern: String,
    /// Search and compare without regard to case.
    #[serde(default = "truth")]
    pub ignore_case: bool,
    /// Every group that takes part has to be a reference, rather than one of them.
    #[serde(default)]
    pub match_all: bool,
}

const fn truth() -> bool {
    true
}

const CONFIG: &str = r#"{
    "pattern": { "type": "string", "description": "A regular expression of Python's. Without a group the whole match counts." },
    "ignore-case": { "type": "boolean", "default": true, "description": "Search and compare without regard to case." },
    "match-all": { "type": "boolean", "default": false,
        "description": "Every group has to be a reference, rather than one of them." }
}"#;

/// What both scorers share.
#[derive(Debug)]
pub(crate) struct Rules {
    pub regex: Regex,
    pub ignore_case: bool,
    pub match_all: bool,
}

impl Rules {
    pub fn new(config: &PatternConfig) -> Result<Self, Problem> {
        let flags = Flags { ignore_case: config.ignore_case, ..Flags::default() };
        let regex = Regex::new(&config.pattern, flags).map_err(|error| {
            problem("bad-pattern", format!("`pattern`: {error}"), "write it as Python's `re` takes it")
        })?;
        Ok(Self { regex, ignore_case: config.ignore_case, match_all: config.match_all })
    }

    /// Where the pattern first matches, or the grade where it does not.
    fn search<'t>(&self, text: &'t str) -> Result<Match<'t>, Grade> {
        match self.regex.search(text) {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err(Grade::zero(Reason::InvalidFormat).explained("the pattern is nowhere in the answer")),
            Err(error) => Err(Grade::failed(problem("pattern-too-hard", error.to_string(), "simplify the pattern"))),
        }
    }

    fn is_target(&self, text: &str, targets: &[String]) -> bool {
        if self.ignore_case {
            let text = python::lower(text);
            targets.iter().any(|target| python::lower(target) == text)
        } else {
            targets.iter().any(|target| target == text)
        }
    }

    /// As the reference grades, where a capture that is empty is wrong even if the reference is empty too, since its Python takes
    /// an empty text for none.
    pub fn grade(&self, sample: &Sample) -> Grade {
        self.decide(sample, |captured| !captured.is_empty())
    }

    /// As one would expect: an empty capture that equals the reference is correct.
    pub fn grade_fixed(&self, sample: &Sample) -> Grade {
        self.decide(sample, |_| true)
    }

    fn decide(&self, sample: &Sample, counts: impl Fn(&str) -> bool) -> Grade {
        let targets = match target_texts(sample) {
            Ok(targets) => targets,
            Err(problem) => return Grade::failed(problem),
        };
        let found = match self.search(sample.answer.as_deref().unwrap_or_default()) {
            Ok(found) => found,
            Err(grade) => return grade,
        };
        let groups = groups(&found);
        let mut captured = groups.iter().flatten();
        if self.match_all {
            let all = captured.clone().next().is_some() && captured.all(|group| self.is_target(group, &targets));
            let joined = targets.concat();
            return if all { Grade::binary(counts(&joined)).extracted(joined) } else { Grade::binary(false) };
        }
        match captured.find(|group| self.is_target(group, &targets)) {
            Some(group) => Grade::binary(counts(group)).extracted(*group),
            None => match groups.as_slice() {
                [Some(only)] => Grade::binary(false).extracted(*only),
                _ => Grade::binary(false),
            },
        }
    }
}

fn groups<'t>(found: &Match<'t>) -> Vec<Option<&'t str>> {
    match found.groups() {
        0 => vec![Some(found.text())],
        count => (1..=count).map(|group| found.group(group)).collect(),
    }
}

/// What a regular expression captures is a reference, as inspect_ai has it.
#[derive(Debug)]
pub struct Pattern(Rules);

impl Scorer for Pattern {
    const ABOUT: About =
        crate::about("pattern", "What a regular expression captures in the answer is a reference.", CONFIG);
    type Config = PatternConfig;

    fn new(config: PatternConfig) -> Result<Self, Problem> {
        Rules::new(&config).map(Self)
    }

    fn grade(&self, sample: &Sample) -> Grade {
        self.0.grade(sample)
    }
}

/// What a regular expression captures is a reference, even where both are empty.
#[derive(Debug)]
pub struct PatternFixed(Rules);

impl Scorer for PatternFixed {
    const ABOUT: About = crate::about(
        "pattern-fixed",
        "What a regular expression captures in the answer is a reference, even where both are empty.",
        CONFIG,
    );
    type Config = PatternConfig;

    fn new(config: PatternConfig) -> Result<Self, Problem> {
        Rules::new(&config).map(Self)
    }

    fn grade(&self, sample: &Sample) -> Grade {
        self.0.grade_fixed(sample)
    }
}
