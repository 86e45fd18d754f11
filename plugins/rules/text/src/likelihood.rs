//! Multiple choice by log-likelihood, as lm-eval's output type `multiple_choice` grades it.

use bench_scoring::python;
use bench_scoring::{About, Grade, MetricAbout, Problem, Sample, Scorer, Target, metadata, problem};
use serde::Deserialize;
use serde_json::Value;

/// What the choice is by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Metric {
    /// The likeliest.
    #[default]
    Acc,
    /// The likeliest by character.
    AccNorm,
    /// The likeliest by byte.
    AccBytes,
    /// The one that the prompt made likelier by most.
    AccMutualInfo,
}

/// The configuration of both scorers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    metric: Metric,
    target_delimiter: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { metric: Metric::default(), target_delimiter: " ".into() }
    }
}

const CONFIG: &str = r#"{
    "metric": { "enum": ["acc", "acc-norm", "acc-bytes", "acc-mutual-info"], "default": "acc", "description": "Which metric is the headline." },
    "target-delimiter": { "type": "string", "default": " ", "description": "What is before each choice in its continuation, and no part of it. Choices may also come as the field `choices` of the item." }
}"#;

const fn share(name: &'static str, summary: &'static str) -> MetricAbout {
    MetricAbout { name, summary, unit: "ratio", higher_is_better: Some(true) }
}

const METRICS: &[MetricAbout] = &[
    share("accuracy", "Share of the items whose reference is chosen, by the metric of the configuration."),
    share("acc", "Share of the items whose reference is the likeliest choice."),
    share("acc-norm", "Share of the items whose reference is the likeliest choice by character."),
    share("acc-bytes", "Share of the items whose reference is the likeliest choice by byte."),
    share("acc-mutual-info", "Share of the items whose reference is the choice that the prompt made likelier by most."),
    share("exact-match", "Share of the items whose reference is what the model would have said, token by token."),
];

/// Index of the largest as numpy has it: the first of several, and a value that is no number before all others.
fn argmax(values: &[f64]) -> usize {
    let mut best: Option<(usize, f64)> = None;
    for (index, &value) in values.iter().enumerate() {
        match best {
            Some((_, best)) if best.is_nan() || !(value > best || value.is_nan()) => {}
            _ => best = Some((index, value)),
        }
    }
    best.map_or(0, |(index, _)| index)
}

/// The reference of an item: indices of choices. One that is no choice is none.
struct Gold {
    indices: Vec<Option<usize>>,
}

impl Gold {
    fn of(sample: &Sample, choices: &[String]) -> Result<Self, Problem> {
        let bad = || {
            let message = format!(
                "the reference of sample `{}` is neither the number of a choice, from 0, nor its text",
                sample.id
            );
            problem("bad-target", message, "check the field of the data set that the task takes as its reference")
        };
        let known = |index: &i64| usize::try_from(*index).ok().filter(|index| *index < choices.len());
        let indices = match Target::of::<Value>(sample)? {
            Value::Number(number) => vec![known(&number.as_i64().ok_or_else(bad)?)],
            Value::String(text) => vec![choices.iter().position(|choice| *choice == text)],
            Value::Array(list) if !list.is_empty() => {
                let index = |value: &Value| value.as_i64().map(|index| known(&index));
                list.iter().map(index).collect::<Option<_>>().ok_or_else(bad)?
            }
            _ => return Err(bad()),
        };
        Ok(Self { indices })
    }

    fn has(&self, choice: usize) -> f64 {
        if self.indices.contains(&Some(choice)) { 1.0 } else { 0.0 }
    }
}

fn choices(sample: &Sample, config: &Config) -> Result<Vec<String>, Problem> {
    let fields = metadata(sample)?;
    let Some(given) = fields.get("choices") else {
        let delimiter = config.target_delimiter.as_str();
        let text = |text: &String| text.strip_prefix(delimiter).unwrap_or(text).to_owned();
        return Ok(sample.likelihoods.iter().map(|likelihood| text(&likelihood.text)).collect());
    };
    let texts = given.as_array().and_then(|list| list.iter().map(|text| text.as_str().map(str::to_owned)).collect());
    let texts: Option<Vec<String>> = texts;
    texts.filter(|texts| texts.len() == sample.likelihoods.len()).ok_or_else(|| {
        let message =
            format!("the field `choices` of sample `{}` is no list of one text for each likelihood", sample.id);
        problem("bad-metadata", message, "ask about each choice once, in the order of the field")
    })
}

/// Whose rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rules {
    Reference,
    Fixed,
}

#[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53")]
fn length(count: usize) -> f64 {
    count as f64
}

