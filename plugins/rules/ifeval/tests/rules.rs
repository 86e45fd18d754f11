//! What is odd about the reference, what the fixed rules do instead, and what hostile input gets.

mod common;

use bench_scoring::bench_sdk::scorer::GradeTask;
use bench_scoring::{Graded, Hosted, Reason, Sample};
use common::{grade, sample};
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use rules_ifeval::{IfEval, IfEvalFixed};
use serde_json::{Value, json};

/// Whether an instruction is followed, strict and loose; nothing where the sample is unscored.
fn followed(scorer: &str, instruction: &str, kwargs: Value, answer: &str) -> Option<(bool, bool)> {
    let grade = grade(scorer, &sample(&json!([instruction]), &json!([kwargs]), answer));
    let loose = grade.sub_scores.iter().any(|&(name, value)| name == "prompt-loose" && value == 1.0);
    (!grade.value.is_nan()).then_some((grade.value == 1.0, loose))
}

const YES: Option<(bool, bool)> = Some((true, true));
const NO: Option<(bool, bool)> = Some((false, false));
const LOOSE: Option<(bool, bool)> = Some((false, true));

/// What the reference's rules say, and what the fixed ones do.
#[track_caller]
fn both(instruction: &str, kwargs: Value, answer: &str, reference: Option<(bool, bool)>, fixed: Option<(bool, bool)>) {
    assert_eq!(followed("ifeval", instruction, kwargs.clone(), answer), reference, "reference: {answer:?}");
    assert_eq!(followed("ifeval-fixed", instruction, kwargs, answer), fixed, "fixed: {answer:?}");
}

#[test]
fn a_blank_paragraph_shifts_the_one_that_is_looked_up() {
    let kwargs = json!({ "num_paragraphs": 2, "nth_paragraph": 1, "first_word": "I" });
    // Loose takes the blank lines off, with the first line.
    both("length_constraints:nth_paragraph_first_word", kwargs, "\n\nI am here.\n\nYou are there.", LOOSE, YES);
}

#[test]
fn a_first_word_of_two_words_is_compared_with_one() {
    let kwargs = json!({ "num_paragraphs": 1, "nth_paragraph": 1, "first_word": "You  are" });
    both("length_constraints:nth_paragraph_first_word", kwargs, "\"You are, there.", NO, YES);
}

#[test]
fn a_letter_outside_of_the_alphabet_is_replaced_by_a_random_one() {
    let kwargs = json!({ "letter": "#", "let_frequency": 4, "let_relation": "at least" });
    both("keywords:letter_frequency", kwargs.clone(), "#a #b #c #d", None, YES);
    both("keywords:letter_frequency", kwargs, "#a #b #c d", None, NO);
}

#[test]
fn capitals_are_no_language_that_the_profiles_know() {
    both("change_case:english_capital", json!({}), "THIS IS AN ENGLISH SENTENCE", NO, YES);
}

#[test]
fn a_keyword_is_a_pattern_without_boundaries() {
    both("keywords:existence", json!({ "keywords": ["cat", "WH.T"] }), "Concatenate what?", YES, NO);
    // To Python, C++ is one or more C, and gives none back.
    both("keywords:existence", json!({ "keywords": ["C++"] }), "Plain C", YES, NO);
    both("keywords:existence", json!({ "keywords": ["f(x"] }), "What is f(x)?", None, YES);
    both("keywords:frequency", json!({ "keyword": "a", "frequency": 4, "relation": "at least" }), "A banana", YES, YES);
    both("keywords:forbidden_words", json!({ "forbidden_words": ["ban.na"] }), "A banana", NO, YES);
    both("keywords:forbidden_words", json!({ "forbidden_words": ["nan"] }), "A banana", YES, YES);
}

#[test]
fn letters_are_equal_that_python_has_equal() {
    both("keywords:existence", json!({ "keywords": ["kisi"] }), "\u{212a}ıſİ", YES, YES);
}

#[test]
fn a_zero_is_taken_for_nothing() {
    let kwargs = json!({ "capital_frequency": 0, "capital_relation": "at least" });
    both("change_case:capital_word_frequency", kwargs, "nothing", None, YES);
    both("detectable_format:number_bullet_lists", json!({ "num_bullets": 0 }), "no points", None, YES);
}

