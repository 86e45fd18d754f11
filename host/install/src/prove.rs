//! The last check before something counts as installed: it is compiled and asked who it is, here and not at its first use.

use std::path::PathBuf;

use bench_plugin::{Host, HostOptions, Kind, Limits};
use bench_registry::{ArchiveLimits, ItemKind, put_data, unpack};
use bench_suite::Suite;

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

    /// Does it load with its data, and is it who the registry says?
    pub(crate) fn prove(
        &self,
        offered: &Offered,
        bytes: &[u8],
        data: Vec<(String, Vec<u8>)>,
    ) -> Result<(), InstallError> {
        let release = &offered.release;
        let problem = match release.kind.plugin() {
            Some(kind) => self.plugin(kind, offered, bytes),
            None if release.kind == ItemKind::Suite => suite(offered, bytes, data),
            None => Ok(()),
        };
        problem.map_err(|problem| InstallError::Rejected {
            what: format!("{} {}", release.kind, release.name),
            version: release.version.to_string(),
            problem,
        })
    }

    fn plugin(&self, kind: Kind, offered: &Offered, bytes: &[u8]) -> Result<(), String> {
        let release = &offered.release;
        let memory = release.memory.and_then(|memory| usize::try_from(memory).ok()).unwrap_or(0);
        let limits = Limits::DEFAULT.with_memory(memory.max(Limits::DEFAULT.memory));
        let unloadable = |error: bench_plugin::LoadError| error.to_string();
        let plugin = self.host.load_known(bytes, &offered.sha256, limits).map_err(unloadable)?;
        let contract = plugin.contract();
        if contract.kind != kind || release.world.as_deref() != Some(contract.world().as_str()) {
            return Err(format!("it implements {}", contract.world()));
        }
        let (name, version) = match kind {
            Kind::Driver => plugin.driver().map(|it| (it.info().name.clone(), it.info().version.clone())),
            Kind::Scorer => plugin.scorer().map(|it| (it.info().name.clone(), it.info().version.clone())),
            Kind::Workload => plugin.workload().map(|it| (it.info().name.clone(), it.info().version.clone())),
            // A publisher cannot be asked yet.
            Kind::Publisher => return Ok(()),
        }
        .map_err(unloadable)?;
        let own = release.name.as_str().rsplit('/').next().unwrap_or_default();
        if name == own && version == release.version.to_string() {
            Ok(())
        } else {
            Err(format!("it calls itself {} {}", printable(&name), printable(&version)))
        }
    }
}

fn suite(offered: &Offered, bytes: &[u8], data: Vec<(String, Vec<u8>)>) -> Result<(), String> {
    let mut files = unpack(bytes, ArchiveLimits::SUITE).map_err(|error| error.to_string())?;
    put_data(&mut files, data).map_err(|error| error.to_string())?;
    let suite = Suite::from_files(&files).map_err(|error| error.to_string())?;
    let (manifest, release) = (suite.manifest(), &offered.release);
    let own = release.name.as_str().rsplit('/').next().unwrap_or_default();
    if manifest.name == own && manifest.version.to_string() == release.version.to_string() {
        Ok(())
    } else {
        Err(format!("it calls itself {} {}", printable(&manifest.name), manifest.version))
    }
}

fn printable(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(80).collect()
}
