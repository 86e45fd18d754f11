//! Grades again what was answered before: a log of this program's or another tool's, or the eval tasks of a stored run. No model
//! is asked and nothing that is read is changed.
//!
//! A log has all that a scorer is given, so the same component gives the same verdicts wherever and whenever this is done;
//! another version of it, or another scorer, shows what it would have said.

mod changes;
mod engine;
mod error;
mod run;

pub use bench_grade::Verify;
pub use changes::{Change, Kind, Outcome};
pub use engine::{Engine, NoteRecord, Scored, TaskScore};
pub use error::RescoreError;
pub use run::{Samples, grades_of, samples_of};