#[test]
fn what_would_be_random_is_unscored() {
    for (instruction, kwargs) in [
        ("keywords:existence", json!({})),
        ("keywords:existence", json!({ "keywords": null })),
        ("keywords:existence", json!({ "keywords": [] })),
        ("length_constraints:number_words", json!({ "num_words": 5 })),
        ("length_constraints:number_words", json!({ "relation": "at least" })),
        ("length_constraints:number_words", json!({ "num_words": -5, "relation": "at least" })),
        ("length_constraints:number_words", json!({ "num_words": 5, "relation": "at most" })),
        (
            "length_constraints:nth_paragraph_first_word",
            json!({ "num_paragraphs": 1, "nth_paragraph": 2, "first_word": "a" }),
        ),
        ("startend:end_checker", json!({ "end_phrase": "" })),
        ("punctuation:no_comma", json!({ "surplus": 1 })),
        ("no:such", json!({})),
    ] {
        both(instruction, kwargs, "An answer.", None, None);
    }
    let short = sample(&json!(["punctuation:no_comma"]), &json!([]), "An answer.");
    let unscored = grade("ifeval", &short);
    assert!(
        matches!(&unscored.reason, Reason::GraderFailed(problem) if problem.code == "bad-target" && problem.message.contains("`item`"))
    );
    for metadata in ["", "[]", "{}", "{\"instruction_id_list\":3,\"kwargs\":[]}", "nonsense"] {
        let broken = Sample { metadata: metadata.into(), ..short.clone() };
        assert!(grade("ifeval", &broken).value.is_nan());
    }
}

#[test]
fn an_item_without_instructions_is_correct_to_the_reference() {
    let empty = sample(&json!([]), &json!([]), "An answer.");
    assert_eq!(grade("ifeval", &empty).value.to_bits(), 1.0_f64.to_bits());
    assert!(grade("ifeval-fixed", &empty).value.is_nan());
}

