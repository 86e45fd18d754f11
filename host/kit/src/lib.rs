//! For plugin authors: [`create`] writes a new plugin, [`run_cases`] tries a built one against cases from files, and [`check`] looks
//! at it as a registry would. All of it goes through the real host, so what passes here runs.

mod bench;
mod cases;
mod check;
mod create;
mod embedded;
mod error;

pub use bench::{Cost, Took};
pub use bench_forge::{Built, ForgeError, Language, build, language};
pub use cases::{CaseOutcome, CaseReport, run_cases};
pub use check::{CheckReport, Finding, check, read_component};
pub use create::{Created, Template, create};
pub use error::KitError;
