//! Replays what the references said about recorded samples; `tests/references/inspect_scorers.py --record` writes them.

use bench_scoring::testkit::replay;
use rules_maths::{MathEqual, Numeric};

#[test]
fn hendrycks_agrees_with_lm_eval() {
    replay::<MathEqual>(include_str!("../../../../tests/references/vectors/hendrycks.jsonl"));
}

#[test]
fn math_equal_agrees_with_math_verify() {
    replay::<MathEqual>(include_str!("../../../../tests/references/vectors/math-equal.jsonl"));
}

#[test]
fn numeric_agrees_with_exact_fractions() {
    replay::<Numeric>(include_str!("../../../../tests/references/vectors/numeric.jsonl"));
}