#[test]
fn instructions_may_come_in_the_reference_of_the_item() {
    let target = json!({ "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}] }).to_string();
    let sample = Sample { target, metadata: "{}".into(), ..sample(&json!([]), &json!([]), "No comma") };
    assert_eq!(grade("ifeval", &sample).value.to_bits(), 1.0_f64.to_bits());
}

#[test]
fn a_text_without_a_language_is_in_every_one() {
    both("language:response_language", json!({ "language": "de" }), "12345 !!!", YES, YES);
}

#[test]
fn short_texts_have_one_language() {
    // Unseeded, the reference has this in English, Dutch or Finnish by chance.
    both("language:response_language", json!({ "language": "en" }), "Hello world", YES, YES);
    both("language:response_language", json!({ "language": "hi" }), "बच्चे बगीचे में खेल रहे हैं।", YES, YES);
    both("language:response_language", json!({ "language": "zh-cn" }), "孩子们在花园里玩。", None, YES);
}

#[test]
fn json_is_what_python_loads() {
    for text in ["NaN", "-Infinity", "```json\n{\"a\": \"\\ud800\"}\n```", "[1.5e3, -0, {\"a\": 1, \"a\": 2}]"] {
        both("detectable_format:json_format", json!({}), text, YES, YES);
    }
    for text in ["01", "1.", "[1,]", "{'a': 1}", "\"a\nb\"", "\u{feff}{}", "-NaN", "[1] [2]"] {
        both("detectable_format:json_format", json!({}), text, NO, NO);
    }
    both("detectable_format:json_format", json!({}), &"9".repeat(4_300), YES, YES);
    both("detectable_format:json_format", json!({}), &"9".repeat(4_301), NO, NO);
    both("detectable_format:json_format", json!({}), &("9".repeat(4_301) + ".5"), YES, YES);
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    both("detectable_format:json_format", json!({}), &deep, YES, YES);
}

#[test]
fn words_are_unicodes_and_not_pythons() {
    // With combining marks and without fractions, as NLTK counts since 3.10; Python's own `re` finds three and two here.
    both("length_constraints:number_words", json!({ "num_words": 2, "relation": "less than" }), "हिन्दी ½", YES, YES);
}

#[test]
fn highlights_in_three_asterisks_count_twice() {
    both("detectable_format:number_highlighted_sections", json!({ "num_highlights": 2 }), "***once***", YES, YES);
    both("detectable_format:number_highlighted_sections", json!({ "num_highlights": 2 }), "**once** ** **", NO, NO);
}

#[test]
fn a_bullet_point_may_begin_on_the_line_before() {
    both("detectable_format:number_bullet_lists", json!({ "num_bullets": 1 }), "*\n* not a second one", YES, YES);
    both("detectable_format:number_bullet_lists", json!({ "num_bullets": 2 }), "\n\n * one\n--two", YES, YES);
}

#[test]
fn loose_looks_at_variants() {
    both("punctuation:no_comma", json!({}), "Sure, here it is:\nNo comma.", LOOSE, LOOSE);
    both("punctuation:no_comma", json!({}), "No comma.\nBye, now", LOOSE, LOOSE);
    both("punctuation:no_comma", json!({}), "Sure, here:\nNo comma.\nBye, now", LOOSE, LOOSE);
    both("punctuation:no_comma", json!({}), "One, two\nthree, four", NO, NO);
    both("startend:quotation", json!({}), "**\"quoted\"**", LOOSE, LOOSE);
    both("punctuation:no_comma", json!({}), " \n ", NO, NO);
}

#[test]
fn words_in_capitals_are_counted_in_sentences() {
    let kwargs = |count: u32, relation: &str| json!({ "capital_frequency": count, "capital_relation": relation });
    let text = "I'M at IBM's. The U.S. and NASA--OK? 'TIS SO, CANNOT be.";
    both("change_case:capital_word_frequency", kwargs(10, "at least"), text, YES, YES);
    both("change_case:capital_word_frequency", kwargs(11, "less than"), text, YES, YES);
}

#[test]
fn sentences_end_where_punkt_ends_them() {
    let kwargs = |count: u32, relation: &str| json!({ "num_sentences": count, "relation": relation });
    let text =
        "Dr. Smith met J. S. Bach at 5 p.m. on Jan. 3 in the U.S. Then (well...) he left! \"Why?\" No. 5 is alive.";
    both("length_constraints:number_sentences", kwargs(4, "at least"), text, YES, YES);
    both("length_constraints:number_sentences", kwargs(5, "less than"), text, YES, YES);
}

#[test]
fn verdicts_say_what_was_missed() {
    let names = json!(["punctuation:no_comma", "startend:quotation", "startend:quotation"]);
    let grade = grade("ifeval", &sample(&names, &json!([{}, {}, {}]), "One, two"));
    assert_eq!(
        grade.explanation.as_deref(),
        Some("not followed: punctuation:no_comma, startend:quotation, startend:quotation")
    );
    let names: Vec<&str> = grade.sub_scores.iter().map(|&(name, _)| name).collect();
    assert!(names.contains(&"strict-startend-quotation") && names.contains(&"loose-startend-quotation-2"), "{names:?}");
}

#[test]
fn accuracy_over_instructions_counts_each_of_them() {
    let samples = [
        sample(&json!(["punctuation:no_comma"]), &json!([{}]), "One, two"),
        sample(
            &json!(["punctuation:no_comma", "startend:quotation", "detectable_format:title"]),
            &json!([{}, {}, {}]),
            "\"<<One>>\"",
        ),
        sample(&json!(["startend:end_checker"]), &json!([{}]), "One"),
    ];
    let task = Hosted::<IfEval>::open("").expect("defaults are a configuration");
    let samples: Vec<_> = (0..).zip(samples).map(|(id, sample)| Sample { id: format!("{id}"), ..sample }).collect();
    let verdicts = task.score(samples);
    let graded = verdicts.into_iter().map(|verdict| Graded { verdict, cluster: None, group: None }).collect();
    let estimates = task.aggregate(graded);
    let of = |name: &str, group: Option<&str>| {
        let found =
            estimates.iter().find(|estimate| estimate.metric.name == name && estimate.group.as_deref() == group);
        found.map(|estimate| (estimate.metric.value, estimate.scored, estimate.unscored))
    };
    assert_eq!(estimates.first().map(|estimate| estimate.metric.name.as_str()), Some("prompt-strict"));
    assert_eq!(of("prompt-strict", None), Some((0.5, 2, 1)));
    assert_eq!(of("instruction-strict", None), Some((0.75, 4, 1)));
    assert_eq!(of("instruction-loose", None).map(|(value, ..)| value), Some(0.75));
    assert_eq!(of("instruction-strict", Some("punctuation:no_comma")), Some((0.5, 2, 0)));
}

#[test]
fn a_surplus_setting_is_refused() {
    assert!(Hosted::<IfEval>::open("{}").is_ok() && Hosted::<IfEvalFixed>::open("").is_ok());
    assert!(Hosted::<IfEval>::open("{\"seed\":1}").is_err());
}

/// Every instruction, with arguments that mean work.
fn everything() -> (Value, Value) {
    let all = [
        ("change_case:capital_word_frequency", json!({ "capital_frequency": 3, "capital_relation": "at least" })),
        ("change_case:english_capital", json!({})),
        ("change_case:english_lowercase", json!({})),
        ("combination:repeat_prompt", json!({ "prompt_to_repeat": "ΑΣ" })),
        ("combination:two_responses", json!({})),
        ("detectable_content:number_placeholders", json!({ "num_placeholders": 3 })),
        ("detectable_content:postscript", json!({ "postscript_marker": "P.P.S" })),
        ("detectable_format:constrained_response", json!({})),
        ("detectable_format:json_format", json!({})),
        ("detectable_format:multiple_sections", json!({ "section_spliter": "S", "num_sections": 3 })),
        ("detectable_format:number_bullet_lists", json!({ "num_bullets": 3 })),
        ("detectable_format:number_highlighted_sections", json!({ "num_highlights": 3 })),
        ("detectable_format:title", json!({})),
        ("keywords:existence", json!({ "keywords": ["iſ", "aa"] })),
        ("keywords:forbidden_words", json!({ "forbidden_words": ["aa", " "] })),
        ("keywords:frequency", json!({ "keyword": "aab", "frequency": 3, "relation": "less than" })),
        ("keywords:letter_frequency", json!({ "letter": "i", "let_frequency": 3, "let_relation": "less than" })),
        ("language:response_language", json!({ "language": "fr" })),
        (
            "length_constraints:nth_paragraph_first_word",
            json!({ "num_paragraphs": 3, "nth_paragraph": 2, "first_word": "a" }),
        ),
        ("length_constraints:number_paragraphs", json!({ "num_paragraphs": 3 })),
        ("length_constraints:number_sentences", json!({ "num_sentences": 3, "relation": "less than" })),
        ("length_constraints:number_words", json!({ "num_words": 3, "relation": "less than" })),
        ("punctuation:no_comma", json!({})),
        ("startend:end_checker", json!({ "end_phrase": "." })),
        ("startend:quotation", json!({})),
    ];
    let (names, kwargs): (Vec<&str>, Vec<Value>) = all.into_iter().unzip();
    (json!(names), json!(kwargs))
}

#[test]
fn long_answers_of_one_kind_are_graded() {
    let (names, kwargs) = everything();
    let pieces = [
        "a",
        "\n",
        " ",
        "*",
        "-",
        "[",
        "]",
        ".",
        ". ",
        "? ",
        "'",
        "\"",
        "<<",
        "`",
        ",",
        "@",
        "a@",
        "http",
        "http://a ",
        "S",
        "S 1",
        "p.",
        "aab",
        "i",
        "ı",
        "\u{300}",
        "世",
        "A. ",
        "1.",
        "e.g. ",
        "...\n",
        "n't ",
        "{\"a\":",
        "\u{1f600}",
    ];
    for piece in pieces {
        let answer = piece.repeat(30_000 / piece.len());
        assert!(!grade("ifeval", &sample(&names, &kwargs, &answer)).value.is_nan(), "{piece:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_answer_is_graded_and_loose_is_no_stricter(
        answer in prop::collection::vec(prop::sample::select(vec![
            "a", "B", " ", "\n", "\n\n", "*", "**", "***", ".", "? ", "! ", "...", "'", "''", "\"", "``", "[x]", "<<t>>", "S 1", "P.S. ", "e.g. ", "J. ",
            "Mr. ", "5. ", "IBM's", "cannot", "--", ",", ":", "é", "İ", "हि", "世界", "가나", "\u{300}", "http://x/y", "a@b.c", "\u{a0}", "\u{1c}", "😀", "{", "}",
        ]), 0..60),
        tail in any::<String>(),
        fixed in any::<bool>(),
    ) {
            let (names, kwargs) = everything();
        let grade = grade(if fixed { "ifeval-fixed" } else { "ifeval" }, &sample(&names, &kwargs, &(answer.concat() + &tail)));
        assert!(!grade.value.is_nan());
        let scores: Vec<(&str, f64)> = grade.sub_scores.clone();
        for (name, strict) in scores.iter().filter(|(name, _)| name.starts_with("strict-")) {
            let loose = name.replacen("strict", "loose", 1);
            assert!(scores.iter().any(|&(name, value)| name == loose && value >= *strict), "{name}");
        }
    }
}
