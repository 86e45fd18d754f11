//! Exact match and F1 over words, as the official scripts of SQuAD 1.1 and 2.0 compute them.
//!
//! Both versions compare normalised text: lower case, no ASCII punctuation, no articles, single spaces. They differ where one
//! side has no words: version 2 gives 1 where the other side has none either, version 1 has no such rule, so that its F1 of two
//! empty texts is 0. The threshold on a probability of no answer that version 2's script searches for is not here, since it
//! needs that probability from the model.

use std::borrow::Cow;
use std::cmp::Ordering;

use bench_scoring::python::{self, is_space, is_word};
use bench_scoring::{About, Grade, MetricAbout, Problem, Sample, Scorer, Target, problem};
use serde::Deserialize;

/// Whose script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Version {
    /// Every question has an answer.
    #[serde(rename = "1.1")]
    One,
    /// Questions without a reference have no answer, and saying nothing is right.
    #[default]
    #[serde(rename = "2.0")]
    Two,
}

/// Configuration of [`Squad`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SquadConfig {
    /// Whose script.
    pub version: Version,
    /// What a model says, as a whole and normalised, when it holds that there is no answer, such as `unanswerable`.
    pub no_answer: Vec<String>,
}

/// Exact match and F1 of SQuAD.
#[derive(Debug)]
pub struct Squad {
    version: Version,
    no_answer: Vec<String>,
}

/// References as the data set itself has them.
#[derive(Deserialize)]
struct Columns {
    text: Vec<String>,
}

/// The references of a sample: a text, a list of texts, or `{"text": [...], "answer_start": [...]}`.
fn references(sample: &Sample) -> Result<Vec<String>, Problem> {
    match sample.target.trim_start().as_bytes().first() {
        Some(b'[') => Target::of(sample),
        Some(b'{') => Target::of(sample).map(|columns: Columns| columns.text),
        _ => Target::of(sample).map(|text| vec![text]),
    }
}

impl Squad {
    /// Exact match and F1, each the best over the references, and whether there is an answer to be found.
    fn scores(&self, sample: &Sample) -> Result<(String, f64, f64, bool), Problem> {
        let mut gold: Vec<String> = references(sample)?.iter().map(|reference| normalised(reference)).collect();
        let mut answer = normalised(sample.answer.as_deref().unwrap_or_default());
        if self.no_answer.contains(&answer) {
            answer.clear();
        }
        if self.version == Version::Two {
            gold.retain(|text| !text.is_empty());
        }
        let has_answer = !gold.is_empty();
        if !has_answer {
            if self.version == Version::One {
                let message = format!("sample `{}` has no reference", sample.id);
                return Err(problem("bad-target", message, "version 2.0 has questions without an answer"));
            }
            gold.push(String::new());
        }
        let exact = if gold.contains(&answer) { 1.0 } else { 0.0 };
        let answered = words(&answer);
        let f1 = gold.iter().map(|text| self.f1(&words(text), &answered)).fold(0.0, f64::max);
        Ok((answer, exact, f1, has_answer))
    }

    /// F1 of two texts by their words, each in order of the alphabet.
    fn f1(&self, gold: &[&[u8]], answer: &[&[u8]]) -> f64 {
        if self.version == Version::Two && (gold.is_empty() || answer.is_empty()) {
            return if gold == answer { 1.0 } else { 0.0 };
        }
        let (mut same, mut left, mut right) = (0_usize, gold.iter().peekable(), answer.iter().peekable());
        while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
            match one.cmp(other) {
                Ordering::Less => {
                    left.next();
                }
                Ordering::Greater => {
                    right.next();
                }
                Ordering::Equal => {
                    same += 1;
                    left.next();
                    right.next();
                }
            }
        }
        if same == 0 {
            return 0.0;
        }
        let precision = same as f64 / answer.len() as f64;
        let recall = same as f64 / gold.len() as f64;
        (2.0 * precision * recall) / (precision + recall)
    }
}

/// The words of a normalised text, which has one space between each two, in order of the alphabet.
fn words(text: &str) -> Vec<&[u8]> {
    let mut words: Vec<&[u8]> = text.as_bytes().split(|byte| *byte == b' ').filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words
}

const ARTICLES: [&str; 3] = ["a", "an", "the"];

/// As [`normalised`], for texts of ASCII in which what is no letter and no digit is punctuation or white space.
fn normalised_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(|c: char| is_ascii_space(c as u8)) {
        let space = out.len();
        out.extend((space > 0).then_some(' '));
        let start = out.len();
        out.extend(word.bytes().filter(|b| !b.is_ascii_punctuation()).map(|b| b.to_ascii_lowercase() as char));
        if out.len() == start || ARTICLES.contains(&&out[start..]) {
            out.truncate(space);
        }
    }
    out
}

/// White space of ASCII as Python has it.
fn is_ascii_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r' | 0x1c..=0x1f)
}

