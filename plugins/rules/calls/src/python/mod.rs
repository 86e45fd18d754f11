//! Expressions of Python: what a model writes when it is asked for calls, and what the reference makes of them.

pub mod ast;
mod brackets;
mod eval;
mod lex;
mod parse;
mod resolve;
mod text;
mod unparse;

pub use eval::to_float;
pub use parse::parse;
pub use resolve::{calls, literal};
