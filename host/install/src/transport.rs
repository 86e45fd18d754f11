//! How a registry's files get here. A transport fetches and counts, and believes nothing: what it brings is checked by whoever asked.

use std::fmt;
use std::fs;
use std::future::Future;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::pin::Pin;

use bench_files::open_regular;
use bench_oci::OciError;
use bench_registry::{ArchiveLimits, Files, unpack};
use bench_text::clean_sentence;
use bench_wire::WireError;

/// The future of a fetch.
pub type Fetching<'a, T> = Pin<Box<dyn Future<Output = Result<T, TransportError>> + Send + 'a>>;

/// Why a file did not come.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The exchange failed.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The same with an OCI registry.
    #[error(transparent)]
    Oci(#[from] OciError),
    /// The server answered with an error.
    #[error("{path}: the server answers with status {status}", path = clean_sentence(.path))]
    Status {
        /// The file.
        path: String,
        /// The status.
        status: u16,
    },
    /// There is more of it than there may be.
    #[error("{path} is longer than {limit} bytes", path = clean_sentence(.path))]
    TooLong {
        /// The file.
        path: String,
        /// The bound.
        limit: u64,
    },
    /// There is no such file.
    #[error("{path} is not there", path = clean_sentence(.path))]
    Missing {
        /// The file.
        path: String,
    },
    /// A file of the registry that cannot be read.
    #[error("{path}: {error}", path = clean_sentence(.path))]
    Io {
        /// The file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// What came cannot be kept on this machine.
    #[error("{path} cannot be kept: {error}", path = clean_sentence(.path))]
    Kept {
        /// The file.
        path: String,
        /// Why.
        error: io::Error,
    },
}

impl TransportError {
    /// Stable identifier.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Wire(error) => error.code(),
            Self::Oci(error) => error.code(),
            Self::Status { .. } => "registry-status",
            Self::TooLong { .. } => "registry-too-long",
            Self::Missing { .. } => "registry-file-missing",
            Self::Io { .. } | Self::Kept { .. } => "io",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Wire(_) | Self::Status { .. } => {
                "check the registry's address and the network; what is installed goes on working, and --offline leaves the network alone"
                    .to_owned()
            }
            Self::TooLong { .. } => "the server or mirror sends something else than the registry; try another mirror".to_owned(),
            Self::Missing { .. } => "the mirror is not complete, or is in the middle of a change; try again later".to_owned(),
            Self::Oci(error) => return error.hint(),
            Self::Io { .. } | Self::Kept { .. } => return None,
        })
    }
}

/// Takes a file's bytes as they come.
pub trait Sink: Send {
    /// Says from which byte on they come: the one that was asked for, or 0 when the sender cannot begin in the middle.
    ///
    /// # Errors
    /// When it cannot begin there.
    fn begin(&mut self, from: u64) -> io::Result<()>;
    /// The next bytes.
    ///
    /// # Errors
    /// When they cannot be kept.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// Brings files of one registry.
pub trait Transport: Send + Sync + fmt::Debug {
    /// The whole of a small file, of at most `limit` bytes. `None` when there is none.
    fn get<'a>(&'a self, path: &'a str, limit: u64) -> Fetching<'a, Option<Vec<u8>>>;
    /// A file from byte `from` on, up to `limit` bytes in all.
    fn fetch<'a>(&'a self, path: &'a str, from: u64, limit: u64, sink: &'a mut dyn Sink) -> Fetching<'a, ()>;
}

/// The name of a target without the digest: how a registry under version control keeps it.
pub(crate) fn plain(path: &str) -> Option<String> {
    let (folder, file) = path.rsplit_once('/')?;
    let (digest, plain) = file.split_once('.')?;
    (path.starts_with("targets/") && bench_registry::is_digest(digest)).then(|| format!("{folder}/{plain}"))
}

/// What a sink says, as an error.
pub(crate) fn kept(path: &str) -> impl Fn(io::Error) -> TransportError + '_ {
    move |error| TransportError::Kept { path: path.to_owned(), error }
}

fn at(path: &str) -> impl Fn(io::Error) -> TransportError + '_ {
    move |error| TransportError::Io { path: path.to_owned(), error }
}

