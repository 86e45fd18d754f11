//! The kernel's own receive stamps.
//!
//! On Linux the kernel notes when a segment arrived (`SO_TIMESTAMPING`, software stamps) and hands that out with the data.
//! Such a stamp stays right when the client is busy and reads late, as long as it reads one segment before the next one is
//! queued; segments that queue up are merged, and the read carries the stamp of the last one. Where the kernel offers
//! nothing the reader goes without.

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub(crate) use linux::Receiver;
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub(crate) use none::Receiver;

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod linux {
    use std::io;
    use std::os::fd::AsRawFd;
    use std::task::{Context, Poll, ready};

    use nix::sys::socket::{TimestampingFlag, setsockopt, sockopt};
    use tokio::io::Interest;
    use tokio::net::TcpStream;

    /// Reads from a socket whose segments are stamped.
    #[derive(Debug)]
    pub(crate) struct Receiver {
        /// Room for the stamps.
        control: Box<Control>,
    }

    impl Receiver {
        /// Asks the kernel for stamps on this socket.
        pub(crate) fn enable(tcp: &TcpStream) -> Option<Self> {
            let wanted = TimestampingFlag::SOF_TIMESTAMPING_RX_SOFTWARE | TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE;
            setsockopt(tcp, sockopt::Timestamping, &wanted).ok()?;
            Some(Self { control: Box::new(Control([0; 128])) })
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

    /// Room for one control message with three times (`struct scm_timestamping`), aligned as the kernel wants it.
    #[derive(Debug)]
    #[repr(C, align(8))]
    struct Control([u8; 128]);

    /// The system call itself: the library's wrapper for it makes each read a point at which a thread may be cancelled, which
    /// costs as much as some of these reads.
    fn receive(tcp: &TcpStream, room: &mut [u8], control: &mut Control) -> io::Result<(usize, Option<u64>)> {
        let mut part = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
        loop {
            // SAFETY: all zero bytes are a valid header without an address, buffers or control messages.
            let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
            header.msg_iov = &raw mut part;
            header.msg_iovlen = 1;
            header.msg_control = control.0.as_mut_ptr().cast();
            header.msg_controllen = control.0.len();
            // SAFETY: the descriptor is open as long as `tcp` is borrowed; the header points to one buffer and one control buffer,
            // both writable for their stated lengths and borrowed for the whole call.
            let count = unsafe { libc::syscall(libc::SYS_recvmsg, tcp.as_raw_fd(), &raw mut header, 0) };
            match usize::try_from(count) {
                Ok(count) => {
                    let filled = header.msg_controllen.min(control.0.len());
                    return Ok((count, software_stamp(control.0.get(..filled).unwrap_or_default())));
                }
                Err(_) => {
                    let error = io::Error::last_os_error();
                    if error.kind() != io::ErrorKind::Interrupted {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// The software stamp among the control messages, in nanoseconds of the real-time clock: the first of the three times of a
    /// message of kind `SCM_TIMESTAMPING`. Each message begins with its length (8 bytes), level and kind (4 each).
    fn software_stamp(mut messages: &[u8]) -> Option<u64> {
        const HEADER: usize = 16;
        let number = |bytes: &[u8], at: usize| {
            let eight: [u8; 8] = bytes.get(at..at + 8)?.try_into().ok()?;
            u64::try_from(i64::from_ne_bytes(eight)).ok()
        };
        let word = |bytes: &[u8], at: usize| {
            let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
            Some(i32::from_ne_bytes(four))
        };
        loop {
            let length = usize::try_from(number(messages, 0)?).ok().filter(|length| *length >= HEADER)?;
            if word(messages, 8) == Some(libc::SOL_SOCKET) && word(messages, 12) == Some(libc::SCM_TIMESTAMPING) {
                let seconds = number(messages, HEADER).filter(|seconds| *seconds > 0)?;
                return seconds.checked_mul(1_000_000_000)?.checked_add(number(messages, HEADER + 8)?);
            }
            messages = messages.get(length.next_multiple_of(8)..)?;
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use proptest::prelude::*;

        fn message(level: i32, kind: i32, payload: &[u8]) -> Vec<u8> {
            let length = 16 + payload.len();
            let mut bytes = (length as u64).to_ne_bytes().to_vec();
            bytes.extend_from_slice(&level.to_ne_bytes());
            bytes.extend_from_slice(&kind.to_ne_bytes());
            bytes.extend_from_slice(payload);
            bytes.resize(length.next_multiple_of(8), 0);
            bytes
        }

        fn times(seconds: i64, nanos: i64) -> Vec<u8> {
            [seconds.to_ne_bytes(), nanos.to_ne_bytes()].concat().into_iter().chain([0; 32]).collect()
        }

        #[test]
        fn the_stamp_is_found_among_other_messages() {
            let stamp = message(libc::SOL_SOCKET, libc::SCM_TIMESTAMPING, &times(5, 7));
            assert_eq!(software_stamp(&stamp), Some(5_000_000_007));
            let other = message(libc::SOL_SOCKET, 1, b"abc");
            assert_eq!(software_stamp(&[other.clone(), stamp].concat()), Some(5_000_000_007));
            assert_eq!(software_stamp(&other), None);
            // A zero says that there is no software stamp.
            assert_eq!(software_stamp(&message(libc::SOL_SOCKET, libc::SCM_TIMESTAMPING, &times(0, 0))), None);
            assert_eq!(software_stamp(&message(libc::SOL_SOCKET, libc::SCM_TIMESTAMPING, b"short")), None);
        }

        proptest! {
            #[test]
            fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..160)) {
                software_stamp(&bytes);
            }
        }
    }
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
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
