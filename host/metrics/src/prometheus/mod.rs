//! What a server says of itself: its Prometheus metrics, as text and over time.
//!
//! [`parse`] reads one answer of a server, [`Collector`] makes [`Series`] of many. The numbers are the server's own and
//! nobody checked them: they stand beside a result to explain it and are part of none.

mod parse;
mod series;

pub use parse::{Kind, MOST_SAMPLES, Sample, Scrape, parse};
pub use series::{Collected, Collector, MOST_SERIES, Series};
