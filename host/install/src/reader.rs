//! Reading a registry's signed metadata, behind a trait of ours: the rest of the crate asks what is offered and trusts the answer.
//!
//! The one implementation is over `sigstore-tuf`. It starts from the pinned root every time, follows the chain of roots from there, and
//! takes what an earlier run saw as the least that a registry must show. What time it is comes from outside.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bench_registry::{INDEX_PATH, Index, ItemKind, ItemName, ItemPath, MOST_DATA, Release, is_digest};
use bench_text::clean_name;
use jiff::Timestamp;
use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{Error as TufError, MetadataStore, Repository, TargetFile, Targets, Updater};

use crate::error::InstallError;
use crate::fetch::Piece;
use crate::files::{FileOps, replace};
use crate::transport::{Transport, TransportError};

/// The largest item: 1 GiB.
const LARGEST_ITEM: u64 = 1 << 30;
/// The largest file of a suite that is kept beside its archive: 256 MiB, as suites are read.
const LARGEST_DATA: u64 = 256 << 20;
/// The largest file of metadata that is kept.
const LARGEST_METADATA: u64 = 16 << 20;
/// Most roles that are looked at for one item.
const MOST_ROLES: usize = 32;

/// A version that a registry offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// What is said of it.
    pub release: Release,
    /// SHA-256 in hex.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
}

impl Offered {
    /// Where its bytes are, below the registry's address.
    #[must_use]
    pub fn file(&self) -> String {
        located(&self.release.path().to_string(), &self.sha256)
    }

    /// What has to be fetched for it: itself, and its data.
    pub(crate) fn pieces(&self) -> Vec<Piece> {
        let release = &self.release;
        let own = Piece {
            name: release.path().to_string(),
            file: self.file(),
            sha256: self.sha256.clone(),
            bytes: self.bytes,
        };
        let data = release.data.iter().map(|data| Piece {
            name: format!("{} {} {}", release.kind, release.name, clean_name(&data.name)),
            file: located(&data.path(release.kind, &release.name), &data.sha256),
            sha256: data.sha256.clone(),
            bytes: data.bytes,
        });
        std::iter::once(own).chain(data).collect()
    }
}

/// The file of a target: its digest stands before its name.
fn located(path: &str, sha256: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    format!("targets/{folder}/{sha256}.{name}")
}

