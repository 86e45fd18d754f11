//! Decoders for streams: framing, read indices, the fast path and the rules of failure, over any backend's messages.
//!
//! A driver says with [`Protocol`] what one message means; [`Stream`] does the rest and is a driver's `decoder`.
//!
//! Rules of failure: events that came before a broken message are not lost. The call that meets it returns what was good,
//! and the problem comes with the next call, at the latest with `finish`.

use std::cell::RefCell;
use std::ops::Range;

use crate::driver::{Decode, LocatedEvent};
use crate::halves::mark_halves;
use crate::json::excerpt;
use crate::lines::{FrameError, LIMIT, Reads};
use crate::ndjson::NdJson;
use crate::problem;
use crate::sse::{Message, Sse};
pub use crate::template::Hole;
use crate::template::Template;
use crate::tidy::Tidy;
use crate::types::{Event, Problem, ResponseHeader};

/// How a protocol's messages are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events. A body that is one JSON document instead goes to [`Protocol::document`].
    Sse,
    /// Newline-delimited JSON.
    NdJson,
}

/// What the messages of a backend mean.
pub trait Protocol: Default + 'static {
    /// How messages are framed.
    const FRAMING: Framing;

    /// Reads one message in full. `kind` is the event's name where the framing has one, else empty. An error ends the
    /// stream's decoding; see the module's rules.
    fn message(&mut self, kind: &[u8], data: &[u8], out: &mut Out<'_>) -> Result<(), Problem>;

    /// Reads an answer that came as one JSON document although a stream was asked for.
    fn document(&mut self, body: &[u8], out: &mut Out<'_>) -> Result<(), Problem> {
        self.message(&[], body, out)
    }

    /// A comment of the event stream.
    fn comment(&mut self, _text: &[u8], _out: &mut Out<'_>) {}

    /// The body has ended without a `finish` or `error` event. Answers whether the protocol allows that here; `false`
    /// becomes `truncated-stream`.
    fn complete(&self) -> bool {
        false
    }
}

/// Takes the events of one message.
#[derive(Debug)]
pub struct Out<'a> {
    read: u32,
    events: &'a mut Vec<LocatedEvent>,
    holes: Vec<(Hole, Range<usize>)>,
    progress: Progress,
}

/// How far the answer has come.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    /// A `start` or a fragment has come.
    begun: bool,
    /// A `finish` or an `error` has come.
    ended: bool,
}

impl<'a> Out<'a> {
    fn new(read: u32, events: &'a mut Vec<LocatedEvent>, progress: Progress) -> Self {
        Self { read, events, holes: Vec::new(), progress }
    }

    /// Adds an event.
    pub fn event(&mut self, event: Event) {
        match event {
            Event::Start | Event::Text(_) | Event::Reasoning(_) | Event::ToolCall(_) => self.progress.begun = true,
            Event::Finish(_) | Event::Error(_) => self.progress.ended = true,
            _ => {}
        }
        self.events.push(LocatedEvent { read: self.read, event });
    }

    /// Adds a `start` unless the answer has begun already.
    pub fn start(&mut self) {
        if !self.progress.begun {
            self.event(Event::Start);
        }
    }

    /// Adds an event unless it would be an empty fragment.
    pub fn text(&mut self, text: String) -> bool {
        let any = !text.is_empty();
        if any {
            self.event(Event::Text(text));
        }
        any
    }

    /// Adds an event of the reasoning channel unless it would be empty.
    pub fn reasoning(&mut self, text: String) -> bool {
        let any = !text.is_empty();
        if any {
            self.event(Event::Reasoning(text));
        }
        any
    }

    /// Promises that a later message equal to this one outside of the holes means the same, with the holes' values in
    /// place, and would leave the protocol's state as it is. Holes are byte ranges of the message. Of use where the
    /// message gives one fragment of any channel, then perhaps token ids, then perhaps usage, in this order, and nothing else; a
    /// message of another form is simply parsed in full each time.
    pub fn repeatable(&mut self, holes: impl IntoIterator<Item = (Hole, Range<usize>)>) {
        self.holes = holes.into_iter().collect();
    }
}

/// A `decoder` for a protocol.
#[derive(Debug)]
pub struct Stream<P>(RefCell<State<P>>);

#[derive(Debug)]
enum Body {
    /// Nothing but white space so far.
    Blank(Sse),
    Sse(Sse),
    NdJson(NdJson),
    /// One JSON document; the read is that of its last byte so far.
    Document(Vec<u8>, u32),
    /// Markup: no backend's protocol.
    Markup,
}

