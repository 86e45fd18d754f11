//! Which bytes of a connection are the body of an answer, and which socket read brought each of them.
//!
//! HTTP's own parser reads ahead of whoever takes the body, so what it hands out cannot be matched to socket reads. This is
//! a second reading of the same bytes, after the fact and without I/O: heads by `httparse`, framing (RFC 9112 section 6) by
//! rules as strict as those of the parser on the hot path. The caller checks that both agree.

use std::ops::Range;

/// Most header fields that a head may have, as on the hot path.
const MAX_HEADERS: usize = 100;

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
    /// Its length in bytes, without interim answers.
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
/// has no body (`HEAD`). Any bytes are fine; none makes this panic.
#[must_use]
pub fn map(raw: &[u8], ends: &[usize], eof: bool, bodiless: bool) -> Mapped {
    let mut mapped = Mapped { head: None, body: Vec::new(), reads: Vec::new(), end: End::Partial };
    let (head, framing, start) = match find_head(raw, ends, bodiless) {
        Ok(Some(found)) => found,
        Ok(None) => return mapped,
        Err(reason) => return Mapped { end: End::Malformed(reason), ..mapped },
    };
    mapped.head = Some(head);
    let mut segments = Vec::new();
    mapped.end = match framing {
        Framing::Length(length) => sized(raw, start, length, &mut segments),
        Framing::Chunked => Chunks { raw, at: start }.read(&mut segments),
        Framing::UntilClose => {
            segments.push(start..raw.len());
            if eof { End::Complete { extra: 0 } } else { End::Partial }
        }
    };
    if attribute(raw, ends, &segments, &mut mapped).is_none() {
        mapped.end = End::Malformed("the body is larger than 4 GiB");
    }
    mapped
}

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// The final head, how its body is framed and where that begins; `None` where the bytes end before that.
fn find_head(raw: &[u8], ends: &[usize], bodiless: bool) -> Result<Option<(MappedHead, Framing, usize)>, &'static str> {
    let mut start = 0;
    let mut interim = 0;
    loop {
        let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut fields);
        let length = match response.parse(raw.get(start..).unwrap_or_default()) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(error) => return Err(describe(error)),
        };
        start += length;
        let status = response.code.unwrap_or_default();
        match status {
            100 | 102..=199 => {
                interim += 1;
                continue;
            }
            101 => return Err("it changes to another protocol, which was not asked for"),
            200..=999 => {}
            _ => return Err("its status is out of range"),
        }
        let framing = framing(status, response.version == Some(0), response.headers, bodiless)?;
        let headers =
            response.headers.iter().map(|field| (field.name.to_ascii_lowercase(), field.value.to_vec())).collect();
        let read = ends.partition_point(|end| *end < start).min(ends.len().saturating_sub(1));
        return Ok(Some((MappedHead { status, headers, read, length, interim }, framing, start)));
    }
}

const fn describe(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::HeaderName => "a header name holds a character that has no place there",
        httparse::Error::HeaderValue => "a header value holds a character that has no place there",
        httparse::Error::NewLine => "a line ends in the wrong way",
        httparse::Error::Status => "the status line is wrong",
        httparse::Error::Token => "a token holds a character that has no place there",
        httparse::Error::TooManyHeaders => "it has too many header fields",
        httparse::Error::Version => "it does not begin with HTTP/1.0 or HTTP/1.1",
    }
}

/// RFC 9112 section 6.3.
fn framing(
    status: u16,
    http_1_0: bool,
    fields: &[httparse::Header<'_>],
    bodiless: bool,
) -> Result<Framing, &'static str> {
    if bodiless || matches!(status, 204 | 304) {
        return Ok(Framing::Length(0));
    }
    let values = |name: &'static str| {
        fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    };
    if let Some(last) = values("transfer-encoding").next_back() {
        if http_1_0 {
            return Err("HTTP/1.0 has no transfer-encoding");
        }
        let coding = last.rsplit(|byte| *byte == b',').next().unwrap_or_default();
        return Ok(if coding.trim_ascii().eq_ignore_ascii_case(b"chunked") {
            Framing::Chunked
        } else {
            Framing::UntilClose
        });
    }
    let mut length = None;
    for value in values("content-length").flat_map(|value| value.split(|byte| *byte == b',')) {
        let digits = value.trim_ascii();
        let parsed = std::str::from_utf8(digits).ok().filter(|_| digits.iter().all(u8::is_ascii_digit));
        let parsed = parsed.and_then(|digits| digits.parse::<u64>().ok()).ok_or("its content-length is no number")?;
        if *length.get_or_insert(parsed) != parsed {
            return Err("it has several values of content-length");
        }
    }
    Ok(length.map_or(Framing::UntilClose, Framing::Length))
}

