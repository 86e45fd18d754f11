//! The least that a client can do: read into one buffer, count, throw away, ask again.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use super::flood::{Answer, Kind};

/// Answers read in the given time, and socket reads.
pub fn read(address: SocketAddr, kind: Kind, connections: usize, time: Duration) -> io::Result<(u64, u64)> {
    let request = format!("GET {} HTTP/1.1\r\nhost: {address}\r\n\r\n", kind.path());
    let length = Answer::new(kind).bytes.len();
    let epoll = Epoll::new(EpollCreateFlags::empty())?;
    let mut open: Vec<(TcpStream, usize)> = Vec::new();
    for number in 0..connections {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.write_all(request.as_bytes())?;
        stream.set_nonblocking(true)?;
        epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, number as u64))?;
        open.push((stream, 0));
    }
    let end = Instant::now() + time;
    let mut buffer = vec![0; 64 << 10];
    let mut events = [EpollEvent::empty(); 256];
    let (mut answers, mut reads) = (0, 0);
    while Instant::now() < end {
        let count = epoll.wait(&mut events, EpollTimeout::from(10_u8))?;
        for event in events.iter().take(count) {
            let (stream, taken) = &mut open[usize::try_from(event.data()).map_err(io::Error::other)?];
            match stream.read(&mut buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => *taken += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            }
            reads += 1;
            if *taken == length {
                *taken = 0;
                answers += 1;
                stream.write_all(request.as_bytes())?;
            }
        }
    }
    // Answers that were under way count for what came of them.
    let partly: usize = open.iter().map(|(_, taken)| taken).sum();
    Ok((answers + (partly / length) as u64, reads))
}
