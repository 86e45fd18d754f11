//! Reads an answer as it comes, in pieces of any size.
//!
//! It runs on the hot path, where only the end of the answer has to be found, and once more over the kept bytes, where the
//! body is put together. Both times it is the same reading, so the two cannot differ.

use super::counts::{Counts, Excess};
use super::fields::{Framing, framing, persistent};

/// Most header fields that a head may have.
const MAX_HEADERS: usize = 100;

/// The final head of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalHead {
    /// Status code.
    pub status: u16,
    /// Header fields in order, names in lower case; empty unless they were asked for.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Its length in bytes, without interim answers and empty lines before it.
    pub length: usize,
    /// Interim answers (1xx) before it.
    pub interim: u32,
}

/// Where the reading stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In the head, or in an interim answer before it.
    Head,
    /// In the body or its framing.
    Body,
    /// The answer is complete.
    Complete,
    /// The bytes are no HTTP/1 answer from some point on.
    Malformed(&'static str),
}

/// A reader of one answer.
#[derive(Debug)]
pub struct Reader {
    bodiless: bool,
    keeps_headers: bool,
    state: State,
    /// Bytes of the head that is being read.
    partial: Vec<u8>,
    /// Some of them have not been looked at.
    unseen: bool,
    /// Bytes of interim answers and of empty lines before a head.
    skipped: usize,
    interim: u32,
    head: Option<FinalHead>,
    persistent: bool,
    /// Bytes after the answer, which nobody asked for.
    extra: usize,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Sized { left: u64 },
    Chunked(Chunk),
    UntilClose,
    Complete,
    Malformed(&'static str),
}

/// Places in the chunked coding (RFC 9112 section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunk {
    Size {
        value: u64,
        digits: bool,
    },
    AfterSize {
        value: u64,
    },
    Extension {
        value: u64,
    },
    SizeEnd {
        value: u64,
    },
    Data {
        left: u64,
    },
    DataCr,
    DataLf,
    /// At the start of a trailer line, or of the empty line that ends the answer.
    TrailerStart,
    Trailer,
    TrailerEnd {
        last: bool,
    },
}

impl Reader {
    /// A reader of the answer to one request. `bodiless` says that the request was one whose answer has no body (`HEAD`).
    #[must_use]
    pub fn new(bodiless: bool) -> Self {
        Self {
            bodiless,
            keeps_headers: false,
            state: State::Head,
            partial: Vec::new(),
            unseen: false,
            skipped: 0,
            interim: 0,
            head: None,
            persistent: false,
            extra: 0,
            counts: Counts::default(),
        }
    }

    /// The same, which keeps the header fields of the final head.
    #[must_use]
    pub fn keeping_headers(bodiless: bool) -> Self {
        Self { keeps_headers: true, ..Self::new(bodiless) }
    }

