//! Answers whose form is part of the task: JSON against a schema, and edits to a file.

mod edit;
mod fences;
mod json;
mod schema;

pub use edit::{EditFormat, EditFormatConfig, Format, Placement, Whitespace};
pub use json::{Compare, Fences, JsonSchema, JsonSchemaConfig, JsonSchemaFixed};
