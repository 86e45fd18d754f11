//! What configurations are accepted, and how they are written.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sim::{Fault, FaultKind, Framing, Head, Jitter, PrefixCache, Sim, SimConfig, SimError, When};

fn refused(config: &SimConfig) -> &'static str {
    match config.validate() {
        Err(SimError::Config { field, .. }) => field,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn the_default_is_valid_and_survives_json() {
    let config = SimConfig::default();
    config.validate().unwrap();
    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<SimConfig>(&json).unwrap(), config);
    assert_eq!(serde_json::from_str::<SimConfig>("{}").unwrap(), config);
}

#[test]
fn knobs_are_written_in_snake_case() {
    let config: SimConfig = serde_json::from_str(
        r#"{"head": {"after_us": 5}, "jitter": {"uniform_us": 7}, "prefix_cache": null, "framing": {"line_ends": "cr_lf"},
            "faults": [{"when": {"nth": 2}, "kind": {"stall": {"after_tokens": 3, "for_us": null}}}]}"#,
    )
    .unwrap();
    assert_eq!(config.head, Head::AfterUs(5));
    assert_eq!(config.jitter, Jitter::UniformUs(7));
    assert_eq!(config.prefix_cache, None);
    assert_eq!(config.faults, [Fault::nth(2, FaultKind::Stall { after_tokens: 3, for_us: None })]);
}

#[test]
fn unknown_knobs_are_refused() {
    assert!(serde_json::from_str::<SimConfig>(r#"{"ttft": 3}"#).is_err());
    assert!(serde_json::from_str::<SimConfig>(r#"{"framing": {"crlf": true}}"#).is_err());
}

#[test]
fn out_of_range_knobs_are_named() {
    let config = SimConfig::default;
    assert_eq!(refused(&SimConfig { models: vec![], ..config() }), "models");
    assert_eq!(refused(&SimConfig { slots: 0, ..config() }), "slots");
    assert_eq!(refused(&SimConfig { chunk_tokens: vec![1, 0], ..config() }), "chunk_tokens");
    assert_eq!(refused(&SimConfig { head: Head::AfterUs(20_001), ..config() }), "head");
    assert_eq!(refused(&SimConfig { gap_us: u64::MAX, ..config() }), "gap_us");
    assert_eq!(refused(&SimConfig { jitter: Jitter::UniformUs(u64::MAX), ..config() }), "jitter");
    assert_eq!(refused(&SimConfig { context_length: u32::MAX, ..config() }), "context_length");
    assert_eq!(refused(&SimConfig { answer: Some(String::new()), ..config() }), "answer");
    assert_eq!(refused(&SimConfig { max_body_bytes: usize::MAX, ..config() }), "max_body_bytes");
    let framing = Framing { coalesce: 0, ..Framing::default() };
    assert_eq!(refused(&SimConfig { framing, ..config() }), "framing.coalesce");
    let cache = Some(PrefixCache { block_tokens: 0, capacity_blocks: 1 });
    assert_eq!(refused(&SimConfig { prefix_cache: cache, ..config() }), "prefix_cache.block_tokens");
    for kind in [
        FaultKind::html(99),
        FaultKind::Redirect { location: "http://x\r\nset-cookie: y".to_owned() },
        FaultKind::Stall { after_tokens: 0, for_us: Some(u64::MAX) },
    ] {
        assert_eq!(refused(&SimConfig { faults: vec![Fault::always(kind)], ..config() }), "faults");
    }
}

#[test]
fn the_schedule_id_follows_the_configuration_but_not_the_key() {
    let config = SimConfig::default();
    assert_eq!(config.schedule_id().len(), 16);
    assert_eq!(config.schedule_id(), SimConfig::default().schedule_id());
    assert_ne!(config.schedule_id(), SimConfig { gap_us: 1, ..SimConfig::default() }.schedule_id());
    let keyed = |key: &str| SimConfig { api_key: Some(key.to_owned()), ..SimConfig::default() }.schedule_id();
    assert_eq!(keyed("a"), keyed("b"));
}

#[test]
fn faults_meet_the_requests_that_they_name() {
    let met = |when: When| (1..=6).filter(|number| when.applies(*number)).collect::<Vec<u64>>();
    assert_eq!(met(When::Always), [1, 2, 3, 4, 5, 6]);
    assert_eq!(met(When::Nth(2)), [2]);
    assert_eq!(met(When::From(5)), [5, 6]);
    assert_eq!(met(When::Every(3)), [3, 6]);
    assert!(met(When::Every(0)).is_empty());
}

#[test]
fn only_loopback_addresses_that_are_free_are_served() {
    let open = Sim::start(SimConfig::default(), "0.0.0.0:0".parse().unwrap()).unwrap_err();
    assert_eq!(open.code(), "sim-not-loopback");
    assert!(open.hint().is_some());
    let first = Sim::start(SimConfig::default(), "127.0.0.1:0".parse().unwrap()).unwrap();
    let second = Sim::start(SimConfig::default(), first.addr()).unwrap_err();
    assert_eq!(second.code(), "sim-bind");
}
