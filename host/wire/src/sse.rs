//! Framing of server-sent events, without I/O.
//!
//! The grammar is that of the WHATWG HTML standard, section 9.2: lines end with `\n`, `\r\n` or `\r`, an empty line ends an
//! event, a byte order mark at the start is skipped. Measured answers are decoded by drivers; this is the host's own reading
//! for the live view and for checks, and the reference that fuzzing compares with.

use std::ops::Range;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Value of the last `event` field, `None` where there was none or it was empty.
    pub event: Option<String>,
    /// The `data` lines, joined by `\n`. Bytes that are no UTF-8 are replaced by U+FFFD.
    pub data: String,
    /// The last event id of the stream so far.
    pub id: Option<String>,
    /// Bytes of the stream that the event takes up: from its first line's first byte to the byte that ended its empty line,
    /// where `\r` ends a line whether or not `\n` follows.
    pub range: Range<u64>,
}

/// How a stream ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With an event or between events.
    Clean,
    /// Within an event, which by the standard is dropped. It begins at this offset.
    Unfinished {
        /// Offset of the event's first byte.
        from: u64,
    },
}

/// An event is larger than its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event that begins at byte {from} is larger than {limit} bytes")]
pub struct TooLarge {
    /// Offset of the event's first byte.
    pub from: u64,
    /// The limit in bytes.
    pub limit: usize,
}

impl TooLarge {
    /// Stable identifier in kebab case.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "event-too-large"
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some("the answer is no stream of events, or the engine is broken; look at the raw answer".to_owned())
    }
}

/// Finds events in a stream that arrives in pieces of any size.
#[derive(Clone, Debug)]
pub struct Framer {
    /// The current line as far as it came.
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    event: Vec<u8>,
    id: Option<String>,
    retry: Option<u64>,
    /// Offset of the next byte.
    at: u64,
    /// Offset of the current event's first byte.
    from: u64,
    /// A `\n` that comes next belongs to the line end before it.
    after_cr: bool,
    limit: usize,
    broken: Option<TooLarge>,
}

impl Framer {
    /// A framer for one stream whose events may be `limit` bytes each.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self {
            line: Vec::new(),
            data: Vec::new(),
            has_data: false,
            event: Vec::new(),
            id: None,
            retry: None,
            at: 0,
            from: 0,
            after_cr: false,
            limit,
            broken: None,
        }
    }

    /// Takes the next bytes and hands on each event that they complete.
    ///
    /// # Errors
    /// [`TooLarge`], also for every call after the first that failed.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Message)) -> Result<(), TooLarge> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            if std::mem::take(&mut self.after_cr) && *first == b'\n' {
                self.skip_line_feed();
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let end = memchr::memchr2(b'\n', b'\r', rest);
            let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
            self.line.extend_from_slice(line);
            self.at += line.len() as u64;
            if self.at - self.from > self.limit as u64 {
                let error = TooLarge { from: self.from, limit: self.limit };
                self.broken = Some(error);
                return Err(error);
            }
            let Some((end, after)) = after.split_first() else { break };
            self.at += 1;
            self.after_cr = *end == b'\r';
            rest = after;
            if let Some(message) = self.end_line() {
                each(message);
            }
        }
        Ok(())
    }

    /// The stream has ended.
    #[must_use]
    pub fn finish(self) -> Ending {
        if self.line.is_empty() && !self.has_data && self.event.is_empty() {
            Ending::Clean
        } else {
            Ending::Unfinished { from: self.from }
        }
    }

    /// Time in milliseconds that the server asked clients to wait before they connect again.
    #[must_use]
    pub const fn retry(&self) -> Option<u64> {
        self.retry
    }

    fn skip_line_feed(&mut self) {
        // Between events it belongs to the event before.
        if self.from == self.at {
            self.from += 1;
        }
        self.at += 1;
    }

    fn end_line(&mut self) -> Option<Message> {
        let mut line = std::mem::take(&mut self.line);
        // The mark can only stand at the very start, where the first line begins.
        let first = self.at == line.len() as u64 + 1;
        let text = line.strip_prefix(b"\xef\xbb\xbf").filter(|_| first).unwrap_or(&line);
        let message = if text.is_empty() {
            self.dispatch()
        } else {
            self.field(text);
            None
        };
        // The buffer is kept for the next line.
        line.clear();
        self.line = line;
        message
    }

    fn field(&mut self, line: &[u8]) {
        let (name, value) = match memchr::memchr(b':', line) {
            Some(colon) => {
                let (name, value) = line.split_at(colon);
                let value = value.get(1..).unwrap_or_default();
                (name, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &[][..]),
        };
        match name {
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            b"event" => {
                self.event.clear();
                self.event.extend_from_slice(value);
            }
            b"id" if !value.contains(&0) => self.id = Some(String::from_utf8_lossy(value).into_owned()),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                self.retry = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()).or(self.retry);
            }
            // Comments have an empty name; unknown fields are ignored.
            _ => {}
        }
    }

    /// An empty line has come. Without a data line it ends nothing, as the standard has it.
    fn dispatch(&mut self) -> Option<Message> {
        let range = self.from..self.at;
        self.from = self.at;
        let event = std::mem::take(&mut self.event);
        let data = std::mem::take(&mut self.data);
        if !std::mem::take(&mut self.has_data) {
            return None;
        }
        Some(Message {
            event: if event.is_empty() { None } else { Some(String::from_utf8_lossy(&event).into_owned()) },
            data: String::from_utf8_lossy(&data).into_owned(),
            id: self.id.clone(),
            range,
        })
    }
}

/// Counts the events of a stream without keeping any of it: a few comparisons per line and no allocation, cheap enough for
/// the hot path.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameCounter {
    /// The first bytes of the current line, as far as they matter.
    start: [u8; 8],
    /// Bytes of the current line, saturating.
    length: usize,
    has_data: bool,
    after_cr: bool,
    /// The first line is over.
    begun: bool,
}

impl FrameCounter {
    /// At the start of a stream.
    #[must_use]
    pub const fn new() -> Self {
        Self { start: [0; 8], length: 0, has_data: false, after_cr: false, begun: false }
    }

    /// Events that these bytes complete.
    pub fn push(&mut self, bytes: &[u8]) -> u64 {
        let mut events = 0;
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            if std::mem::take(&mut self.after_cr) && *first == b'\n' {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let end = memchr::memchr2(b'\n', b'\r', rest);
            let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
            if let Some(free) = self.start.get_mut(self.length..) {
                for (to, from) in free.iter_mut().zip(line) {
                    *to = *from;
                }
            }
            self.length = self.length.saturating_add(line.len());
            let Some((end, after)) = after.split_first() else { break };
            self.after_cr = *end == b'\r';
            rest = after;
            events += u64::from(self.end_line());
        }
        events
    }

    fn end_line(&mut self) -> bool {
        let line = self.start.get(..self.length).unwrap_or(&self.start);
        let marked = line.strip_prefix(b"\xef\xbb\xbf").filter(|_| !self.begun);
        let text = marked.unwrap_or(line);
        let ended = text.is_empty() && std::mem::take(&mut self.has_data);
        self.has_data |= text.strip_prefix(b"data").is_some_and(|rest| rest.first().is_none_or(|byte| *byte == b':'));
        self.begun = true;
        self.length = 0;
        ended
    }
}
