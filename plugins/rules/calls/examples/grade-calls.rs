//! Grades lines of JSON with the scorers of this crate; see `bench_scoring::native`.

use bench_scoring::native::{entry, main as grade};

fn main() -> std::process::ExitCode {
    grade(&[entry::<rules_calls::FunctionCall>(), entry::<rules_calls::FunctionCallFixed>()])
}
