//! Writes answers at their times.
//!
//! The pacer is the root of the server's only thread: all other work, reading requests and planning answers, is tasks of
//! which the runtime runs one at a time between two looks at the clock. So an engine that has one core to itself, as
//! in a calibration, is late by one such task at most, where a second thread would hold the core for milliseconds.
//!
//! It sleeps until shortly before the next deadline and spins for the rest: a sleeping thread wakes tens of microseconds
//! late, more than loopback itself takes. Spinning longer makes it no more exact, but takes processor time from a client
//! on the same machine, which then is late itself.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, HashMap};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::task::{Context, Poll};

use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::alarm::{Alarm, SPIN_NS};
use crate::counters::Tally;
use crate::render::{Frame, Script, Step};
use crate::stamp::now_ns;

/// With a deadline this close nothing else is begun.
const CLOSE_NS: u64 = 2_000;
/// Writes in a row before another task gets a turn, which is what keeps a backlog from shutting requests out.
const TURN: u32 = 32;
/// How long to leave a socket alone whose buffer is full.
const RETRY_NS: u64 = 500_000;
/// How long a client may leave its side full before it is given up.
const STUCK_NS: u64 = 30_000_000_000;

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Written to its end, with this many tokens.
    Complete(u32),
    /// The connection is to be closed on purpose after this many tokens.
    Cut(u32),
    /// The client was gone.
    Broken,
}

enum Message {
    Submit(u64, Box<Stream>),
    Cancel(u64),
}

struct Stream {
    socket: Arc<OwnedWriteHalf>,
    script: Script,
    step: Step,
    written: usize,
    blocked_since: Option<u64>,
    tokens: u32,
    done: oneshot::Sender<Ended>,
}

/// The way to the pacer.
#[derive(Clone)]
pub(crate) struct Pacer {
    sender: UnboundedSender<Message>,
    next: Arc<AtomicU64>,
}

/// An answer that the pacer is writing; dropping it stops the writing.
pub(crate) struct Ticket {
    pacer: Pacer,
    id: u64,
    done: oneshot::Receiver<Ended>,
}

impl Ticket {
    /// Waits for the end of the answer.
    pub(crate) async fn ended(&mut self) -> Ended {
        // The pacer drops its end of answers that are cancelled, and of all when it stops.
        (&mut self.done).await.unwrap_or(Ended::Broken)
    }

    /// Stops the writing and says how far it came: a client may take the last byte and leave before this side has heard
    /// that the answer is complete.
    pub(crate) async fn cancelled(mut self) -> Ended {
        self.cancel();
        self.ended().await
    }

