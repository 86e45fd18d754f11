//! Any text as a load and any bytes as a trace: an error or a schedule that keeps its promises, never a panic.
#![no_main]

use std::path::PathBuf;
use std::time::Duration;

use bench_load::{Length, LoadSpec, Replay, ReplaySpec, Schedule, schedule};
use libfuzzer_sys::fuzz_target;

fn check(schedule: &Schedule, most: u32) {
    assert!(schedule.arrivals.len() <= most as usize);
    assert!(schedule.arrivals.is_sorted_by_key(|arrival| arrival.at_ns));
    assert!(schedule.arrivals.iter().all(|arrival| (arrival.stage as usize) < schedule.stages.len()));
    assert!(schedule.stages.is_sorted_by(|a, b| a.to_ns <= b.from_ns));
}

fuzz_target!(|input: (&str, &[u8], u16, u16, u64)| {
    let (text, trace, millis, requests, seed) = input;
    let most = u32::from(requests).min(10_000);
    let length = Length { duration: Some(Duration::from_millis(millis.into())), requests: Some(most) };
    if let Ok(spec) = text.parse::<LoadSpec>() {
        // What is printed says the same.
        assert_eq!(spec.to_string().parse::<LoadSpec>().as_ref(), Ok(&spec));
        if let Ok(drawn) = schedule(&spec, length, seed) {
            check(&drawn, most);
        }
    }
    let spec = ReplaySpec { path: PathBuf::new(), speed: 1.0, format: None };
    if let Ok(replay) = Replay::read(trace, &spec, length) {
        assert!(replay.requests.len() <= most as usize);
        check(&replay.schedule(length), most);
    }
});
