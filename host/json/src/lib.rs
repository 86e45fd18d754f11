//! JSON from outside, read within a budget of memory.
//!
//! A few bytes of JSON stand for many bytes of memory: `0,` takes 2 bytes in a file and up to 144 as a value. A bound on the
//! length of a text is therefore no bound on memory. Whoever reads JSON that the user did not write reads it with this crate:
//!
//! - [`value`] and [`object`] build values and spend their memory before it is allocated;
//! - [`measure`] walks through a text and spends what its values would take, for texts that become types of their own.

mod budget;
mod cost;
mod lenient;
mod measure;
mod read;

pub use budget::{Budget, DEFAULT_MEMORY, OverBudget, memory, memory_share, set_memory};
pub use cost::{Costs, cost_of, cost_of_fields, text_cost};
pub use lenient::plain_json;
pub use measure::{measure, measure_with};
pub use read::{JsonError, object, value};