    /// Takes the next bytes and hands out the pieces of the body among them.
    pub fn push(&mut self, bytes: &[u8], mut body: impl FnMut(&[u8])) -> Standing {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.state {
                State::Head => self.in_head(rest),
                State::Sized { left } => {
                    let (data, after) = split(rest, left);
                    body(data);
                    self.counts.body += data.len() as u64;
                    let left = left - data.len() as u64;
                    self.state = if left == 0 { State::Complete } else { State::Sized { left } };
                    after
                }
                State::Chunked(Chunk::Data { left }) => {
                    let (data, after) = split(rest, left);
                    body(data);
                    self.counts.body += data.len() as u64;
                    let left = left - data.len() as u64;
                    self.state = State::Chunked(if left == 0 { Chunk::DataCr } else { Chunk::Data { left } });
                    after
                }
                State::Chunked(place) if let Some((state, after)) = usual_framing(place, rest) => {
                    self.state = state;
                    self.counts.framing += (rest.len() - after.len()) as u64;
                    after
                }
                State::Chunked(place) => {
                    let Some((byte, after)) = rest.split_first() else { break };
                    self.state = framing_byte(place, *byte);
                    self.count(place);
                    after
                }
                State::UntilClose => {
                    body(rest);
                    self.counts.body += rest.len() as u64;
                    &[]
                }
                State::Complete => {
                    self.extra += rest.len();
                    &[]
                }
                State::Malformed(_) => &[],
            };
        }
        self.standing()
    }

    /// Looks at whatever [`push`](Self::push) has left for later, so that where the reading stands does not depend on how the
    /// bytes were cut.
    pub fn settle(&mut self) -> Standing {
        if self.state == State::Head && std::mem::take(&mut self.unseen) {
            let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
            // Without a line end it cannot be complete; it can be wrong.
            if let Err(error) = httparse::Response::new(&mut fields).parse(&self.partial) {
                self.state = State::Malformed(describe(error));
            }
        }
        self.standing()
    }

    /// The server has ended its side.
    pub fn finish(&mut self) -> Standing {
        self.settle();
        if self.state == State::UntilClose {
            self.state = State::Complete;
        }
        self.standing()
    }

    /// Where the reading stands.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match self.state {
            State::Head => Standing::Head,
            State::Complete => Standing::Complete,
            State::Malformed(reason) => Standing::Malformed(reason),
            _ => Standing::Body,
        }
    }

    /// The final head, once it is complete.
    #[must_use]
    pub const fn head(&self) -> Option<&FinalHead> {
        self.head.as_ref()
    }

    /// The final head of an answer that is done with.
    #[must_use]
    pub fn into_head(self) -> Option<FinalHead> {
        self.head
    }

    /// Bytes of heads so far, interim ones and empty lines before them included.
    #[must_use]
    pub fn head_bytes(&self) -> usize {
        self.skipped + self.head.as_ref().map_or(self.partial.len(), |head| head.length)
    }

    /// Bytes of the body so far.
    #[must_use]
    pub const fn body_bytes(&self) -> u64 {
        self.counts.body
    }

    /// What the answer has too much of so far, apart from its body. `max_head` bounds the heads and, by themselves, the
    /// trailers. Whoever asks after each piece keeps the bytes of an answer within its body's bound times
    /// `1 + FRAMING_RATIO` and a fixed number of bytes.
    #[must_use]
    pub fn excess(&self, max_head: usize) -> Option<Excess> {
        if self.head_bytes() > max_head { Some(Excess::Head) } else { self.counts.excess(max_head) }
    }

    /// Counts a byte of framing that was taken at `place`.
    fn count(&mut self, place: Chunk) {
        match place {
            Chunk::TrailerStart | Chunk::Trailer | Chunk::TrailerEnd { .. } => self.counts.trailers += 1,
            Chunk::AfterSize { .. } | Chunk::Extension { .. } => self.counts.extensions += 1,
            _ => self.counts.framing += 1,
        }
    }

    /// Bytes after the answer.
    #[must_use]
    pub const fn extra(&self) -> usize {
        self.extra
    }

    /// The answer is complete, and another one may follow on the same connection.
    #[must_use]
    pub fn leaves_connection_usable(&self) -> bool {
        self.state == State::Complete && self.persistent && self.extra == 0
    }

    /// Takes bytes of a head and returns those after it.
    fn in_head<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        // Empty lines before a head are allowed. They are let go at once: each look at a head begins at its start.
        if self.partial.is_empty()
            && let Some(after) = bytes.strip_prefix(b"\n").or_else(|| bytes.strip_prefix(b"\r\n"))
        {
            self.skipped += bytes.len() - after.len();
            return after;
        }
        if self.partial == b"\r"
            && let Some(after) = bytes.strip_prefix(b"\n")
        {
            self.partial.clear();
            self.skipped += 2;
            return after;
        }
        let before = self.partial.len();
        self.partial.extend_from_slice(bytes);
        // Only a line end can complete a head. The first bytes are looked at in any case: they tell whether this is HTTP.
        self.unseen = before > 0 && !bytes.contains(&b'\n');
        if self.unseen {
            return &[];
        }
        let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut fields);
        let length = match response.parse(&self.partial) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return &[],
            Err(error) => {
                self.state = State::Malformed(describe(error));
                return &[];
            }
        };
        let status = response.code.unwrap_or_default();
        let state = match status {
            100 | 102..=199 => {
                self.interim += 1;
                self.skipped += length;
                State::Head
            }
            101 => State::Malformed("it changes to another protocol, which was not asked for"),
            200..=999 => match framing(status, response.version == Some(0), response.headers, self.bodiless) {
                Ok(framing) => {
                    self.persistent = persistent(response.version == Some(0), response.headers);
                    let kept = if self.keeps_headers { &*response.headers } else { &[] };
                    let headers =
                        kept.iter().map(|field| (field.name.to_ascii_lowercase(), field.value.to_vec())).collect();
                    self.head = Some(FinalHead { status, headers, length, interim: self.interim });
                    match framing {
                        Framing::Length(0) => State::Complete,
                        Framing::Length(left) => State::Sized { left },
                        Framing::Chunked => State::Chunked(Chunk::Size { value: 0, digits: false }),
                        Framing::UntilClose => {
                            self.persistent = false;
                            State::UntilClose
                        }
                    }
                }
                Err(reason) => State::Malformed(reason),
            },
            _ => State::Malformed("its status is out of range"),
        };
        self.state = state;
        self.partial = Vec::new();
        bytes.get(length.saturating_sub(before)..).unwrap_or_default()
    }
}

