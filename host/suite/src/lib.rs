//! Suites: which workloads to run and which eval tasks to ask, with which parameters, on which texts and items, all of it pinned
//! by digest.
//!
//! A suite is a folder of data: a `suite.toml` ([`Manifest`]) and the files that it names. It is read from a folder
//! ([`Suite::load`]) or from bytes in memory ([`Suite::from_files`]), so that the binary can carry one. Nothing in a suite
//! is trusted: paths stay inside the folder, sizes are bounded, and every file is checked against the digest that the
//! manifest states.
//!
//! The crate also cuts prompts to size: [`Corpus`] is a text with numbered words and [`Fitter`] finds the stretch of it
//! that makes a prompt an exact number of tokens long, asking somebody else's tokenizer. It does no I/O but for reading a
//! suite's folder, and knows no clock.

mod corpus;
mod data;
mod digest;
mod error;
mod fit;
mod load;
mod manifest;
mod path;
mod prompts;
mod task;
mod template;

pub use corpus::Corpus;
pub use data::{Item, ItemError, Items, MOST_ITEMS, is_date};
pub use digest::Digest;
pub use error::SuiteError;
pub use fit::{Fitted, Fitter, MOST_ASKS, NextAsk, Quality};
pub use load::{Files, MANIFEST, Suite};
pub use manifest::{CorpusEntry, Manifest, WorkloadEntry};
pub use prompts::{Form, TaskData};
pub use task::{
    ConversationEntry, DataEntry, DataFormat, DatesEntry, ExamplesEntry, FieldNames, FormatEntry, GenerationEntry,
    MOST_REPEATS, NeedleEntry, Pick, QuickEntry, Reasoning, SMALL, SMALL_REPEATS, ScorerEntry, TaskEntry, TaskKind,
    TemplateEntry, UserEntry,
};
pub use template::{Template, TemplateError};
