//! Workloads and their phases in a record.

use bench_metrics::{
    Goodput, Sample, Slo, SteadyWindow, Summary, TimedSample, TokenPools, WindowSpan, goodput, summarise,
    summarise_pooled,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::request::sample;
use crate::{
    FitKind, InFlightCap, Pacing, Problem, RequestRecord, ServerSeries, ShapeRecord, StageRecord, SweepRecord,
};

/// One workload of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkloadRecord {
    /// Name in kebab case, such as `chat-short`.
    pub name: String,
    /// Short label, such as `W1`.
    pub label: String,
    /// Version of the workload.
    pub version: String,
    /// Parameters as they were in force.
    pub params: serde_json::Value,
    /// What became of it.
    pub status: WorkloadStatus,
    /// Why it failed, was skipped or cancelled.
    pub problem: Option<Problem>,
    /// Its phases, in the order of the plan.
    pub phases: Vec<PhaseRecord>,
    /// What the workload says in a few numbers.
    pub headline: Vec<Headline>,
    /// Quantities as functions of others.
    pub curves: Vec<Curve>,
}

/// What became of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WorkloadStatus {
    /// Every phase that was not skipped was measured.
    Completed,
    /// It began and could not be finished; phases measured before that are kept.
    Failed,
    /// Not possible here.
    Skipped,
    /// Stopped by the user.
    Cancelled,
}

/// A measured part of a workload.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct PhaseRecord {
    /// Unique in the workload, in kebab case.
    pub id: String,
    /// Quantities that tell phases apart, such as the context length.
    pub variables: Vec<Variable>,
    /// What became of it.
    pub status: PhaseStatus,
    /// Why it was skipped, for people.
    pub skip_reason: Option<String>,
    /// Why it failed.
    pub problem: Option<Problem>,
    /// How requests followed one another; absent when it was skipped.
    pub shape: Option<ShapeRecord>,
    /// Times that the measured sessions were to be repeated.
    pub repeats: u32,
    /// Sessions before the measured ones.
    pub warmup_sessions: u32,
    /// How well the lengths of its prompts are known: exact when all are. Absent when none was fitted.
    pub prompt_fit: Option<FitKind>,
    /// When its load ran.
    pub windows: Vec<Window>,
    /// Every request, warm-up included.
    pub requests: Vec<RequestRecord>,
    /// Turns that the workload left out, with the reason.
    pub skipped_turns: Vec<Problem>,
    /// Its requests summed up, warm-up excluded.
    pub summary: Summary,
    /// By how much the backend's own counters changed while it ran.
    pub telemetry: Vec<CounterDelta>,
    /// The stages of its load, in order; empty when the load was the same throughout.
    #[serde(default)]
    pub stages: Vec<StageRecord>,
    /// Its requests against the objectives of the run.
    #[serde(default)]
    pub goodput: Option<Goodput>,
    /// The part of it in which as many requests ran as ever did, summed up by itself.
    #[serde(default)]
    pub steady: Option<SteadyWindow>,
    /// Whether the client sent what was asked for when it was asked for.
    #[serde(default)]
    pub pacing: Option<Pacing>,
    /// The cap on requests in flight under an open load, and what waited because of it.
    #[serde(default)]
    pub in_flight: Option<InFlightCap>,
    /// Numbers of the server's own that were read while it ran.
    #[serde(default)]
    pub server_series: Vec<ServerSeries>,
    /// The search for the highest rate that the server holds.
    #[serde(default)]
    pub sweep: Option<SweepRecord>,
}

impl PhaseRecord {
    /// The summary of its requests and windows, warm-up excluded: what `summary` must be.
    pub fn summarise(&self) -> Summary {
        let samples: Vec<Sample<'_>> = self.measured().map(sample).collect();
        summarise(&samples, &self.spans())
    }

    /// The same where the requests no longer have their token times: `pools` holds those of all that completed.
    pub fn summarise_pooled(&self, pools: TokenPools) -> Summary {
        let samples: Vec<Sample<'_>> = self.measured().map(sample).collect();
        summarise_pooled(&samples, &self.spans(), pools)
    }

    /// Fills in everything that follows from its requests, windows and stages: `summary`, `goodput` where there are objectives,
    /// `steady`, `pacing`, `prompt_fit`, and of each stage the rate, the summary and the goodput. Whoever has the requests
    /// comes to the same numbers.
    pub fn sum_up(&mut self, slo: Option<&Slo>) {
        self.summary = self.summarise();
        self.prompt_fit = Self::fit_of(&self.requests);
        self.pacing = self.shape.as_ref().and_then(|shape| Pacing::of(&self.requests, shape));
        let samples: Vec<Sample<'_>> = self.measured().map(sample).collect();
        let open: u64 = self.windows.iter().map(|window| window.closed_ns.saturating_sub(window.opened_ns)).sum();
        let goodput = slo.map(|slo| goodput(&samples, slo, Some(open as f64 / 1e6)));
        let timed = self.timed(None);
        let steady = SteadyWindow::of(&timed);
        let mut stages = self.stages.clone();
        for (place, stage) in (0..).zip(&mut stages) {
            let own: Vec<&RequestRecord> = self.measured().filter(|request| request.stage == Some(place)).collect();
            stage.sum_up(&own, slo);
        }
        self.goodput = goodput;
        self.steady = steady;
        self.stages = stages;
    }

