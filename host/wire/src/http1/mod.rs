//! HTTP/1 answers, read from the bytes of a connection (RFC 9112).
//!
//! [`Reader`] is the reading itself. [`map`] goes over an exchange that has ended and says which read brought which part
//! of the body.

mod counts;
mod fields;
mod reader;

pub use counts::{Excess, FRAMING_ALLOWANCE, FRAMING_RATIO, MAX_EXTENSIONS};
pub use reader::{FinalHead, Reader, Standing};

/// The final answer among the bytes of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// `None` while the head is not complete.
    pub head: Option<MappedHead>,
    /// The body as far as it came, without transfer framing.
    pub body: Vec<u8>,
    /// The reads that brought bytes of the body: the offset in the body after the read's last byte, and the index of the
    /// read. Offsets and indices ascend strictly; the last offset is the body's length.
    pub reads: Vec<(u32, usize)>,
    /// How the bytes ended.
    pub end: End,
}

/// The head of the final answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedHead {
    /// Status code.
    pub status: u16,
    /// Header fields in order, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Index of the read that brought the head's last byte.
    pub read: usize,
    /// Its length in bytes, without interim answers and empty lines before it.
    pub length: usize,
    /// Interim answers (1xx) before it.
    pub interim: u32,
}

/// How the bytes of an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With the answer, or so many bytes after it.
    Complete {
        /// Bytes after the answer, which nobody asked for.
        extra: usize,
    },
    /// Within the answer.
    Partial,
    /// They are no HTTP/1 answer from some point on.
    Malformed(&'static str),
}

/// Reads the answer to one request.
///
/// `raw` is everything that was read, `ends` the offset in `raw` after each read, ascending, the last one equal to the
/// length of `raw`. `eof` says that the server ended its side after that, `bodiless` that the request was one whose answer
/// has no body (`HEAD`). Any bytes are fine; none makes this panic. A caller that names too few reads finds the rest in
/// the last one.
#[must_use]
pub fn map(raw: &[u8], ends: &[usize], eof: bool, bodiless: bool) -> Mapped {
    let mut mapper = Mapper::new(bodiless);
    let mut from = 0;
    let last = ends.len().saturating_sub(1);
    for read in 0..=last {
        let end = if read == last { raw.len() } else { ends.get(read).copied().unwrap_or(from).clamp(from, raw.len()) };
        mapper.push(read, raw.get(from..end).unwrap_or_default());
        from = from.max(end);
    }
    mapper.finish(eof)
}

/// The same for pieces that come one after the other, so that the framed bytes need not be in memory together.
#[derive(Debug)]
pub(crate) struct Mapper {
    reader: Reader,
    body: Vec<u8>,
    reads: Vec<(u32, usize)>,
    head_read: Option<usize>,
    too_large: bool,
}

impl Mapper {
    pub(crate) fn new(bodiless: bool) -> Self {
        let reader = Reader::keeping_headers(bodiless);
        Self { reader, body: Vec::new(), reads: Vec::new(), head_read: None, too_large: false }
    }

    /// Takes the next piece, which came with this read. Reads do not descend.
    pub(crate) fn push(&mut self, read: usize, piece: &[u8]) {
        if self.too_large {
            return;
        }
        let before = self.body.len();
        let body = &mut self.body;
        self.reader.push(piece, |data| body.extend_from_slice(data));
        if self.reader.head().is_some() {
            self.head_read.get_or_insert(read);
        }
        if self.body.len() > before {
            match (u32::try_from(self.body.len()), self.reads.last_mut()) {
                (Ok(end), Some(last)) if last.1 == read => last.0 = end,
                (Ok(end), _) => self.reads.push((end, read)),
                (Err(_), _) => {
                    self.too_large = true;
                    self.body.truncate(before);
                }
            }
        }
    }

    /// There are no more pieces. `eof` says that the server ended its side.
    pub(crate) fn finish(mut self, eof: bool) -> Mapped {
        if eof {
            self.reader.finish();
        }
        let end = match self.reader.settle() {
            _ if self.too_large => End::Malformed("the body is larger than 4 GiB"),
            Standing::Complete => End::Complete { extra: self.reader.extra() },
            Standing::Malformed(reason) => End::Malformed(reason),
            Standing::Head | Standing::Body => End::Partial,
        };
        let read = self.head_read.unwrap_or_default();
        let head = self.reader.into_head().map(|head| MappedHead {
            status: head.status,
            headers: head.headers,
            read,
            length: head.length,
            interim: head.interim,
        });
        Mapped { head, body: self.body, reads: self.reads, end }
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    fn whole(raw: &[u8]) -> Mapped {
        map(raw, &[raw.len()], true, false)
    }

    #[test]
    fn sized_chunked_and_until_close() {
        for raw in [
            &b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\ncontent-length: 5\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, Chunked\r\n\r\n2;a=\"b\"\r\nhe\r\n03 \r\nllo\r\n0\r\nx: y\r\n\r\n",
            b"HTTP/1.0 200 OK\r\n\r\nhello",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200\r\ncontent-length: 5\r\n\r\nhello",
            b"\r\nHTTP/1.1 200 OK\ncontent-length: 5\n\nhello",
        ] {
            let mapped = whole(raw);
            assert_eq!(mapped.body, b"hello", "{}", raw.escape_ascii());
            assert_eq!(mapped.end, End::Complete { extra: 0 });
            assert_eq!(mapped.reads, [(5, 0)]);
            assert_eq!(mapped.head.map(|head| head.status), Some(200));
        }
    }

    #[test]
    fn bodies_that_are_none() {
        let raw = b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello";
        assert_eq!((whole(raw).body, whole(raw).end), (Vec::new(), End::Complete { extra: 5 }));
        let raw = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
        assert_eq!(map(raw, &[raw.len()], false, true).end, End::Complete { extra: 0 });
        assert!(whole(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").reads.is_empty());
    }

    #[test]
    fn every_cut_is_partial_and_keeps_what_came() {
        let raw = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
        let full = whole(raw);
        for cut in 0..raw.len() {
            let part = map(&raw[..cut], &[cut], true, false);
            assert_eq!(part.end, End::Partial);
            assert!(full.body.starts_with(&part.body));
        }
        let short = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello";
        assert_eq!((whole(short).body, whole(short).end), (b"hello".to_vec(), End::Partial));
        let open = b"HTTP/1.1 200 OK\r\n\r\nhello";
        assert_eq!(map(open, &[open.len()], false, false).end, End::Partial);
    }

    #[test]
    fn what_is_not_http_is_refused() {
        for raw in [
            &b"<html></html>\r\n\r\n"[..],
            b"\x15\x03\x01\x00\x02\x02\x16",
            b"HTTP/2 200 OK\r\n\r\n",
            b"HTTP/1.1 99999 OK\r\n\r\n",
            b"HTTP/1.1 099 OK\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\nhello",
            b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n11111111111111111\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nhello\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;\n\r\nh\r\n",
        ] {
            assert!(matches!(whole(raw).end, End::Malformed(_)), "{}", raw.escape_ascii());
        }
    }

    #[test]
    fn a_head_that_is_wrong_is_wrong_however_it_is_cut() {
        let raw = b"\n).";
        let whole = map(raw, &[3], false, false).end;
        assert!(matches!(whole, End::Malformed(_)));
        assert_eq!(map(raw, &[1, 2, 3], false, false).end, whole);
    }

    #[test]
    fn too_few_ends_are_no_panic() {
        let raw = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        assert!(map(raw, &[], true, false).body.len() <= 5);
        assert!(map(raw, &[3, 2, 1_000_000], true, false).body.len() <= 5);
    }
}
