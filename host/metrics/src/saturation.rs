//! Searching for the rate that a server can hold: what to try next, and when a rate was too much.
//!
//! Pure decisions. The caller runs an open-loop step at the rate that [`next`] names, sums it up with [`Step::of`], and asks
//! again. Rates grow geometrically until one is too much, then the gap is halved on the logarithmic scale until it is narrow.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::goodput::goodput;
use crate::slo::Slo;
use crate::stats::median;
use crate::steady::TimedSample;
use crate::summary::Outcome;
use crate::trend::{Trend, trend};

/// A rate is too much when requests leave the server at less than this part of the rate at which they come.
pub const ACHIEVED_SHARE: f64 = 0.95;

/// A rate is too much when more than this part of its requests fails.
pub const FAILED_SHARE: f64 = 0.05;

/// A rate is too much when less than this part of its requests keeps the objectives: the attainment at which DistServe (Zhong
/// et al., OSDI 2024) takes its goodput.
pub const SLO_SHARE: f64 = 0.9;

/// A rate is too much when the time to first token grows over the step by this part of its median or more, steadily.
pub const GROWTH_SHARE: f64 = 0.5;

/// One rate that was tried. Rates in requests per second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The rate that was asked for.
    pub asked_rate: f64,
    /// The rate of the schedule as it was drawn, between the 10 % and the 90 % point of the requests; arrivals at random differ from
    /// the asked rate by chance.
    pub offered_rate: f64,
    /// The rate at which requests left the server, between the same two points of the answers. Where too few were answered to tell,
    /// the offered rate times the part of the requests that were.
    pub achieved_rate: f64,
    /// Requests of the step.
    pub requests: u32,
    /// Requests that were not answered in full.
    pub failed: u32,
    /// Requests in flight on average.
    pub in_flight: f64,
    /// Median time to first token from the intended start, in milliseconds.
    pub ttft_p50_ms: Option<f64>,
    /// How the time to first token from the intended start changed over the step.
    pub ttft_trend: Option<Trend>,
    /// Part of the requests that kept the objectives, where there are any.
    pub slo_share: Option<f64>,
}

/// Why a rate was too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Overload {
    /// Requests left the server more slowly than they came.
    RateNotAchieved,
    /// The time to first token grew steadily: a queue was building up.
    QueueGrows,
    /// Too many requests failed.
    Failures,
    /// Too few requests kept the objectives.
    ObjectivesMissed,
}

impl fmt::Display for Overload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RateNotAchieved => "requests left the server at less than 95 % of the rate at which they came",
            Self::QueueGrows => "the time to first token grew steadily, so a queue was building up",
            Self::Failures => "more than 5 % of the requests failed",
            Self::ObjectivesMissed => "less than 90 % of the requests kept the objectives",
        })
    }
}

impl Step {
    /// Sums up a step from its requests. A request that was never sent counts as failed.
    pub fn of(asked_rate: f64, samples: &[TimedSample<'_>], slo: Option<&Slo>) -> Self {
        let mut intended = Vec::new();
        let mut ended = Vec::new();
        let mut ttft = Vec::new();
        let mut busy = 0.0;
        for timed in samples {
            let Some((started, end)) = timed.span else { continue };
            let seconds = |ns: f64| ns / 1e9;
            busy += seconds(end.saturating_sub(started) as f64);
            let waited = match &timed.sample.outcome {
                Outcome::Completed(metrics) => {
                    ended.push(seconds(end as f64));
                    let at = seconds(started as f64) - metrics.queue_ms / 1000.0;
                    ttft.extend(metrics.ttft_intended_ms.map(|ttft| (at, ttft)));
                    metrics.queue_ms / 1000.0
                }
                _ => 0.0,
            };
            intended.push(seconds(started as f64) - waited);
        }
        let span = samples.iter().filter_map(|timed| timed.span).fold(None, |span: Option<(u64, u64)>, (from, to)| {
            Some(span.map_or((from, to), |(first, last)| (first.min(from), last.max(to))))
        });
        let length = span.map_or(0.0, |(from, to)| to.saturating_sub(from) as f64 / 1e9);
        let times: Vec<f64> = ttft.iter().map(|(_, ttft)| *ttft).collect();
        let plain: Vec<_> = samples.iter().map(|timed| timed.sample.clone()).collect();
        let completed = samples.iter().filter(|timed| matches!(timed.sample.outcome, Outcome::Completed(_))).count();
        let offered_rate = middle_rate(intended).unwrap_or(asked_rate);
        let answered = completed as f64 / samples.len().max(1) as f64;
        Self {
            asked_rate,
            offered_rate,
            achieved_rate: middle_rate(ended).unwrap_or(offered_rate * answered),
            requests: u32::try_from(samples.len()).unwrap_or(u32::MAX),
            failed: u32::try_from(samples.len() - completed).unwrap_or(u32::MAX),
            in_flight: if length > 0.0 { busy / length } else { 0.0 },
            ttft_p50_ms: median(&times),
            ttft_trend: trend(&ttft),
            slo_share: slo.filter(|slo| !slo.is_empty()).and_then(|slo| goodput(&plain, slo, None).share),
        }
    }

    /// Every reason why the rate was too much; empty when the server held it.
    ///
    /// A rate that was not achieved must be short by more requests than chance moves from one end of the step to the other: the
    /// number in flight of a stream that comes at random has its own mean as variance (Poisson; the M/G/∞ queue), so the
    /// difference of two has a standard deviation of √(2 · in flight), and twice that is asked for.
    pub fn overload(&self) -> Vec<Overload> {
        let mut found = Vec::new();
        let requests = f64::from(self.requests);
        let missing = 1.0 - self.achieved_rate / self.offered_rate;
        let by_chance = 2.0 * (2.0 * self.in_flight).sqrt();
        if missing > 1.0 - ACHIEVED_SHARE && missing * 0.8 * requests > by_chance {
            found.push(Overload::RateNotAchieved);
        }
        if self.ttft_trend.is_some_and(|trend| trend.is_growth(GROWTH_SHARE)) {
            found.push(Overload::QueueGrows);
        }
        if self.requests > 0 && f64::from(self.failed) > FAILED_SHARE * requests {
            found.push(Overload::Failures);
        }
        if self.slo_share.is_some_and(|share| share < SLO_SHARE) {
            found.push(Overload::ObjectivesMissed);
        }
        found
    }
}

/// Events per second between the 10 % and the 90 % point of their times, which a slow start or a long tail does not move. `None`
/// below ten events, or when they have no length.
fn middle_rate(mut at: Vec<f64>) -> Option<f64> {
    at.sort_by(f64::total_cmp);
    let n = at.len();
    if n < 10 {
        return None;
    }
    let (low, high) = (n / 10, n - 1 - n / 10);
    let length = at.get(high)? - at.get(low)?;
    (length > 0.0).then(|| (high - low) as f64 / length)
}

/// Where and how finely to search. Rates in requests per second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SweepPlan {
    /// The first rate.
    pub from: f64,
    /// The highest rate that may be tried.
    pub to: f64,
    /// By how much a rate that held is multiplied; above 1.
    pub growth: f64,
    /// The search ends when the lowest rate that was too much is at most this part above the highest that held.
    pub resolution: f64,
    /// Most steps.
    pub most_steps: u32,
}

