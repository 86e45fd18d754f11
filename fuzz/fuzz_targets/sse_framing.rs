//! Any stream, cut in any way: the same events, in the same places, and as many as the counter says.
#![no_main]

use bench_wire::sse::{FrameCounter, Framer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], Vec<u8>)| {
    let (stream, steps) = input;
    let mut whole = Vec::new();
    let mut framer = Framer::new(usize::MAX);
    framer.push(stream, |message| whole.push(message)).expect("there is no limit");

    let mut pieces = Vec::new();
    let mut counter = FrameCounter::new();
    let mut counted = 0;
    let mut cut = Framer::new(usize::MAX);
    let mut rest = stream;
    for step in steps.into_iter().map(usize::from).chain([usize::MAX]) {
        let (piece, after) = rest.split_at(step.min(rest.len()));
        cut.push(piece, |message| pieces.push(message)).expect("there is no limit");
        counted += counter.push(piece);
        rest = after;
    }
    assert_eq!(pieces, whole);
    assert_eq!(counted, whole.len() as u64);
    assert_eq!(cut.retry(), framer.retry());
    assert_eq!(cut.finish(), framer.finish());
    for pair in whole.windows(2) {
        assert!(pair[0].range.end <= pair[1].range.start);
    }
    for message in &whole {
        assert!(message.range.start < message.range.end && message.range.end <= stream.len() as u64);
    }
    assert!(
        Framer::new(8).push(stream, |message| assert!(message.range.end - message.range.start <= 9)).is_ok()
            || stream.len() > 8
    );
});
