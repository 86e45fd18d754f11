//! Scorer gsm8k-fixed; its rules are in `rules-text`.

bench_scoring::export_scorer!(rules_text::Gsm8kFixed);
