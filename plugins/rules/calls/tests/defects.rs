//! Each defect of the reference, by the number that it has in `rules.rs`: `function-call` has it, and `function-call-fixed` has not.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]
#![expect(clippy::float_cmp, reason = "values are 0 or 1")]

mod common;

use bench_scoring::{FinishReason, Reason, Sample};
use common::{answered, both, called, fixed, function, is_unscored, reference, sample};
use serde_json::{Value, json};

/// A sample that wants one call of `f` with these parameters.
fn simple(properties: &Value, accepted: &Value, answer: &str) -> Sample {
    answered(sample("simple_python", &json!([function("f", properties, &[])]), &json!([{ "f": accepted }])), answer)
}

fn values(properties: Value, accepted: Value, answer: &str) -> (f64, f64) {
    both(&json!({}), &simple(&properties, &accepted, answer))
}

#[test]
fn d01_a_call_that_cannot_be_read_is_no_abstention() {
    let functions = json!([function("area", &json!({ "side": { "type": "integer" } }), &["side"])]);
    let item = || sample("irrelevance", &functions, &json!([]));
    for attempt in [
        "<tool_call>\n<tool_call name=\"area\" arguments={\"side\": 1}/>\n</tool_call>",
        "[area(side=)]",
        "area(side=1",
        "{\"name\": \"area\", \"arguments\": {\"side\": 1}}",
        "Let me compute: area(side=5) gives the answer",
    ] {
        let sample = answered(item(), attempt);
        assert_eq!(reference(&json!({}), &sample).value, 1.0, "{attempt}");
        let grade = fixed(&json!({}), &sample);
        assert_eq!((grade.value, grade.reason), (0.0, Reason::InvalidFormat), "{attempt}");
    }
    for declined in [
        "I cannot compute the area of a circle with these.",
        "`area()` is for squares only, so no.",
        "[]",
        "The area (in m²) is unknown.",
    ] {
        assert_eq!(both(&json!({}), &answered(item(), declined)), (1.0, 1.0), "{declined}");
    }
    assert_eq!(both(&json!({}), &called(item(), &[("area", "{\"side\": ")])), (1.0, 0.0));
    assert_eq!(both(&json!({}), &called(item(), &[("area", "{\"side\": 1}")])), (0.0, 0.0));
    let silent = answered(item(), " \n");
    assert_eq!(reference(&json!({}), &silent).value, 1.0);
    assert_eq!(fixed(&json!({}), &silent).reason, Reason::NoResponse);
}

#[test]
fn d02_relevance_wants_a_function_that_was_offered() {
    let functions = json!([function("area", &json!({}), &[])]);
    let item = |answer| answered(sample("live_relevance", &functions, &json!([])), answer);
    assert_eq!(both(&json!({}), &item("[volume(side=1)]")), (1.0, 0.0));
    assert_eq!(both(&json!({}), &item("[area(side=1)]")), (1.0, 1.0));
    assert_eq!(both(&json!({}), &item("No.")), (0.0, 0.0));
}

#[test]
fn d03_arguments_by_position_are_not_dropped() {
    let accepted = json!({ "a": [1], "b": ["", 2] });
    let properties = json!({ "a": { "type": "integer" }, "b": { "type": "integer" } });
    assert_eq!(values(properties.clone(), accepted.clone(), "f(999, a=1)"), (1.0, 0.0));
    assert_eq!(values(properties, accepted, "f(a=1)"), (1.0, 1.0));
}

#[test]
fn d04_two_arguments_of_one_name_are_an_error() {
    assert_eq!(values(json!({ "a": { "type": "integer" } }), json!({ "a": [1] }), "f(a=2, a=1)"), (1.0, 0.0));
}

#[test]
fn d05_operators_before_a_number_are_what_they_are() {
    let properties = || json!({ "a": { "type": "integer" } });
    assert_eq!(values(properties(), json!({ "a": [-5] }), "f(a=+5)"), (1.0, 0.0));
    assert_eq!(values(properties(), json!({ "a": [5] }), "f(a=+5)"), (0.0, 1.0));
    assert_eq!(values(properties(), json!({ "a": [-6] }), "f(a=~5)"), (0.0, 1.0));
    assert_eq!(values(properties(), json!({ "a": [5] }), "f(a=--5)"), (0.0, 1.0));
    assert_eq!(values(json!({ "a": { "type": "boolean" } }), json!({ "a": [false] }), "f(a=not True)"), (0.0, 1.0));
    assert_eq!(values(properties(), json!({ "a": [-5] }), "f(a=-5)"), (1.0, 1.0));
    assert_eq!(values(properties(), json!({ "a": [7] }), "f(a=1 + 2 * 3)"), (1.0, 1.0));
}

