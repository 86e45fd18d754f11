//! How wrong the client is: the same threads, connections and stamps as in a run, against the simulated engine, which writes
//! into each event when it sent it, on a clock that processes share. The difference between a stamp and that is the client's
//! own error, the way over the loopback included.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bench_load::{Closed, Crew, Lanes, Length, LoadSpec, Shape, Waiting, measure, schedule};
use bench_machine::{Found, ProcessCpu};
use bench_metrics::ErrorBar;
use bench_record::Calibration;
use bench_sim::{Sim, SimConfig, SimHandle, now_ns};
use bench_wire::sse::Framer;
use bench_wire::{
    Client, Desk, Endpoint, Exchange, Header, Limits, Prepared, Request, Secrets, Stamp, StampMode, Stop, Trust,
};
use serde::Deserialize;

use crate::error::RunError;
use crate::tracelog::Stamps;

/// What to measure.
#[derive(Debug, Clone)]
pub struct CalibrationPlan {
    /// Streams at once; with `rate`, the most that can be expected.
    pub streams: u32,
    /// Events of each stream.
    pub events: u32,
    /// Between two events of a stream, in microseconds.
    pub gap_us: u64,
    /// From a request to its first event, in microseconds.
    pub ttft_us: u64,
    /// Where a simulation runs already, with a schedule of its own. `None` starts one in this process, which then shares its
    /// processors with the client.
    pub endpoint: Option<String>,
    /// Whose stamps to take.
    pub stamps: StampMode,
    /// Threads that send and receive; `None` for one per processor.
    pub workers: Option<usize>,
    /// What these do when nothing has come.
    pub waiting: Waiting,
    /// Requests per second at times of their own, instead of `streams` at once.
    pub rate: Option<f64>,
    /// How long to keep it up. `None` runs each stream once, or a second at a rate.
    pub lasts: Option<Duration>,
}

impl Default for CalibrationPlan {
    /// What a run does by itself before it measures: one stream, about a second.
    fn default() -> Self {
        Self {
            streams: 1,
            events: 200,
            gap_us: 5000,
            ttft_us: 50_000,
            endpoint: None,
            stamps: StampMode::default(),
            workers: None,
            waiting: Waiting::default(),
            rate: None,
            lasts: None,
        }
    }
}

/// A calibration, and what the window in which it was made used.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    /// What goes into a record.
    pub calibration: Calibration,
    /// Processor seconds of this process while the window was open; a simulation in the same process is part of them.
    pub cpu_seconds: Option<f64>,
    /// How long the window was open.
    pub seconds: f64,
    /// Requests that were sent.
    pub requests: u64,
    /// Requests without a whole answer.
    pub failed: u64,
}

#[derive(Deserialize)]
struct Stamped {
    bench_sim: Emission,
}

/// What the simulation writes into an event, in nanoseconds of the system's monotonic clock.
#[derive(Clone, Copy, Deserialize)]
struct Emission {
    due_ns: u64,
    emitted_ns: u64,
}

/// Bytes that a message of the simulation never exceeds.
const LARGEST_MESSAGE: usize = 1 << 20;

/// Most errors of a kind that are kept; of more, every n-th is.
const MOST_SAMPLES: usize = 1 << 20;

/// Runs the streams and reports the errors.
pub async fn calibrate(plan: &CalibrationPlan) -> Result<Calibrated, RunError> {
    let (sim, address) = server(plan)?;
    let endpoint = Endpoint::parse(&address)?;
    let client =
        Client::with(endpoint.clone(), Secrets::new(endpoint), Limits::default(), &Trust::platform(), plan.stamps)?;
    let crew = match plan.workers {
        Some(workers) => Crew::new(workers),
        None => Crew::for_this_machine(),
    };
    let crew = crew.map_err(|error| RunError::Threads(error.to_string()))?;
    let lanes = Lanes::new(Arc::new(crew), &client, plan.waiting);
    let (shape, sessions) = load(plan)?;
    let prepared = client.prepare(request(plan))?;
    let sessions: Vec<Vec<Prepared>> = (0..sessions).map(|_| vec![prepared.clone()]).collect();
    let offset = offset();
    let desk = Desk::default();
    let before = ProcessCpu::sample();
    let ((), window) = measure((), &lanes, sessions, &shape, &desk, &Stop::never(), None).await;
    let cpu_seconds = match (before, ProcessCpu::sample()) {
        (Found::Present { value: before }, Found::Present { value: after }) => {
            Some(after.since(&before).total_seconds())
        }
        _ => None,
    };
    let seconds = window.closed.since(window.opened).as_secs_f64();
    let mut errors = Errors::default();
    for exchange in window.into_exchanges() {
        errors.add(&exchange, offset);
    }
    if let Some(sim) = sim {
        sim.shutdown().await;
    }
    errors.report(plan, cpu_seconds, seconds)
}

