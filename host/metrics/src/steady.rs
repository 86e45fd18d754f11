//! The part of a load in which as much ran at once as ever did for long.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gaps::ms;
use crate::stats::Distribution;
use crate::summary::{Outcome, Sample, Summary, WindowSpan, summarise};

/// Part of the plateau that must run at once for the window to be open: the share of the wanted concurrency from which
/// `vllm bench serve` (Rust) counts a moment as steady.
pub const PLATEAU_SHARE: f64 = 0.95;

/// Largest difference between the mean concurrency of the window's halves, as a part of the plateau. A load that climbs or
/// falls all the time has a larger one, and no plateau.
pub const PLATEAU_DRIFT: f64 = 0.25;

/// The steady part of a phase, and what its requests amount to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SteadyWindow {
    /// Where the window of the first repeat begins, in nanoseconds of the trace's clock.
    pub from_ns: u64,
    /// Where the window of the last repeat ends.
    pub to_ns: u64,
    /// The window of each repeat that has one.
    pub windows: Vec<SteadySpan>,
    /// Requests that lie wholly inside a window.
    pub requests: u32,
    /// Their numbers.
    pub summary: Summary,
}

/// The steady window of one repeat, in nanoseconds of the trace's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SteadySpan {
    /// The repeat, counted from 0.
    pub repeat: u32,
    /// Where the window begins.
    pub from_ns: u64,
    /// Where it ends.
    pub to_ns: u64,
}

/// The window in which the load was at its plateau, from the start and the end of every request, in nanoseconds.
///
/// The plateau is the concurrency that was reached or exceeded for half of the time between the first start and the last end:
/// the time-weighted median, which ramps and tails below half of the time do not move. The window opens when the concurrency
/// first reaches [`PLATEAU_SHARE`] of it and closes when it is last that high.
///
/// `None` when there is no such window: nothing ran, nothing ran for more than half of the time, or the mean concurrency of the
/// window's two halves differs by more than [`PLATEAU_DRIFT`] of the plateau.
///
/// Cutting the ends off a run that starts and ends empty is the usual treatment of the start-up transient in simulation (Law,
/// Simulation Modeling and Analysis, section 9.5); measuring between the first and the last moment at 95 % of the concurrency
/// is how `vllm bench serve` (Rust) does it, there with the concurrency that was asked for. The rule against drift is this
/// program's own.
pub fn steady(spans: &[(u64, u64)]) -> Option<(u64, u64)> {
    let levels = levels(spans);
    let plateau = weighted_median(&levels)?;
    let high = |level: &&Level| level.running as f64 >= PLATEAU_SHARE * plateau as f64;
    let from = levels.iter().find(high)?.from;
    let to = levels.iter().rfind(high)?.to;
    let middle = from + (to - from) / 2;
    let drift = mean_level(&levels, middle, to)? - mean_level(&levels, from, middle)?;
    (drift.abs() <= PLATEAU_DRIFT * plateau as f64).then_some((from, to))
}

/// A stretch of time in which the same number of requests ran.
struct Level {
    from: u64,
    to: u64,
    running: u64,
}

/// The stretches from the first start to the last end, in order and without length 0. A request runs from its start up to, and
/// not at, its end; one without length does not run.
fn levels(spans: &[(u64, u64)]) -> Vec<Level> {
    let mut changes: Vec<(u64, bool)> = Vec::with_capacity(spans.len() * 2);
    for (start, end) in spans.iter().filter(|(start, end)| start < end) {
        changes.extend([(*start, true), (*end, false)]);
    }
    changes.sort_unstable();
    let mut levels: Vec<Level> = Vec::new();
    let mut running: u64 = 0;
    let mut since = changes.first().map_or(0, |(at, _)| *at);
    for (at, starts) in changes {
        if at > since {
            levels.push(Level { from: since, to: at, running });
            since = at;
        }
        running = if starts { running + 1 } else { running.saturating_sub(1) };
    }
    levels
}

