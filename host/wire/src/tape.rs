//! What was read in one exchange, in the order in which it was read.
//!
//! A record is the read's length, its two times and its bytes. Records gather in a small buffer and leave it for the
//! [`Spool`] when it is full, so that an open stream costs the same however long it runs. Streams that say equally much would all be full
//! at the same moment, and a thousand buffers copied at once are milliseconds in which nothing is read; so each tape gives its first
//! one away at another length.

use std::net::SocketAddr;
use std::task::{Context, Poll};

use crate::Stamp;
use crate::spool::{Address, DiskFull, Spool};
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
    /// Which tape of the spool it is.
    number: usize,
    held: Vec<u8>,
    /// Bytes to hold back at most until the next extent.
    most: usize,
    last: Option<Address>,
    /// Bytes that were read.
    pub(crate) bytes: u64,
    /// Socket reads.
    pub(crate) reads: u64,
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
        let number = spool.next_tape();
        let most = first_extent(number);
        let held = Vec::new();
        Self { spool, number, held, most, last: None, bytes: 0, reads: 0, offset: None, place: None, eof: false }
    }

    /// Ready when more may be read; see [`Spool::poll_room`].
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        self.spool.poll_room(self.number, cx)
    }

    /// Takes down what was read. `continued` says that it came with the same socket read as what was taken down before.
    /// When the spool is full, what was read is not taken down and the tape ends before it.
    pub(crate) fn record(&mut self, bytes: &[u8], read: RawRead, continued: bool) -> Result<(), DiskFull> {
        if self.held.len() + HEADER + bytes.len() > self.most {
            self.spill()?;
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
        self.reads += u64::from(!continued);
        if self.held.len() > HELD {
            self.spill()?;
            self.held = Vec::new();
        }
        Ok(())
    }

    /// Gives everything to the spool: nothing more will come. When the spool is full, the tape keeps its own end, so that an
    /// answer that is complete stays so.
    pub(crate) fn close(&mut self) {
        match self.spill() {
            Ok(()) => self.held = Vec::new(),
            Err(DiskFull { .. }) => self.held.shrink_to_fit(),
        }
    }

    fn spill(&mut self) -> Result<(), DiskFull> {
        if !self.held.is_empty() {
            self.last = Some(self.spool.keep(self.last, &self.held, self.bytes)?);
            self.held.clear();
            self.most = HELD;
        }
        Ok(())
    }

    /// Hands out what was taken down, piece by piece, so that it need not be in memory together.
    pub(crate) fn play(&self, mut each: impl FnMut(Piece<'_>)) -> Result<(), String> {
        for address in self.spool.chain(self.last)? {
            play_extent(&self.spool.extent(address)?, &mut each)?;
        }
        play_extent(&self.held, &mut each)
    }
}

fn play_extent(extent: &[u8], each: &mut impl FnMut(Piece<'_>)) -> Result<(), String> {
    let mut rest = extent;
    while let Some((header, after)) = rest.split_at_checked(HEADER) {
        let length = number::<4>(header, 0).map_or(0, u32::from_le_bytes);
        let at = number::<8>(header, 4).map_or(0, u64::from_le_bytes);
        let arrival = number::<8>(header, 12).map_or(NONE, u64::from_le_bytes);
        let (bytes, after) =
            after.split_at_checked((length & (CONTINUED - 1)) as usize).ok_or("a record is cut short")?;
        rest = after;
        let arrival = Some(arrival).filter(|arrival| *arrival != NONE);
        let read = RawRead { at: Stamp::from_nanos(at), arrival };
        each(Piece { read, continued: length & CONTINUED != 0, bytes });
    }
    Ok(())
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// What was taken down at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'p> {
    /// The socket read that brought it.
    pub(crate) read: RawRead,
    /// It belongs to the same socket read as the piece before it.
    pub(crate) continued: bool,
    /// The bytes, heads and framing included.
    pub(crate) bytes: &'p [u8],
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;
    use crate::SpoolBudget;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_recorded_is_played(reads in prop::collection::vec((0..20_000_usize, any::<u32>(), prop::option::of(any::<u32>()), any::<bool>()), 0..40)) {
            let budget = SpoolBudget { kept: 1 << 20, ..SpoolBudget::WINDOW };
            let mut tape = Tape::new(Spool::new(budget, std::env::temp_dir()));
            let mut wanted = Vec::new();
            for (number, (length, at, arrival, continued)) in reads.iter().enumerate() {
                let read = RawRead { at: Stamp::from_nanos(u64::from(*at)), arrival: arrival.map(u64::from) };
                let bytes = vec![number as u8; *length];
                tape.record(&bytes, read, *continued).unwrap();
                wanted.push((read, *continued, bytes));
            }
            if reads.len() % 2 == 0 {
                tape.close();
            }
            let mut played = Vec::new();
            tape.play(|piece| played.push((piece.read, piece.continued, piece.bytes.to_vec()))).unwrap();
            prop_assert_eq!(tape.bytes as usize, wanted.iter().map(|(_, _, bytes)| bytes.len()).sum::<usize>());
            prop_assert_eq!(tape.reads as usize, wanted.iter().filter(|(_, continued, _)| !continued).count());
            prop_assert!(played == wanted);
        }
    }

    #[test]
    fn a_tape_that_finds_no_room_keeps_its_end() {
        let budget = SpoolBudget { kept: 0, disk: 0, ..SpoolBudget::WINDOW };
        let mut tape = Tape::new(Spool::new(budget, std::env::temp_dir()));
        let read = RawRead { at: Stamp::from_nanos(1), arrival: None };
        let mut recorded = 0;
        while tape.record(&[7; 5000], read, false).is_ok() {
            recorded += 5000;
        }
        tape.close();
        let mut played = 0;
        tape.play(|piece| played += piece.bytes.len()).unwrap();
        assert_eq!((played, tape.bytes), (recorded, recorded as u64));
    }
}