#[test]
fn d06_a_parameter_can_be_a_keyword_of_python() {
    let properties = json!({ "from": { "type": "string" }, "class": { "type": "integer" } });
    assert_eq!(values(properties, json!({ "from": ["Rome"], "class": [1] }), "f(from='Rome', class=1)"), (0.0, 1.0));
}

#[test]
fn d07_items_of_optional_lists_and_of_dictionaries_have_types() {
    let list = json!({ "a": { "type": "array", "items": { "type": "integer" } } });
    assert_eq!(values(list.clone(), json!({ "a": ["", [1, 2]] }), "f(a=[True, 2.0])"), (1.0, 0.0));
    assert_eq!(values(list, json!({ "a": [[1, 2]] }), "f(a=[True, 2.0])"), (0.0, 0.0));
    let dict = json!({ "a": { "type": "dict" } });
    assert_eq!(values(dict, json!({ "a": [{ "k": [1] }] }), "f(a={'k': True})"), (1.0, 0.0));
}

#[test]
fn d08_an_integer_is_an_item_of_a_list_of_floats() {
    let properties = json!({ "a": { "type": "array", "items": { "type": "float" } } });
    assert_eq!(values(properties, json!({ "a": [[5.0, 2.5]] }), "f(a=[5, 2.5])"), (0.0, 1.0));
    assert_eq!(values(json!({ "a": { "type": "float" } }), json!({ "a": [5.0] }), "f(a=5)"), (1.0, 1.0));
}

#[test]
fn d09_an_empty_list_is_not_the_same_as_none() {
    let list = json!({ "a": { "type": "array", "items": { "type": "integer" } } });
    assert_eq!(values(list.clone(), json!({ "a": ["", [1]] }), "f(a=[])"), (1.0, 0.0));
    assert_eq!(values(list, json!({ "a": ["", [1]] }), "f()"), (1.0, 1.0));
    let dicts = json!({ "a": { "type": "array", "items": { "type": "dict" } } });
    assert_eq!(values(dicts, json!({ "a": ["", [{ "k": [1] }]] }), "f(a=[])"), (1.0, 0.0));
}

#[test]
fn d10_texts_and_tuples_within_lists_are_compared_as_others_are() {
    let properties = json!({ "a": { "type": "array", "items": { "type": "array" } } });
    let accepted = json!({ "a": [[["New York", "x"]]] });
    assert_eq!(values(properties.clone(), accepted.clone(), "f(a=[['new york', 'X']])"), (0.0, 1.0));
    assert_eq!(values(properties.clone(), accepted, "f(a=[['New York', 'x']])"), (1.0, 1.0));
    let tuples = json!({ "a": { "type": "array", "items": { "type": "any" } } });
    assert_eq!(values(tuples, json!({ "a": [[[1, 2], [3, 4]]] }), "f(a=[(1, 2), (3, 4)])"), (0.0, 0.0));
    let loose = json!({ "a": { "type": "array" } });
    assert!(is_unscored(&reference(&json!({}), &simple(&loose, &json!({ "a": [[[1, 2]]] }), "f(a=[(1, 2)])"))));
    assert_eq!(fixed(&json!({}), &simple(&loose, &json!({ "a": [[[1, 2]]] }), "f(a=[(1, 2)])")).value, 1.0);
}

#[test]
fn d11_dictionaries_within_dictionaries_are_compared() {
    let properties = json!({ "a": { "type": "dict" } });
    let accepted = json!({ "a": [{ "k": [{ "x": [1, 2], "y": ["", "Z"] }] }] });
    assert_eq!(values(properties.clone(), accepted.clone(), "f(a={'k': {'x': 2}})"), (0.0, 1.0));
    assert_eq!(values(properties.clone(), accepted, "f(a={'k': {'x': 3}})"), (0.0, 0.0));
    let bare = simple(&properties, &json!({ "a": [{ "k": { "x": [1] } }] }), "f(a={'k': {'x': 1}})");
    assert!(is_unscored(&reference(&json!({}), &bare)));
    assert_eq!(fixed(&json!({}), &bare).value, 1.0);
}

#[test]
fn d12_parallel_calls_are_assigned_and_not_grabbed() {
    let functions = json!([function("f", &json!({ "a": { "type": "integer" } }), &["a"])]);
    let target = json!([{ "f": { "a": [1, 2] } }, { "f": { "a": [1] } }]);
    let item = |answer| answered(sample("parallel", &functions, &target), answer);
    assert_eq!(both(&json!({}), &item("[f(a=1), f(a=2)]")), (0.0, 1.0));
    assert_eq!(both(&json!({}), &item("[f(a=2), f(a=1)]")), (1.0, 1.0));
    assert_eq!(both(&json!({}), &item("[f(a=2), f(a=2)]")), (0.0, 0.0));
}

