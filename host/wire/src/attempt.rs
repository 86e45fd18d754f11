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
use std::time::Duration;

use crate::http1::{self, Excess, Reader, Standing};
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
    /// How long nothing was read because the spool had no room.
    pub(crate) waited: Duration,
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
        pauses: Pauses::default(),
        limits,
        endpoint: &prepared.endpoint,
        progress,
    };
    let mut deadline = Deadline { limits, started, armed: None, in_body: false, pauses: 0 };
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
        let is_same = deadline.in_body == (talk.body > 0) && deadline.pauses == talk.pauses.changes;
        if deadline.armed.is_some() && talk.tape.bytes != reads && is_same {
            return Poll::Pending;
        }
        deadline.poll(cx, alarm.as_mut(), &talk).map(Err)
    })
    .await;
    let ended = Stamp::now();
    let all_sent = talk.is_sent();
    let waited = talk.pauses.total(ended);
    let Talk { reader, mut tape, .. } = talk;
    tape.close();
    let reusable = outcome.is_ok() && all_sent && reader.leaves_connection_usable() && !tape.eof;
    let status = reader.head().map(|head| head.status);
    Attempt { reusable, tape, writes: stream.writes(), status, ended, waited, outcome }
}

/// What to call bytes of an answer that are too many, and what their limit is.
fn too_much(excess: Excess, reader: &Reader, limits: &Limits) -> WireError {
    let (what, limit) = match excess {
        Excess::Head => return WireError::HeadTooLarge { limit: limits.max_head },
        Excess::Extensions => ("bytes of chunk extensions", http1::MAX_EXTENSIONS),
        Excess::Trailers => ("bytes of trailers", limits.max_head as u64),
        Excess::Framing => {
            let limit =
                http1::FRAMING_ALLOWANCE.saturating_add(reader.body_bytes().saturating_mul(http1::FRAMING_RATIO));
            ("bytes of chunk framing for so short a body", limit)
        }
    };
    WireError::FramingTooLarge { what, limit }
}

/// The times in which nothing was read because the spool had no room.
#[derive(Debug, Default)]
struct Pauses {
    /// When the present pause began.
    since: Option<Stamp>,
    /// When the latest pause ended.
    resumed: Option<Stamp>,
    /// All pauses that are over.
    over: Duration,
    /// How often a pause began or ended.
    changes: u32,
}

impl Pauses {
    fn begin(&mut self) {
        if self.since.is_none() {
            self.since = Some(Stamp::now());
            self.changes = self.changes.wrapping_add(1);
        }
    }

    fn end(&mut self) {
        if let Some(since) = self.since.take() {
            let now = Stamp::now();
            self.over += now.since(since);
            self.resumed = Some(now);
            self.changes = self.changes.wrapping_add(1);
        }
    }

    /// All pauses until `now`.
    fn total(&self, now: Stamp) -> Duration {
        self.over + self.since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// From when on the server's silence counts: not from before the latest pause ended.
    fn silence_from(&self, from: Stamp) -> Stamp {
        from.max(self.resumed.unwrap_or_default())
    }
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
    pauses: Pauses,
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
                if self.tape.poll_room(cx).is_pending() {
                    self.pauses.begin();
                    return Poll::Pending;
                }
                self.pauses.end();
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
        if let Err(full) = self.tape.record(bytes, received.read, received.continued) {
            let reason = format!("they may take {} bytes of the disk", full.limit);
            return Some(Err(WireError::WindowBudget { reason }));
        }
        self.last_read = Some(received.read.at);
        let (mut body, mut frames) = (0, 0);
        let counter = &mut self.frames;
        let standing = self.reader.push(bytes, |data| {
            body += data.len() as u64;
            frames += counter.push(data);
        });
        self.body += body;
        self.progress.took(u64::from(!received.continued), body, frames);
        if let Some(excess) = self.reader.excess(self.limits.max_head) {
            return Some(Err(too_much(excess, &self.reader, self.limits)));
        }
        if self.body > self.limits.max_body.min(u32::MAX as usize) as u64 {
            return Some(Err(WireError::BodyTooLarge { limit: self.limits.max_body }));
        }
        if self.tape.reads > self.limits.max_reads {
            return Some(Err(WireError::TooManyReads { limit: self.limits.max_reads }));
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
    /// How often pauses had begun or ended when the alarm was last looked at.
    pauses: u32,
}

impl Deadline<'_> {
    /// When the exchange is due, and what it has failed with then.
    fn due(&self, talk: &Talk<'_>) -> (Stamp, WireError) {
        let limits = self.limits;
        let total = self.started.after(limits.total);
        if talk.pauses.since.is_some() {
            // It is the client that does not read, so the server is not silent.
            let reason = format!("the client's disk did not keep up with them within {:?}", limits.total);
            return (total, WireError::WindowBudget { reason });
        }
        let (quiet, error) = if talk.body == 0 {
            let from = talk.pauses.silence_from(talk.stream.writes().0.unwrap_or(self.started));
            (from.after(limits.first_byte), WireError::FirstByteTimeout { after: limits.first_byte })
        } else {
            let from = talk.pauses.silence_from(talk.last_read.unwrap_or(self.started));
            (from.after(limits.stall), WireError::Stalled { after: limits.stall, bytes: talk.body })
        };
        if total < quiet { (total, WireError::TotalTimeout { after: limits.total }) } else { (quiet, error) }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut alarm: Pin<&mut tokio::time::Sleep>,
        talk: &Talk<'_>,
    ) -> Poll<WireError> {
        self.in_body = talk.body > 0;
        self.pauses = talk.pauses.changes;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_counts_from_the_end_of_a_pause() {
        let mut pauses = Pauses::default();
        let before = Stamp::now();
        assert_eq!(pauses.silence_from(before), before, "without a pause it counts from the last read");
        pauses.begin();
        pauses.begin();
        assert_eq!(pauses.changes, 1, "a pause begins once");
        pauses.end();
        pauses.end();
        assert_eq!(pauses.changes, 2);
        assert!(pauses.silence_from(before) >= before);
        assert_eq!(Some(pauses.silence_from(before)), pauses.resumed, "not from before the pause");
        assert_eq!(pauses.total(Stamp::now()), pauses.over, "a pause that is over does not grow");
    }
}
