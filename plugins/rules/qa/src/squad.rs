//! Exact match and F1 over words, as the official scripts of SQuAD 1.1 and 2.0 compute them.
//!
//! Both versions compare normalised text: lower case, no ASCII punctuation, no articles, single spaces. They differ where one
//! side has no words: version 2 gives 1 where the other side has none either, version 1 has no such rule, so that its F1 of two
//! empty texts is 0. The threshold on a probability of no answer that version 2's script searches for is not here, since it
//! needs that probability from the model.

use std::collections::BTreeMap;

use bench_scoring::python::{self, Flags, PUNCTUATION, Regex};
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
    articles: Regex,
}

/// References as data sets have them.
#[derive(Deserialize)]
#[serde(untagged)]
enum References {
    One(String),
    Many(Vec<String>),
    /// As the data set itself: `{"text": [...], "answer_start": [...]}`.
    Columns {
        text: Vec<String>,
    },
}

impl Squad {
    fn normalised(&self, text: &str) -> Result<String, Problem> {
        normalised(&self.articles, text)
    }

    /// Exact match and F1, each the best over the references, and whether there is an answer to be found.
    fn scores(&self, sample: &Sample) -> Result<(String, f64, f64, bool), Problem> {
        let references = match Target::of(sample)? {
            References::One(text) => vec![text],
            References::Many(texts) | References::Columns { text: texts } => texts,
        };
        let mut gold = Vec::with_capacity(references.len());
        for reference in &references {
            gold.push(self.normalised(reference)?);
        }
        let mut answer = self.normalised(sample.answer.as_deref().unwrap_or_default())?;
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
        let f1 = gold.iter().map(|text| self.f1(text, &answer)).fold(0.0, f64::max);
        Ok((answer, exact, f1, has_answer))
    }

    fn f1(&self, gold: &str, answer: &str) -> f64 {
        let (gold, answer) = (python::split_whitespace(gold), python::split_whitespace(answer));
        if self.version == Version::Two && (gold.is_empty() || answer.is_empty()) {
            return if gold == answer { 1.0 } else { 0.0 };
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for word in &gold {
            *counts.entry(word).or_default() += 1;
        }
        let mut same = 0_usize;
        for word in &answer {
            if let Some(left) = counts.get_mut(word).filter(|left| **left > 0) {
                *left -= 1;
                same += 1;
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

/// Lower case, without punctuation and articles, single spaces, in this order.
fn normalised(articles: &Regex, text: &str) -> Result<String, Problem> {
    let mut lower = python::lower(text);
    lower.retain(|character| !PUNCTUATION.contains(character));
    let bare = articles.replace_all(&lower, " ").map_err(|error| problem("pattern-too-hard", error.to_string(), ""))?;
    Ok(python::split_whitespace(&bare).join(" "))
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
        let articles = Regex::new(r"\b(a|an|the)\b", Flags::default())
            .map_err(|error| problem("bad-pattern", error.to_string(), ""))?;
        let no_answer =
            config.no_answer.iter().map(|text| normalised(&articles, text)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { version: config.version, no_answer, articles })
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
