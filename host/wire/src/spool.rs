//! Where the bytes of a window wait until it has closed.
//!
//! A window may bring more than memory holds: 1,000 streams at 100 events a second are 25 MB/s. So what was read leaves the
//! exchanges in small extents for blocks that all of a window share; past a budget full blocks go to an unnamed file, written
//! by a thread of its own. Extents of one exchange form a chain, each naming the one before it, so an exchange remembers one
//! address however long it is.
//!
//! The room of a window has two bounds ([`SpoolBudget`]). Where the disk is so slow that the memory bound is reached, exchanges stop
//! reading until it has caught up, and say that they did. Where the disk bound is reached, the exchange that has more to keep
//! fails; exchanges that have little so far still find some room.

mod gate;
mod writer;

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use gate::Gate;
use writer::Writer;

/// Bytes of a block. An extent never spans two.
const BLOCK: usize = 1 << 20;
/// Length of the address in front of each extent.
const LINK: usize = 12;
/// An exchange with more bytes than this leaves the last eighth of the disk's room to others.
const LARGE: u64 = 4 << 20;

/// How much room the answers of a window have until they are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpoolBudget {
    /// Bytes that stay in memory before anything goes to a file.
    pub kept: usize,
    /// Bytes in memory: those that stay there and those that wait for the disk. When there are more, exchanges stop reading.
    pub memory: usize,
    /// Bytes of the file, which is never larger than a tenth of what is free on its disk.
    pub disk: u64,
}

impl SpoolBudget {
    /// For a window: 32 MiB, which is what a thousand streams bring in a second, so that a window of minutes takes no more memory
    /// than one of seconds; 256 MiB with what waits for the disk, ten seconds of such streams; 4 GiB on disk.
    pub const WINDOW: Self = Self { kept: 32 << 20, memory: 256 << 20, disk: 4 << 30 };

    /// For one request by itself, of which many may be under way: 1 MiB, 8 MiB with what waits for the disk, 1 GiB on disk.
    pub const REQUEST: Self = Self { kept: 1 << 20, memory: 8 << 20, disk: 1 << 30 };
}

/// The common store of the exchanges of a window. Clones share it.
#[derive(Clone, Debug)]
pub struct Spool {
    blocks: Arc<Mutex<Blocks>>,
    gate: Arc<Gate>,
}

#[derive(Debug)]
struct Blocks {
    current: Vec<u8>,
    sealed: Vec<Block>,
    budget: SpoolBudget,
    /// Bytes of blocks that stay in memory.
    kept: usize,
    folder: PathBuf,
    gate: Arc<Gate>,
    writer: Option<Writer>,
    file: Option<File>,
    failure: Option<String>,
    tapes: usize,
}

#[derive(Debug)]
enum Block {
    Memory(Vec<u8>),
    /// In the file, as its n-th block.
    File(u64),
    Lost,
}

/// Where an extent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    block: u32,
    start: u32,
    length: u32,
}

/// The file may not grow any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DiskFull {
    /// Bytes that the file may have.
    pub(crate) limit: u64,
}

impl Default for Spool {
    fn default() -> Self {
        Self::new(SpoolBudget::WINDOW, std::env::temp_dir())
    }
}

impl Spool {
    /// A store with so much room. Its file is made in `folder` when it is needed; nobody else sees it, and it is gone with the
    /// store.
    #[must_use]
    pub fn new(budget: SpoolBudget, folder: PathBuf) -> Self {
        let gate = Arc::new(Gate::new(budget.memory.saturating_sub(budget.kept) / BLOCK));
        let blocks = Blocks {
            current: Vec::new(),
            sealed: Vec::new(),
            budget,
            kept: 0,
            folder,
            gate: Arc::clone(&gate),
            writer: None,
            file: None,
            failure: None,
            tapes: 0,
        };
        Self { blocks: Arc::new(Mutex::new(blocks)), gate }
    }

    /// How many tapes of this spool there were before.
    pub(crate) fn next_tape(&self) -> usize {
        let mut blocks = self.blocks();
        blocks.tapes = blocks.tapes.wrapping_add(1);
        blocks.tapes.wrapping_sub(1)
    }

