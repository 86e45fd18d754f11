//! The result file of `vllm bench serve --save-result --save-detailed`, so that what reads those reads ours.
//!
//! Keys, their order and their units are those of `vllm/benchmarks/serve.py` (commit 009e6d4, 2026): lists are in seconds,
//! statistics in milliseconds. So are the definitions, as far as a record can follow them, because a number in a file of
//! that form will be held against numbers of that program:
//!
//! - `ttft` runs from the start of the request, connecting included and waiting in the client left out, to the first chunk,
//!   even one that only names the role.
//! - `itl` is the time between chunks and not between tokens; all requests are pooled.
//! - `e2el` (`latencies`) ends with the last fragment, and `tpot` is (`e2el` − `ttft`) / (tokens − 1).
//! - Standard deviations divide by n, and percentiles are given for any number of samples.
//!
//! `generated_texts` are empty, because a record holds no output. `request_goodput` is by this program's rule, which counts
//! TTFT from the intended start. Three keys are added in the way of that program's `--metadata`: the run, the workload and phase,
//! and whether the engine was a simulation.
//!
//! A phase is one object. Several are one object per line, as `--append-result` leaves them.

use bench_metrics::{RequestMetrics, percentile, sample_sd};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Exporter;
use crate::{
    ArrivalLaw, LoadStage, PhaseRecord, RecordError, RequestRecord, RequestStatus, RunRecord, ShapeRecord,
    WorkloadRecord,
};

/// The result file of `vllm bench serve`.
pub struct Vllm;

const PERCENTILES: [u8; 4] = [50, 90, 95, 99];

impl Exporter for Vllm {
    fn name(&self) -> &'static str {
        "vllm"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn export(&self, runs: &[RunRecord]) -> Result<String, RecordError> {
        let mut out = String::new();
        for run in runs {
            for workload in &run.workloads {
                for phase in workload.phases.iter().filter(|phase| phase.measured().next().is_some()) {
                    let object = serde_json::to_string(&result(run, workload, phase));
                    out += &object.map_err(|error| RecordError::Unwritable { reason: error.to_string() })?;
                    out.push('\n');
                }
            }
        }
        Ok(out)
    }
}

/// An object whose keys keep their order.
#[derive(Default)]
struct Object(Vec<(String, Value)>);

