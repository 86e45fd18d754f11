//! The thread that empties the ring, and what others ask of it.

use std::io::{PipeReader, PipeWriter, pipe};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::SocketError;

use super::flows::Flows;
use super::ring::{Ring, Socket};
use super::{CaptureError, CaptureStats, ConnectionLog, block, filter, interface, segment};

/// How long packets may stay unread once somebody waits for them. The kernel holds them back for 20 ms at most.
const PATIENCE: Duration = Duration::from_secs(2);

/// Captures what one server sends to this machine, from [`Capture::start`] until it is dropped.
///
/// Connections that are open already when it starts are not logged, since the beginning of their streams is not known.
#[derive(Debug)]
pub struct Capture {
    shared: Arc<Shared>,
    /// Closing it ends the thread.
    stop: Option<PipeWriter>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    /// For the kernel's counters.
    socket: Socket,
    state: Mutex<State>,
    /// More packets were read.
    advanced: Condvar,
}

#[derive(Debug)]
struct State {
    flows: Flows,
    /// Packets that the kernel has put into the ring.
    accepted: u64,
    /// Packets of these that were read.
    read: u64,
    dropped: u64,
}

impl Capture {
    /// Begins to capture what `server` sends, on the interface that leads to it. Connect afterwards.
    ///
    /// # Errors
    ///
    /// [`CaptureError`], the most common of which is [`CaptureError::NotPermitted`].
    pub fn start(server: SocketAddr) -> Result<Self, CaptureError> {
        let failed =
            |step: &'static str| move |error: std::io::Error| CaptureError::Setup { step, reason: error.to_string() };
        // First, so that what is missing is the privilege and not a route.
        let socket = Socket::open()?;
        let ring = socket.capture(&mut filter::from(server), interface::towards(server)?)?;
        let (stopped, stop) = pipe().map_err(failed("make a pipe"))?;
        let shared = Arc::new(Shared {
            socket: ring.socket.again().map_err(failed("share the socket"))?,
            state: Mutex::new(State { flows: Flows::new(server), accepted: 0, read: 0, dropped: 0 }),
            advanced: Condvar::new(),
        });
        let theirs = Arc::clone(&shared);
        let reader = std::thread::Builder::new()
            .name("packet-capture".to_owned())
            .spawn(move || read_all(ring, &theirs, &stopped))
            .map_err(failed("start a thread"))?;
        Ok(Self { shared, stop: Some(stop), reader: Some(reader) })
    }

