//! Scorer perplexity; its rules are in `rules-text`.

bench_scoring::export_scorer!(rules_text::Perplexity);
