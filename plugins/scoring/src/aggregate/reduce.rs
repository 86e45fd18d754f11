//! What becomes of the repeats of an item.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What becomes of the repeats of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Reducer {
    /// Their mean.
    Mean,
    /// Their median; of an even number, the mean of the two in the middle.
    Median,
    /// The value of the most frequent extracted answer, or of the first of these; where nothing was extracted, the most frequent value.
    Majority,
    /// The best.
    Max,
    /// How likely one of `K` repeats drawn at random is right.
    PassAt(u32),
    /// How likely all of `K` repeats drawn at random are right.
    PassHat(u32),
}

impl TryFrom<String> for Reducer {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let count = |digits: &str| digits.parse().ok().filter(|count| (1..=999_999).contains(count));
        match name.as_str() {
            "mean" => Some(Self::Mean),
            "median" => Some(Self::Median),
            "majority" => Some(Self::Majority),
            "max" => Some(Self::Max),
            other => match (other.strip_prefix("pass@"), other.strip_prefix("pass^")) {
                (Some(digits), _) => count(digits).map(Self::PassAt),
                (_, Some(digits)) => count(digits).map(Self::PassHat),
                _ => None,
            },
        }
        .ok_or_else(|| {
            format!("`{name}` is no way to reduce repeats; there are mean, median, majority, max, pass@K and pass^K")
        })
    }
}

/// One graded repeat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Repeat<'r> {
    /// Finite.
    pub value: f64,
    /// What was taken to be the answer.
    pub extracted: Option<&'r str>,
}

impl Reducer {
    /// What a metric is called that was reduced so.
    pub fn name(self, metric: &str) -> String {
        match self {
            Self::Mean => metric.into(),
            Self::Median => format!("{metric}-median"),
            Self::Majority => format!("{metric}-majority"),
            Self::Max => format!("{metric}-max"),
            Self::PassAt(count) => format!("pass@{count}"),
            Self::PassHat(count) => format!("pass^{count}"),
        }
    }

    /// Says something of whole answers, and nothing of sub-scores.
    pub fn of_headline_alone(self) -> bool {
        matches!(self, Self::PassAt(_) | Self::PassHat(_))
    }

    /// One value for the repeats that could be graded; nothing where there are none, or fewer than `K`.
    pub fn reduce(self, repeats: &[Repeat<'_>]) -> Option<f64> {
        let values = || repeats.iter().map(|repeat| repeat.value);
        let right = || u32::try_from(values().filter(|&value| value >= 1.0).count()).unwrap_or(u32::MAX);
        let all = u32::try_from(repeats.len()).unwrap_or(u32::MAX);
        if repeats.is_empty() {
            return None;
        }
        match self {
            Self::Mean => Some(super::interval::mean(values())),
            Self::Median => {
                let mut sorted: Vec<f64> = values().collect();
                sorted.sort_by(f64::total_cmp);
                let (low, high) = (sorted.get((sorted.len() - 1) / 2)?, sorted.get(sorted.len() / 2)?);
                Some((low + high) / 2.0)
            }
            Self::Majority => majority(repeats),
            Self::Max => values().max_by(f64::total_cmp),
            Self::PassAt(count) => pass_at(all, right(), count),
            Self::PassHat(count) => pass_hat(all, right(), count),
        }
    }
}

fn majority(repeats: &[Repeat<'_>]) -> Option<f64> {
    let answered = repeats.iter().any(|repeat| repeat.extracted.is_some());
    let key = |repeat: &Repeat<'_>| match repeat.extracted {
        Some(answer) => format!("={answer}"),
        None if answered => String::new(),
        None => format!("{:?}", repeat.value),
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for repeat in repeats {
        *counts.entry(key(repeat)).or_default() += 1;
    }
    let most = counts.values().copied().max()?;
    repeats.iter().find(|repeat| counts.get(&key(repeat)) == Some(&most)).map(|repeat| repeat.value)
}

/// The unbiased estimate of how likely one of `draws` answers is right when `right` of `all` are: 1 - C(n-c, k) / C(n, k), as a
/// product that neither overflows nor cancels. Nothing where `draws` exceeds `all`.
///
/// Chen et al., Evaluating Large Language Models Trained on Code (2021), section 2.1.
pub fn pass_at(all: u32, right: u32, draws: u32) -> Option<f64> {
    if draws > all || right > all {
        return None;
    }
    let wrong = all - right;
    if wrong < draws {
        return Some(1.0);
    }
    let missed: f64 = (wrong + 1..=all).map(|n| 1.0 - f64::from(draws) / f64::from(n)).product();
    Some(1.0 - missed)
}

/// The unbiased estimate of how likely all of `draws` answers are right when `right` of `all` are: C(c, k) / C(n, k). Nothing
/// where `draws` exceeds `all`.
///
/// Yao et al., tau-bench: A Benchmark for Tool-Agent-User Interaction in Real-World Domains (2024), section 3.
pub fn pass_hat(all: u32, right: u32, draws: u32) -> Option<f64> {
    if draws > all || right > all {
        return None;
    }
    if right < draws {
        return Some(0.0);
    }
    Some((0..draws).map(|drawn| f64::from(right - drawn) / f64::from(all - drawn)).product())
}
