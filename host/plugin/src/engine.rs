//! Engines, compilation and loading.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash as _, Hasher};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bench_meter::MeterError;
use sha2::{Digest as _, Sha256};
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, Engine, Inlining};

use crate::cache::CompileCache;
use crate::cell::{State, Ticker};
use crate::contract::{self, Contract, Kind};
use crate::driver::Driver;
use crate::error::LoadError;
use crate::interface::Interface;
use crate::limits::{CODEC_STACK, Limits, SCORER_STACK};
use crate::scorer::Scorer;
use crate::wasi;
use crate::workload::Workload;

/// The largest component that is accepted: 64 MiB. A whole CPython or SpiderMonkey takes under 20.
const LARGEST_COMPONENT: usize = 64 << 20;

/// The largest scorer whose functions are compiled into one another: 8 MiB. That makes up for a good part of what small functions
/// and a count at each call cost, and compiling takes twice as long; interpreters of other languages, which are larger, also recurse
/// deeper in small frames.
const LARGEST_INLINED: usize = 8 << 20;

/// How guest code is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// For drivers, workloads and publishers: a deadline on the clock, cheap to check.
    Codec,
    /// For scorers: fuel, canonical NaNs and deterministic SIMD, so that a verdict is the same bytes on every machine.
    Scorer,
}

impl Profile {
    /// The profile that a kind of plugin runs under.
    pub fn of(kind: Kind) -> Profile {
        match kind {
            Kind::Driver | Kind::Workload | Kind::Publisher => Profile::Codec,
            Kind::Scorer => Profile::Scorer,
        }
    }

    /// The profile that a component's contract will probably ask for: the names of its exports stand in its bytes. Compiling for a
    /// wrong guess costs as much as compiling for the right one, so it is worth a look; the contract decides.
    fn likely(bytes: &[u8]) -> Profile {
        match memchr::memmem::find(bytes, Kind::Scorer.interface().as_bytes()) {
            Some(_) => Profile::Scorer,
            None => Profile::Codec,
        }
    }

    /// A component as it is compiled: one whose fuel counts has the count put into it.
    fn prepare(self, bytes: &[u8]) -> Result<Cow<'_, [u8]>, LoadError> {
        match self {
            Profile::Codec => Ok(Cow::Borrowed(bytes)),
            Profile::Scorer => match bench_meter::metered(bytes) {
                Ok(metered) => Ok(Cow::Owned(metered)),
                Err(MeterError::Invalid(problem)) => Err(LoadError::Invalid(problem)),
                Err(error @ MeterError::Unsupported(_)) => {
                    let hint = error.hint().unwrap_or_default();
                    Err(LoadError::Mismatch(format!("{error}; {hint}")))
                }
            },
        }
    }

    /// The settings for components of so many bytes.
    fn config(self, size: Size) -> Config {
        let mut config = Config::new();
        config.wasm_component_model(true);
        // Plugins are synchronous functions; the machinery for concurrent component calls only slows them down.
        config.concurrency_support(false);
        config.wasm_backtrace_max_frames(NonZeroUsize::new(16));
        match self {
            Profile::Codec => {
                config.epoch_interruption(true);
                config.max_wasm_stack(CODEC_STACK);
            }
            Profile::Scorer => {
                config.max_wasm_stack(SCORER_STACK);
                // Nothing runs on a stack of this size; the engine only demands that the two fit.
                config.async_stack_size(2 * SCORER_STACK);
                config.cranelift_nan_canonicalization(true);
                config.relaxed_simd_deterministic(true);
                if size == Size::Small {
                    config.compiler_inlining(Inlining::Yes);
                }
            }
        }
        config
    }
}

/// Whether a component is small enough for [`LARGEST_INLINED`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    Small,
    Large,
}

impl Size {
    fn of(bytes: &[u8]) -> Size {
        if bytes.len() <= LARGEST_INLINED { Size::Small } else { Size::Large }
    }
}

/// Settings of a [`Host`].
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// Where compiled code is kept; `None` compiles every time.
    pub cache: Option<PathBuf>,
}

struct Prepared {
    profile: Profile,
    size: Size,
    engine: Engine,
    linker: Linker<State>,
    /// Made when the first component imports WASI: linking its hundreds of functions costs more than loading a plugin.
    wasi_linker: OnceLock<Result<Linker<State>, String>>,
    cache: Option<CompileCache>,
    cache_problem: Option<String>,
}

impl Prepared {
    fn new(profile: Profile, size: Size, options: &HostOptions) -> Result<Prepared, LoadError> {
        let engine = Engine::new(&profile.config(size)).map_err(failed)?;
        let linker = Linker::new(&engine);
        let (cache, cache_problem) = match &options.cache {
            None => (None, None),
            Some(folder) => match CompileCache::open(folder, &engine_key(profile, &engine)) {
                Ok(cache) => (Some(cache), None),
                Err(problem) => (None, Some(problem.to_string())),
            },
        };
        Ok(Prepared { profile, size, engine, linker, wasi_linker: OnceLock::new(), cache, cache_problem })
    }

