//! What scorers share. A scorer implements [`Scorer`] for one type and exports it:
//!
//! ```text
//! bench_scoring::export_scorer!(MyScorer);
//! ```
//!
//! The rest is here: reading the configuration, one verdict per sample, aggregation over repeats and samples with intervals,
//! and text, numbers and regular expressions as Python treats them, since that is what most reference graders are written in.
//!
//! A scorer sees nothing but its arguments, and everything in them may be hostile: answers come from a model, and targets and
//! configurations from whoever wrote the task.

pub mod aggregate;
mod grade;
mod hosted;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
pub mod python;
mod target;
#[cfg(not(target_arch = "wasm32"))]
pub mod testkit;
pub mod unicode;

pub use bench_sdk::scorer::{Estimate, Graded, Likelihood, MetricInfo, Opinion, Reason, Sample, Verdict};
pub use bench_sdk::types::{FinishReason, Generation, Message, Metric, Problem, ToolCall};
pub use grade::Grade;
pub use hosted::{About, Hosted, MetricAbout, Scorer, problem};
pub use target::{Target, metadata, target_texts};

#[doc(hidden)]
pub use bench_sdk;

/// Exports a type that implements [`Scorer`] as the component's scorer. Native builds export nothing.
#[macro_export]
macro_rules! export_scorer {
    ($scorer:ty) => {
        /// The scorer as the host calls it.
        pub type Exported = $crate::Hosted<$scorer>;
        $crate::bench_sdk::export_scorer!(Exported);
    };
}
