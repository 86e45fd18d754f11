//! The mean of each metric over the items of a task. Logs of other tools hold one; a record of a run has better, with intervals
//! made by the scorer itself.

use crate::record::SampleRecord;

/// A metric over the items of a task.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Summary {
    /// The scorer for the headline, else the sub-score.
    pub(super) name: String,
    /// Mean over the items of the mean over their repeats; nothing where no item has a value.
    pub(super) mean: Option<f64>,
    /// Sample standard deviation of the items over the root of their number; nothing for fewer than two.
    pub(super) standard_error: Option<f64>,
    /// Items that have a value.
    pub(super) scored: usize,
    /// Items that have none.
    pub(super) unscored: usize,
    pub(super) higher_is_better: Option<bool>,
}

/// The repeats of each item, items in the order in which they come.
pub(super) fn by_item<'a>(records: &[&'a SampleRecord]) -> Vec<Vec<&'a SampleRecord>> {
    let mut places = std::collections::HashMap::new();
    let mut items: Vec<Vec<&SampleRecord>> = Vec::new();
    for record in records {
        let place = *places.entry(record.id.as_str()).or_insert_with(|| {
            items.push(Vec::new());
            items.len() - 1
        });
        if let Some(item) = items.get_mut(place) {
            item.push(record);
        }
    }
    items.iter_mut().for_each(|item| item.sort_by_key(|record| record.epoch));
    items
}

/// The names of the metrics: the scorers of the verdicts first, then the sub-scores.
pub(super) fn metrics(records: &[&SampleRecord]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let verdicts = || records.iter().filter_map(|record| record.verdict.as_ref());
    let all = verdicts()
        .map(|verdict| &verdict.scorer.name)
        .chain(verdicts().flat_map(|verdict| verdict.sub_scores.iter().map(|sub| &sub.name)));
    for name in all {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// The value of a metric in a sample: none where it was not graded by it, or has no value.
pub(super) fn value(record: &SampleRecord, metric: &str) -> Option<f64> {
    let verdict = record.verdict.as_ref()?;
    if verdict.scorer.name == metric {
        return verdict.value;
    }
    verdict.sub_scores.iter().find(|sub| sub.name == metric)?.value
}

/// The mean of an item's repeats that have a value.
pub(super) fn item_value(item: &[&SampleRecord], metric: &str) -> Option<f64> {
    mean(&item.iter().filter_map(|record| value(record, metric)).collect::<Vec<f64>>())
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// All metrics of a task.
pub(super) fn summaries(records: &[&SampleRecord]) -> Vec<Summary> {
    let items = by_item(records);
    let of = |name: String| {
        let values: Vec<f64> = items.iter().filter_map(|item| item_value(item, &name)).collect();
        let mean = mean(&values);
        let standard_error = mean.filter(|_| values.len() > 1).map(|mean| {
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            (squares / (values.len() - 1) as f64 / values.len() as f64).sqrt()
        });
        let subs = records.iter().filter_map(|record| record.verdict.as_ref()).flat_map(|verdict| &verdict.sub_scores);
        let higher_is_better = subs.filter(|sub| sub.name == name).find_map(|sub| sub.higher_is_better);
        Summary {
            mean,
            standard_error,
            scored: values.len(),
            unscored: items.len() - values.len(),
            higher_is_better,
            name,
        }
    };
    metrics(records).into_iter().map(of).collect()
}
