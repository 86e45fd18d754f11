//! A connection that stamps and keeps what it reads.
//!
//! Two layers. [`Socket`] sits on the kernel's socket, below TLS, and stamps. [`Stream`] sits where the plaintext is, just
//! below HTTP, and keeps every byte of the exchange together with the stamp of the socket read that brought it. rustls
//! hands out the plaintext of one socket read before it makes the next, so the latest stamp is the right one.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::Stamp;
use crate::kernel::Receiver;
use crate::stamp::WallOffset;

/// No stamp yet.
const NONE: u64 = u64::MAX;

/// The stamps of a socket, shared with the task that drives the exchange while HTTP owns the stream. That task is the one
/// that reads and writes, so the orderings may be relaxed.
#[derive(Debug)]
pub(crate) struct Marks {
    reads: AtomicU64,
    last_read: AtomicU64,
    /// What the kernel says of the last read, on its real-time clock.
    last_arrival: AtomicU64,
    first_write: AtomicU64,
    last_write: AtomicU64,
}

impl Marks {
    const fn new() -> Self {
        Self {
            reads: AtomicU64::new(0),
            last_read: AtomicU64::new(NONE),
            last_arrival: AtomicU64::new(NONE),
            first_write: AtomicU64::new(NONE),
            last_write: AtomicU64::new(NONE),
        }
    }

    fn clear(&self) {
        self.reads.store(0, Relaxed);
        for mark in [&self.last_read, &self.last_arrival, &self.first_write, &self.last_write] {
            mark.store(NONE, Relaxed);
        }
    }

    /// Socket reads that brought something.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Relaxed)
    }

    pub(crate) fn last_read(&self) -> Option<Stamp> {
        get(&self.last_read).map(Stamp::from_nanos)
    }

    fn last_arrival(&self) -> Option<u64> {
        get(&self.last_arrival)
    }

    pub(crate) fn first_write(&self) -> Option<Stamp> {
        get(&self.first_write).map(Stamp::from_nanos)
    }

    pub(crate) fn last_write(&self) -> Option<Stamp> {
        get(&self.last_write).map(Stamp::from_nanos)
    }
}

fn get(mark: &AtomicU64) -> Option<u64> {
    Some(mark.load(Relaxed)).filter(|nanos| *nanos != NONE)
}

/// The kernel's socket with stamps.
#[derive(Debug)]
pub(crate) struct Socket {
    tcp: TcpStream,
    /// Where the kernel stamps what arrives.
    receiver: Option<Receiver>,
    marks: Arc<Marks>,
}

impl Socket {
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self { receiver: Receiver::enable(&tcp), tcp, marks: Arc::new(Marks::new()) }
    }

    /// Asks the kernel itself, since the runtime may not have heard yet.
    fn peek(&self) -> Peeked {
        let mut byte = [MaybeUninit::uninit()];
        match socket2::SockRef::from(&self.tcp).peek(&mut byte) {
            Ok(0) => Peeked::Closed,
            Ok(_) => Peeked::Data,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Peeked::Quiet,
            Err(_) => Peeked::Closed,
        }
    }
}

