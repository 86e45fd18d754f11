//! What `bench_scoring::python` says against what CPython said, recorded by `tests/references/python_text.py`.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_scoring::python::{self, Flags, Match, Regex};
use serde_json::{Value, json};

fn vectors(op: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/references/vectors/python_text.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let vectors = text.split_terminator('\n').map(|line| serde_json::from_str::<Value>(line).unwrap());
    let wanted: Vec<Value> = vectors.filter(|vector| vector["op"] == op).collect();
    assert!(!wanted.is_empty(), "no vectors of `{op}`");
    wanted
}

/// As Python has it: the text, where it begins in code points, and the groups.
fn groups(text: &str, found: &Match<'_>) -> Value {
    let mut groups = vec![json!(found.text()), json!(python::len(&text[..found.range().start]))];
    groups.extend((1..=found.groups()).map(|group| json!(found.group(group))));
    Value::Array(groups)
}

fn compiled(vector: &Value) -> Option<Regex> {
    let letters = vector["flags"].as_str().unwrap();
    let flags = Flags {
        ignore_case: letters.contains('i'),
        multi_line: letters.contains('m'),
        dot_all: letters.contains('s'),
        ascii: letters.contains('a'),
        verbose: letters.contains('x'),
    };
    Regex::new(vector["pattern"].as_str().unwrap(), flags).ok()
}

fn answer(vector: &Value, regex: Option<&Regex>) -> Value {
    let text = vector["text"].as_str().unwrap();
    let mut answer = json!({ "op": "regex", "pattern": vector["pattern"], "flags": vector["flags"], "text": text });
    let Some(regex) = regex else {
        answer["error"] = json!(true);
        return answer;
    };
    let one = |found: Option<Match<'_>>| found.map_or(Value::Null, |found| groups(text, &found));
    answer["all"] = regex.find_all(text).unwrap().iter().map(|found| groups(text, found)).collect();
    answer["search"] = one(regex.search(text).unwrap());
    answer["match"] = one(regex.matches_start(text).unwrap());
    answer["fullmatch"] = one(regex.full_match(text).unwrap());
    answer["sub"] = json!(regex.replace_all(text, "<>").unwrap());
    if regex.groups() == 0 {
        answer["split"] = json!(regex.split(text).unwrap());
    }
    answer
}

#[test]
fn regular_expressions_are_those_of_cpython() {
    let vectors = vectors("regex");
    let mut different = Vec::new();
    // Vectors of one pattern follow each other.
    let mut last = (&Value::Null, &Value::Null, None);
    for vector in &vectors {
        if (last.0, last.1) != (&vector["pattern"], &vector["flags"]) {
            last = (&vector["pattern"], &vector["flags"], compiled(vector));
        }
        let ours = answer(vector, last.2.as_ref());
        if ours != *vector {
            different.push(format!("CPython {vector}\nours    {ours}"));
        }
    }
    assert!(
        different.is_empty(),
        "{} of {} differ:\n{}",
        different.len(),
        vectors.len(),
        different[..different.len().min(40)].join("\n")
    );
}

#[test]
fn nth_is_an_item_of_find_all() {
    let digits = Regex::new(r"(\d)|x", Flags::default()).unwrap();
    let text = |n| digits.nth("1 x 2", n).unwrap().map(|found| found.text().to_owned());
    assert_eq!([text(0), text(2), text(-1), text(-3)].map(Option::unwrap), ["1", "2", "2", "1"]);
    assert_eq!([text(3), text(-4)], [None, None]);
}

fn spans(value: &Value) -> Vec<(u32, u32)> {
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    value.as_array().unwrap().iter().map(|span| (number(&span[0]), number(&span[1]))).collect()
}

fn within(spans: &[(u32, u32)], c: char) -> bool {
    let behind = spans.partition_point(|&(start, _)| start <= u32::from(c));
    behind > 0 && u32::from(c) <= spans[behind - 1].1
}

/// Characters whose case has changed since the Unicode version of the recording CPython: one is no lower case letter any more,
/// and the others have become some.
const CHANGED: [char; 6] = ['\u{295}', '\u{10fc}', '\u{a7f2}', '\u{a7f3}', '\u{a7f4}', '\u{ab69}'];

