//! Tests of the sample logs through the public interface.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod exporting;
mod failing;
mod fixture;
mod importing;
mod log;
mod schema;