fn server(plan: &CalibrationPlan) -> Result<(Option<SimHandle>, String), RunError> {
    if let Some(endpoint) = &plan.endpoint {
        return Ok((None, endpoint.clone()));
    }
    let config = SimConfig {
        gap_us: plan.gap_us,
        ttft_us: plan.ttft_us,
        slots: plan.streams.max(1),
        prefix_cache: None,
        ..SimConfig::default()
    };
    let sim = Sim::start(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let address = sim.url();
    Ok((Some(sim), address))
}

fn request(plan: &CalibrationPlan) -> Request {
    let body = serde_json::json!({
        "stream": true, "max_tokens": plan.events, "ignore_eos": true,
        "messages": [{ "role": "user", "content": "calibrate" }],
    });
    Request {
        method: "POST".to_owned(),
        path: "/v1/chat/completions".to_owned(),
        headers: vec![Header::text("content-type", "application/json")],
        body: body.to_string().into(),
    }
}

/// The shape of the load and how many sessions it takes.
fn load(plan: &CalibrationPlan) -> Result<(Shape, usize), RunError> {
    if let Some(rate) = plan.rate {
        let spec: LoadSpec = format!("constant:{rate}/s").parse()?;
        let length = Length { duration: Some(plan.lasts.unwrap_or(Duration::from_secs(1))), requests: None };
        let due_ns: Arc<[u64]> = schedule(&spec, length, 0)?.arrivals.iter().map(|arrival| arrival.at_ns).collect();
        let sessions = due_ns.len();
        return Ok((Shape::Open { due_ns, most_in_flight: None }, sessions));
    }
    let streams = NonZeroU32::new(plan.streams).unwrap_or(NonZeroU32::MIN);
    // As long as it lasts, each place begins again when its stream is over.
    let stream_us = plan.ttft_us + plan.gap_us * u64::from(plan.events.saturating_sub(1));
    let rounds = plan.lasts.map_or(1, |lasts| lasts.as_micros() as u64 / stream_us.max(1) + 2);
    let sessions = u64::from(streams.get()).saturating_mul(rounds);
    let shape = Shape::ClosedLoop { closed: Closed::fixed(streams), lasts: plan.lasts };
    Ok((shape, usize::try_from(sessions).unwrap_or(usize::MAX)))
}

/// What to add to a stamp to get the simulation's clock. Both are the system's monotonic clock with different origins; the
/// tightest of several brackets decides.
fn offset() -> i128 {
    let bracket = || {
        let before = now_ns();
        let stamp = Stamp::now().as_nanos();
        let after = now_ns();
        (after - before, i128::from(before) + i128::from(after - before) / 2 - i128::from(stamp))
    };
    (0..64).map(|_| bracket()).min().map_or(0, |(_, offset)| offset)
}

/// Errors of one kind in milliseconds, thinned out when there are too many to keep.
#[derive(Default)]
struct Kept {
    every: u64,
    seen: u64,
    values: Vec<f64>,
}

impl Kept {
    fn push(&mut self, value: f64) {
        self.every = self.every.max(1);
        if self.seen.is_multiple_of(self.every) {
            self.values.push(value);
        }
        self.seen += 1;
        if self.values.len() >= MOST_SAMPLES {
            let mut keep = false;
            self.values.retain(|_| {
                keep = !keep;
                keep
            });
            self.every *= 2;
        }
    }
}

#[derive(Default)]
struct Errors {
    receipt: Kept,
    ttft: Kept,
    itl: Kept,
    send: Kept,
    late: Kept,
    events: u64,
    merged: u64,
    requests: u64,
    failed: u64,
    stamps: Stamps,
}

impl Errors {
    fn add(&mut self, exchange: &Exchange, offset: i128) {
        self.requests += 1;
        if let Some(written) = exchange.first_byte_written {
            self.send.push(written.since(exchange.intended).as_secs_f64() * 1e3);
        }
        if !exchange.succeeded() {
            self.failed += 1;
            return;
        }
        self.stamps.add(exchange);
        let mut previous: Option<(f64, usize)> = None;
        let mut framer = Framer::new(LARGEST_MESSAGE);
        let mut from = 0;
        // The simulation is ours; a message beyond the bound cannot be, and would only end the counting.
        let _ = framer.push(&exchange.body, |message| {
            let Ok(Stamped { bench_sim: emission }) = serde_json::from_str::<Stamped>(&message.data) else { return };
            let last = message.range.end.saturating_sub(1);
            while exchange.reads.get(from).is_some_and(|read| u64::from(read.end) <= last) {
                from += 1;
            }
            let Some(read) = exchange.reads.get(from) else { return };
            let received = i128::from(read.at.as_nanos()) + offset;
            let delay = (received - i128::from(emission.emitted_ns)) as f64 / 1e6;
            self.events += 1;
            self.receipt.push(delay);
            self.late.push(emission.emitted_ns.saturating_sub(emission.due_ns) as f64 / 1e6);
            match previous {
                None => self.ttft.push(delay),
                Some((before, at)) => {
                    // The gap as received minus the gap as emitted.
                    self.itl.push((delay - before).abs());
                    self.merged += u64::from(at == from);
                }
            }
            previous = Some((delay, from));
        });
    }

    fn report(self, plan: &CalibrationPlan, cpu_seconds: Option<f64>, seconds: f64) -> Result<Calibrated, RunError> {
        let (requests, failed) = (self.requests, self.failed);
        let receipt = ErrorBar::of(self.receipt.values).ok_or(RunError::NotCalibrated { requests, failed })?;
        let calibration = Calibration {
            against: format!("bench-sim {}", env!("CARGO_PKG_VERSION")),
            streams: plan.streams,
            gap_us: plan.gap_us,
            stamp_source: self.stamps.source().unwrap_or_default().to_owned(),
            events: self.events,
            merged_events: self.merged,
            ttft: ErrorBar::of(self.ttft.values),
            itl: ErrorBar::of(self.itl.values),
            receipt,
            send: ErrorBar::of(self.send.values),
            // With the simulation in this process its work cannot be told apart.
            cpu_us_per_event: cpu_seconds
                .filter(|_| plan.endpoint.is_some() && self.events > 0)
                .map(|cpu| cpu * 1e6 / self.events as f64),
            emission_late: ErrorBar::of(self.late.values),
        };
        Ok(Calibrated { calibration, cpu_seconds, seconds, requests, failed })
    }
}
