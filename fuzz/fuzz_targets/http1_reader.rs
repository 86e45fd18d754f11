//! The reader by itself, over any bytes in any pieces, again and again: what it hands out and keeps has bounds, and how the bytes
//! are cut bears on nothing. Run it with `-rss_limit_mb=512`.
#![no_main]

use bench_wire::http1::{FRAMING_ALLOWANCE, FRAMING_RATIO, MAX_EXTENSIONS, Reader, Standing};
use libfuzzer_sys::fuzz_target;

const MAX_HEAD: usize = 4 << 10;
const MAX_BODY: u64 = 256 << 10;
/// Bytes of one run.
const TOTAL: usize = 2 << 20;

const STARTS: [&str; 4] = [
    "",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
];

fuzz_target!(|input: (u8, bool, bool, Vec<u8>, Vec<u8>, u16)| {
    let (start, bodiless, again, bytes, steps, repeats) = input;
    let start = STARTS[usize::from(start) % STARTS.len()].as_bytes();
    let mut reader = Reader::new(bodiless);
    let (mut taken, mut body, mut largest) = (0_u64, 0_u64, 0_u64);
    let repeats = if again { usize::from(repeats).min(TOTAL / bytes.len().max(1)) } else { 1 };
    let parts = std::iter::once(start).chain(std::iter::repeat_n(bytes.as_slice(), repeats));
    'parts: for part in parts {
        let mut rest = part;
        let mut steps = steps.iter().cycle();
        while !rest.is_empty() {
            let step = steps.next().map_or(rest.len(), |step| usize::from(*step).max(1)).min(rest.len());
            let (piece, after) = rest.split_at(step);
            rest = after;
            reader.push(piece, |data| body += data.len() as u64);
            taken += piece.len() as u64;
            largest = largest.max(piece.len() as u64);
            assert_eq!(body, reader.body_bytes());
            // What a client asks after each read.
            let done = matches!(reader.standing(), Standing::Complete | Standing::Malformed(_));
            if done || reader.excess(MAX_HEAD).is_some() || body > MAX_BODY {
                break 'parts;
            }
        }
    }
    // All that was taken until the client stopped: both bounds on heads and trailers, extensions, the body and its framing, and the
    // piece that went beyond.
    let framing = FRAMING_ALLOWANCE + FRAMING_RATIO * body;
    let most = 2 * MAX_HEAD as u64 + MAX_EXTENSIONS + body + framing + largest;
    assert!(taken <= most, "{taken} bytes were taken, more than {most}");
    assert!(reader.head_bytes() as u64 <= MAX_HEAD as u64 + largest);

    // In one piece the bytes mean the same.
    let all: Vec<u8> = start.iter().chain(&bytes).copied().collect();
    let (mut cut, mut at_once) = (Reader::new(bodiless), Reader::new(bodiless));
    let (mut cut_body, mut body_at_once) = (Vec::new(), Vec::new());
    let mut rest = all.as_slice();
    let mut steps = steps.iter().cycle();
    while !rest.is_empty() {
        let step = steps.next().map_or(rest.len(), |step| usize::from(*step).max(1)).min(rest.len());
        let (piece, after) = rest.split_at(step);
        cut.push(piece, |data| cut_body.extend_from_slice(data));
        rest = after;
    }
    at_once.push(&all, |data| body_at_once.extend_from_slice(data));
    assert_eq!(cut.settle(), at_once.settle());
    assert_eq!(cut_body, body_at_once);
    if !matches!(cut.standing(), Standing::Malformed(_)) {
        assert_eq!(cut.excess(MAX_HEAD), at_once.excess(MAX_HEAD));
    }
});
