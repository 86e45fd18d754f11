//! Which packages are guests, and how a package becomes a component.

use std::path::{Path, PathBuf};

use cargo_metadata::{MetadataCommand, Package};

use crate::Error;

/// Where a component is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A target of the registry: `<kind>/<name>/<version>.wasm`.
    Registry {
        /// `driver`, `workload` or `scorer`.
        kind: &'static str,
        /// Such as `llama-cpp`.
        name: String,
    },
    /// A fixture of the plugin host's tests.
    TestGuest {
        /// The case.
        name: String,
    },
}

/// A guest package of the workspace.
#[derive(Debug)]
pub struct Guest {
    /// The package's name.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Where its component goes.
    pub place: Place,
}

impl Guest {
    /// Path of the component relative to the workspace.
    pub fn path(&self) -> PathBuf {
        match &self.place {
            Place::Registry { kind, name } => {
                PathBuf::from(format!("registry/targets/{kind}/{name}/{}.wasm", self.version))
            }
            Place::TestGuest { name } => PathBuf::from(format!("host/plugin/tests/guests/{name}.wasm")),
        }
    }

    /// The file that cargo leaves below the target folder.
    fn module(&self, target: &Path) -> PathBuf {
        let file = format!("{}.wasm", self.package.replace('-', "_"));
        target.join(bench_forge::TARGET).join("guest").join(file)
    }

    /// The component's bytes, from what cargo built.
    pub fn componentize(&self, target: &Path) -> Result<Vec<u8>, Error> {
        Ok(bench_forge::encode(&self.module(target))?)
    }
}

/// The workspace's root and its guests, sorted by path.
pub fn find() -> Result<(PathBuf, Vec<Guest>), Error> {
    let metadata = MetadataCommand::new().no_deps().exec()?;
    let mut guests: Vec<Guest> = metadata.packages.iter().filter_map(guest).collect();
    guests.sort_by_key(Guest::path);
    Ok((metadata.workspace_root.into_std_path_buf(), guests))
}

fn guest(package: &Package) -> Option<Guest> {
    let makes_component = package.targets.iter().any(cargo_metadata::Target::is_cdylib);
    let name = package.name.as_str();
    let place = if let Some(name) = name.strip_prefix("driver-") {
        Place::Registry { kind: "driver", name: name.to_owned() }
    } else if let Some(name) = name.strip_prefix("workload-") {
        Place::Registry { kind: "workload", name: name.to_owned() }
    } else if let Some(name) = name.strip_prefix("scorer-") {
        Place::Registry { kind: "scorer", name: name.to_owned() }
    } else {
        Place::TestGuest { name: name.strip_prefix("guest-")?.to_owned() }
    };
    makes_component.then(|| Guest { package: name.to_owned(), version: package.version.to_string(), place })
}