    /// The linker for components that import WASI, or that do not.
    fn linker(&self, contract: &Contract) -> Result<&Linker<State>, LoadError> {
        if !contract.wasi {
            return Ok(&self.linker);
        }
        let made = self.wasi_linker.get_or_init(|| {
            let mut linker = Linker::new(&self.engine);
            wasi::link(&mut linker).map(|()| linker).map_err(|error| format!("{error:#}"))
        });
        made.as_ref().map_err(|error| LoadError::Engine(error.clone()))
    }

    /// The compiled component from the cache.
    fn cached(&self, digest: &str) -> Option<Component> {
        let cache = self.cache.as_ref()?;
        let path = cache.get(digest)?;
        // SAFETY: `get` returned a file that this user's own process wrote into a folder that nobody else can write, whole
        // according to its checksum and replaced but never written to; the folder's name binds it to this engine.
        let component = unsafe { Component::deserialize_file(&self.engine, &path) }.or_else(|_| {
            // Code cannot be run from a file system that is mounted without the right to; a copy in memory can.
            let code = std::fs::read(&path)?;
            // SAFETY: as above.
            unsafe { Component::deserialize(&self.engine, code) }
        });
        component.inspect_err(|_| cache.forget(digest)).ok()
    }

    fn compile(&self, bytes: &[u8], digest: &str) -> Result<Component, LoadError> {
        if let Some(component) = self.cached(digest) {
            return Ok(component);
        }
        let code = self.translate(bytes)?;
        let kept = self.cache.as_ref().and_then(|cache| {
            cache.put(digest, &code);
            self.cached(digest)
        });
        let component = match kept {
            Some(component) => Ok(component),
            // SAFETY: this process has just compiled it, for an engine of the same settings.
            None => unsafe { Component::deserialize(&self.engine, &code) },
        };
        drop(code);
        give_back();
        component.map_err(failed)
    }

    /// Compiled code of a component. An engine keeps what it compiled with for the next time, which is more than a gigabyte after
    /// some scorers, so this one ends with its work.
    fn translate(&self, bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
        let bytes = self.profile.prepare(bytes)?;
        let engine = Engine::new(&self.profile.config(self.size)).map_err(failed)?;
        engine.precompile_component(&bytes).map_err(|error| LoadError::Invalid(format!("{error:#}")))
    }
}

fn failed(error: wasmtime::Error) -> LoadError {
    LoadError::Engine(format!("{error:#}"))
}