/// Reads the metadata of one registry.
pub trait Reader: Send {
    /// Fetches what is new, and verifies all of it.
    fn refresh(&mut self, now: Timestamp) -> impl Future<Output = Result<(), InstallError>> + Send;
    /// All versions of an item that are listed anywhere, in no order. Which of them the registry stands by is [`Reader::confirm`]'s to say.
    fn versions(
        &mut self,
        kind: ItemKind,
        name: &ItemName,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Offered>, InstallError>> + Send;
    /// The version at this path as the role lists it that may speak for the path.
    fn confirm(
        &mut self,
        path: &ItemPath,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Offered>, InstallError>> + Send;
    /// Whether the role that may speak for this path lists these bytes there.
    fn lists(
        &mut self,
        path: &str,
        sha256: &str,
        bytes: u64,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, InstallError>> + Send;
    /// The list that serves search.
    fn index(&mut self, now: Timestamp) -> impl Future<Output = Result<Index, InstallError>> + Send;
}

/// The reader over `sigstore-tuf`.
#[derive(Debug)]
pub struct TufReader {
    registry: String,
    updater: Updater,
}

impl TufReader {
    /// A reader that asks `transport` and remembers in `folder`. `root` is the pinned one, never one from `folder`.
    ///
    /// # Errors
    /// When the pinned root is none.
    pub fn new(
        registry: &str,
        root: &[u8],
        transport: Arc<dyn Transport>,
        files: Arc<dyn FileOps>,
        folder: &Path,
    ) -> Result<Self, InstallError> {
        Self::over(registry, root, Remote(transport), Memory { files, folder: folder.to_owned() })
    }

    /// A reader of what was fetched before, which asks nobody.
    ///
    /// # Errors
    /// When the pinned root is none.
    pub fn offline(registry: &str, root: &[u8], files: Arc<dyn FileOps>, folder: &Path) -> Result<Self, InstallError> {
        let memory = Memory { files, folder: folder.to_owned() };
        Self::over(registry, root, Fetched(memory.clone()), memory)
    }

    fn over(
        registry: &str,
        root: &[u8],
        repository: impl Repository + 'static,
        memory: Memory,
    ) -> Result<Self, InstallError> {
        let updater = Updater::new(repository, root).map_err(|error| InstallError::Untrusted {
            registry: registry.to_owned(),
            detail: format!("the pinned root cannot be used: {error}"),
        })?;
        Ok(Self { registry: registry.to_owned(), updater: updater.with_store(memory) })
    }

    /// Any target by its path, whole, with the checks that every item has.
    ///
    /// # Errors
    /// See [`InstallError`].
    pub async fn target(&mut self, path: &str, now: Timestamp) -> Result<Vec<u8>, InstallError> {
        let got = self.updater.get_target(path, now).await;
        got.map_err(self.understand(now))
    }

    fn understand(&self, now: Timestamp) -> impl Fn(TufError) -> InstallError + '_ {
        move |error| understand(&self.registry, now, error)
    }

    /// All roles that have been loaded, from the top down.
    fn roles(&self) -> Vec<&Targets> {
        let mut found: Vec<(&str, &Targets)> = Vec::new();
        let mut names = vec!["targets"];
        while let Some(name) = names.pop() {
            let Some(role) = self.updater.trusted().targets_role(name) else { continue };
            if found.len() >= MOST_ROLES || found.iter().any(|(known, _)| *known == name) {
                continue;
            }
            found.push((name, role));
            names.extend(
                role.delegations.iter().flat_map(|delegations| &delegations.roles).map(|role| role.name.as_str()),
            );
        }
        found.into_iter().map(|(_, role)| role).collect()
    }
}

impl Reader for TufReader {
    async fn refresh(&mut self, now: Timestamp) -> Result<(), InstallError> {
        let refreshed = self.updater.refresh(now).await;
        refreshed.map_err(self.understand(now))
    }

    async fn versions(
        &mut self,
        kind: ItemKind,
        name: &ItemName,
        now: Timestamp,
    ) -> Result<Vec<Offered>, InstallError> {
        // Roles are fetched when a path of theirs is asked for; this one exists nowhere.
        let probe = ItemPath { kind, name: name.clone(), version: semver::Version::new(0, 0, 0) };
        self.confirm(&probe, now).await?;
        let listed = self.roles().into_iter().flat_map(|role| &role.targets);
        let of_name = listed.filter_map(|(path, target)| {
            let path = ItemPath::parse(path).ok()?;
            (path.kind == kind && path.name == *name).then(|| offered(&path, target)).flatten()
        });
        Ok(of_name.collect())
    }

    async fn confirm(&mut self, path: &ItemPath, now: Timestamp) -> Result<Option<Offered>, InstallError> {
        let found = self.updater.get_target_info(&path.to_string(), now).await;
        Ok(found.map_err(self.understand(now))?.and_then(|target| offered(path, &target)))
    }

    async fn lists(&mut self, path: &str, sha256: &str, bytes: u64, now: Timestamp) -> Result<bool, InstallError> {
        let found = self.updater.get_target_info(path, now).await.map_err(self.understand(now))?;
        Ok(found.is_some_and(|target| {
            target.length == bytes && target.hashes.get("sha256").is_some_and(|listed| listed == sha256)
        }))
    }

    async fn index(&mut self, now: Timestamp) -> Result<Index, InstallError> {
        let bytes = self.updater.get_target(INDEX_PATH, now).await;
        Ok(Index::parse(&bytes.map_err(self.understand(now))?)?)
    }
}

/// What is said of a target, if it is a release of this very path with a digest and of a size that can be.
fn offered(path: &ItemPath, target: &TargetFile) -> Option<Offered> {
    let release: Release = serde_json::from_value(target.custom.clone()?).ok()?;
    let sha256 = target.hashes.get("sha256").filter(|sha256| is_digest(sha256))?;
    let data = &release.data;
    let data_fits =
        data.len() <= MOST_DATA && data.iter().all(|data| is_digest(&data.sha256) && data.bytes <= LARGEST_DATA);
    let fits = release.path() == *path && target.length <= LARGEST_ITEM && data_fits;
    fits.then(|| Offered { release, sha256: sha256.clone(), bytes: target.length })
}

/// What an error of the library means to the user.
pub(crate) fn understand(registry: &str, now: Timestamp, error: TufError) -> InstallError {
    let registry = registry.to_owned();
    let detail = error.to_string();
    match error {
        TufError::Expired { role, expires } => InstallError::Expired {
            registry,
            role,
            expires,
            days: (now.as_second() - expires.as_second()).div_euclid(86_400),
        },
        TufError::Rollback { .. } => InstallError::RolledBack { registry, detail },
        TufError::ThresholdNotMet { .. }
        | TufError::DuplicateSignature { .. }
        | TufError::UnusableKey { .. }
        | TufError::UnsupportedScheme { .. }
        | TufError::BadRootVersion { .. }
        | TufError::UnknownRole(_)
        | TufError::Crypto(_) => InstallError::Untrusted { registry, detail },
        TufError::IntegrityMismatch(detail) => InstallError::Mismatch { registry, detail },
        TufError::Transport { message, source } => match source.map(|source| source.downcast::<TransportError>()) {
            Some(Ok(error)) => InstallError::Unreachable { registry, error: *error },
            _ => InstallError::BadMetadata { registry, detail: message },
        },
        TufError::TargetNotFound(path) => InstallError::Unknown { what: format!("{path} (asked of `{registry}`)") },
        other => InstallError::BadMetadata { registry, detail: chain(&other) },
    }
}

/// An error and what is behind it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The library's way to our transports.
#[derive(Debug)]
struct Remote(Arc<dyn Transport>);

impl Remote {
    fn get<'a>(&'a self, path: String, limit: u64) -> FetchFuture<'a> {
        Box::pin(async move {
            let got = self.0.get(&path, limit).await;
            got.map_err(|error| TufError::transport_with_source(path, error))
        })
    }
}

