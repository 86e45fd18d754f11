//! The two ways a plugin can disappoint: it cannot be loaded, or a call into it goes wrong.

use std::fmt;
use std::time::Duration;

use bench_meter::{ShapeError, TooComplex};

use bench_text::{clean_name, clean_sentence};

use crate::contract::{Kind, SUPPORTED_VERSION};
use crate::types::Problem;

/// Why a component was refused before it ran.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The bytes do not begin like WebAssembly.
    #[error("the file is not WebAssembly")]
    NotWasm,
    /// A core module where a component is needed.
    #[error("the file is a core WebAssembly module, not a component")]
    CoreModule,
    /// Larger than the host accepts.
    #[error("the component has {bytes} bytes; at most {limit} are accepted")]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The bound in bytes.
        limit: usize,
    },
    /// The bytes do not validate or do not compile.
    #[error("the component is not valid: {text}", text = clean_sentence(.0))]
    Invalid(String),
    /// More of something than is compiled.
    #[error("the component is too complex to compile: {0}")]
    TooComplex(TooComplex),
    /// Compiling it took more than it may.
    #[error("compiling the component was ended: {0}")]
    CompileLimit(CompileLimit),
    /// No export of ours.
    #[error("the component implements no world of bench:plugin; it exports {}", listed(.exports))]
    NoWorld {
        /// What it exports instead.
        exports: Vec<String>,
    },
    /// More than one of our interfaces.
    #[error("the component implements several worlds of bench:plugin: {}", listed(.exports))]
    SeveralWorlds {
        /// The interfaces.
        exports: Vec<String>,
    },
    /// Our interface in a version that this host does not speak.
    #[error(
        "the component implements {interface}@{found}; this host speaks {SUPPORTED_VERSION}",
        interface = clean_name(.interface),
    )]
    WrongVersion {
        /// Such as `bench:plugin/driver`.
        interface: String,
        /// The component's version.
        found: semver::Version,
    },
    /// Another kind of plugin than the one asked for.
    #[error("the component is a {found}; a {wanted} is needed here")]
    WrongKind {
        /// What the caller needs.
        wanted: Kind,
        /// What the component is.
        found: Kind,
    },
    /// Asks the host for something that no plugin gets.
    #[error("the component imports {import}, which no plugin is given", import = clean_name(.import))]
    UnknownImport {
        /// The import's full name.
        import: String,
    },
    /// The export is there but its shape is not the interface's.
    #[error("the component does not fit its interface: {text}", text = clean_sentence(.0))]
    Mismatch(String),
    /// The first call into the plugin went wrong.
    #[error("the component loads but cannot say what it is: {0}")]
    Describe(#[source] Fault),
    /// The engine itself could not be made.
    #[error("the WebAssembly engine could not be set up: {text}", text = clean_sentence(.0))]
    Engine(String),
}

/// What a compiler used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompileLimit {
    /// The time that it may take.
    Time(Duration),
    /// The memory that it may take, in bytes.
    Memory(u64),
}

impl fmt::Display for CompileLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CompileLimit::Time(time) => write!(f, "it took more than {} s", time.as_secs()),
            CompileLimit::Memory(bytes) => {
                write!(f, "the compiler died; it dies when it needs more than {} GiB of memory", bytes >> 30)
            }
        }
    }
}

