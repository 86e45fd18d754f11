//! Engines and their settings, and compiled components.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash as _, Hasher};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::OnceLock;

use bench_meter::{MeterError, Shape};
use sha2::{Digest as _, Sha256};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Inlining};

use crate::cache::CompileCache;
use crate::cell::State;
use crate::compiler::Compiler;
use crate::contract::{Contract, Kind};
use crate::error::LoadError;
use crate::limits::{CODEC_STACK, SCORER_STACK};
use crate::wasi;

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

    /// Its name among the arguments of a process that compiles.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Profile::Codec => "codec",
            Profile::Scorer => "scorer",
        }
    }

    /// The profile of this name.
    pub(crate) fn named(name: &str) -> Option<Profile> {
        [Profile::Codec, Profile::Scorer].into_iter().find(|profile| profile.name() == name)
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
    pub(crate) fn config(self, size: Size) -> Config {
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
pub(crate) enum Size {
    Small,
    Large,
}

impl Size {
    /// Its name among the arguments of a process that compiles.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Size::Small => "small",
            Size::Large => "large",
        }
    }

    /// The size of this name.
    pub(crate) fn named(name: &str) -> Option<Size> {
        [Size::Small, Size::Large].into_iter().find(|size| size.name() == name)
    }

    pub(crate) fn of(bytes: &[u8]) -> Size {
        if bytes.len() <= LARGEST_INLINED { Size::Small } else { Size::Large }
    }
}

/// An engine, with what components are linked and loaded with.
pub(crate) struct Prepared {
    profile: Profile,
    size: Size,
    pub(crate) engine: Engine,
    linker: Linker<State>,
    /// Made when the first component imports WASI: linking its hundreds of functions costs more than loading a plugin.
    wasi_linker: OnceLock<Result<Linker<State>, String>>,
    cache: Option<CompileCache>,
    pub(crate) cache_problem: Option<String>,
}

impl Prepared {
    pub(crate) fn new(profile: Profile, size: Size, cache: Option<&Path>) -> Result<Prepared, LoadError> {
        let engine = Engine::new(&profile.config(size)).map_err(failed)?;
        let linker = Linker::new(&engine);
        let (cache, cache_problem) = match cache.map(|folder| CompileCache::open(folder, &engine_key(profile, &engine)))
        {
            None => (None, None),
            Some(Ok(cache)) => (Some(cache), None),
            Some(Err(problem)) => (None, Some(problem.to_string())),
        };
        Ok(Prepared { profile, size, engine, linker, wasi_linker: OnceLock::new(), cache, cache_problem })
    }

    /// The linker for components that import WASI, or that do not.
    pub(crate) fn linker(&self, contract: &Contract) -> Result<&Linker<State>, LoadError> {
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
        let entry = cache.get(digest)?;
        // SAFETY: `get` answered with an open file that this user's own process wrote into a folder that nobody else can
        // write, whole according to its checksum, replaced but never written to; the name of the folder binds it to
        // this engine. The path leads to the open file, whatever has the name in the folder by now.
        let mapped = entry.path().map(|path| unsafe { Component::deserialize_file(&self.engine, path) });
        let component = match mapped {
            Some(Ok(component)) => Ok(component),
            // Code cannot be run from a file system that is mounted without the right to; a copy in memory can.
            _ => entry.read().map_err(wasmtime::Error::from).and_then(|code| {
                // SAFETY: as above.
                unsafe { Component::deserialize(&self.engine, code) }
            }),
        };
        component.inspect_err(|_| cache.forget(digest)).ok()
    }

    /// The compiled component: from the cache, or compiled now, where its shape is within bounds.
    pub(crate) fn compile(&self, bytes: &[u8], digest: &str, compiler: &Compiler) -> Result<Component, LoadError> {
        if let Some(component) = self.cached(digest) {
            return Ok(component);
        }
        Shape::of(bytes)?;
        let code = compiler.compile(self.profile, self.size, &self.profile.prepare(bytes)?)?;
        let kept = self.cache.as_ref().and_then(|cache| {
            cache.put(digest, &code);
            self.cached(digest)
        });
        match kept {
            Some(component) => Ok(component),
            // SAFETY: this process, or a child that it started for that, has just compiled it, for an engine of the same
            // settings.
            None => unsafe { Component::deserialize(&self.engine, &code) }.map_err(failed),
        }
    }
}

fn failed(error: wasmtime::Error) -> LoadError {
    LoadError::Engine(format!("{error:#}"))
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
