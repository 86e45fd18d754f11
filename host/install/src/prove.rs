//! The last check before something counts as installed: it is compiled and asked who it is, here and not at its first use.

use std::path::PathBuf;

use bench_plugin::{Host, HostOptions, Kind, Limits};
use bench_registry::{
    ArchiveLimits, ItemKind, ItemName, ItemPath, PluginNeeds, Release, put_data, read_version, unpack,
};
use bench_suite::Suite;
use bench_text::clean_name;

use crate::error::InstallError;
use crate::reader::Offered;

/// Tries what was fetched.
#[derive(Debug)]
pub(crate) struct Prover {
    host: Host,
}

impl Prover {
    /// One that keeps compiled code in `cache`.
    pub(crate) fn new(cache: PathBuf) -> Self {
        Self { host: Host::new(HostOptions { cache: Some(cache) }) }
    }

    /// Checks that it loads with its data, is what the registry says, and asks for no more than its
    /// release states. Gives what a plugin asks for.
    pub(crate) fn prove(
        &self,
        offered: &Offered,
        bytes: &[u8],
        data: Vec<(String, Vec<u8>)>,
    ) -> Result<Option<PluginNeeds>, InstallError> {
        let release = &offered.release;
        let proved = match release.kind.plugin() {
            Some(kind) => self.plugin(kind, offered, bytes).map(Some),
            None if release.kind == ItemKind::Suite => suite(offered, bytes, data).map(|()| None),
            None => Ok(None),
        };
        proved.map_err(|problem| InstallError::Rejected {
            what: format!("{} {}", release.kind, release.name),
            version: release.version.to_string(),
            problem,
        })
    }

    /// Who a component is that no registry says anything of. It has the usual limits.
    pub(crate) fn identify(&self, bytes: &[u8], sha256: &str) -> Result<Release, String> {
        let look = self.look(bytes, sha256, Limits::DEFAULT)?;
        let Some((name, version)) = look.calls_itself else {
            return Err(format!("a {} cannot be asked yet who it is", look.kind));
        };
        let path = ItemPath {
            kind: look.kind.into(),
            name: ItemName::parse(&name).map_err(|error| format!("its name {error}"))?,
            version: read_version(&version).map_err(|error| format!("its version {error}"))?,
        };
        Ok(Release { world: Some(look.world), needs: Some(look.needs), ..Release::new(path) })
    }

    /// Loads a component and asks it who it is.
    fn look(&self, bytes: &[u8], sha256: &str, limits: Limits) -> Result<Look, String> {
        let unloadable = |error: bench_plugin::LoadError| error.to_string();
        let plugin = self.host.load_known(bytes, sha256, limits).map_err(unloadable)?;
        let contract = plugin.contract();
        let calls_itself = match contract.kind {
            // A publisher cannot be asked yet.
            Kind::Publisher => None,
            Kind::Driver | Kind::Scorer | Kind::Workload => {
                let about = plugin.about().map_err(unloadable)?;
                Some((about.name, about.version))
            }
        };
        let needs = match contract.kind {
            Kind::Driver => {
                let mut driver = plugin.driver().map_err(unloadable)?;
                PluginNeeds::ask_driver(&mut driver).map_err(|error| error.to_string())?
            }
            Kind::Publisher | Kind::Scorer | Kind::Workload => PluginNeeds::default(),
        };
        Ok(Look { kind: contract.kind, world: contract.world(), calls_itself, needs })
    }

    fn plugin(&self, kind: Kind, offered: &Offered, bytes: &[u8]) -> Result<PluginNeeds, String> {
        let release = &offered.release;
        let memory = release.memory.and_then(|memory| usize::try_from(memory).ok()).unwrap_or(0);
        let limits = Limits::DEFAULT.with_memory(memory.max(Limits::DEFAULT.memory));
        let look = self.look(bytes, &offered.sha256, limits)?;
        if look.kind != kind || release.world.as_deref() != Some(look.world.as_str()) {
            return Err(format!("it implements {}", clean_name(&look.world)));
        }
        if let Some((name, version)) = look.calls_itself
            && (name != release.name.own() || version != release.version.to_string())
        {
            return Err(format!("it calls itself {} {}", clean_name(&name), clean_name(&version)));
        }
        let Some(stated) = &release.needs else { return Ok(look.needs) };
        stated.check().map_err(|error| error.to_string())?;
        let more = look.needs.beyond(stated);
        if more.is_empty() {
            Ok(stated.clone())
        } else {
            Err(format!("it asks for more than its release states: {more}"))
        }
    }
}

/// What a component turns out to be.
struct Look {
    kind: Kind,
    world: String,
    /// Name and version, where it can be asked.
    calls_itself: Option<(String, String)>,
    /// What it asks for.
    needs: PluginNeeds,
}

fn suite(offered: &Offered, bytes: &[u8], data: Vec<(String, Vec<u8>)>) -> Result<(), String> {
    let mut files = unpack(bytes, ArchiveLimits::suite()).map_err(|error| error.to_string())?;
    put_data(&mut files, data).map_err(|error| error.to_string())?;
    let suite = Suite::from_files(&files).map_err(|error| error.to_string())?;
    let (manifest, release) = (suite.manifest(), &offered.release);
    if manifest.name == release.name.own() && manifest.version.to_string() == release.version.to_string() {
        Ok(())
    } else {
        Err(format!("it calls itself {} {}", clean_name(&manifest.name), manifest.version))
    }
}
