//! GPQA: the two extractions of lm-eval's chain-of-thought tasks, the pattern of simple-evals, and a way that works for all of the
//! usual forms.

use bench_scoring::python::{self, Flags, Regex};
use bench_scoring::{About, Grade, MetricAbout, Problem, Reason, Sample, Scorer, problem, target_texts};
use serde::Deserialize;

use crate::filters::{by_colon, by_text, choices, without_ignored};
use crate::gsm8k::INVALID;
use crate::normalise::{Arrays, Normalise};

/// Which extraction is the headline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Extraction {
    StrictMatch,
    #[default]
    FlexibleExtract,
    SimpleEvals,
}

/// The configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    filter: Extraction,
}

const fn share(name: &'static str, summary: &'static str) -> MetricAbout {
    MetricAbout { name, summary, unit: "ratio", higher_is_better: Some(true) }
}

/// What `(?<=The answer is )(.*)(?=.)` finds first: the rest of the line without its last character, whatever that is. Odd: an
/// answer that ends without a full stop loses its last letter.
fn strict(text: &str) -> Option<&str> {
    text.match_indices("The answer is ").find_map(|(at, words)| {
        let line = text.get(at + words.len()..)?.split('\n').next()?;
        let last = line.chars().next_back()?;
        line.get(..line.len() - last.len_utf8())
    })
}

/// The last `(A)` of any letter from A to Z.
fn in_parentheses(text: &str) -> Option<&str> {
    text.rmatch_indices(')').find_map(|(end, _)| {
        let letter = text.get(end.checked_sub(2)?..=end)?;
        let letter_only = letter.strip_prefix('(')?.chars().next()?;
        letter_only.is_ascii_uppercase().then_some(letter)
    })
}

/// What lm-eval's filter `multi_choice_regex` finds with GPQA's options.
fn flexible(sample: &Sample, text: &str) -> Result<Option<String>, Problem> {
    if let Some(letter) = in_parentheses(text) {
        return Ok(Some(letter.into()));
    }
    let choices = choices(sample)?;
    let cleaned: Vec<String> =
        choices.iter().map(|choice| without_ignored(python::strip(choice), true, true)).collect();
    if let Some(found) = by_text(&without_ignored(text, true, true), &cleaned, -1)? {
        return Ok(Some(found));
    }
    by_colon(text, choices.len(), -1)
}

/// What `(?i)Answer[ \t]*:[ \t]*\$?([A-D])\$?` finds first. Each colon has at most one such word before it, so the first colon that
/// fits is the one.
fn named(text: &str) -> Option<&str> {
    let blank = [' ', '\t'];
    text.match_indices(':').find_map(|(colon, _)| {
        let before = text.get(..colon)?.trim_end_matches(blank);
        let behind = text.get(colon + 1..)?.trim_start_matches(blank);
        let letter = behind.strip_prefix('$').unwrap_or(behind).get(..1)?;
        // Regardless of case an s is also a long one.
        let mut word = before.chars().rev().map(|c| if c == 'ſ' { 's' } else { c.to_ascii_lowercase() });
        let answer = "rewsna".chars().all(|c| word.next() == Some(c));
        (answer && matches!(letter, "A" | "B" | "C" | "D" | "a" | "b" | "c" | "d")).then_some(letter)
    })
}

/// GPQA by the rules of lm-eval and of simple-evals.
#[derive(Debug)]
pub struct Gpqa {
    filter: Extraction,
    normalise: Normalise,
}

impl Scorer for Gpqa {
    const ABOUT: About = About {
        name: "gpqa",
        version: env!("CARGO_PKG_VERSION"),
        summary: "The letter of the answer is that of the reference.",
        reference: "lm-eval 0.4.13 (strict-match, flexible-extract), openai/simple-evals (simple-evals)",
        config: r#"{
            "filter": { "enum": ["strict-match", "flexible-extract", "simple-evals"], "default": "flexible-extract", "description": "Which extraction is the headline. `flexible-extract` may need the item's field `choices`." }
        }"#,
        metrics: &[
            share("accuracy", "Share of right answers, by the extraction of the configuration."),
            share("strict-match", "Share of right answers behind `The answer is `."),
            share(
                "flexible-extract",
                "Share of answers whose last letter in parentheses, or choice by its text, is right.",
            ),
            share("simple-evals", "Share of answers whose letter behind the first `Answer:` is right."),
        ],
        unbounded: false,
        needs_judge: false,
        needs_likelihoods: false,
    };
    type Config = Config;

    fn new(config: Config) -> Result<Self, Problem> {
        let normalise = Normalise { case: true, punctuation: true, ..Normalise::default() };
        Ok(Self { filter: config.filter, normalise })
    }

    fn grade(&self, sample: &Sample) -> Grade {
        self.graded(sample).unwrap_or_else(Grade::failed)
    }
}

