//! Load in a record: how requests followed one another, and what came of it stage by stage.

use std::collections::{BTreeMap, BTreeSet};

use bench_metrics::saturation::{Step, SweepPlan, SweepResult};
use bench_metrics::{ErrorBar, Goodput, Sample, Slo, Summary, WindowSpan, goodput, summarise};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::request::sample;
use crate::{RequestRecord, RequestStatus};

/// How requests followed one another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ShapeRecord {
    /// One session after the other.
    Sequential,
    /// So many sessions at any time.
    ClosedLoop {
        /// How many.
        streams: u32,
        /// Seconds over which their number grew to that; absent when all began at once.
        #[serde(default)]
        ramp_s: Option<f64>,
    },
    /// Requests at moments that do not depend on the answers.
    OpenLoop {
        /// The load as typed.
        spec: String,
        /// How the moments are spread.
        arrivals: ArrivalLaw,
        /// Rates over time, in order.
        stages: Vec<LoadStage>,
    },
    /// Requests at the moments of a recorded trace.
    Replay {
        /// The load as typed.
        spec: String,
        /// SHA-256 of the trace file in hexadecimal.
        file_sha256: String,
        /// Requests in it.
        requests: u32,
        /// How many times as fast as recorded.
        speed: f64,
    },
}

impl ShapeRecord {
    /// Sessions at once, where the shape fixes them.
    pub fn streams(&self) -> Option<u32> {
        match self {
            Self::Sequential => Some(1),
            Self::ClosedLoop { streams, .. } => Some(*streams),
            Self::OpenLoop { .. } | Self::Replay { .. } => None,
        }
    }

    /// Whether the moments of requests were fixed beforehand.
    fn is_scheduled(&self) -> bool {
        matches!(self, Self::OpenLoop { .. } | Self::Replay { .. })
    }
}

/// How the moments of requests are spread around the rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "law", rename_all = "kebab-case")]
pub enum ArrivalLaw {
    /// Evenly.
    Constant,
    /// As a Poisson process: independently of one another.
    Poisson,
    /// With gamma-distributed gaps.
    Gamma {
        /// Shape of the distribution: 1 is a Poisson process, less is burstier.
        burstiness: f64,
    },
}

/// A part of an open load with one rate, or one that changes linearly.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadStage {
    /// How long it lasts; absent when a number of requests ends it.
    pub seconds: Option<f64>,
    /// Requests per second at its beginning.
    pub from_rate: f64,
    /// Requests per second at its end.
    pub to_rate: f64,
}

/// One stage of a phase's load and what came of it. A request belongs to the stage in which it was meant to start.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct StageRecord {
    /// Name in kebab case, unique in the phase.
    pub name: String,
    /// Requests per second that were asked for; absent in a closed loop.
    pub asked_rate: Option<f64>,
    /// Requests sent per second.
    pub achieved_rate: Option<f64>,
    /// When it began, in nanoseconds since the origin of the trace. Of several repeats the first one; the stage lasts as long in
    /// each.
    pub opened_ns: u64,
    /// When it ended; answers to its requests may come later.
    pub closed_ns: u64,
    /// Its requests summed up. Rates of the stage as a whole are over the time until the last of its answers had come, where that is
    /// longer than the stage: a server that falls behind goes on working after it.
    pub summary: Summary,
    /// Its requests against the objectives of the run.
    pub goodput: Option<Goodput>,
}

impl StageRecord {
    /// Fills in what follows from `requests`, which are its own.
    pub(crate) fn sum_up(&mut self, requests: &[&RequestRecord], slo: Option<&Slo>) {
        let samples: Vec<Sample<'_>> = requests.iter().map(|request| sample(request)).collect();
        let planned = self.closed_ns.saturating_sub(self.opened_ns);
        let repeats: BTreeSet<u32> = requests.iter().map(|request| request.repeat).collect();
        let spans: Vec<WindowSpan> = repeats
            .into_iter()
            .map(|repeat| WindowSpan { repeat, opened: 0, closed: planned.max(worked(requests, repeat)) })
            .collect();
        let scheduled = planned as f64 / 1e6 * spans.len() as f64;
        let worked: f64 = spans.iter().map(|span| span.closed as f64 / 1e6).sum();
        let sent = requests.iter().filter(|request| request.status != RequestStatus::NotSent).count();
        self.achieved_rate = (scheduled > 0.0).then(|| sent as f64 / scheduled * 1000.0);
        self.summary = summarise(&samples, &spans);
        self.goodput = slo.map(|slo| goodput(&samples, slo, Some(worked)));
    }
}

