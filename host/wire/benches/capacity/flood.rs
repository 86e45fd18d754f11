//! The sender: answers whatever it is asked with one of a few fixed answers, as fast as the sockets take them.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// Events of a streamed answer.
const EVENTS: usize = 2_000;
/// Largest write where several events share one.
const BLOCK: usize = 16 << 10;
/// Marks the listener among the sockets that are waited for.
const LISTENER: u64 = u64::MAX;

/// What is asked for, and how it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A stream of events, many in each write: the reader is the limit.
    Blocks,
    /// A stream of events with a write for each, as engines do.
    Events,
    /// A small answer with a length.
    Tiny,
}

impl Kind {
    pub fn path(self) -> &'static str {
        match self {
            Self::Blocks => "/blocks",
            Self::Events => "/events",
            Self::Tiny => "/tiny",
        }
    }

    fn of(request: &[u8]) -> Self {
        [Self::Blocks, Self::Events]
            .into_iter()
            .find(|kind| memchr::memmem::find(request, kind.path().as_bytes()).is_some())
            .unwrap_or(Self::Tiny)
    }

    /// Events of one answer; a small answer is one.
    pub fn events(self) -> u64 {
        if self == Self::Tiny { 1 } else { EVENTS as u64 }
    }
}

/// An answer and where its writes end.
pub struct Answer {
    pub bytes: Vec<u8>,
    cuts: Vec<usize>,
}

impl Answer {
    pub fn new(kind: Kind) -> Self {
        if kind == Kind::Tiny {
            let body = r#"{"id":"chatcmpl-1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}]}"#;
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
            let bytes = [head.as_bytes(), body.as_bytes()].concat();
            return Self { cuts: vec![bytes.len()], bytes };
        }
        let mut text =
            String::from("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
        let mut cuts = Vec::with_capacity(EVENTS + 1);
        for number in 0..EVENTS {
            let event = format!(
                "data: {{\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\
                 \"model\":\"some-model\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" word{number:04}\"}},\
                 \"logprobs\":null,\"finish_reason\":null}}]}}\n\n"
            );
            let _ = write!(text, "{:x}\r\n{event}\r\n", event.len());
            cuts.push(text.len());
        }
        text.push_str("e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
        if kind == Kind::Blocks {
            cuts = (1..).map(|block| block * BLOCK).take_while(|end| *end < text.len()).collect();
        }
        cuts.push(text.len());
        Self { bytes: text.into_bytes(), cuts }
    }
}

struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    sending: Option<Kind>,
    written: usize,
    cut: usize,
}

/// Serves until the process is ended.
pub fn serve(listener: &TcpListener) -> io::Result<()> {
    let answers = [Answer::new(Kind::Blocks), Answer::new(Kind::Events), Answer::new(Kind::Tiny)];
    listener.set_nonblocking(true)?;
    let epoll = Epoll::new(EpollCreateFlags::empty())?;
    epoll.add(listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut events = [EpollEvent::empty(); 256];
    loop {
        let count = epoll.wait(&mut events, EpollTimeout::NONE)?;
        for event in events.iter().take(count) {
            if event.data() == LISTENER {
                accept(listener, &epoll, &mut connections)?;
                continue;
            }
            let Some(place) = usize::try_from(event.data()).ok().and_then(|number| connections.get_mut(number)) else {
                continue;
            };
            let Some(connection) = place else { continue };
            let before = connection.sending;
            let open = match before {
                None => connection.read()?,
                Some(kind) => connection.write(&answers[kind as usize]),
            };
            if !open {
                epoll.delete(&connection.stream)?;
                *place = None;
            } else if before.is_some() != connection.sending.is_some() {
                let wanted = if connection.sending.is_some() { EpollFlags::EPOLLOUT } else { EpollFlags::EPOLLIN };
                epoll.modify(&connection.stream, &mut EpollEvent::new(wanted, event.data()))?;
            }
        }
    }
}

fn accept(listener: &TcpListener, epoll: &Epoll, connections: &mut Vec<Option<Connection>>) -> io::Result<()> {
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, connections.len() as u64))?;
        connections.push(Some(Connection { stream, request: Vec::new(), sending: None, written: 0, cut: 0 }));
    }
}

impl Connection {
    /// Takes in some of a request; false when the client is gone. Requests have no body.
    fn read(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => return Ok(false),
            Ok(length) => self.request.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return Ok(false),
        }
        if self.request.ends_with(b"\r\n\r\n") {
            self.sending = Some(Kind::of(&self.request));
            self.request.clear();
            (self.written, self.cut) = (0, 0);
        }
        Ok(true)
    }

    /// One write; false when the client is gone.
    fn write(&mut self, answer: &Answer) -> bool {
        let end = answer.cuts[self.cut];
        match self.stream.write(&answer.bytes[self.written..end]) {
            Ok(length) => self.written += length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return false,
        }
        if self.written == end {
            self.cut += 1;
        }
        if self.cut == answer.cuts.len() {
            self.sending = None;
        }
        true
    }
}
