//! Pages of records, through the public interface.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod fixture;
mod markup;
mod page;
