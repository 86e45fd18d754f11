//! Records with numbers that come from the metrics crate, not from thin air.

use bench_metrics::{
    Cache, Channel, ErrorBar, Event, Expectation, Finish, Located, Observation, RequestMetrics, Usage,
};
use bench_record::{
    Backend, Calibration, Client, CounterDelta, Curve, Digest, Endpoint, EventCounts, FitKind, Headline, Honoured,
    HostBuild, Model, PhaseRecord, PhaseStatus, PluginIdentity, PluginSource, Point, PromptFit, RequestRecord,
    RequestStatus, RunId, RunRecord, RunStatus, ServedModel, ShapeRecord, SuiteIdentity, TraceFile, Variable, Window,
    WorkloadRecord, WorkloadStatus, assess,
};

const MS: u64 = 1_000_000;

fn events(tokens: u64) -> Vec<Located> {
    let fragment = Event::Fragment { channel: Channel::Text, bytes: 3 };
    let mut events: Vec<Located> =
        (0..tokens).map(|read| Located { read: read as u32, event: fragment.clone() }).collect();
    let usage = Usage { prompt: Some(128), cached: Some(0), completion: Some(tokens), reasoning: None };
    events.push(Located { read: tokens as u32 - 1, event: Event::Usage(usage) });
    events.push(Located { read: tokens as u32 - 1, event: Event::Finish(Finish::Length) });
    events
}

/// The first token after `ttft` ms, then one every `gap` µs.
pub fn metrics(ttft: u64, gap: u64) -> RequestMetrics {
    let reads: Vec<u64> = (0..20).map(|token| (ttft * MS) + token * gap * 1000).collect();
    let seen = Observation {
        ended: *reads.last().unwrap(),
        first_byte_written: Some(0),
        last_byte_written: Some(0),
        reads,
        events: events(20),
        completed: true,
        ..Observation::default()
    };
    let asked = Expectation {
        prompt_tokens: Some(128),
        output_tokens: None,
        requested_output: 20,
        cache: Cache::Cold,
        forced_length: true,
    };
    bench_metrics::request(&seen, &asked).unwrap()
}

fn request(ordinal: u32, metrics: RequestMetrics) -> RequestRecord {
    RequestRecord {
        ordinal,
        session: ordinal,
        repeat: ordinal,
        turn: 0,
        turn_id: "question".into(),
        warmup: false,
        status: RequestStatus::Completed,
        http_status: Some(200),
        resent: 0,
        wall_ms: Some(metrics.wall_ms),
        metrics: Some(metrics),
        problem: None,
        events: EventCounts::of(&events(20)),
        prompt_fit: Some(PromptFit { kind: FitKind::Exact, requested: 128, actual: Some(128) }),
        prompt_sha256: Some("ab".repeat(32)),
        request_sha256: Some("cd".repeat(32)),
        honoured: Honoured { forced_length: true, cache_off: true, seeded: false },
        times: None,
        stage: None,
        model: None,
    }
}

/// A phase whose repeats had gaps of these many µs between tokens.
pub fn phase(gaps: &[u64]) -> PhaseRecord {
    let requests: Vec<RequestRecord> =
        (0..).zip(gaps).map(|(ordinal, gap)| request(ordinal, metrics(100, *gap))).collect();
    let mut phase = PhaseRecord {
        in_flight: None,
        id: "chat".into(),
        variables: vec![Variable { name: "context".into(), value: 128.0, unit: "tokens".into() }],
        status: PhaseStatus::Completed,
        skip_reason: None,
        problem: None,
        shape: Some(ShapeRecord::Sequential),
        repeats: gaps.len() as u32,
        warmup_sessions: 1,
        prompt_fit: PhaseRecord::fit_of(&requests),
        windows: (0..gaps.len() as u32).map(|repeat| Window { repeat, opened_ns: 0, closed_ns: 500 * MS }).collect(),
        requests,
        skipped_turns: Vec::new(),
        summary: bench_metrics::Summary::default(),
        telemetry: vec![CounterDelta::between("prompt-tokens", "prompt_tokens_total", 12.0, 652.0)],
        stages: Vec::new(),
        goodput: None,
        steady: None,
        pacing: None,
        server_series: Vec::new(),
        sweep: None,
    };
    phase.summary = phase.summarise();
    phase
}

