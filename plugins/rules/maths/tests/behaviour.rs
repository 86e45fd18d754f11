//! Numbers and results by example, and what hostile input gets.

use bench_scoring::testkit::grade;
use bench_scoring::{Reason, Scorer};
use proptest::prelude::*;
use rules_maths::{MathEqual, Numeric};

fn number(config: &str, target: &str, answer: &str) -> f64 {
    grade::<Numeric>(config, target, answer, "").value
}

fn result(gold: &str, answer: &str) -> f64 {
    grade::<MathEqual>("{}", &serde_json::to_string(gold).expect("text"), answer, "").value
}

#[test]
fn numbers_are_read_as_people_write_them() {
    let cases = [
        ("1234.5", "It costs $1,234.50."),
        ("-1234", "−1,234"),
        ("0.75", "3/4"),
        ("2.5", "2 1/2"),
        ("2.5", "2½"),
        ("-0.5", "-\\frac{1}{2}"),
        ("150000", "1.5 × 10^5"),
        ("0.00015", "1.5e-4"),
        ("0.00015", "1.5 \\times 10^{-4}"),
        ("1200000", "1{,}200{,}000"),
        ("7", "Of 3 and 4, \\boxed{7} is the sum, not 12"),
        ("7", "The answer is 7, which is 3 more than 4."),
    ];
    for (target, answer) in cases {
        assert_eq!(number("{}", target, answer), 1.0, "{answer}");
    }
    for answer in ["x2", "v1_2", "none"] {
        assert_eq!(grade::<Numeric>("{}", "2", answer, "").reason, Reason::InvalidFormat, "{answer}");
    }
}

