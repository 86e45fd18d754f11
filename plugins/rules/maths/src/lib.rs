//! Mathematical answers: numbers with tolerances and units, and equality of what LaTeX says.

mod complex;
mod equal;
mod evaluate;
mod extract;
mod hendrycks;
mod lexer;
mod number;
mod numeric;
mod parser;
mod same;

pub use equal::{MathEqual, MathEqualConfig, Part, Rules};
pub use numeric::{Numeric, NumericConfig, Percent, Which};