fn sized(raw: &[u8], start: usize, length: u64, segments: &mut Vec<Range<usize>>) -> End {
    let available = raw.len().saturating_sub(start);
    let wanted = usize::try_from(length).unwrap_or(usize::MAX);
    segments.push(start..start + available.min(wanted));
    if wanted <= available { End::Complete { extra: available - wanted } } else { End::Partial }
}

/// Reader of the chunked coding (RFC 9112 section 7.1).
struct Chunks<'r> {
    raw: &'r [u8],
    at: usize,
}

impl Chunks<'_> {
    fn read(mut self, segments: &mut Vec<Range<usize>>) -> End {
        match self.try_read(segments) {
            Ok(()) => End::Complete { extra: self.raw.len().saturating_sub(self.at) },
            Err(end) => end,
        }
    }

    fn try_read(&mut self, segments: &mut Vec<Range<usize>>) -> Result<(), End> {
        loop {
            let size = self.size()?;
            if size == 0 {
                return self.trailers();
            }
            let end = usize::try_from(size).ok().and_then(|size| self.at.checked_add(size)).unwrap_or(usize::MAX);
            segments.push(self.at..end.min(self.raw.len()));
            self.at = end;
            self.expect(b'\r', "a chunk is longer than its size")?;
            self.expect(b'\n', "a chunk is longer than its size")?;
        }
    }

    /// A size line with its extensions.
    fn size(&mut self) -> Result<u64, End> {
        let mut size: u64 = 0;
        let mut digits = 0;
        let mut byte = loop {
            let byte = self.next()?;
            let Some(digit) = char::from(byte).to_digit(16) else { break byte };
            size = size
                .checked_mul(16)
                .and_then(|size| size.checked_add(u64::from(digit)))
                .ok_or(End::Malformed("a chunk size is too large"))?;
            digits += 1;
        };
        if digits == 0 {
            return Err(End::Malformed("a chunk has no size"));
        }
        while matches!(byte, b' ' | b'\t') {
            byte = self.next()?;
        }
        if byte == b';' {
            while byte != b'\r' {
                if byte == b'\n' {
                    return Err(End::Malformed("a chunk extension holds a line end"));
                }
                byte = self.next()?;
            }
        }
        if byte != b'\r' {
            return Err(End::Malformed("a chunk size is no number"));
        }
        self.expect(b'\n', "a chunk size line ends in the wrong way")?;
        Ok(size)
    }

    /// Trailer fields up to the empty line. Nothing in them is used.
    fn trailers(&mut self) -> Result<(), End> {
        loop {
            let mut byte = self.next()?;
            let empty = byte == b'\r';
            while byte != b'\r' {
                byte = self.next()?;
            }
            self.expect(b'\n', "a trailer line ends in the wrong way")?;
            if empty {
                return Ok(());
            }
        }
    }

    fn next(&mut self) -> Result<u8, End> {
        let byte = self.raw.get(self.at).copied().ok_or(End::Partial)?;
        self.at += 1;
        Ok(byte)
    }

    fn expect(&mut self, wanted: u8, otherwise: &'static str) -> Result<(), End> {
        if self.next()? == wanted { Ok(()) } else { Err(End::Malformed(otherwise)) }
    }
}

/// Puts the body together and says which read brought which part of it.
fn attribute(raw: &[u8], ends: &[usize], segments: &[Range<usize>], mapped: &mut Mapped) -> Option<()> {
    mapped.body.reserve_exact(segments.iter().map(Range::len).sum());
    let mut read = 0;
    for segment in segments {
        let mut at = segment.start;
        while at < segment.end {
            while ends.get(read).is_some_and(|end| *end <= at) {
                read += 1;
            }
            // A caller that names too few reads finds the rest in the last one.
            let until = ends.get(read).copied().unwrap_or(usize::MAX).min(segment.end);
            mapped.body.extend_from_slice(raw.get(at..until)?);
            let end = u32::try_from(mapped.body.len()).ok()?;
            match mapped.reads.last_mut() {
                Some(last) if last.1 == read => last.0 = end,
                _ => mapped.reads.push((end, read)),
            }
            at = until;
        }
    }
    Some(())
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
    fn too_few_ends_are_no_panic() {
        let raw = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        assert!(map(raw, &[], true, false).body.len() <= 5);
        assert!(map(raw, &[3, 2, 1_000_000], true, false).body.len() <= 5);
    }
}
