//! From verdicts to metrics: repeats reduced to one value for each item, items to a mean with an interval.
//!
//! An item counts once, however often it was repeated, and one that could not be graded at all is left out of the mean and counted
//! beside it. Sums run in the order of the verdicts, and whatever is not plain arithmetic is worked out here or by `libm`, so that the
//! same verdicts give the same bytes on every machine.

mod interval;
mod reduce;

use std::collections::BTreeMap;

use bench_sdk::scorer::{Estimate, Graded};
use bench_sdk::types::Metric;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::hosted::{About, MetricAbout};
pub use interval::{Bounds, Item, bootstrap, by_cluster, interval, percentiles, spread};
pub use reduce::{Reducer, Repeat, pass_at, pass_hat};

/// How verdicts become metrics: the `aggregate` part of a configuration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Aggregation {
    /// What becomes of the repeats of an item, each in turn; the first is the headline.
    pub reduce: Vec<Reducer>,
    /// How the interval is made.
    pub interval: Interval,
    /// How sure it is.
    pub level: f64,
}

/// How an interval is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interval {
    /// `clustered` where samples have clusters, else `wilson` where every value is 0 or 1, else `t`.
    #[default]
    Auto,
    /// Wilson's score interval.
    Wilson,
    /// Student's t.
    T,
    /// t with a cluster-robust standard error.
    Clustered,
    /// Percentiles of seeded bootstrap replicates.
    Bootstrap,
}

impl Default for Aggregation {
    fn default() -> Self {
        Self { reduce: vec![Reducer::Mean], interval: Interval::Auto, level: 0.95 }
    }
}

/// The verdicts on an item, in the order of their epochs.
type Repeats<'g> = Vec<&'g Graded>;

/// Where the values of a metric are in a verdict.
enum Place<'m> {
    Value,
    SubScore(&'m str),
}

impl Place<'_> {
    fn value(&self, graded: &Graded) -> Option<f64> {
        match self {
            Self::Value => Some(graded.verdict.value),
            Self::SubScore(name) => {
                let metric = graded.verdict.sub_scores.iter().find(|metric| metric.name == *name);
                metric.map(|metric| metric.value)
            }
        }
    }
}

impl Aggregation {
    /// Why this makes no sense, if it does not.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(format!("`aggregate.level` is {}, not between 0 and 1", self.level));
        }
        if self.reduce.is_empty() {
            return Err("`aggregate.reduce` is an empty list".into());
        }
        Ok(())
    }

    /// JSON schema of this part of a configuration.
    pub(crate) fn schema() -> Value {
        json!({
            "type": "object",
            "description": "How repeats and samples become metrics.",
            "additionalProperties": false,
            "properties": {
                "reduce": {
                    "description": "What becomes of the repeats of an item, each in turn; the first is the headline.",
                    "type": "array",
                    "minItems": 1,
                    "items": { "type": "string", "pattern": "^(mean|median|majority|max|pass[@^][1-9][0-9]{0,5})$" },
                    "default": ["mean"],
                },
                "interval": {
                    "description": "How the interval is made; `auto` is `clustered` where samples have clusters, else `wilson` where every value is 0 or 1, else `t`.",
                    "enum": ["auto", "wilson", "t", "clustered", "bootstrap"],
                    "default": "auto",
                },
                "level": {
                    "description": "How sure the interval is.",
                    "type": "number",
                    "exclusiveMinimum": 0,
                    "exclusiveMaximum": 1,
                    "default": 0.95,
                },
            },
        })
    }

    /// The metrics of a scorer whose metrics are means over samples: for each reducer the headline and the sub-scores that occur,
    /// each over all items and then by group in the order of the groups' names.
    ///
    /// A metric reduced by other than the mean is named after both, such as `accuracy-majority`; `pass@K` and `pass^K` are of the
    /// headline alone and stand for themselves.
    pub fn estimates(&self, about: &About, graded: &[Graded]) -> Vec<Estimate> {
        let items = items(graded);
        let mut estimates = Vec::new();
        for reducer in &self.reduce {
            for (index, metric) in about.metrics.iter().enumerate() {
                let place = if index == 0 { Place::Value } else { Place::SubScore(metric.name) };
                let occurs = index == 0
                    || !reducer.of_headline_alone() && graded.iter().any(|graded| place.value(graded).is_some());
                if occurs {
                    self.metric(*reducer, metric, &place, &items, &mut estimates);
                }
            }
        }
        estimates
    }

    fn metric(
        &self,
        reducer: Reducer,
        metric: &MetricAbout,
        place: &Place<'_>,
        items: &[Repeats<'_>],
        estimates: &mut Vec<Estimate>,
    ) {
        let reduced: Vec<(Option<&str>, Option<Item<'_>>)> = items
            .iter()
            .map(|item| {
                let repeats: Vec<Repeat<'_>> = item
                    .iter()
                    .filter_map(|graded| {
                        let value = place.value(graded).filter(|value| value.is_finite())?;
                        Some(Repeat { value, extracted: graded.verdict.extracted.as_deref() })
                    })
                    .collect();
                let cluster = item.iter().find_map(|graded| graded.cluster.as_deref());
                let group = item.iter().find_map(|graded| graded.group.as_deref());
                (group, reducer.reduce(&repeats).map(|value| Item { value, cluster }))
            })
            .collect();
        let mut groups: BTreeMap<&str, Vec<Option<Item<'_>>>> = BTreeMap::new();
        for (group, item) in &reduced {
            if let Some(group) = group {
                groups.entry(group).or_default().push(item.clone());
            }
        }
        let all: Vec<Option<Item<'_>>> = reduced.into_iter().map(|(_, item)| item).collect();
        let of = |group: Option<String>, items: Vec<Option<Item<'_>>>| {
            let count = items.len();
            let scored: Vec<Item<'_>> = items.into_iter().flatten().collect();
            let bounds = interval(&scored, self.interval, self.level);
            let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            Estimate {
                metric: Metric {
                    name: reducer.name(metric.name),
                    value: interval::mean(scored.iter().map(|item| item.value)),
                    unit: metric.unit.into(),
                    higher_is_better: metric.higher_is_better,
                },
                group,
                standard_error: bounds.standard_error,
                low: bounds.limits.map(|limits| limits.0),
                high: bounds.limits.map(|limits| limits.1),
                level: bounds.limits.map(|_| self.level),
                method: bounds.limits.map(|_| bounds.method.into()),
                scored: number(scored.len()),
                unscored: number(count - scored.len()),
            }
        };
        estimates.push(of(None, all));
        estimates.extend(groups.into_iter().map(|(group, items)| of(Some(group.into()), items)));
    }
}

/// Verdicts by item, in the order in which the items first appear.
fn items(graded: &[Graded]) -> Vec<Repeats<'_>> {
    let mut index: BTreeMap<&str, usize> = BTreeMap::new();
    let mut items: Vec<Repeats<'_>> = Vec::new();
    for graded in graded {
        let at = *index.entry(&graded.verdict.id).or_insert(items.len());
        match items.get_mut(at) {
            Some(item) => item.push(graded),
            None => items.push(vec![graded]),
        }
    }
    for item in &mut items {
        item.sort_by_key(|graded| graded.verdict.epoch);
    }
    items
}
