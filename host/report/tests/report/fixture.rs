//! A run as it could have been: a made-up server with a bounded number of places serves a schedule of requests, and the
//! metrics crate makes the numbers of it.

use bench_metrics::{
    Cache, Channel, ErrorBar, Event, Expectation, Finish, Located, Observation, RequestMetrics, Usage,
};
use bench_record::{
    ArrivalLaw, Backend, Calibration, Client, Digest, Endpoint, EventCounts, Honoured, HostBuild, LoadStage, Model,
    PhaseRecord, PhaseStatus, PluginIdentity, PluginSource, Problem, RequestRecord, RequestStatus, RequestTimes, RunId,
    RunRecord, RunStatus, ServerSeries, ShapeRecord, StageRecord, SuiteIdentity, TraceFile, Window, WorkloadRecord,
    WorkloadStatus, assess,
};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// Requests that the server works on at once.
const PLACES: usize = 24;

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers in every run.
pub struct Numbers(u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Between 0 and 1, neither included.
    fn share(&mut self) -> f64 {
        ((self.next() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// Exponentially distributed with this mean.
    fn gap(&mut self, mean: f64) -> f64 {
        -self.share().ln() * mean
    }
}

/// The server: when each of its places is free again.
struct Server {
    free: Vec<u64>,
    numbers: Numbers,
}

impl Server {
    fn new(seed: u64) -> Self {
        Self { free: vec![0; PLACES], numbers: Numbers(seed) }
    }

    /// Stamps of the tokens of a request that arrives at a moment.
    fn serve(&mut self, at: u64) -> Vec<u64> {
        let running = self.free.iter().filter(|free| **free > at).count() as u64;
        let place = self.free.iter_mut().min().unwrap();
        let begin = at.max(*place);
        let prefill = 45.0 + self.numbers.share() * 50.0 + self.numbers.gap(12.0);
        let mut now = begin + (prefill * MS as f64) as u64;
        let tokens = 30 + self.numbers.next() % 90;
        let mut stamps = vec![now];
        for _ in 1..tokens {
            let gap = 11.0 + 0.35 * running as f64 + self.numbers.gap(0.8);
            // A prefill of somebody else's delays a token now and then.
            let stall =
                if self.numbers.share() < 0.01 * running as f64 / 8.0 { 30.0 + self.numbers.gap(15.0) } else { 0.0 };
            now += ((gap + stall) * MS as f64) as u64;
            stamps.push(now);
        }
        *place = now;
        stamps
    }
}

fn measured(intended: u64, started: u64, stamps: &[u64]) -> (RequestMetrics, EventCounts) {
    let tokens = stamps.len() as u64;
    let last = stamps.len() as u32 - 1;
    let mut events: Vec<Located> =
        (0..=last).map(|read| Located { read, event: Event::Fragment { channel: Channel::Text, bytes: 4 } }).collect();
    let usage = Usage { prompt: Some(512), cached: Some(0), completion: Some(tokens), reasoning: None };
    events.push(Located { read: last, event: Event::Usage(usage) });
    events.push(Located { read: last, event: Event::Finish(Finish::Stop) });
    let counts = EventCounts::of(&events);
    let seen = Observation {
        intended,
        started,
        first_byte_written: Some(started + 30_000),
        last_byte_written: Some(started + 40_000),
        ended: *stamps.last().unwrap(),
        reads: stamps.to_vec(),
        events,
        completed: true,
    };
    let asked = Expectation {
        prompt_tokens: Some(512),
        output_tokens: None,
        requested_output: tokens,
        cache: Cache::Cold,
        forced_length: false,
    };
    (bench_metrics::request(&seen, &asked).unwrap(), counts)
}

/// A request that the server answers, or every 67th time does not.
fn request(server: &mut Server, ordinal: u32, intended: u64, stage: Option<u32>) -> RequestRecord {
    let started = intended + 20_000 + server.numbers.next() % 60_000;
    let stamps = server.serve(started);
    let (metrics, events) = measured(intended, started, &stamps);
    let failed = ordinal % 67 == 66;
    let problem = Problem {
        code: "stalled".into(),
        message: "the server sent nothing for 2 s within an answer".into(),
        hint: Some("Look at the server's log.".into()),
    };
    let ended_ns = *stamps.last().unwrap();
    RequestRecord {
        ordinal,
        session: ordinal,
        repeat: 0,
        turn: 0,
        turn_id: "question".into(),
        warmup: false,
        status: if failed { RequestStatus::Failed } else { RequestStatus::Completed },
        http_status: Some(200),
        resent: 0,
        wall_ms: Some((ended_ns - started) as f64 / 1e6),
        metrics: Some(metrics),
        problem: failed.then_some(problem),
        events,
        prompt_fit: None,
        prompt_sha256: None,
        request_sha256: None,
        honoured: Honoured::default(),
        times: Some(RequestTimes {
            intended_ns: intended,
            started_ns: started,
            first_byte_written_ns: Some(started + 30_000),
            first_token_ns: stamps.first().copied(),
            ended_ns,
        }),
        stage,
        model: None,
    }
}

fn phase(id: &str, shape: ShapeRecord, requests: Vec<RequestRecord>, stages: Vec<StageRecord>) -> PhaseRecord {
    let times = || requests.iter().filter_map(|request| request.times);
    let opened_ns = times().map(|times| times.intended_ns).min().unwrap_or(0);
    let closed_ns = times().map(|times| times.ended_ns).max().unwrap_or(0);
    PhaseRecord {
        in_flight: None,
        id: id.into(),
        variables: Vec::new(),
        status: PhaseStatus::Completed,
        skip_reason: None,
        problem: None,
        shape: Some(shape),
        repeats: 1,
        warmup_sessions: 2,
        prompt_fit: None,
        windows: vec![Window { repeat: 0, opened_ns, closed_ns }],
        requests,
        skipped_turns: Vec::new(),
        summary: bench_metrics::Summary::default(),
        telemetry: Vec::new(),
        stages,
        goodput: None,
        steady: None,
        pacing: None,
        server_series: Vec::new(),
        sweep: None,
    }
}

/// Poisson arrivals at growing rates, 15 s each.
pub fn open_loop() -> PhaseRecord {
    let mut server = Server::new(7);
    let mut numbers = Numbers(11);
    let mut requests = Vec::new();
    let mut stages = Vec::new();
    let mut at = 0.0;
    for (place, rate) in (0_u32..).zip([2.0, 5.0, 8.0, 12.0]) {
        let (opened_ns, closed_ns) = (u64::from(place) * 15 * SECOND, u64::from(place + 1) * 15 * SECOND);
        loop {
            let next = at + numbers.gap(1.0 / rate);
            if next * 1e9 >= closed_ns as f64 {
                at = closed_ns as f64 / 1e9;
                break;
            }
            at = next;
            requests.push(request(&mut server, requests.len() as u32, (at * 1e9) as u64, Some(place)));
        }
        stages.push(StageRecord {
            name: format!("stage-{}", place + 1),
            asked_rate: Some(rate),
            opened_ns,
            closed_ns,
            ..StageRecord::default()
        });
    }
    let plan = |rate| LoadStage { seconds: Some(15.0), from_rate: rate, to_rate: rate };
    let shape = ShapeRecord::OpenLoop {
        spec: "stages:poisson,2/s@15s,5/s@15s,8/s@15s,12/s@15s".into(),
        arrivals: ArrivalLaw::Poisson,
        stages: [2.0, 5.0, 8.0, 12.0].map(plan).to_vec(),
    };
    let mut phase = phase("arrivals", shape, requests, stages);
    phase.server_series = series(&phase);
    phase
}

/// Sixteen sessions at any time.
pub fn closed_loop(id: &str, streams: u32, count: u32) -> PhaseRecord {
    let mut server = Server::new(u64::from(streams));
    let mut free = vec![0_u64; streams as usize];
    let mut requests = Vec::new();
    for ordinal in 0..count {
        let stream = free.iter_mut().min().unwrap();
        let request = request(&mut server, ordinal, *stream, None);
        *stream = request.times.unwrap().ended_ns + 100_000;
        requests.push(request);
    }
    phase(id, ShapeRecord::ClosedLoop { streams, ramp_s: None }, requests, Vec::new())
}

/// What such a server would say of itself every half second.
fn series(phase: &PhaseRecord) -> Vec<ServerSeries> {
    let running = |at: u64| {
        let spans = phase.requests.iter().filter_map(|request| request.times);
        spans.filter(|times| (times.started_ns..times.ended_ns).contains(&at)).count() as f64
    };
    let moments = || (0..130).map(|n| n * SECOND / 2);
    let made = |name: &str, labels: &[(&str, &str)], value: &dyn Fn(u64) -> f64| ServerSeries {
        name: name.into(),
        labels: labels.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
        points: moments().map(|at| (at, value(at))).collect(),
    };
    let model = [("model_name", "made-up/model-8b")];
    vec![
        made("engine:requests_running", &model, &|at| running(at).min(PLACES as f64)),
        made("engine:requests_waiting", &model, &|at| (running(at) - PLACES as f64).max(0.0)),
        made("engine:kv_cache_usage_share", &model, &|at| (running(at) / 40.0).min(1.0)),
        made("engine:generation_tokens_total", &[("model_name", "made-up/model-8b"), ("engine", "0")], &|at| {
            running(at) * 62.0
        }),
        made("engine:preemptions_total", &model, &|_| 0.0),
    ]
}

fn calibration(streams: u32, most_ms: f64) -> Calibration {
    let mut numbers = Numbers(u64::from(streams));
    let mut errors = |scale: f64, n: usize| {
        let values: Vec<f64> = (0..n).map(|_| (numbers.gap(0.2) * scale).min(scale)).collect();
        ErrorBar::of(values)
    };
    Calibration {
        against: "bench-sim 0.1.0".into(),
        streams,
        gap_us: 15_000,
        stamp_source: "kernel".into(),
        events: 4000,
        merged_events: 12,
        ttft: errors(most_ms * 1.4, 700),
        itl: errors(most_ms, 4000),
        receipt: errors(most_ms, 4000).unwrap(),
        send: errors(most_ms / 2.0, 700),
        cpu_us_per_event: Some(5.4),
        emission_late: errors(0.08, 4000),
    }
}

/// A run of two workloads under an objective.
pub fn run() -> RunRecord {
    let host = HostBuild { version: "0.1.0".into(), target: "x86_64-unknown-linux-gnu".into(), ..HostBuild::default() };
    let suite = SuiteIdentity {
        name: "suite-v1".into(),
        version: "1.0.0".into(),
        digest: "11".repeat(32),
        quick: false,
        seed: 42,
        params: serde_json::json!({}),
        lock: None,
    };
    let endpoint = Endpoint { url: "http://127.0.0.1:8000".into(), ..Endpoint::default() };
    let model = Model {
        id: "made-up/model-8b-instruct".into(),
        digests: vec![Digest { algorithm: "sha256".into(), hex: "22".repeat(32), source: "file".into() }],
        quantization: Some("Q4_K_M".into()),
        context_length: Some(8192),
        parameters: Some(8_030_000_000),
        file: None,
    };
    let id = RunId::new("20260911-140312-8f3a2c1e").unwrap();
    let mut run = RunRecord::begin(id, "2026-09-11T14:03:12Z".into(), host, suite, endpoint, model);
    run.status = RunStatus::Completed;
    run.finished_at = Some("2026-09-11T14:06:00Z".into());
    run.command = vec!["bench".into(), "run".into(), "--slo".into(), "ttft=250ms,itl=30ms".into()];
    run.backend = Some(Backend { name: "made-up engine".into(), version: Some("0.9".into()), ..Backend::default() });
    run.plugins = vec![PluginIdentity {
        kind: "driver".into(),
        name: "openai".into(),
        version: "0.1.0".into(),
        sha256: "33".repeat(32),
        world: "bench:plugin/driver-plugin@0.1.0".into(),
        source: PluginSource::Bundle,
        lock: None,
        grants: None,
    }];
    run.slo = Some("ttft=250ms,itl=30ms".parse().unwrap());
    run.client = Client {
        stamp_source: Some("kernel".into()),
        cpu_share: Some(0.21),
        workers: Some(2),
        longest_lag_ms: Some(0.84),
        reads: 31_204,
        merged_reads: 41,
        late_share: Some(0.0004),
        calibrations: vec![calibration(1, 0.05), calibration(16, 0.12), calibration(32, 0.3)],
        ..Client::default()
    };
    let workload = |name: &str, label: &str, phases: Vec<PhaseRecord>| WorkloadRecord {
        name: name.into(),
        label: label.into(),
        version: "0.1.0".into(),
        params: serde_json::json!({}),
        status: WorkloadStatus::Completed,
        problem: None,
        phases,
        headline: Vec::new(),
        curves: Vec::new(),
    };
    let closed = [1, 4, 8, 16, 32].map(|streams| closed_loop(&format!("streams-{streams}"), streams, 20 + streams * 6));
    run.workloads =
        vec![workload("traffic", "traffic", vec![open_loop()]), workload("concurrent-decode", "W4", closed.to_vec())];
    for phase in run.workloads.iter_mut().flat_map(|workload| &mut workload.phases) {
        phase.sum_up(run.slo.as_ref());
    }
    run.trace =
        Some(TraceFile { file: "trace.parquet".into(), sha256: "44".repeat(32), bytes: 1_204_112, rows: 42_107 });
    run.publishable = assess(&run);
    run
}
