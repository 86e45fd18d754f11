//! Scorer math-equal; its rules are in `rules-maths`.

bench_scoring::export_scorer!(rules_maths::MathEqual);
