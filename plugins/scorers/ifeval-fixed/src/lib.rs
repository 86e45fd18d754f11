//! Scorer ifeval-fixed; its rules are in `rules-ifeval`.

bench_scoring::export_scorer!(rules_ifeval::IfEvalFixed);
