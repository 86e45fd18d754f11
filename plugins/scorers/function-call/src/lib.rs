//! Scorer function-call; its rules are in `rules-calls`.

bench_scoring::export_scorer!(rules_calls::FunctionCall);