impl Gpqa {
    fn graded(&self, sample: &Sample) -> Result<Grade, Problem> {
        let targets = target_texts(sample)?;
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        let text = sample.answer.as_deref().unwrap_or_default();
        let equal = |found: Option<&str>| self.normalise.equal(found.unwrap_or(INVALID), &targets, Arrays::Show);
        let strict = strict(text).map(python::strip);
        let named = named(text);
        // Odd: the pattern finds a small letter as well, which then equals no reference.
        let bare = |target: &&str| named.is_some_and(|named| target.trim_matches(['(', ')']) == named);
        let flexible = flexible(sample, text);
        let (right, found) = match self.filter {
            Extraction::StrictMatch => (equal(strict)?, strict),
            Extraction::SimpleEvals => (targets.iter().any(bare), named),
            Extraction::FlexibleExtract => {
                let found = flexible.as_ref().map_err(Clone::clone)?.as_deref();
                (equal(found)?, found)
            }
        };
        let number = |right: bool| if right { 1.0 } else { 0.0 };
        let grade = match found {
            Some(found) => Grade::binary(right).extracted(found),
            None => Grade::zero(Reason::InvalidFormat),
        };
        let grade = grade.with("strict-match", number(equal(strict)?));
        let grade = match &flexible {
            Ok(found) => grade.with("flexible-extract", number(equal(found.as_deref())?)),
            Err(_) => grade,
        };
        Ok(grade.with("simple-evals", number(targets.iter().any(bare))))
    }
}

/// The letter by the last of the usual forms: boxed, behind the word answer, in parentheses, alone on the last line, or a
/// choice's text. Neither a missing full stop nor emphasis nor a small word decides.
#[derive(Debug)]
pub struct GpqaFixed {
    boxed: Regex,
    answer: Regex,
    alone: Regex,
}

/// The configuration of the fixed scorer: nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

impl Scorer for GpqaFixed {
    const ABOUT: About = About {
        name: "gpqa-fixed",
        version: env!("CARGO_PKG_VERSION"),
        summary: "The letter of the answer, in whichever of the usual forms, is that of the reference.",
        reference: "",
        config: "{}",
        metrics: &[share("accuracy", "Share of right answers.")],
        unbounded: false,
        needs_judge: false,
        needs_likelihoods: false,
    };
    type Config = NoConfig;

    fn new(_config: NoConfig) -> Result<Self, Problem> {
        let pattern = |pattern: &str| Regex::new(pattern, Flags::default());
        Ok(Self {
            boxed: pattern(r"\\boxed\{\s*(?:\\text\{|\\textbf\{|\\mathrm\{)?\s*\(?([A-Z])\)?\s*\}")?,
            answer: pattern(
                r"(?:[Aa]nswer|ANSWER)\b[ \t]*(?:(?:is|IS)\b)?[ \t]*:?[ \t]*[*$_`]*[ \t]*(?:[Oo]ption |[Cc]hoice )?[*$_`]*\(?([A-Z])(?![A-Za-z0-9'])",
            )?,
            alone: pattern(r"[*_`$]*\(?([A-Z])[).]*[*_`$]*\.?")?,
        })
    }

    fn grade(&self, sample: &Sample) -> Grade {
        self.graded(sample).unwrap_or_else(Grade::failed)
    }
}

impl GpqaFixed {
    fn graded(&self, sample: &Sample) -> Result<Grade, Problem> {
        let letter = |text: &str| {
            let mut letters = text.chars().filter(|c| !matches!(c, '(' | ')' | ' '));
            letters.next().filter(|c| c.is_ascii_uppercase() && letters.next().is_none())
        };
        let targets: Option<Vec<char>> = target_texts(sample)?.iter().map(|target| letter(target)).collect();
        let targets = targets.ok_or_else(|| {
            problem(
                "bad-target",
                format!("the reference of sample `{}` is no letter", sample.id),
                "references are letters, such as `(A)`",
            )
        })?;
        let text = sample.answer.as_deref().unwrap_or_default();
        let found = self.find(sample, text)?;
        Ok(match found.as_deref().and_then(letter) {
            Some(found) => Grade::binary(targets.contains(&found)).extracted(found),
            None => Grade::zero(Reason::InvalidFormat),
        })
    }

    fn find(&self, sample: &Sample, text: &str) -> Result<Option<String>, Problem> {
        for pattern in [&self.boxed, &self.answer] {
            if let Some(found) = pattern.nth(text, -1)? {
                return Ok(found.group(1).map(str::to_owned));
            }
        }
        if let Some(letter) = in_parentheses(text) {
            return Ok(Some(letter.into()));
        }
        let last = text.lines().rev().map(python::strip).find(|line| !line.is_empty());
        if let Some(found) = last.map(|line| self.alone.full_match(line)).transpose()?.flatten() {
            return Ok(found.group(1).map(str::to_owned));
        }
        let Ok(choices) = choices(sample) else { return Ok(None) };
        let cleaned: Vec<String> =
            choices.iter().map(|choice| python::strip(&without_ignored(choice, true, true)).to_owned()).collect();
        let nonempty = cleaned.iter().all(|choice| !choice.is_empty());
        if nonempty { by_text(&without_ignored(text, true, true), &cleaned, -1) } else { Ok(None) }
    }
}

#[cfg(test)]
mod tests {
    use bench_scoring::python::{Flags, Regex};
    use proptest::prelude::*;

    use super::named;

    proptest! {
        #[test]
        fn the_letter_named_is_the_one_that_the_pattern_of_simple_evals_finds(
            parts in prop::collection::vec("(answer|ANSWER|Anſwer|an\\$wer|x)?[ \t\n]{0,2}(:|é)?[ \t]{0,2}\\$?[A-Ea-eéK]?", 0..6)
        ) {
            let text = parts.concat();
            let pattern = Regex::new(r"(?i)Answer[ \t]*:[ \t]*\$?([A-D])\$?", Flags::default()).expect("the pattern");
            let found = pattern.search(&text).expect("an easy pattern");
            prop_assert_eq!(named(&text), found.as_ref().and_then(|found| found.group(1)));
        }
    }
}
