//! Grades lines of samples with the scorers of this crate; see `bench_scoring::native` and `tests/references/inspect_scorers.py`.

use std::process::ExitCode;

use bench_scoring::native::{entry, main as grade};
use rules_inspect::{Answer, AnswerFixed, Choice, Includes, Match, Pattern, PatternFixed};

fn main() -> ExitCode {
    grade(&[
        entry::<Match>(),
        entry::<Includes>(),
        entry::<Answer>(),
        entry::<AnswerFixed>(),
        entry::<Pattern>(),
        entry::<PatternFixed>(),
        entry::<Choice>(),
    ])
}
