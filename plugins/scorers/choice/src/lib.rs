//! Scorer choice; its rules are in `rules-inspect`.

bench_scoring::export_scorer!(rules_inspect::Choice);
