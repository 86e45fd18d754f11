//! Scorer json-schema-fixed; its rules are in `rules-structure`.

bench_scoring::export_scorer!(rules_structure::JsonSchemaFixed);