fn grade(sample: &Sample, config: &Config, rules: Rules) -> Result<Grade, Problem> {
    if sample.likelihoods.is_empty() {
        let message = format!("sample `{}` has no likelihoods", sample.id);
        return Err(problem("no-likelihoods", message, "the task must be of the kind `loglikelihood`"));
    }
    let broken = |value: f64| value.is_nan() || value == f64::INFINITY;
    if sample.likelihoods.iter().any(|likelihood| broken(likelihood.logprob)) {
        let message = format!("a likelihood of sample `{}` is not a number", sample.id);
        return Err(problem("degenerate-likelihood", message, ""));
    }
    let choices = choices(sample, config)?;
    let gold = Gold::of(sample, &choices)?;
    if rules == Rules::Fixed && gold.indices.iter().any(Option::is_none) {
        let message = format!("the reference of sample `{}` is none of the {} choices", sample.id, choices.len());
        return Err(problem("bad-target", message, "references are numbered from 0"));
    }
    let sums: Vec<f64> = sample.likelihoods.iter().map(|likelihood| likelihood.logprob).collect();
    // An empty choice has nothing to divide by: in the reference it is chosen where its likelihood is 0, and never else.
    let by = |size: fn(&str) -> usize| {
        let least = if rules == Rules::Fixed { 1.0 } else { 0.0 };
        let scaled = sums.iter().zip(&choices).map(|(sum, choice)| sum / length(size(choice)).max(least));
        argmax(&scaled.collect::<Vec<f64>>())
    };
    let likeliest = argmax(&sums);
    let (by_characters, by_bytes) = (by(python::len), by(str::len));
    let unconditional: Option<Vec<f64>> =
        sample.likelihoods.iter().map(|likelihood| likelihood.unconditional).collect();
    let gained =
        unconditional.map(|given| sums.iter().zip(given).map(|(sum, without)| sum - without).collect::<Vec<f64>>());
    let gained = gained.map(|gained| argmax(&gained));
    let chosen = match config.metric {
        Metric::Acc => likeliest,
        Metric::AccNorm => by_characters,
        Metric::AccBytes => by_bytes,
        Metric::AccMutualInfo => gained.ok_or_else(|| {
            let message = format!("sample `{}` has no likelihoods without its prompt", sample.id);
            problem("no-likelihoods", message, "ask for unconditional likelihoods, or choose another metric")
        })?,
    };
    let greedy: Option<Vec<bool>> = sample.likelihoods.iter().map(|likelihood| likelihood.greedy).collect();
    let says = |greedy: &[bool]| {
        let among = |index: &Option<usize>| index.and_then(|index| greedy.get(index)).is_some_and(|said| *said);
        if gold.indices.iter().any(among) { 1.0 } else { 0.0 }
    };
    let mut grade = Grade::of(gold.has(chosen))
        .with("acc", gold.has(likeliest))
        .with("acc-norm", gold.has(by_characters))
        .with("acc-bytes", gold.has(by_bytes));
    if let Some(greedy) = greedy {
        grade = grade.with("exact-match", says(&greedy));
    }
    if let Some(gained) = gained {
        grade = grade.with("acc-mutual-info", gold.has(gained));
    }
    Ok(match choices.get(chosen) {
        Some(choice) => grade.extracted(choice),
        None => grade,
    })
}

/// Multiple choice by lm-eval's rules. A reference that is none of the choices counts as wrong.
#[derive(Debug)]
pub struct MultipleChoice(Config);

impl Scorer for MultipleChoice {
    const ABOUT: About = About {
        name: "multiple-choice",
        version: env!("CARGO_PKG_VERSION"),
        summary: "The likeliest choice is that of the reference.",
        reference: "lm-eval 0.4.13",
        config: CONFIG,
        metrics: METRICS,
        unbounded: false,
        needs_judge: false,
        needs_likelihoods: true,
    };
    type Config = Config;

    fn new(config: Config) -> Result<Self, Problem> {
        Ok(Self(config))
    }

    fn grade(&self, sample: &Sample) -> Grade {
        grade(sample, &self.0, Rules::Reference).unwrap_or_else(Grade::failed)
    }
}

/// The same, where a reference that is none of the choices leaves the item unscored, and an empty choice can be chosen.
#[derive(Debug)]
pub struct MultipleChoiceFixed(Config);

impl Scorer for MultipleChoiceFixed {
    const ABOUT: About = About {
        name: "multiple-choice-fixed",
        summary: "The likeliest choice is that of the reference, which must be a choice.",
        reference: "lm-eval 0.4.13, with references checked",
        ..MultipleChoice::ABOUT
    };
    type Config = Config;

    fn new(config: Config) -> Result<Self, Problem> {
        Ok(Self(config))
    }

    fn grade(&self, sample: &Sample) -> Grade {
        grade(sample, &self.0, Rules::Fixed).unwrap_or_else(Grade::failed)
    }
}
