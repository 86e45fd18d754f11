//! The mapping from bytes to reads, for any answer and any cutting into reads.

use bench_wire::http1::{End, map};
use proptest::prelude::*;

/// An answer, and for each of its bytes whether it is of the body.
#[derive(Clone, Debug, Default)]
struct Answer {
    bytes: Vec<u8>,
    is_body: Vec<bool>,
    until_close: bool,
}

impl Answer {
    fn framing(&mut self, text: impl AsRef<[u8]>) {
        self.add(text.as_ref(), false);
    }

    fn body(&mut self, bytes: &[u8]) {
        self.add(bytes, true);
    }

    fn add(&mut self, bytes: &[u8], is_body: bool) {
        self.bytes.extend_from_slice(bytes);
        self.is_body.resize(self.bytes.len(), is_body);
    }
}

#[derive(Clone, Debug)]
enum Framing {
    Length,
    UntilClose,
    Chunked { extension: String, trailers: usize },
}

fn framing() -> impl Strategy<Value = Framing> {
    prop_oneof![
        Just(Framing::Length),
        Just(Framing::UntilClose),
        (prop_oneof![Just(String::new()), "[ \t]{0,2};[a-z=\";]{0,8}"], 0..3_usize)
            .prop_map(|(extension, trailers)| Framing::Chunked { extension, trailers }),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let chunks = prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..12);
    (framing(), chunks, 0..3_u32, "[a-zA-Z-]{1,12}", "[ -~]{0,20}").prop_map(
        |(framing, chunks, interim, name, value)| {
            let mut answer = Answer::default();
            for _ in 0..interim {
                answer.framing("HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n");
            }
            answer.framing(format!("HTTP/1.1 200 OK\r\nx-{name}: {value}\r\n"));
            match framing {
                Framing::Length => {
                    answer.framing(format!("Content-Length: {}\r\n\r\n", chunks.concat().len()));
                    answer.body(&chunks.concat());
                }
                Framing::UntilClose => {
                    answer.until_close = true;
                    answer.framing("\r\n");
                    answer.body(&chunks.concat());
                }
                Framing::Chunked { extension, trailers } => {
                    answer.framing("Transfer-Encoding: chunked\r\n\r\n");
                    for chunk in &chunks {
                        answer.framing(format!("{:X}{extension}\r\n", chunk.len()));
                        answer.body(chunk);
                        answer.framing("\r\n");
                    }
                    answer.framing("0\r\n");
                    (0..trailers).for_each(|_| answer.framing("x-trailer: 1\r\n"));
                    answer.framing("\r\n");
                }
            }
            answer
        },
    )
}

/// Ascending ends of reads that cut `length` bytes in random places.
fn cut(length: usize, cuts: &[prop::sample::Index]) -> Vec<usize> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(length) + 1).collect();
    ends.push(length);
    ends.sort_unstable();
    ends.dedup();
    ends
}

proptest! {
    #[test]
    fn each_byte_is_attributed_to_its_read(answer in answer(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..60)) {
        let ends = cut(answer.bytes.len(), &cuts);
        let mapped = map(&answer.bytes, &ends, true, false);
        prop_assert_eq!(mapped.end, End::Complete { extra: 0 });
        let at: Vec<usize> = (0..answer.bytes.len()).filter(|at| answer.is_body[*at]).collect();
        prop_assert_eq!(&mapped.body, &at.iter().map(|at| answer.bytes[*at]).collect::<Vec<_>>());
        // The read of each byte of the body, worked out one by one.
        let wanted: Vec<usize> = at.iter().map(|at| ends.iter().position(|end| at < end).unwrap()).collect();
        let mut start = 0;
        let mut found = Vec::new();
        for (end, read) in &mapped.reads {
            found.extend(std::iter::repeat_n(*read, *end as usize - start));
            start = *end as usize;
        }
        prop_assert_eq!(found, wanted);
        prop_assert!(mapped.reads.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
        let head = mapped.head.unwrap();
        let first = answer.is_body.iter().position(|is_body| *is_body).unwrap_or(answer.bytes.len());
        prop_assert!(head.read == 0 || ends[head.read - 1] < first);
    }

    #[test]
    fn a_cut_answer_is_partial(answer in answer(), at in any::<prop::sample::Index>()) {
        let kept = at.index(answer.bytes.len());
        let mapped = map(&answer.bytes[..kept], &[kept], answer.until_close, false);
        let whole = map(&answer.bytes, &[answer.bytes.len()], true, false);
        prop_assert!(whole.body.starts_with(&mapped.body));
        let in_head = mapped.head.is_none();
        let complete = matches!(mapped.end, End::Complete { .. });
        prop_assert_eq!(complete, answer.until_close && !in_head);
    }

    #[test]
    fn any_bytes_are_survived(raw in prop::collection::vec(any::<u8>(), 0..200), ends in prop::collection::vec(0..300_usize, 0..8), eof: bool, bodiless: bool) {
        let with_head = [&b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"[..], &raw].concat();
        for raw in [raw, with_head] {
            let mapped = map(&raw, &ends, eof, bodiless);
            prop_assert!(mapped.body.len() <= raw.len());
        }
    }
}
