//! The thread that writes answers: one for the whole server, doing nothing else, so that reading requests and building
//! schedules never delay a write.
//!
//! It sleeps until shortly before the next deadline and spins for the rest: a sleeping thread wakes tens of microseconds
//! late, more than loopback itself takes. Spinning longer makes it no more exact once the kernel's timers are sharp, but
//! takes processor time from a client on the same machine, which then is late itself.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io::{self, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::counters::Tally;
use crate::render::{Frame, Script, Step};
use crate::stamp::now_ns;

/// How long before a deadline the thread stops sleeping.
const SPIN_NS: u64 = 30_000;
/// How long to leave a socket alone whose buffer is full.
const RETRY_NS: u64 = 500_000;
/// How long a client may leave its side full before it is given up.
const STUCK_NS: u64 = 30_000_000_000;

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Written to its end, with this many tokens.
    Complete(u32),
    /// Closed on purpose after this many tokens.
    Cut(u32),
    /// The client was gone.
    Broken,
}

enum Message {
    Submit(u64, Box<Stream>),
    Cancel(u64),
    Stop,
}

struct Stream {
    socket: Arc<TcpStream>,
    script: Script,
    step: Step,
    written: usize,
    blocked_since: Option<u64>,
    tokens: u32,
    done: oneshot::Sender<Ended>,
}

/// The way to the pacer's thread.
#[derive(Clone)]
pub(crate) struct Pacer {
    sender: Sender<Message>,
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
        // The thread is gone only when the server stops, and then there is nothing to cancel.
        let _ = self.pacer.sender.send(Message::Cancel(self.id));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl Pacer {
    pub(crate) fn start(tally: Arc<Tally>) -> io::Result<(Self, JoinHandle<()>)> {
        let (sender, receiver) = mpsc::channel();
        let thread = thread::Builder::new().name("bench-sim-pacer".to_owned()).spawn(move || run(&receiver, &tally))?;
        Ok((Self { sender, next: Arc::default() }, thread))
    }

    /// Starts writing an answer. The socket must be non-blocking.
    pub(crate) fn submit(&self, socket: Arc<TcpStream>, mut script: Script) -> Option<Ticket> {
        let (done, ended) = oneshot::channel();
        let id = self.next.fetch_add(1, SeqCst);
        let step = script.next()?;
        let stream = Stream { socket, script, step, written: 0, blocked_since: None, tokens: 0, done };
        self.sender.send(Message::Submit(id, Box::new(stream))).ok()?;
        Some(Ticket { pacer: self.clone(), id, done: ended })
    }

    pub(crate) fn stop(&self) {
        // A thread that has already gone needs no stopping.
        let _ = self.sender.send(Message::Stop);
    }
}

/// Asks the kernel not to batch this thread's wake-ups: by default it may make each one 50 µs late.
#[cfg(target_os = "linux")]
fn sharpen_timers() {
    // SAFETY: this option takes one number, reads and writes no memory and concerns the calling thread alone. A kernel
    // that refuses leaves the wake-ups as they were.
    let _ = unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1_u64, 0_u64, 0_u64, 0_u64) };
}

#[cfg(not(target_os = "linux"))]
fn sharpen_timers() {}

fn run(receiver: &Receiver<Message>, tally: &Tally) {
    sharpen_timers();
    let mut streams: HashMap<u64, Box<Stream>> = HashMap::new();
    let mut queue: BinaryHeap<Reverse<(u64, u64)>> = BinaryHeap::new();
    loop {
        match wait(receiver, queue.peek().map(|Reverse((due, _))| *due)) {
            Some(Message::Stop) => return,
            Some(Message::Cancel(id)) => {
                streams.remove(&id);
            }
            Some(Message::Submit(id, stream)) => {
                if let Some(due) = stream.due_ns() {
                    queue.push(Reverse((due, id)));
                }
                streams.insert(id, stream);
            }
            None => {
                let Some(Reverse((_, id))) = queue.pop() else { continue };
                let Some(stream) = streams.get_mut(&id) else { continue };
                match stream.act(tally) {
                    Next::At(due) => queue.push(Reverse((due, id))),
                    Next::Never => {}
                    Next::Ended(ended) => {
                        if let Some(stream) = streams.remove(&id) {
                            // A connection that is no longer interested has dropped its end.
                            let _ = stream.done.send(ended);
                        }
                    }
                }
            }
        }
    }
}

/// The next message, or none when the deadline has come. Messages go first, so that a backlog cannot shut them out.
fn wait(receiver: &Receiver<Message>, due_ns: Option<u64>) -> Option<Message> {
    loop {
        match receiver.try_recv() {
            Ok(message) => return Some(message),
            Err(TryRecvError::Disconnected) => return Some(Message::Stop),
            Err(TryRecvError::Empty) => {}
        }
        let Some(due_ns) = due_ns else { return Some(receiver.recv().unwrap_or(Message::Stop)) };
        let left = due_ns.saturating_sub(now_ns());
        if left == 0 {
            return None;
        }
        if left <= SPIN_NS {
            std::hint::spin_loop();
            continue;
        }
        match receiver.recv_timeout(Duration::from_nanos(left - SPIN_NS)) {
            Ok(message) => return Some(message),
            Err(RecvTimeoutError::Disconnected) => return Some(Message::Stop),
            Err(RecvTimeoutError::Timeout) => {}
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
            Step::Cut { .. } => {
                // A client that has already closed its side is no news.
                let _ = self.socket.shutdown(Shutdown::Both);
                Next::Ended(Ended::Cut(self.tokens))
            }
            Step::Write(frame) => {
                let now = now_ns();
                match emit(&self.socket, frame, &mut self.written, now) {
                    Ok(true) => {
                        if frame.is_stamped() {
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
        let Some(step) = self.script.next() else { return Next::Ended(Ended::Complete(self.tokens)) };
        self.step = step;
        self.due_ns().map_or(Next::Never, Next::At)
    }
}

/// Writes what is left of a frame; false when the socket took less.
fn emit(mut socket: &TcpStream, frame: &mut Frame, written: &mut usize, now: u64) -> io::Result<bool> {
    if *written == 0 {
        frame.stamp(now);
    }
    let rest = frame.bytes.get(*written..).unwrap_or_default();
    match socket.write(rest) {
        Ok(count) => {
            *written += count;
            Ok(count == rest.len())
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(false),
        Err(error) => Err(error),
    }
}