/// From the first intended start to the last end of the requests of a repeat, in nanoseconds.
fn worked(requests: &[&RequestRecord], repeat: u32) -> u64 {
    let times = || requests.iter().filter(|request| request.repeat == repeat).filter_map(|request| request.times);
    let first = times().map(|times| times.intended_ns).min().unwrap_or(0);
    times().map(|times| times.ended_ns).max().unwrap_or(0).saturating_sub(first)
}

/// Whether the client sent what was asked for when it was asked for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Pacing {
    /// Requests per second of the schedule as drawn: its gaps divided by the time from its first to its last moment. Absent
    /// when there was no schedule.
    pub asked_rate: Option<f64>,
    /// The same of the moments at which requests did start.
    pub achieved_rate: Option<f64>,
    /// From the intended moment to the first byte written.
    pub send_error: Option<ErrorBar>,
    /// From the intended moment to the start: time that requests waited in the client.
    pub queue: Option<ErrorBar>,
}

impl Pacing {
    /// The pacing of `requests`, warm-up and requests that were not sent left out. `None` when none has times.
    ///
    /// Repeats follow one another with pauses between them, so each counts by itself: a rate is the sum of all gaps divided by
    /// the sum of all spans.
    pub fn of(requests: &[RequestRecord], shape: &ShapeRecord) -> Option<Self> {
        let measured = || requests.iter().filter(|request| !request.warmup);
        let times: Vec<_> = measured().filter_map(|request| Some((request.repeat, request.times?))).collect();
        if times.is_empty() {
            return None;
        }
        let ms = |from: u64, to: u64| to.saturating_sub(from) as f64 / 1e6;
        Some(Self {
            asked_rate: shape.is_scheduled().then(|| rate(times.iter().map(|(n, t)| (*n, t.intended_ns)))).flatten(),
            achieved_rate: rate(times.iter().map(|(repeat, t)| (*repeat, t.started_ns))),
            send_error: ErrorBar::of(
                times.iter().filter_map(|(_, t)| Some(ms(t.intended_ns, t.first_byte_written_ns?))),
            ),
            queue: ErrorBar::of(times.iter().map(|(_, t)| ms(t.intended_ns, t.started_ns))),
        })
    }

    /// The achieved rate as a share of the asked one.
    pub fn achieved_share(&self) -> Option<f64> {
        let asked = self.asked_rate.filter(|rate| *rate > 0.0)?;
        Some(self.achieved_rate? / asked)
    }
}

/// Requests of an open load that were due and waited, because as many as may be were in flight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InFlightCap {
    /// Requests that may be in flight at once.
    pub most: u32,
    /// Requests that waited for others to end, over all repeats.
    pub waited: u64,
    /// The longest wait in milliseconds.
    pub longest_ms: f64,
}

impl InFlightCap {
    /// Adds what waited in another window.
    pub fn add(&mut self, waited: u64, longest_ms: f64) {
        self.waited = self.waited.saturating_add(waited);
        self.longest_ms = self.longest_ms.max(longest_ms);
    }
}

/// Events per second of moments in nanoseconds, each with its repeat.
fn rate(moments: impl Iterator<Item = (u32, u64)>) -> Option<f64> {
    let mut repeats: BTreeMap<u32, (u64, u64, u64)> = BTreeMap::new();
    for (repeat, at) in moments {
        let (count, first, last) = repeats.entry(repeat).or_insert((0, at, at));
        *count += 1;
        *first = (*first).min(at);
        *last = (*last).max(at);
    }
    let gaps: u64 = repeats.values().map(|(count, ..)| count - 1).sum();
    let span: f64 = repeats.values().map(|(_, first, last)| (last - first) as f64 / 1e9).sum();
    (gaps > 0 && span > 0.0).then(|| gaps as f64 / span)
}

/// A number of the server's own over time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ServerSeries {
    /// The server's name for it.
    pub name: String,
    /// What tells it from others of its name, as (label, value).
    pub labels: Vec<(String, String)>,
    /// (nanoseconds since the origin of the trace, value), in order of time.
    pub points: Vec<(u64, f64)>,
}

/// The search for the highest rate that the server holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SweepRecord {
    /// Where and how finely it searched.
    pub plan: SweepPlan,
    /// The rates that were tried, in order. The step at a place is the stage at the same place of the phase.
    pub steps: Vec<Step>,
    /// What it found.
    pub result: SweepResult,
}