impl From<ShapeError> for LoadError {
    fn from(error: ShapeError) -> Self {
        match error {
            ShapeError::Invalid(problem) => LoadError::Invalid(problem),
            ShapeError::TooComplex(found) => LoadError::TooComplex(found),
        }
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { clean_sentence(names.join(", ")).to_string() }
}

impl LoadError {
    /// Stable identifier.
    pub fn code(&self) -> &'static str {
        match self {
            LoadError::NotWasm => "plugin-not-wasm",
            LoadError::CoreModule => "plugin-core-module",
            LoadError::TooLarge { .. } => "plugin-too-large",
            LoadError::Invalid(_) => "plugin-invalid",
            LoadError::TooComplex(_) => "plugin-too-complex",
            LoadError::CompileLimit(_) => "plugin-compile-limit",
            LoadError::NoWorld { .. } => "plugin-no-world",
            LoadError::SeveralWorlds { .. } => "plugin-several-worlds",
            LoadError::WrongVersion { .. } => "plugin-wrong-version",
            LoadError::WrongKind { .. } => "plugin-wrong-kind",
            LoadError::UnknownImport { .. } => "plugin-unknown-import",
            LoadError::Mismatch(_) => "plugin-mismatch",
            LoadError::Describe(_) => "plugin-describe-failed",
            LoadError::Engine(_) => "engine-setup-failed",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            LoadError::NotWasm => "give a .wasm component built for one of the worlds in wit/".to_owned(),
            LoadError::CoreModule => {
                "turn it into a component with `wasm-tools component new`, or build it with `cargo xtask plugins`"
                    .to_owned()
            }
            LoadError::TooComplex(_) => {
                "split large functions, and leave out code and data that the plugin does not use; honest components have \
                 less than a third of each bound"
                    .to_owned()
            }
            LoadError::CompileLimit(_) => {
                "use another plugin; to its author: split large functions, and leave out code that the plugin does not use"
                    .to_owned()
            }
            LoadError::NoWorld { .. } => {
                "export one of bench:plugin/driver, workload, scorer or publisher; see wit/ for the worlds".to_owned()
            }
            LoadError::SeveralWorlds { .. } => "split it: one component, one world".to_owned(),
            LoadError::WrongVersion { found, .. } => {
                if crate::contract::is_newer(found) {
                    format!("update bench: the plugin was built for interface version {found}")
                } else {
                    format!("update the plugin, or rebuild it against interface version {SUPPORTED_VERSION}")
                }
            }
            LoadError::UnknownImport { .. } => {
                "rebuild it without this import: a plugin gets no files, network, clock or randomness, and may import \
                 nothing but wasi:*@0.2, which answers as an empty world"
                    .to_owned()
            }
            LoadError::Mismatch(_) => "rebuild it against the wit/ folder of this version of bench".to_owned(),
            LoadError::Describe(fault) => return fault.hint(),
            LoadError::TooLarge { .. } | LoadError::Invalid(_) | LoadError::WrongKind { .. } | LoadError::Engine(_) => {
                return None;
            }
        };
        Some(text)
    }
}

/// A call into a plugin that went wrong. The instance is gone; the next call starts a new one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("plugin {plugin} failed in `{export}`: {kind}", plugin = clean_name(.plugin))]
pub struct Fault {
    /// Name and version, or the digest's beginning while the name is not known.
    pub plugin: String,
    /// SHA-256 of the component, in hex.
    pub digest: String,
    /// The export that was called, such as `driver.encode`.
    pub export: &'static str,
    /// What happened.
    pub kind: FaultKind,
    /// The guest's innermost functions, where it has names.
    pub frames: Vec<String>,
}

/// The kinds of [`Fault`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The guest trapped: a panic, a division by zero, a bad pointer.
    Trap(String),
    /// The guest called itself too deeply.
    Stack,
    /// The call took longer than its deadline. For a scorer this is the last resort, and says nothing about what it
    /// graded: another machine may be faster.
    Deadline,
    /// The call used up its fuel.
    Fuel,
    /// The guest asked for more memory than it may have.
    Memory {
        /// Bytes wanted.
        wanted: usize,
        /// Bytes allowed.
        allowed: usize,
    },
    /// The guest returned a value that the interface does not allow, such as a string that is not UTF-8, or too much of it.
    BadValue(String),
    /// This machine could not make the instance. It says nothing about the guest.
    Machine(String),
    /// The guest returned values that contradict each other or what the host knows.
    Lie(String),
    /// The guest tried to wait, which a frozen clock makes impossible.
    Waited,
    /// The instance that held the called resource is gone.
    Gone,
    /// The guest answered with a problem of its own.
    Problem(Problem),
}

