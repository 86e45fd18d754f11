//! What keeps malformed, misfit and wrong answers apart, where the fixed scorer differs, and what hostile input gets.

use bench_scoring::testkit::grade;
use bench_scoring::{Grade, Reason, Scorer};
use proptest::prelude::*;
use rules_structure::{EditFormat, JsonSchema, JsonSchemaFixed};
use serde::de::DeserializeOwned;

fn other(name: &str) -> Reason {
    Reason::Other(name.to_owned())
}

fn against<S: Scorer>(schema: &str, answer: &str) -> Grade
where
    S::Config: DeserializeOwned,
{
    grade::<S>("{}", "null", answer, &format!(r#"{{ "schema": {schema} }}"#))
}

#[test]
fn what_is_no_json_is_another_thing_than_a_violation() {
    let schema = r#"{ "type": "object", "required": ["a"] }"#;
    assert_eq!(against::<JsonSchema>(schema, "{'a': 1}").reason, Reason::InvalidFormat);
    let grade = against::<JsonSchema>(schema, r#"{ "b": 1 }"#);
    assert_eq!(grade.reason, other("schema-violation"));
    assert_eq!(grade.explanation.as_deref(), Some("the whole lacks `a`"));
    assert_eq!(grade.sub_scores, [("valid-json", 1.0), ("schema-valid", 0.0)]);
    assert_eq!(against::<JsonSchema>(schema, r#"{ "a": NaN }"#).reason, Reason::InvalidFormat);
}

#[test]
fn a_value_can_be_expected_too() {
    let equal = r#"{ "compare": "equal" }"#;
    let subset = r#"{ "compare": "subset" }"#;
    let target = r#"{ "a": [1, { "b": true }] }"#;
    assert_eq!(grade::<JsonSchema>(equal, target, r#"{ "a": [1.0, { "b": true }] }"#, "").value, 1.0);
    assert_eq!(grade::<JsonSchema>(equal, target, r#"{ "a": [1, { "b": 1 }] }"#, "").reason, Reason::Wrong);
    let more = r#"{ "a": [1, { "b": true, "c": 2 }], "d": null }"#;
    assert_eq!(grade::<JsonSchema>(equal, target, more, "").value, 0.0);
    assert_eq!(grade::<JsonSchema>(subset, target, more, "").value, 1.0);
}

/// Defects: multiples are decided with rounded division, and draft 2019-09 counts the wrong things as evaluated.
#[test]
fn the_fixed_scorer_keeps_to_the_drafts() {
    let cases = [
        (r#"{ "multipleOf": 0.1 }"#, "0.3", 0.0, 1.0),
        (r#"{ "multipleOf": 0.01 }"#, "4.35", 0.0, 1.0),
        (
            r#"{ "$schema": "https://json-schema.org/draft/2019-09/schema", "contains": true, "unevaluatedItems": false }"#,
            "[1]",
            1.0,
            0.0,
        ),
        (
            r#"{ "$schema": "https://json-schema.org/draft/2019-09/schema", "additionalProperties": { "type": "string" },
                "unevaluatedProperties": false }"#,
            r#"{ "a": "x" }"#,
            0.0,
            1.0,
        ),
    ];
    for (schema, answer, reference, fixed) in cases {
        assert_eq!(against::<JsonSchema>(schema, answer).value, reference, "{schema}");
        assert_eq!(against::<JsonSchemaFixed>(schema, answer).value, fixed, "{schema}");
    }
}

#[test]
fn a_schema_that_makes_no_sense_is_not_the_models_fault() {
    let cases = [
        (r#"{ "type": "text" }"#, "bad-schema"),
        (r#"{ "pattern": "(" }"#, "bad-schema"),
        (r##"{ "$ref": "#/nowhere" }"##, "bad-schema"),
        (r#"{ "$ref": "https://example.org/schema" }"#, "bad-schema"),
        (r#"{ "properties": { "a": { "minimum": "1" } } }"#, "bad-schema"),
        (r##"{ "$ref": "#" }"##, "schema-too-hard"),
    ];
    for (schema, code) in cases {
        let grade = against::<JsonSchema>(schema, "{}");
        assert!(matches!(&grade.reason, Reason::GraderFailed(problem) if problem.code == code), "{schema} {grade:?}");
        assert!(grade.value.is_nan());
    }
}

#[test]
fn references_find_their_place() {
    let schema = r##"{
        "$id": "https://example.org/root.json",
        "$defs": {
            "tree": { "$id": "tree.json", "$dynamicAnchor": "node", "type": "object",
                "properties": { "children": { "type": "array", "items": { "$dynamicRef": "#node" } } } },
            "positive": { "$anchor": "positive", "exclusiveMinimum": 0 },
            "a/b": { "const": 1 }
        },
        "properties": { "t": { "$ref": "tree.json" }, "p": { "$ref": "#positive" }, "q": { "$ref": "#/$defs/a~1b" } }
    }"##;
    assert_eq!(
        against::<JsonSchema>(schema, r#"{ "t": { "children": [{ "children": [] }] }, "p": 1, "q": 1 }"#).value,
        1.0
    );
    let cases = [
        (r#"{ "t": { "children": [{ "children": [1] }] } }"#, "/t/children/0/children/0"),
        (r#"{ "p": 0 }"#, "/p"),
        (r#"{ "q": 2 }"#, "/q"),
    ];
    for (answer, place) in cases {
        let explanation = against::<JsonSchema>(schema, answer).explanation.unwrap_or_default();
        assert!(explanation.starts_with(&format!("`{place}` ")), "{explanation}");
    }
}

const FILE: &str = r#"{ "file": "a\nb\nc\nb\n" }"#;

#[test]
fn a_change_that_is_malformed_misfit_or_wrong_is_told_apart() {
    let block = |search: &str, replace: &str| format!("<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n");
    let target = r#""a\nB\nc\nb\n""#;
    let reason = |config: &str, answer: &str| grade::<EditFormat>(config, target, answer, FILE).reason;
    assert_eq!(reason("{}", &block("b\n", "B\n")), Reason::Correct);
    assert_eq!(reason("{}", &block("b\n", "X\n")), Reason::Wrong);
    assert_eq!(reason("{}", &block("z\n", "B\n")), other("does-not-apply"));
    assert_eq!(reason(r#"{ "placement": "strict" }"#, &block("b\n", "B\n")), other("does-not-apply"));
    assert_eq!(reason("{}", "<<<<<<< SEARCH\nb\nB\n>>>>>>> REPLACE\n"), Reason::InvalidFormat);
    assert_eq!(reason("{}", "replace b by B"), Reason::InvalidFormat);
}

#[test]
fn a_diff_is_found_by_its_text_unless_its_numbers_count() {
    let target = r#""a\nb\nc\nB\n""#;
    let diff =
        |start: u32, counts: &str| format!("--- a/f\n+++ b/f\n@@ -{start}{counts} +{start}{counts} @@\n c\n-b\n+B\n");
    let reason = |config: &str, answer: &str| grade::<EditFormat>(config, target, answer, FILE).reason;
    let (loose, strict) = (r#"{ "format": "unified-diff" }"#, r#"{ "format": "unified-diff", "placement": "strict" }"#);
    for config in [loose, strict] {
        assert_eq!(reason(config, &diff(3, ",2")), Reason::Correct);
        assert_eq!(reason(config, &format!("```diff\n{}```\n", diff(3, ",2"))), Reason::Correct);
        assert_eq!(reason(config, "no diff"), Reason::InvalidFormat);
    }
    assert_eq!(reason(loose, &diff(1, ",9")), Reason::Correct);
    assert_eq!(reason(strict, &diff(1, ",2")), other("does-not-apply"));
    assert_eq!(reason(strict, &diff(3, ",9")), Reason::InvalidFormat);
}

#[test]
fn a_missing_line_end_is_kept() {
    let config = r#"{ "format": "unified-diff", "whitespace": "exact" }"#;
    let diff = "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n";
    assert_eq!(grade::<EditFormat>(config, r#""a\nc""#, diff, r#"{ "file": "a\nb" }"#).value, 1.0);
}

#[test]
fn a_long_answer_is_graded() {
    let long = "@@ -1 +1 @@\n-a\n+a\n".repeat(1000);
    let _ = grade::<EditFormat>(r#"{ "format": "unified-diff" }"#, r#""x""#, &long, FILE);
    let deep = "[".repeat(1_000_000);
    assert_eq!(against::<JsonSchema>("{}", &deep).reason, Reason::InvalidFormat);
    let wide = format!("[{}1]", "1,".repeat(1_000_000));
    assert_eq!(against::<JsonSchema>(r#"{ "items": true }"#, &wide).value, 1.0);
}

proptest! {
    #[test]
    fn no_answer_makes_a_scorer_panic(answer in "(?s)([-+ @<>=\\\\\n]{0,8}|SEARCH|REPLACE|@@ -1,2 \\+1 @@|```|.){0,20}") {
        for format in ["search-replace", "unified-diff", "whole"] {
            for placement in ["text", "strict"] {
                let config = format!(r#"{{ "format": "{format}", "placement": "{placement}" }}"#);
                let _ = grade::<EditFormat>(&config, r#""a""#, &answer, FILE);
            }
        }
        let _ = grade::<JsonSchema>(r#"{ "fences": "last" }"#, "null", &answer, "");
    }

    #[test]
    fn any_schema_is_read_or_refused(keyword in "(type|items|enum|\\$ref|minimum|properties|pattern|allOf)", value in "(1|\"a\"|\\[\\]|\\{\\}|true|null|\\[1\\])") {
        let _ = against::<JsonSchema>(&format!(r#"{{ "{keyword}": {value} }}"#), "[{\"a\": 1}]");
    }
}
