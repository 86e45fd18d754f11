//! The scores of eval tasks side by side.
//!
//! Two runs asked the same items, so items are paired: most of what scores differ by is how hard the items are, which cancels out.
//! Repeats of an item are averaged first, and items of one cluster count as one.

use std::collections::{BTreeMap, BTreeSet};

use bench_metrics::{Difference, Pair, Shown};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::differences;
use crate::{EvalRecord, Note, RunRecord, log_name};

/// Part of the smaller run's items that the other must have too, else nothing is compared.
const LEAST_PAIRED: f64 = 0.5;

/// The verdict on one sample of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct GradedSample {
    /// The task, as the log names it: with its format, where it has several.
    pub task: String,
    /// The item.
    pub item: String,
    /// Digest of the item as the task's data has it.
    pub document_sha256: String,
    /// Samples of one cluster are not independent of each other.
    pub cluster: Option<String>,
    /// The headline's value; `None` where the sample is unscored.
    pub value: Option<f64>,
}

/// The headline of one task over all runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreRow {
    /// The task's name.
    pub task: String,
    /// The format, where the task compares several.
    pub format: Option<String>,
    /// The metric's name.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// Whether more is better; absent where it is neither.
    pub higher_is_better: Option<bool>,
    /// One cell per run; absent where the run has no such score.
    pub cells: Vec<Option<ScoreCell>>,
}

/// The score of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreCell {
    /// The score; null where no sample counts.
    pub value: Option<f64>,
    /// Items that count.
    pub scored: u32,
    /// The difference to the reference over the items that both have; absent on the reference, and where nothing can be compared.
    /// Items of the same value in both runs throughout leave it without an interval: how often another one would differ is not known.
    pub difference: Option<Difference>,
    /// Items with a higher value than in the reference.
    pub items_higher: u32,
    /// Items with a lower value.
    pub items_lower: u32,
    /// What the two scores show; absent on the reference and for metrics that are neither better nor worse.
    pub verdict: Option<ScoreVerdict>,
}

/// What two scores show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ScoreVerdict {
    /// Better than the reference: the interval of the difference lies on the better side of 0.
    Better,
    /// Worse than the reference.
    Worse,
    /// The interval holds 0, or there is none.
    NoDifferenceShown,
    /// The two scores do not mean the same.
    NotComparable {
        /// Why not.
        reason: Note,
    },
}

/// An item's mean over its repeats, and the cluster that it belongs to.
#[derive(Debug)]
struct Item<'a> {
    sum: f64,
    count: u32,
    cluster: &'a str,
}

impl Item<'_> {
    fn mean(&self) -> f64 {
        self.sum / f64::from(self.count)
    }
}

/// Items of a task by name and digest.
type Items<'a> = BTreeMap<(&'a str, &'a str), Item<'a>>;

/// The headlines of every task, the first run as the reference. `samples` are those of each run, in the order of the runs; a run
/// without any has its scores shown and not compared.
#[must_use]
pub fn compare_scores(runs: &[RunRecord], samples: &[Vec<GradedSample>]) -> Vec<ScoreRow> {
    let row = |(task, format): (String, Option<String>)| {
        let found: Vec<Option<&EvalRecord>> =
            runs.iter().map(|run| run.evals.iter().find(|eval| eval.task == task && eval.format == format)).collect();
        let name = log_name(&task, format.as_deref());
        let headline = found.iter().flatten().find_map(|eval| eval.estimates.first())?;
        let items: Vec<Items<'_>> =
            (0..runs.len()).map(|run| items(samples.get(run).map_or(&[], Vec::as_slice), &name)).collect();
        let cell = |(index, eval): (usize, &Option<&EvalRecord>)| {
            let eval = (*eval)?;
            let estimate = eval.estimates.first()?;
            let mut cell = ScoreCell {
                value: estimate.value,
                scored: estimate.scored,
                difference: None,
                items_higher: 0,
                items_lower: 0,
                verdict: None,
            };
            let (reference, run) = (runs.first()?, runs.get(index)?);
            if let Some(other) = found.first().copied().flatten().filter(|_| index > 0) {
                let obstacle = differences::obstacle(reference, run).or_else(|| obstacle(other, eval));
                cell.against(items.first()?, items.get(index)?, obstacle, headline.higher_is_better);
            }
            Some(cell)
        };
        Some(ScoreRow {
            metric: headline.name.clone(),
            unit: headline.unit.clone(),
            higher_is_better: headline.higher_is_better,
            cells: found.iter().enumerate().map(cell).collect(),
            task,
            format,
        })
    };
    places(runs).into_iter().filter_map(row).collect()
}

