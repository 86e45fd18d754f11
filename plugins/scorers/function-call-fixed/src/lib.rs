//! Scorer function-call-fixed; its rules are in `rules-calls`.

bench_scoring::export_scorer!(rules_calls::FunctionCallFixed);
