//! Scorer exact-match; its rules are in `rules-text`.

bench_scoring::export_scorer!(rules_text::ExactMatch);
