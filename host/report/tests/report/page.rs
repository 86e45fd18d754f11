//! What the page shows, what it never does, and how large it may be.

use std::path::PathBuf;

use bench_metrics::saturation::{Overload, SweepEnd, SweepPlan, SweepResult};
use bench_record::{
    Curve, Endpoint, Headline, HostBuild, Model, Point, Problem, RequestStatus, RunId, RunRecord, SuiteIdentity,
    SweepRecord,
};
use bench_report::html;
use proptest::prelude::*;

use super::fixture::{closed_loop, open_loop, run};
use super::markup::{balanced, outside};

fn begun() -> RunRecord {
    RunRecord::begin(
        RunId::new("empty").unwrap(),
        "2026-09-11T14:03:12Z".into(),
        HostBuild::default(),
        SuiteIdentity::default(),
        Endpoint::default(),
        Model::default(),
    )
}

/// The page, which is well-formed, reaches for nothing outside, and has no number that is none.
fn sound(record: &RunRecord) -> String {
    let page = html(record);
    balanced(&page);
    assert_eq!(outside(&page), Vec::<String>::new());
    for wrong in ["NaN", "inf\"", "\"-inf", "<script"] {
        assert!(!page.contains(wrong), "{wrong}");
    }
    page
}

/// Leaves a page for a look with a browser.
fn keep(name: &str, page: &str) {
    std::fs::write(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name), page).unwrap();
}

#[test]
fn a_run_becomes_a_page() {
    let page = sound(&run());
    keep("report.html", &page);
    for part in [
        "made-up/model-8b-instruct Q4_K_M",
        "Not publishable.",
        "Some requests failed or were not sent.",
        "client ±",
        "Throughput against latency",
        "12 req/s",
        "stage-4",
        "Objectives: ttft=250ms,itl=30ms",
        "requests per second were due",
        "engine:requests_running",
        "How far to trust the client",
        "the server sent nothing for 2 s within an answer",
        "sha256",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("Simulation."));
}

#[test]
fn the_verdict_is_that_of_the_record() {
    let mut record = begun();
    record.publishable.ok = true;
    assert!(sound(&record).contains("Publishable."));
    record.simulated = true;
    assert!(sound(&record).contains("not about any engine"));
}

#[test]
fn the_shaded_part_and_the_streams_are_explained_where_they_are_drawn() {
    let mut record = begun();
    let mut workload = run().workloads.remove(0);
    workload.phases = vec![closed_loop("streams-8", 8, 100)];
    workload.phases[0].sum_up(None);
    record.workloads = vec![workload];
    let page = sound(&record);
    assert!(page.contains("<rect class=\"steady\"") && page.contains("Shaded: the steady window"));
    assert!(page.contains("Dashed in the lowest panel"));
    assert!(!page.contains("Dashed there"), "there was no objective");
    assert!(page.contains("The client's own error was not measured"));
}

#[test]
fn a_sweep_tells_what_it_found() {
    let mut record = run();
    record.workloads[0].phases[0].sweep = Some(SweepRecord {
        plan: SweepPlan::default(),
        steps: Vec::new(),
        result: SweepResult {
            capacity_rps: Some(8.0),
            last_good: Some(8.0),
            first_bad: Some(12.0),
            overload: vec![Overload::ObjectivesMissed],
            reason: SweepEnd::Enclosed,
        },
    });
    let page = sound(&record);
    assert!(page.contains("holds 8.00 requests per second"));
    assert!(page.contains("At 12.0 per second less than 90 % of the requests kept the objectives"));
}

#[test]
fn a_record_with_nothing_in_it_is_a_page() {
    let page = sound(&begun());
    assert!(page.contains("unknown backend") && page.contains("Incomplete."));
}

#[test]
fn a_record_of_the_first_version_is_a_page() {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../record/tests/golden/run-v1.json");
    let page = sound(&bench_record::read_record(&golden).unwrap());
    // It does not say when its requests ran.
    assert!(page.contains("Time to first token") && !page.contains("seconds since the phase began"));
}