    /// Ready when there is room in memory for what the exchange of this tape reads next; else it is woken when there is.
    pub(crate) fn poll_room(&self, tape: usize, cx: &Context<'_>) -> Poll<()> {
        self.gate.poll_open(tape, cx)
    }

    /// Keeps an extent that follows `previous`, for an exchange that has read `total` bytes so far.
    pub(crate) fn keep(&self, previous: Option<Address>, bytes: &[u8], total: u64) -> Result<Address, DiskFull> {
        let mut blocks = self.blocks();
        if !blocks.current.is_empty() && blocks.current.len() + LINK + bytes.len() > BLOCK {
            blocks.seal(total > LARGE)?;
        }
        if blocks.current.capacity() == 0 {
            blocks.current =
                blocks.writer.as_ref().and_then(|writer| writer.emptied.try_recv().ok()).unwrap_or_default();
            // Small windows stay small.
            let first = if blocks.sealed.is_empty() { 64 << 10 } else { BLOCK };
            blocks.current.reserve(first.max(LINK + bytes.len()));
        }
        let start = blocks.current.len();
        blocks.current.extend_from_slice(&link(previous));
        blocks.current.extend_from_slice(bytes);
        Ok(Address {
            block: u32::try_from(blocks.sealed.len()).unwrap_or(u32::MAX),
            start: u32::try_from(start).unwrap_or(u32::MAX),
            length: u32::try_from(LINK + bytes.len()).unwrap_or(u32::MAX),
        })
    }

    /// The addresses of the chain that ends at `last`, in the order in which the extents were kept. Not to be called while more
    /// is kept: it waits for the writer.
    pub(crate) fn chain(&self, last: Option<Address>) -> Result<Vec<Address>, String> {
        let mut blocks = self.blocks();
        blocks.settle();
        let mut addresses = Vec::new();
        let mut next = last;
        while let Some(address) = next {
            next = unlink(&blocks.read(address, 0, LINK)?);
            addresses.push(address);
        }
        addresses.reverse();
        Ok(addresses)
    }

    /// What was kept at an address.
    pub(crate) fn extent(&self, address: Address) -> Result<Vec<u8>, String> {
        let length = (address.length as usize).saturating_sub(LINK);
        self.blocks().read(address, LINK, length)
    }

    fn blocks(&self) -> MutexGuard<'_, Blocks> {
        // A panic elsewhere cannot leave a half-kept extent behind that anybody knows the address of.
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const NO_BLOCK: u32 = u32::MAX;

fn link(previous: Option<Address>) -> [u8; LINK] {
    let address = previous.unwrap_or(Address { block: NO_BLOCK, start: 0, length: 0 });
    let mut bytes = [0; LINK];
    for (place, number) in bytes.chunks_exact_mut(4).zip([address.block, address.start, address.length]) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    bytes
}

fn unlink(bytes: &[u8]) -> Option<Address> {
    let mut numbers = bytes.chunks_exact(4).map(|four| four.try_into().map(u32::from_le_bytes).unwrap_or(NO_BLOCK));
    let (block, start, length) = (numbers.next()?, numbers.next()?, numbers.next()?);
    (block != NO_BLOCK).then_some(Address { block, start, length })
}

impl Blocks {
    /// Puts the current block where it stays. `spares` says that the last part of the disk's room is not to be used.
    fn seal(&mut self, spares: bool) -> Result<(), DiskFull> {
        if self.kept + self.current.len() <= self.budget.kept {
            let block = std::mem::take(&mut self.current);
            self.kept += block.len();
            self.sealed.push(Block::Memory(block));
            return Ok(());
        }
        if self.writer.is_none() && self.file.is_none() && self.failure.is_none() {
            match Writer::start(&self.folder, self.budget.disk, Arc::clone(&self.gate)) {
                Ok(writer) => self.writer = Some(writer),
                Err(error) => self.failure = Some(error.to_string()),
            }
        }
        let block = match &mut self.writer {
            Some(writer) if !writer.has_room(spares) => return Err(DiskFull { limit: writer.room_bytes() }),
            Some(writer) => writer.send(std::mem::take(&mut self.current)).map_or(Block::Lost, Block::File),
            None => {
                self.current.clear();
                Block::Lost
            }
        };
        self.sealed.push(block);
        Ok(())
    }

