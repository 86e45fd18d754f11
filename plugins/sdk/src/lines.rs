//! Splits a body that arrives in batches of reads into lines, and says in which read each line's last byte came.
//!
//! This is the one place that deals with batches and reads: SSE and newline-delimited JSON both sit on top of it. A line
//! that lies whole in the pushed bytes is borrowed from them; only the unfinished last line is copied.

use memchr::{memchr, memchr2};

/// Most bytes that one line or one event may hold: far above any real answer, far below a guest's memory.
pub const LIMIT: usize = 8 << 20;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Why bytes cannot be framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameError {
    /// A line or an event is longer than [`LIMIT`].
    TooLong,
    /// The ends of the reads do not ascend to the length of the bytes.
    Reads,
}

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// `\n`, `\r\n` or `\r`, as server-sent events allow.
    Any,
    /// `\n` alone.
    LineFeed,
}

/// A line without its ending.
#[derive(Debug, Clone, Copy)]
pub enum Line<'bytes, 'tail> {
    /// Borrowed from the bytes of this push.
    Whole(&'bytes [u8]),
    /// Put together from several pushes; gone after the call.
    Joined(&'tail [u8]),
}

impl Line<'_, '_> {
    /// The line's bytes, for as long as the line is at hand.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Line::Whole(bytes) => bytes,
            Line::Joined(bytes) => bytes,
        }
    }
}

/// Finds the read that holds an offset; offsets must ascend from call to call.
pub struct Reads<'e> {
    ends: &'e [u32],
    at: usize,
    base: u32,
}

impl<'e> Reads<'e> {
    /// `base` is the number of reads before these. Fails where `ends` does not ascend to `length`.
    pub fn new(ends: &'e [u32], length: usize, base: u32) -> Result<Self, FrameError> {
        let complete = ends.last().map_or(0, |end| *end as usize) == length;
        if complete && ends.is_sorted() { Ok(Self { ends, at: 0, base }) } else { Err(FrameError::Reads) }
    }

    /// Index over the whole response of the read that holds the byte at `offset`.
    pub fn of(&mut self, offset: usize) -> u32 {
        let rest = self.ends.get(self.at..).unwrap_or_default();
        // The next read nearly always; a search pays only where one line spans many reads.
        let near = rest.iter().take(2).position(|end| *end as usize > offset);
        self.at += near.unwrap_or_else(|| rest.partition_point(|end| *end as usize <= offset));
        self.base.saturating_add(u32::try_from(self.at).unwrap_or(u32::MAX))
    }
}

/// The splitter. After an error it must not be used again.
#[derive(Debug)]
pub struct Lines {
    ending: Ending,
    tail: Vec<u8>,
    tail_read: u32,
    reads: u32,
    skip_line_feed: bool,
    first: bool,
}

impl Lines {
    /// A splitter at the start of a body. A byte order mark before the first line is dropped.
    pub fn new(ending: Ending) -> Self {
        Self { ending, tail: Vec::new(), tail_read: 0, reads: 0, skip_line_feed: false, first: true }
    }

    /// Takes the next bytes. `ends` has one entry per read: the offset after its last byte. `each` gets every complete
    /// line and the index of the read that holds the line's last byte (meaningless for an empty line).
    pub fn push<'b, E: From<FrameError>>(
        &mut self,
        bytes: &'b [u8],
        ends: &[u32],
        mut each: impl FnMut(Line<'b, '_>, u32) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut reads = Reads::new(ends, bytes.len(), self.reads)?;
        self.reads = self.reads.saturating_add(u32::try_from(ends.len()).unwrap_or(u32::MAX));
        let mut start = 0;
        if self.skip_line_feed && !bytes.is_empty() {
            self.skip_line_feed = false;
            start = usize::from(bytes.first() == Some(&b'\n'));
        }
        loop {
            let rest = bytes.get(start..).unwrap_or_default();
            let found = match self.ending {
                Ending::Any => memchr2(b'\n', b'\r', rest),
                Ending::LineFeed => memchr(b'\n', rest),
            };
            let Some(length) = found else {
                if !rest.is_empty() {
                    self.keep(rest)?;
                    self.tail_read = reads.of(bytes.len() - 1);
                }
                return Ok(());
            };
            let end = start + length;
            let read = if length == 0 { self.tail_read } else { reads.of(end - 1) };
            let line = rest.get(..length).unwrap_or_default();
            if self.tail.is_empty() {
                let line = if self.first { line.strip_prefix(BOM).unwrap_or(line) } else { line };
                self.first = false;
                each(Line::Whole(line), read)?;
            } else {
                self.keep(line)?;
                self.flush(read, &mut each)?;
            }
            start = end + 1;
            if bytes.get(end) == Some(&b'\r') {
                match bytes.get(start) {
                    Some(b'\n') => start += 1,
                    Some(_) => {}
                    None => self.skip_line_feed = true,
                }
            }
        }
    }

    /// The body has ended: hands over an unfinished last line, if there is one.
    pub fn finish<E: From<FrameError>>(
        &mut self,
        mut each: impl FnMut(Line<'_, '_>, u32) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.tail.is_empty() { Ok(()) } else { self.flush(self.tail_read, &mut each) }
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        if self.tail.len() + bytes.len() > LIMIT {
            return Err(FrameError::TooLong);
        }
        self.tail.extend_from_slice(bytes);
        Ok(())
    }

    fn flush<'b, E>(&mut self, read: u32, each: &mut impl FnMut(Line<'b, '_>, u32) -> Result<(), E>) -> Result<(), E> {
        let line = self.tail.as_slice();
        let line = if self.first { line.strip_prefix(BOM).unwrap_or(line) } else { line };
        self.first = false;
        let result = each(Line::Joined(line), read);
        self.tail.clear();
        result
    }
}