#[test]
fn d13_loose_comparison_keeps_numbers_apart() {
    let properties = || json!({ "a": { "type": "string" } });
    for (accepted, answer) in [("15", "1.5"), ("3", "-3"), ("2024-1-11", "2024-11-1"), ("version 2.10", "version 21.0")]
    {
        assert_eq!(
            values(properties(), json!({ "a": [accepted] }), &format!("f(a='{answer}')")),
            (1.0, 0.0),
            "{answer}"
        );
    }
    for (accepted, answer) in [
        ("April 1, 2024", "april 1 2024"),
        ("1,000 km", "1000km"),
        ("San Francisco, CA", "san francisco ca"),
        ("555-1234", "555 1234"),
        ("2024-01-05", "2024/01/05"),
        ("A-1", "a1"),
        ("rock'n'roll", "rock\"n\"roll"),
    ] {
        assert_eq!(
            values(properties(), json!({ "a": [accepted] }), &format!("f(a='''{answer}''')")),
            (1.0, 1.0),
            "{answer}"
        );
    }
}

#[test]
fn d14_no_answer_stops_a_run() {
    let dicts = json!({ "a": { "type": "array", "items": { "type": "dict" } } });
    let huge =
        simple(&json!({ "a": { "type": "float" } }), &json!({ "a": [1.0] }), &format!("f(a=1{})", "0".repeat(400)));
    for sample in [simple(&dicts, &json!({ "a": ["", [{ "k": [1] }]] }), "f(a=[1])"), huge] {
        let grade = reference(&json!({}), &sample);
        assert_eq!((grade.value, grade.reason), (0.0, Reason::Other("reference-stops".into())));
        let grade = fixed(&json!({}), &sample);
        assert_eq!((grade.value, grade.reason), (0.0, Reason::Wrong));
    }
}

#[test]
fn d15_types_of_json_schemas_are_types() {
    let number = simple(&json!({ "a": { "type": "number" } }), &json!({ "a": [1.5] }), "f(a=1.5)");
    assert!(is_unscored(&reference(&json!({}), &number)));
    assert_eq!(fixed(&json!({}), &number).value, 1.0);
    let tools = json!([{ "type": "function", "function": {
        "name": "f",
        "parameters": { "type": "object", "properties": { "a": { "type": "object" } }, "required": ["a"] },
    } }]);
    let object =
        called(sample("simple", &tools, &json!([{ "f": { "a": [{ "k": [1] }] } }])), &[("f", "{\"a\": {\"k\": 1}}")]);
    assert!(is_unscored(&reference(&json!({}), &object)));
    assert_eq!(fixed(&json!({}), &object).value, 1.0);
}

fn java(properties: Value, accepted: Value, answer: &str) -> (f64, f64) {
    let functions = json!([function("Code.f", &properties, &[])]);
    both(&json!({}), &answered(sample("simple_java", &functions, &json!([{ "Code.f": accepted }])), answer))
}

#[test]
fn d16_java_keeps_bodies_of_classes_and_characters() {
    let map = json!({ "a": { "type": "HashMap" } });
    let answer = "Code.f(a=new HashMap<String, Object>() {{ put(\"k\", 1); }})";
    assert_eq!(java(map, json!({ "a": [{ "k": [1] }] }), answer), (0.0, 1.0));
    let texts = json!({ "a": { "type": "String" }, "b": { "type": "String" } });
    let accepted = json!({ "a": ["é"], "b": ["xyz"] });
    assert_eq!(java(texts.clone(), accepted, "Code.f(a=\"é\", b=\"xyz\")"), (0.0, 1.0));
    assert_eq!(java(texts, json!({ "a": ["e"], "b": ["xyz"] }), "Code.f(a=\"e\", b=\"xyz\")"), (1.0, 1.0));
}

#[test]
fn d17_a_short_call_of_java_is_a_call() {
    let functions = json!([function("f", &json!({ "a": { "type": "integer" } }), &[])]);
    let item = |answer| answered(sample("simple_java", &functions, &json!([{ "f": { "a": [1] } }])), answer);
    assert_eq!(both(&json!({}), &item("f(a=1)")), (0.0, 1.0));
    assert_eq!(both(&json!({}), &item("f(a=1);")), (1.0, 1.0));
}

#[test]
fn d18_format_sensitivity_knows_parallel_calls() {
    let functions =
        json!([function("g", &json!({}), &[]), function("f", &json!({ "a": { "type": "integer" } }), &["a"])]);
    let mut item =
        answered(sample("x", &functions, &json!([{ "f": { "a": [1] } }, { "f": { "a": [2] } }])), "[f(a=1), f(a=2)]");
    item.id = "format_sensitivity_7:ret_fmt=python&tool_call_tag=False&func_doc_fmt=json&prompt_fmt=plaintext&style=classic:parallel_3".into();
    assert_eq!(both(&json!({}), &item), (0.0, 1.0));
}

