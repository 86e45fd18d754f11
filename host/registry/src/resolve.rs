//! From what a user writes to bytes.

use std::borrow::Cow;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use bench_plugin::{Host, Kind, Limits, LoadError, Plugin};

use crate::bundle::{Suite, components, suites};
use crate::error::RegistryError;

/// The largest file that is read as a plugin: 64 MiB.
const LARGEST_PLUGIN: u64 = 64 << 20;

/// Where something came from, for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The set that the binary carries.
    Bundle,
    /// A file that the user named.
    File(PathBuf),
}

/// A component's bytes and where they came from.
#[derive(Debug)]
pub struct Found {
    /// The component.
    pub bytes: Cow<'static, [u8]>,
    /// SHA-256 of the component in hex, where the build script has established it.
    pub sha256: Option<&'static str>,
    /// Where it came from.
    pub source: Source,
}

impl Found {
    /// Loads it. Nothing of it runs.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(&self, host: &Host, limits: Limits) -> Result<Plugin, LoadError> {
        match self.sha256 {
            Some(digest) => host.load_known(&self.bytes, digest, limits),
            None => host.load(&self.bytes, limits),
        }
    }
}

/// Does the user mean a file? A name never holds a slash, and a component's file ends in `.wasm`.
fn means_file(reference: &str) -> bool {
    reference.contains(['/', '\\']) || reference.ends_with(".wasm")
}

/// The plugin that `reference` names: a name of the embedded set, or the path of a component.
pub fn plugin(kind: Kind, reference: &str) -> Result<Found, RegistryError> {
    if means_file(reference) {
        let path = PathBuf::from(reference);
        let bytes = read_bounded(&path)?;
        return Ok(Found { bytes: Cow::Owned(bytes), sha256: None, source: Source::File(path) });
    }
    let of_kind = || components().iter().filter(|component| component.kind == kind);
    match of_kind().find(|component| component.name == reference) {
        Some(component) => {
            Ok(Found { bytes: Cow::Borrowed(component.bytes), sha256: Some(component.sha256), source: Source::Bundle })
        }
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

fn read_bounded(path: &Path) -> Result<Vec<u8>, RegistryError> {
    let failed = |error| RegistryError::Unreadable { path: path.to_owned(), error };
    let file = fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(LARGEST_PLUGIN + 1).read_to_end(&mut bytes).map_err(failed)?;
    let length = bytes.len() as u64;
    if length > LARGEST_PLUGIN {
        return Err(RegistryError::TooLarge { path: path.to_owned(), bytes: length, limit: LARGEST_PLUGIN });
    }
    Ok(bytes)
}
