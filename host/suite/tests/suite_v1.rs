//! The suite that ships with the host.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::collections::BTreeSet;
use std::path::Path;

use bench_suite::Suite;

fn suite() -> Suite {
    Suite::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites/suite-v1")).unwrap()
}

#[test]
fn it_loads_with_its_five_workloads() {
    let suite = suite();
    let plugins: Vec<&str> = suite.manifest().workloads.iter().map(|workload| workload.plugin.as_str()).collect();
    assert_eq!(plugins, ["chat-short", "chat-long", "long-context-decay", "concurrent-decode", "agent-trace"]);
    assert_eq!(suite.manifest().licence, "CC0-1.0");
    assert!(suite.corpus("prose").unwrap().words() > 60_000);
}

#[test]
fn quick_changes_only_parameters_that_a_full_run_states() {
    for workload in &suite().manifest().workloads {
        assert!(workload.quick.keys().all(|name| workload.params.contains_key(name)), "{}", workload.label);
    }
}

#[test]
fn no_paragraph_of_prose_is_there_twice() {
    let suite = suite();
    let prose = suite.corpus("prose").unwrap();
    let paragraphs: Vec<&str> = prose.text().split("\n\n").collect();
    assert_eq!(paragraphs.iter().collect::<BTreeSet<_>>().len(), paragraphs.len());
}