    fn cancel(&self) {
        // The pacer is gone only when the server stops, and then there is nothing to cancel.
        let _ = self.pacer.sender.send(Message::Cancel(self.id));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl Pacer {
    /// The way to a pacer and what does its work. Needs the runtime on which that will run.
    pub(crate) fn new(tally: Arc<Tally>) -> io::Result<(Self, Pacing)> {
        let (sender, receiver) = unbounded_channel();
        let pacing = Pacing {
            receiver,
            places: HashMap::new(),
            streams: Vec::new(),
            free: Vec::new(),
            queue: BinaryHeap::new(),
            alarm: Alarm::new()?,
            tally,
        };
        Ok((Self { sender, next: Arc::default() }, pacing))
    }

    /// Starts writing an answer.
    pub(crate) fn submit(&self, socket: Arc<OwnedWriteHalf>, mut script: Script) -> Option<Ticket> {
        let (done, ended) = oneshot::channel();
        let id = self.next.fetch_add(1, SeqCst);
        let step = script.next(None)?;
        let stream = Stream { socket, script, step, written: 0, blocked_since: None, tokens: 0, done };
        self.sender.send(Message::Submit(id, Box::new(stream))).ok()?;
        Some(Ticket { pacer: self.clone(), id, done: ended })
    }
}

/// When something is due, whose it is, and where that is kept; in this order.
type Due = (u64, u64, usize);

/// The pacer's work. It never ends by itself.
pub(crate) struct Pacing {
    receiver: UnboundedReceiver<Message>,
    places: HashMap<u64, usize>,
    streams: Vec<Option<(u64, Box<Stream>)>>,
    free: Vec<usize>,
    queue: BinaryHeap<Reverse<Due>>,
    alarm: Alarm,
    tally: Arc<Tally>,
}

impl Future for Pacing {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        while let Poll::Ready(Some(message)) = this.receiver.poll_recv(cx) {
            this.take(message);
        }
        let mut turn = 0;
        while turn < TURN {
            let Some(Reverse((due_ns, ..))) = this.queue.peek() else { return Poll::Pending };
            let (due_ns, now) = (*due_ns, now_ns());
            let left = due_ns.saturating_sub(now);
            if left == 0 {
                this.act();
                turn += 1;
            } else if left <= CLOSE_NS {
                std::hint::spin_loop();
            } else if left <= SPIN_NS {
                break;
            } else {
                match this.alarm.poll(due_ns - SPIN_NS, now, cx) {
                    Poll::Pending => return Poll::Pending,
                    // Without the timer there is still the clock.
                    Poll::Ready(_) => break,
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Pacing {
    fn take(&mut self, message: Message) {
        match message {
            Message::Cancel(id) => {
                self.remove(id);
            }
            Message::Submit(id, stream) => {
                let due = stream.due_ns();
                let place = self.free.pop().unwrap_or(self.streams.len());
                match self.streams.get_mut(place) {
                    Some(free) => *free = Some((id, stream)),
                    None => self.streams.push(Some((id, stream))),
                }
                self.places.insert(id, place);
                self.queue.extend(due.map(|due| Reverse((due, id, place))));
            }
        }
    }

    fn remove(&mut self, id: u64) -> Option<Box<Stream>> {
        let place = self.places.remove(&id)?;
        self.free.push(place);
        self.streams.get_mut(place)?.take().map(|(_, stream)| stream)
    }

    /// Does what is first in the queue.
    fn act(&mut self) {
        let Some(mut first) = self.queue.peek_mut() else { return };
        let Reverse((_, id, place)) = *first;
        // The place of an answer that was cancelled may be another's by now.
        let stream = self.streams.get_mut(place).and_then(Option::as_mut).filter(|(of, _)| *of == id);
        let next = stream.map_or(Next::Never, |(_, stream)| stream.act(&self.tally));
        if let Next::At(due) = next {
            first.0.0 = due;
            return;
        }
        PeekMut::pop(first);
        if let Next::Ended(ended) = next
            && let Some(stream) = self.remove(id)
        {
            // A connection that is no longer interested has dropped its end.
            let _ = stream.done.send(ended);
        }
    }
}

enum Next {
    At(u64),
    Never,
    Ended(Ended),
}

impl Stream {
    fn due_ns(&self) -> Option<u64> {
        match &self.step {
            Step::Write(frame) => Some(frame.due_ns),
            Step::Cut { due_ns } => Some(*due_ns),
            Step::Hang => None,
        }
    }

    fn act(&mut self, tally: &Tally) -> Next {
        match &mut self.step {
            Step::Hang => Next::Never,
            Step::Cut { .. } => Next::Ended(Ended::Cut(self.tokens)),
            Step::Write(frame) => {
                let now = now_ns();
                match emit(&self.socket, frame, &mut self.written, now) {
                    Ok(true) => {
                        if frame.has_event {
                            tally.wrote(frame.due_ns, self.blocked_since.unwrap_or(now));
                        }
                        tally.tokens_sent.fetch_add(u64::from(frame.tokens), SeqCst);
                        self.tokens += frame.tokens;
                        self.advance()
                    }
                    Ok(false) if now.saturating_sub(*self.blocked_since.get_or_insert(now)) < STUCK_NS => {
                        Next::At(now + RETRY_NS)
                    }
                    Ok(false) | Err(_) => Next::Ended(Ended::Broken),
                }
            }
        }
    }

    fn advance(&mut self) -> Next {
        self.written = 0;
        self.blocked_since = None;
        let done = match std::mem::replace(&mut self.step, Step::Hang) {
            Step::Write(frame) => Some(frame),
            _ => None,
        };
        let Some(step) = self.script.next(done) else { return Next::Ended(Ended::Complete(self.tokens)) };
        self.step = step;
        self.due_ns().map_or(Next::Never, Next::At)
    }
}

/// Writes what is left of a frame; false when the socket took less.
fn emit(socket: &OwnedWriteHalf, frame: &mut Frame, written: &mut usize, now: u64) -> io::Result<bool> {
    if *written == 0 {
        frame.stamp(now);
    }
    let rest = frame.bytes.get(*written..).unwrap_or_default();
    match socket.try_write(rest) {
        Ok(count) => {
            *written += count;
            Ok(count == rest.len())
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(false),
        Err(error) => Err(error),
    }
}
