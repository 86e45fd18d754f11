//! `numeric`: the answer is the expected number, within a tolerance.

use std::collections::BTreeMap;

use bench_scoring::{About, Grade, MetricAbout, Problem, Reason, Sample, Scorer, problem, target_texts};
use serde::Deserialize;

use crate::extract;
use crate::number::{Number, Style, numbers};

/// Which number of the answer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// That in the last `\boxed`, else the first after the last `answer is` or `answer:`, else the last.
    #[default]
    Auto,
    /// The first.
    First,
    /// The last.
    Last,
    /// The only one, with nothing but a unit and punctuation around it.
    Whole,
}

/// What a percent sign does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Percent {
    /// 50% is 0.5 or 50, whichever agrees.
    #[default]
    Either,
    /// 50% is 0.5.
    Ratio,
    /// 50% is 50.
    Ignore,
}

/// Configuration of [`Numeric`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct NumericConfig {
    /// How far from the reference an answer may be.
    pub absolute: f64,
    /// How far in terms of the reference; the larger of both tolerances counts.
    pub relative: f64,
    /// Which number of the answer counts.
    pub which: Which,
    /// What a percent sign does.
    pub percent: Percent,
    /// `1.234,5` rather than `1,234.5`.
    pub decimal_comma: bool,
    /// How much each unit is of the one that numbers without a unit are in.
    pub units: BTreeMap<String, f64>,
    /// An answer without one of the units is wrong.
    pub unit_required: bool,
}

impl Default for NumericConfig {
    fn default() -> Self {
        Self {
            absolute: 0.0,
            relative: 1e-9,
            which: Which::Auto,
            percent: Percent::Either,
            decimal_comma: false,
            units: BTreeMap::new(),
            unit_required: false,
        }
    }
}

/// The answer is the expected number.
#[derive(Debug)]
pub struct Numeric(NumericConfig);

impl Numeric {
    fn style(&self) -> Style {
        Style { decimal_comma: self.0.decimal_comma }
    }

    fn pick<'t>(&self, text: &'t str) -> Option<Number<'t>> {
        let first = |text: &'t str| numbers(text, self.style()).into_iter().next();
        let last = |text: &'t str| numbers(text, self.style()).into_iter().next_back();
        match self.0.which {
            Which::First => first(text),
            Which::Last => last(text),
            Which::Whole => self.whole(text),
            Which::Auto => extract::boxed(text)
                .and_then(last)
                .or_else(|| extract::announced(text).and_then(first))
                .or_else(|| last(text)),
        }
    }

    fn whole<'t>(&self, text: &'t str) -> Option<Number<'t>> {
        let text = text.trim().trim_end_matches('.');
        let number = numbers(text, self.style()).into_iter().next().filter(|number| text.starts_with(number.text))?;
        let rest = self
            .unit(number.rest)
            .map_or(number.rest, |(unit, _)| number.rest.split_once(unit).map_or("", |(_, rest)| rest));
        rest.trim_matches([' ', '}', '.', '$']).is_empty().then_some(number)
    }

    /// The unit that `rest` begins with, the longest there is, and its factor.
    fn unit(&self, rest: &str) -> Option<(&str, f64)> {
        let mut rest = rest.trim_start_matches(['\\', ',', ' ', '~', '\u{a0}', '\u{202f}', '\u{2009}']);
        for wrapper in ["text{", "mathrm{", "textrm{", "mbox{"] {
            rest = rest.strip_prefix(wrapper).unwrap_or(rest).trim_start();
        }
        let fits = |unit: &str| {
            rest.strip_prefix(unit)
                .is_some_and(|after| !after.starts_with(|next: char| next.is_alphanumeric() || next == '/'))
        };
        let found = self.0.units.iter().filter(|(unit, _)| fits(unit)).max_by_key(|(unit, _)| unit.len());
        found.map(|(unit, factor)| (unit.as_str(), *factor))
    }

    /// The values that a number may stand for.
    fn readings(&self, number: &Number<'_>) -> Vec<f64> {
        let value = number.value * self.unit(number.rest).map_or(1.0, |(_, factor)| factor);
        match self.0.percent {
            _ if !number.percent => vec![value],
            Percent::Ignore => vec![value],
            Percent::Ratio => vec![value / 100.0],
            Percent::Either => vec![value / 100.0, value],
        }
    }

    fn close(&self, value: f64, target: f64) -> bool {
        (value - target).abs() <= self.0.absolute.max(self.0.relative * target.abs())
    }

    fn targets(&self, sample: &Sample) -> Result<Vec<Vec<f64>>, Problem> {
        let texts = target_texts(sample)?;
        let readings = |text: &String| {
            let number = numbers(text, self.style()).into_iter().next_back();
            number.map(|number| self.readings(&number)).ok_or_else(|| {
                let message = format!("the reference of sample `{}`, `{text}`, is no number", sample.id);
                problem("bad-target", message, "a reference is a number, with a unit or a percent sign at most")
            })
        };
        texts.iter().map(readings).collect()
    }
}

