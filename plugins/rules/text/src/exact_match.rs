//! Exact match as lm-eval does it, with its filters and options, and without its oddities.

use bench_scoring::{About, Grade, MetricAbout, Problem, Reason, Sample, Scorer, target_texts};
use serde::Deserialize;

use crate::filters::{Filter, FilterConfig, Filtered, apply_all};
use crate::normalise::{Arrays, Ignore, Normalise};

/// The configuration of both scorers.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    ignore_case: bool,
    ignore_punctuation: bool,
    ignore_numbers: bool,
    regexes_to_ignore: Option<Vec<String>>,
    filters: Vec<FilterConfig>,
}

const CONFIG: &str = r#"{
    "ignore-case": { "type": "boolean", "default": false, "description": "Compare in lower case." },
    "ignore-punctuation": { "type": "boolean", "default": false, "description": "Delete the punctuation of ASCII." },
    "ignore-numbers": { "type": "boolean", "default": false, "description": "Delete the digits 0 to 9." },
    "regexes-to-ignore": { "type": "array", "items": { "type": "string" }, "description": "Patterns of Python's `re` to delete first, in this order." },
    "filters": {
        "type": "array",
        "description": "What becomes of the answer before it is compared, in this order.",
        "default": [],
        "items": {
            "type": "object",
            "required": ["function"],
            "properties": {
                "function": { "enum": ["regex", "multi-choice-regex", "remove-whitespace", "strip", "lowercase", "uppercase", "map", "take-first"] },
                "regex-pattern": { "type": "string" },
                "group-select": { "type": "integer", "default": 0 },
                "fallback": { "type": "string", "default": "[invalid]" },
                "ignore-case": { "type": "boolean" },
                "ignore-punctuation": { "type": "boolean" },
                "regexes-to-ignore": { "type": "array", "items": { "type": "string" } },
                "mapping-dict": { "type": "object", "additionalProperties": { "type": "string" } },
                "default-value": { "type": "string" }
            }
        }
    }
}"#;

const METRICS: &[MetricAbout] = &[MetricAbout {
    name: "accuracy",
    summary: "Share of the answers that equal a reference.",
    unit: "ratio",
    higher_is_better: Some(true),
}];

/// What both scorers are.
#[derive(Debug)]
struct Rules {
    filters: Vec<Filter>,
    normalise: Normalise,
}

impl Rules {
    fn new(config: Config) -> Result<Self, Problem> {
        let patterns =
            config.regexes_to_ignore.map(|patterns| patterns.iter().map(|pattern| Ignore::new(pattern)).collect());
        Ok(Self {
            filters: config.filters.into_iter().map(FilterConfig::compile).collect::<Result<_, _>>()?,
            normalise: Normalise {
                patterns: patterns.transpose()?,
                case: config.ignore_case,
                punctuation: config.ignore_punctuation,
                numbers: config.ignore_numbers,
            },
        })
    }

    fn grade(&self, sample: &Sample, arrays: Arrays) -> Result<Grade, Problem> {
        let targets = target_texts(sample)?;
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        let filtered = apply_all(&self.filters, sample.answer.as_deref().unwrap_or_default(), sample)?;
        let equal = self.normalise.equal(filtered.text(), &targets, arrays)?;
        Ok(match &filtered {
            Filtered::Fallback(_) if !equal => Grade::zero(Reason::InvalidFormat),
            filtered => Grade::binary(equal).extracted(filtered.text()),
        })
    }
}

/// lm-eval's `exact_match` with its filters.
#[derive(Debug)]
pub struct ExactMatch(Rules);

impl Scorer for ExactMatch {
    const ABOUT: About = About {
        name: "exact-match",
        version: env!("CARGO_PKG_VERSION"),
        summary: "The answer equals a reference.",
        reference: "lm-eval 0.4.13",
        config: CONFIG,
        metrics: METRICS,
        unbounded: false,
        needs_judge: false,
        needs_likelihoods: false,
    };
    type Config = Config;

    fn new(config: Config) -> Result<Self, Problem> {
        Rules::new(config).map(Self)
    }

    fn grade(&self, sample: &Sample) -> Grade {
        self.0.grade(sample, Arrays::Show).unwrap_or_else(Grade::failed)
    }
}

/// The same without numpy's marks: NUL characters at the end count, and no letter is lost when the case changes.
#[derive(Debug)]
pub struct ExactMatchFixed(Rules);

impl Scorer for ExactMatchFixed {
    const ABOUT: About = About {
        name: "exact-match-fixed",
        summary: "The answer equals a reference, to the last character.",
        reference: "lm-eval 0.4.13, without the marks that numpy's arrays leave on texts",
        ..ExactMatch::ABOUT
    };
    type Config = Config;

    fn new(config: Config) -> Result<Self, Problem> {
        Rules::new(config).map(Self)
    }

    fn grade(&self, sample: &Sample) -> Grade {
        self.0.grade(sample, Arrays::Hide).unwrap_or_else(Grade::failed)
    }
}
