//! Zip archives: entries, their sizes and where they lie.

use std::io::{self, Read, Seek, SeekFrom};

use bench_text::clean_name;
use zip::ZipArchive;
use zip::result::ZipError;

/// Bytes that an entry unpacks to for each packed one, at most. Text seldom reaches 20.
const MOST_BYTES_PER_BYTE: u64 = 200;

/// An entry may unpack to this many bytes whatever it is packed in.
const LEAST_ENTRY: u64 = 1 << 20;

/// Most bytes of names, comments and extra fields of all entries.
const MOST_DIRECTORY: u64 = 16 << 20;

/// Begins each entry of the directory at the end of an archive.
const DIRECTORY_MARK: &[u8; 4] = b"PK\x01\x02";

/// Bytes of an entry of the directory before its name.
const DIRECTORY_HEAD: usize = 46;

/// What an archive may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Most entries.
    pub entries: u64,
    /// Most bytes that one entry unpacks to.
    pub entry_bytes: u64,
    /// Most bytes that all entries that are read unpack to.
    pub bytes: u64,
}

/// Why an archive, or an entry of it, is not read.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is no archive, or a damaged one.
    #[error("it is no whole zip archive: {0}")]
    Damaged(ZipError),
    /// There is no such entry.
    #[error("the archive has no entry `{name}`", name = clean_name(.name))]
    NotThere {
        /// The entry.
        name: String,
    },
    /// It has more entries than it may.
    #[error("the archive has more than {limit} entries, or a directory of more than {MOST_DIRECTORY} bytes")]
    TooMany {
        /// Most entries.
        limit: u64,
    },
    /// Two entries share bytes of the file.
    #[error("the entry `{name}` of the archive shares bytes with another entry", name = clean_name(.name))]
    Overlap {
        /// One of the two.
        name: String,
    },
    /// An entry unpacks to far more than it is.
    #[error(
        "the entry `{name}` of the archive unpacks to more than {MOST_BYTES_PER_BYTE} times its {packed} bytes",
        name = clean_name(.name),
    )]
    Ratio {
        /// The entry.
        name: String,
        /// Its bytes in the file.
        packed: u64,
    },
    /// An entry, or all entries together, unpack to more than they may.
    #[error("the archive unpacks to more than {limit} bytes at the entry `{name}`", name = clean_name(.name))]
    TooLarge {
        /// The entry.
        name: String,
        /// Most bytes.
        limit: u64,
    },
}

impl Refusal {
    /// A stable identifier in kebab case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "archive-io",
            Self::Damaged(_) => "archive-damaged",
            Self::NotThere { .. } => "archive-entry-not-there",
            Self::TooMany { .. } => "archive-entries",
            Self::Overlap { .. } => "archive-overlap",
            Self::Ratio { .. } => "archive-ratio",
            Self::TooLarge { .. } => "archive-too-large",
        }
    }

    /// What to do next.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Io(_) => "check the file and its permissions",
            Self::Damaged(_) | Self::Overlap { .. } | Self::Ratio { .. } => {
                "get the archive again from where it was made"
            }
            Self::NotThere { .. } => "check what the archive holds",
            Self::TooMany { .. } | Self::TooLarge { .. } => "split the archive into several archives",
        }
    }
}

/// An archive whose directory was checked.
pub struct Archive<R> {
    zip: ZipArchive<R>,
    limits: ArchiveLimits,
    /// Bytes that may still be unpacked.
    left: u64,
}

impl<R: Read + Seek> Archive<R> {
    /// Opens an archive. The number of entries and the size of the directory are counted before the directory is read, and
    /// entries that share bytes are refused.
    ///
    /// # Errors
    /// [`Refusal::Io`], [`Refusal::Damaged`], [`Refusal::TooMany`] and [`Refusal::Overlap`].
    pub fn open(mut file: R, limits: ArchiveLimits) -> Result<Self, Refusal> {
        count_entries(&mut file, limits.entries)?;
        file.rewind()?;
        let mut zip = ZipArchive::new(file).map_err(Refusal::Damaged)?;
        if zip.len() as u64 > limits.entries {
            return Err(Refusal::TooMany { limit: limits.entries });
        }
        check_ranges(&mut zip)?;
        Ok(Self { zip, limits, left: limits.bytes })
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.zip.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.zip.is_empty()
    }

    /// The name of an entry by its number, and whether it is a plain file.
    ///
    /// # Errors
    /// [`Refusal::Damaged`], also for a name that is no text.
    pub fn entry(&mut self, index: usize) -> Result<(String, bool), Refusal> {
        let entry = self.zip.by_index_raw(index).map_err(Refusal::Damaged)?;
        let is_file = entry.is_file() && !entry.is_symlink();
        let name = entry.name().map_err(Refusal::Damaged)?;
        Ok((name.into_owned(), is_file))
    }

