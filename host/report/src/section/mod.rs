//! The parts of the page, from what everybody wants to know to what only a doubter looks up.

mod client;
mod heading;
mod notes;
mod overview;
mod phase;
mod provenance;
mod scores;
mod words;
mod workload;

pub(crate) use client::client;
pub(crate) use heading::heading;
pub(crate) use notes::notes;
pub(crate) use overview::overview;
pub(crate) use provenance::provenance;
pub(crate) use scores::scores;
pub(crate) use workload::workload;