/// The largest concurrency that was reached or exceeded for at least half of the time; `None` when that is 0.
fn weighted_median(levels: &[Level]) -> Option<u64> {
    let mut time: BTreeMap<u64, u128> = BTreeMap::new();
    for level in levels {
        *time.entry(level.running).or_default() += u128::from(level.to - level.from);
    }
    let whole: u128 = time.values().sum();
    let mut above: u128 = 0;
    let found = time.iter().rev().find(|(_, length)| {
        above += **length;
        2 * above >= whole
    });
    found.map(|(running, _)| *running).filter(|running| *running > 0)
}

/// The mean concurrency between two moments; `None` when no time lies between them.
fn mean_level(levels: &[Level], from: u64, to: u64) -> Option<f64> {
    let overlap = |level: &Level| level.to.min(to).saturating_sub(level.from.max(from)) as f64;
    let area: f64 = levels.iter().map(|level| overlap(level) * level.running as f64).sum();
    (from < to).then(|| area / (to - from) as f64)
}

/// A request of a phase with the time that it took.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedSample<'a> {
    /// The request.
    pub sample: Sample<'a>,
    /// From its start to the end of its answer, in nanoseconds of the trace's clock; `None` when it was not sent.
    pub span: Option<(u64, u64)>,
}

impl SteadyWindow {
    /// The [`steady`] window of each repeat, and the numbers of what lies in them; `None` when no repeat has one.
    ///
    /// Metrics of single requests are those of the requests that lie wholly inside. Those of the phase as a whole count what
    /// would otherwise be lost at the edges: `concurrency` is the mean of what ran during the window, `aggregate_tps` counts
    /// the tokens of the requests that ended inside, and `request_rate` the requests that started inside.
    pub fn of(samples: &[TimedSample<'_>]) -> Option<Self> {
        let mut repeats: BTreeMap<u32, Vec<&TimedSample<'_>>> = BTreeMap::new();
        for timed in samples {
            repeats.entry(timed.sample.repeat).or_default().push(timed);
        }
        let mut windows = Vec::new();
        let mut inside = Vec::new();
        let mut rates: [Vec<(u32, f64)>; 3] = Default::default();
        for (repeat, timed) in repeats {
            let spans: Vec<(u64, u64)> = timed.iter().filter_map(|timed| timed.span).collect();
            let Some((from, to)) = steady(&spans) else { continue };
            windows.push(SteadySpan { repeat, from_ns: from, to_ns: to });
            let lies_inside = |timed: &&&TimedSample<'_>| timed.span.is_some_and(|(a, b)| from <= a && b <= to);
            inside.extend(timed.iter().filter(lies_inside).map(|timed| timed.sample.clone()));
            let seconds = ms(to - from) / 1000.0;
            let [concurrency, tokens, requests] = &mut rates;
            concurrency.extend(mean_level(&levels(&spans), from, to).map(|mean| (repeat, mean)));
            tokens.extend(tokens_ended(&timed, from, to).map(|tokens| (repeat, tokens as f64 / seconds)));
            let started = spans.iter().filter(|(start, _)| (from..to).contains(start)).count();
            requests.push((repeat, started as f64 / seconds));
        }
        let (first, last) = (windows.first()?, windows.last()?);
        let bounds = (first.from_ns, last.to_ns);
        let opened =
            |window: &SteadySpan| WindowSpan { repeat: window.repeat, opened: window.from_ns, closed: window.to_ns };
        let mut summary = summarise(&inside, &windows.iter().map(opened).collect::<Vec<_>>());
        for (name, values) in ["concurrency", "aggregate_tps", "request_rate"].into_iter().zip(rates) {
            match Distribution::of(values) {
                Some(found) => summary.metrics.insert(name.to_owned(), found),
                None => summary.metrics.remove(name),
            };
        }
        Some(Self { from_ns: bounds.0, to_ns: bounds.1, windows, requests: summary.requests, summary })
    }
}

/// Tokens of the requests that were answered between two moments; `None` when one of them has no count.
fn tokens_ended(timed: &[&TimedSample<'_>], from: u64, to: u64) -> Option<u64> {
    let mut ended = timed.iter().filter(|timed| timed.span.is_some_and(|(_, end)| from < end && end <= to));
    ended.try_fold(0_u64, |total, timed| match &timed.sample.outcome {
        Outcome::Completed(metrics) => total.checked_add(metrics.streamed_tokens()?),
        _ => Some(total),
    })
}