/// What a client that is at most 0.1 ms late shows.
pub fn calibration(streams: u32) -> Calibration {
    let late = |most: u32| ErrorBar::of((0..=most).map(|step| f64::from(step) / f64::from(most) * 0.1));
    Calibration {
        against: "bench-sim".into(),
        streams,
        gap_us: 5000,
        stamp_source: "kernel".into(),
        events: 1001,
        merged_events: 0,
        ttft: late(10),
        itl: late(1000),
        receipt: late(1000).unwrap(),
        send: late(10),
        cpu_us_per_event: Some(4.0),
        emission_late: late(1000),
    }
}

/// A finished run of one workload.
pub fn run(id: &str, gaps: &[u64]) -> RunRecord {
    let host = HostBuild { version: "0.1.0".into(), target: "x86_64-unknown-linux-gnu".into(), ..HostBuild::default() };
    let suite = SuiteIdentity {
        name: "suite-v1".into(),
        version: "1.0.0".into(),
        digest: "11".repeat(32),
        quick: false,
        seed: u64::MAX,
        params: serde_json::json!({}),
        lock: None,
    };
    let endpoint = Endpoint {
        route: None,
        url: "http://127.0.0.1:8081".into(),
        attribution: Some(bench_machine::attribution::Attribution::LocalMachine),
    };
    let model = Model {
        id: "test-model".into(),
        digests: vec![Digest { algorithm: "sha256".into(), hex: "22".repeat(32), source: "file".into() }],
        quantization: Some("Q4_0".into()),
        context_length: Some(8192),
        parameters: Some(135_000_000),
        file: None,
    };
    let mut run =
        RunRecord::begin(RunId::new(id).unwrap(), "2026-09-11T14:03:12Z".into(), host, suite, endpoint, model);
    run.status = RunStatus::Completed;
    run.finished_at = Some("2026-09-11T14:05:00Z".into());
    run.command = vec!["bench".into(), "run".into()];
    run.plugins = vec![PluginIdentity {
        kind: "driver".into(),
        name: "test-driver".into(),
        version: "0.1.0".into(),
        sha256: "33".repeat(32),
        world: "bench:plugin/driver-plugin@0.1.0".into(),
        source: PluginSource::Bundle,
        lock: None,
        grants: None,
    }];
    run.backend = Some(Backend {
        name: "test-engine".into(),
        version: Some("1".into()),
        models: vec![ServedModel { id: "test-model".into(), ..ServedModel::default() }],
        slots: Some(4),
        ..Backend::default()
    });
    run.client =
        Client { stamp_source: Some("kernel".into()), calibrations: vec![calibration(1)], ..Client::default() };
    run.workloads = vec![WorkloadRecord {
        name: "chat-short".into(),
        label: "W1".into(),
        version: "0.1.0".into(),
        params: serde_json::json!({ "repeats": gaps.len() }),
        status: WorkloadStatus::Completed,
        problem: None,
        phases: vec![phase(gaps)],
        headline: vec![Headline {
            name: "ttft".into(),
            value: Some(100.0),
            unit: "ms".into(),
            higher_is_better: Some(false),
        }],
        curves: vec![Curve {
            name: "decode-rate".into(),
            x_name: "context".into(),
            x_unit: "tokens".into(),
            y_name: "decode-rate".into(),
            y_unit: "tok/s".into(),
            points: vec![Point { x: Some(128.0), y: None }],
        }],
    }];
    run.trace = Some(TraceFile { file: "trace.parquet".into(), sha256: "44".repeat(32), bytes: 1000, rows: 42 });
    run.publishable = assess(&run);
    run
}