impl Repository for Remote {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        self.get(format!("metadata/{name}"), max_length)
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        self.get(format!("targets/{path}"), max_length)
    }
}

/// What was verified before, kept on disk. It is verified again each time, from the pinned root.
#[derive(Debug, Clone)]
struct Memory {
    files: Arc<dyn FileOps>,
    folder: PathBuf,
}

impl Memory {
    /// The file of a name. Whatever is at the top of the folder is a role as it is trusted now; what is kept of earlier versions, for
    /// comparison, has a folder of its own.
    fn path(&self, name: &str) -> Result<PathBuf, TufError> {
        let plain = |part: &str| !part.is_empty() && !part.contains(['\\', ':', '\0']) && part.len() <= 250;
        if !name.split('/').all(plain) {
            return Err(TufError::Malformed("a name that cannot be kept".to_owned()));
        }
        let is_older = |name: &str| {
            name.split_once('.').is_some_and(|(version, rest)| {
                !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) && rest.contains('.')
            })
        };
        let mut path = self.folder.clone();
        if !name.contains('/') && is_older(name) {
            path.push("earlier");
        }
        for part in name.split('/') {
            // Names come with their slashes written as `%2F`; a dot at the beginning would still hide a file or lead out of the folder.
            match part.strip_prefix('.') {
                Some(rest) => path.push(format!("%2E{rest}")),
                None => path.push(part),
            }
        }
        Ok(path)
    }
}

impl MetadataStore for Memory {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, TufError> {
        let path = self.path(name)?;
        self.files.read(&path, LARGEST_METADATA).map_err(|error| TufError::io(path.display().to_string(), error))
    }

    fn store(&self, name: &str, bytes: &[u8]) -> Result<(), TufError> {
        let path = self.path(name)?;
        let same = |known: io::Result<Option<Vec<u8>>>| known.is_ok_and(|known| known.as_deref() == Some(bytes));
        if same(self.files.read(&path, LARGEST_METADATA)) {
            return Ok(());
        }
        replace(&*self.files, &path, bytes).map_err(|error| TufError::io(path.display().to_string(), error))
    }
}

/// A registry that consists of what was fetched before.
#[derive(Debug)]
struct Fetched(Memory);

impl Repository for Fetched {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        // Roots are kept by version; of the others only the last one is, without its version.
        let kept = match name.split_once('.') {
            Some((version, "root.json")) => format!("root_history/{version}.root.json"),
            Some((version, rest)) if version.bytes().all(|byte| byte.is_ascii_digit()) => rest.to_owned(),
            _ => name.to_owned(),
        };
        let found = self.0.load(&kept).map(|found| found.filter(|bytes| bytes.len() as u64 <= max_length));
        Box::pin(async move { found })
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        let plain = path
            .rsplit_once('/')
            .and_then(|(folder, name)| Some(format!("targets/{folder}/{}", name.split_once('.')?.1)));
        let found = match plain {
            Some(kept) => self.0.load(&kept).map(|found| found.filter(|bytes| bytes.len() as u64 <= max_length)),
            None => Ok(None),
        };
        Box::pin(async move { found })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_inside_the_folder_and_earlier_versions_apart() {
        let memory = Memory { files: Arc::new(crate::files::Disk), folder: PathBuf::from("m") };
        let kept = |name: &str| memory.path(name).map(|path| path.to_string_lossy().replace('\\', "/"));
        for (name, path) in [
            ("root.json", "m/root.json"),
            ("snapshot.json", "m/snapshot.json"),
            ("12.snapshot.json", "m/earlier/12.snapshot.json"),
            ("12.json", "m/12.json"),
            ("root_history/3.root.json", "m/root_history/3.root.json"),
            ("..%2Frole.json", "m/%2E.%2Frole.json"),
            ("../role.json", "m/%2E./role.json"),
            (".hidden.json", "m/%2Ehidden.json"),
        ] {
            assert_eq!(kept(name).unwrap(), path);
        }
        for name in ["", "/role.json", "a//b", "a\\b.json", "c:role.json", "nul\0.json", &"x".repeat(251)] {
            assert!(kept(name).is_err(), "{name}");
        }
    }
}
