//! Grades lines of samples with the scorers of this crate; see `bench_scoring::native` and `tests/references/inspect_scorers.py`.

use std::process::ExitCode;

use bench_scoring::native::{entry, main as grade};
use rules_structure::{EditFormat, JsonSchema, JsonSchemaFixed};

fn main() -> ExitCode {
    grade(&[entry::<JsonSchema>(), entry::<JsonSchemaFixed>(), entry::<EditFormat>()])
}
