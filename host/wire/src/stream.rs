//! A connection that stamps what it reads and writes.
//!
//! Two layers. [`Socket`] sits on the kernel's socket, below TLS, and stamps. [`Stream`] sits where the plaintext is, just
//! below HTTP. rustls hands out the plaintext of one socket read before it makes the next, so the latest stamp is the right
//! one for whatever comes out above.

use std::cell::Cell;
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::kernel::Receiver;
use crate::notice::Notice;
use crate::stamp::WallOffset;
use crate::tape::RawRead;
use crate::{Stamp, StampMode};

thread_local! {
    static STAMPED: Cell<u64> = const { Cell::new(0) };
}

/// How many reads of this thread had a stamp of the kernel so far, wrapping around. Whoever schedules the thread may let reads
/// with such stamps wait for one another: their times are noted already.
#[must_use]
pub fn stamped_reads() -> u64 {
    STAMPED.with(Cell::get)
}

/// The kernel's socket with stamps.
#[derive(Debug)]
pub(crate) struct Socket {
    tcp: TcpStream,
    arrivals: Arrivals,
    /// The latest read that brought something.
    last: Option<RawRead>,
    /// Reads that brought something, since the connection was opened.
    reads: u64,
    /// Bytes that were read, since the connection was opened.
    received: u64,
    /// Just before the first write of this exchange, and just after the latest.
    writes: (Option<Stamp>, Option<Stamp>),
}

/// Who says when bytes arrived.
#[derive(Debug)]
enum Arrivals {
    Kernel(Receiver),
    Runtime(Notice),
}

impl Socket {
    pub(crate) fn new(tcp: TcpStream, mode: StampMode) -> Self {
        let receiver = if mode == StampMode::UserSpace { None } else { Receiver::enable(&tcp) };
        let arrivals = receiver.map_or_else(|| Arrivals::Runtime(Notice::new()), Arrivals::Kernel);
        Self { arrivals, tcp, last: None, reads: 0, received: 0, writes: (None, None) }
    }

    /// Reads into `buffer`, which is not empty; 0 is the end.
    fn poll_receive(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let (count, arrival) = match &mut self.arrivals {
            Arrivals::Kernel(receiver) => {
                let (count, arrival) = ready!(receiver.poll_read(&self.tcp, cx, buffer))?;
                if count > 0 && arrival.is_some() {
                    STAMPED.with(|stamped| stamped.set(stamped.get().wrapping_add(1)));
                }
                (count, arrival)
            }
            Arrivals::Runtime(notice) => {
                let mut buffer = ReadBuf::new(buffer);
                let tcp = Pin::new(&mut self.tcp);
                let (read, noticed) = ready!(notice.poll(cx, |cx| tcp.poll_read(cx, &mut buffer)));
                read?;
                (buffer.filled().len(), noticed.map(Stamp::as_nanos))
            }
        };
        if count > 0 {
            self.last = Some(RawRead { at: Stamp::now(), arrival });
            self.reads += 1;
            self.received += count as u64;
        }
        Poll::Ready(Ok(count))
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
        let room = buf.initialize_unfilled();
        if room.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let count = ready!(self.poll_receive(cx, room))?;
        buf.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let before = if self.writes.0.is_none() { Some(Stamp::now()) } else { None };
        let polled = Pin::new(&mut self.tcp).poll_write(cx, buf);
        if matches!(polled, Poll::Ready(Ok(1..))) {
            self.writes.0 = self.writes.0.or(before);
            self.writes.1 = Some(Stamp::now());
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// What a read above TLS brought.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    /// Bytes of plaintext; 0 is the end.
    pub(crate) count: usize,
    /// The socket read that brought them.
    pub(crate) read: RawRead,
    /// It is the same socket read as the last time.
    pub(crate) continued: bool,
}

/// A connection on its way between exchanges, or inside one.
#[derive(Debug)]
pub(crate) struct Stream {
    transport: Transport,
    /// Number of the socket read that was handed out last.
    handed: u64,
    /// When the last exchange on it ended; `None` before the first.
    pub(crate) served: Option<Stamp>,
}

#[derive(Debug)]
enum Transport {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

impl Stream {
    pub(crate) const fn plain(socket: Socket) -> Self {
        Self { transport: Transport::Plain(socket), handed: 0, served: None }
    }

    pub(crate) fn tls(tls: TlsStream<Socket>) -> Self {
        Self { transport: Transport::Tls(Box::new(tls)), handed: 0, served: None }
    }

    /// Forgets the stamps of the exchange before.
    pub(crate) fn begin(&mut self) {
        match &mut self.transport {
            Transport::Plain(socket) => socket.writes = (None, None),
            Transport::Tls(tls) => tls.get_mut().0.writes = (None, None),
        }
    }

    /// Just before the first byte of the request was written, and just after the last one.
    pub(crate) fn writes(&self) -> (Option<Stamp>, Option<Stamp>) {
        self.socket().writes
    }

    /// Between the kernel's clock and ours, where the kernel stamps.
    pub(crate) fn offset(&self) -> Option<WallOffset> {
        matches!(self.socket().arrivals, Arrivals::Kernel(_)).then(WallOffset::now)
    }

    /// Our end of the connection and the bytes received on it so far, where what the capture of packets sees is what is read
    /// here: under TLS it is not.
    pub(crate) fn place(&self) -> Option<(SocketAddr, u64)> {
        match &self.transport {
            Transport::Plain(socket) => Some((socket.tcp.local_addr().ok()?, socket.received)),
            Transport::Tls(_) => None,
        }
    }

    /// Reads into `buffer`, which is not empty.
    pub(crate) fn poll_receive(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Received>> {
        let count = match &mut self.transport {
            Transport::Plain(socket) => ready!(socket.poll_receive(cx, buffer))?,
            Transport::Tls(tls) => {
                let mut buffer = ReadBuf::new(buffer);
                ready!(Pin::new(&mut **tls).poll_read(cx, &mut buffer))?;
                buffer.filled().len()
            }
        };
        let (number, last) = (self.socket().reads, self.socket().last);
        let read = last.unwrap_or_else(|| RawRead { at: Stamp::now(), arrival: None });
        let continued = number == self.handed;
        self.handed = number;
        Poll::Ready(Ok(Received { count, read, continued }))
    }

    /// Writes some of `bytes`.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.transport {
            Transport::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Transport::Tls(tls) => Pin::new(&mut **tls).poll_write(cx, bytes),
        }
    }

    /// Brings what was written on its way: TLS may hold some of it back.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(_) => Poll::Ready(Ok(())),
            Transport::Tls(tls) => Pin::new(&mut **tls).poll_flush(cx),
        }
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
}