impl Default for SweepPlan {
    fn default() -> Self {
        Self { from: 1.0, to: 100.0, growth: 2.0, resolution: 0.05, most_steps: 16 }
    }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Run a step at so many requests per second.
    Try(f64),
    /// The search is over.
    Done(SweepResult),
}

/// What a sweep found. Rates in requests per second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SweepResult {
    /// The highest rate that held, where a higher one was too much; absent when the search did not enclose it.
    pub capacity_rps: Option<f64>,
    /// The highest rate that held below every rate that was too much.
    pub last_good: Option<f64>,
    /// The lowest rate that was too much.
    pub first_bad: Option<f64>,
    /// Why `first_bad` was too much.
    pub overload: Vec<Overload>,
    /// Why the search ended.
    pub reason: SweepEnd,
}

/// Why a sweep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SweepEnd {
    /// The capacity is enclosed as narrowly as was asked for.
    Enclosed,
    /// The highest rate that may be tried held.
    HighestHeld,
    /// The lowest rate was too much.
    LowestTooMuch,
    /// No step was left.
    StepsUsedUp,
    /// The plan names no range of rates.
    BadPlan,
}

impl SweepEnd {
    /// What it means, as a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Enclosed => "The capacity lies between the last rate that held and the first that was too much.",
            Self::HighestHeld => "The highest rate that was to be tried held, so the capacity is higher.",
            Self::LowestTooMuch => "The lowest rate that was to be tried was too much, so the capacity is lower.",
            Self::StepsUsedUp => "The steps were used up before the capacity was enclosed as narrowly as asked.",
            Self::BadPlan => "The range of rates is empty or the growth is not above 1, so nothing was tried.",
        }
    }
}

/// The next rate to try, after `steps`.
///
/// Where a rate was too much below one that held, the lower one counts: a capacity is a rate below which nothing was too much.
pub fn next(plan: &SweepPlan, steps: &[Step]) -> Next {
    let bad_plan = !(plan.from > 0.0 && plan.to >= plan.from && plan.to.is_finite() && plan.growth > 1.0);
    let first_bad =
        steps.iter().filter(|step| !step.overload().is_empty()).min_by(|a, b| a.asked_rate.total_cmp(&b.asked_rate));
    let bad_rate = first_bad.map(|step| step.asked_rate);
    let good = steps.iter().filter(|step| step.overload().is_empty()).map(|step| step.asked_rate);
    let last_good = good.filter(|rate| bad_rate.is_none_or(|bad| *rate < bad)).max_by(f64::total_cmp);
    let done = |reason: SweepEnd| {
        Next::Done(SweepResult {
            capacity_rps: last_good.filter(|_| bad_rate.is_some()),
            last_good,
            first_bad: bad_rate,
            overload: first_bad.map(Step::overload).unwrap_or_default(),
            reason,
        })
    };
    if bad_plan {
        return done(SweepEnd::BadPlan);
    }
    let rate = match (last_good, bad_rate) {
        (None, None) => plan.from,
        (None, Some(_)) => return done(SweepEnd::LowestTooMuch),
        (Some(good), None) if good >= plan.to => return done(SweepEnd::HighestHeld),
        (Some(good), None) => (good * plan.growth).min(plan.to),
        (Some(good), Some(bad)) if bad <= good * (1.0 + plan.resolution.max(1e-3)) => return done(SweepEnd::Enclosed),
        (Some(good), Some(bad)) => (good * bad).sqrt(),
    };
    if steps.len() >= plan.most_steps as usize { done(SweepEnd::StepsUsedUp) } else { Next::Try(rate) }
}
