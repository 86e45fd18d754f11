//! Suites: which workloads to run, with which parameters, on which texts, all of it pinned by digest.
//!
//! A suite is a folder of data: a `suite.toml` ([`Manifest`]) and the text files that it names. It is read from a folder
//! ([`Suite::load`]) or from bytes in memory ([`Suite::from_files`]), so that the binary can carry one. Nothing in a suite
//! is trusted: paths stay inside the folder, sizes are bounded, and every file is checked against the digest that the
//! manifest states.
//!
//! The crate also cuts prompts to size: [`Corpus`] is a text with numbered words and [`Fitter`] finds the stretch of it
//! that makes a prompt an exact number of tokens long, asking somebody else's tokenizer. It does no I/O but for reading a
//! suite's folder, and knows no clock.

mod corpus;
mod digest;
mod error;
mod fit;
mod load;
mod lock;
mod manifest;
mod path;

pub use corpus::Corpus;
pub use digest::Digest;
pub use error::SuiteError;
pub use fit::{Fitted, Fitter, MOST_ASKS, NextAsk, Quality};
pub use load::{Files, MANIFEST, Suite};
pub use lock::{Lock, LockedPlugin};
pub use manifest::{CorpusEntry, Manifest, WorkloadEntry};
