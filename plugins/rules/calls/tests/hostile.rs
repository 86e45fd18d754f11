//! Whatever an answer is, it gets a verdict, and in time that grows with its length.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

#[expect(dead_code, reason = "shared with other tests")]
mod common;

use bench_scoring::Reason;
use common::{answered, called, fixed, function, reference, sample};
use proptest::prelude::*;
use serde_json::{Value, json};

const FORMATS: [&str; 6] = ["python", "json", "verbose-xml", "concise-xml", "java", "javascript"];

fn functions() -> Value {
    json!([function(
        "f",
        &json!({ "a": { "type": "integer" }, "b": { "type": "array", "items": { "type": "float" } } }),
        &["a"]
    )])
}

fn grade_all(answer: &str) {
    for category in ["simple", "parallel", "irrelevance", "simple_java", "simple_javascript"] {
        let item = answered(sample(category, &functions(), &json!([{ "f": { "a": [1], "b": ["", [1.5]] } }])), answer);
        for format in FORMATS {
            let settings = json!({ "format": format });
            assert!(!reference(&settings, &item).value.is_nan(), "{category} {format} {answer:.60}");
            assert!(!fixed(&settings, &item).value.is_nan(), "{category} {format} {answer:.60}");
        }
    }
    let item = called(sample("simple", &functions(), &json!([{ "f": { "a": [1] } }])), &[("f", answer)]);
    assert!(!reference(&json!({}), &item).value.is_nan());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_gets_a_verdict(answer in "\\PC{0,80}") {
        grade_all(&answer);
    }

    #[test]
    fn anything_like_code_gets_a_verdict(answer in "(f|\\(|\\)|\\[|\\]|\\{|\\}|a=|'|\"|,|:|1|\\.|-|\\*|\\\\|\n| |not |for x in |<|>|/|=|\\+|new |lambda |if |else |é|function|param|\\$|`|#|;|e5|0x|j|b'|f'){0,40}") {
        grade_all(&answer);
    }

    #[test]
    fn values_survive_being_written_and_read(numbers in prop::collection::vec(any::<i64>(), 0..6), text in "[a-zA-Z '\"\\\\\n\té日]{0,20}") {
        let functions = json!([function("f", &json!({
            "a": { "type": "array", "items": { "type": "integer" } }, "b": { "type": "string" },
        }), &[])]);
        let target = json!([{ "f": { "a": [numbers.clone()], "b": [text.clone()] } }]);
        let arguments = json!({ "a": numbers, "b": text }).to_string();
        let structured = called(sample("simple", &functions, &target), &[("f", &arguments)]);
        prop_assert_eq!(reference(&json!({}), &structured).value, 1.0);
        let written = format!("[f(a={}, b={})]", json!(numbers), json!(text));
        let written = answered(sample("simple", &functions, &target), &written);
        prop_assert_eq!(reference(&json!({}), &written).value, 1.0);
        prop_assert_eq!(fixed(&json!({}), &written).value, 1.0);
    }
}

#[test]
fn long_and_deep_answers_get_a_verdict() {
    let long = 60_000;
    for piece in [
        "(",
        "[",
        "{",
        "[[",
        "f(",
        "-",
        "not ",
        "f(a=",
        "{1:",
        "lambda:",
        "x if x else ",
        "1+",
        "2**",
        "a.",
        "a[0]",
        "f()",
        "'",
        "\"",
        "\\",
        "<a>",
        "&lt;",
        "new ",
        "a?",
        "(x)->",
        "`",
        "[{",
        "{}",
        "\n",
        "[{}, ",
        "a=1, ",
    ] {
        grade_all(&piece.repeat(long / piece.len() / 10));
    }
    let chain = ".b".repeat(90);
    grade_all(&format!("{}a{}", "(".repeat(55), format!("{chain})").repeat(55)));
    grade_all(&format!("f(a={}{})", "[".repeat(95), "]".repeat(95)));
    grade_all(&"area(f(".repeat(10_000));
    let entries: String = (0..20_000).map(|index| format!("'k{index}': {index}, ")).collect();
    grade_all(&format!("f(a={{{entries}}})"));
    let calls = "f(a=1), ".repeat(20_000);
    grade_all(&format!("[{calls}]"));
    let huge = answered(sample("simple", &functions(), &json!([{ "f": { "a": [1] } }])), &"f(a=1), ".repeat(1_300_000));
    assert_eq!(reference(&json!({}), &huge).reason, Reason::InvalidFormat);
    grade_all(&format!("f(a=10 ** 10 ** 10, b='x' * 10 ** 10, c={})", "9".repeat(100_000)));
}
