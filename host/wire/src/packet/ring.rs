//! A packet socket with a ring that it shares with the kernel. All that is unsafe about a capture is here.
//!
//! The kernel fills the ring's blocks in turn and hands one over when it is full or some time after its first packet.
//! The reader gives it back once it has read it. A block whose turn it is to be read is not written to.

use std::ffi::c_int;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use super::CaptureError;
use super::block::STATUS;

/// Bytes of a block; at most some 700 packets.
const BLOCK: usize = 128 << 10;

/// Blocks: 16 MiB, which holds a second of 90,000 packets.
const BLOCKS: usize = 128;

/// After how many milliseconds a block that is not full is handed over.
const HAND_OVER_MS: u32 = 10;

/// The smallest part of a block that the kernel reckons with. Packets take what they need.
const FRAME: usize = 2048;

/// The kernel's counters since they were last read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    /// Packets that are in the ring or were.
    pub(super) accepted: u64,
    /// Packets for which there was no room.
    pub(super) dropped: u64,
}

/// A packet socket.
#[derive(Debug)]
pub(super) struct Socket(OwnedFd);

impl Socket {
    /// Opens a socket that captures nothing yet.
    pub(super) fn open() -> Result<Self, CaptureError> {
        // SAFETY: the call takes no pointers. Protocol 0 means that nothing is received until it is bound.
        let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
        if fd < 0 {
            let error = io::Error::last_os_error();
            return Err(match error.raw_os_error() {
                Some(libc::EPERM | libc::EACCES) => CaptureError::NotPermitted,
                Some(libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT | libc::ESOCKTNOSUPPORT) => {
                    CaptureError::NotOffered { reason: format!("the kernel has no packet sockets ({error})") }
                }
                _ => CaptureError::Setup { step: "open a packet socket", reason: error.to_string() },
            });
        }
        // SAFETY: the call succeeded, so this is an open descriptor, and nobody else has it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Maps a ring, and from then on captures what `filter` lets through on an interface. On every one of them where
    /// the number is 0.
    pub(super) fn capture(self, filter: &mut [libc::sock_filter], interface: u32) -> Result<Ring, CaptureError> {
        self.set(libc::PACKET_VERSION, &(libc::tpacket_versions::TPACKET_V3 as c_int), "choose the ring's version")?;
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let request = libc::tpacket_req3 {
            tp_block_size: number(BLOCK),
            tp_block_nr: number(BLOCKS),
            tp_frame_size: number(FRAME),
            tp_frame_nr: number(BLOCK * BLOCKS / FRAME),
            tp_retire_blk_tov: HAND_OVER_MS,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        self.set(libc::PACKET_RX_RING, &request, "make a ring")?;
        let program =
            libc::sock_fprog { len: u16::try_from(filter.len()).unwrap_or(u16::MAX), filter: filter.as_mut_ptr() };
        self.set_at(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program, "attach the filter")?;
        // Keeps the packets that leave from being looked at at all. The filter drops them too, so an older kernel may
        // refuse.
        let _ = self.set(libc::PACKET_IGNORE_OUTGOING, &1_i32, "leave outgoing packets");
        // Makes the kernel stamp packets as they come in, not as they reach the ring. Refusal costs a few microseconds.
        let _ = self.set_at(libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &1_i32, "have packets stamped");
        let ring = self.map()?;
        ring.socket.bind(interface)?;
        Ok(ring)
    }

    /// Reads the kernel's counters, which begin anew then.
    pub(super) fn counters(&self) -> io::Result<Counters> {
        let mut counters = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
        let mut size = socklen::<libc::tpacket_stats_v3>();
        // SAFETY: the pointers are to a value of the stated size and to that size, both writable and alive.
        let answer = unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut counters).cast(),
                &raw mut size,
            )
        };
        if answer != 0 {
            return Err(io::Error::last_os_error());
        }
        let dropped = u64::from(counters.tp_drops);
        // The number of packets includes the dropped ones.
        Ok(Counters { accepted: u64::from(counters.tp_packets).saturating_sub(dropped), dropped })
    }

    /// A second handle on the same socket.
    pub(super) fn again(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    fn map(self) -> Result<Ring, CaptureError> {
        // SAFETY: no address is asked for, so no mapping is replaced; the descriptor is open and has a ring of this
        // size.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                BLOCK * BLOCKS,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                self.0.as_raw_fd(),
                0,
            )
        };
        let start = NonNull::new(address.cast::<u8>()).filter(|_| address != libc::MAP_FAILED);
        start.map(|start| Ring { socket: self, start, next: 0 }).ok_or_else(|| last_error("map the ring"))
    }

    fn bind(&self, interface: u32) -> Result<(), CaptureError> {
        // All protocols: only such sockets get a packet before the protocol's own code does, so that whoever has read
        // its data can rely on the ring having it.
        let all = u16::try_from(libc::ETH_P_ALL).unwrap_or_default().to_be();
        let address = libc::sockaddr_ll {
            sll_family: u16::try_from(libc::AF_PACKET).unwrap_or_default(),
            sll_protocol: all,
            sll_ifindex: interface.cast_signed(),
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        // SAFETY: the pointer is to an address of the stated size, which lives through the call.
        let answer =
            unsafe { libc::bind(self.0.as_raw_fd(), (&raw const address).cast(), socklen::<libc::sockaddr_ll>()) };
        if answer == 0 { Ok(()) } else { Err(last_error("listen on the network interface")) }
    }

    fn set<T>(&self, option: c_int, value: &T, step: &'static str) -> Result<(), CaptureError> {
        self.set_at(libc::SOL_PACKET, option, value, step)
    }

    fn set_at<T>(&self, level: c_int, option: c_int, value: &T, step: &'static str) -> Result<(), CaptureError> {
        // SAFETY: the pointer is to a value of the stated size. What that value may point to, a filter, is borrowed by
        // the caller for longer than the call; the kernel copies it.
        let answer = unsafe {
            libc::setsockopt(self.0.as_raw_fd(), level, option, std::ptr::from_ref(value).cast(), socklen::<T>())
        };
        if answer == 0 { Ok(()) } else { Err(last_error(step)) }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A packet socket that captures.
#[derive(Debug)]
pub(super) struct Ring {
    pub(super) socket: Socket,
    /// `BLOCKS` times `BLOCK` bytes.
    start: NonNull<u8>,
    /// The block that is filled next.
    next: usize,
}

// SAFETY: the mapping belongs to this value alone and is bound to no thread.
unsafe impl Send for Ring {}

impl Ring {
    /// Whether the kernel has handed over another block.
    pub(super) fn is_ready(&self) -> bool {
        self.status().load(Ordering::Acquire) & libc::TP_STATUS_USER != 0
    }

    /// Has the next block read and gives it back. `None` where there is none yet.
    pub(super) fn read<T>(&mut self, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
        if !self.is_ready() {
            return None;
        }
        // SAFETY: the block lies inside of the mapping. It is ours since the status says so, which was loaded such that
        // what the kernel wrote before is visible; the kernel leaves it alone until the status is set back, after the
        // slice's end.
        let block = unsafe { std::slice::from_raw_parts(self.start.as_ptr().add(self.next * BLOCK), BLOCK) };
        let result = read(block);
        self.status().store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.next = (self.next + 1) % BLOCKS;
        Some(result)
    }

    fn status(&self) -> &AtomicU32 {
        // SAFETY: the status lies inside of the mapping, which lives as long as `self`, at a multiple of four bytes
        // from its page-aligned beginning. Neither side touches it but as a whole while it may change.
        unsafe { AtomicU32::from_ptr(self.start.as_ptr().add(self.next * BLOCK + STATUS).cast()) }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping was made with this size and no reference into it is left.
        unsafe { libc::munmap(self.start.as_ptr().cast(), BLOCK * BLOCKS) };
    }
}

fn socklen<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or(libc::socklen_t::MAX)
}

fn last_error(step: &'static str) -> CaptureError {
    CaptureError::Setup { step, reason: io::Error::last_os_error().to_string() }
}
