//! Records through their public interface: schema, canonical form, store, trace, comparison, export.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod canonical;
mod comparing;
mod exporting;
mod fixture;
mod hostile_trace;
mod judging;
mod load;
mod schema;
mod scoring;
mod store;
mod trace;
mod vllm;
