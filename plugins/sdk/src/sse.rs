//! Server-sent events, as the WHATWG HTML standard defines their grammar (section 9.2.6), without I/O.
//!
//! One deviation, for the end of a body: the standard drops an event that no blank line ends. Servers of models are seen
//! to leave it out after their last event, and HTTP says where the body ends, so [`Sse::finish`] hands that event over.

use crate::lines::{Ending, FrameError, LIMIT, Line, Lines};

/// A piece of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// An event: the value of its last `event` field (empty where there is none), and its data, lines joined by `\n`.
    Event {
        /// The `event` field.
        kind: &'a [u8],
        /// The joined `data` fields.
        data: &'a [u8],
    },
    /// The text of a comment line. One inside an event, after its data, is passed over, so that messages come in the order
    /// of their reads.
    Comment(&'a [u8]),
}

/// Frames a stream incrementally. After an error it must not be used again.
#[derive(Debug)]
pub struct Sse {
    lines: Lines,
    event: Pending,
}

/// The event that is being put together. Data stays borrowed while it is one line of the current push.
#[derive(Debug, Default)]
struct Pending {
    data: Vec<u8>,
    has_data: bool,
    kind: Vec<u8>,
    read: u32,
}

impl Default for Sse {
    fn default() -> Self {
        Self { lines: Lines::new(Ending::Any), event: Pending::default() }
    }
}

impl Sse {
    /// Takes the next bytes; see [`Lines::push`]. `each` gets every message and the index of the read that holds the
    /// last byte of the event's data, before its line ending.
    pub fn push<E: From<FrameError>>(
        &mut self,
        bytes: &[u8],
        ends: &[u32],
        mut each: impl FnMut(Message<'_>, u32) -> Result<(), E>,
    ) -> Result<(), E> {
        let event = &mut self.event;
        let mut whole: Option<&[u8]> = None;
        self.lines.push(bytes, ends, |line, read| event.line(line, read, &mut whole, &mut each))?;
        if let Some(data) = whole {
            self.event.append(data)?;
        }
        Ok(())
    }

    /// The body has ended: hands over what no blank line has ended.
    pub fn finish<E: From<FrameError>>(
        &mut self,
        mut each: impl FnMut(Message<'_>, u32) -> Result<(), E>,
    ) -> Result<(), E> {
        let event = &mut self.event;
        self.lines.finish(|line, read| event.line(Line::Joined(line.bytes()), read, &mut None, &mut each))?;
        self.event.dispatch(None, &mut each)
    }
}

impl Pending {
    fn line<'b, E: From<FrameError>>(
        &mut self,
        line: Line<'b, '_>,
        read: u32,
        whole: &mut Option<&'b [u8]>,
        each: &mut impl FnMut(Message<'_>, u32) -> Result<(), E>,
    ) -> Result<(), E> {
        let bytes = line.bytes();
        if bytes.is_empty() {
            return self.dispatch(whole.take(), each);
        }
        if let Some(value) = field(bytes, b"data") {
            self.read = read;
            match (line, self.has_data) {
                (Line::Whole(bytes), false) => *whole = Some(field(bytes, b"data").unwrap_or_default()),
                _ => {
                    if let Some(first) = whole.take() {
                        self.append(first)?;
                    }
                    if self.has_data {
                        self.append(b"\n")?;
                    }
                    self.append(value)?;
                }
            }
            self.has_data = true;
        } else if let Some(kind) = field(bytes, b"event") {
            self.kind.clear();
            self.kind.extend_from_slice(kind);
        } else if let Some(error) = field(bytes, b"error").filter(|error| error.starts_with(b"{")) {
            // The standard knows no such field. llama.cpp reported errors in one before version b9000, and says no more then.
            each(Message::Event { kind: b"error", data: error }, read)?;
        } else if let Some(comment) = bytes.strip_prefix(b":").filter(|_| !self.has_data) {
            each(Message::Comment(comment.strip_prefix(b" ").unwrap_or(comment)), read)?;
        }
        Ok(())
    }

    fn dispatch<E>(
        &mut self,
        whole: Option<&[u8]>,
        each: &mut impl FnMut(Message<'_>, u32) -> Result<(), E>,
    ) -> Result<(), E> {
        let result = if self.has_data {
            each(Message::Event { kind: &self.kind, data: whole.unwrap_or(&self.data) }, self.read)
        } else {
            Ok(())
        };
        self.has_data = false;
        self.data.clear();
        self.kind.clear();
        result
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        if self.data.len() + bytes.len() > LIMIT {
            return Err(FrameError::TooLong);
        }
        self.data.extend_from_slice(bytes);
        Ok(())
    }
}

/// The value of a line that carries the field `name`: `name`, `name:value` or `name: value`.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    match line.strip_prefix(name)? {
        [] => Some(&[]),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}
