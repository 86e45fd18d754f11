//! Rules of SQuAD and RULER by example, where the fixed scorer differs, and what hostile input gets.

use bench_scoring::testkit::grade;
use bench_scoring::{Grade, Reason};
use proptest::prelude::*;
use rules_qa::{Ruler, RulerFixed, Squad};

fn sub(grade: &Grade, name: &str) -> Option<f64> {
    grade.sub_scores.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

#[test]
fn words_shared_count_as_often_as_both_have_them() {
    let grade = grade::<Squad>("{}", r#"["The cat, the cat!"]"#, "a cat sat", "");
    // One of "cat cat" and one of "cat sat".
    assert_eq!(grade.value, 0.5);
    assert_eq!(grade.reason, Reason::PartlyCorrect);
    assert_eq!(sub(&grade, "exact-match"), Some(0.0));
}

#[test]
fn a_question_without_an_answer_wants_none() {
    for target in ["[]", r#"{ "text": [], "answer_start": [] }"#, r#"[""]"#, r#"["the"]"#] {
        let nothing = grade::<Squad>("{}", target, "", "");
        assert_eq!((nothing.value, sub(&nothing, "no-answer-accuracy")), (1.0, Some(1.0)), "{target}");
        assert_eq!(sub(&nothing, "has-answer-f1"), None);
        assert_eq!(grade::<Squad>("{}", target, "Paris", "").value, 0.0, "{target}");
        let config = r#"{ "no-answer": ["Unanswerable."] }"#;
        assert_eq!(grade::<Squad>(config, target, "unanswerable", "").value, 1.0, "{target}");
    }
}

/// In version 1.1 two empty texts match exactly and share no word.
#[test]
fn version_1_has_no_rule_for_empty_texts() {
    let config = r#"{ "version": "1.1" }"#;
    let grade_of_nothing = grade::<Squad>(config, r#"["the"]"#, "a", "");
    assert_eq!((grade_of_nothing.value, sub(&grade_of_nothing, "exact-match")), (0.0, Some(1.0)));
    assert!(grade::<Squad>(config, "[]", "", "").value.is_nan());
}

/// Defect of lm-eval: `part` is the same as `all`.
#[test]
fn one_of_several_references_is_enough_in_the_fixed_scorer_alone() {
    let config = r#"{ "mode": "part" }"#;
    let target = r#"["Paris", "Lutetia"]"#;
    assert_eq!(grade::<Ruler>(config, target, "It is Paris.", "").value, 0.5);
    assert_eq!(grade::<RulerFixed>(config, target, "It is Paris.", "").value, 1.0);
}

/// Defect of lm-eval: a needle is found within another number, and an empty one in everything.
#[test]
fn a_needle_within_another_word_is_found_by_the_reference_alone() {
    let cases = [(r#""1234567""#, "91234567"), (r#""""#, "x"), (r#""cat""#, "concatenate")];
    for (target, answer) in cases {
        assert_eq!(grade::<Ruler>("{}", target, answer, "").value, 1.0, "{answer}");
        assert_eq!(grade::<RulerFixed>("{}", target, answer, "").value, 0.0, "{answer}");
    }
    assert_eq!(grade::<RulerFixed>("{}", r#"["a b", "7"]"#, "ba b a b, 7.", "").value, 1.0);
}

#[test]
fn two_megabytes_are_graded() {
    let long = "the a an word ".repeat(150_000);
    assert!(grade::<Squad>("{}", r#"["word"]"#, &long, "").value < 1e-4);
    assert_eq!(grade::<RulerFixed>("{}", r#""ord""#, &long, "").value, 0.0);
}

proptest! {
    #[test]
    fn a_text_is_its_own_best_answer(text in "(?s).{0,40}") {
        let target = serde_json::to_string(&[&text]).expect("text");
        prop_assert_eq!(grade::<Squad>("{}", &target, &text, "").value, 1.0);
        let _ = grade::<RulerFixed>("{}", &target, &text, "");
    }
}