#[derive(Debug)]
struct State<P> {
    body: Body,
    reads: u32,
    /// The first bytes, for messages to people.
    head: Vec<u8>,
    messages: Messages<P>,
    failure: Option<Problem>,
}

/// How many forms of message take the fast path: a stream may change to and fro between two, such as reasoning and text, or
/// fragments with and without token counts.
const TEMPLATES: usize = 2;

/// Message after message, on the fast path or in full.
#[derive(Debug)]
struct Messages<P> {
    protocol: P,
    /// The last one that fitted comes first.
    templates: Vec<Template>,
    misses: u32,
    seen: bool,
    progress: Progress,
    tidy: Tidy,
}

/// What stops the decoding.
struct Stop(Problem);

impl From<FrameError> for Stop {
    fn from(error: FrameError) -> Self {
        Stop(match error {
            FrameError::TooLong => problem::malformed(format!("one message is longer than {} MiB", LIMIT >> 20)),
            FrameError::Reads => problem::malformed("the ends of the reads do not ascend to the length of the bytes"),
        })
    }
}

impl<P: Protocol> Decode for Stream<P> {
    fn new(_headers: Vec<ResponseHeader>) -> Self {
        let body = match P::FRAMING {
            Framing::Sse => Body::Blank(Sse::default()),
            Framing::NdJson => Body::NdJson(NdJson::default()),
        };
        let messages = Messages {
            protocol: P::default(),
            templates: Vec::new(),
            misses: 0,
            seen: false,
            progress: Progress::default(),
            tidy: Tidy::default(),
        };
        Self(RefCell::new(State { body, reads: 0, head: Vec::new(), messages, failure: None }))
    }

    fn push(&self, bytes: Vec<u8>, ends: Vec<u32>) -> Result<Vec<LocatedEvent>, Problem> {
        let mut state = self.0.borrow_mut();
        if let Some(problem) = &state.failure {
            return Err(problem.clone());
        }
        let mut events = Vec::with_capacity(ends.len().min(bytes.len()));
        if let Err(Stop(problem)) = state.push(&bytes, &ends, &mut events) {
            state.failure = Some(problem);
        }
        Ok(events)
    }

    fn finish(&self) -> Result<Vec<LocatedEvent>, Problem> {
        let mut state = self.0.borrow_mut();
        if let Some(problem) = &state.failure {
            return Err(problem.clone());
        }
        let mut events = Vec::new();
        state.finish(&mut events).map_err(|Stop(problem)| problem)?;
        Ok(events)
    }
}

impl<P: Protocol> State<P> {
    fn push(&mut self, bytes: &[u8], ends: &[u32], events: &mut Vec<LocatedEvent>) -> Result<(), Stop> {
        const HEAD: usize = 256;
        let room = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(bytes.get(..room).unwrap_or_default());
        self.choose(bytes);
        let messages = &mut self.messages;
        match &mut self.body {
            Body::Blank(sse) | Body::Sse(sse) => {
                sse.push(bytes, ends, |message, read| messages.sse(message, read, events))?
            }
            Body::NdJson(lines) => lines.push(bytes, ends, |data, read| messages.take(&[], data, read, events))?,
            Body::Document(document, last) => {
                let mut reads = Reads::new(ends, bytes.len(), self.reads)?;
                if let Some(offset) = bytes.iter().rposition(|byte| !byte.is_ascii_whitespace()) {
                    *last = reads.of(offset);
                }
                if document.len() + bytes.len() > LIMIT {
                    return Err(FrameError::TooLong.into());
                }
                // Blanks before the document went by while the body's kind was open, as far as they came in earlier pushes.
                let blanks =
                    if document.is_empty() { bytes.iter().take_while(|byte| is_blank(byte)).count() } else { 0 };
                document.extend_from_slice(bytes.get(blanks..).unwrap_or_default());
            }
            Body::Markup => {}
        }
        self.reads = self.reads.saturating_add(u32::try_from(ends.len()).unwrap_or(u32::MAX));
        Ok(())
    }

