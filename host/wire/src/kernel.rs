//! The kernel's own receive stamps.
//!
//! On Linux the kernel notes when a segment arrived (`SO_TIMESTAMPING`, software stamps) and hands that out with the data.
//! Such a stamp stays right when the client is busy and reads late, as long as it reads one segment before the next one is
//! queued; segments that queue up are merged, and the read carries the stamp of the last one. Where the kernel offers
//! nothing the reader goes without.

#[cfg(target_os = "linux")]
pub(crate) use linux::Receiver;
#[cfg(not(target_os = "linux"))]
pub(crate) use none::Receiver;

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{self, IoSliceMut};
    use std::os::fd::AsRawFd;
    use std::task::{Context, Poll, ready};

    use nix::errno::Errno;
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, TimestampingFlag, Timestamps, recvmsg, setsockopt, sockopt};
    use tokio::io::Interest;
    use tokio::net::TcpStream;

    /// Reads from a socket whose segments are stamped.
    #[derive(Debug)]
    pub(crate) struct Receiver {
        /// Room for the stamps.
        control: Vec<u8>,
    }

    impl Receiver {
        /// Asks the kernel for stamps on this socket.
        pub(crate) fn enable(tcp: &TcpStream) -> Option<Self> {
            let wanted = TimestampingFlag::SOF_TIMESTAMPING_RX_SOFTWARE | TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE;
            setsockopt(tcp, sockopt::Timestamping, &wanted).ok()?;
            Some(Self { control: nix::cmsg_space!(Timestamps) })
        }

        /// Reads, and says when what was read had arrived, in nanoseconds of the real-time clock.
        pub(crate) fn poll_read(
            &mut self,
            tcp: &TcpStream,
            cx: &mut Context<'_>,
            room: &mut [u8],
        ) -> Poll<io::Result<(usize, Option<u64>)>> {
            loop {
                ready!(tcp.poll_read_ready(cx))?;
                // A read that leaves room has drained the socket. Saying so spares the system call that would find it empty;
                // a segment that comes after the read raises a new notice, which this does not take back.
                let mut drained = None;
                let most = room.len();
                let read = tcp.try_io(Interest::READABLE, || {
                    let (count, stamp) = receive(tcp, room, &mut self.control)?;
                    if count > 0 && count < most {
                        drained = Some((count, stamp));
                        return Err(io::ErrorKind::WouldBlock.into());
                    }
                    Ok((count, stamp))
                });
                match (drained, read) {
                    (Some(read), _) | (None, Ok(read)) => return Poll::Ready(Ok(read)),
                    // The runtime's notice was out of date; it waits for the next one.
                    (None, Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
                    (None, Err(error)) => return Poll::Ready(Err(error)),
                }
            }
        }
    }

    fn receive(tcp: &TcpStream, room: &mut [u8], control: &mut [u8]) -> io::Result<(usize, Option<u64>)> {
        loop {
            let mut parts = [IoSliceMut::new(room)];
            match recvmsg::<()>(tcp.as_raw_fd(), &mut parts, Some(control), MsgFlags::empty()) {
                Ok(message) => {
                    let stamp = message.cmsgs().ok().and_then(|mut messages| messages.find_map(software_stamp));
                    return Ok((message.bytes, stamp));
                }
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn software_stamp(message: ControlMessageOwned) -> Option<u64> {
        let ControlMessageOwned::ScmTimestampsns(Timestamps { system, .. }) = message else { return None };
        let seconds = u64::try_from(system.tv_sec()).ok().filter(|seconds| *seconds > 0)?;
        seconds.checked_mul(1_000_000_000)?.checked_add(u64::try_from(system.tv_nsec()).ok()?)
    }
}

#[cfg(not(target_os = "linux"))]
mod none {
    use std::io;
    use std::task::{Context, Poll};

    use tokio::net::TcpStream;

    /// There is none.
    #[derive(Debug)]
    pub(crate) enum Receiver {}

    impl Receiver {
        pub(crate) fn enable(_: &TcpStream) -> Option<Self> {
            None
        }

        pub(crate) fn poll_read(
            &mut self,
            _: &TcpStream,
            _: &mut Context<'_>,
            _: &mut [u8],
        ) -> Poll<io::Result<(usize, Option<u64>)>> {
            match *self {}
        }
    }
}
