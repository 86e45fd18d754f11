//! One request on one connection: the hot path.
//!
//! The caller's task writes and reads by itself. Nothing stands between the socket and the stamp, and nothing is looked at
//! but where the answer ends; the rest is done in [`Transmission::into_exchange`](crate::Transmission::into_exchange), which
//! may run after the window has closed.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use crate::http1::{Reader, Standing};
use crate::spool::Spool;
use crate::stream::{Received, Stream};
use crate::tape::Tape;
use crate::{Endpoint, Limits, Prepared, Progress, Stamp, Stop, WireError, sse};

/// Bytes of one read at most.
const SCRATCH: usize = 64 << 10;

thread_local! {
    /// Reads go here first. One for all exchanges of a thread: it is only used within a poll.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH].into_boxed_slice());
}

/// What came of one attempt on one connection.
pub(crate) struct Attempt {
    /// Another request may follow on the connection.
    pub(crate) reusable: bool,
    pub(crate) tape: Tape,
    /// Stamps of the request's first and last byte.
    pub(crate) writes: (Option<Stamp>, Option<Stamp>),
    pub(crate) status: Option<u16>,
    pub(crate) ended: Stamp,
    pub(crate) outcome: Result<(), WireError>,
}

impl Attempt {
    /// The connection ended before a byte of the answer came.
    pub(crate) fn was_raced(&self) -> bool {
        self.tape.bytes == 0 && matches!(self.outcome, Err(WireError::ClosedEarly { .. }))
    }
}

/// Sends a request and takes in the answer.
pub(crate) async fn attempt(
    stream: &mut Stream,
    prepared: &Prepared,
    limits: &Limits,
    started: Stamp,
    progress: &Progress,
    spool: &Spool,
    stop: &Stop,
) -> Attempt {
    stream.begin();
    let mut tape = Tape::new(spool.clone());
    tape.offset = stream.offset();
    tape.place = stream.place();
    let mut talk = Talk {
        stream,
        request: &prepared.bytes,
        sent: 0,
        flushed: false,
        broken: None,
        reader: Reader::new(prepared.bodiless),
        tape,
        body: 0,
        frames: sse::FrameCounter::new(),
        last_read: None,
        limits,
        endpoint: &prepared.endpoint,
        progress,
    };
    let mut deadline = Deadline { limits, started, armed: None, in_body: false };
    let mut alarm = pin!(tokio::time::sleep(limits.total));
    let mut stopped = stop.listener();
    let outcome = poll_fn(|cx| {
        let reads = talk.tape.bytes;
        let polled = talk.poll(cx);
        if polled.is_ready() {
            return polled;
        }
        if stopped.poll(cx).is_ready() {
            return Poll::Ready(Err(WireError::Cancelled));
        }
        // Whoever was woken by a read need not ask for the time: the alarm rings on its own.
        if deadline.armed.is_some() && talk.tape.bytes != reads && deadline.in_body == (talk.body > 0) {
            return Poll::Pending;
        }
        deadline.poll(cx, alarm.as_mut(), &talk).map(Err)
    })
    .await;
    let ended = Stamp::now();
    let all_sent = talk.is_sent();
    let Talk { reader, mut tape, .. } = talk;
    tape.close();
    let reusable = outcome.is_ok() && all_sent && reader.leaves_connection_usable() && !tape.eof;
    let status = reader.head().map(|head| head.status);
    Attempt { reusable, tape, writes: stream.writes(), status, ended, outcome }
}

/// Framing may take several times the body's size when chunks are tiny; beyond this it is an attack.
fn raw_cap(limits: &Limits) -> u64 {
    let cap = limits.max_head.saturating_add(limits.max_body.saturating_mul(8)).saturating_add(SCRATCH);
    u64::try_from(cap).unwrap_or(u64::MAX)
}

/// A request that is being sent and answered.
struct Talk<'t> {
    stream: &'t mut Stream,
    request: &'t [u8],
    sent: usize,
    flushed: bool,
    /// The request could not be written to its end. The server may have answered all the same.
    broken: Option<io::Error>,
    reader: Reader,
    tape: Tape,
    /// Bytes of the body so far.
    body: u64,
    frames: sse::FrameCounter,
    last_read: Option<Stamp>,
    limits: &'t Limits,
    endpoint: &'t Endpoint,
    progress: &'t Progress,
}