impl ScoreCell {
    /// Compares items with those of the reference.
    fn against(
        &mut self,
        reference: &Items<'_>,
        items: &Items<'_>,
        obstacle: Option<Note>,
        higher_is_better: Option<bool>,
    ) {
        let obstacle = obstacle.or_else(|| too_few_in_common(reference, items));
        if let Some(reason) = obstacle {
            self.verdict = higher_is_better.map(|_| ScoreVerdict::NotComparable { reason });
            return;
        }
        let clusters: BTreeSet<&str> = reference.values().map(|item| item.cluster).collect();
        let number: BTreeMap<&str, u64> = clusters.into_iter().zip(0..).collect();
        let mut pairs = Vec::new();
        for (key, old) in reference {
            let Some(new) = items.get(key) else { continue };
            let (old_mean, new_mean) = (old.mean(), new.mean());
            self.items_higher += u32::from(new_mean > old_mean);
            self.items_lower += u32::from(new_mean < old_mean);
            let cluster = number.get(old.cluster).copied().unwrap_or_default();
            pairs.push(Pair { cluster, reference: old_mean, value: new_mean });
        }
        self.difference = bench_metrics::paired(&pairs).map(|found| {
            if self.items_higher + self.items_lower > 0 {
                return found;
            }
            Difference {
                low: None,
                high: None,
                median_low: None,
                median_high: None,
                detectable: None,
                detectable_share: None,
                ..found
            }
        });
        let shown = self.difference.as_ref().map_or(Shown::Nothing, Difference::shown);
        self.verdict = higher_is_better.map(|higher_is_better| match (shown, higher_is_better) {
            (Shown::Nothing, _) => ScoreVerdict::NoDifferenceShown,
            (Shown::Higher, true) | (Shown::Lower, false) => ScoreVerdict::Better,
            _ => ScoreVerdict::Worse,
        });
    }
}

/// Every task of every run, in the order in which the runs have them.
fn places(runs: &[RunRecord]) -> Vec<(String, Option<String>)> {
    let mut places = Vec::new();
    for eval in runs.iter().flat_map(|run| &run.evals) {
        let place = (eval.task.clone(), eval.format.clone());
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

fn items<'a>(samples: &'a [GradedSample], task: &str) -> Items<'a> {
    let mut items = Items::new();
    for sample in samples.iter().filter(|sample| sample.task == task) {
        let Some(value) = sample.value.filter(|value| value.is_finite()) else { continue };
        let cluster = sample.cluster.as_deref().unwrap_or(&sample.item);
        let item = items.entry((&sample.item, &sample.document_sha256)).or_insert(Item { sum: 0.0, count: 0, cluster });
        item.sum += value;
        item.count += 1;
    }
    items
}

/// Why the scores of a task mean something else than the reference's.
fn obstacle(reference: &EvalRecord, eval: &EvalRecord) -> Option<Note> {
    let (ours, theirs) = (&eval.scorer, &reference.scorer);
    if (&ours.name, &ours.sha256) != (&theirs.name, &theirs.sha256) {
        let message = format!(
            "{} {} graded the reference and {} {} this run.",
            theirs.name, theirs.version, ours.name, ours.version
        );
        let hint = "Grade one of them again with `bench rescore RUN --scorer NAME@VERSION`.".to_owned();
        return Some(Note { hint: Some(hint), ..Note::new("other-scorer", message) });
    }
    if ours.config != theirs.config {
        return Some(Note::new("other-configuration", "The scorer's configuration differs between the runs."));
    }
    None
}

fn too_few_in_common(reference: &Items<'_>, items: &Items<'_>) -> Option<Note> {
    if reference.is_empty() || items.is_empty() {
        return Some(Note::new("no-samples", "One of the runs has no graded samples beside its record."));
    }
    let common = reference.keys().filter(|key| items.contains_key(*key)).count();
    let smaller = reference.len().min(items.len());
    let enough = common as f64 >= LEAST_PAIRED * smaller as f64;
    (!enough).then(|| {
        let message = format!(
            "The runs have {common} graded items in common, of {} in the reference and {} here.",
            reference.len(),
            items.len()
        );
        Note::new("other-items", message)
    })
}
