//! A client that does as little as possible: one thread, one epoll, one buffer.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use bench_sim::now_ns;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

const DUE: &[u8] = b"\"due_ns\":";
const EMITTED: &[u8] = b",\"emitted_ns\":";
const WIDTH: usize = 20;
/// From the start of one stamp's text to its end.
const STAMP: usize = DUE.len() + WIDTH + EMITTED.len() + WIDTH;

/// What was seen, in nanoseconds.
#[derive(Default)]
pub struct Seen {
    /// Emitted after due.
    pub late: Vec<u64>,
    /// Read after emitted.
    pub receipt: Vec<u64>,
    /// Sent after intended.
    pub send: Vec<u64>,
    pub answers: u64,
}

struct Connection {
    stream: TcpStream,
    /// Bytes that may hold the beginning of a stamp or of the end.
    rest: Vec<u8>,
}

pub struct Client {
    address: SocketAddr,
    epoll: Epoll,
    connections: Vec<Connection>,
    idle: Vec<usize>,
    busy: usize,
    buffer: Vec<u8>,
    pub seen: Seen,
}

impl Client {
    pub fn new(address: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            address,
            epoll: Epoll::new(EpollCreateFlags::empty())?,
            connections: Vec::new(),
            idle: Vec::new(),
            busy: 0,
            buffer: vec![0; 64 << 10],
            seen: Seen::default(),
        })
    }

    /// Requests that have no full answer yet.
    pub fn busy(&self) -> usize {
        self.busy
    }

    pub fn connect(&mut self) -> io::Result<()> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let number = self.connections.len();
        self.epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, number as u64))?;
        self.connections.push(Connection { stream, rest: Vec::new() });
        self.idle.push(number);
        Ok(())
    }

    pub fn send(&mut self, request: &[u8], intended: Option<u64>) -> io::Result<()> {
        if self.idle.is_empty() {
            self.connect()?;
        }
        let Some(number) = self.idle.pop() else { return Err(ErrorKind::NotConnected.into()) };
        self.seen.send.extend(intended.map(|at| now_ns().saturating_sub(at)));
        self.connections[number].stream.write_all(request)?;
        self.busy += 1;
        Ok(())
    }

    /// Reads what is there, waiting for at most `milliseconds`.
    pub fn turn(&mut self, milliseconds: u8) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); 256];
        let count = self.epoll.wait(&mut events, EpollTimeout::from(milliseconds))?;
        for event in events.iter().take(count) {
            let number = usize::try_from(event.data()).map_err(io::Error::other)?;
            let connection = &mut self.connections[number];
            let length = match connection.stream.read(&mut self.buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            };
            let now = now_ns();
            connection.rest.extend_from_slice(&self.buffer[..length]);
            if take_in(&mut connection.rest, now, &mut self.seen) {
                connection.rest.clear();
                self.seen.answers += 1;
                self.busy -= 1;
                self.idle.push(number);
            }
        }
        Ok(())
    }
}

/// Takes the whole stamps out; true at the end of the answer.
fn take_in(rest: &mut Vec<u8>, now: u64, seen: &mut Seen) -> bool {
    let mut from = 0;
    while let Some(place) = find(&rest[from..], DUE) {
        let start = from + place;
        let Some(stamp) = rest.get(start..start + STAMP) else {
            rest.drain(..start);
            return false;
        };
        let due = number(&stamp[DUE.len()..DUE.len() + WIDTH]);
        let emitted = number(&stamp[STAMP - WIDTH..]);
        seen.late.push(emitted.saturating_sub(due));
        seen.receipt.push(now.saturating_sub(emitted));
        from = start + STAMP;
    }
    let ended = rest.ends_with(b"\r\n0\r\n\r\n");
    rest.drain(..from.max(rest.len().saturating_sub(STAMP)));
    ended
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, wanted)
}

fn number(field: &[u8]) -> u64 {
    field.iter().filter(|byte| byte.is_ascii_digit()).fold(0, |sum, byte| sum * 10 + u64::from(byte - b'0'))
}