    /// Unpacks an entry by its number, if it has at most `most` bytes.
    ///
    /// # Errors
    /// [`Refusal::Damaged`], [`Refusal::Ratio`] and [`Refusal::TooLarge`].
    pub fn read(&mut self, index: usize, most: u64) -> Result<Vec<u8>, Refusal> {
        let limit = self.left.min(self.limits.entry_bytes).min(most);
        let mut entry = self.zip.by_index(index).map_err(Refusal::Damaged)?;
        let name = entry.name().map_err(Refusal::Damaged)?.into_owned();
        let packed = entry.compressed_size();
        let ratio = packed.saturating_mul(MOST_BYTES_PER_BYTE).max(LEAST_ENTRY);
        // What the archive says of the size is not believed.
        let bound = limit.min(ratio);
        let bytes = read_whole(&mut entry, bound.saturating_add(1))?;
        if bytes.len() as u64 > bound {
            return Err(if ratio < limit {
                Refusal::Ratio { name, packed }
            } else {
                Refusal::TooLarge { name, limit }
            });
        }
        self.left -= bytes.len() as u64;
        Ok(bytes)
    }

    /// Unpacks the entry of a name, if it has at most `most` bytes.
    ///
    /// # Errors
    /// [`Refusal::NotThere`], and as [`Archive::read`].
    pub fn read_named(&mut self, name: &str, most: u64) -> Result<Vec<u8>, Refusal> {
        let index = self.zip.index_for_name(name).ok_or_else(|| Refusal::NotThere { name: name.to_owned() })?;
        self.read(index, most)
    }
}

/// Reads at most `most` bytes. Memory that the system does not give is an error here, where the usual way ends the process.
fn read_whole(input: &mut impl Read, most: u64) -> io::Result<Vec<u8>> {
    const STEP: usize = 1 << 16;
    let mut bytes: Vec<u8> = Vec::new();
    let mut input = input.take(most);
    loop {
        if bytes.capacity() - bytes.len() < STEP {
            bytes.try_reserve(bytes.capacity().max(STEP)).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        }
        // As long as there is room for what is read, nothing is allocated.
        if input.by_ref().take(STEP as u64).read_to_end(&mut bytes)? == 0 {
            return Ok(bytes);
        }
    }
}

/// Counts what could be an entry of the directory. The library makes a structure for each entry before it says how many there are,
/// and looks for the directory in several places; whichever it takes, its entries are among those that are counted.
fn count_entries(file: &mut (impl Read + Seek), most: u64) -> Result<(), Refusal> {
    const WINDOW: usize = 1 << 16;
    file.seek(SeekFrom::Start(0))?;
    let mut buffer = Vec::with_capacity(2 * WINDOW);
    let (mut entries, mut directory) = (0_u64, 0_u64);
    loop {
        let read = file.by_ref().take(WINDOW as u64).read_to_end(&mut buffer)?;
        let is_end = read == 0;
        // An entry's head may go on in the next part.
        let whole = if is_end { buffer.len() } else { buffer.len().saturating_sub(DIRECTORY_HEAD) };
        for at in memchr::memmem::find_iter(&buffer, DIRECTORY_MARK).take_while(|at| *at < whole) {
            let length = |field: usize| match buffer.get(at + field..at + field + 2) {
                Some([low, high]) => u64::from(u16::from_le_bytes([*low, *high])),
                _ => 0,
            };
            entries += 1;
            directory += length(28) + length(30) + length(32);
        }
        if entries > most || directory > MOST_DIRECTORY {
            return Err(Refusal::TooMany { limit: most });
        }
        if is_end {
            return Ok(());
        }
        buffer.drain(..whole);
    }
}

/// Refuses entries that share bytes of the file.
fn check_ranges<R: Read + Seek>(zip: &mut ZipArchive<R>) -> Result<(), Refusal> {
    let mut ranges = Vec::with_capacity(zip.len());
    for index in 0..zip.len() {
        let entry = zip.by_index_raw(index).map_err(Refusal::Damaged)?;
        let start = entry.header_start();
        let end = entry.data_start().unwrap_or(start).saturating_add(entry.compressed_size());
        ranges.push((start, end, index));
    }
    ranges.sort_unstable();
    for pair in ranges.windows(2) {
        if let [(_, end, _), (start, _, index)] = pair
            && start < end
        {
            let entry = zip.by_index_raw(*index).map_err(Refusal::Damaged)?;
            let name = entry.name().map_or_else(|_| index.to_string(), |name| name.into_owned());
            return Err(Refusal::Overlap { name });
        }
    }
    Ok(())
}