    /// How well the lengths of the prompts of `requests` are known: exact when all are, absent when none was fitted.
    pub fn fit_of(requests: &[RequestRecord]) -> Option<FitKind> {
        let mut fits = requests.iter().filter_map(|request| request.prompt_fit.as_ref()).peekable();
        fits.peek()?;
        Some(if fits.all(|fit| fit.kind == FitKind::Exact) { FitKind::Exact } else { FitKind::Nominal })
    }

    /// Its measured requests with the time that each took up, those of one stage or all.
    pub fn timed(&self, stage: Option<u32>) -> Vec<TimedSample<'_>> {
        let requests = self.measured().filter(|request| stage.is_none() || request.stage == stage);
        let timed = requests.map(|request| TimedSample {
            sample: sample(request),
            span: request.times.map(|times| (times.started_ns, times.ended_ns)),
        });
        timed.collect()
    }

    /// Its requests without those that only warmed the backend up.
    pub fn measured(&self) -> impl Iterator<Item = &RequestRecord> {
        self.requests.iter().filter(|request| !request.warmup)
    }

    /// Requests at once, on the whole: the streams of its shape, else the mean that was measured, rounded up.
    pub fn concurrency(&self) -> u32 {
        let streams = self.shape.as_ref().and_then(ShapeRecord::streams);
        streams.unwrap_or_else(|| self.summary.median("concurrency").map_or(1, |mean| mean.ceil() as u32))
    }

    fn spans(&self) -> Vec<WindowSpan> {
        let span =
            |window: &Window| WindowSpan { repeat: window.repeat, opened: window.opened_ns, closed: window.closed_ns };
        self.windows.iter().map(span).collect()
    }
}

/// What became of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseStatus {
    /// Measured; single requests may have failed.
    #[default]
    Completed,
    /// Could not be measured.
    Failed,
    /// Not possible here.
    Skipped,
    /// Stopped by the user.
    Cancelled,
}

/// A quantity that tells phases apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Variable {
    /// Name in kebab case.
    pub name: String,
    /// Value.
    pub value: f64,
    /// Unit.
    pub unit: String,
}

/// When the load of a repeat ran, in nanoseconds since the origin of the run's trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// The repeat, counted from 0.
    pub repeat: u32,
    /// When it began.
    pub opened_ns: u64,
    /// When it ended.
    pub closed_ns: u64,
}

/// By how much a counter of the backend changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CounterDelta {
    /// What it means, in kebab case, such as `prefix-cache-hits`.
    pub kind: String,
    /// The backend's own name for it.
    pub name: String,
    /// Before the phase; absent when the number was not finite.
    pub before: Option<f64>,
    /// After it; absent when the number was not finite.
    pub after: Option<f64>,
    /// `after − before`; absent when either is, or when the counter fell, which means that the backend was restarted.
    pub delta: Option<f64>,
}

impl CounterDelta {
    /// The change from `before` to `after`.
    pub fn between(kind: impl Into<String>, name: impl Into<String>, before: f64, after: f64) -> Self {
        let finite = |value: f64| value.is_finite().then_some(value);
        let delta = finite(after - before).filter(|delta| *delta >= 0.0);
        Self { kind: kind.into(), name: name.into(), before: finite(before), after: finite(after), delta }
    }
}

/// A number worth a headline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Headline {
    /// Name in kebab case.
    pub name: String,
    /// Value; absent when the workload's number was not finite.
    pub value: Option<f64>,
    /// Unit.
    pub unit: String,
    /// Whether more is better; absent where it is neither.
    pub higher_is_better: Option<bool>,
}

/// A quantity as a function of another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Curve {
    /// Name in kebab case.
    pub name: String,
    /// What stands on the horizontal axis.
    pub x_name: String,
    /// Its unit.
    pub x_unit: String,
    /// What stands on the vertical axis.
    pub y_name: String,
    /// Its unit.
    pub y_unit: String,
    /// Points, in the order of the phases.
    pub points: Vec<Point>,
}

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// Horizontal; absent when the workload's number was not finite.
    pub x: Option<f64>,
    /// Vertical; absent when the workload's number was not finite.
    pub y: Option<f64>,
}
