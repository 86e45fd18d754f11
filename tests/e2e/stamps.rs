//! Whose stamps are taken, how many threads take them, and what the record says of it.

use crate::support::{Bench, check_schema, engine, measured, quick, sent};

#[test]
fn stamps_of_the_clients_own() {
    let bench = Bench::new();
    let engine = engine(quick());
    let (ran, record) = bench.quick(&engine.url(), "W1", &["--stamps", "user"]);
    let ran = ran.exits(0);
    check_schema(&record);
    assert_eq!(record["client"]["stamp_source"], "user-space");
    assert!(record["client"]["longest_lag_ms"].is_null(), "only the kernel knows how long bytes lay there");
    assert!(ran.stdout.contains("stamps by user-space"), "{ran}");
}

#[cfg(target_os = "linux")]
#[test]
fn stamps_of_the_kernel_are_the_rule() {
    let bench = Bench::new();
    let engine = engine(quick());
    let (ran, record) = bench.quick(&engine.url(), "W1", &[]);
    ran.exits(0);
    assert_eq!(record["client"]["stamp_source"], "kernel");
    assert!(record["client"]["longest_lag_ms"].as_f64().unwrap() >= 0.0);
    assert!(record["client"]["reads"].as_u64().unwrap() >= 32);
}

/// A capture needs a privilege. With it the packets stamp; without it the run is refused and says what is missing.
#[test]
fn stamps_of_packets_or_a_refusal() {
    let bench = Bench::new();
    let engine = engine(quick());
    let ran = bench.quick_without_record(&engine.url(), "W1", &["--stamps", "packet"]);
    if ran.code == Some(0) {
        let text = std::fs::read(bench.path("record.json")).unwrap();
        let record: serde_json::Value = serde_json::from_slice(&text).unwrap();
        check_schema(&record);
        assert_eq!(record["client"]["stamp_source"], "packet");
        assert_eq!(measured(&record, "W1")["status"], "completed");
    } else {
        assert!(ran.code == Some(1) || ran.code == Some(4), "{ran}");
        assert!(ran.stderr.contains("error: ") && ran.stderr.contains("hint: "), "{ran}");
        assert!(bench.runs().is_empty());
    }
}

#[test]
fn at_most_as_many_threads_as_are_asked_for() {
    for most in [1, 3] {
        let bench = Bench::new();
        let engine = engine(quick());
        let more = ["--requests", "12", "--workers", &most.to_string()];
        let (ran, record) = bench.under(&engine.url(), "W1", "closed:6", &more);
        ran.exits(0);
        let used = record["client"]["workers"].as_u64().unwrap();
        assert!((1..=most).contains(&used), "{used} of {most}: a small load is not worth more threads");
        assert_eq!(sent(&record, "W1").len(), 12);
    }
}
