//! Oddities of the reference by name, what the fixed siblings make of them, and what bad input gets.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_scoring::{FinishReason, Grade, Likelihood, Reason, Sample, Scorer};
use proptest::prelude::*;
use rules_text::{
    ExactMatch, ExactMatchFixed, Gpqa, GpqaFixed, Gsm8k, Gsm8kFixed, MultipleChoice, MultipleChoiceFixed,
    MultipleChoiceGenerative, Perplexity,
};
use serde_json::{Value, json};

fn scorer<S: Scorer>(config: Value) -> S {
    S::new(serde_json::from_value(config).unwrap()).unwrap()
}

fn sample(answer: Option<&str>, target: Value) -> Sample {
    Sample {
        id: "1".into(),
        epoch: 0,
        prompt: Vec::new(),
        target: target.to_string(),
        answer: answer.map(Into::into),
        reasoning: None,
        tool_calls: Vec::new(),
        finish: None,
        likelihoods: Vec::new(),
        metadata: json!({ "choices": ["ten", "eleven", "twelve", "none"] }).to_string(),
    }
}

fn grade<S: Scorer>(config: Value, answer: &str, target: Value) -> Grade {
    let sample = sample(Some(answer), target);
    scorer::<S>(config).grade(&sample).settle(&sample)
}

fn value<S: Scorer>(answer: &str, target: &str) -> f64 {
    grade::<S>(json!({}), answer, json!(target)).value
}

#[test]
fn numpy_drops_nul_characters_at_the_end_and_the_fixed_scorer_does_not() {
    assert_eq!([value::<ExactMatch>("a\0", "a"), value::<ExactMatchFixed>("a\0", "a")], [1.0, 0.0]);
}

#[test]
fn numpy_cuts_what_lower_case_made_longer_and_the_fixed_scorer_does_not() {
    let config = || json!({ "ignore-case": true });
    let (answer, target) = ("\u{130}", json!("i"));
    assert_eq!(grade::<ExactMatch>(config(), answer, target.clone()).value, 1.0);
    assert_eq!(grade::<ExactMatchFixed>(config(), answer, target).value, 0.0);
}

#[test]
fn an_empty_list_of_patterns_makes_all_references_count_at_once() {
    let config = || json!({ "regexes-to-ignore": [] });
    assert_eq!(grade::<ExactMatch>(config(), "a", json!(["a", "b"])).value, 0.0);
    assert_eq!(grade::<ExactMatch>(json!({}), "a", json!(["a", "b"])).value, 1.0);
    assert_eq!(grade::<ExactMatchFixed>(config(), "a", json!(["a", "b"])).value, 1.0);
}

#[test]
fn an_amount_in_dollars_and_cents_is_another_number_but_for_the_fixed_scorer() {
    assert_eq!([value::<Gsm8k>("It costs $29.00", "29"), value::<Gsm8kFixed>("It costs $29.00", "29")], [0.0, 1.0]);
}

#[test]
fn an_ellipsis_is_the_last_number_but_for_the_fixed_scorer() {
    assert_eq!([value::<Gsm8k>("72, altogether...", "72"), value::<Gsm8kFixed>("72, altogether...", "72")], [0.0, 1.0]);
    let extracted = grade::<Gsm8k>(json!({}), "72, altogether...", json!("72")).extracted;
    assert_eq!(extracted.as_deref(), Some("..."));
}

#[test]
fn a_strict_number_ends_with_its_full_stop_and_the_fixed_one_before() {
    let config = || json!({ "filter": "strict-match" });
    let extracted = |grade: Grade| grade.extracted.unwrap();
    assert_eq!(extracted(grade::<Gsm8k>(config(), "#### 1,234.", json!("1234"))), "1,234.");
    assert_eq!(extracted(grade::<Gsm8kFixed>(config(), "#### 1,234.", json!("1234"))), "1234");
    assert_eq!(grade::<Gsm8k>(config(), "#### 29.00", json!("29")).value, 0.0);
    assert_eq!(grade::<Gsm8kFixed>(config(), "#### 29.00", json!("29")).value, 1.0);
}

#[test]
fn a_missing_full_stop_costs_the_letter_but_for_the_fixed_scorer() {
    let config = json!({ "filter": "strict-match" });
    assert_eq!(grade::<Gpqa>(config, "The answer is B", json!("(B)")).value, 0.0);
    assert_eq!(value::<GpqaFixed>("The answer is B", "(B)"), 1.0);
}

#[test]
fn a_small_letter_is_found_and_equals_nothing_in_simple_evals() {
    let config = json!({ "filter": "simple-evals" });
    assert_eq!(grade::<Gpqa>(config.clone(), "answer: b", json!("(B)")).value, 0.0);
    assert_eq!(grade::<Gpqa>(config, "ANSWER: $B$", json!("(B)")).value, 1.0);
}

#[test]
fn the_fixed_gpqa_scorer_knows_the_usual_forms() {
    for answer in [
        "The answer is (B).",
        "**Answer: B**",
        "So \\boxed{B}",
        "\\boxed{\\text{B}}",
        "Answer: **B**",
        "I pick (A). No: (B)",
        "Reasons.\n\nB",
        "B.",
        "The correct answer is option B, since (A) is wrong",
        "It must be eleven.",
    ] {
        assert_eq!(value::<GpqaFixed>(answer, "(B)"), 1.0, "{answer}");
    }
    assert_eq!(grade::<GpqaFixed>(json!({}), "No idea.", json!("(B)")).reason, Reason::InvalidFormat);
}

