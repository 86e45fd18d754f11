//! From names to loaded plugins.

use std::path::PathBuf;

use bench_grants::{AskedNeeds, GrantSource, Grants, Permit};
use bench_plugin::{Driver, Host, HostOptions, Kind, Limits, LoadError, Plugin, Workload};
use bench_registry::{Found, ItemName, PluginNeeds, Shelf, Source};
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
    /// How the user names it in a command.
    #[serde(skip)]
    pub reference: String,
    /// What it may have.
    #[serde(rename = "grants")]
    pub permit: Permit,
}

/// Loads plugins and knows where compiled code is kept.
#[derive(Debug)]
pub struct Catalog {
    host: Host,
    shelf: Shelf,
    grants: Grants,
}

impl Catalog {
    /// A catalogue that keeps compiled code in `cache`, where given.
    pub fn new(cache: Option<PathBuf>) -> Catalog {
        Catalog { host: Host::new(HostOptions { cache }), shelf: Shelf::embedded(), grants: Grants::default() }
    }

    /// The same with what is installed.
    #[must_use]
    pub fn with_shelf(self, shelf: Shelf) -> Catalog {
        Catalog { shelf, ..self }
    }

    /// The same with what the user granted.
    #[must_use]
    pub fn with_grants(self, grants: Grants) -> Catalog {
        Catalog { grants, ..self }
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
        let identity = self.identity(reference, &plugin, source, &info.name, &info.version);
        Ok((driver, identity))
    }

    /// The workload that `reference` names.
    pub fn workload(&self, reference: &str) -> Result<(Workload, Identity), RunError> {
        let (plugin, source) = self.load(Kind::Workload, reference)?;
        let failed = |error| RunError::Load { reference: reference.to_owned(), error };
        let workload = plugin.workload().map_err(failed)?;
        let info = workload.info();
        let identity = self.identity(reference, &plugin, source, &info.name, &info.version);
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
        Ok((self.identity(reference, &plugin, found.source, &name, &version), info))
    }

    /// What the plugin that `reference` names asks the user for.
    ///
    /// # Errors
    /// When it cannot be loaded, or asks for what no plugin may have.
    pub fn asked_needs(&self, reference: &str) -> Result<AskedNeeds, RunError> {
        let found = self.shelf.any_plugin(reference)?;
        let memory = found.memory;
        let failed = |error| RunError::Load { reference: reference.to_owned(), error };
        let plugin = found.load(&self.host, Limits::DEFAULT).map_err(failed)?;
        let about = plugin.about().map_err(failed)?;
        let needs = match plugin.contract().kind {
            Kind::Driver => {
                let mut driver = plugin.driver().map_err(failed)?;
                let asked = PluginNeeds::ask_driver(&mut driver);
                asked.map_err(|error| RunError::Needs { reference: reference.to_owned(), error })?
            }
            Kind::Workload | Kind::Scorer | Kind::Publisher => PluginNeeds::default(),
        };
        let installed = matches!(found.source, Source::Lock { .. });
        let name = ItemName::parse(if installed { reference } else { &about.name })
            .map_err(|error| failed(LoadError::Mismatch(format!("its name {error}"))))?;
        let source = GrantSource::of_plugin(&found.source, plugin.digest());
        Ok(AskedNeeds { kind: plugin.contract().kind.into(), name, source, needs, memory })
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

    /// An installed plugin has the extra memory that the user granted, whatever its release asks for.
    fn bound_memory(&self, kind: Kind, reference: &str, found: &mut Found) {
        if matches!(found.source, Source::Lock { .. }) {
            found.memory = self.grants.permit(kind.into(), reference, &found.source, "").memory;
        }
    }

    /// Who a plugin is, and what it may have.
    pub(crate) fn identity(
        &self,
        reference: &str,
        plugin: &Plugin,
        source: Source,
        name: &str,
        version: &str,
    ) -> Identity {
        let kind = plugin.contract().kind;
        // An installed plugin has its grants under the name in the lock, which nobody else can take.
        let granted = if matches!(source, Source::Lock { .. }) { reference } else { name };
        let permit = self.grants.permit(kind.into(), granted, &source, plugin.digest());
        Identity {
            kind,
            name: name.to_owned(),
            version: version.to_owned(),
            sha256: plugin.digest().to_owned(),
            world: plugin.contract().world(),
            source: source.to_string(),
            origin: source,
            bytes: plugin.size(),
            imports: plugin.contract().imports.clone(),
            reference: reference.to_owned(),
            permit,
        }
    }

    fn load(&self, kind: Kind, reference: &str) -> Result<(Plugin, Source), RunError> {
        let mut found = self.shelf.plugin(kind, reference)?;
        self.bound_memory(kind, reference, &mut found);
        let plugin = found.load(&self.host, Limits::DEFAULT);
        let plugin = plugin.map_err(|error| RunError::Load { reference: reference.to_owned(), error })?;
        Ok((plugin, found.source))
    }
}

fn said<I: Serialize>(info: &I, who: impl Fn(&I) -> (&String, &String)) -> (String, String, Value) {
    let (name, version) = who(info);
    (name.clone(), version.clone(), serde_json::to_value(info).unwrap_or_default())
}
