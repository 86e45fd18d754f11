//! Loading: the contract first, then the bounds, then the compiler.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bench_meter::Outline;
use sha2::{Digest as _, Sha256};

use crate::compiler::Compiler;
use crate::contract::{self, Contract};
use crate::engine::{Prepared, Profile, Size, hex};
use crate::error::LoadError;
use crate::interface::Interface;
use crate::limits::Limits;
use crate::plugin::Plugin;
use crate::ticker::Ticker;

/// The largest component that is accepted: 64 MiB. A whole CPython or SpiderMonkey takes under 20.
const LARGEST_COMPONENT: usize = 64 << 20;

/// Settings of a [`Host`].
#[derive(Debug, Clone, Default)]
pub struct HostOptions {
    /// Where compiled code is kept; `None` compiles every time.
    pub cache: Option<PathBuf>,
}

/// Compiles and loads plugins. Engines are made when first needed, since a run without scorers needs only one.
pub struct Host {
    options: HostOptions,
    compiler: Compiler,
    codec: OnceLock<Result<Arc<Prepared>, String>>,
    scorer: OnceLock<Result<Arc<Prepared>, String>>,
    large_scorer: OnceLock<Result<Arc<Prepared>, String>>,
    ticker: OnceLock<Arc<Ticker>>,
    /// The clock of scorers.
    clock: OnceLock<Arc<Ticker>>,
}

impl Host {
    /// A host that has compiled nothing yet. It compiles in children of this program where that program called
    /// [`compile_worker`](crate::compile_worker), else in this process.
    pub fn new(options: HostOptions) -> Host {
        Host::compiling_with(options, Compiler::of_this_program())
    }

    /// Like [`Host::new`], with another compiler.
    pub fn compiling_with(options: HostOptions, compiler: Compiler) -> Host {
        let (codec, scorer, large_scorer, ticker, clock) = Default::default();
        Host { options, compiler, codec, scorer, large_scorer, ticker, clock }
    }

    fn prepared(&self, profile: Profile, size: Size) -> Result<Arc<Prepared>, LoadError> {
        let slot = match (profile, size) {
            (Profile::Codec, _) => &self.codec,
            (Profile::Scorer, Size::Small) => &self.scorer,
            (Profile::Scorer, Size::Large) => &self.large_scorer,
        };
        slot.get_or_init(|| {
            Prepared::new(profile, size, self.options.cache.as_deref()).map(Arc::new).map_err(|error| error.to_string())
        })
        .clone()
        .map_err(LoadError::Engine)
    }

    /// Why compiled code is not being kept, when it was asked for and cannot be. Known once something was loaded.
    pub fn cache_problem(&self) -> Option<String> {
        let engines = [&self.codec, &self.scorer, &self.large_scorer];
        engines.into_iter().filter_map(OnceLock::get).flatten().find_map(|prepared| prepared.cache_problem.clone())
    }

    /// Examines the contract of a component, and compiles it or takes it from the cache. No guest code runs.
    ///
    /// # Errors
    /// Without compiling anything: when it is no component, too large, or promises something else than a plugin does.
    /// Before its compiled code is used: when its shape exceeds a bound, or compiling it does.
    pub fn load(&self, bytes: &[u8], limits: Limits) -> Result<Plugin, LoadError> {
        self.load_as(bytes, None, limits, None)
    }

    /// Like [`Host::load`], for a component whose SHA-256 has been established before, in hex: for the embedded ones, by the
    /// build script. Hashing the bundle again would take longer than loading it. The digest names the component in the
    /// cache, in faults and in records, so it must come from where the bytes come from.
    pub fn load_known(&self, bytes: &[u8], digest: &str, limits: Limits) -> Result<Plugin, LoadError> {
        debug_assert_eq!(digest, hex(&Sha256::digest(bytes)), "the digest is that of the component");
        self.load_as(bytes, Some(digest), limits, None)
    }

    /// Like [`Host::load`], under a profile other than the one that the kind of plugin asks for.
    pub fn load_with_profile(&self, bytes: &[u8], limits: Limits, profile: Profile) -> Result<Plugin, LoadError> {
        self.load_as(bytes, None, limits, Some(profile))
    }

    /// What a plugin takes and gives. No guest code runs.
    ///
    /// # Errors
    /// When it is no component, too large, exports no interface of `bench:plugin`, or when its shape or compiling it
    /// exceeds a bound.
    pub fn interface(&self, bytes: &[u8]) -> Result<Interface, LoadError> {
        let kind = contract::kind(&outline(bytes)?.exports)?.0;
        let prepared = self.prepared(Profile::of(kind), Size::of(bytes))?;
        let component = prepared.compile(bytes, &hex(&Sha256::digest(bytes)), &self.compiler)?;
        Ok(Interface::of(&component, &prepared.engine))
    }

    fn load_as(
        &self,
        bytes: &[u8],
        digest: Option<&str>,
        limits: Limits,
        profile: Option<Profile>,
    ) -> Result<Plugin, LoadError> {
        let contract = read_contract(bytes)?;
        let digest = digest.map_or_else(|| hex(&Sha256::digest(bytes)), str::to_owned);
        let profile = profile.unwrap_or(Profile::of(contract.kind));
        let prepared = self.prepared(profile, Size::of(bytes))?;
        let component = prepared.compile(bytes, &digest, &self.compiler)?;
        let pre = prepared
            .linker(&contract)?
            .instantiate_pre(&component)
            .map_err(|error| LoadError::Mismatch(format!("{error:#}")))?;
        let ticker = match profile {
            Profile::Codec => self.ticker.get_or_init(|| Ticker::start(Some(&prepared.engine))),
            Profile::Scorer => self.clock.get_or_init(|| Ticker::start(None)),
        };
        Ok(Plugin { pre, contract, digest, size: bytes.len(), limits, profile, ticker: ticker.clone() })
    }
}

/// Reads the contract of a component from the names of its exports and imports. Nothing is compiled.
fn read_contract(bytes: &[u8]) -> Result<Contract, LoadError> {
    let outline = outline(bytes)?;
    contract::examine(outline.exports, outline.imports)
}

fn outline(bytes: &[u8]) -> Result<Outline, LoadError> {
    check_preamble(bytes)?;
    Ok(Outline::of(bytes)?)
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Components and core modules share a magic number and differ in the four bytes after it.
fn check_preamble(bytes: &[u8]) -> Result<(), LoadError> {
    if bytes.len() > LARGEST_COMPONENT {
        return Err(LoadError::TooLarge { bytes: bytes.len(), limit: LARGEST_COMPONENT });
    }
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', _, _, 1, 0]) => Ok(()),
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => Err(LoadError::CoreModule),
        _ => Err(LoadError::NotWasm),
    }
}
