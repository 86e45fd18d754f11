//! Logs of eval samples: one line for each sample with what was asked, what was answered and what a scorer made of it.
//!
//! - [`SampleRecord`] is a line; [`Log`] appends to a log as a run goes, [`load`] reads one whole, [`open`] line by line.

mod digest;
mod error;
pub mod export;
pub mod failures;
pub mod import;
mod log;
mod memory;
pub mod python;
mod read;
mod record;

pub use digest::{digest_of, sha256_hex};
pub use error::{LineError, LineErrorKind, SamplesError};
pub use log::{Durability, Log, Opened, write};
pub use read::{Limits, Loaded, Reader, collect, for_each, load, missing, open, parse};
pub use record::{
    Key, LikelihoodRecord, MessageRecord, Origin, ProblemRecord, Reason, SCHEMA_VERSION, SampleRecord, ScorerRecord,
    Status, SubScore, TimingRecord, ToolCallRecord, UsageRecord, VerdictRecord, schema_json,
};
