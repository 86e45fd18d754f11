//! Replays what the references said about recorded samples; `tests/references/inspect_scorers.py --record` writes them.

use bench_scoring::testkit::replay;
use rules_structure::{EditFormat, JsonSchema};

#[test]
fn json_schema_agrees_with_jsonschema() {
    replay::<JsonSchema>(include_str!("../../../../tests/references/vectors/json-schema.jsonl"));
}

#[test]
fn edit_format_agrees_with_difflib_and_patch() {
    replay::<EditFormat>(include_str!("../../../../tests/references/vectors/edit-format.jsonl"));
}