impl Object {
    fn put(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        self.0.push((key.into(), value.into()));
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// One request by that program's definitions, in seconds.
#[derive(Default)]
struct Output {
    completed: bool,
    input: u64,
    output: u64,
    ttft: f64,
    itl: Vec<f64>,
    /// The request has gaps, and the record no longer holds each of them.
    itl_dropped: bool,
    latency: f64,
    start: Option<f64>,
    queue: f64,
    error: String,
}

impl Output {
    fn of(request: &RequestRecord) -> Self {
        let metrics = request.metrics.as_ref();
        let mut output = Self {
            input: metrics.and_then(|m| m.prompt_tokens.or(m.prompt_tokens_counted)).unwrap_or(0),
            start: request.times.map(|times| times.started_ns as f64 / 1e9),
            queue: metrics.map_or(0.0, |metrics| metrics.queue_ms / 1e3),
            error: request.problem.as_ref().map(|problem| problem.message.clone()).unwrap_or_default(),
            ..Self::default()
        };
        if let (RequestStatus::Completed, Some(metrics)) = (request.status, metrics) {
            output.answer(metrics);
        }
        output
    }

    fn answer(&mut self, metrics: &RequestMetrics) {
        let connect = metrics.connect_ms.unwrap_or(0.0);
        let first = metrics.first_chunk_ms.or(metrics.ttft_ms);
        self.completed = true;
        self.output = metrics.streamed_tokens().unwrap_or(0);
        self.ttft = first.map_or(0.0, |first| (connect + first) / 1e3);
        self.itl_dropped = metrics.chunks > 1 && metrics.itl_chunk.each_ms.is_empty();
        // The first chunk may be one without content, and then the first fragment is a chunk after it.
        let lead = metrics.ttft_ms.zip(first).map(|(ttft, first)| ttft - first).filter(|lead| *lead > 0.0);
        self.itl = lead.iter().chain(&metrics.itl_chunk.each_ms).map(|gap| gap / 1e3).collect();
        self.latency = if self.itl_dropped { metrics.wall_ms / 1e3 } else { self.ttft + self.itl.iter().sum::<f64>() };
    }

    /// Time per token after the first; there is none for a single token.
    fn tpot(&self) -> Option<f64> {
        (self.output > 1).then(|| (self.latency - self.ttft) / (self.output - 1) as f64)
    }
}

fn result(run: &RunRecord, workload: &WorkloadRecord, phase: &PhaseRecord) -> Object {
    let outputs: Vec<Output> = phase.measured().map(Output::of).collect();
    let mut object = Object::default();
    about(&mut object, run, workload, phase, outputs.len());
    totals(&mut object, phase, &outputs);
    let done = || outputs.iter().filter(|output| output.completed);
    statistics(&mut object, "ttft", done().map(|output| output.ttft).collect());
    statistics(&mut object, "tpot", done().filter_map(Output::tpot).collect());
    if !done().any(|output| output.itl_dropped) {
        statistics(&mut object, "itl", done().flat_map(|output| output.itl.iter().copied()).collect());
    }
    statistics(&mut object, "e2el", done().map(|output| output.latency).collect());
    object
}

fn about(object: &mut Object, run: &RunRecord, workload: &WorkloadRecord, phase: &PhaseRecord, requests: usize) {
    let backend = run.backend.as_ref().map_or("unknown", |backend| backend.name.as_str());
    object.put("date", date(&run.started_at));
    object.put("endpoint_type", backend);
    object.put("backend", backend);
    object.put("label", Value::Null);
    object.put("model_id", run.model.id.as_str());
    object.put("tokenizer_id", run.model.id.as_str());
    object.put("num_prompts", requests);
    object.put("bench_run", run.id.as_str());
    object.put("bench_phase", format!("{}/{}", workload.name, phase.id));
    object.put("bench_simulated", run.simulated.to_string());
    traffic(object, phase);
}

/// `2026-09-11T14:03:12Z` as `20260911-140312`; any other text as it is.
fn date(moment: &str) -> String {
    let digits: String = moment.chars().take(19).filter(char::is_ascii_digit).collect();
    match digits.split_at_checked(8) {
        Some((day, time)) if time.len() == 6 => format!("{day}-{time}"),
        _ => moment.to_owned(),
    }
}

/// The load in that program's terms: without a rate all requests are due at once, and concurrency is what bounds them. Evenly
/// spread requests are those of an infinite burstiness.
fn traffic(object: &mut Object, phase: &PhaseRecord) {
    let asked = phase.pacing.as_ref().and_then(|pacing| pacing.asked_rate);
    let (rate, ramp, burstiness) = match &phase.shape {
        Some(ShapeRecord::OpenLoop { arrivals, stages, .. }) => {
            let burstiness = match arrivals {
                ArrivalLaw::Constant => None,
                ArrivalLaw::Poisson => Some(1.0),
                ArrivalLaw::Gamma { burstiness } => Some(*burstiness),
            };
            match stages.as_slice() {
                [LoadStage { from_rate, to_rate, .. }] if from_rate == to_rate => (Some(*from_rate), None, burstiness),
                [LoadStage { from_rate, to_rate, .. }] => (None, Some((*from_rate, *to_rate)), burstiness),
                _ => (asked, None, burstiness),
            }
        }
        _ => (asked, None, Some(1.0)),
    };
    let or_infinite = |number: Option<f64>| number.map_or_else(|| Value::from("inf"), Value::from);
    object.put("request_rate", or_infinite(rate));
    object.put("burstiness", or_infinite(burstiness));
    object.put("max_concurrency", phase.shape.as_ref().and_then(ShapeRecord::streams));
    if let Some((from, to)) = ramp {
        object.put("ramp_up_strategy", "linear");
        object.put("ramp_up_start_rps", from);
        object.put("ramp_up_end_rps", to);
    }
}

fn totals(object: &mut Object, phase: &PhaseRecord, outputs: &[Output]) {
    let done: Vec<&Output> = outputs.iter().filter(|output| output.completed).collect();
    let open: u64 = phase.windows.iter().map(|window| window.closed_ns.saturating_sub(window.opened_ns)).sum();
    let duration = open as f64 / 1e9;
    let per_second = |count: f64| if duration > 0.0 { count / duration } else { 0.0 };
    let input: u64 = done.iter().map(|output| output.input).sum();
    let output: u64 = done.iter().map(|output| output.output).sum();
    object.put("duration", duration);
    object.put("completed", done.len());
    object.put("failed", outputs.len() - done.len());
    object.put("total_input_tokens", input);
    object.put("total_output_tokens", output);
    object.put("request_throughput", per_second(done.len() as f64));
    object.put("request_goodput", phase.goodput.as_ref().and_then(|goodput| goodput.per_second));
    object.put("output_throughput", per_second(output as f64));
    object.put("total_token_throughput", per_second((input + output) as f64));
    object.put("input_lens", each(outputs, |output| output.input));
    object.put("output_lens", each(outputs, |output| output.output));
    object.put("ttfts", each(outputs, |output| output.ttft));
    object.put("itls", each(outputs, |output| output.itl.clone()));
    object.put("latencies", each(outputs, |output| output.latency));
    // A record of an earlier version does not say when its requests ran.
    if let Some(starts) = outputs.iter().map(|output| output.start).collect::<Option<Vec<f64>>>() {
        object.put("start_times", starts);
    }
    object.put("queue_times", each(outputs, |output| output.queue));
    object.put("generated_texts", each(outputs, |_| ""));
    object.put("errors", each(outputs, |output| output.error.as_str()));
    if let Some((tokens, requests)) = peaks(&done) {
        object.put("max_output_tokens_per_s", tokens);
        object.put("max_concurrent_requests", requests);
    }
    object.put("rtfx", 0.0);
}

fn each<'a, T: Into<Value>>(outputs: &'a [Output], of: impl Fn(&'a Output) -> T) -> Value {
    outputs.iter().map(|output| of(output).into()).collect::<Vec<Value>>().into()
}

/// The most chunks in a second, counted from the first start, and the most requests at once. `None` without times.
fn peaks(done: &[&Output]) -> Option<(f64, u64)> {
    let starts: Vec<f64> = done.iter().map(|output| output.start).collect::<Option<_>>()?;
    let first = starts.iter().copied().reduce(f64::min)?;
    let mut seconds: std::collections::BTreeMap<u64, u64> = std::collections::BTreeMap::new();
    let mut changes = Vec::new();
    for (start, output) in starts.iter().zip(done) {
        let mut at = start + output.ttft - first;
        for gap in std::iter::once(&0.0).chain(&output.itl) {
            at += gap;
            *seconds.entry(at as u64).or_default() += 1;
        }
        changes.extend([(*start, 1_i64), (start + output.latency, -1)]);
    }
    changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let running = changes.iter().scan(0, |running, (_, change)| {
        *running += change;
        Some(*running)
    });
    let most = running.max().unwrap_or(0);
    Some((seconds.values().copied().max().unwrap_or(0) as f64, u64::try_from(most).unwrap_or(0)))
}

/// Mean, median, deviation and percentiles in milliseconds, zero for no values.
fn statistics(object: &mut Object, name: &str, mut values: Vec<f64>) {
    for value in &mut values {
        *value *= 1e3;
    }
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let of_all = |divisor: f64| (divisor / n).sqrt();
    object.put(format!("mean_{name}_ms"), bench_metrics::mean(&values).unwrap_or(0.0));
    object.put(format!("median_{name}_ms"), percentile(&values, 50.0).unwrap_or(0.0));
    object.put(format!("std_{name}_ms"), sample_sd(&values).map_or(0.0, |sd| sd * of_all(n - 1.0)));
    for p in PERCENTILES {
        object.put(format!("p{p}_{name}_ms"), percentile(&values, f64::from(p)).unwrap_or(0.0));
    }
}