    /// Looks at the first byte that is not blank: an event stream cannot begin with a brace or with markup. Content types
    /// are of no help: an error document under `text/event-stream` is common.
    fn choose(&mut self, bytes: &[u8]) {
        let first = match &self.body {
            Body::Blank(_) => bytes.iter().find(|byte| !is_blank(byte)),
            // Of the whole body, not of these bytes: lines have begun already.
            Body::NdJson(_) => self.head.iter().find(|byte| !is_blank(byte)),
            _ => None,
        };
        if first == Some(&b'<') {
            self.body = Body::Markup;
        } else if let Body::Blank(sse) = &mut self.body
            && let Some(first) = first
        {
            self.body = match first {
                b'{' | b'[' => Body::Document(Vec::new(), 0),
                _ => Body::Sse(std::mem::take(sse)),
            };
        }
    }

    fn finish(&mut self, events: &mut Vec<LocatedEvent>) -> Result<(), Stop> {
        let messages = &mut self.messages;
        match &mut self.body {
            Body::Blank(_) => {}
            Body::Sse(sse) => sse.finish(|message, read| messages.sse(message, read, events)).map_err(cut)?,
            Body::NdJson(lines) => lines.finish(|data, read| messages.take(&[], data, read, events)).map_err(cut)?,
            Body::Document(document, read) => {
                messages.seen = true;
                let before = events.len();
                let mut out = Out::new(*read, events, messages.progress);
                let whole = matches!(document.trim_ascii_end(), [.., b'}' | b']']);
                messages
                    .protocol
                    .document(&mark_halves(document), &mut out)
                    .map_err(Stop)
                    .map_err(|stop| if whole { stop } else { cut(stop) })?;
                messages.progress = out.progress;
                messages.tidy.run(events, before);
            }
            Body::Markup => {
                let text = format!("the answer is a web page, not a stream: {}", excerpt(&self.head));
                return Err(Stop(problem::malformed(text)));
            }
        }
        if let Some(half) = self.messages.tidy.take_half() {
            events.push(LocatedEvent { read: self.reads.saturating_sub(1), event: half });
        }
        if self.messages.progress.ended || self.messages.protocol.complete() {
            Ok(())
        } else if self.head.is_empty() {
            Err(Stop(problem::truncated("the answer is empty")))
        } else if self.messages.seen {
            Err(Stop(problem::truncated("the stream broke off before the answer was complete")))
        } else {
            Err(Stop(problem::malformed(format!("the answer is no event stream: {}", excerpt(&self.head)))))
        }
    }
}

/// White space, and the bytes of a byte order mark.
fn is_blank(byte: &u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, 0xEF | 0xBB | 0xBF)
}

/// A message that nothing ends and that cannot be read was cut off by the end of the body.
fn cut(Stop(broken): Stop) -> Stop {
    if broken.code == problem::MALFORMED {
        Stop(problem::truncated("the answer broke off in the middle of a message"))
    } else {
        Stop(broken)
    }
}

impl<P: Protocol> Messages<P> {
    fn sse(&mut self, message: Message<'_>, read: u32, events: &mut Vec<LocatedEvent>) -> Result<(), Stop> {
        match message {
            // Servers keep a connection alive with events that say nothing.
            Message::Event { data, .. } if data.trim_ascii().is_empty() => {
                self.seen = true;
                Ok(())
            }
            Message::Event { kind, data } => self.take(kind, data, read, events),
            Message::Comment(text) => {
                self.seen = true;
                let mut out = Out::new(read, events, self.progress);
                self.protocol.comment(text, &mut out);
                self.progress = out.progress;
                Ok(())
            }
        }
    }

    fn take(&mut self, kind: &[u8], data: &[u8], read: u32, events: &mut Vec<LocatedEvent>) -> Result<(), Stop> {
        let data = &*mark_halves(data);
        let before = events.len();
        if let Some(at) = self.templates.iter().position(|template| template.apply(kind, data, read, events)) {
            self.templates.swap(0, at);
            self.misses = 0;
            self.tidy.run(events, before);
            return Ok(());
        }
        self.seen = true;
        let mut out = Out::new(read, events, self.progress);
        let result = self.protocol.message(kind, data, &mut out);
        self.progress = out.progress;
        let holes = out.holes;
        if result.is_err() {
            self.tidy.run(events, before);
            return result.map_err(Stop);
        }
        // A stream without two like messages would pay for a new template each time; it pays for every 16th only.
        self.misses = self.misses.saturating_add(1);
        if !holes.is_empty() && (self.misses < 16 || self.misses.is_multiple_of(16)) {
            let template = Template::new(kind, data, &holes, events.get(before..).unwrap_or_default());
            if let Some(template) = template {
                self.templates.insert(0, template);
                self.templates.truncate(TEMPLATES);
            }
        }
        self.tidy.run(events, before);
        Ok(())
    }
}
