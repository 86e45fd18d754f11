//! Writing a log as a run goes. Whatever kills the program, every sample that was appended is there and the file can be gone on
//! with: a line is written in one piece, and one that ends in the middle is dropped when the log is opened again.

use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use bench_files::{append_private, create_private_folder, stage_private};

use crate::error::SamplesError;
use crate::read::{Limits, Loaded, Reader, collect};
use crate::record::{Key, SampleRecord};

/// When what was written must have reached the disk. Without it a sample survives the death of the program, but not that of
/// the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// When the log is closed with [`Log::finish`].
    AtEnd,
    /// After so many samples; 0 counts as 1.
    Every(u32),
    /// After each sample. An answer takes far longer than this does.
    #[default]
    Each,
}

/// A log that samples are appended to. No other program can write to it meanwhile.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
    keys: HashSet<Key>,
    durability: Durability,
    unsynced: u32,
}

/// A log and what was in it.
#[derive(Debug)]
pub struct Opened {
    /// To append to.
    pub log: Log,
    /// The samples that were there, in the order of the file.
    pub records: Vec<SampleRecord>,
    /// Bytes of a last line that ended in the middle; they are gone.
    pub dropped: Option<u64>,
}

impl Log {
    /// Opens the log at `path` to go on with it, or begins it.
    ///
    /// # Errors
    ///
    /// [`SamplesError::InUse`], [`SamplesError::Io`], or [`SamplesError::Line`] for a log that is damaged before its last line.
    pub fn open(path: impl Into<PathBuf>, durability: Durability) -> Result<Opened, SamplesError> {
        let path = path.into();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            create_private_folder(folder)?;
        }
        let mut file = append_private(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SamplesError::InUse { path }),
            // Some network file systems have no locks; the log works there too.
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(SamplesError::io("lock", path)(error)),
        }
        let reader = BufReader::with_capacity(1 << 16, file.try_clone().map_err(SamplesError::io("open", &path))?);
        let Loaded { records, torn } =
            collect(Reader::new(reader, Limits::of_own_log())).map_err(SamplesError::line(&path))?;
        let dropped = mend(&mut file, torn.is_some()).map_err(SamplesError::io("mend", &path))?;
        if let Some(folder) = folder {
            sync_folder(folder).map_err(SamplesError::io("write", folder))?;
        }
        let keys = records.iter().map(SampleRecord::key).collect();
        Ok(Opened { log: Self { path, file, keys, durability, unsynced: 0 }, records, dropped })
    }

    /// Appends a sample.
    ///
    /// # Errors
    ///
    /// [`SamplesError::Logged`] when it is there already, [`SamplesError::Unwritable`] when a reader would refuse it,
    /// [`SamplesError::Io`].
    pub fn append(&mut self, sample: &SampleRecord) -> Result<(), SamplesError> {
        let key = sample.key();
        if self.keys.contains(&key) {
            return Err(SamplesError::Logged { path: self.path.clone(), key: key.to_string() });
        }
        let line = line(sample)?;
        self.file.write_all(&line).map_err(SamplesError::io("write", &self.path))?;
        self.keys.insert(key);
        self.unsynced = self.unsynced.saturating_add(1);
        let due = match self.durability {
            Durability::AtEnd => false,
            Durability::Every(count) => self.unsynced >= count,
            Durability::Each => true,
        };
        if due { self.sync() } else { Ok(()) }
    }

    /// Is the sample there?
    pub fn has(&self, key: &Key) -> bool {
        self.keys.contains(key)
    }

    /// Waits until everything has reached the disk.
    ///
    /// # Errors
    ///
    /// [`SamplesError::Io`].
    pub fn sync(&mut self) -> Result<(), SamplesError> {
        self.unsynced = 0;
        self.file.sync_data().map_err(SamplesError::io("write", &self.path))
    }

    /// Closes the log.
    ///
    /// # Errors
    ///
    /// [`SamplesError::Io`].
    pub fn finish(mut self) -> Result<(), SamplesError> {
        self.sync()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Cuts a last line that ends in the middle, and ends one that only lacks its newline. Gives the bytes that were cut.
fn mend(file: &mut File, torn: bool) -> std::io::Result<Option<u64>> {
    let length = file.metadata()?.len();
    if length == 0 || byte_before(file, length)? == Some(b'\n') {
        return Ok(None);
    }
    if !torn {
        file.write_all(b"\n")?;
        return Ok(None);
    }
    let mut end = length;
    let mut block = vec![0_u8; 1 << 16];
    while end > 0 {
        let size = end.min(block.len() as u64);
        let part = block.get_mut(..usize::try_from(size).unwrap_or_default()).unwrap_or_default();
        file.seek(SeekFrom::Start(end - size))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            end = end - size + at as u64 + 1;
            break;
        }
        end -= size;
    }
    file.set_len(end)?;
    file.sync_data()?;
    Ok(Some(length - end))
}

fn byte_before(file: &mut File, end: u64) -> std::io::Result<Option<u8>> {
    let mut byte = [0];
    file.seek(SeekFrom::Start(end.saturating_sub(1)))?;
    file.read_exact(&mut byte)?;
    Ok(byte.first().copied())
}

/// A sample as a line with its end.
fn line(sample: &SampleRecord) -> Result<Vec<u8>, SamplesError> {
    let unwritable = |reason: String| SamplesError::Unwritable { form: "a line of a log", reason };
    if sample.id.is_empty() {
        return Err(unwritable("the sample has no id".to_owned()));
    }
    let mut line = serde_json::to_vec(sample).map_err(|error| unwritable(error.to_string()))?;
    line.push(b'\n');
    let limit = Limits::default().line_bytes;
    if line.len() as u64 > limit {
        return Err(unwritable(format!("the sample {} takes more than {limit} bytes", sample.key())));
    }
    Ok(line)
}

/// Writes a whole log, so that the file holds the old content or the new one, even through a crash.
///
/// # Errors
///
/// [`SamplesError::Unwritable`] when a reader would refuse a sample, [`SamplesError::Io`].
pub fn write<'a>(path: &Path, records: impl IntoIterator<Item = &'a SampleRecord>) -> Result<(), SamplesError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        create_private_folder(folder)?;
    }
    let mut out = std::io::BufWriter::with_capacity(1 << 16, stage_private(path)?);
    for record in records {
        out.write_all(&line(record)?).map_err(SamplesError::io("write", path))?;
    }
    let staged = out.into_inner().map_err(|error| SamplesError::io("write", path)(error.into_error()))?;
    staged.persist_synced()?;
    Ok(())
}

/// Makes a finished temporary file durable under its name.
pub(crate) fn persist(file: tempfile::NamedTempFile, path: &Path) -> Result<(), SamplesError> {
    let kept = || -> std::io::Result<()> {
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        sync_folder(folder)
    };
    kept().map_err(SamplesError::io("write", path))
}

/// A name is only durable once its folder is; elsewhere than on Unix folders cannot be opened.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
