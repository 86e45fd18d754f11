//! How wrong the client is: the same connections and the same stamps as in a run, against the simulated engine, which writes
//! into each event when it sent it. The difference between a stamp and that is the client's own error, the network of the
//! loopback included.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;

use bench_load::{Shape, measure};
use bench_metrics::{floored_percentile, percentile};
use bench_record::Calibration;
use bench_sim::{Sim, SimConfig, now_ns};
use bench_wire::sse::Framer;
use bench_wire::{Client, Endpoint, Exchange, Header, Limits, Progress, Request, Secrets, Stamp, Stop};
use serde::Deserialize;

use crate::error::RunError;

/// What to measure.
#[derive(Debug, Clone, Copy)]
pub struct CalibrationPlan {
    /// Streams at once.
    pub streams: u32,
    /// Events of each stream.
    pub events: u32,
    /// Between two events of a stream, in microseconds.
    pub gap_us: u64,
}

impl CalibrationPlan {
    /// What a run does by itself before it measures: one stream, about a second.
    pub const SHORT: CalibrationPlan = CalibrationPlan { streams: 1, events: 200, gap_us: 5000 };
}

#[derive(Deserialize)]
struct Stamped {
    bench_sim: Emission,
}

#[derive(Deserialize)]
struct Emission {
    emitted_ns: u64,
}

/// Bytes that a message of the simulation never exceeds.
const LARGEST_MESSAGE: usize = 1 << 20;

/// Runs the streams and reports the delays.
pub async fn calibrate(plan: &CalibrationPlan) -> Result<Calibration, RunError> {
    let config = SimConfig { gap_us: plan.gap_us, slots: plan.streams, prefix_cache: None, ..SimConfig::default() };
    let sim = Sim::start(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let endpoint = Endpoint::parse(&sim.url())?;
    let client = Client::new(endpoint.clone(), Secrets::new(endpoint), Limits::default())?;
    let body = serde_json::json!({
        "model": "bench-sim", "stream": true, "max_tokens": plan.events, "ignore_eos": true,
        "messages": [{ "role": "user", "content": "calibrate" }],
    });
    let request = Request {
        method: "POST".to_owned(),
        path: "/v1/chat/completions".to_owned(),
        headers: vec![Header::text("content-type", "application/json")],
        body: body.to_string().into(),
    };
    let mut sessions = Vec::new();
    for _ in 0..plan.streams {
        sessions.push(vec![client.prepare(request.clone())?]);
    }
    let shape = NonZeroU32::new(plan.streams).map_or(Shape::Sequential, |streams| Shape::ClosedLoop { streams });
    let offset = offset();
    let ((), window) = measure((), &client, sessions, shape, &Progress::new(), &Stop::never()).await;
    let mut delays = Vec::new();
    for exchange in window.exchanges() {
        exchange.outcome.clone()?;
        delays.extend(delays_of(exchange, offset));
    }
    sim.shutdown().await;
    delays.sort_by(f64::total_cmp);
    Ok(Calibration {
        against: format!("bench-sim {}", env!("CARGO_PKG_VERSION")),
        streams: plan.streams,
        events: delays.len() as u64,
        p50_ms: percentile(&delays, 50.0).unwrap_or(f64::NAN),
        p95_ms: floored_percentile(&delays, 95),
        p99_ms: floored_percentile(&delays, 99),
        max_ms: delays.last().copied().unwrap_or(f64::NAN),
    })
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

/// The delay of each event: from its emission to the stamp of the read that held its last byte, in milliseconds.
fn delays_of(exchange: &Exchange, offset: i128) -> Vec<f64> {
    let mut delays = Vec::new();
    let mut framer = Framer::new(LARGEST_MESSAGE);
    let framed = framer.push(&exchange.body, |message| {
        let Ok(stamped) = serde_json::from_str::<Stamped>(&message.data) else { return };
        let last = message.range.end.saturating_sub(1);
        let read = exchange.reads.iter().find(|read| u64::from(read.end) > last);
        if let Some(read) = read {
            let received = i128::from(read.at.as_nanos()) + offset;
            delays.push((received - i128::from(stamped.bench_sim.emitted_ns)) as f64 / 1e6);
        }
    });
    // The simulation is ours; a message beyond the bound cannot be, and leaves nothing to count.
    if framed.is_err() { Vec::new() } else { delays }
}
