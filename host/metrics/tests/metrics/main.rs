//! Worked examples calculated by hand, hostile input, and the table against the records.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod hostile;
mod requests;
mod statistics;
mod stream;
mod summaries;
mod table;
mod tokens;
