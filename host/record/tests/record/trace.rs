//! A trace goes in and comes out.

use bench_metrics::{Cache, Channel, Event, Expectation, Located, Observation};
use bench_record::trace::{TraceHead, TraceLimits, TraceRead, TraceRequest, TraceWriter, read_trace};
use bench_record::{RecordError, RunId, TraceFile, canonical::sha256_hex};
use bytes::Bytes;
use proptest::prelude::*;

pub fn write(path: &std::path::Path, requests: &[TraceRequest]) -> Result<TraceFile, RecordError> {
    let mut writer = TraceWriter::create(path, &RunId::new("test")?)?;
    for request in requests {
        writer.push(request)?;
    }
    writer.finish()
}

pub fn example(ordinal: u32) -> TraceRequest {
    TraceRequest {
        ordinal,
        intended_ns: 10,
        started_ns: 20,
        connected_ns: Some(30),
        first_byte_written_ns: Some(40),
        last_byte_written_ns: Some(50),
        ended_ns: 900,
        head: Some(TraceHead {
            status: 200,
            at_ns: 90,
            headers: vec![("content-type".into(), "text/event-stream".into())],
        }),
        outcome: None,
        body: Bytes::from_static(b"data: a\n\ndata: b\n\n"),
        reads: vec![TraceRead { end: 9, at_ns: 100 }, TraceRead { end: 18, at_ns: 200 }],
    }
}

#[test]
fn what_was_written_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trace.parquet");
    let refused =
        TraceRequest { ordinal: 7, outcome: Some("connection-refused".into()), ended_ns: 5, ..TraceRequest::default() };
    let all = [example(0), example(3), refused];
    let file = write(&path, &all).unwrap();
    assert_eq!((file.file.as_str(), file.rows), ("trace.parquet", 7));
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!((file.bytes, file.sha256), (bytes.len() as u64, sha256_hex(&bytes)));
    assert_eq!(read_trace(&path, TraceLimits::default()).unwrap(), all);
}

#[test]
fn an_empty_trace_is_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trace.parquet");
    assert_eq!(write(&path, &[]).unwrap().rows, 0);
    assert_eq!(read_trace(&path, TraceLimits::default()).unwrap(), []);
}

#[test]
fn many_requests_span_row_groups() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trace.parquet");
    let body = Bytes::from(vec![7_u8; 3 << 20]);
    let reads = vec![TraceRead { end: 3 << 20, at_ns: 100 }];
    let all: Vec<TraceRequest> =
        (0..5).map(|n| TraceRequest { body: body.clone(), reads: reads.clone(), ..example(n) }).collect();
    write(&path, &all).unwrap();
    assert!(read_trace(&path, TraceLimits::default()).unwrap() == all);
}

#[test]
fn an_unfinished_trace_leaves_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trace.parquet");
    let mut writer = TraceWriter::create(&path, &RunId::new("test").unwrap()).unwrap();
    writer.push(&example(0)).unwrap();
    drop(writer);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn reads_that_do_not_add_up_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trace.parquet");
    let mut short = example(0);
    short.reads.pop();
    let mut backwards = example(0);
    backwards.reads.swap(0, 1);
    let mut late = example(0);
    late.reads[1].at_ns = u64::MAX;
    for wrong in [short, backwards, late] {
        assert_eq!(write(&path, &[wrong]).unwrap_err().code(), "bad-trace");
    }
}

/// What a driver would make of the example: one fragment per read.
fn observe(request: &TraceRequest) -> Observation {
    let event = |read| Located { read, event: Event::Fragment { channel: Channel::Text, bytes: 1 } };
    Observation {
        intended: request.intended_ns,
        started: request.started_ns,
        first_byte_written: request.first_byte_written_ns,
        last_byte_written: request.last_byte_written_ns,
        ended: request.ended_ns,
        reads: request.reads.iter().map(|read| read.at_ns).collect(),
        events: (0..request.reads.len() as u32).map(event).collect(),
        completed: request.outcome.is_none(),
    }
}

#[test]
fn metrics_from_the_trace_are_those_from_the_wire() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trace.parquet");
    let asked = Expectation {
        prompt_tokens: Some(9),
        output_tokens: Some(2),
        requested_output: 2,
        cache: Cache::Cold,
        forced_length: false,
    };
    write(&path, &[example(0)]).unwrap();
    let back = read_trace(&path, TraceLimits::default()).unwrap();
    let (wire, trace) = (observe(&example(0)), observe(&back[0]));
    assert_eq!(bench_metrics::request(&wire, &asked), bench_metrics::request(&trace, &asked));
}

fn any_request() -> impl Strategy<Value = TraceRequest> {
    let time = || 0..i64::MAX as u64;
    let reads = proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..40), time()), 0..20);
    let head = proptest::option::of((any::<u16>(), time(), proptest::collection::vec((".*", ".*"), 0..3)));
    let stamps = (proptest::option::of(time()), proptest::option::of(time()), proptest::option::of(time()));
    (time(), time(), time(), stamps, head, proptest::option::of(".*"), reads).prop_map(
        |(intended_ns, started_ns, ended_ns, stamps, head, outcome, chunks)| {
            let mut body = Vec::new();
            let mut reads = Vec::new();
            for (bytes, at_ns) in chunks {
                body.extend(bytes);
                reads.push(TraceRead { end: body.len() as u32, at_ns });
            }
            TraceRequest {
                ordinal: 0,
                intended_ns,
                started_ns,
                connected_ns: stamps.0,
                first_byte_written_ns: stamps.1,
                last_byte_written_ns: stamps.2,
                ended_ns,
                head: head.map(|(status, at_ns, headers)| TraceHead { status, at_ns, headers }),
                outcome,
                body: body.into(),
                reads,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_request_survives(requests in proptest::collection::vec(any_request(), 0..6)) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("trace.parquet");
        let all: Vec<TraceRequest> = (0..).zip(requests).map(|(ordinal, request)| TraceRequest { ordinal, ..request }).collect();
        write(&path, &all).unwrap();
        prop_assert_eq!(read_trace(&path, TraceLimits::default()).unwrap(), all);
    }
}
