//! The metrics of a phase: what became of its requests, and each metric over them.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gaps::ms;
use crate::pool::{Closed, TokenPools};
use crate::request::RequestMetrics;
use crate::server::per_second;
use crate::stats::{Distribution, percentile};
use crate::table::{METRICS, definition};
use crate::{Flag, LATE_MS};

/// What became of one request.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<'a> {
    /// Answered in full.
    Completed(&'a RequestMetrics),
    /// Sent, and not answered in full.
    Failed {
        /// The code of the problem.
        code: &'a str,
        /// How long it occupied the client, in milliseconds, where known.
        wall_ms: Option<f64>,
    },
    /// Never sent.
    NotSent {
        /// The code of the reason.
        code: &'a str,
    },
}

/// One request of a phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample<'a> {
    /// The repeat that it belongs to, counted from 0.
    pub repeat: u32,
    /// Its place in its session, counted from 0.
    pub turn: u32,
    /// How many times it was sent again. Its times count from the first.
    pub resent: u32,
    /// What became of it.
    pub outcome: Outcome<'a>,
}

/// When the load of a repeat ran, in nanoseconds of the clock of the stamps. Several spans of one repeat add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSpan {
    /// The repeat, counted from 0.
    pub repeat: u32,
    /// When the window opened.
    pub opened: u64,
    /// When it closed.
    pub closed: u64,
}

/// How often a code occurred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeCount {
    /// The code, in kebab case.
    pub code: String,
    /// How often.
    pub count: u32,
}

/// A phase in numbers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Requests planned.
    pub requests: u32,
    /// Answered in full.
    pub completed: u32,
    /// Sent, and not answered in full.
    pub failed: u32,
    /// Never sent.
    pub not_sent: u32,
    /// Completed, but begun 10 ms or more after their intended time.
    pub late: u32,
    /// Sent more than once.
    pub resent: u32,
    /// Problems of the requests that failed or were not sent, by code.
    pub problems: Vec<CodeCount>,
    /// Flags of the completed requests, by code.
    pub flags: Vec<CodeCount>,
    /// Each metric by its name in [`METRICS`]; a metric that no request has is absent.
    pub metrics: BTreeMap<String, Distribution>,
}

/// One metric of a phase as a single number with its uncertainty, as workloads receive it.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// The metric's identifier in kebab case, without its unit.
    pub id: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Whether more is better; `None` where it is neither.
    pub higher_is_better: Option<bool>,
    /// The median.
    pub value: f64,
    /// Half the width of the 95 % confidence interval over repeats; `None` below three.
    pub half_width: Option<f64>,
    /// Values behind it.
    pub samples: u32,
}

impl Summary {
    /// Every metric of the phase, in the order of [`METRICS`].
    pub fn measures(&self) -> Vec<Measure> {
        let measure = |def: &crate::MetricDef| {
            let found = self.metrics.get(def.name)?;
            Some(Measure {
                id: def.id,
                unit: def.unit,
                higher_is_better: def.direction.higher_is_better(),
                value: found.median,
                half_width: found.half_width,
                samples: found.n,
            })
        };
        METRICS.iter().filter_map(measure).collect()
    }

    /// The median of the metric called `name`.
    pub fn median(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).map(|found| found.median)
    }
}