#[test]
fn a_reference_that_is_no_choice_counts_as_wrong_and_leaves_the_fixed_scorer_without_a_score() {
    let mut sample = sample(None, json!(7));
    sample.metadata = "{}".into();
    sample.likelihoods = [-1.0, -2.0].map(|logprob| likelihood(" a", logprob)).into();
    assert_eq!(scorer::<MultipleChoice>(json!({})).grade(&sample).value, 0.0);
    assert!(scorer::<MultipleChoiceFixed>(json!({})).grade(&sample).value.is_nan());
}

fn likelihood(text: &str, logprob: f64) -> Likelihood {
    Likelihood { text: text.into(), logprob, tokens: 1, greedy: None, unconditional: None }
}

#[test]
fn the_first_of_equals_is_chosen_and_lengths_are_in_characters_or_bytes() {
    let mut sample = sample(None, json!(0));
    sample.metadata = "{}".into();
    sample.likelihoods = [likelihood(" \u{e9}\u{e9}", -4.0), likelihood(" abc", -4.0)].into();
    let graded = scorer::<MultipleChoice>(json!({})).grade(&sample);
    let score = |name| graded.sub_scores.iter().find(|(known, _)| *known == name).unwrap().1;
    assert_eq!((score("acc"), score("acc-norm"), score("acc-bytes")), (1.0, 0.0, 1.0));
    sample.likelihoods = vec![likelihood(" a", f64::NAN)];
    assert!(
        matches!(scorer::<MultipleChoice>(json!({})).grade(&sample).reason, Reason::GraderFailed(problem) if problem.code == "degenerate-likelihood")
    );
}

#[test]
fn the_cause_of_a_wrong_answer_is_told() {
    let config = || json!({});
    assert_eq!(grade::<Gsm8k>(config(), "", json!("5")).reason, Reason::NoResponse);
    assert_eq!(grade::<Gsm8k>(config(), "no number", json!("5")).reason, Reason::InvalidFormat);
    let mut cut = sample(Some("72 and"), json!("5"));
    cut.finish = Some(FinishReason::Length);
    assert_eq!(scorer::<Gsm8k>(config()).grade(&cut).settle(&cut).reason, Reason::Truncated);
    let mut withheld = sample(None, json!("5"));
    withheld.finish = Some(FinishReason::ContentFilter);
    assert_eq!(scorer::<Gsm8k>(config()).grade(&withheld).settle(&withheld).reason, Reason::Refused);
    let mut right = sample(Some("5"), json!("5"));
    right.finish = Some(FinishReason::Length);
    assert_eq!(scorer::<Gsm8k>(config()).grade(&right).settle(&right).reason, Reason::Correct);
}

#[test]
fn a_bad_pattern_is_refused_when_the_task_is_made() {
    let config = serde_json::from_value(json!({ "regexes-to-ignore": ["(a"] })).unwrap();
    assert_eq!(ExactMatch::new(config).unwrap_err().code, "bad-pattern");
    assert!(serde_json::from_value::<<ExactMatch as Scorer>::Config>(json!({ "ignore-cases": true })).is_err());
}

fn any_grade(name: &str, sample: &Sample) -> Grade {
    match name {
        "exact-match" => {
            scorer::<ExactMatch>(json!({ "ignore-case": true, "regexes-to-ignore": [r"\W+$"] })).grade(sample)
        }
        "gsm8k" => scorer::<Gsm8k>(json!({})).grade(sample),
        "gsm8k-fixed" => scorer::<Gsm8kFixed>(json!({})).grade(sample),
        "generative" => scorer::<MultipleChoiceGenerative>(json!({})).grade(sample),
        "gpqa" => scorer::<Gpqa>(json!({})).grade(sample),
        "gpqa-fixed" => scorer::<GpqaFixed>(json!({})).grade(sample),
        _ => scorer::<Perplexity>(json!({})).grade(sample),
    }
}

const SCORERS: [&str; 7] = ["exact-match", "gsm8k", "gsm8k-fixed", "generative", "gpqa", "gpqa-fixed", "perplexity"];

proptest! {
    #[test]
    fn nothing_panics_and_values_are_shares_or_absent(
        answer in proptest::option::of("\\PC{0,40}|([$#0-9.,\\-(): A-E\n]|The answer is |#### |\\\\boxed\\{){0,20}"),
        target in proptest::option::of("\\PC{0,6}|[0-9,.$]{1,5}|\\([A-D]\\)"),
    ) {
        let sample = sample(answer.as_deref(), target.map_or(Value::Null, Value::from));
        for name in SCORERS {
            let grade = any_grade(name, &sample);
            prop_assert!(grade.value.is_nan() || (0.0..=1.0).contains(&grade.value), "{} {:?}", name, grade);
        }
    }
}

/// A long row of what each scorer looks for take no more than a scan.
#[test]
fn a_long_answer_is_graded() {
    for text in ["$1,234.50 #### -", "The answer is \n", "(a) (B : A \n", "...$", "answer: ", "\u{e9} "] {
        let sample = sample(Some(&text.repeat(100_000 / text.len())), json!("(A)"));
        for name in SCORERS {
            let _ = any_grade(name, &sample);
        }
    }
}