/// A registry in a folder.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The registry in `folder`.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    fn open(&self, path: &str) -> Result<Option<fs::File>, TransportError> {
        if !path.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', ':'])) {
            return Ok(None);
        }
        match open_regular(&self.0.join(path)).map_err(io::Error::from) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.0.is_dir() => match plain(path) {
                Some(plain) => self.open(&plain),
                None => Ok(None),
            },
            Err(error) => Err(at(&self.0.join(path).display().to_string())(error)),
        }
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, TransportError> {
        let Some(file) = self.open(path)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(at(path))?;
        if bytes.len() as u64 > limit {
            return Err(TransportError::TooLong { path: path.to_owned(), limit });
        }
        Ok(Some(bytes))
    }

    fn copy(&self, path: &str, from: u64, limit: u64, sink: &mut dyn Sink) -> Result<(), TransportError> {
        let mut file = self.open(path)?.ok_or_else(|| TransportError::Missing { path: path.to_owned() })?;
        file.seek(SeekFrom::Start(from)).map_err(at(path))?;
        sink.begin(from).map_err(kept(path))?;
        let mut left = limit.saturating_sub(from);
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = file.read(&mut buffer).map_err(at(path))?;
            if read == 0 {
                return Ok(());
            }
            left = left
                .checked_sub(read as u64)
                .ok_or_else(|| TransportError::TooLong { path: path.to_owned(), limit })?;
            sink.write(&buffer[..read]).map_err(kept(path))?;
        }
    }
}

impl Transport for Folder {
    fn get<'a>(&'a self, path: &'a str, limit: u64) -> Fetching<'a, Option<Vec<u8>>> {
        let read = self.read(path, limit);
        Box::pin(async move { read })
    }

    fn fetch<'a>(&'a self, path: &'a str, from: u64, limit: u64, sink: &'a mut dyn Sink) -> Fetching<'a, ()> {
        let copied = self.copy(path, from, limit, sink);
        Box::pin(async move { copied })
    }
}

/// A registry as one file.
#[derive(Debug)]
pub struct Archive(Files);

/// The largest bundle that is read: 2 GiB.
const LARGEST_BUNDLE: u64 = 2 << 30;

impl Archive {
    /// Reads a bundle.
    ///
    /// # Errors
    /// When it cannot be read or is no bundle.
    pub fn open(path: &Path) -> Result<Self, TransportError> {
        let name = path.display().to_string();
        let mut bytes = Vec::new();
        let file = open_regular(path).map_err(|error| at(&name)(error.into()))?;
        file.take(LARGEST_BUNDLE + 1).read_to_end(&mut bytes).map_err(at(&name))?;
        if bytes.len() as u64 > LARGEST_BUNDLE {
            return Err(TransportError::TooLong { path: name, limit: LARGEST_BUNDLE });
        }
        let damaged = |error: bench_registry::NameError| io::Error::new(io::ErrorKind::InvalidData, error.to_string());
        let files = unpack(&bytes, ArchiveLimits::REGISTRY).map_err(|error| at(&name)(damaged(error)))?;
        Ok(Self(files))
    }

    /// A registry in memory.
    #[must_use]
    pub const fn of(files: Files) -> Self {
        Self(files)
    }
}

impl Transport for Archive {
    fn get<'a>(&'a self, path: &'a str, limit: u64) -> Fetching<'a, Option<Vec<u8>>> {
        let found = match self.0.get(path) {
            Some(bytes) if bytes.len() as u64 > limit => Err(TransportError::TooLong { path: path.to_owned(), limit }),
            found => Ok(found.cloned()),
        };
        Box::pin(async move { found })
    }

    fn fetch<'a>(&'a self, path: &'a str, from: u64, limit: u64, sink: &'a mut dyn Sink) -> Fetching<'a, ()> {
        let found = self.0.get(path).ok_or_else(|| TransportError::Missing { path: path.to_owned() });
        let copied = found.and_then(|bytes| {
            if bytes.len() as u64 > limit {
                return Err(TransportError::TooLong { path: path.to_owned(), limit });
            }
            let rest = usize::try_from(from).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
            sink.begin(from).and_then(|()| sink.write(rest)).map_err(kept(path))
        });
        Box::pin(async move { copied })
    }
}