/// Sums up a phase. `spans` says when the load of each repeat ran; without it, metrics of the phase as a whole are absent.
pub fn summarise(samples: &[Sample<'_>], spans: &[WindowSpan]) -> Summary {
    let mut pools = TokenPools::default();
    for (repeat, metrics) in completed(samples) {
        pools.add(repeat, metrics.raw_timings.as_deref().unwrap_or_default());
    }
    summarise_pooled(samples, spans, pools)
}

/// The same where the requests no longer have their token times: `pools` holds those of every completed request.
pub fn summarise_pooled(samples: &[Sample<'_>], spans: &[WindowSpan], pools: TokenPools) -> Summary {
    let mut summary = Summary { requests: size(samples.len()), ..Summary::default() };
    let mut problems: BTreeMap<String, u32> = BTreeMap::new();
    let mut flags: BTreeMap<Flag, u32> = BTreeMap::new();
    for sample in samples {
        summary.resent += u32::from(sample.resent > 0);
        match &sample.outcome {
            Outcome::Completed(metrics) => {
                summary.completed += 1;
                summary.late += u32::from(metrics.queue_ms >= LATE_MS);
                for flag in &metrics.flags {
                    *flags.entry(*flag).or_default() += 1;
                }
            }
            Outcome::Failed { code, .. } => {
                summary.failed += 1;
                *problems.entry((*code).to_owned()).or_default() += 1;
            }
            Outcome::NotSent { code } => {
                summary.not_sent += 1;
                *problems.entry((*code).to_owned()).or_default() += 1;
            }
        }
    }
    summary.problems = problems.into_iter().map(|(code, count)| CodeCount { code, count }).collect();
    summary.flags = flags.into_iter().map(|(flag, count)| CodeCount { code: flag.code().to_owned(), count }).collect();
    for def in METRICS {
        let Some(value) = def.value else { continue };
        let values = completed(samples).filter_map(|(repeat, metrics)| Some((repeat, value(metrics)?)));
        insert(&mut summary, def.name, Distribution::of(values));
    }
    pooled_token_times(&mut summary, pools);
    turn_times(&mut summary, samples);
    whole_phase(&mut summary, samples, spans);
    summary
}

fn completed<'a>(samples: &'a [Sample<'a>]) -> impl Iterator<Item = (u32, &'a RequestMetrics)> {
    samples.iter().filter_map(|sample| match &sample.outcome {
        Outcome::Completed(metrics) => Some((sample.repeat, *metrics)),
        _ => None,
    })
}

fn insert(summary: &mut Summary, name: &str, found: Option<Distribution>) {
    debug_assert!(definition(name).is_some(), "{name} is not in the table");
    if let Some(found) = found {
        summary.metrics.insert(name.to_owned(), found);
    }
}

/// Percentiles of the token times of all requests of a repeat together, where each request alone has too few tokens.
fn pooled_token_times(summary: &mut Summary, pools: TokenPools) {
    let pools = pools.close();
    let binned = pools.values().any(Closed::binned);
    for (name, p) in [("token_p50_ms", 50), ("token_p95_ms", 95), ("token_p99_ms", 99)] {
        let values = pools.iter().filter_map(|(repeat, pool)| Some((*repeat, pool.floored_percentile(p)?)));
        insert(summary, name, Distribution::of(values).map(|found| Distribution { binned, ..found }));
    }
}

/// Percentiles over the turns of a repeat, where sessions have several. The turns of a fixed trace are the whole population,
/// so no sample floor applies; but a turn that failed would make the rest another population.
fn turn_times(summary: &mut Summary, samples: &[Sample<'_>]) {
    let mut repeats: BTreeMap<u32, Option<Vec<f64>>> = BTreeMap::new();
    let mut later_turns: BTreeSet<u32> = BTreeSet::new();
    for sample in samples {
        if sample.turn > 0 {
            later_turns.insert(sample.repeat);
        }
        let times = repeats.entry(sample.repeat).or_insert_with(|| Some(Vec::new()));
        match (&sample.outcome, times.as_mut()) {
            (Outcome::Completed(metrics), Some(times)) => times.push(metrics.wall_ms),
            _ => *times = None,
        }
    }
    repeats.retain(|repeat, _| later_turns.contains(repeat));
    for times in repeats.values_mut().flatten() {
        times.sort_by(f64::total_cmp);
    }
    for (name, p) in [("turn_p50_ms", 50.0), ("turn_p95_ms", 95.0)] {
        let values = repeats.iter().filter_map(|(repeat, times)| Some((*repeat, percentile(times.as_ref()?, p)?)));
        insert(summary, name, Distribution::of(values));
    }
}

/// What a repeat's requests amount to together. A count that one of the requests lacks makes the total unknown.
#[derive(Default)]
struct Totals {
    output: Option<u64>,
    streamed: Option<u64>,
    prompt: Option<u64>,
    cached: Option<u64>,
    drafted: Option<u64>,
    accepted: Option<u64>,
    busy_ms: f64,
    sent: u32,
}

fn whole_phase(summary: &mut Summary, samples: &[Sample<'_>], spans: &[WindowSpan]) {
    let mut windows: BTreeMap<u32, f64> = BTreeMap::new();
    for span in spans {
        *windows.entry(span.repeat).or_default() += ms(span.closed.saturating_sub(span.opened));
    }
    let mut repeats: BTreeMap<u32, Totals> = BTreeMap::new();
    for sample in samples {
        let zero = || Totals {
            output: Some(0),
            streamed: Some(0),
            prompt: Some(0),
            cached: Some(0),
            drafted: Some(0),
            accepted: Some(0),
            ..Totals::default()
        };
        let totals = repeats.entry(sample.repeat).or_insert_with(zero);
        match &sample.outcome {
            Outcome::Completed(metrics) => {
                let server = metrics.server.as_ref();
                totals.sent += 1;
                totals.busy_ms += metrics.wall_ms;
                totals.output = add(totals.output, metrics.output_tokens);
                totals.streamed = add(totals.streamed, metrics.streamed_tokens());
                totals.prompt = add(totals.prompt, metrics.prompt_tokens);
                totals.cached = add(totals.cached, metrics.cached_tokens);
                totals.drafted = add(totals.drafted, server.and_then(|s| s.draft_tokens));
                totals.accepted = add(totals.accepted, server.and_then(|s| s.accepted_tokens));
            }
            Outcome::Failed { wall_ms, .. } => {
                totals.sent += 1;
                totals.busy_ms += wall_ms.unwrap_or(0.0);
            }
            Outcome::NotSent { .. } => {}
        }
    }
    let over = |f: &dyn Fn(&Totals, Option<f64>) -> Option<f64>| {
        Distribution::of(repeats.iter().filter(|(_, totals)| totals.sent > 0).filter_map(|(repeat, totals)| {
            Some((*repeat, f(totals, windows.get(repeat).copied().filter(|length| *length > 0.0))?))
        }))
    };
    let ratio = |part: Option<u64>, whole: Option<u64>| Some(part? as f64 / whole.filter(|n| *n > 0)? as f64);
    let found = [
        ("window_ms", over(&|_, window| window)),
        ("aggregate_tps", over(&|totals, window| per_second(totals.streamed, window))),
        ("request_rate", over(&|totals, window| Some(f64::from(totals.sent) / window? * 1000.0))),
        ("concurrency", over(&|totals, window| Some(totals.busy_ms / window?))),
        ("total_prompt_tokens", over(&|totals, _| totals.prompt.map(|n| n as f64))),
        ("total_output_tokens", over(&|totals, _| totals.output.map(|n| n as f64))),
        ("prefix_cache_hit_rate", over(&|totals, _| ratio(totals.cached, totals.prompt))),
        ("draft_acceptance_rate", over(&|totals, _| ratio(totals.accepted, totals.drafted))),
    ];
    for (name, distribution) in found {
        insert(summary, name, distribution);
    }
}

fn add(total: Option<u64>, more: Option<u64>) -> Option<u64> {
    total?.checked_add(more?)
}

fn size(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