/// Lower case, without punctuation and articles, single spaces, in this order.
fn normalised(text: &str) -> String {
    if text.bytes().all(|byte| byte.is_ascii_graphic() || is_ascii_space(byte)) {
        return normalised_ascii(text);
    }
    let lower = python::lower(text);
    let mut bare = String::with_capacity(lower.len());
    bare.extend(lower.chars().filter(|character| !character.is_ascii_punctuation()));
    let words = python::split_whitespace(&bare);
    let mut out = String::with_capacity(bare.len());
    for word in words {
        // A whole word in most cases; beside a character that is neither a letter nor a space, a part of one.
        for part in without_articles(word).split(is_space).filter(|part| !part.is_empty()) {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(part);
        }
    }
    out
}

/// What `re.sub(r"\b(a|an|the)\b", " ", word)` gives: each run of word characters that is an article becomes a space.
fn without_articles(word: &str) -> Cow<'_, str> {
    if word.chars().all(is_word) {
        return if ARTICLES.contains(&word) { Cow::Borrowed(" ") } else { Cow::Borrowed(word) };
    }
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let same = |character: char| is_word(character) == is_word(first);
        let (run, behind) = rest.split_at(rest.find(|character| !same(character)).unwrap_or(rest.len()));
        out.push_str(if ARTICLES.contains(&run) { " " } else { run });
        rest = behind;
    }
    Cow::Owned(out)
}

impl Scorer for Squad {
    const ABOUT: About = About {
        name: "squad",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Exact match and F1 over words, as SQuAD's scripts compute them.",
        reference: "SQuAD evaluate-v1.1.py and evaluate-v2.0.py",
        config: r#"{
            "version": { "enum": ["1.1", "2.0"], "default": "2.0", "description": "Whose script." },
            "no-answer": { "type": "array", "items": { "type": "string" }, "default": [],
                "description": "What a model says when it holds that there is no answer; taken as saying nothing." }
        }"#,
        metrics: &[
            MetricAbout {
                name: "f1",
                summary: "Words shared with the closest reference: the harmonic mean of precision and recall.",
                unit: "ratio",
                higher_is_better: Some(true),
            },
            MetricAbout {
                name: "exact-match",
                summary: "Share of the answers that equal a reference once normalised.",
                unit: "ratio",
                higher_is_better: Some(true),
            },
            MetricAbout {
                name: "has-answer-f1",
                summary: "F1 over the questions that have an answer.",
                unit: "ratio",
                higher_is_better: Some(true),
            },
            MetricAbout {
                name: "has-answer-exact-match",
                summary: "Exact match over the questions that have an answer.",
                unit: "ratio",
                higher_is_better: Some(true),
            },
            MetricAbout {
                name: "no-answer-accuracy",
                summary: "Share of the questions without an answer where none is given.",
                unit: "ratio",
                higher_is_better: Some(true),
            },
        ],
        unbounded: false,
        needs_judge: false,
        needs_likelihoods: false,
    };
    type Config = SquadConfig;

    fn new(config: SquadConfig) -> Result<Self, Problem> {
        let no_answer = config.no_answer.iter().map(|text| normalised(text)).collect();
        Ok(Self { version: config.version, no_answer })
    }

    fn grade(&self, sample: &Sample) -> Grade {
        let (answer, exact, f1, has_answer) = match self.scores(sample) {
            Ok(scores) => scores,
            Err(problem) => return Grade::failed(problem),
        };
        let grade = Grade::of(f1).extracted(answer).with("exact-match", exact);
        if has_answer {
            grade.with("has-answer-f1", f1).with("has-answer-exact-match", exact)
        } else {
            grade.with("no-answer-accuracy", exact)
        }
    }
}

#[cfg(test)]
mod tests {
    use bench_scoring::python::{self, Flags, PUNCTUATION, Regex};
    use proptest::prelude::*;

    use super::normalised;

    /// As the script writes it.
    fn by_the_script(text: &str) -> String {
        let mut lower = python::lower(text);
        lower.retain(|character| !PUNCTUATION.contains(character));
        let articles = Regex::new(r"\b(a|an|the)\b", Flags::default()).expect("the script's pattern");
        let bare = articles.replace_all(&lower, " ").expect("an easy pattern");
        python::split_whitespace(&bare).join(" ")
    }

    proptest! {
        #[test]
        fn articles_go_as_the_script_s_pattern_has_them_go(
            words in prop::collection::vec("(a|an|The|AN|thé|[a-z]{1,3}|[a-zé²½_\\-'.\u{1}\u{1c}\u{301}€ ]{1,4})[ \t\u{1f}\u{a0}.€\u{301}]?", 0..8)
        ) {
            let text = words.concat();
            prop_assert_eq!(normalised(&text), by_the_script(&text));
        }
    }
}