#[test]
fn the_larger_tolerance_counts() {
    assert_eq!(number("{}", "100", "101"), 0.0);
    assert_eq!(number(r#"{ "relative": 0.01 }"#, "100", "101"), 1.0);
    assert_eq!(number(r#"{ "absolute": 1, "relative": 0.001 }"#, "-100", "-101"), 1.0);
    assert_eq!(number(r#"{ "relative": 0.01 }"#, "100", "101.1"), 0.0);
}

#[test]
fn percent_and_units_are_what_the_task_says() {
    assert_eq!(number("{}", "0.5", "50%"), 1.0);
    assert_eq!(number("{}", "50", "50 percent"), 1.0);
    assert_eq!(number(r#"{ "percent": "ratio" }"#, "50", "50%"), 0.0);
    assert_eq!(number(r#"{ "percent": "ignore" }"#, "0.5", "50%"), 0.0);
    let units = r#"{ "units": { "m": 1, "km": 1000 }, "unit-required": true }"#;
    assert_eq!(number(units, r#""2 km""#, "2,000 m"), 1.0);
    assert_eq!(number(units, r#""2 km""#, "2\\text{ km}"), 1.0);
    assert_eq!(number(units, r#""2 km""#, "2000"), 0.0);
    assert_eq!(number(units, r#""2 km""#, "2 kmh"), 0.0);
    assert_eq!(number(r#"{ "decimal-comma": true }"#, "1234.5", "1.234,5"), 0.0);
    assert_eq!(number(r#"{ "decimal-comma": true }"#, r#""1.234,5""#, "1234,5"), 1.0);
    let whole = r#"{ "which": "whole", "units": { "km": 1 } }"#;
    assert_eq!(number(whole, "2", "2 km."), 1.0);
    assert_eq!(grade::<Numeric>(whole, "2", "2 of them", "").reason, Reason::InvalidFormat);
}

#[test]
fn a_reference_that_is_no_number_is_not_the_models_fault() {
    assert!(number("{}", r#""many""#, "5").is_nan());
    let config = serde_json::from_str(r#"{ "relative": -1 }"#).expect("a configuration");
    assert_eq!(Numeric::new(config).expect_err("a negative tolerance").code, "bad-config");
}

#[test]
fn results_are_the_same_however_they_are_written() {
    let cases = [
        (r"\frac{1}{2}", r"$0.5$"),
        (r"\frac{1}{2}", r"\boxed{\dfrac12}"),
        (r"2\sqrt{3}", r"\sqrt{12}"),
        (r"\frac{\sqrt{2}}{2}", r"\frac{1}{\sqrt 2}"),
        (r"x^2+2x+1", r"(x+1)^2"),
        (r"\sin^2 x + \cos^2 x", "1"),
        (r"(1, 2)", r"\left(1,\ 2\right)"),
        (r"\{1,2,3\}", r"\{3, 2, 1\}"),
        (r"[0, \infty)", r"\left[0,\infty\right)"),
        (r"1 < x \le 2", r"(1, 2]"),
        (r"x = 5", "5"),
        ("5", "x = 5"),
        (r"2x + y = 4", r"y = 4 - 2x"),
        (r"x > 3", r"3 < x"),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", r"\begin{bmatrix} 1 & 2 \\ 3 & \frac{8}{2} \end{bmatrix}"),
        (r"1 \pm \sqrt{2}", r"1+\sqrt{2}, 1-\sqrt{2}"),
        (r"\binom{5}{2}", "10"),
        (r"\log_2 8", "3"),
        (r"10{,}000", "10,000"),
        (r"\text{(C)}", r"\text{c}"),
        (r"3+4i", r"4i + 3"),
        (r"90^\circ", "90"),
        (r"\frac{1}{3}", "0.333333"),
        (r"5\text{ cm}", "5"),
    ];
    for (gold, answer) in cases {
        assert_eq!(result(gold, answer), 1.0, "{gold} | {answer}");
    }
}

#[test]
fn results_that_differ_are_different() {
    let cases = [
        (r"\frac{1}{3}", "0.33"),
        ("(1, 2)", "(2, 1)"),
        ("[0, 1)", "[0, 1]"),
        (r"\{1,2\}", r"\{1,2,3\}"),
        ("x = 5", "y = 5"),
        ("x > 3", "x < 3"),
        (r"x^2", r"\left|x\right| x"),
        (r"\sqrt{x^2}", "x"),
        (r"\text{even}", r"\text{odd}"),
        ("12", "1 2 3"),
        (r"\begin{pmatrix} 1 & 2 \end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"),
    ];
    for (gold, answer) in cases {
        assert_eq!(result(gold, answer), 0.0, "{gold} | {answer}");
    }
}

/// Defects of the MATH grader, which the rules `hendrycks` keep: names on a left side are dropped, a slash between anything but
/// integers leaves both sides as they are, and values do not count.
#[test]
fn the_rules_of_the_data_set_are_text_alone() {
    let value = |gold: &str, answer: &str| {
        let gold = serde_json::to_string(gold).expect("text");
        grade::<MathEqual>(r#"{ "rules": "hendrycks", "part": "whole" }"#, &gold, answer, "").value
    };
    assert_eq!(value("x=5", "y=5"), 1.0);
    assert_eq!(result("x=5", "y=5"), 0.0);
    assert_eq!(value("x/2", "x /2"), 0.0);
    assert_eq!(result("x/2", "x /2"), 1.0);
    assert_eq!(value("0.25", r"\frac{1}{4}"), 0.0);
    assert_eq!(result("0.25", r"\frac{1}{4}"), 1.0);
    assert_eq!(value("0.5", r"\frac12"), 1.0);
}

#[test]
fn a_box_can_be_demanded() {
    let config = r#"{ "part": "boxed" }"#;
    assert_eq!(grade::<MathEqual>(config, r#""5""#, "5", "").reason, Reason::InvalidFormat);
    assert_eq!(grade::<MathEqual>(config, r#""so \\boxed{5}""#, r"\boxed{3} no, \boxed{5}", "").value, 1.0);
}

#[test]
fn long_and_deep_answers_are_graded() {
    for piece in ["1+", "(", "{", "\\frac", "\\boxed{", "$x", "-", "\\sqrt", "|", "^", "answer is ", "1,"] {
        let long = piece.repeat(10_000_000 / piece.len());
        assert_eq!(grade::<MathEqual>("{}", r#""7""#, &long, "").value, 0.0, "{piece}");
    }
    for piece in ["1", "1,", "1,111", "\\frac{1}{", "1/", "\\boxed{"] {
        let _ = number("{}", "7", &piece.repeat(1_000_000 / piece.len()));
    }
    for piece in ["(", "{", "\\sqrt", "-", "2^", "|", "\\{", "["] {
        assert_eq!(
            grade::<MathEqual>("{}", r#""7""#, &format!("\\boxed{{{}", piece.repeat(2000)), "").value,
            0.0,
            "{piece}"
        );
        assert_eq!(
            grade::<MathEqual>(r#"{ "part": "whole" }"#, r#""7""#, &piece.repeat(2000), "").value,
            0.0,
            "{piece}"
        );
    }
}

proptest! {
    #[test]
    fn no_answer_makes_a_scorer_panic(
        answer in r"(\\frac|\\sqrt|\\boxed\{|\\begin\{pmatrix\}|\\end\{pmatrix\}|\\text\{|[-+*/^_(){}\[\]|,.=<>&!%$ \\]|[0-9]{1,3}|[a-z]|(?s).){0,16}",
    ) {
        let target = serde_json::to_string(&answer).expect("text");
        let _ = grade::<MathEqual>("{}", &target, &answer, "");
        let _ = grade::<MathEqual>("{}", r#""x+1""#, &answer, "");
        let _ = grade::<MathEqual>(r#"{ "rules": "hendrycks", "part": "dollars" }"#, &target, &answer, "");
        let _ = grade::<Numeric>(r#"{ "which": "whole", "units": { "x": 2 } }"#, "1", &answer, "");
        let _ = grade::<Numeric>(r#"{ "decimal-comma": true }"#, "1", &answer, "");
    }

    #[test]
    fn an_integer_is_itself(value in -1_000_000_000_000_i64..1_000_000_000_000) {
        prop_assert_eq!(number("{}", &value.to_string(), &format!("it is {value}.")), 1.0);
        prop_assert_eq!(result(&value.to_string(), &format!("\\boxed{{{value}}}")), 1.0);
    }
}
