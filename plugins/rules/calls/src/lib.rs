//! Rules for function calls: those of the Berkeley Function-Calling Leaderboard (`bfcl-eval`), for single turns.
//!
//! A sample's calls come as structured tool calls, or as text in one of the formats of [`Format`]. They are compared with what
//! the reference accepts, by the descriptions of the functions that were offered.

mod attempt;
mod call;
mod check;
mod code;
mod convert;
mod decode;
pub mod formats;
mod java;
mod javascript;
mod json;
mod number;
mod python;
mod rules;
mod scorer;
mod value;
mod xml;

pub use check::Language;
pub use decode::Format;
pub use scorer::{Config, FunctionCall, FunctionCallFixed, Source};
