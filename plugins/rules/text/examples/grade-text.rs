//! Grades lines of JSON with the scorers of this crate; see `bench_scoring::native`.

use bench_scoring::native::{entry, main as grade};
use rules_text as rules;

fn main() -> std::process::ExitCode {
    grade(&[
        entry::<rules::ExactMatch>(),
        entry::<rules::ExactMatchFixed>(),
        entry::<rules::Gsm8k>(),
        entry::<rules::Gsm8kFixed>(),
        entry::<rules::MultipleChoice>(),
        entry::<rules::MultipleChoiceFixed>(),
        entry::<rules::MultipleChoiceGenerative>(),
        entry::<rules::Gpqa>(),
        entry::<rules::GpqaFixed>(),
        entry::<rules::Perplexity>(),
    ])
}
