//! Where the bytes of a window wait until it has closed.
//!
//! A window may bring more than memory holds: 1,000 streams at 100 events a second are 25 MB/s. So what was read leaves the
//! exchanges in small extents for blocks that all of a window share; past a budget full blocks go to an unnamed file, written
//! by a thread of its own, so that no exchange waits for a disk. Extents of one exchange form a chain, each naming the one
//! before it, so an exchange remembers one address however long it is.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// Bytes of a block. An extent never spans two.
const BLOCK: usize = 1 << 20;
/// Blocks that may wait for the writer.
const WAITING: usize = 64;
/// Length of the address in front of each extent.
const LINK: usize = 12;
/// Memory that a spool keeps before it turns to a file: what a thousand streams bring in a second, so that a window of minutes takes
/// no more memory than one of seconds.
pub const DEFAULT_BUDGET: usize = 32 << 20;

/// The common store of the exchanges of a window. Clones share it.
#[derive(Clone, Debug)]
pub struct Spool(Arc<Mutex<Blocks>>);

#[derive(Debug)]
struct Blocks {
    current: Vec<u8>,
    sealed: Vec<Block>,
    /// Bytes of blocks that may still be kept in memory.
    budget: usize,
    /// Blocks in memory beyond the budget, because the writer was behind.
    owed: VecDeque<usize>,
    folder: PathBuf,
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

#[derive(Debug)]
struct Writer {
    sender: SyncSender<Vec<u8>>,
    /// Blocks that are in the file, emptied: those in use are always the same few.
    emptied: Receiver<Vec<u8>>,
    thread: JoinHandle<(File, Result<(), String>)>,
    sent: u64,
}

impl Default for Spool {
    fn default() -> Self {
        Self::new(DEFAULT_BUDGET, std::env::temp_dir())
    }
}

impl Spool {
    /// A store that keeps `budget` bytes in memory, and the rest in a file of `folder` that nobody else sees and that is gone
    /// with the store.
    #[must_use]
    pub fn new(budget: usize, folder: PathBuf) -> Self {
        Self(Arc::new(Mutex::new(Blocks {
            current: Vec::new(),
            sealed: Vec::new(),
            budget,
            owed: VecDeque::new(),
            folder,
            writer: None,
            file: None,
            failure: None,
            tapes: 0,
        })))
    }

    /// How many tapes of this spool there were before.
    pub(crate) fn next_tape(&self) -> usize {
        let mut blocks = self.blocks();
        blocks.tapes = blocks.tapes.wrapping_add(1);
        blocks.tapes.wrapping_sub(1)
    }