#[test]
fn d19_one_call_of_java_or_javascript_is_one_call() {
    let functions = json!([function("fun", &json!({ "a": { "type": "any" } }), &[])]);
    for category in ["simple_java", "simple_javascript"] {
        let item = |answer| answered(sample(category, &functions, &json!([{ "fun": { "a": ["x"] } }])), answer);
        assert_eq!(both(&json!({}), &item("fun(a=x); fun(a=y);")), (1.0, 0.0), "{category}");
        assert_eq!(both(&json!({}), &item("fun(a=x, 5)")), (1.0, 0.0), "{category}");
        assert_eq!(
            both(&json!({}), &item("fun(a=x)")),
            if category == "simple_java" { (0.0, 1.0) } else { (1.0, 1.0) },
            "{category}"
        );
    }
}

#[test]
fn what_cannot_be_graded_is_the_tasks_fault() {
    let functions = json!([function("f", &json!({ "a": { "type": "integer" } }), &["a"])]);
    let right = || answered(sample("simple", &functions, &json!([{ "f": { "a": [1] } }])), "f(a=1)");
    assert_eq!(both(&json!({}), &right()), (1.0, 1.0));
    for target in [
        "",
        "null",
        "{}",
        "[1]",
        "[[]]",
        "[{}]",
        "[{\"f\": 1}]",
        "[]",
        "[{\"f\": {\"a\": 1}}]",
        "[{\"f\": {\"a\": [1]}",
    ] {
        let sample = Sample { target: target.into(), ..right() };
        assert!(is_unscored(&reference(&json!({}), &sample)), "{target}");
        assert!(is_unscored(&fixed(&json!({}), &sample)), "{target}");
    }
    for metadata in
        ["", "[]", "{\"function\": 1}", "{\"function\": [1]}", "{\"function\": [{}]}", "{", "{\"function\": []}"]
    {
        let sample = Sample { metadata: metadata.into(), ..right() };
        assert!(is_unscored(&reference(&json!({}), &sample)), "{metadata}");
    }
    assert!(is_unscored(&reference(&json!({ "category": "multi_turn_base" }), &right())));
}

#[test]
fn where_calls_are_looked_for_is_a_setting() {
    let functions = json!([function("a.f", &json!({ "a": { "type": "integer" } }), &["a"])]);
    let item = || answered(sample("simple", &functions, &json!([{ "a.f": { "a": [1] } }])), "a.f(a=1)");
    assert_eq!(both(&json!({ "source": "calls" }), &item()), (0.0, 0.0));
    let other = called(item(), &[("a.f", "{\"a\": 2}")]);
    assert_eq!(both(&json!({}), &other), (0.0, 0.0));
    assert_eq!(both(&json!({ "source": "text" }), &other), (1.0, 1.0));
    let underscored = called(item(), &[("a_f", "{\"a\": 1}")]);
    assert_eq!(both(&json!({}), &underscored), (0.0, 0.0));
    assert_eq!(both(&json!({ "underscores": true }), &underscored), (1.0, 1.0));
    let json = answered(item(), "```json\n[{\"function\": \"a.f\", \"parameters\": {\"a\": 1}}]\n```");
    assert_eq!(both(&json!({ "format": "json" }), &json), (1.0, 1.0));
    let tagged = answered(item(), "Sure. <TOOLCALL>[a.f(a=1)]</TOOLCALL>");
    assert_eq!(both(&json!({ "tagged": true }), &tagged), (1.0, 1.0));
    let reason = |settings: Value, sample: &Sample| reference(&settings, sample).reason;
    assert_eq!(reason(json!({}), &tagged), Reason::InvalidFormat);
    assert_eq!(reason(json!({}), &Sample { answer: None, ..item() }), Reason::NoResponse);
    assert_eq!(
        reason(json!({}), &Sample { finish: Some(FinishReason::Length), ..answered(item(), "[a.f(a=") }),
        Reason::Truncated
    );
}

#[test]
fn reading_and_calling_are_reported_apart_from_being_right() {
    let functions = json!([function("f", &json!({}), &[])]);
    let item = |answer| answered(sample("irrelevance", &functions, &json!([])), answer);
    let scores = |answer| fixed(&json!({}), &item(answer)).sub_scores;
    assert_eq!(scores("[f(]"), [("decoded", 0.0), ("called", 0.0)]);
    assert_eq!(scores("[]"), [("decoded", 1.0), ("called", 0.0)]);
    assert_eq!(scores("[f()]"), [("decoded", 1.0), ("called", 1.0)]);
}