impl Talk<'_> {
    fn is_sent(&self) -> bool {
        self.broken.is_none() && self.flushed
    }

    /// Writes and reads as much as there is to write and read.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        if self.broken.is_none() && !self.flushed {
            self.write(cx);
        }
        BUFFER.with_borrow_mut(|buffer| {
            loop {
                let received = std::task::ready!(self.stream.poll_receive(cx, buffer));
                let polled = match received {
                    Ok(Received { count: 0, .. }) => Some(self.ended()),
                    Ok(received) => self.take(buffer.get(..received.count).unwrap_or_default(), received),
                    Err(error) => Some(Err(self.failed(&error))),
                };
                if let Some(outcome) = polled {
                    return Poll::Ready(outcome);
                }
            }
        })
    }

    fn write(&mut self, cx: &mut Context<'_>) {
        while let Some(rest) = self.request.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match self.stream.poll_send(cx, rest) {
                Poll::Ready(Ok(0)) => self.broken = Some(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => self.sent += count,
                Poll::Ready(Err(error)) => self.broken = Some(error),
                Poll::Pending => return,
            }
            if self.broken.is_some() {
                return;
            }
        }
        match self.stream.poll_flush(cx) {
            Poll::Ready(Ok(())) => self.flushed = true,
            Poll::Ready(Err(error)) => self.broken = Some(error),
            Poll::Pending => {}
        }
    }

    /// Takes in what was read; an outcome where it decides the exchange.
    fn take(&mut self, bytes: &[u8], received: Received) -> Option<Result<(), WireError>> {
        self.tape.record(bytes, received.read, received.continued);
        self.last_read = Some(received.read.at);
        let (mut body, mut frames) = (0, 0);
        let counter = &mut self.frames;
        let standing = self.reader.push(bytes, |data| {
            body += data.len() as u64;
            frames += counter.push(data);
        });
        self.body += body;
        self.progress.took(u64::from(!received.continued), body, frames);
        if self.reader.head_bytes() > self.limits.max_head {
            return Some(Err(WireError::HeadTooLarge { limit: self.limits.max_head }));
        }
        let most = self.limits.max_body.min(u32::MAX as usize) as u64;
        if self.body > most || self.tape.bytes > raw_cap(self.limits) {
            return Some(Err(WireError::BodyTooLarge { limit: self.limits.max_body }));
        }
        match standing {
            Standing::Head | Standing::Body => None,
            Standing::Complete => Some(Ok(())),
            Standing::Malformed(reason) => Some(Err(WireError::MalformedHttp { reason: reason.to_owned() })),
        }
    }

    /// The server has ended its side.
    fn ended(&mut self) -> Result<(), WireError> {
        self.tape.eof = true;
        match self.reader.finish() {
            Standing::Complete => Ok(()),
            Standing::Malformed(reason) => Err(WireError::MalformedHttp { reason: reason.to_owned() }),
            Standing::Head | Standing::Body => {
                let reason = match &self.broken {
                    Some(error) => error.to_string(),
                    None => "the server closed it".to_owned(),
                };
                Err(WireError::ClosedEarly { bytes: self.body, reason })
            }
        }
    }

    fn failed(&self, error: &io::Error) -> WireError {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(tls) => WireError::Tls { host: self.endpoint.authority(), reason: tls.to_string() },
            None => WireError::ClosedEarly { bytes: self.body, reason: error.to_string() },
        }
    }
}

/// When to give up. The alarm is set again only when the due time has come nearer or when it has rung, never per read.
struct Deadline<'l> {
    limits: &'l Limits,
    started: Stamp,
    armed: Option<Stamp>,
    /// The body had begun when the alarm was last looked at; from then on another limit holds.
    in_body: bool,
}

impl Deadline<'_> {
    /// When the exchange is due, and what it has failed with then.
    fn due(&self, talk: &Talk<'_>) -> (Stamp, WireError) {
        let limits = self.limits;
        let (quiet, error) = if talk.body == 0 {
            let from = talk.stream.writes().0.unwrap_or(self.started);
            (from.after(limits.first_byte), WireError::FirstByteTimeout { after: limits.first_byte })
        } else {
            let from = talk.last_read.unwrap_or(self.started);
            (from.after(limits.stall), WireError::Stalled { after: limits.stall, bytes: talk.body })
        };
        let total = self.started.after(limits.total);
        if total < quiet { (total, WireError::TotalTimeout { after: limits.total }) } else { (quiet, error) }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut alarm: Pin<&mut tokio::time::Sleep>,
        talk: &Talk<'_>,
    ) -> Poll<WireError> {
        self.in_body = talk.body > 0;
        loop {
            let (due, error) = self.due(talk);
            if self.armed.is_none_or(|armed| due < armed) {
                alarm.set(tokio::time::sleep(due.since(Stamp::now())));
                self.armed = Some(due);
            }
            std::task::ready!(alarm.as_mut().poll(cx));
            if Stamp::now() >= due {
                return Poll::Ready(error);
            }
            self.armed = None;
        }
    }
}
