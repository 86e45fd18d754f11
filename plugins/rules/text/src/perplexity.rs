//! Perplexity of texts, by word and by byte, as lm-eval's output type `loglikelihood_rolling` computes it.
//!
//! These are no means over samples: log-likelihoods are added up over all texts and divided by the words or bytes of all texts, so
//! the aggregation is one of its own.

use std::collections::BTreeMap;

use bench_scoring::aggregate::{Aggregation, bootstrap, by_cluster, percentiles, spread};
use bench_scoring::{
    About, Estimate, Grade, Graded, Metric, MetricAbout, Problem, Reason, Sample, Scorer, metadata, problem, python,
    target_texts,
};
use serde::Deserialize;

/// The configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    /// The field of the item whose words and bytes count; the reference where there is none.
    count_field: Option<String>,
}

const fn lower(name: &'static str, summary: &'static str, unit: &'static str) -> MetricAbout {
    MetricAbout { name, summary, unit, higher_is_better: Some(false) }
}

const METRICS: &[MetricAbout] = &[
    lower("word-perplexity", "exp of minus the log-likelihood of all texts over their words.", "ratio"),
    lower("byte-perplexity", "exp of minus the log-likelihood of all texts over their bytes.", "ratio"),
    lower("bits-per-byte", "Minus the log-likelihood of all texts over their bytes, to the base 2.", "bit/byte"),
];

/// Perplexity of texts whose likelihoods are given, windows in their order.
#[derive(Debug)]
pub struct Perplexity {
    config: Config,
}

/// The sums that the metrics are of.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    likelihood: f64,
    words: f64,
    bytes: f64,
}

impl Sums {
    fn metrics(self) -> [f64; 3] {
        [
            libm::exp(-(self.likelihood / self.words)),
            libm::exp(-(self.likelihood / self.bytes)),
            -(self.likelihood / self.bytes) / std::f64::consts::LN_2,
        ]
    }

    fn plus(self, other: Self) -> Self {
        Self {
            likelihood: self.likelihood + other.likelihood,
            words: self.words + other.words,
            bytes: self.bytes + other.bytes,
        }
    }
}

/// `len(re.split(r"\s+", text))`: one more than there are runs of white space, so that white space at an end adds an empty word.
fn words(text: &str) -> usize {
    let mut before = false;
    let begins = |c: char| {
        let space = python::is_space(c);
        let begins = space && !before;
        before = space;
        begins
    };
    text.chars().map(begins).filter(|begins| *begins).count() + 1
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn number(count: usize) -> f64 {
    count as f64
}

impl Perplexity {
    fn sums(&self, sample: &Sample) -> Result<Sums, Problem> {
        let broken = |code, what: &str| Err(problem(code, format!("sample `{}` {what}", sample.id), ""));
        let text = match &self.config.count_field {
            None => target_texts(sample)?.into_iter().next().unwrap_or_default(),
            Some(field) => match metadata(sample)?.get(field).and_then(|text| text.as_str()) {
                Some(text) => text.to_owned(),
                None => return broken("bad-metadata", &format!("has no text in its field `{field}`")),
            },
        };
        if sample.likelihoods.is_empty() {
            return broken("no-likelihoods", "has no likelihoods");
        }
        let likelihood: f64 = sample.likelihoods.iter().map(|likelihood| likelihood.logprob).sum();
        if !likelihood.is_finite() {
            return broken("degenerate-likelihood", "has a likelihood that is no finite number");
        }
        if text.is_empty() {
            return broken("bad-target", "has an empty text");
        }
        Ok(Sums { likelihood, words: number(words(&text)), bytes: number(text.len()) })
    }
}

impl Scorer for Perplexity {
    const ABOUT: About = About {
        name: "perplexity",
        version: env!("CARGO_PKG_VERSION"),
        summary: "How unlikely the model finds texts, by word and by byte.",
        reference: "lm-eval 0.4.13",
        config: r#"{
            "count-field": { "type": "string", "description": "The field of the item whose words and bytes count, where it is not the text that was asked about; the reference by default." }
        }"#,
        metrics: METRICS,
        unbounded: true,
        needs_judge: false,
        needs_likelihoods: true,
    };
    type Config = Config;

    fn new(config: Config) -> Result<Self, Problem> {
        Ok(Self { config })
    }

    fn grade(&self, sample: &Sample) -> Grade {
        let sums = match self.sums(sample) {
            Ok(sums) => sums,
            Err(problem) => return Grade::failed(problem),
        };
        let [word, byte, bits] = sums.metrics();
        if !word.is_finite() || !byte.is_finite() {
            let message = format!("the perplexity of sample `{}` is too large for a number", sample.id);
            return Grade::failed(problem("degenerate-likelihood", message, ""));
        }
        Grade::because(word, Reason::Other("measured".into()))
            .with("byte-perplexity", byte)
            .with("bits-per-byte", bits)
            .with("log-likelihood", sums.likelihood)
            .with("words", sums.words)
            .with("bytes", sums.bytes)
    }

    /// Over all texts at once; intervals are bootstrapped, whatever the configuration says, as the metrics are no means.
    fn aggregate(&self, graded: &[Graded], aggregation: &Aggregation) -> Vec<Estimate> {
        let mut groups: BTreeMap<&str, Vec<&Graded>> = BTreeMap::new();
        for graded in graded {
            if let Some(group) = &graded.group {
                groups.entry(group).or_default().push(graded);
            }
        }
        let mut estimates = Vec::new();
        for index in 0..METRICS.len() {
            estimates.extend(estimate(index, None, &graded.iter().collect::<Vec<_>>(), aggregation.level));
            for (group, graded) in &groups {
                estimates.extend(estimate(index, Some((*group).to_owned()), graded, aggregation.level));
            }
        }
        estimates
    }
}

fn estimate(index: usize, group: Option<String>, graded: &[&Graded], level: f64) -> Option<Estimate> {
    let about = METRICS.get(index)?;
    fn of<'g>(graded: &&'g Graded) -> Option<(Sums, Option<&'g str>)> {
        let field =
            |name: &str| graded.verdict.sub_scores.iter().find(|metric| metric.name == name).map(|metric| metric.value);
        let sums = Sums { likelihood: field("log-likelihood")?, words: field("words")?, bytes: field("bytes")? };
        graded.verdict.value.is_finite().then_some((sums, graded.cluster.as_deref()))
    }
    let scored: Vec<(Sums, Option<&str>)> = graded.iter().filter_map(of).collect();
    let metric = |sums: Sums| sums.metrics().get(index).copied().unwrap_or(f64::NAN);
    let total = scored.iter().fold(Sums::default(), |total, (sums, _)| total.plus(*sums));
    let clusters = by_cluster(scored.iter().map(|(_, cluster)| *cluster));
    let replicates = bootstrap(&clusters, |picked| {
        let sums = picked.iter().filter_map(|&number| scored.get(number));
        metric(sums.fold(Sums::default(), |total, (sums, _)| total.plus(*sums)))
    });
    let limits = percentiles(&replicates, level);
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Some(Estimate {
        metric: Metric {
            name: about.name.into(),
            value: if scored.is_empty() { f64::NAN } else { metric(total) },
            unit: about.unit.into(),
            higher_is_better: about.higher_is_better,
        },
        group,
        standard_error: spread(&replicates),
        low: limits.map(|limits| limits.0),
        high: limits.map(|limits| limits.1),
        level: limits.map(|_| level),
        method: limits.map(|_| "bootstrap".into()),
        scored: count(scored.len()),
        unscored: count(graded.len() - scored.len()),
    })
}
