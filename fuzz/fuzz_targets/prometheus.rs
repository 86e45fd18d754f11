//! Any bytes as the metrics of a server, several times over: no panic, and series in the order of time.
#![no_main]

use bench_metrics::prometheus::{Collector, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|texts: Vec<&[u8]>| {
    let mut collector = Collector::default();
    for (at, text) in (0..).zip(texts) {
        collector.add(at * 1_000_000_000, parse(text));
    }
    for series in collector.finish().series {
        assert!(series.points.is_sorted_by(|a, b| a.0 < b.0));
        assert!(series.points.iter().all(|(_, value)| value.is_finite()));
    }
});