enum Peeked {
    Quiet,
    Data,
    Closed,
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let socket = &mut *self;
        let arrival = match &mut socket.receiver {
            Some(receiver) => ready!(receiver.poll_read(&socket.tcp, cx, buf))?,
            None => {
                ready!(Pin::new(&mut socket.tcp).poll_read(cx, buf))?;
                None
            }
        };
        let now = Stamp::now();
        if buf.filled().len() > before {
            socket.marks.last_read.store(now.as_nanos(), Relaxed);
            socket.marks.last_arrival.store(arrival.unwrap_or(NONE), Relaxed);
            socket.marks.reads.fetch_add(1, Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl Socket {
    fn stamped_write(
        &mut self,
        write: impl FnOnce(Pin<&mut TcpStream>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let before = if self.marks.first_write().is_none() { Some(Stamp::now()) } else { None };
        let polled = write(Pin::new(&mut self.tcp));
        if matches!(polled, Poll::Ready(Ok(1..))) {
            self.marks.last_write.store(Stamp::now().as_nanos(), Relaxed);
            if let Some(before) = before {
                self.marks.first_write.store(before.as_nanos(), Relaxed);
            }
        }
        polled
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.stamped_write(|tcp| tcp.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stamped_write(|tcp| tcp.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// The plaintext of one exchange as it was read.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Every byte, heads and framing included.
    pub(crate) raw: Vec<u8>,
    /// The socket reads.
    pub(crate) reads: Vec<RawRead>,
    /// Between the kernel's clock and ours when the exchange began.
    pub(crate) offset: Option<WallOffset>,
    /// The server ended its side.
    pub(crate) eof: bool,
    /// More came than is kept.
    pub(crate) overflow: bool,
}

/// A socket read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawRead {
    /// Offset in the log after its last byte.
    pub(crate) end: usize,
    /// When it returned.
    pub(crate) at: Stamp,
    /// When its bytes had arrived, on the kernel's real-time clock.
    pub(crate) arrival: Option<u64>,
}

/// A connection on its way between exchanges, or inside one.
#[derive(Debug)]
pub(crate) struct Stream {
    transport: Transport,
    marks: Arc<Marks>,
    log: Log,
    /// Number of the socket read that the log's last entry stands for.
    logged: u64,
    /// Bytes that the log may hold.
    cap: usize,
    /// When the last exchange on it ended; `None` before the first.
    pub(crate) served: Option<Stamp>,
}

#[derive(Debug)]
enum Transport {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

impl Stream {
    pub(crate) fn plain(socket: Socket) -> Self {
        Self::new(socket.marks.clone(), Transport::Plain(socket))
    }

    pub(crate) fn tls(tls: TlsStream<Socket>) -> Self {
        Self::new(tls.get_ref().0.marks.clone(), Transport::Tls(Box::new(tls)))
    }

    fn new(marks: Arc<Marks>, transport: Transport) -> Self {
        Self { transport, marks, log: Log::default(), logged: 0, cap: 0, served: None }
    }

    /// Makes ready for an exchange of at most `cap` bytes. The buffers are allocated here, not while bytes arrive.
    pub(crate) fn begin(&mut self, cap: usize) -> Arc<Marks> {
        self.marks.clear();
        self.log = Log {
            raw: Vec::with_capacity(cap.min(64 << 10)),
            reads: Vec::with_capacity(1024),
            offset: self.socket().receiver.is_some().then(WallOffset::now),
            ..Log::default()
        };
        self.logged = 0;
        self.cap = cap;
        self.marks.clone()
    }

    /// What was read since [`Stream::begin`].
    pub(crate) fn take_log(&mut self) -> Log {
        std::mem::take(&mut self.log)
    }

    /// Whether an idle connection can still be used. In doubt it cannot.
    pub(crate) async fn is_alive(&mut self) -> bool {
        match self.socket().peek() {
            Peeked::Quiet => true,
            Peeked::Closed => false,
            // Nothing may come unasked, except in TLS: session tickets, which have to be read away.
            Peeked::Data => {
                let Transport::Tls(tls) = &mut self.transport else { return false };
                // Lets the runtime learn of the data.
                tokio::task::yield_now().await;
                let mut byte = [0];
                let quiet = Pin::new(&mut **tls)
                    .poll_read(&mut Context::from_waker(Waker::noop()), &mut ReadBuf::new(&mut byte))
                    .is_pending();
                quiet && matches!(self.socket().peek(), Peeked::Quiet)
            }
        }
    }

    fn socket(&self) -> &Socket {
        match &self.transport {
            Transport::Plain(socket) => socket,
            Transport::Tls(tls) => tls.get_ref().0,
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.log.raw.len().saturating_add(bytes.len()) > self.cap {
            self.log.overflow = true;
            return Err(io::Error::other("the answer is larger than its limit"));
        }
        self.log.raw.extend_from_slice(bytes);
        let end = self.log.raw.len();
        let seen = self.marks.reads();
        match self.log.reads.last_mut() {
            // TLS hands out the plaintext of one socket read in pieces.
            Some(last) if self.logged == seen => last.end = end,
            _ => self.log.reads.push(RawRead {
                end,
                at: self.marks.last_read().unwrap_or_default(),
                arrival: self.marks.last_arrival(),
            }),
        }
        self.logged = seen;
        Ok(())
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = match &mut self.transport {
            Transport::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Transport::Tls(tls) => Pin::new(&mut **tls).poll_read(cx, buf),
        };
        if let Poll::Ready(Ok(())) = polled {
            match buf.filled().get(before..) {
                Some(bytes) if !bytes.is_empty() => self.keep(bytes)?,
                _ => self.log.eof = true,
            }
        }
        polled
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.transport {
            Transport::Plain(socket) => Pin::new(socket).poll_write(cx, buf),
            Transport::Tls(tls) => Pin::new(&mut **tls).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.transport {
            Transport::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, bufs),
            Transport::Tls(tls) => Pin::new(&mut **tls).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(socket) => socket.is_write_vectored(),
            Transport::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Transport::Tls(tls) => Pin::new(&mut **tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Transport::Tls(tls) => Pin::new(&mut **tls).poll_shutdown(cx),
        }
    }
}
