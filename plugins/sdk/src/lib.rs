//! Everything a plugin author needs: the interfaces as Rust types and traits, the export macros, and helpers for the
//! formats that backends speak.
//!
//! A plugin is a crate with `crate-type = ["cdylib", "rlib"]` that implements one of the traits and exports it:
//!
//! ```text
//! struct Plugin;
//! impl bench_sdk::driver::Driver for Plugin { /* … */ }
//! bench_sdk::export_driver!(Plugin);
//! ```
//!
//! The `rlib` half lets the same logic be tested natively, without a sandbox.
//!
//! A driver for a backend that speaks the OpenAI protocol implements [`openai::Dialect`] and states only what is
//! different about it; a driver for another protocol implements [`stream::Protocol`] for its messages and gets framing,
//! read indices, the fast path and the failure rules from [`stream::Stream`].

/// The interface of drivers.
pub mod driver {
    pub use crate::bindings::driver::exports::bench::plugin::driver::*;
    pub use crate::bindings::driver::exports::bench::plugin::driver::{
        Guest as Driver, GuestCount as CountSteps, GuestDecoder as Decode,
    };
}

/// The interface of workloads.
pub mod workload {
    pub use crate::bindings::workload::exports::bench::plugin::workload::*;
    pub use crate::bindings::workload::exports::bench::plugin::workload::{Guest as Workload, GuestSession as Turns};
}

/// The interface of scorers.
pub mod scorer {
    pub use crate::bindings::scorer::exports::bench::plugin::scorer::*;
    pub use crate::bindings::scorer::exports::bench::plugin::scorer::{Guest as ScorerPlugin, GuestTask as GradeTask};
}

/// The vocabulary that all interfaces share.
pub mod types {
    pub use crate::bindings::types::bench::plugin::types::*;
}

pub mod workload_kit;

#[cfg(target_arch = "wasm32")]
mod alloc;
#[doc(hidden)]
pub mod bindings;
pub mod bulk;

#[cfg(not(target_arch = "wasm32"))]
pub mod conformance;
pub mod count;
mod halves;
pub mod hosted;
pub mod http;
pub mod json;
pub mod lines;
pub mod ndjson;
pub mod openai;
mod outcome;
pub mod params;
pub mod problem;
pub mod prometheus;
pub mod recognise;
pub mod rules;
pub mod sse;
pub mod stream;
mod template;
#[cfg(not(target_arch = "wasm32"))]
pub mod testkit;
mod tidy;
pub mod tools;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: alloc::Classes = alloc::Classes::new();

/// Stands for a turn in which the model said nothing, since services refuse a turn without content. The host says the same for
/// the other side of a conversation.
pub const SILENT_TURN: &str = "(says nothing)";

/// Exports a type that implements [`driver::Driver`] as the component's driver. Native builds export nothing, so that
/// several drivers can be linked into one test binary.
#[macro_export]
macro_rules! export_driver {
    ($plugin:ident) => {
        #[cfg(target_arch = "wasm32")]
        $crate::bindings::driver::export_driver_component!($plugin with_types_in $crate::bindings::driver);
    };
}

/// Exports a type that implements [`workload::Workload`] as the component's workload. Native builds export nothing.
#[macro_export]
macro_rules! export_workload {
    ($plugin:ident) => {
        #[cfg(target_arch = "wasm32")]
        $crate::bindings::workload::export_workload_component!($plugin with_types_in $crate::bindings::workload);
    };
}

/// Exports a type that implements [`scorer::ScorerPlugin`] as the component's scorer. Native builds export nothing.
#[macro_export]
macro_rules! export_scorer {
    ($plugin:ident) => {
        #[cfg(target_arch = "wasm32")]
        $crate::bindings::scorer::export_scorer_component!($plugin with_types_in $crate::bindings::scorer);
    };
}
