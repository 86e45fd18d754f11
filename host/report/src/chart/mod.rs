//! The charts. Each takes a phase, or numbers, and writes a figure; it writes nothing where there is nothing to show.

mod curve;
mod distribution;
mod series;
mod timeline;
mod tradeoff;

pub(crate) use curve::curve;
pub(crate) use distribution::distributions;
pub(crate) use series::series;
pub(crate) use timeline::timeline;
pub(crate) use tradeoff::tradeoff;
