//! GSM8K as lm-eval grades it, strictly and flexibly, and as it was meant.
//!
//! The patterns of the reference run over every answer, so they are written out as scans here; a property test holds them to
//! the patterns.

use bench_scoring::{About, Grade, MetricAbout, Problem, Reason, Sample, Scorer, problem, target_texts};
use serde::Deserialize;

use crate::decimal;
use crate::normalise::{Arrays, Ignore, Normalise};

/// What stands for an answer in which no number was found.
pub const INVALID: &str = "[invalid]";

/// Which of the two extractions is the headline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extraction {
    /// Behind the words that the prompt asks for.
    StrictMatch,
    /// The last number.
    #[default]
    FlexibleExtract,
}

/// What the prompt asks the answer to end with, by the names of lm-eval's tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `#### 72`
    #[default]
    Gsm8k,
    /// `The answer is 72.`
    Cot,
    /// `The final answer is 72`
    CotLlama,
    /// `The answer is 72`
    CotSelfConsistency,
}

/// The configuration of both scorers.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    filter: Extraction,
    format: Format,
}

const CONFIG: &str = r#"{
    "filter": { "enum": ["strict-match", "flexible-extract"], "default": "flexible-extract", "description": "Which extraction is the headline." },
    "format": { "enum": ["gsm8k", "cot", "cot-llama", "cot-self-consistency"], "default": "gsm8k", "description": "What the prompt asks the answer to end with." }
}"#;

const METRICS: &[MetricAbout] = &[
    MetricAbout {
        name: "accuracy",
        summary: "Share of right answers, by the extraction of the configuration.",
        unit: "ratio",
        higher_is_better: Some(true),
    },
    MetricAbout {
        name: "strict-match",
        summary: "Share of right answers behind the words that were asked for.",
        unit: "ratio",
        higher_is_better: Some(true),
    },
    MetricAbout {
        name: "flexible-extract",
        summary: "Share of answers whose last number is right.",
        unit: "ratio",
        higher_is_better: Some(true),
    },
];

/// How many bytes of a text from `at` on are in the class.
fn run(text: &[u8], at: usize, class: impl Fn(u8) -> bool) -> usize {
    text.iter().skip(at).take_while(|&&b| class(b)).count()
}

fn in_number(b: u8) -> bool {
    b.is_ascii_digit() || matches!(b, b'.' | b',')
}

fn in_amount(b: u8) -> bool {
    in_number(b) || b == b'$'
}

/// The first match of a form behind a text.
fn behind<'t>(text: &'t str, words: &str, form: impl Fn(&str) -> Option<usize>) -> Option<&'t str> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find(words) {
        let rest = text.get(from + at + words.len()..)?;
        if let Some(length) = form(rest) {
            return rest.get(..length);
        }
        from += at + 1;
    }
    None
}

/// What the strict pattern of a format captures.
fn strict(text: &str, format: Format) -> Option<&str> {
    let sign = |rest: &str| usize::from(rest.starts_with('-'));
    match format {
        // #### (\-?[0-9\.\,]+)
        Format::Gsm8k => behind(text, "#### ", |rest| {
            let digits = run(rest.as_bytes(), sign(rest), in_number);
            (digits > 0).then(|| sign(rest) + digits)
        }),
        // The answer is (\-?[0-9\.\,]+). -- the last point is any character, and the last of the number where nothing follows.
        Format::Cot => behind(text, "The answer is ", |rest| {
            let digits = run(rest.as_bytes(), sign(rest), in_number);
            let end = sign(rest) + digits;
            match rest.as_bytes().get(end) {
                Some(b) if *b != b'\n' => (digits > 0).then_some(end),
                _ => (digits > 1).then(|| end - 1),
            }
        }),
        // The final answer is ((-?[$0-9.,]{2,})|(-?[0-9]+)), the last one.
        Format::CotLlama => text.rmatch_indices("The final answer is ").find_map(|(at, words)| {
            let rest = text.get(at + words.len()..)?;
            let length = run(rest.as_bytes(), sign(rest), in_amount);
            let single = rest.as_bytes().get(sign(rest)).is_some_and(u8::is_ascii_digit);
            (length > 1 || single).then(|| rest.get(..sign(rest) + length))?
        }),
        // The answer is (\-?[0-9\.\,]*[0-9]+)
        Format::CotSelfConsistency => behind(text, "The answer is ", |rest| {
            let digits = run(rest.as_bytes(), sign(rest), in_number);
            let number = rest.as_bytes().get(..sign(rest) + digits)?;
            number.iter().rposition(u8::is_ascii_digit).map(|last| last + 1)
        }),
    }
}

/// The last match of `(-?[$0-9.,]{2,})|(-?[0-9]+)`: a run of at least two of these characters or a single digit, with a minus
/// sign right before it.
fn flexible(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let mut end = bytes.len();
    while end > 0 {
        let last = bytes.get(..end)?.iter().rposition(|&b| in_amount(b))?;
        let begin = bytes.get(..last)?.iter().rposition(|&b| !in_amount(b)).map_or(0, |before| before + 1);
        let single_sign = begin == last && !bytes.get(last)?.is_ascii_digit();
        if !single_sign {
            let signed = begin.checked_sub(1).filter(|&before| bytes.get(before) == Some(&b'-'));
            return text.get(signed.unwrap_or(begin)..=last);
        }
        end = begin;
    }
    None
}

