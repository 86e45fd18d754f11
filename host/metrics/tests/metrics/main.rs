//! Worked examples calculated by hand, hostile input, and the table against the records.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod comparing;
mod hidden;
mod hostile;
mod objectives;
mod peers;
mod pools;
mod prometheus;
mod requests;
mod statistics;
mod steady;
mod stream;
mod summaries;
mod sweeps;
mod table;
mod tokens;