impl Eq for Problem {}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FaultKind::Trap(what) => write!(f, "it trapped ({})", clean_sentence(what)),
            FaultKind::Stack => f.write_str("it recursed too deeply"),
            FaultKind::Deadline => f.write_str("it did not come back in time"),
            FaultKind::Fuel => f.write_str("it used up its fuel"),
            FaultKind::Memory { wanted, allowed } => {
                write!(f, "it asked for {wanted} bytes of memory and may have {allowed}")
            }
            FaultKind::BadValue(what) => {
                write!(f, "it returned a value that the interface does not allow ({})", clean_sentence(what))
            }
            FaultKind::Machine(what) => write!(f, "this machine could not run it ({})", clean_sentence(what)),
            FaultKind::Lie(what) => write!(f, "it returned values that cannot be true ({})", clean_sentence(what)),
            FaultKind::Waited => f.write_str("it tried to wait, but its clock is frozen"),
            FaultKind::Gone => f.write_str("an earlier failure ended the instance that this call belongs to"),
            FaultKind::Problem(problem) => {
                write!(f, "{} [{}]", clean_sentence(&problem.message), clean_name(&problem.code))
            }
        }
    }
}

impl Fault {
    /// Stable identifier of the kind of failure. The code inside a problem that the guest reports is the guest's own:
    /// see [`Fault::problem`].
    pub fn code(&self) -> &'static str {
        match &self.kind {
            FaultKind::Trap(_) => "plugin-trap",
            FaultKind::Stack => "plugin-stack",
            FaultKind::Deadline => "plugin-deadline",
            FaultKind::Fuel => "plugin-fuel",
            FaultKind::Memory { .. } => "plugin-memory",
            FaultKind::BadValue(_) => "plugin-bad-value",
            FaultKind::Machine(_) => "plugin-machine",
            FaultKind::Lie(_) => "plugin-lie",
            FaultKind::Waited => "plugin-waited",
            FaultKind::Gone => "plugin-gone",
            FaultKind::Problem(_) => "plugin-problem",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let report = "report it to the plugin's author, with the digest";
        let text = match &self.kind {
            FaultKind::Problem(problem) => return problem.hint.as_ref().map(|hint| clean_sentence(hint).to_string()),
            FaultKind::Memory { .. } => {
                format!("{report}; a plugin that needs more says so in its manifest, up to 512 MiB")
            }
            FaultKind::Machine(_) => {
                "free memory, or allow more address space (`ulimit -v`): an instance reserves 4 GiB of it, and uses little".to_owned()
            }
            FaultKind::Waited => "the plugin was built to sleep or poll; plugins are pure functions".to_owned(),
            FaultKind::Gone => "see the first failure of this plugin".to_owned(),
            _ => format!("{report} {}", self.digest),
        };
        Some(text)
    }

    /// The guest's own problem, when that is what this is.
    pub fn problem(&self) -> Option<&Problem> {
        match &self.kind {
            FaultKind::Problem(problem) => Some(problem),
            _ => None,
        }
    }
}

/// Raised inside wasmtime by the limiter, to be recognised again in [`FaultKind::Memory`].
#[derive(Debug, thiserror::Error)]
#[error("memory limit: wanted {wanted} bytes, allowed {allowed}")]
pub(crate) struct MemoryExceeded {
    pub(crate) wanted: usize,
    pub(crate) allowed: usize,
}

/// Raised by the empty WASI when a guest polls or blocks.
#[derive(Debug, thiserror::Error)]
#[error("a plugin tried to wait")]
pub(crate) struct TriedToWait;

/// Raised where a guest calls into the host after its deadline.
#[derive(Debug, thiserror::Error)]
#[error("a plugin did not come back in time")]
pub(crate) struct OutOfTime;
