//! Every metric's definition, as pure functions.
//!
//! This crate does no I/O and reads no clock. It takes what the host stamped and what a driver decoded, and returns
//! numbers; the same input always yields the same output, so anyone who holds a trace can compute a result again.
//!
//! The rules that the definitions keep:
//!
//! - A chunk is not a token. Token counts come from counts that arrive with each chunk, else from counts at the end, else
//!   from token ids, else from a tokenizer; [`TokenSource`] and [`FragmentBasis`] say which.
//! - Nothing is made up in silence: what had to be assumed is a [`Flag`], what is undefined is `None`, and what cannot be
//!   true is an [`Inconsistency`].
//! - A percentile needs enough samples ([`PERCENTILE_FLOORS`]); below that it is `None`.
//! - Times are nanoseconds of the host's monotonic clock on the way in and milliseconds on the way out.
//!
//! Every number's name, unit, direction and definition stands in one table, [`METRICS`].

mod check;
mod flag;
mod gaps;
mod observation;
mod request;
mod server;
mod stats;
mod summary;
mod table;
mod tokens;

pub use check::{Inconsistency, MAX_TOKENS};
pub use flag::{DISAGREEMENT_LIMIT, Flag, LATE_MS, PREFILL_DISAGREEMENT_LIMIT};
pub use gaps::GapStats;
pub use observation::{Cache, Channel, Event, Expectation, Finish, Located, Observation, ServerTiming, Usage};
pub use request::{RequestMetrics, request};
pub use server::ServerReport;
pub use stats::{
    Distribution, PERCENTILE_FLOORS, floored_percentile, mean, median, median_interval, percentile, sample_sd,
    t_half_width, t_quantile,
};
pub use summary::{CodeCount, Measure, Outcome, Sample, Summary, WindowSpan, summarise};
pub use table::{Direction, METRICS, MetricDef, Scope, definition};
pub use tokens::{FragmentBasis, TokenSource};
