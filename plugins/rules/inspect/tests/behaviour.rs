//! What the scorers say beyond a value, where the fixed ones differ, and what hostile input gets.

use bench_scoring::testkit::grade;
use bench_scoring::{Grade, Reason, Scorer};
use proptest::prelude::*;
use rules_inspect::{Answer, AnswerFixed, Choice, Includes, Match, Pattern, PatternFixed};

#[test]
fn a_number_is_not_the_end_of_another() {
    let numeric = r#"{ "numeric": true }"#;
    assert_eq!(grade::<Match>(numeric, r#""5""#, "it is 25", "").value, 0.0);
    assert_eq!(grade::<Match>("{}", r#""5""#, "it is 25", "").value, 1.0);
    let grade = grade::<Match>(numeric, r#""42""#, r"so \$42.00!", "");
    assert_eq!((grade.value, grade.extracted.as_deref()), (1.0, Some("42")));
}

#[test]
fn a_percentage_or_a_bound_is_not_the_number() {
    for answer in ["42%", "<42", "~42"] {
        assert_eq!(grade::<Match>(r#"{ "numeric": true }"#, r#""42""#, answer, "").value, 0.0, "{answer}");
    }
}

#[test]
fn a_missing_pattern_is_another_thing_than_a_wrong_answer() {
    let config = r#"{ "pattern": "is (\\d+)" }"#;
    assert_eq!(grade::<Pattern>(config, r#""4""#, "who knows", "").reason, Reason::InvalidFormat);
    assert_eq!(grade::<Pattern>(config, r#""4""#, "it is 5", "").reason, Reason::Wrong);
    assert_eq!(
        grade::<Choice>("{}", r#""A""#, "who knows", r#"{ "choices": ["x", "y"] }"#).reason,
        Reason::InvalidFormat
    );
}

/// Defect: an empty capture counts as none.
#[test]
fn an_empty_capture_that_equals_an_empty_reference_is_wrong_for_the_reference_alone() {
    let config = r#"{ "pattern": "tags:(.*)" }"#;
    assert_eq!(grade::<Pattern>(config, r#""""#, "tags:", "").value, 0.0);
    assert_eq!(grade::<PatternFixed>(config, r#""""#, "tags:", "").value, 1.0);
}

/// Defect: white space at the end of the line is part of the answer.
#[test]
fn a_space_or_a_carriage_return_after_the_answer_is_wrong_for_the_reference_alone() {
    for answer in ["ANSWER: New York ", "ANSWER: New York\r\n"] {
        let config = r#"{ "pattern": "line" }"#;
        assert_eq!(grade::<Answer>(config, r#""new york""#, answer, "").value, 0.0, "{answer:?}");
        assert_eq!(grade::<AnswerFixed>(config, r#""new york""#, answer, "").value, 1.0, "{answer:?}");
    }
}

#[test]
fn several_choices_need_all_of_them() {
    let config = r#"{ "multiple-correct": true }"#;
    let choices = r#"{ "choices": ["w", "x", "y", "z"] }"#;
    for answer in ["ANSWER: A, C", "ANSWER: AC", "ANSWER: c and a", "ANSWER: **A, C**"] {
        assert_eq!(grade::<Choice>(config, r#"["A", "C"]"#, answer, choices).value, 1.0, "{answer}");
    }
    assert_eq!(grade::<Choice>(config, r#"["A", "C"]"#, "ANSWER: A", choices).reason, Reason::Wrong);
}

#[test]
fn what_the_task_got_wrong_is_not_the_models_fault() {
    let failed = |grade: Grade, code: &str| {
        assert!(matches!(&grade.reason, Reason::GraderFailed(problem) if problem.code == code), "{grade:?}");
        assert!(grade.value.is_nan());
    };
    failed(grade::<Includes>("{}", "{}", "x", ""), "bad-target");
    failed(grade::<Includes>("{}", "[]", "x", ""), "bad-target");
    failed(grade::<Choice>("{}", r#""A""#, "ANSWER: A", "{}"), "no-choices");
    failed(grade::<Choice>("{}", r#""E""#, "ANSWER: A", r#"{ "choices": [1, 2] }"#), "bad-target");
    failed(grade::<Choice>("{}", r#""A""#, "ANSWER: A", "[]"), "bad-metadata");
}

#[test]
fn a_pattern_that_is_none_is_refused() {
    let config = serde_json::from_str(r#"{ "pattern": "(" }"#).expect("a configuration");
    assert_eq!(Pattern::new(config).expect_err("no pattern").code, "bad-pattern");
    assert!(serde_json::from_str::<rules_inspect::AnswerConfig>(r#"{ "patern": "line" }"#).is_err());
}

#[test]
fn ten_megabytes_are_graded() {
    let long = "12 ANSWER: x. ".repeat(750_000);
    assert_eq!(grade::<Match>("{}", r#""13""#, &long, "").value, 0.0);
    let numeric = r#"{ "numeric": true }"#;
    assert_eq!(grade::<Match>(numeric, r#""13""#, &long[..2_100_000], "").value, 0.0);
    assert_eq!(grade::<Includes>("{}", r#""y""#, &long, "").value, 0.0);
}

proptest! {
    #[test]
    fn no_answer_makes_a_scorer_panic(answer in "(?s).{0,60}", target in "(?s).{0,12}", numeric: bool) {
        let target = serde_json::to_string(&target).expect("text");
        for location in ["begin", "end", "any", "exact"] {
            let config = format!(r#"{{ "location": "{location}", "numeric": {numeric} }}"#);
            let _ = grade::<Match>(&config, &target, &answer, "");
        }
        let choices = r#"{ "choices": [1, 2, 3] }"#;
        let _ = grade::<Choice>(r#"{ "multiple-correct": true }"#, &target, &format!("ANSWER: {answer}"), choices);
    }

    #[test]
    fn numbers_of_any_script_do_not_panic(answer in "[0-9½²³⁻百十万三五零〇點.,'eE+\\-−Ⅻ٣१ ]{0,12}") {
        let _ = grade::<Match>(r#"{ "numeric": true, "location": "any" }"#, r#""3""#, &answer, "");
    }
}

/// Defect of CPython: in a back-reference that ignores case, `İ` is `i`, while Unicode folds it to `i` and a dot above.
#[test]
fn a_dotted_capital_i_is_no_i_in_a_back_reference() {
    let config = r#"{ "pattern": "(?P<x>\\w+)\\W+(?P=x)" }"#;
    assert_eq!(grade::<Pattern>(config, r#""İ""#, "İ? infinity", "").reason, Reason::InvalidFormat);
    assert_eq!(grade::<Pattern>(config, r#""Ab""#, "Ab, aB", "").value, 1.0);
}
