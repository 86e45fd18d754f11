//! Traces of each format with some bytes changed: read as what they are or refused in words, never replayed out of order, never a
//! panic.
//!
//! The first byte picks the trace, the others change it, four bytes a time: where (two bytes), what to do, and a byte for it.
#![no_main]

use std::path::PathBuf;
use std::time::Duration;

use bench_load::{Format, Length, Replay, ReplaySpec};
use libfuzzer_sys::fuzz_target;

const TRACES: [&str; 5] = [
    "{\"timestamp\": 0, \"input_length\": 6755, \"output_length\": 500, \"hash_ids\": [0, 1, 2]}\n\
     {\"timestamp\": 27482.5, \"input_length\": 7000.0, \"output_length\": 3, \"hash_ids\": null}\n",
    "{\"timestamp\": 0, \"input_length\": 10, \"output_length\": 5, \"session_id\": \"a\", \"delay\": 5}\n",
    "{\"chat_id\": 1, \"parent_chat_id\": -1, \"timestamp\": 0.5, \"input_length\": 40, \"output_length\": 7, \"type\": \"text\", \
     \"turn\": 1, \"hash_ids\": [1, 2]}\n",
    "TIMESTAMP,ContextTokens,GeneratedTokens\r\n\"2023-11-16 18:15:46.6805900\",\"374\",44\r\n2023-11-16 18:15:50.9951690,396,109\r\n",
    "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n",
];

fuzz_target!(|input: &[u8]| {
    let [which, requests, format, changes @ ..] = input else { return };
    let mut trace = TRACES[usize::from(*which) % TRACES.len()].as_bytes().to_vec();
    for change in changes.as_chunks::<4>().0 {
        let [high, low, kind, value] = *change;
        let at = usize::from(u16::from_be_bytes([high, low])) % (trace.len() + 1);
        let end = (at + usize::from(value)).min(trace.len());
        match kind % 4 {
            0 => trace.insert(at, value),
            1 => drop(trace.drain(at..end)),
            2 if trace.len() < 1 << 16 => trace.extend_from_within(at..end),
            _ => {
                if let Some(byte) = trace.get_mut(at) {
                    *byte = value;
                }
            }
        }
    }
    let formats = [Format::Mooncake, Format::Aiperf, Format::Bailian, Format::Azure, Format::BurstGpt];
    let format = formats.get(usize::from(*format) % 8).copied();
    let most = u32::from(*requests) + 1;
    let length = Length { duration: Some(Duration::from_secs(60)), requests: Some(most) };
    let spec = ReplaySpec { path: PathBuf::new(), speed: 1.0, format };
    match Replay::read(trace.as_slice(), &spec, length) {
        Ok(replay) => {
            assert!(replay.requests.len() <= most as usize);
            let schedule = replay.schedule(length);
            assert!(schedule.arrivals.is_sorted_by_key(|arrival| arrival.at_ns));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
