//! Compiled code on disk, keyed by the component's content and the engine that compiled it.
//!
//! Loading compiled code means running it, so an entry is trusted only because this user's own process wrote it: the folder
//! must belong to the user and be writable by nobody else, and each entry ends in a checksum that catches torn or rotten
//! files. Against accidents CRC-32 is enough, and it takes a tenth of the time of a cryptographic digest, which would prove
//! nothing about a folder whose owner can write both. A bad entry is a miss. Compiled code is never shipped and never taken
//! from anywhere else.
//!
//! Entries are mapped, not read, when they are used, so they are only ever replaced as a whole file and never written to.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use bench_text::clean_sentence;

/// The checksum after the code, little-endian.
const CHECKSUM: usize = size_of::<u32>();

/// How much of an entry is read at once for its checksum: what stays in a core's cache between reading and summing up.
const PIECE: usize = 128 << 10;

/// A folder of compiled components.
#[derive(Debug, Clone)]
pub struct CompileCache {
    folder: PathBuf,
}

/// Why a folder cannot serve as a cache.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CacheError {
    #[error("{}: {error}", clean_sentence(path.display()))]
    Io { path: PathBuf, error: std::io::Error },
    #[error("{} belongs to another user or can be written by others", clean_sentence(path.display()))]
    NotPrivate { path: PathBuf },
}

impl CompileCache {
    /// Opens or makes the cache below `folder` for one engine, named by `engine_key`.
    pub(crate) fn open(folder: &Path, engine_key: &str) -> Result<CompileCache, CacheError> {
        let folder = folder.join(engine_key);
        let failed = |error| CacheError::Io { path: folder.clone(), error };
        create_private(&folder).map_err(failed)?;
        let metadata = fs::symlink_metadata(&folder).map_err(failed)?;
        if !metadata.is_dir() || !is_private(&metadata) {
            return Err(CacheError::NotPrivate { path: folder });
        }
        Ok(CompileCache { folder })
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.folder.join(format!("{digest}.bin"))
    }

    /// The file with the compiled code of the component with this digest, when there is a sound one. What follows the code
    /// in it does not disturb the ELF file that the code is.
    pub(crate) fn get(&self, digest: &str) -> Option<PathBuf> {
        let path = self.path(digest);
        is_sound(&path).ok()?.then_some(path)
    }

    /// Keeps compiled code. Failure to do so costs a compilation later and nothing else, so it is not an error.
    pub(crate) fn put(&self, digest: &str, code: &[u8]) {
        let temporary = self.folder.join(format!(".{digest}.{}.tmp", std::process::id()));
        let written = fs::File::create(&temporary).and_then(|mut file| {
            file.write_all(code)?;
            file.write_all(&crc32fast::hash(code).to_le_bytes())
        });
        let kept = written.and_then(|()| fs::rename(&temporary, self.path(digest)));
        if kept.is_err() {
            // Nothing more can be done about a folder that does not take files.
            fs::remove_file(&temporary).ok();
        }
    }

    /// Forgets an entry that turned out to be unusable.
    pub(crate) fn forget(&self, digest: &str) {
        fs::remove_file(self.path(digest)).ok();
    }
}

/// Whether the file ends in the checksum of what comes before.
fn is_sound(path: &Path) -> std::io::Result<bool> {
    let mut file = fs::File::open(path)?;
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

#[cfg(unix)]
fn create_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn is_private(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    const WRITABLE_BY_OTHERS: u32 = 0o022;
    // SAFETY: geteuid has no preconditions and cannot fail.
    let me = unsafe { libc::geteuid() };
    metadata.uid() == me && metadata.mode() & WRITABLE_BY_OTHERS == 0
}

#[cfg(not(unix))]
fn is_private(_metadata: &fs::Metadata) -> bool {
    true
}
