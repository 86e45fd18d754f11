//! A result is a claim that anyone can recompute: the trace alone, decoded by the same driver, gives the same numbers.

use std::fs;

use bench_plugin::types::{Event, ResponseHeader};
use bench_plugin::{Driver, Host, HostOptions, Kind, Limits};
use bench_record::trace::{TraceLimits, TraceRequest, read_trace};
use bench_sim::{Jitter, SimConfig};
use serde_json::Value;

use crate::support::{Bench, engine, quick, requests, sha256};

fn trace_of(bench: &Bench, record: &Value) -> Vec<TraceRequest> {
    let path = bench.runs()[0].join(record["trace"]["file"].as_str().unwrap());
    let bytes = fs::read(&path).unwrap();
    let digest = sha256(&bytes);
    assert_eq!(record["trace"]["sha256"], digest);
    assert_eq!(record["trace"]["bytes"], bytes.len());
    read_trace(&path, TraceLimits::default()).unwrap()
}

fn driver(record: &Value) -> Driver {
    let used = record["plugins"].as_array().unwrap().iter().find(|plugin| plugin["kind"] == "driver").unwrap();
    let found = bench_registry::plugin(Kind::Driver, used["name"].as_str().unwrap()).unwrap();
    let plugin = Host::new(HostOptions { cache: None }).load(&found.bytes, Limits::DEFAULT).unwrap();
    assert_eq!(used["sha256"], plugin.digest(), "the record names the component that decoded");
    plugin.driver().unwrap()
}

fn close(a: &Value, b: f64) -> bool {
    (a.as_f64().unwrap() - b).abs() < 1e-6
}

#[test]
fn the_trace_gives_the_numbers_of_the_record_again() {
    let bench = Bench::new();
    let engine = engine(SimConfig {
        chunk_tokens: vec![1, 3, 2],
        jitter: Jitter::UniformUs(400),
        reasoning_tokens: 5,
        ..quick()
    });
    let (ran, record) = bench.quick(&engine.url(), "W1,W4", &[]);
    ran.exits(0);
    let trace = trace_of(&bench, &record);
    let mut driver = driver(&record);
    assert_eq!(trace.len(), requests(&record).count(), "every request of the record is in the trace");
    for request in requests(&record) {
        let kept = trace.iter().find(|kept| request["ordinal"] == kept.ordinal).unwrap();
        let head = kept.head.as_ref().unwrap();
        let headers: Vec<ResponseHeader> = head
            .headers
            .iter()
            .map(|(name, value)| ResponseHeader { name: name.clone(), value: value.clone() })
            .collect();
        let ends: Vec<u32> = kept.reads.iter().map(|read| read.end).collect();
        let events = driver.decode(&headers, &kept.body, &ends).unwrap();
        let arrivals: Vec<u64> = events
            .iter()
            .filter(|located| match &located.event {
                Event::Text(text) | Event::Reasoning(text) => !text.is_empty(),
                _ => false,
            })
            .map(|located| kept.reads[located.read as usize].at_ns)
            .collect();
        let metrics = &request["metrics"];
        let ttft = arrivals[0] - kept.first_byte_written_ns.unwrap();
        assert!(close(&metrics["ttft_ms"], ttft as f64 / 1e6), "{ttft} ns, and {}", metrics["ttft_ms"]);
        assert_eq!(metrics["chunks"], arrivals.len());
        let gaps: Vec<f64> = arrivals.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1e6).collect();
        let recorded = metrics["itl_chunk"]["each_ms"].as_array().unwrap();
        assert_eq!(recorded.len(), gaps.len());
        assert!(recorded.iter().zip(&gaps).all(|(recorded, gap)| close(recorded, *gap)));
        let usage = events.iter().rev().find_map(|located| match &located.event {
            Event::Usage(usage) => Some(usage),
            _ => None,
        });
        assert_eq!(metrics["prompt_tokens"].as_u64(), usage.unwrap().prompt_tokens);
        assert_eq!(metrics["output_tokens"].as_u64(), usage.unwrap().completion_tokens);
        let wall = (kept.ended_ns - kept.started_ns) as f64 / 1e6;
        assert!(close(&request["wall_ms"], wall), "{wall} and {}", request["wall_ms"]);
    }
}
