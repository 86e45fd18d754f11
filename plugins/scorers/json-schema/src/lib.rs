//! Scorer json-schema; its rules are in `rules-structure`.

bench_scoring::export_scorer!(rules_structure::JsonSchema);