/// GSM8K by lm-eval's rules.
#[derive(Debug)]
pub struct Gsm8k {
    config: Config,
    normalise: Normalise,
}

fn verdict(config: &Config, strict: (bool, Option<&str>), flexible: (bool, Option<&str>)) -> Grade {
    let (right, extracted) = match config.filter {
        Extraction::StrictMatch => strict,
        Extraction::FlexibleExtract => flexible,
    };
    let grade = match extracted {
        Some(extracted) => Grade::binary(right).extracted(extracted),
        None if right => Grade::binary(true),
        None => Grade::zero(Reason::InvalidFormat),
    };
    let number = |right: bool| if right { 1.0 } else { 0.0 };
    grade.with("strict-match", number(strict.0)).with("flexible-extract", number(flexible.0))
}

impl Scorer for Gsm8k {
    const ABOUT: About = About {
        name: "gsm8k",
        version: env!("CARGO_PKG_VERSION"),
        summary: "The number of the answer is that of the reference, digit by digit.",
        reference: "lm-eval 0.4.13",
        config: CONFIG,
        metrics: METRICS,
        unbounded: false,
        needs_judge: false,
        needs_likelihoods: false,
    };
    type Config = Config;

    fn new(config: Config) -> Result<Self, Problem> {
        let patterns = [",", r"\$", "(?s).*#### ", r"\.$"].map(Ignore::new).into_iter().collect::<Result<_, _>>()?;
        Ok(Self { config, normalise: Normalise { patterns: Some(patterns), case: true, ..Normalise::default() } })
    }

    fn grade(&self, sample: &Sample) -> Grade {
        let graded = target_texts(sample).and_then(|targets| {
            let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
            let answer = sample.answer.as_deref().unwrap_or_default();
            let right =
                |extracted: Option<&str>| self.normalise.equal(extracted.unwrap_or(INVALID), &targets, Arrays::Show);
            let (strict, flexible) = (strict(answer, self.config.format), flexible(answer));
            Ok(verdict(&self.config, (right(strict)?, strict), (right(flexible)?, flexible)))
        });
        graded.unwrap_or_else(Grade::failed)
    }
}

/// GSM8K with numbers compared as numbers: `$29.00` is 29, a full stop behind a number is no part of it, commas part thousands,
/// `...` is no number.
#[derive(Debug)]
pub struct Gsm8kFixed {
    config: Config,
}

impl Scorer for Gsm8kFixed {
    const ABOUT: About = About {
        name: "gsm8k-fixed",
        summary: "The number of the answer is that of the reference.",
        reference: "lm-eval 0.4.13, with numbers compared as numbers",
        ..Gsm8k::ABOUT
    };
    type Config = Config;

    fn new(config: Config) -> Result<Self, Problem> {
        Ok(Self { config })
    }

    fn grade(&self, sample: &Sample) -> Grade {
        let graded = target_texts(sample).and_then(|targets| {
            let number = |target: &String| {
                let behind = target.rsplit("####").next().unwrap_or_default();
                decimal::last(behind).ok_or_else(|| {
                    let message = format!("the reference of sample `{}` has no number: `{target}`", sample.id);
                    problem(
                        "bad-target",
                        message,
                        "the reference is a number, or the solution with `#### ` before its number",
                    )
                })
            };
            let targets: Vec<String> = targets.iter().map(number).collect::<Result<_, _>>()?;
            let answer = sample.answer.as_deref().unwrap_or_default();
            let words = match self.config.format {
                Format::Gsm8k => "####",
                Format::Cot | Format::CotSelfConsistency => "The answer is",
                Format::CotLlama => "The final answer is",
            };
            let strict = answer.rsplit_once(words).and_then(|(_, behind)| decimal::first(behind.lines().next()?));
            let flexible = strict.clone().or_else(|| decimal::last(answer));
            let right = |number: &Option<String>| number.as_ref().is_some_and(|number| targets.contains(number));
            Ok(verdict(&self.config, (right(&strict), strict.as_deref()), (right(&flexible), flexible.as_deref())))
        });
        graded.unwrap_or_else(Grade::failed)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use bench_scoring::python::{Flags, Regex};
    use proptest::prelude::*;

    use super::{Format, flexible, strict};

    fn by_pattern<'t>(pattern: &str, select: i64, text: &'t str) -> Option<&'t str> {
        let found = Regex::new(pattern, Flags::default()).unwrap().nth(text, select).unwrap()?;
        (1..=found.groups()).filter_map(|group| found.group(group)).find(|text| !text.is_empty())
    }

    proptest! {
        #[test]
        fn scans_find_what_the_patterns_find(text in "([-#$.,0-9 \\na]|#### |The answer is |The final answer is ){0,24}") {
            prop_assert_eq!(flexible(&text), by_pattern("(-?[$0-9.,]{2,})|(-?[0-9]+)", -1, &text));
            for (format, pattern, select) in [
                (Format::Gsm8k, r"#### (\-?[0-9\.\,]+)", 0),
                (Format::Cot, r"The answer is (\-?[0-9\.\,]+).", 0),
                (Format::CotLlama, r"The final answer is ((-?[$0-9.,]{2,})|(-?[0-9]+))", -1),
                (Format::CotSelfConsistency, r"The answer is (\-?[0-9\.\,]*[0-9]+)", 0),
            ] {
                prop_assert_eq!(strict(&text, format), by_pattern(pattern, select, &text), "{:?}", format);
            }
        }
    }
}
