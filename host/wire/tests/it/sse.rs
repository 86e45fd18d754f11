//! Framing of server-sent events against a slow reading of the standard.

use bench_wire::sse::{Ending, FrameCounter, Framer, Message};
use proptest::prelude::*;

fn frame(pieces: &[&[u8]]) -> (Vec<Message>, Ending) {
    let mut framer = Framer::new(1 << 20);
    let mut messages = Vec::new();
    for piece in pieces {
        framer.push(piece, |message| messages.push(message)).unwrap();
    }
    (messages, framer.finish())
}

fn data(stream: &str) -> Vec<String> {
    frame(&[stream.as_bytes()]).0.into_iter().map(|message| message.data).collect()
}

#[test]
fn what_the_standard_says() {
    for (stream, wanted) in [
        ("data: a\n\n", vec!["a"]),
        ("data: a\r\n\r\ndata: b\r\rdata: c\n\n", vec!["a", "b", "c"]),
        ("data: YHOO\ndata: +2\ndata: 10\n\n", vec!["YHOO\n+2\n10"]),
        (": keepalive 1/2\n\ndata:  two spaces\n\n:\n\n", vec![" two spaces"]),
        ("data\n\ndata\ndata\n\ndata:", vec!["", "\n"]),
        ("data:test\n\ndata: test\n\n", vec!["test", "test"]),
        ("\u{feff}data: marked\n\n\u{feff}data: not the start\n\n", vec!["marked"]),
        ("event: only\n\nid: 1\n\ndatabase: x\n\n data: x\n\nDATA: x\n\n", vec![]),
        ("data: unfinished\n", vec![]),
        ("data: {\"a\": \"b:c\"}\n\n", vec!["{\"a\": \"b:c\"}"]),
    ] {
        assert_eq!(data(stream), wanted, "{stream:?}");
    }
}

#[test]
fn fields_and_ranges() {
    let stream = "event: a\nid: 7\nretry: 250\ndata: x\n\n: note\nevent:b\nid: n\0l\nretry: soon\ndata: y\n\n";
    let mut framer = Framer::new(100);
    let mut messages = Vec::new();
    framer.push(stream.as_bytes(), |message| messages.push(message)).unwrap();
    assert_eq!(framer.retry(), Some(250));
    let [first, second] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!((first.event.as_deref(), first.id.as_deref(), first.data.as_str()), (Some("a"), Some("7"), "x"));
    assert_eq!((second.event.as_deref(), second.id.as_deref(), second.data.as_str()), (Some("b"), Some("7"), "y"));
    let middle = stream.find(": note").unwrap() as u64;
    assert_eq!((first.range.clone(), second.range.clone()), (0..middle, middle..stream.len() as u64));
}

#[test]
fn unfinished_events_are_told() {
    let ending = |stream: &str| frame(&[stream.as_bytes()]).1;
    assert_eq!(ending("data: a\n\n"), Ending::Clean);
    assert_eq!(ending("data: a\r\n\r\n"), Ending::Clean);
    assert_eq!(ending(""), Ending::Clean);
    for unfinished in ["data: a\n\ndata: b\n", "data: a\n\ndata: b", "data: a\n\nda"] {
        assert_eq!(ending(unfinished), Ending::Unfinished { from: 9 });
    }
}

#[test]
fn endless_events_are_refused() {
    let mut framer = Framer::new(10);
    framer.push(b"data: 1\n\ndata: 2\n\n", |_| {}).unwrap();
    let error = framer.push(b"data: 12345", |_| {}).unwrap_err();
    assert_eq!((error.from, error.code()), (18, "event-too-large"));
    assert_eq!(framer.push(b"\n\n", |_| panic!("after an error")).unwrap_err(), error);
}

/// The standard's algorithm on the whole stream at once: data of each event, and the bytes it takes up.
fn slowly(stream: &[u8]) -> Vec<(String, std::ops::Range<u64>)> {
    let mut lines = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < stream.len() {
        let wide = stream[at..].starts_with(b"\r\n");
        if wide || stream[at] == b'\n' || stream[at] == b'\r' {
            lines.push((&stream[start..at], at + 1));
            at += usize::from(wide);
            start = at + 1;
        }
        at += 1;
    }
    let mut events = Vec::new();
    let mut values: Vec<&[u8]> = Vec::new();
    let mut from = 0;
    for (number, (mut line, end)) in lines.into_iter().enumerate() {
        if number == 0 {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            if !values.is_empty() {
                let data = values.join(&b'\n');
                events.push((String::from_utf8_lossy(&data).into_owned(), from..end as u64));
            }
            values.clear();
            from = end as u64 + u64::from(stream.get(end - 1..=end) == Some(b"\r\n"));
        } else if line == b"data" {
            values.push(b"");
        } else if let Some(value) = line.strip_prefix(b"data:") {
            values.push(value.strip_prefix(b" ").unwrap_or(value));
        }
    }
    events
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec!["\n", "\r", "\r\n", "\n\n", "\r\n\r\n"]).prop_map(|text| text.as_bytes().to_vec()),
        4 => prop::sample::select(vec!["data: ", "data:", "data", "event: x", "id: 1", ":", "\u{feff}", "retry: 1", " ", "\u{20ac}\u{1f980}"])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_cutting_gives_what_the_standard_says(stream in stream(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.push(stream.len());
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut start = 0;
        for cut in cuts {
            pieces.push(&stream[start..cut]);
            start = cut;
        }
        let (messages, _) = frame(&pieces);
        let found: Vec<_> = messages.into_iter().map(|message| (message.data, message.range)).collect();
        prop_assert_eq!(&found, &slowly(&stream));
        let mut counter = FrameCounter::new();
        prop_assert_eq!(pieces.iter().map(|piece| counter.push(piece)).sum::<u64>(), found.len() as u64);
    }
}
