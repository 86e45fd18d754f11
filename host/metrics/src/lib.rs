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
mod error_bar;
mod flag;
mod gaps;
mod goodput;
mod observation;
mod paired;
mod pareto;
pub mod peers;
mod pool;
pub mod prometheus;
mod random;
mod request;
pub mod saturation;
mod server;
mod slo;
mod stats;
mod steady;
mod student;
mod summary;
mod table;
mod tokens;
mod trend;

pub use check::{Inconsistency, MAX_TOKENS};
pub use error_bar::ErrorBar;
pub use flag::{DISAGREEMENT_LIMIT, Flag, LATE_MS, PREFILL_DISAGREEMENT_LIMIT};
pub use gaps::GapStats;
pub use goodput::{Goodput, goodput};
pub use observation::{Cache, Channel, Event, Expectation, Finish, Located, Observation, ServerTiming, Usage};
pub use paired::{BOOTSTRAP_CLUSTERS, Difference, FEWEST_CLUSTERS, Method, Pair, Shown, Side, paired, unpaired};
pub use pareto::pareto;
pub use pool::{Closed, EXACT_POOL, Pool, TokenPools};
pub use request::{RequestMetrics, request};
pub use server::ServerReport;
pub use slo::{Slo, SloError};
pub use stats::{
    Distribution, PERCENTILE_FLOORS, floored_percentile, mean, median, median_interval, percentile, sample_sd,
    t_half_width, t_quantile,
};
pub use steady::{PLATEAU_DRIFT, PLATEAU_SHARE, SteadySpan, SteadyWindow, TimedSample, steady};
pub use student::{normal_cdf, normal_quantile, t_cdf, t_quantile_at};
pub use summary::{CodeCount, Measure, Outcome, Sample, Summary, WindowSpan, summarise, summarise_pooled};
pub use table::{Direction, METRICS, MetricDef, Scope, definition};
pub use tokens::{FragmentBasis, TokenSource};
pub use trend::{Trend, trend};
