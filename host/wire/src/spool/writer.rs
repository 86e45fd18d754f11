//! The thread that writes full blocks to a file, and the room that it has there.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread::{self, JoinHandle};

use super::BLOCK;
use super::gate::Gate;

/// Emptied blocks that are kept for reuse.
const SPARE: usize = 8;

/// The share of the free space of a disk that a window may take: a tenth.
const SHARE_OF_FREE: u64 = 10;

#[derive(Debug)]
pub(super) struct Writer {
    sender: Sender<Vec<u8>>,
    /// Blocks that are in the file, emptied: those in use are always the same few.
    pub(super) emptied: Receiver<Vec<u8>>,
    thread: JoinHandle<(File, Result<(), String>)>,
    gate: Arc<Gate>,
    /// Blocks that were handed over.
    sent: u64,
    /// Blocks that the file may have.
    room: u64,
}

impl Writer {
    /// Makes an unnamed file in `folder` for at most `disk` bytes, and at most a tenth of what is free there.
    pub(super) fn start(folder: &Path, disk: u64, gate: Arc<Gate>) -> std::io::Result<Self> {
        let mut file = tempfile::tempfile_in(folder)?;
        let room = free_bytes(folder).map_or(disk, |free| disk.min(free / SHARE_OF_FREE)) / BLOCK as u64;
        let (sender, receiver) = mpsc::channel::<Vec<u8>>();
        let (give_back, emptied): (SyncSender<Vec<u8>>, _) = mpsc::sync_channel(SPARE);
        let opens = Arc::clone(&gate);
        let thread = thread::Builder::new().name("bench-spool".to_owned()).spawn(move || {
            let mut written = Ok(());
            for mut block in receiver {
                if written.is_ok() {
                    // Blocks of one length can be found without a list. A single extent larger than a block cannot be.
                    block.resize(BLOCK, 0);
                    written = file.write_all(&block).map_err(|error| error.to_string());
                }
                block.clear();
                // It is dropped where enough are spare, or where the window is over.
                let _ = give_back.try_send(block);
                opens.remove_block();
            }
            (file, written)
        })?;
        Ok(Self { sender, emptied, thread, gate, sent: 0, room })
    }

    /// Bytes that the file may have.
    pub(super) const fn room_bytes(&self) -> u64 {
        self.room.saturating_mul(BLOCK as u64)
    }

    /// Whether the file has room for another block, of which `reserve` are not to be used.
    pub(super) const fn has_room(&self, reserve: bool) -> bool {
        // An eighth is for exchanges that have little so far.
        let reserved = if reserve { self.room.div_ceil(8) } else { 0 };
        self.sent < self.room.saturating_sub(reserved)
    }

    /// Hands a block over and returns its number in the file; `None` when the thread is gone.
    pub(super) fn send(&mut self, block: Vec<u8>) -> Option<u64> {
        self.gate.add_block();
        self.sender.send(block).ok()?;
        self.sent += 1;
        Some(self.sent - 1)
    }

    /// Waits until everything is in the file.
    pub(super) fn finish(self) -> Result<File, String> {
        drop(self.sender);
        match self.thread.join() {
            Ok((file, written)) => written.map(|()| file),
            Err(_) => Err("the thread that wrote it panicked".to_owned()),
        }
    }
}

/// Reads a part of the block of this number.
pub(super) fn read_part(file: &mut File, block: u64, start: usize, length: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.seek(SeekFrom::Start(block * BLOCK as u64 + start as u64))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Bytes that this user may still write to the disk of a folder, where that can be known.
#[cfg(target_os = "linux")]
fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = nix::sys::statvfs::statvfs(folder).ok()?;
    Some(disk.blocks_available().saturating_mul(disk.fragment_size()))
}

#[cfg(not(target_os = "linux"))]
const fn free_bytes(_: &Path) -> Option<u64> {
    None
}
