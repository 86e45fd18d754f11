//! Framing: the WHATWG grammar, any split, and the read that each message ends in.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::lines::{FrameError, LIMIT};
use bench_sdk::ndjson::NdJson;
use bench_sdk::sse::{Message, Sse};
use proptest::prelude::*;

/// A message with the read that it was found in.
type Seen = (u32, String);

fn show(message: Message<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match message {
        Message::Event { kind, data } => format!("{}|{}", text(kind), text(data)),
        Message::Comment(comment) => format!(":{}", text(comment)),
    }
}

fn frames(pushes: &[(&[u8], &[u32])]) -> Result<Vec<Seen>, FrameError> {
    let (mut sse, mut seen) = (Sse::default(), Vec::new());
    let mut keep = |message: Message<'_>, read| {
        seen.push((read, show(message)));
        Ok::<(), FrameError>(())
    };
    for (bytes, ends) in pushes {
        sse.push(bytes, ends, &mut keep)?;
    }
    sse.finish(&mut keep)?;
    Ok(seen)
}

fn texts(body: &[u8]) -> Vec<String> {
    let seen = frames(&[(body, &[u32::try_from(body.len()).unwrap()])]).unwrap();
    seen.into_iter().map(|(_, text)| text).collect()
}

#[test]
fn every_line_ending_ends_a_line() {
    for ending in ["\n", "\r\n", "\r"] {
        let body = ["data: one", "", "event: e", "data:two", "data", "data:  three", "", ": hi", ""].join(ending);
        assert_eq!(texts(body.as_bytes()), ["|one", "e|two\n\n three", ":hi"], "{ending:?}");
    }
}

#[test]
fn fields_follow_the_standard() {
    assert_eq!(texts(b"\xEF\xBB\xBFdata: bom\n\n"), ["|bom"]);
    assert_eq!(texts(b"data:\n\n"), ["|"], "an empty data field is an event");
    assert_eq!(texts(b"event: alone\n\ndata: x\n\n"), ["|x"], "no event without data, and its name is forgotten");
    assert_eq!(texts(b"id: 1\nretry: 5\ndatax: no\n data: no\ndata: yes\n\n"), ["|yes"]);
    assert_eq!(texts(b"\n\n\n"), Vec::<String>::new());
    assert_eq!(texts(b"data: a\n: inside\ndata: b\n\n"), ["|a\nb"], "a comment inside an event is passed over");
}

#[test]
fn the_end_of_the_body_ends_the_last_event() {
    assert_eq!(texts(b"data: a\n\ndata: b\n"), ["|a", "|b"]);
    assert_eq!(texts(b"data: a\n\ndata: b"), ["|a", "|b"]);
}

#[test]
fn a_message_belongs_to_the_read_with_the_last_byte_of_its_data() {
    // The line ending and the blank line come later and do not count; the second line of data does.
    let body = b"data: ab\n\ndata: c\ndata: d\n\n";
    assert_eq!(frames(&[(body, &[7, 8, 9, 10, 25, 26, 27])]).unwrap(), [(1, "|ab".into()), (4, "|c\nd".into())]);
    let one_by_one: Vec<(&[u8], &[u32])> = body.chunks(1).map(|byte| (byte, &[1_u32] as &[u32])).collect();
    assert_eq!(frames(&one_by_one).unwrap(), [(7, "|ab".into()), (24, "|c\nd".into())]);
}

#[test]
fn empty_reads_and_empty_pushes_count_as_reads() {
    let pushes: [(&[u8], &[u32]); 4] = [(b"", &[]), (b"", &[0]), (b"data: a", &[0, 7, 7]), (b"\n\n", &[2])];
    assert_eq!(frames(&pushes).unwrap(), [(2, "|a".into())]);
}

#[test]
fn wrong_ends_are_refused() {
    for ends in [&[] as &[u32], &[4], &[6], &[3, 2, 5], &[9, 5]] {
        assert_eq!(frames(&[(b"data:", ends)]), Err(FrameError::Reads), "{ends:?}");
    }
}

#[test]
fn endless_lines_and_endless_events_are_refused() {
    let block = vec![b'x'; 1 << 20];
    let ends = [u32::try_from(block.len()).unwrap()];
    let line: Vec<(&[u8], &[u32])> = vec![(&block, &ends); (LIMIT >> 20) + 1];
    assert_eq!(frames(&line), Err(FrameError::TooLong));
    let mut data = b"data: ".to_vec();
    data.extend(&block);
    data.push(b'\n');
    let ends = [u32::try_from(data.len()).unwrap()];
    let event: Vec<(&[u8], &[u32])> = vec![(&data, &ends); (LIMIT >> 20) + 1];
    assert_eq!(frames(&event), Err(FrameError::TooLong));
}