#[test]
fn classes_of_characters_are_those_of_cpython() {
    let unknown = spans(&vectors("unknown")[0]["spans"]);
    let mut different = Vec::new();
    for vector in vectors("class") {
        let spans = spans(&vector["spans"]);
        let name = vector["name"].as_str().unwrap();
        let mut buffer = [0; 4];
        for c in (0..=0x10_ffff).filter_map(char::from_u32).filter(|&c| !within(&unknown, c) && !CHANGED.contains(&c)) {
            let text: &str = c.encode_utf8(&mut buffer);
            let ours = match name {
                "is_alpha" => python::is_alpha(text),
                "is_alnum" => python::is_alnum(text),
                "is_digit" => python::is_digit(text),
                "is_upper" => python::is_upper(text),
                "is_lower" => python::is_lower(text),
                "is_space" => python::is_space(c),
                "is_word" => python::is_word(c),
                "is_punctuation" => python::is_punctuation(c),
                other => panic!("no function {other}"),
            };
            if ours != within(&spans, c) {
                different.push(format!("{name} of {c:?} U+{:04X}: {ours}", u32::from(c)));
            }
        }
    }
    assert!(different.is_empty(), "{}:\n{}", different.len(), different.join("\n"));
}

#[test]
fn the_case_of_each_character_changes_as_in_cpython() {
    let unknown = spans(&vectors("unknown")[0]["spans"]);
    let mut different = Vec::new();
    for vector in vectors("case") {
        let changed: std::collections::BTreeMap<&str, &str> = vector["changed"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
            .collect();
        let name = vector["name"].as_str().unwrap();
        let change = match name {
            "lower" => python::lower,
            "upper" => python::upper,
            "casefold" => python::casefold,
            _ => python::capitalize,
        };
        for c in (0..=0x10_ffff).filter_map(char::from_u32).filter(|&c| !within(&unknown, c)) {
            let text = c.to_string();
            let theirs = changed.get(text.as_str()).copied().unwrap_or(&text);
            let ours = change(&text);
            // A later Unicode gave some letters the other case that they lacked.
            let later = ours.chars().any(|c| within(&unknown, c));
            if ours != theirs && !later {
                different.push(format!("{name} of {c:?} U+{:04X}: {ours:?}, not {theirs:?}", u32::from(c)));
            }
        }
    }
    assert!(different.is_empty(), "{}:\n{}", different.len(), different.join("\n"));
}

#[test]
fn strings_are_those_of_cpython() {
    for vector in vectors("text") {
        let text = vector["text"].as_str().unwrap();
        let ours = json!({
            "op": "text", "text": text, "strip": python::strip(text), "lstrip": python::lstrip(text), "rstrip": python::rstrip(text),
            "strip_chars": python::strip_chars(text, "a\n .*<>"), "lower": python::lower(text), "upper": python::upper(text),
            "casefold": python::casefold(text), "capitalize": python::capitalize(text), "split": python::split_whitespace(text),
            "splitlines": python::split_lines(text), "len": python::len(text), "escape": python::escape(text),
            "is": [python::is_upper(text), python::is_lower(text), python::is_alpha(text), python::is_digit(text), python::is_alnum(text)],
        });
        assert_eq!(ours, vector);
    }
}

#[test]
fn numbers_are_those_of_cpython() {
    for vector in vectors("number") {
        let text = vector["text"].as_str().unwrap();
        let ours = json!({
            "op": "number", "text": text, "float": python::float(text).map(python::repr_float),
            "int": python::int(text).map(|number| number.to_string()),
        });
        assert_eq!(ours, vector);
    }
    for vector in vectors("repr") {
        let text = vector["repr"].as_str().unwrap();
        assert_eq!(python::repr_float(text.parse().unwrap()), text, "{vector}");
    }
}

/// A quick answer for long texts, whatever is asked: no panic, and no work that grows with the square.
#[test]
fn a_long_text_is_searched() {
    let long = "The answer is $1,234.50 é\n".repeat(20_000);
    for pattern in [r"(-?[$0-9.,]{2,})|(-?[0-9]+)", r"\bé\b", r"(?<=The answer is )(.*)(?=.)", r"\s+$"] {
        let regex = Regex::new(pattern, Flags::default()).unwrap();
        assert!(regex.nth(&long, -1).unwrap().is_some(), "{pattern}");
    }
    let line = "a".repeat(2_000_000);
    let nested = Regex::new(r"(a+)+(?=b)", Flags::default()).unwrap();
    assert!(nested.search(&line[..64]).is_err() || nested.search(&line[..64]).unwrap().is_none());
    let _ = Regex::new(r"(.*)(?=b)", Flags::default()).unwrap().search(&line);
}
