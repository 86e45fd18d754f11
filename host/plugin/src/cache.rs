//! Compiled code on disk, keyed by the component's content and the engine that compiled it.
//!
//! Loading compiled code means running it, so an entry is trusted only because this user's own process wrote it. The
//! folder is private ([`bench_files::PrivateFolder`]): it belongs to the user, nobody else can write it, and nobody else
//! can exchange it or a folder above it. It is opened once and used by its descriptor, and so is each entry, whose owner
//! and mode are checked after it was opened. So what is checked is what is mapped. A folder that is not private is not
//! used, and the reason is told.
//!
//! Each entry ends in a checksum that catches torn or rotten files. Against accidents CRC-32 is enough, and it takes a
//! tenth of the time of a cryptographic digest. A digest with a key would prove nothing more: who can write an entry in
//! this folder is the user or root, and both can read the key. A bad entry is a miss. Compiled code is never shipped and
//! never taken from anywhere else.
//!
//! Entries are mapped, not read, when they are used, so they are only ever replaced as a whole file and never written to.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use bench_files::{FilesError, PrivateFolder};

/// The checksum after the code, little-endian.
const CHECKSUM: usize = size_of::<u32>();

/// How much of an entry is read at once for its checksum: what stays in a core's cache between reading and summing up.
const PIECE: usize = 128 << 10;

/// A folder of compiled components.
#[derive(Debug, Clone)]
pub(crate) struct CompileCache {
    folder: PrivateFolder,
}

/// An open entry whose checksum is right. What follows the code in it does not disturb the ELF file that the code is.
pub(crate) struct Entry(File);

impl Entry {
    /// A path to the open file itself; `None` where the system has none.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        #[cfg(target_os = "linux")]
        {
            use std::os::fd::AsRawFd as _;
            Some(PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd())))
        }
        #[cfg(not(target_os = "linux"))]
        None
    }

    /// The content.
    pub(crate) fn read(&self) -> std::io::Result<Vec<u8>> {
        let mut file = &self.0;
        file.seek(SeekFrom::Start(0))?;
        let mut content = Vec::new();
        file.read_to_end(&mut content)?;
        Ok(content)
    }
}

impl CompileCache {
    /// Opens or makes the cache below `folder` for one engine, named by `engine_key`.
    pub(crate) fn open(folder: &Path, engine_key: &str) -> Result<CompileCache, FilesError> {
        Ok(CompileCache { folder: PrivateFolder::open_or_create(&folder.join(engine_key))? })
    }

    /// The compiled code of the component with this digest, when there is a sound entry.
    pub(crate) fn get(&self, digest: &str) -> Option<Entry> {
        let file = self.folder.open_entry(name(digest)).ok()?;
        is_sound(&file).ok()?.then_some(Entry(file))
    }

    /// Keeps compiled code. Failure to do so costs a compilation later and nothing else, so it is not an error.
    pub(crate) fn put(&self, digest: &str, code: &[u8]) {
        let Ok(staged) = self.folder.stage(name(digest)) else { return };
        let mut file = staged.as_file();
        let written = file.write_all(code).and_then(|()| file.write_all(&crc32fast::hash(code).to_le_bytes()));
        if written.is_ok() {
            // A file that does not get its name is removed; nothing more can be done about such a folder.
            staged.persist().ok();
        }
    }

    /// Forgets an entry that turned out to be unusable.
    pub(crate) fn forget(&self, digest: &str) {
        self.folder.remove(name(digest)).ok();
    }
}

fn name(digest: &str) -> String {
    format!("{digest}.bin")
}

/// Whether the file ends in the checksum of what comes before.
fn is_sound(mut file: &File) -> std::io::Result<bool> {
    let Some(mut code) = file.metadata()?.len().checked_sub(CHECKSUM as u64) else { return Ok(false) };
    let mut sum = crc32fast::Hasher::new();
    let mut piece = vec![0; PIECE];
    while code > 0 {
        let wanted = usize::try_from(code).unwrap_or(PIECE).min(PIECE);
        file.read_exact(&mut piece[..wanted])?;
        sum.update(&piece[..wanted]);
        code -= wanted as u64;
    }
    let mut found = [0; CHECKSUM];
    file.read_exact(&mut found)?;
    Ok(u32::from_le_bytes(found) == sum.finalize())
}