    /// Waits until everything that had arrived before the call is in the logs. Takes up to some 20 ms, so call it once
    /// a window is closed, and not from a task that others wait behind.
    ///
    /// # Errors
    ///
    /// [`CaptureError::Behind`] when that takes unreasonably long.
    pub fn settle(&self) -> Result<(), CaptureError> {
        let mut state = self.shared.lock();
        self.shared.count(&mut state);
        let wanted = state.accepted;
        let (state, _) = self
            .shared
            .advanced
            .wait_timeout_while(state, PATIENCE, |state| state.read < wanted)
            .unwrap_or_else(PoisonError::into_inner);
        match wanted.saturating_sub(state.read) {
            0 => Ok(()),
            missing => {
                Err(CaptureError::Behind { missing, millis: u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX) })
            }
        }
    }

    /// The log of the oldest connection from the address `local`, as far as it has got; see [`Capture::settle`]. The
    /// connection is then forgotten. `None` where none was seen, as for one that was open before the capture.
    #[must_use]
    pub fn take(&self, local: SocketAddr) -> Option<ConnectionLog> {
        self.shared.lock().flows.take(local)
    }

    /// As [`Capture::take`], for the connection that was open at `ns` of the real-time clock, where a port may have
    /// been used by several. Earlier ones from there are forgotten.
    #[must_use]
    pub fn take_as_of(&self, local: SocketAddr, ns: u64) -> Option<ConnectionLog> {
        self.shared.lock().flows.take_as_of(local, ns)
    }

    /// What is known of the first `upto` bytes of the oldest connection from `local`. That part is then forgotten while
    /// the connection is logged on, its bytes counted as before.
    #[must_use]
    pub fn take_until(&self, local: SocketAddr, upto: u64) -> Option<ConnectionLog> {
        self.shared.lock().flows.take_until(local, upto)
    }

    /// Forgets the first `upto` bytes of the oldest connection from `local`.
    pub fn trim(&self, local: SocketAddr, upto: u64) {
        drop(self.take_until(local, upto));
    }

    /// What was captured and what was lost so far.
    #[must_use]
    pub fn stats(&self) -> CaptureStats {
        let mut state = self.shared.lock();
        self.shared.count(&mut state);
        CaptureStats { packets: state.accepted, dropped: state.dropped, unlogged: state.flows.unlogged() }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(reader) = self.reader.take() {
            // A thread that panicked has said so on its own.
            let _ = reader.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the counters up to date. Where packets were dropped, ends the logs: after what is read already, since
    /// nobody knows which packets of those that are still in the ring came before.
    fn count(&self, state: &mut State) {
        let Ok(counters) = self.socket.counters() else { return };
        state.accepted += counters.accepted;
        if counters.dropped > 0 {
            state.dropped += counters.dropped;
            state.flows.cut();
        }
    }
}

fn read_all(mut ring: Ring, shared: &Shared, stopped: &PipeReader) {
    loop {
        while ring.is_ready() {
            let mut state = shared.lock();
            // After the block was handed over and before it is read: whatever was dropped ahead of its packets is
            // known.
            shared.count(&mut state);
            ring.read(|block| note(block, &mut state));
            drop(state);
            shared.advanced.notify_all();
        }
        match wait(&ring.socket, stopped) {
            Woken::Stopped => return,
            Woken::Packets => {}
            // The interface went down: what is sent meanwhile is not seen, and not counted either.
            Woken::Trouble => shared.lock().flows.cut(),
        }
    }
}

fn note(block: &[u8], state: &mut State) {
    for packet in block::packets(block) {
        if let Some(segment) = segment::parse(packet.bytes, packet.length) {
            state.flows.record(&segment, packet.at_ns);
        }
    }
    state.read += block::count(block);
}

enum Woken {
    Packets,
    Trouble,
    Stopped,
}

fn wait(socket: &Socket, stopped: &PipeReader) -> Woken {
    let mut both = [PollFd::new(socket.as_fd(), PollFlags::POLLIN), PollFd::new(stopped.as_fd(), PollFlags::POLLIN)];
    match poll(&mut both, PollTimeout::NONE) {
        Err(Errno::EINTR) => return Woken::Packets,
        Err(_) => return Woken::Stopped,
        Ok(_) => {}
    }
    let [ring, stop] = both.map(|one| one.revents().unwrap_or(PollFlags::empty()));
    if !stop.is_empty() {
        Woken::Stopped
    } else if ring.contains(PollFlags::POLLERR) {
        // Reading the error clears it.
        let _ = getsockopt(socket, SocketError);
        Woken::Trouble
    } else {
        Woken::Packets
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn connect(listener: &TcpListener) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        server.set_nodelay(true).unwrap();
        (client, server)
    }

    #[test]
    fn a_ring_that_overflows_ends_the_logs_of_its_time_and_no_others() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let capture = match Capture::start(listener.local_addr().unwrap()) {
            Ok(capture) => capture,
            Err(error) => {
                assert!(matches!(error, CaptureError::NotPermitted | CaptureError::NotOffered { .. }), "{error}");
                return;
            }
        };
        let (mut client, mut server) = connect(&listener);
        server.write_all(b"seen").unwrap();
        capture.settle().unwrap();
        // As long as the lock is held the ring is not emptied.
        let mut state = capture.shared.lock();
        let mut sent = 4;
        while state.dropped == 0 && sent < 2_000_000 {
            for _ in 0..10_000 {
                server.write_all(b"x").unwrap();
                client.read_exact(&mut [0]).unwrap();
                sent += 1;
            }
            capture.shared.count(&mut state);
        }
        drop(state);
        capture.settle().unwrap();
        assert!(capture.stats().dropped > 0);

        let (later, mut server) = connect(&listener);
        server.write_all(b"after").unwrap();
        capture.settle().unwrap();
        let old = capture.take(client.local_addr().unwrap()).unwrap();
        assert!(old.is_cut() && old.arrival(3).is_some() && old.received() == 4);
        let new = capture.take(later.local_addr().unwrap()).unwrap();
        assert!(!new.is_cut() && new.received() == 5);
    }
}
