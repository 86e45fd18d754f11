//! Scorer squad; its rules are in `rules-qa`.

bench_scoring::export_scorer!(rules_qa::Squad);
