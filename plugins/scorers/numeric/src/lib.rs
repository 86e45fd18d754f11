//! Scorer numeric; its rules are in `rules-maths`.

bench_scoring::export_scorer!(rules_maths::Numeric);