    /// Waits until everything that was sent to the file is there.
    fn settle(&mut self) {
        let Some(writer) = self.writer.take() else { return };
        match writer.finish() {
            Ok(file) => self.file = Some(file),
            Err(reason) => self.failure = Some(reason),
        }
    }

    /// Reads `length` bytes of an extent from its byte `from` on.
    fn read(&mut self, address: Address, from: usize, length: usize) -> Result<Vec<u8>, String> {
        let start = address.start as usize + from;
        let part = |block: &[u8]| block.get(start..start + length).map(<[u8]>::to_vec);
        let found = match self.sealed.get(address.block as usize) {
            None => part(&self.current),
            Some(Block::Memory(block)) => part(block),
            Some(Block::File(number)) => match &mut self.file {
                Some(file) => Some(writer::read_part(file, *number, start, length).map_err(|error| error.to_string())?),
                None => None,
            },
            Some(Block::Lost) => None,
        };
        found.ok_or_else(|| self.failure.clone().unwrap_or_else(|| "it is not there".to_owned()))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn extents_of(spool: &Spool, last: Option<Address>) -> Result<Vec<Vec<u8>>, String> {
        spool.chain(last)?.into_iter().map(|address| spool.extent(address)).collect()
    }

    proptest! {
        /// Chains come back as they were kept, whatever part of them went to the file.
        #[test]
        fn chains_come_back(
            extents in prop::collection::vec((0..4_usize, 0..200_000_usize, any::<u8>()), 0..60),
            budget in 0..4_usize,
        ) {
            let budget = SpoolBudget { kept: budget << 20, ..SpoolBudget::WINDOW };
            let spool = Spool::new(budget, std::env::temp_dir());
            let mut chains: [(Option<Address>, Vec<Vec<u8>>); 4] = Default::default();
            for (chain, length, fill) in extents {
                let bytes = vec![fill; length];
                chains[chain].0 = Some(spool.keep(chains[chain].0, &bytes, 0).unwrap());
                chains[chain].1.push(bytes);
            }
            for (last, wanted) in chains {
                prop_assert!(extents_of(&spool, last).unwrap() == wanted);
            }
        }
    }

    #[test]
    fn a_file_that_cannot_be_made_is_said() {
        let spool = Spool::new(SpoolBudget { kept: 0, ..SpoolBudget::WINDOW }, PathBuf::from("/no/such/folder"));
        let first = spool.keep(None, &[1; 700_000], 0).unwrap();
        let second = spool.keep(Some(first), &[2; 700_000], 0).unwrap();
        let error = extents_of(&spool, Some(second)).unwrap_err();
        assert!(!error.is_empty());
    }

    #[test]
    fn the_last_part_of_the_disk_is_for_small_exchanges() {
        const EXTENT: usize = 700_000;
        let budget = SpoolBudget { kept: 2 << 20, disk: 16 << 20, ..SpoolBudget::WINDOW };
        let spool = Spool::new(budget, std::env::temp_dir());
        let fill = |total: u64| {
            let mut kept = Vec::new();
            let refused = loop {
                match spool.keep(kept.last().copied(), &[7; EXTENT], total) {
                    Ok(address) => kept.push(address),
                    Err(full) => break full,
                }
                assert!(kept.len() < 100, "it is never refused");
            };
            (kept, refused)
        };
        let (large, refused) = fill(LARGE + 1);
        assert_eq!(refused, DiskFull { limit: 16 << 20 });
        // One extent to a block: two blocks in memory, seven eighths of sixteen on disk, and the current one.
        assert_eq!(large.len(), 2 + 14 + 1);
        let (small, _) = fill(0);
        assert_eq!(small.len(), 2);
        for (chain, length) in [(large, 17), (small, 2)] {
            let extents = extents_of(&spool, chain.last().copied()).unwrap();
            assert_eq!(extents, vec![vec![7; EXTENT]; length], "what was kept is still there");
        }
    }
}
