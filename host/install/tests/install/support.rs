//! A registry with its keys, a home, and components in several versions.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bench_install::{Disk, FileOps, Folder, Follow, Home, Installer, Options, Request, Source, Transport};
use bench_plugin::{Host, HostOptions, Kind, Limits};
use bench_registry::{Channel, ItemKind, ItemName, ItemPath, Release, Shelf, components};
use bench_repository::{Keys, Policy, Publication, Repository, SigningKey, Wish};
use jiff::Timestamp;
use semver::Version;

use crate::component::changed;

/// Days after a fixed date.
pub fn day(number: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + number * 86_400).unwrap()
}

/// A registry and all of its keys.
pub struct Author {
    pub folder: tempfile::TempDir,
}

impl Author {
    /// A new registry, of day 0.
    pub fn new() -> Self {
        let author = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["root-1", "root-2", "root-3", "targets-1", "targets-2", "snapshot", "timestamp", "index"] {
            SigningKey::generate(&author.keys_folder(), name).unwrap();
        }
        Repository::init(&author.path(), &author.keys(), &Policy::default(), day(0)).unwrap();
        author
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("registry")
    }

    pub fn keys_folder(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    pub fn keys(&self) -> Keys {
        Keys::from_folder(&self.keys_folder()).unwrap()
    }

    pub fn open(&self) -> Repository {
        Repository::open(&self.path(), &|| {}).unwrap()
    }

    /// The first root, as a client would pin it.
    pub fn root(&self) -> Vec<u8> {
        fs::read(self.path().join("metadata/1.root.json")).unwrap()
    }

    pub fn publish(&self, items: Vec<Publication>, now: Timestamp) {
        self.open().publish(items, &self.keys(), now).unwrap();
    }

    pub fn source(&self, name: &str) -> Source {
        self.source_by(name, Arc::new(Folder::new(self.path())))
    }

    pub fn source_by(&self, name: &str, transport: Arc<dyn Transport>) -> Source {
        Source { name: name.to_owned(), root: self.root(), transport, follow: Follow::Installed }
    }
}

/// A home to install in.
pub struct User {
    pub folder: tempfile::TempDir,
}

impl User {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn home(&self) -> Home {
        Home::new(&self.folder.path().join("data"), shared_cache())
    }

    pub fn installer(&self, sources: Vec<Source>, now: Timestamp) -> Installer {
        self.installer_with(sources, options(now))
    }

    pub fn installer_with(&self, sources: Vec<Source>, options: Options) -> Installer {
        self.installer_over(sources, options, Arc::new(Disk))
    }

    pub fn installer_over(&self, sources: Vec<Source>, options: Options, files: Arc<dyn FileOps>) -> Installer {
        Installer::over(self.home(), sources, options, files)
    }

    /// What `bench run` would find.
    pub fn shelf(&self) -> Shelf {
        Shelf::open(&self.home().lock, self.home().store()).unwrap()
    }

    /// Version and registry of what is installed, loaded as a run loads it.
    pub fn runs(&self, kind: Kind, name: &str) -> Option<String> {
        let found = self.shelf().plugin(kind, name).ok()?;
        matches!(found.source, bench_registry::Source::Lock { .. }).then_some(())?;
        let plugin = found.load(&host(), Limits::DEFAULT).unwrap();
        Some(plugin.about().unwrap().version)
    }
}

/// Compiled code is the same for all tests.
fn shared_cache() -> &'static Path {
    static CACHE: OnceLock<PathBuf> = OnceLock::new();
    CACHE.get_or_init(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("install-cache"))
}

pub fn host() -> Host {
    Host::new(HostOptions { cache: Some(shared_cache().join("compiled")) })
}

pub fn options(now: Timestamp) -> Options {
    Options {
        now,
        host: Version::new(0, 1, 0),
        channel: Channel::Stable,
        offline: false,
        frozen: false,
        progress: Arc::new(|_, _, _| {}),
        waiting: Arc::new(|| {}),
    }
}

/// Runs a future to its end.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub fn request(text: &str) -> Request {
    text.parse().unwrap()
}

/// The bytes of an embedded driver or scorer.
pub fn embedded(kind: Kind, name: &str) -> Vec<u8> {
    components().iter().find(|component| component.kind == kind && component.name == name).unwrap().bytes.to_vec()
}

/// The same component calling itself another version of five characters.
pub fn in_version(kind: Kind, name: &str, version: &str) -> Vec<u8> {
    if version == "0.1.0" { embedded(kind, name) } else { changed(kind, name, "0.1.0", version) }
}

/// The same component calling itself another name of as many characters.
pub fn renamed(kind: Kind, name: &str, new: &str) -> Vec<u8> {
    changed(kind, name, name, new)
}

/// A publication of a component as the author's side makes it.
pub fn component(kind: Kind, name: &str, version: &str) -> Publication {
    component_of(kind, name, version, &Wish::default())
}

pub fn component_of(kind: Kind, name: &str, version: &str, wish: &Wish) -> Publication {
    let wish = Wish { licence: "Apache-2.0".to_owned(), ..wish.clone() };
    bench_repository::component(&host(), in_version(kind, name, version), None, &wish).unwrap().0
}

/// A publication that says of some bytes whatever it likes.
pub fn claim(kind: ItemKind, name: &str, version: &str, bytes: &[u8]) -> Publication {
    let (name, version) = (ItemName::parse(name).unwrap(), Version::parse(version).unwrap());
    let world = kind.plugin().map(|kind| format!("{}@0.1.0", kind.interface()));
    let release = Release { world, licence: "MIT".to_owned(), ..Release::new(ItemPath { kind, name, version }) };
    Publication { release, bytes: bytes.to_vec(), data: Vec::new(), replace: false }
}