impl Scorer for Numeric {
    const ABOUT: About = About {
        name: "numeric",
        version: env!("CARGO_PKG_VERSION"),
        summary: "The answer is the expected number, within a tolerance.",
        reference: "",
        config: r#"{
            "absolute": { "type": "number", "minimum": 0, "default": 0,
                "description": "How far from the reference an answer may be." },
            "relative": { "type": "number", "minimum": 0, "default": 1e-9,
                "description": "How far in terms of the reference; the larger of both tolerances counts." },
            "which": { "enum": ["auto", "first", "last", "whole"], "default": "auto",
                "description": "Which number of the answer counts; `auto` looks for a box, then for `answer is`, then takes the last." },
            "percent": { "enum": ["either", "ratio", "ignore"], "default": "either",
                "description": "Whether 50% is 0.5, 50, or whichever agrees." },
            "decimal-comma": { "type": "boolean", "default": false, "description": "1.234,5 rather than 1,234.5." },
            "units": { "type": "object", "additionalProperties": { "type": "number" }, "default": {},
                "description": "How much each unit is of the one that numbers without a unit are in." },
            "unit-required": { "type": "boolean", "default": false,
                "description": "An answer without one of the units is wrong." }
        }"#,
        metrics: &[MetricAbout {
            name: "accuracy",
            summary: "Share of the answers that are the expected number.",
            unit: "ratio",
            higher_is_better: Some(true),
        }],
        unbounded: false,
        needs_judge: false,
        needs_likelihoods: false,
    };
    type Config = NumericConfig;

    fn new(config: NumericConfig) -> Result<Self, Problem> {
        let sane = |tolerance: f64| tolerance.is_finite() && tolerance >= 0.0;
        if !sane(config.absolute) || !sane(config.relative) {
            return Err(problem("bad-config", "a tolerance is not a number from 0 on", ""));
        }
        if config.units.values().any(|factor| !factor.is_finite() || *factor == 0.0) {
            return Err(problem("bad-config", "the factor of a unit is 0 or not finite", ""));
        }
        if config.unit_required && config.units.is_empty() {
            return Err(problem("bad-config", "`unit-required` without any `units`", "list the units"));
        }
        Ok(Self(config))
    }

    fn grade(&self, sample: &Sample) -> Grade {
        let targets = match self.targets(sample) {
            Ok(targets) => targets,
            Err(problem) => return Grade::failed(problem),
        };
        let answer = sample.answer.as_deref().unwrap_or_default();
        let Some(number) = self.pick(answer) else {
            return Grade::zero(Reason::InvalidFormat).explained("no number where one is looked for");
        };
        let grade = |correct| Grade::binary(correct).extracted(number.text);
        if self.0.unit_required && self.unit(number.rest).is_none() {
            return grade(false).explained("the number has none of the units");
        }
        let readings = self.readings(&number);
        let agrees = |target: &f64| readings.iter().any(|value| self.close(*value, *target));
        grade(targets.iter().flatten().any(agrees))
    }
}
