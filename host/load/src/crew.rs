//! The threads that send and receive: one runtime each, so that a connection never changes threads and nothing is stolen,
//! shared or locked between them while a window is open.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use bench_wire::{Client, Transmission};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::nap;

/// Reads between two looks at what else has come. Stamps of user space are no finer than that many reads take; at four times as
/// many the processor time is no less.
const LOOK_AFTER: u32 = 16;

/// Threads with a runtime each. They live as long as the crew, and so do the connections that were opened on them.
#[derive(Debug)]
pub struct Crew(Vec<Worker>);

#[derive(Debug)]
struct Worker {
    handle: Handle,
    /// Dropping it ends the thread.
    leave: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Crew {
    /// So many threads, at least one.
    ///
    /// # Errors
    /// The operating system's, where it has no thread or no event queue left.
    pub fn new(size: usize) -> io::Result<Self> {
        (0..size.max(1)).map(Worker::start).collect::<io::Result<_>>().map(Self)
    }

    /// One thread for each processor that this process may use.
    ///
    /// # Errors
    /// As for [`Crew::new`].
    pub fn for_this_machine() -> io::Result<Self> {
        Self::new(thread::available_parallelism().map_or(1, usize::from))
    }

    /// Threads.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.len()
    }
}

impl Worker {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .event_interval(LOOK_AFTER)
            .on_thread_park(nap::before_waiting)
            .build()?;
        let handle = runtime.handle().clone();
        let (leave, left) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name(format!("bench-load-{number}")).spawn(move || {
            nap::sharpen_timers();
            // The other end is dropped to say that it is time, so the error is the signal.
            runtime.block_on(async move { drop(left.await) });
        })?;
        Ok(Self { handle, leave: Some(leave), thread: Some(thread) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.leave.take());
        if let Some(thread) = self.thread.take() {
            // A panic has been reported where the work was awaited.
            drop(thread.join());
        }
    }
}

/// What a thread does while a window is open and nothing has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Waiting {
    /// It sleeps until something does. The processor is free for others, and waking up takes tens of microseconds, which stamps of
    /// user space contain.
    #[default]
    Sleep,
    /// It keeps looking. A processor is taken as long as the window is open, which an engine on the same machine would miss.
    Poll,
}

/// The ways to one endpoint: a client for each thread of a crew. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Lanes {
    crew: Arc<Crew>,
    clients: Vec<Client>,
    waiting: Waiting,
}

impl Lanes {
    /// Ways on which `crew` sends to the endpoint of `client`.
    #[must_use]
    pub fn new(crew: Arc<Crew>, client: &Client, waiting: Waiting) -> Self {
        let clients = (0..crew.size()).map(|_| client.sibling()).collect();
        Self { crew, clients, waiting }
    }

    /// What threads do when nothing has come.
    pub(crate) fn waiting(&self) -> Waiting {
        self.waiting
    }

    /// Threads.
    #[must_use]
    pub fn count(&self) -> usize {
        self.clients.len()
    }

    /// What a capture of packets knows, where there is one; the clients of all lanes share it.
    pub(crate) fn add_packets<'t>(&self, transmissions: impl Iterator<Item = &'t mut Transmission>) {
        if let Some(client) = self.clients.first() {
            client.add_packets(transmissions);
        }
    }

    /// The first `count` lanes, at least one.
    pub(crate) fn first(&self, count: usize) -> impl Iterator<Item = (&Handle, &Client)> {
        let workers = self.crew.0.iter().map(|worker| &worker.handle);
        workers.zip(&self.clients).take(count.max(1))
    }
}
