//! The pipeline from suite to record: the one crate that puts all the others together.
//!
//! `suite → plan → encode → wire → trace → decode → metrics → record`. A run only moves to the right. Guest code runs while
//! requests are made ready and after their answers have come, never in between: see [`bench_load::measure`].

mod answer;
mod assemble;
mod bounds;
mod calibrate;
mod catalog;
mod connect;
mod convert;
mod counters;
mod demand;
mod detect;
mod engine;
mod error;
mod evals;
mod identify;
mod judge;
mod keep;
mod keys;
mod options;
mod phase;
mod pipeline;
mod preflight;
mod prompt;
mod report;
mod restate;
mod resume;
mod sessions;
mod side;
mod times;
mod tracelog;
mod work;
mod workloads;

pub use bench_load::{GRAMMAR, LoadError, LoadSpec, Waiting, split_time};
pub use bench_wire::{Fingerprint, Progress, Proxy, Snapshot, StampMode, Stop, Stopper, Trust};
pub use calibrate::{Calibrated, CalibrationPlan, calibrate};
pub use catalog::{Catalog, Identity};
pub use detect::{Detection, Reachable, Survey, survey};
pub use error::{Category, RunError};
pub use options::{Folders, RunOptions};
pub use pipeline::{open_suite, run, run_ab};
pub use report::{Reporter, Silent, Update};
pub use restate::{Restated, restate};
