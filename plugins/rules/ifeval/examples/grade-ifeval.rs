//! Grades lines of samples, to compare the scorers with their reference; see `tests/references/ifeval.py`.

use std::process::ExitCode;

use bench_scoring::native::{entry, main as grade};
use rules_ifeval::{IfEval, IfEvalFixed};

fn main() -> ExitCode {
    grade(&[entry::<IfEval>(), entry::<IfEvalFixed>()])
}