fn split(bytes: &[u8], most: u64) -> (&[u8], &[u8]) {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    bytes.split_at_checked(most).unwrap_or((bytes, &[]))
}

/// What nearly all framing is, taken at once: the end of a chunk's data, and a size of a few digits without an extension.
/// `None` leaves it to [`framing_byte`], which knows all of it.
fn usual_framing(place: Chunk, bytes: &[u8]) -> Option<(State, &[u8])> {
    match place {
        Chunk::DataCr => {
            let after = bytes.strip_prefix(b"\r\n")?;
            Some((State::Chunked(Chunk::Size { value: 0, digits: false }), after))
        }
        Chunk::Size { value: 0, digits: false } => {
            let mut value = 0;
            for place in 0..6 {
                let byte = *bytes.get(place)?;
                match char::from(byte).to_digit(16) {
                    Some(digit) => value = value * 16 + u64::from(digit),
                    None if byte == b'\r' && place > 0 && value > 0 => {
                        let after = bytes.get(place + 1..)?.strip_prefix(b"\n")?;
                        return Some((State::Chunked(Chunk::Data { left: value }), after));
                    }
                    None => return None,
                }
            }
            None
        }
        _ => None,
    }
}

fn framing_byte(place: Chunk, byte: u8) -> State {
    let next = match (place, byte) {
        (Chunk::Size { value, digits }, byte) => match (char::from(byte).to_digit(16), digits) {
            (Some(digit), _) => {
                let value = value.checked_mul(16).and_then(|value| value.checked_add(u64::from(digit)));
                match value {
                    Some(value) => Chunk::Size { value, digits: true },
                    None => return State::Malformed("a chunk size is too large"),
                }
            }
            (None, false) => return State::Malformed("a chunk has no size"),
            (None, true) => return framing_byte(Chunk::AfterSize { value }, byte),
        },
        (Chunk::AfterSize { value }, b' ' | b'\t') => Chunk::AfterSize { value },
        (Chunk::AfterSize { value }, b';') => Chunk::Extension { value },
        (Chunk::AfterSize { value } | Chunk::Extension { value }, b'\r') => Chunk::SizeEnd { value },
        (Chunk::AfterSize { .. }, _) => return State::Malformed("a chunk size is no number"),
        (Chunk::Extension { .. }, b'\n') => return State::Malformed("a chunk extension holds a line end"),
        (Chunk::Extension { value }, _) => Chunk::Extension { value },
        (Chunk::SizeEnd { value: 0 }, b'\n') => Chunk::TrailerStart,
        (Chunk::SizeEnd { value }, b'\n') => Chunk::Data { left: value },
        (Chunk::SizeEnd { .. }, _) => return State::Malformed("a chunk size line ends in the wrong way"),
        (Chunk::DataCr, b'\r') => Chunk::DataLf,
        (Chunk::DataLf, b'\n') => Chunk::Size { value: 0, digits: false },
        (Chunk::DataCr | Chunk::DataLf, _) => return State::Malformed("a chunk is longer than its size"),
        // Nothing in a trailer is used.
        (Chunk::TrailerStart, b'\r') => Chunk::TrailerEnd { last: true },
        (Chunk::Trailer, b'\r') => Chunk::TrailerEnd { last: false },
        (Chunk::TrailerStart | Chunk::Trailer, _) => Chunk::Trailer,
        (Chunk::TrailerEnd { last: true }, b'\n') => return State::Complete,
        (Chunk::TrailerEnd { last: false }, b'\n') => Chunk::TrailerStart,
        (Chunk::TrailerEnd { .. }, _) => return State::Malformed("a trailer line ends in the wrong way"),
        // Data is taken in slices and never byte by byte.
        (Chunk::Data { left }, _) => Chunk::Data { left },
    };
    State::Chunked(next)
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
