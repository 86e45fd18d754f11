//! What was read in one exchange, in the order in which it was read.
//!
//! A record is the read's length, its two times and its bytes. Records gather in a small buffer and leave it for the
//! [`Spool`] when it is full, so that an open stream costs the same however long it runs. Streams that say equally much would all be full
//! at the same moment, and a thousand buffers copied at once are milliseconds in which nothing is read; so each tape gives its first
//! one away at another length.

use std::net::SocketAddr;

use crate::Stamp;
use crate::spool::{Address, Spool};
use crate::stamp::WallOffset;

/// Bytes that an open stream may hold back.
const HELD: usize = 8 << 10;
/// Length of a record without its bytes.
const HEADER: usize = 20;
/// In a record's length: it belongs to the same socket read as the record before it.
const CONTINUED: u32 = 1 << 31;
/// No stamp of the kernel.
const NONE: u64 = u64::MAX;

/// The plaintext of one exchange as it was read.
#[derive(Debug)]
pub(crate) struct Tape {
    spool: Spool,
    held: Vec<u8>,
    /// Bytes to hold back at most until the next extent.
    most: usize,
    last: Option<Address>,
    /// Bytes that were read.
    pub(crate) bytes: u64,
    /// Between the kernel's clock and ours when the exchange began.
    pub(crate) offset: Option<WallOffset>,
    /// Our end of the connection, and the bytes that had come on it before; `None` where packets show something else.
    pub(crate) place: Option<(SocketAddr, u64)>,
    /// The server ended its side.
    pub(crate) eof: bool,
}

/// A socket read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawRead {
    /// When it returned.
    pub(crate) at: Stamp,
    /// When its bytes had arrived. On the kernel's real-time clock where the kernel stamps, which the tape's offset tells;
    /// elsewhere when the runtime said so, on our clock.
    pub(crate) arrival: Option<u64>,
}

/// Length of the first extent of a spool's n-th tape: spread over the upper seven eighths of the usual length.
fn first_extent(tape: usize) -> usize {
    const STEPS: usize = 64;
    HELD - tape % STEPS * (HELD / STEPS * 7 / 8)
}

impl Tape {
    /// An empty tape.
    pub(crate) fn new(spool: Spool) -> Self {
        let most = first_extent(spool.next_tape());
        Self { spool, held: Vec::new(), most, last: None, bytes: 0, offset: None, place: None, eof: false }
    }

    /// Takes down what was read. `continued` says that it came with the same socket read as what was taken down before.
    pub(crate) fn record(&mut self, bytes: &[u8], read: RawRead, continued: bool) {
        if self.held.len() + HEADER + bytes.len() > self.most {
            self.spill();
        }
        if self.held.capacity() == 0 {
            self.held.reserve_exact(HELD.max(HEADER + bytes.len()));
        }
        let length = u32::try_from(bytes.len()).unwrap_or(CONTINUED - 1) & (CONTINUED - 1);
        self.held.extend_from_slice(&(length | if continued { CONTINUED } else { 0 }).to_le_bytes());
        self.held.extend_from_slice(&read.at.as_nanos().to_le_bytes());
        self.held.extend_from_slice(&read.arrival.unwrap_or(NONE).to_le_bytes());
        self.held.extend_from_slice(bytes);
        self.bytes += bytes.len() as u64;
        if self.held.len() > HELD {
            self.spill();
            self.held = Vec::new();
        }
    }

    /// Gives everything to the spool: nothing more will come.
    pub(crate) fn close(&mut self) {
        self.spill();
        self.held = Vec::new();
    }

    fn spill(&mut self) {
        if !self.held.is_empty() {
            self.last = Some(self.spool.keep(self.last, &self.held));
            self.held.clear();
            self.most = HELD;
        }
    }

    /// The reads and the bytes of each, continued ones put together.
    pub(crate) fn play(&self) -> Result<Played, String> {
        let mut extents = self.spool.chain(self.last)?;
        extents.push(self.held.clone());
        let mut played = Played::default();
        for extent in &extents {
            let mut rest = extent.as_slice();
            while let Some((header, after)) = rest.split_at_checked(HEADER) {
                let length = number::<4>(header, 0).map_or(0, u32::from_le_bytes);
                let at = number::<8>(header, 4).map_or(0, u64::from_le_bytes);
                let arrival = number::<8>(header, 12).map_or(NONE, u64::from_le_bytes);
                let (bytes, after) =
                    after.split_at_checked((length & (CONTINUED - 1)) as usize).ok_or("a record is cut short")?;
                rest = after;
                played.raw.extend_from_slice(bytes);
                let end = played.raw.len();
                match played.ends.last_mut().filter(|_| length & CONTINUED != 0) {
                    Some(last) => *last = end,
                    None => {
                        played.ends.push(end);
                        let arrival = Some(arrival).filter(|arrival| *arrival != NONE);
                        played.reads.push(RawRead { at: Stamp::from_nanos(at), arrival });
                    }
                }
            }
        }
        Ok(played)
    }
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// A tape that was played.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Played {
    /// Every byte, heads and framing included.
    pub(crate) raw: Vec<u8>,
    /// Offset in `raw` after each read.
    pub(crate) ends: Vec<usize>,
    /// The reads.
    pub(crate) reads: Vec<RawRead>,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_recorded_is_played(reads in prop::collection::vec((0..20_000_usize, any::<u32>(), prop::option::of(any::<u32>()), any::<bool>()), 0..40)) {
            let mut tape = Tape::new(Spool::new(1 << 20, std::env::temp_dir()));
            let mut wanted = Played::default();
            for (number, (length, at, arrival, continued)) in reads.iter().enumerate() {
                let read = RawRead { at: Stamp::from_nanos(u64::from(*at)), arrival: arrival.map(u64::from) };
                let bytes = vec![number as u8; *length];
                tape.record(&bytes, read, *continued);
                wanted.raw.extend(bytes);
                match wanted.ends.last_mut().filter(|_| *continued) {
                    Some(last) => *last = wanted.raw.len(),
                    None => {
                        wanted.ends.push(wanted.raw.len());
                        wanted.reads.push(read);
                    }
                }
            }
            if reads.len() % 2 == 0 {
                tape.close();
            }
            prop_assert_eq!(tape.bytes as usize, wanted.raw.len());
            prop_assert!(tape.play().unwrap() == wanted);
        }
    }
}