#[test]
fn what_others_wrote_is_text() {
    const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'\u{202e}\u{7}&";
    let mut record = run();
    record.model.id = HOSTILE.into();
    record.endpoint.url = HOSTILE.into();
    record.command = vec![HOSTILE.into()];
    record.backend.as_mut().unwrap().name = HOSTILE.into();
    record.plugins[0].name = HOSTILE.into();
    record.client.calibrations[0].against = HOSTILE.into();
    record.client.stamp_source = Some(HOSTILE.into());
    record.problems.push(Problem { code: HOSTILE.into(), message: HOSTILE.into(), hint: Some(HOSTILE.into()) });
    let workload = &mut record.workloads[0];
    workload.label = HOSTILE.into();
    workload.headline =
        vec![Headline { name: HOSTILE.into(), value: Some(1.0), unit: HOSTILE.into(), higher_is_better: None }];
    let point = |x| Point { x: Some(x), y: Some(x) };
    workload.curves = vec![Curve {
        name: HOSTILE.into(),
        x_name: HOSTILE.into(),
        x_unit: HOSTILE.into(),
        y_name: HOSTILE.into(),
        y_unit: HOSTILE.into(),
        points: vec![point(1.0), point(2.0)],
    }];
    let phase = &mut workload.phases[0];
    phase.id = HOSTILE.into();
    phase.stages[0].name = HOSTILE.into();
    phase.stages[1].asked_rate = None;
    phase.stages[1].name = HOSTILE.into();
    phase.server_series[0].name = HOSTILE.into();
    phase.server_series[0].labels = vec![(HOSTILE.into(), HOSTILE.into())];
    phase.requests[66].problem = Some(Problem { code: HOSTILE.into(), message: HOSTILE.into(), hint: None });
    let page = sound(&record);
    assert!(!page.contains("<img") && !page.contains('\u{202e}') && !page.contains('\u{7}'));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn endless_text_is_cut() {
    let mut record = begun();
    record.model.id = "m".repeat(1 << 20);
    assert!(sound(&record).len() < 64 << 10);
}

#[test]
fn a_hundred_thousand_requests_are_binned() {
    let mut phase = open_loop();
    let some = phase.requests.clone();
    for round in 1_u64..232 {
        phase.requests.extend(some.iter().cloned().map(|mut request| {
            if let Some(times) = &mut request.times {
                let later = round * 61_000_000_000;
                times.intended_ns += later;
                times.started_ns += later;
                times.ended_ns += later;
                times.first_token_ns = times.first_token_ns.map(|at| at + later);
            }
            request
        }));
    }
    assert!(phase.requests.len() > 100_000);
    let mut record = begun();
    let mut workload = run().workloads.remove(0);
    workload.phases = vec![phase];
    record.workloads = vec![workload];
    let page = sound(&record);
    keep("report-large.html", &page);
    assert!(page.len() < 1 << 20, "{} bytes", page.len());
    assert!(page.contains("their 5th to 95th percentile"));
}

#[test]
fn a_phase_in_which_everything_failed_shows_that() {
    for copies in [1, 8] {
        let mut record = run();
        let phase = &mut record.workloads[0].phases[0];
        phase.requests = vec![phase.requests.clone(); copies].concat();
        phase.requests.iter_mut().for_each(|request| request.status = RequestStatus::Failed);
        phase.sum_up(None);
        let page = sound(&record);
        assert!(page.contains(if copies == 1 { "at the top: failed (432)" } else { "the share that failed" }));
        assert!(!page.contains("d=\"Z\""));
    }
}

#[test]
fn many_phases_do_not_fill_the_page() {
    let mut record = run();
    let phase = record.workloads[0].phases[0].clone();
    record.workloads[0].phases = vec![phase; 120];
    let page = sound(&record);
    assert!(page.len() < 5 << 20, "{} bytes", page.len());
    assert!(page.contains("more phases are in the table above"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever times and numbers a record claims, there is a page.
    #[test]
    fn any_numbers_make_a_page(
        times in proptest::collection::vec((any::<u64>(), any::<u64>(), any::<u64>(), proptest::option::of(any::<u64>())), 1..40),
        points in proptest::collection::vec((any::<u64>(), any::<f64>()), 0..20),
        values in proptest::collection::vec(proptest::num::f64::POSITIVE | proptest::num::f64::ZERO, 1..8),
        window in (any::<u64>(), any::<u64>()),
    ) {
        let mut phase = closed_loop("any", 4, 40);
        for (request, (intended, started, ended, first)) in phase.requests.iter_mut().zip(&times) {
            if let Some(own) = &mut request.times {
                own.intended_ns = *intended;
                own.started_ns = *started;
                own.ended_ns = *ended;
                own.first_token_ns = *first;
            }
            if let Some(metrics) = &mut request.metrics {
                metrics.ttft_intended_ms = values.first().copied();
                metrics.ttft_ms = values.last().copied();
                metrics.raw_timings = Some(values.clone());
            }
        }
        phase.windows[0].opened_ns = window.0;
        phase.windows[0].closed_ns = window.1;
        phase.server_series = vec![bench_record::ServerSeries { name: "any".into(), labels: Vec::new(), points }];
        let mut record = run();
        phase.sum_up(record.slo.as_ref());
        record.workloads[0].phases = vec![phase];
        sound(&record);
    }
}

#[test]
fn scores_stand_with_their_intervals() {
    let estimate = |value: Option<f64>, low: f64, high: f64| {
        serde_json::json!({
            "name": "accuracy", "value": value, "unit": "ratio", "higher_is_better": true, "low": low, "high": high, "level": 0.95,
            "method": "t", "scored": 17, "unscored": 3,
        })
    };
    let eval = serde_json::json!({
        "task": "sums<script>", "title": "Sums", "status": "partial",
        "problem": { "code": "time-limit", "message": "the limit of time was reached" },
        "dataset": { "sha256": "0", "licence": "CC0-1.0", "items": 20, "asked": 20, "left_out": 0 },
        "scorer": { "name": "numeric", "version": "0.1.0", "sha256": "0", "reference": "", "config": {} },
        "repeats": 3, "estimates": [estimate(Some(0.12), -0.04, 0.28), estimate(None, 0.0, 0.0)],
        "reasons": { "correct": 2, "wrong": 15, "unscored:not-supported": 3 },
        "samples": { "planned": 20, "answered": 17, "failed": 0, "unscored": 3, "remaining": 0, "resumed": 0 },
        "tokens": { "prompt": 10, "cached": 0, "completion": 20, "reasoning": 0 }, "seconds": 1.0, "concurrency": 8,
        "retries": {}, "backoff": [],
        "notes": [{ "code": "unscored-not-supported", "message": "3 without an answer, the first one: no tools here" }],
    });
    let mut record = begun();
    record.evals.push(serde_json::from_value(eval).unwrap());
    let page = sound(&record);
    keep("scores.html", &page);
    for part in [
        "sums&lt;script&gt;",
        "15 wrong, 3 unscored:not-supported, 2 correct",
        "0.00 to 0.28",
        "3 missing",
        "partial",
        "no tools here",
        "asked 3 times",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<h2>Results</h2>"), "nothing was measured");
}
