//! Getting an item's bytes into the store. They grow in a file of their own, which a later try goes on with, and move into the store
//! when all of them are there and have the digest that was signed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bench_registry::{Store, hex};
use sha2::{Digest as _, Sha256};

use crate::error::{InstallError, at};
use crate::files::FileOps;
use crate::transport::{Sink, Transport, TransportError};

/// Tries before a broken connection is the user's to know.
const TRIES: usize = 3;

/// Hears of bytes as they come: how many, of how many, of what.
pub type Progress = Arc<dyn Fn(&str, u64, u64) + Send + Sync>;

/// What is to be fetched, as it was signed.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// What people call it.
    pub name: String,
    /// Where it is below the registry's address.
    pub file: String,
    /// SHA-256 in hex.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// One fetch.
pub(crate) struct Fetch {
    pub registry: String,
    pub transport: Arc<dyn Transport>,
    pub files: Arc<dyn FileOps>,
    pub store: Store,
    pub wanted: Wanted,
    pub progress: Progress,
}

impl Fetch {
    /// Fetches what is missing. What is in the store already is not asked for again.
    pub(crate) async fn run(&self) -> Result<(), InstallError> {
        let Wanted { name, sha256, bytes, .. } = &self.wanted;
        if self.store.read(sha256, *bytes).is_ok() {
            return Ok(());
        }
        let partial = self.store.root().join("partial").join(sha256);
        let folder = self.store.root().join("partial");
        self.files.create_folder(&folder).map_err(at(&folder))?;
        let resumed = self.have(&partial)? > 0;
        let content = match self.complete(name, &partial).await {
            // What an earlier try left may be damaged; that is no reason to fail for ever.
            Err(InstallError::Mismatch { .. }) if resumed => self.complete(name, &partial).await?,
            other => other?,
        };
        drop(content);
        let place = self.store.path(sha256).ok_or_else(|| self.mismatch(format!("{name} has no digest")))?;
        if let Some(folder) = place.parent() {
            self.files.create_folder(folder).map_err(at(folder))?;
        }
        self.files.sync(&partial).map_err(at(&partial))?;
        // Something damaged, or a link, may be at its place.
        self.files.remove(&place).map_err(at(&place))?;
        self.files.rename(&partial, &place).map_err(at(&place))
    }

    fn mismatch(&self, detail: String) -> InstallError {
        InstallError::Mismatch { registry: self.registry.clone(), detail }
    }

    /// How many bytes are there. Nonsense is thrown away.
    fn have(&self, partial: &Path) -> Result<u64, InstallError> {
        match self.files.read(partial, self.wanted.bytes) {
            Ok(found) => Ok(found.map_or(0, |bytes| bytes.len() as u64)),
            Err(_) => self.files.remove(partial).map(|()| 0).map_err(at(partial)),
        }
    }

    async fn complete(&self, name: &str, partial: &Path) -> Result<Vec<u8>, InstallError> {
        let expected = self.wanted.bytes;
        let mut tries = 0;
        loop {
            let from = self.have(partial)?;
            (self.progress)(name, from, expected);
            if from == expected && (expected > 0 || partial.exists()) {
                break;
            }
            let mut sink = Partial { fetch: self, name, path: partial.to_owned(), have: from };
            let outcome = self.transport.fetch(&self.wanted.file, from, expected, &mut sink).await;
            let grown = self.have(partial)?;
            tries = if grown > from { 1 } else { tries + 1 };
            match outcome {
                Ok(()) if grown == expected => break,
                Ok(()) => {
                    // The sender says that this is all of it.
                    self.files.remove(partial).map_err(at(partial))?;
                    return Err(self.mismatch(format!("{name} has {grown} bytes instead of {expected}")));
                }
                Err(TransportError::Wire(_) | TransportError::Status { status: 500..=599, .. }) if tries < TRIES => {}
                Err(TransportError::TooLong { .. }) => {
                    self.files.remove(partial).map_err(at(partial))?;
                    return Err(self.mismatch(format!("{name} is longer than {expected} bytes")));
                }
                Err(TransportError::Kept { error, .. }) => return Err(at(partial)(error)),
                Err(error) => return Err(InstallError::Unreachable { registry: self.registry.clone(), error }),
            }
        }
        let content = self.files.read(partial, expected).map_err(at(partial))?.unwrap_or_default();
        if hex(&Sha256::digest(&content)) != self.wanted.sha256 {
            self.files.remove(partial).map_err(at(partial))?;
            return Err(self.mismatch(format!("{name} has another digest")));
        }
        Ok(content)
    }
}

/// Adds what comes to the file that grows.
struct Partial<'f> {
    fetch: &'f Fetch,
    name: &'f str,
    path: PathBuf,
    have: u64,
}

impl Sink for Partial<'_> {
    fn begin(&mut self, from: u64) -> io::Result<()> {
        if from != self.have {
            self.fetch.files.remove(&self.path)?;
            self.have = 0;
        }
        // An empty item is a file as well.
        self.fetch.files.append(&self.path, &[])
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.fetch.files.append(&self.path, bytes)?;
        self.have += bytes.len() as u64;
        (self.fetch.progress)(self.name, self.have, self.fetch.wanted.bytes);
        Ok(())
    }
}
