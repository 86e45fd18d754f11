//! What a component promises, read from its type before any of its code runs.

use std::fmt;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::error::LoadError;

/// The version of `bench:plugin` that this host speaks. A component fits when major and minor agree: additions within a
/// minor version leave older components valid, and newer ones only export more.
pub const SUPPORTED_VERSION: Version = Version::new(0, 1, 0);

/// The kinds of plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Talks to a backend.
    Driver,
    /// Says what to ask.
    Workload,
    /// Grades answers.
    Scorer,
    /// Hands results to a leaderboard.
    Publisher,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 4] = [Kind::Driver, Kind::Workload, Kind::Scorer, Kind::Publisher];

    /// The interface that a component of this kind exports, without its version.
    pub fn interface(self) -> &'static str {
        match self {
            Kind::Driver => "bench:plugin/driver",
            Kind::Workload => "bench:plugin/workload",
            Kind::Scorer => "bench:plugin/scorer",
            Kind::Publisher => "bench:plugin/publisher",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Driver => "driver",
            Kind::Workload => "workload",
            Kind::Scorer => "scorer",
            Kind::Publisher => "publisher",
        })
    }
}

/// The examined promise of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contract {
    /// Which world it implements.
    pub kind: Kind,
    /// In which version.
    pub version: Version,
    /// What it imports, by full name. Types need nothing from the host; `wasi:*` is answered by an empty world.
    pub imports: Vec<String>,
    /// Whether it imports WASI at all. Components built from Rust do not.
    pub wasi: bool,
}

impl Contract {
    /// The world with its version, such as `bench:plugin/driver@0.1.0`.
    pub fn world(&self) -> String {
        format!("{}@{}", self.kind.interface(), self.version)
    }
}

/// Is this interface version ahead of the host's?
pub(crate) fn is_newer(version: &Version) -> bool {
    *version > SUPPORTED_VERSION
}

fn fits(version: &Version) -> bool {
    version.major == SUPPORTED_VERSION.major && version.minor == SUPPORTED_VERSION.minor && version.pre.is_empty()
}

/// Which interface of ours a component exports, and in which version, by the names of its exports.
pub(crate) fn kind(exports: &[String]) -> Result<(Kind, Version), LoadError> {
    let mut ours = Vec::new();
    for export in exports {
        let (name, version) = export.split_once('@').unwrap_or((export, "0.0.0"));
        if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.interface() == name) {
            let version = Version::parse(version)
                .map_err(|error| LoadError::Mismatch(format!("`{export}` has an unreadable version: {error}")))?;
            ours.push((kind, version, export.clone()));
        }
    }
    match ours.as_slice() {
        [] => Err(LoadError::NoWorld { exports: exports.to_vec() }),
        [(kind, version, _)] => Ok((*kind, version.clone())),
        several => Err(LoadError::SeveralWorlds { exports: several.iter().map(|(_, _, name)| name.clone()).collect() }),
    }
}

/// Reads the contract from the names of a component's exports and imports.
pub(crate) fn examine(exports: Vec<String>, imports: Vec<String>) -> Result<Contract, LoadError> {
    let (kind, version) = kind(&exports)?;
    if !fits(&version) {
        return Err(LoadError::WrongVersion { interface: kind.interface().to_owned(), found: version });
    }
    let mut wasi = false;
    for import in &imports {
        let (name, version) = import.split_once('@').unwrap_or((import, "0.0.0"));
        let version = Version::parse(version).ok();
        if name == "bench:plugin/types" && version.as_ref().is_some_and(fits) {
            continue;
        }
        if name.starts_with("wasi:") && version.is_some_and(|version| version.major == 0 && version.minor == 2) {
            wasi = true;
            continue;
        }
        return Err(LoadError::UnknownImport { import: import.clone() });
    }
    Ok(Contract { kind, version, imports, wasi })
}