    /// Keeps an extent that follows `previous`.
    pub(crate) fn keep(&self, previous: Option<Address>, bytes: &[u8]) -> Address {
        let mut blocks = self.blocks();
        if !blocks.current.is_empty() && blocks.current.len() + LINK + bytes.len() > BLOCK {
            blocks.seal();
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
        Address {
            block: u32::try_from(blocks.sealed.len()).unwrap_or(u32::MAX),
            start: u32::try_from(start).unwrap_or(u32::MAX),
            length: u32::try_from(LINK + bytes.len()).unwrap_or(u32::MAX),
        }
    }

    /// The extents of the chain that ends at `last`, in the order in which they were kept. Not to be called while more is
    /// kept: it waits for the writer.
    pub(crate) fn chain(&self, last: Option<Address>) -> Result<Vec<Vec<u8>>, String> {
        let mut blocks = self.blocks();
        blocks.settle();
        let mut extents = Vec::new();
        let mut next = last;
        while let Some(address) = next {
            let mut extent = blocks.read(address)?;
            let payload = extent.split_off(LINK.min(extent.len()));
            next = unlink(&extent);
            extents.push(payload);
        }
        extents.reverse();
        Ok(extents)
    }

    fn blocks(&self) -> MutexGuard<'_, Blocks> {
        // A panic elsewhere cannot leave a half-kept extent behind that anybody knows the address of.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// Puts the current block where it stays.
    fn seal(&mut self) {
        let block = std::mem::take(&mut self.current);
        let place = match self.budget.checked_sub(block.len()) {
            Some(left) => {
                self.budget = left;
                Block::Memory(block)
            }
            None => {
                self.pay();
                let place = self.write(block);
                if matches!(place, Block::Memory(_)) {
                    self.owed.push_back(self.sealed.len());
                }
                place
            }
        };
        self.sealed.push(place);
    }

    /// Gives the writer blocks that it had no room for before.
    fn pay(&mut self) {
        while let Some(index) = self.owed.pop_front() {
            let Some(Block::Memory(block)) = self.sealed.get_mut(index) else { continue };
            let block = std::mem::take(block);
            let place = self.write(block);
            let is_still_owed = matches!(place, Block::Memory(_));
            if let Some(old) = self.sealed.get_mut(index) {
                *old = place;
            }
            if is_still_owed {
                self.owed.push_front(index);
                return;
            }
        }
    }

    fn write(&mut self, block: Vec<u8>) -> Block {
        if self.file.is_some() {
            return Block::Memory(block);
        }
        if self.writer.is_none() && self.failure.is_none() {
            match Writer::start(&self.folder) {
                Ok(writer) => self.writer = Some(writer),
                Err(error) => self.failure = Some(error.to_string()),
            }
        }
        match &mut self.writer {
            Some(writer) => match writer.sender.try_send(block) {
                Ok(()) => {
                    writer.sent += 1;
                    Block::File(writer.sent - 1)
                }
                // The disk is slower than the network: memory has to do, which is better than an exchange that waits.
                Err(mpsc::TrySendError::Full(block)) => Block::Memory(block),
                Err(mpsc::TrySendError::Disconnected(_)) => Block::Lost,
            },
            None => Block::Lost,
        }
    }

    /// Waits until everything that was sent to the file is there.
    fn settle(&mut self) {
        let Some(writer) = self.writer.take() else { return };
        drop(writer.sender);
        match writer.thread.join() {
            Ok((file, Ok(()))) => self.file = Some(file),
            Ok((_, Err(reason))) => self.failure = Some(reason),
            Err(_) => self.failure = Some("the thread that wrote it panicked".to_owned()),
        }
    }

    fn read(&mut self, address: Address) -> Result<Vec<u8>, String> {
        let (start, length) = (address.start as usize, address.length as usize);
        let part = |block: &[u8]| block.get(start..start + length).map(<[u8]>::to_vec);
        let index = address.block as usize;
        let found = match self.sealed.get(index) {
            None => part(&self.current),
            Some(Block::Memory(block)) => part(block),
            Some(Block::File(number)) => {
                let at = number * (BLOCK as u64) + u64::from(address.start);
                match &mut self.file {
                    Some(file) => read_at(file, at, length).map_err(|error| error.to_string()).map(Some)?,
                    None => None,
                }
            }
            Some(Block::Lost) => None,
        };
        found.ok_or_else(|| self.failure.clone().unwrap_or_else(|| "it is not there".to_owned()))
    }
}

fn read_at(file: &mut File, at: u64, length: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

impl Writer {
    fn start(folder: &std::path::Path) -> std::io::Result<Self> {
        let mut file = tempfile::tempfile_in(folder)?;
        let (sender, receiver) = mpsc::sync_channel::<Vec<u8>>(WAITING);
        let (give_back, emptied) = mpsc::channel();
        let thread = thread::Builder::new().name("bench-spool".to_owned()).spawn(move || {
            let mut written = Ok(());
            for mut block in receiver {
                if written.is_ok() {
                    // Blocks of one length can be found without a list. A single extent larger than a block cannot be.
                    block.resize(BLOCK, 0);
                    written = file.write_all(&block).map_err(|error| error.to_string());
                }
                block.clear();
                // Nobody wants it any more once the window is over.
                let _ = give_back.send(block);
            }
            (file, written)
        })?;
        Ok(Self { sender, emptied, thread, sent: 0 })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Chains come back as they were kept, whatever part of them went to the file.
        #[test]
        fn chains_come_back(
            extents in prop::collection::vec((0..4_usize, 0..200_000_usize, any::<u8>()), 0..60),
            budget in 0..4_usize,
        ) {
            let spool = Spool::new(budget << 20, std::env::temp_dir());
            let mut chains: [(Option<Address>, Vec<Vec<u8>>); 4] = Default::default();
            for (chain, length, fill) in extents {
                let bytes = vec![fill; length];
                chains[chain].0 = Some(spool.keep(chains[chain].0, &bytes));
                chains[chain].1.push(bytes);
            }
            for (last, wanted) in chains {
                prop_assert!(spool.chain(last).unwrap() == wanted);
            }
        }
    }

    #[test]
    fn a_file_that_cannot_be_made_is_said() {
        let spool = Spool::new(0, PathBuf::from("/no/such/folder"));
        let first = spool.keep(None, &[1; 700_000]);
        let second = spool.keep(Some(first), &[2; 700_000]);
        let error = spool.chain(Some(second)).unwrap_err();
        assert!(!error.is_empty());
    }
}
