//! Records in other forms, one file per form.

mod csv;
mod json;
mod localmaxxing;
mod markdown;
mod vllm;

pub use csv::Csv;
pub use json::Json;
pub use localmaxxing::{Prediction, localmaxxing};
pub use markdown::{Markdown, metric_reference};
pub use vllm::Vllm;

use crate::{RecordError, RunRecord};

/// A form that records can be given.
pub trait Exporter: Sync {
    /// Name of the form, in lower case.
    fn name(&self) -> &'static str;

    /// Usual ending of such files, without the dot.
    fn extension(&self) -> &'static str;

    /// The runs in this form.
    ///
    /// # Errors
    ///
    /// [`RecordError::Unwritable`] when a record holds what the form cannot.
    fn export(&self, runs: &[RunRecord]) -> Result<String, RecordError>;
}

/// Every form.
pub const EXPORTERS: &[&dyn Exporter] = &[&Json, &Csv, &Markdown, &Vllm];

/// The form called `name`.
pub fn exporter(name: &str) -> Option<&'static dyn Exporter> {
    EXPORTERS.iter().copied().find(|exporter| exporter.name() == name)
}