#[test]
fn json_lines() {
    let (mut lines, mut seen) = (NdJson::default(), Vec::new());
    let mut keep = |line: &[u8], read: u32| {
        seen.push((read, String::from_utf8_lossy(line).into_owned()));
        Ok::<(), FrameError>(())
    };
    lines.push(b"{\"a\":1}\r\n\n {\"b\"", &[3, 15], &mut keep).unwrap();
    lines.push(b":2}\n{}", &[2, 6], &mut keep).unwrap();
    lines.finish(&mut keep).unwrap();
    assert_eq!(seen, [(1, "{\"a\":1}".into()), (3, "{\"b\":2}".into()), (3, "{}".into())]);
}

/// A plain reading of the standard: all lines first, then their fields. The offset is that of the data's last byte.
fn reference(body: &str) -> Vec<(usize, String)> {
    let body_bytes = body.as_bytes();
    let (mut lines, mut start, mut at) = (Vec::new(), 0, 0);
    while at < body_bytes.len() {
        if matches!(body_bytes[at], b'\r' | b'\n') {
            lines.push((start, &body[start..at]));
            at += usize::from(body[at..].starts_with("\r\n"));
            start = at + 1;
        }
        at += 1;
    }
    if start < body.len() {
        lines.push((start, &body[start..]));
    }
    lines.push((0, ""));
    let (mut seen, mut data, mut kind, mut last) = (Vec::new(), None::<Vec<String>>, String::new(), 0);
    for (start, line) in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            _ if line.is_empty() => {
                if let Some(data) = data.take() {
                    seen.push((last, format!("{kind}|{}", data.join("\n"))));
                }
                kind.clear();
            }
            "" if data.is_none() => seen.push((start + line.len() - 1, format!(":{value}"))),
            "data" => {
                data.get_or_insert_default().push(value.to_owned());
                last = start + line.len() - 1;
            }
            "event" => value.clone_into(&mut kind),
            _ => {}
        }
    }
    seen
}

proptest! {
    #[test]
    fn any_stream_in_any_batches_reads_as_the_standard_says(
        pieces in prop::collection::vec("data: |data:|data|event: e|: c|:|é漢|\n|\n\n|\r|\r\n|[a-z]{1,3}|\\{\"x\":1\\}|id: 3| ", 0..40),
        cuts in prop::collection::vec(0_usize..400, 0..30),
        batches in prop::collection::vec(0_usize..30, 0..5),
    ) {
        let body = pieces.concat();
        let mut ends: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
        ends.push(body.len());
        ends.sort_unstable();
        let mut borders: Vec<usize> = batches.into_iter().map(|border| border.min(ends.len())).collect();
        borders.extend([0, ends.len()]);
        borders.sort_unstable();
        let mut pushes = Vec::new();
        for border in borders.windows(2) {
            let start = if border[0] == 0 { 0 } else { ends[border[0] - 1] };
            let relative: Vec<u32> = ends[border[0]..border[1]].iter().map(|end| u32::try_from(end - start).unwrap()).collect();
            let end = start + relative.last().map_or(0, |end| *end as usize);
            pushes.push((&body.as_bytes()[start..end], relative));
        }
        let pushes: Vec<(&[u8], &[u32])> = pushes.iter().map(|(bytes, ends)| (*bytes, ends.as_slice())).collect();
        let expected: Vec<Seen> = reference(&body)
            .into_iter()
            .map(|(offset, text)| (u32::try_from(ends.partition_point(|end| *end <= offset)).unwrap(), text))
            .collect();
        prop_assert_eq!(frames(&pushes).unwrap(), expected);
    }

    #[test]
    fn no_bytes_are_too_odd(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let whole = frames(&[(&body, &[u32::try_from(body.len()).unwrap()])]).unwrap();
        let single: Vec<(&[u8], &[u32])> = body.chunks(1).map(|byte| (byte, &[1_u32] as &[u32])).collect();
        let strip = |seen: Vec<Seen>| seen.into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        prop_assert_eq!(strip(whole), strip(frames(&single).unwrap()));
    }
}
