//! From names to loaded plugins.

use std::path::PathBuf;

use bench_plugin::{Driver, Host, HostOptions, Kind, Limits, Plugin, Scorer, Workload};
use bench_registry::Source;
use serde::Serialize;

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
    /// Where it came from: `bundle`, or the path of the file.
    pub source: String,
    /// Size of the component in bytes.
    pub bytes: usize,
    /// What it imports.
    pub imports: Vec<String>,
}

/// Loads plugins and knows where compiled code is kept.
#[derive(Debug)]
pub struct Catalog {
    host: Host,
}

impl Catalog {
    /// A catalogue that keeps compiled code in `cache`, where given.
    pub fn new(cache: Option<PathBuf>) -> Catalog {
        Catalog { host: Host::new(HostOptions { cache }) }
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

    /// The scorer that `reference` means.
    pub fn scorer(&self, reference: &str) -> Result<(Scorer, Identity), RunError> {
        let (plugin, source) = self.load(Kind::Scorer, reference)?;
        let failed = |error| RunError::Load { reference: reference.to_owned(), error };
        let scorer = plugin.scorer().map_err(failed)?;
        let info = scorer.info();
        let identity = identity(&plugin, source, info.name.clone(), info.version.clone());
        Ok((scorer, identity))
    }

    /// What loads components.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The names of the drivers at hand.
    pub fn driver_names(&self) -> impl Iterator<Item = &'static str> {
        let components = bench_registry::components().iter();
        components.filter(|component| component.kind == Kind::Driver).map(|component| component.name)
    }

    /// Why compiled code is not being kept, when it was asked for and cannot be.
    pub fn cache_problem(&self) -> Option<String> {
        self.host.cache_problem()
    }

    fn load(&self, kind: Kind, reference: &str) -> Result<(Plugin, Source), RunError> {
        let found = bench_registry::plugin(kind, reference)?;
        let plugin = match found.sha256 {
            Some(digest) => self.host.load_known(&found.bytes, digest, Limits::DEFAULT),
            None => self.host.load(&found.bytes, Limits::DEFAULT),
        };
        let plugin = plugin.map_err(|error| RunError::Load { reference: reference.to_owned(), error })?;
        Ok((plugin, found.source))
    }
}

pub(crate) fn identity(plugin: &Plugin, source: Source, name: String, version: String) -> Identity {
    Identity {
        kind: plugin.contract().kind,
        name,
        version,
        sha256: plugin.digest().to_owned(),
        world: plugin.contract().world(),
        source: match source {
            Source::Bundle => "bundle".to_owned(),
            Source::File(path) => path.display().to_string(),
        },
        bytes: plugin.size(),
        imports: plugin.contract().imports.clone(),
    }
}
