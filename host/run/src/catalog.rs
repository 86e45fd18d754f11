//! From names to loaded plugins.

use std::path::PathBuf;

use bench_plugin::{Driver, Host, HostOptions, Kind, Limits, Plugin, Workload};
use bench_registry::{Shelf, Source};
use serde::Serialize;
use serde_json::Value;

use crate::error::RunError;

/// Who a plugin is, for the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Which kind of plugin.
    pub kind: Kind,
    /// What it calls itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the component, in hex.
    pub sha256: String,
    /// The world that it implements, with its version.
    pub world: String,
    /// Where it came from: `bundle`, the path of the file, or the registry and the digest of the lock.
    pub source: String,
    /// The same, for the record.
    #[serde(skip)]
    pub origin: Source,
    /// Size of the component in bytes.
    pub bytes: usize,
    /// What it imports.
    pub imports: Vec<String>,
}

/// Loads plugins and knows where compiled code is kept.
#[derive(Debug)]
pub struct Catalog {
    host: Host,
    shelf: Shelf,
}

impl Catalog {
    /// A catalogue that keeps compiled code in `cache`, where given.
    pub fn new(cache: Option<PathBuf>) -> Catalog {
        Catalog { host: Host::new(HostOptions { cache }), shelf: Shelf::embedded() }
    }

    /// The same with what is installed.
    #[must_use]
    pub fn with_shelf(self, shelf: Shelf) -> Catalog {
        Catalog { shelf, ..self }
    }

    /// What can be named.
    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// The driver that `reference` names.
    pub fn driver(&self, reference: &str) -> Result<(Driver, Identity), RunError> {
        let (plugin, source) = self.load(Kind::Driver, reference)?;
        let failed = |error| RunError::Load { reference: reference.to_owned(), error };
        let driver = plugin.driver().map_err(failed)?;
        let info = driver.info();
        let identity = identity(&plugin, source, info.name.clone(), info.version.clone());
        Ok((driver, identity))
    }

    /// The workload that `reference` names.
    pub fn workload(&self, reference: &str) -> Result<(Workload, Identity), RunError> {
        let (plugin, source) = self.load(Kind::Workload, reference)?;
        let failed = |error| RunError::Load { reference: reference.to_owned(), error };
        let workload = plugin.workload().map_err(failed)?;
        let info = workload.info();
        let identity = identity(&plugin, source, info.name.clone(), info.version.clone());
        Ok((workload, identity))
    }

    /// The plugin of any kind that `reference` names, and what it says of itself.
    pub fn describe(&self, reference: &str) -> Result<(Identity, Value), RunError> {
        let found = self.shelf.any_plugin(reference)?;
        let failed = |error| RunError::Load { reference: reference.to_owned(), error };
        let plugin = found.load(&self.host, Limits::DEFAULT).map_err(failed)?;
        let limits = Limits::of(plugin.contract().kind);
        let plugin = plugin.under(limits);
        let (name, version, info) = match plugin.contract().kind {
            Kind::Driver => plugin.driver().map(|driver| said(driver.info(), |info| (&info.name, &info.version))),
            Kind::Scorer => plugin.scorer().map(|scorer| said(scorer.info(), |info| (&info.name, &info.version))),
            // A publisher cannot be asked yet, and the error says what it is.
            Kind::Workload | Kind::Publisher => {
                plugin.workload().map(|workload| said(workload.info(), |info| (&info.name, &info.version)))
            }
        }
        .map_err(failed)?;
        Ok((identity(&plugin, found.source, name, version), info))
    }

    /// What loads components.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The names of the drivers at hand.
    pub fn driver_names(&self) -> impl Iterator<Item = &str> {
        let installed = self.shelf.locked().filter(|item| item.kind.plugin() == Some(Kind::Driver));
        let installed = installed.map(|item| item.name.as_str());
        let components = bench_registry::components().iter();
        let carried = components.filter(|component| component.kind == Kind::Driver).map(|component| component.name);
        // One that is installed takes the place of the one of its name.
        let other = |name: &&str| !self.shelf.locked().any(|item| item.name.as_str() == *name);
        installed.chain(carried.filter(other))
    }

    /// Why compiled code is not being kept, when it was asked for and cannot be.
    pub fn cache_problem(&self) -> Option<String> {
        self.host.cache_problem()
    }

    fn load(&self, kind: Kind, reference: &str) -> Result<(Plugin, Source), RunError> {
        let found = self.shelf.plugin(kind, reference)?;
        let plugin = found.load(&self.host, Limits::DEFAULT);
        let plugin = plugin.map_err(|error| RunError::Load { reference: reference.to_owned(), error })?;
        Ok((plugin, found.source))
    }
}

fn said<I: Serialize>(info: &I, who: impl Fn(&I) -> (&String, &String)) -> (String, String, Value) {
    let (name, version) = who(info);
    (name.clone(), version.clone(), serde_json::to_value(info).unwrap_or_default())
}

pub(crate) fn identity(plugin: &Plugin, source: Source, name: String, version: String) -> Identity {
    Identity {
        kind: plugin.contract().kind,
        name,
        version,
        sha256: plugin.digest().to_owned(),
        world: plugin.contract().world(),
        source: source.to_string(),
        origin: source,
        bytes: plugin.size(),
        imports: plugin.contract().imports.clone(),
    }
}
