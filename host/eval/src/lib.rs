//! Runs the eval tasks of a suite.
//!
//! A task is data: items, a template, settings, a scorer. [`run`] makes a prompt of each item, asks many of them at once, keeps each
//! answer in a log the moment it is there, has them graded and adds the verdicts up. A run that was cut off goes on where its log
//! ends: finished samples are not asked again, and what follows from the log is the same whoever wrote it in how many parts.
//!
//! The crate knows no driver: whoever is asked is a [`Backend`]. What a failure means for a sample is a table, in [`policy`].

mod ask;
mod backend;
mod backoff;
pub mod convert;
mod error;
mod grading;
mod likelihood;
mod needle;
pub mod policy;
mod prices;
mod prompt;
mod reasoning;
mod regrade;
mod retry;
mod run;
mod scorers;
mod script;
mod seed;
mod sheet;

pub use ask::{Budget, Clock};
pub use backend::{Answer, Backend, CacheWrites};
pub use bench_samples::UsageRecord as Usage;
pub use error::EvalError;
pub use grading::Scores;
pub use prices::{Price, Prices};
pub use regrade::regrade;
pub use retry::retry_after;
pub use run::{CONCURRENCY, Evals, Progress, check, chosen, run};
pub use scorers::{LoadedScorer, Scorers};
