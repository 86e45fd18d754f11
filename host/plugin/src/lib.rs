//! Runs plugins. The only crate that knows wasmtime.
//!
//! A plugin is a WebAssembly component that implements one world of `wit/`. It is given nothing: no files, environment,
//! network, clock or randomness of the host's. What it can still do is waste time and memory, lie, or fail; each of those
//! ends as a typed [`Fault`] that names the plugin and the export, and the host lives on.
//!
//! - [`Host`] compiles components, with a cache on disk keyed by content and engine.
//! - [`Plugin`] is a compiled component whose contract has been examined.
//! - [`Driver`], [`Workload`] and [`Scorer`] are typed handles. They are neither `Clone` nor shared: whoever owns the handle is the only
//!   one who can run guest code, which is how a timed window proves that none runs inside it.

mod bindings;
mod bulk;
mod cache;
mod cell;
mod compiler;
mod contract;
mod driver;
mod engine;
mod error;
mod guard;
mod host;
mod interface;
mod limits;
mod plugin;
mod room;
mod rules;
mod scorer;
mod ticker;
mod verdicts;
mod wasi;
mod workload;

pub use compiler::{Compiler, compile_worker};
pub use contract::{Contract, Kind, SUPPORTED_VERSION};
pub use driver::{Count, DecodeError, Driver, MOST_COUNT_STEPS};
pub use engine::Profile;
pub use error::{CompileLimit, Fault, FaultKind, LoadError};
pub use host::{Host, HostOptions};
pub use interface::{Difference, Incompatibility, Interface};
pub use limits::{LARGEST_MEMORY, Limits};
pub use plugin::{About, Plugin};
pub use room::{spawn_with_room, with_room};
pub use rules::Adjusted;
pub use scorer::{Scored, Scorer, Task};
pub use workload::{Session, Workload};

/// The shared vocabulary of plugins, as the host sees it.
pub mod types {
    pub use crate::bindings::types::bench::plugin::types::*;
}

/// The records of the driver interface.
pub mod driver_types {
    pub use crate::bindings::driver::exports::bench::plugin::driver::*;
}

/// The records of the workload interface.
pub mod workload_types {
    pub use crate::bindings::workload::exports::bench::plugin::workload::*;
}

/// The records of the scorer interface.
pub mod scorer_types {
    pub use crate::bindings::scorer::exports::bench::plugin::scorer::*;
}

/// Version of wasmtime that runs the components, for the record; `Cargo.lock` pins it and a test keeps the two equal.
pub const WASMTIME_VERSION: &str = "48.0.8";
