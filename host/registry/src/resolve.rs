//! From what a user writes to bytes.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use bench_plugin::{Host, Kind, Limits, LoadError, Plugin};
use bench_text::clean_sentence;

use crate::bundle::{Suite, components, suites};
use crate::error::RegistryError;
use crate::store::read_bounded;

/// The largest component that is read as a plugin: 64 MiB.
pub const LARGEST_PLUGIN: u64 = 64 << 20;

/// Where something came from, for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The set that the binary carries.
    Bundle,
    /// A file that the user named.
    File(PathBuf),
    /// What was installed.
    Lock {
        /// The registry that it came from, by its name in the configuration, or the reference by which it was pulled.
        registry: String,
        /// SHA-256 of the lock in hex.
        lock: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Bundle => f.write_str("bundle"),
            Source::File(path) => clean_sentence(path.display()).fmt(f),
            Source::Lock { registry, lock } => write!(f, "registry {registry}, lock sha256:{lock}"),
        }
    }
}

/// A component's bytes and where they came from.
#[derive(Debug)]
pub struct Found {
    /// The component.
    pub bytes: Cow<'static, [u8]>,
    /// SHA-256 of the component in hex, where it is established already.
    pub sha256: Option<Cow<'static, str>>,
    /// Where it came from.
    pub source: Source,
    /// Memory in bytes that it asks for beyond the usual.
    pub memory: Option<u64>,
}

impl Found {
    /// Loads it. Nothing of it runs.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(&self, host: &Host, limits: Limits) -> Result<Plugin, LoadError> {
        let wanted = self.memory.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
        let limits = if wanted > limits.memory { limits.with_memory(wanted) } else { limits };
        match &self.sha256 {
            Some(digest) => host.load_known(&self.bytes, digest, limits),
            None => host.load(&self.bytes, limits),
        }
    }
}

/// Does the user mean a file? A name never holds a slash, and a component's file ends in `.wasm`.
pub(crate) fn means_file(reference: &str) -> bool {
    reference.contains(['/', '\\']) || reference.ends_with(".wasm")
}

/// The plugin that `reference` names: a name of the embedded set, or the path of a component.
pub fn plugin(kind: Kind, reference: &str) -> Result<Found, RegistryError> {
    if means_file(reference) {
        let path = PathBuf::from(reference);
        let bytes = read_bounded(&path, LARGEST_PLUGIN)?;
        return Ok(Found { bytes: Cow::Owned(bytes), sha256: None, source: Source::File(path), memory: None });
    }
    let of_kind = || components().iter().filter(|component| component.kind == kind);
    match of_kind().find(|component| component.name == reference) {
        Some(component) => Ok(Found {
            bytes: Cow::Borrowed(component.bytes),
            sha256: Some(Cow::Borrowed(component.sha256)),
            source: Source::Bundle,
            memory: None,
        }),
        None => Err(RegistryError::UnknownPlugin {
            kind,
            name: reference.to_owned(),
            known: of_kind().map(|component| component.name).collect(),
        }),
    }
}

/// The plugin of any kind that `reference` names. A name that no kind has is answered as an unknown driver.
pub fn any_plugin(reference: &str) -> Result<Found, RegistryError> {
    let known =
        |kind: &Kind| components().iter().any(|component| component.kind == *kind && component.name == reference);
    plugin(Kind::ALL.into_iter().find(known).unwrap_or(Kind::Driver), reference)
}

/// The embedded suite of this name.
pub fn suite(name: &str) -> Result<&'static Suite, RegistryError> {
    suites().iter().find(|suite| suite.name == name).ok_or_else(|| RegistryError::UnknownSuite {
        name: name.to_owned(),
        known: suites().iter().map(|suite| suite.name).collect(),
    })
}