/// Gives the memory that a compiler took back to the system. The allocator would keep it for as long as the program runs, beside an
/// engine under test that has a use for it.
fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it is given no pointers, and may be called at any time on any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// The part of a cache's path that changes whenever compiled code of one engine must not run in another.
fn engine_key(profile: Profile, engine: &Engine) -> String {
    struct Collect(Sha256);
    impl Hasher for Collect {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut collect = Collect(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut collect);
    if profile == Profile::Scorer {
        bench_meter::VERSION.hash(&mut collect);
    }
    hex(&collect.0.finalize()[..8])
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

/// Who a plugin says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// In kebab case.
    pub name: String,
    /// Its version.
    pub version: String,
    /// A few words, for lists.
    pub title: String,
}

/// Compiles and loads plugins. Engines are made when first needed, since a run without scorers needs only one.
pub struct Host {
    options: HostOptions,
    codec: OnceLock<Result<Arc<Prepared>, String>>,
    scorer: OnceLock<Result<Arc<Prepared>, String>>,
    large_scorer: OnceLock<Result<Arc<Prepared>, String>>,
    ticker: OnceLock<Arc<Ticker>>,
}

impl Host {
    /// A host that has compiled nothing yet.
    pub fn new(options: HostOptions) -> Host {
        let (codec, scorer, large_scorer) = Default::default();
        Host { options, codec, scorer, large_scorer, ticker: OnceLock::new() }
    }

    fn prepared(&self, profile: Profile, size: Size) -> Result<Arc<Prepared>, LoadError> {
        let slot = match (profile, size) {
            (Profile::Codec, _) => &self.codec,
            (Profile::Scorer, Size::Small) => &self.scorer,
            (Profile::Scorer, Size::Large) => &self.large_scorer,
        };
        slot.get_or_init(|| {
            Prepared::new(profile, size, &self.options).map(Arc::new).map_err(|error| error.to_string())
        })
        .clone()
        .map_err(LoadError::Engine)
    }

    /// Why compiled code is not being kept, when it was asked for and cannot be.
    pub fn cache_problem(&self) -> Option<String> {
        let codec = self.codec.get().and_then(|slot| slot.as_ref().ok());
        codec.and_then(|prepared| prepared.cache_problem.clone())
    }

    /// Compiles a component, or takes it from the cache, and examines its contract. No guest code runs.
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

    /// What a component takes and gives, whatever it is made for. No guest code runs.
    ///
    /// # Errors
    /// When it is no component, or too large.
    pub fn interface(&self, bytes: &[u8]) -> Result<Interface, LoadError> {
        check_preamble(bytes)?;
        let prepared = self.prepared(Profile::likely(bytes), Size::of(bytes))?;
        let component = prepared.compile(bytes, &hex(&Sha256::digest(bytes)))?;
        Ok(Interface::of(&component, &prepared.engine))
    }

    fn load_as(
        &self,
        bytes: &[u8],
        digest: Option<&str>,
        limits: Limits,
        profile: Option<Profile>,
    ) -> Result<Plugin, LoadError> {
        check_preamble(bytes)?;
        let digest = digest.map_or_else(|| hex(&Sha256::digest(bytes)), str::to_owned);
        let asked = profile.unwrap_or_else(|| Profile::likely(bytes));
        let mut prepared = self.prepared(asked, Size::of(bytes))?;
        let mut component = prepared.compile(bytes, &digest)?;
        let contract = examine(&component, &prepared.engine)?;
        let wanted = profile.unwrap_or(Profile::of(contract.kind));
        if wanted != asked {
            prepared = self.prepared(wanted, Size::of(bytes))?;
            component = prepared.compile(bytes, &digest)?;
        }
        let pre = prepared
            .linker(&contract)?
            .instantiate_pre(&component)
            .map_err(|error| LoadError::Mismatch(format!("{error:#}")))?;
        let ticker = match wanted {
            Profile::Codec => Some(self.ticker.get_or_init(|| Ticker::start(&prepared.engine)).clone()),
            Profile::Scorer => None,
        };
        Ok(Plugin { pre, contract, digest, size: bytes.len(), limits, profile: wanted, ticker })
    }
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

fn examine(component: &Component, engine: &Engine) -> Result<Contract, LoadError> {
    let kind = component.component_type();
    let names = |name: &str| name.to_owned();
    contract::examine(
        kind.exports(engine).map(|(name, _)| names(name)).filter(|name| !name.starts_with(bench_meter::EXPORTS)),
        kind.imports(engine).map(|(name, _)| names(name)),
    )
}

/// A compiled component whose contract is known. Handles are made from it.
pub struct Plugin {
    pub(crate) pre: InstancePre<State>,
    pub(crate) contract: Contract,
    pub(crate) digest: String,
    pub(crate) size: usize,
    pub(crate) limits: Limits,
    pub(crate) profile: Profile,
    pub(crate) ticker: Option<Arc<Ticker>>,
}

impl Plugin {
    /// What the component promises.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// SHA-256 of the component, in hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Size of the component in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// A handle on a driver; asks it to describe itself.
    pub fn driver(&self) -> Result<Driver, LoadError> {
        self.expect(Kind::Driver)?;
        Driver::new(self)
    }

    /// A handle on a workload; asks it to describe itself.
    pub fn workload(&self) -> Result<Workload, LoadError> {
        self.expect(Kind::Workload)?;
        Workload::new(self)
    }

    /// A handle on a scorer; asks it to describe itself.
    pub fn scorer(&self) -> Result<Scorer, LoadError> {
        self.scorer_within(self.limits)
    }

    /// Like [`Plugin::scorer`], under other limits than those that the plugin was loaded with: what a scorer needs to add up
    /// the verdicts on a whole task has nothing to do with what it needs for one sample.
    pub fn scorer_within(&self, limits: Limits) -> Result<Scorer, LoadError> {
        self.expect(Kind::Scorer)?;
        Scorer::new(self, limits)
    }

    /// Who the plugin says it is, whatever its kind.
    ///
    /// # Errors
    /// As for the handles. A publisher cannot be asked yet: [`LoadError::WrongKind`].
    pub fn about(&self) -> Result<About, LoadError> {
        let about = |name: &String, version: &String, title: &String| About {
            name: name.clone(),
            version: version.clone(),
            title: title.clone(),
        };
        match self.contract().kind {
            Kind::Driver => self.driver().map(|it| about(&it.info().name, &it.info().version, &it.info().title)),
            Kind::Scorer => self.scorer().map(|it| about(&it.info().name, &it.info().version, &it.info().summary)),
            Kind::Workload | Kind::Publisher => {
                self.workload().map(|it| about(&it.info().name, &it.info().version, &it.info().title))
            }
        }
    }

    /// What instances of the plugin may use.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The same plugin under other limits.
    pub fn under(self, limits: Limits) -> Plugin {
        Plugin { limits, ..self }
    }

    fn expect(&self, wanted: Kind) -> Result<(), LoadError> {
        let found = self.contract.kind;
        if found == wanted { Ok(()) } else { Err(LoadError::WrongKind { wanted, found }) }
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("contract", &self.contract)
            .field("digest", &self.digest)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
