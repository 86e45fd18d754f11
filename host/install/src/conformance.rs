//! The client as the conformance tests of The Update Framework drive it: a folder of metadata, an address, and one step per process. It
//! shows our reader to tests that others wrote; nobody installs by it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::error::{InstallError, at};
use crate::files::{Disk, FileOps, replace};
use crate::http::Http;
use crate::reader::{Reader as _, TufReader};
use crate::transport::{Fetching, Sink, Transport, TransportError};

/// The largest root that is read: 1 MiB.
const LARGEST_ROOT: u64 = 1 << 20;

/// Where things are.
#[derive(Debug, Clone, Default)]
pub struct Conformance {
    /// The client's own folder of metadata.
    pub metadata_dir: PathBuf,
    /// Address of the repository's metadata.
    pub metadata_url: Option<String>,
    /// Address of the targets.
    pub target_base_url: Option<String>,
    /// Where targets go.
    pub target_dir: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Trust this root.
    Init(PathBuf),
    /// Fetch and verify what is new.
    Refresh,
    /// Fetch these targets as well.
    Download(Vec<String>),
}

/// The first root, which is trusted; all later ones must follow from it.
const PINNED: &str = "pinned/root.json";

impl Conformance {
    /// Does one step.
    ///
    /// # Errors
    /// See [`InstallError`].
    pub async fn run(&self, step: &Step, now: Timestamp) -> Result<(), InstallError> {
        match step {
            Step::Init(root) => self.init(root),
            Step::Refresh => self.reader(now).await.map(drop),
            Step::Download(names) => {
                let mut reader = self.reader(now).await?;
                for name in names {
                    self.keep(name, &reader.target(name, now).await?)?;
                }
                Ok(())
            }
        }
    }

    fn init(&self, root: &Path) -> Result<(), InstallError> {
        let bytes = bench_files::read_bounded(root, LARGEST_ROOT).map_err(|error| at(root)(error.into()))?;
        let path = self.metadata_dir.join(PINNED);
        replace(&Disk, &path, &bytes).map_err(at(&path))?;
        // Making a reader verifies the root, and shows it in the folder.
        TufReader::offline("conformance", &bytes, Arc::new(Disk), &self.metadata_dir).map(drop)
    }

    async fn reader(&self, now: Timestamp) -> Result<TufReader, InstallError> {
        let path = self.metadata_dir.join(PINNED);
        let root = Disk.read(&path, LARGEST_ROOT).map_err(at(&path))?.unwrap_or_default();
        let unreachable = |error| InstallError::Unreachable { registry: "conformance".to_owned(), error };
        let http = |url: &Option<String>| url.as_deref().map(Http::new).transpose().map_err(unreachable);
        let transport = Split { metadata: http(&self.metadata_url)?, targets: http(&self.target_base_url)? };
        let mut reader = TufReader::new("conformance", &root, Arc::new(transport), Arc::new(Disk), &self.metadata_dir)?;
        reader.refresh(now).await?;
        Ok(reader)
    }

    /// A target's file is named by its whole path, so that it cannot be anywhere else.
    fn keep(&self, name: &str, bytes: &[u8]) -> Result<(), InstallError> {
        let folder = self.target_dir.clone().unwrap_or_else(|| self.metadata_dir.join("targets"));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-~".contains(&byte);
        let file = name.bytes().fold(String::new(), |mut file, byte| {
            match plain(byte) {
                true => file.push(char::from(byte)),
                false => file.push_str(&format!("%{byte:02X}")),
            }
            file
        });
        let path = folder.join(file);
        // What is there already stays as it is, with its date.
        if Disk.read(&path, bytes.len() as u64).is_ok_and(|known| known.as_deref() == Some(bytes)) {
            return Ok(());
        }
        replace(&Disk, &path, bytes).map_err(at(&path))
    }
}

/// Metadata here, targets there.
#[derive(Debug)]
struct Split {
    metadata: Option<Http>,
    targets: Option<Http>,
}

impl Split {
    fn way<'a>(&self, path: &'a str) -> Option<(&Http, &'a str)> {
        match path.split_once('/')? {
            ("metadata", rest) => Some((self.metadata.as_ref()?, rest)),
            (_, rest) => Some((self.targets.as_ref()?, rest)),
        }
    }
}

impl Transport for Split {
    fn get<'a>(&'a self, path: &'a str, limit: u64) -> Fetching<'a, Option<Vec<u8>>> {
        match self.way(path) {
            Some((http, rest)) => http.get(rest, limit),
            None => Box::pin(async { Ok(None) }),
        }
    }

    fn fetch<'a>(&'a self, path: &'a str, from: u64, limit: u64, sink: &'a mut dyn Sink) -> Fetching<'a, ()> {
        match self.way(path) {
            Some((http, rest)) => http.fetch(rest, from, limit, sink),
            None => Box::pin(async move { Err(TransportError::Missing { path: path.to_owned() }) }),
        }
    }
}
