//! A phase, calculated by hand.

use bench_metrics::{CodeCount, Outcome, RequestMetrics, Sample, WindowSpan, summarise};

use super::stream::{MS, Stream, asked, finish, text, usage};

/// Two tokens 20 ms apart, the first after `ttft` ms; the whole lasts `ttft` + 24 ms from its start.
fn answered(ttft: u64, cached: u64) -> RequestMetrics {
    let asked = bench_metrics::Expectation { cache: bench_metrics::Cache::Warm, ..asked(100, 2) };
    Stream::new()
        .read(ttft, [text()])
        .read(ttft + 20, [text()])
        .read(ttft + 21, [usage(100, cached, 2), finish()])
        .measure(&asked)
}

fn sample(repeat: u32, turn: u32, metrics: &RequestMetrics) -> Sample<'_> {
    Sample { repeat, turn, resent: 0, outcome: Outcome::Completed(metrics) }
}

fn second(repeat: u32) -> WindowSpan {
    WindowSpan { repeat, opened: 5000 * MS, closed: 6000 * MS }
}

#[test]
fn every_outcome_is_counted() {
    let good = answered(10, 0);
    let late = RequestMetrics { queue_ms: 11.0, flags: vec![bench_metrics::Flag::Late], ..good.clone() };
    let failed = |code| Sample { repeat: 0, turn: 0, resent: 0, outcome: Outcome::Failed { code, wall_ms: Some(5.0) } };
    let samples = [
        sample(0, 0, &good),
        Sample { resent: 2, ..sample(0, 0, &late) },
        failed("stalled"),
        failed("stalled"),
        failed("overloaded"),
        Sample { repeat: 0, turn: 0, resent: 0, outcome: Outcome::NotSent { code: "cancelled" } },
    ];
    let found = summarise(&samples, &[second(0)]);
    assert_eq!(
        (found.requests, found.completed, found.failed, found.not_sent, found.late, found.resent),
        (6, 2, 3, 1, 1, 1)
    );
    let count = |code: &str, count| CodeCount { code: code.to_owned(), count };
    assert_eq!(found.problems, [count("cancelled", 1), count("overloaded", 1), count("stalled", 2)]);
    assert_eq!(found.flags, [count("late", 1)]);
}

#[test]
fn a_phase_of_streams_has_an_aggregate_rate_and_a_concurrency() {
    let (a, b) = (answered(76, 0), answered(176, 0));
    let samples = [sample(0, 0, &a), sample(0, 0, &b)];
    let found = summarise(&samples, &[second(0)]);
    // 4 tokens in one second; 100 + 200 ms of requests in it.
    assert_eq!(found.median("aggregate_tps"), Some(4.0));
    assert_eq!(found.median("concurrency"), Some(0.3));
    assert_eq!(found.median("request_rate"), Some(2.0));
    assert_eq!(found.median("window_ms"), Some(1000.0));
    assert_eq!(found.median("total_output_tokens"), Some(4.0));
    // 2 tokens in 100 ms and in 200 ms.
    assert_eq!(found.median("output_tps"), Some(15.0));
    assert_eq!(found.median("ttft_ms"), Some(126.0));
    assert_eq!(found.median("decode_tps"), Some(50.0));
}

#[test]
fn several_spans_of_a_repeat_add_up() {
    let a = answered(76, 0);
    let found = summarise(&[sample(0, 0, &a), sample(0, 0, &a)], &[second(0), second(0)]);
    assert_eq!(found.median("aggregate_tps"), Some(2.0));
    assert_eq!(found.median("window_ms"), Some(2000.0));
}

#[test]
fn the_hit_rate_of_a_session_weighs_tokens_not_turns() {
    let (a, mut b) = (answered(10, 0), answered(10, 90));
    b.prompt_tokens = Some(300);
    let found = summarise(&[sample(0, 0, &a), sample(0, 1, &b)], &[second(0)]);
    assert_eq!(found.median("prefix_cache_hit_rate"), Some(90.0 / 400.0));
    b.cached_tokens = None;
    let found = summarise(&[sample(0, 0, &a), sample(0, 1, &b)], &[second(0)]);
    assert_eq!(found.median("prefix_cache_hit_rate"), None);
}

#[test]
fn an_unknown_token_count_leaves_the_aggregate_rate_out() {
    let (a, mut b) = (answered(10, 0), answered(10, 0));
    b.output_tokens = None;
    let found = summarise(&[sample(0, 0, &a), sample(0, 0, &b)], &[second(0)]);
    assert_eq!(found.median("aggregate_tps"), None);
    assert!(found.median("ttft_ms").is_some());
}

#[test]
fn turns_have_percentiles_unless_one_failed() {
    let turns: Vec<_> = (0..5).map(|turn| answered(76 + turn * 100, 0)).collect();
    let mut samples: Vec<_> = (0..).zip(&turns).map(|(turn, metrics)| sample(0, turn, metrics)).collect();
    let found = summarise(&samples, &[]);
    // 100, 200, 300, 400, 500 ms: the 95th percentile lies at position 3.8.
    assert_eq!(found.median("turn_p50_ms"), Some(300.0));
    assert!((found.median("turn_p95_ms").unwrap() - 480.0).abs() < 1e-9);
    samples[4].outcome = Outcome::Failed { code: "stalled", wall_ms: None };
    assert_eq!(summarise(&samples, &[]).median("turn_p50_ms"), None);
}

#[test]
fn single_requests_have_no_turn_percentiles() {
    let a = answered(10, 0);
    assert_eq!(summarise(&[sample(0, 0, &a), sample(1, 0, &a)], &[]).median("turn_p50_ms"), None);
}

#[test]
fn token_times_of_a_repeat_are_pooled() {
    let mut a = answered(10, 0);
    a.raw_timings = Some(vec![10.0; 6]);
    let found = summarise(&[sample(0, 0, &a), sample(0, 0, &a)], &[]);
    assert_eq!(found.median("token_p50_ms"), Some(10.0));
    assert_eq!(found.median("token_p95_ms"), None);
}

#[test]
fn measures_carry_identifier_unit_and_uncertainty() {
    let all: Vec<_> = (0..3).map(|repeat| answered(10 + repeat * 10, 0)).collect();
    let samples: Vec<_> = (0..).zip(&all).map(|(repeat, metrics)| sample(repeat, 0, metrics)).collect();
    let found = summarise(&samples, &[]);
    let measures = found.measures();
    let ttft = measures.iter().find(|measure| measure.id == "ttft").unwrap();
    assert_eq!((ttft.unit, ttft.higher_is_better, ttft.value, ttft.samples), ("ms", Some(false), 20.0, 3));
    assert!(ttft.half_width.is_some());
}

#[test]
fn nothing_sums_up_to_nothing() {
    let found = summarise(&[], &[]);
    assert_eq!(found.requests, 0);
    assert!(found.metrics.is_empty());
}
