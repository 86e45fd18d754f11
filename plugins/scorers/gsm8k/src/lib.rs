//! Scorer gsm8k; its rules are in `rules-text`.

bench_scoring::export_scorer!(rules_text::Gsm8k);
