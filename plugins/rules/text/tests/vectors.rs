//! What lm-eval said of some thousand answers, recorded by `tests/references/lm_eval.py`, said again.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_scoring::native::{answer, entry};
use serde_json::{Value, json};

fn grade(lines: &[Value]) -> Vec<Value> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let entries = [
        entry::<rules_text::ExactMatch>(),
        entry::<rules_text::Gsm8k>(),
        entry::<rules_text::MultipleChoice>(),
        entry::<rules_text::MultipleChoiceGenerative>(),
        entry::<rules_text::Gpqa>(),
        entry::<rules_text::Perplexity>(),
    ];
    answer(&entries, text.as_bytes()).unwrap()
}

fn near(a: &Value, b: &Value) -> bool {
    let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
    a == b || (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
}

#[test]
fn answers_are_graded_as_by_lm_eval() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/references/vectors/lm_eval.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let mut expected = Vec::new();
    let mut lines = Vec::new();
    for line in text.split_terminator('\n') {
        let mut line: Value = serde_json::from_str(line).unwrap();
        expected.push(line.as_object_mut().unwrap().remove("expect").unwrap());
        lines.push(line);
    }
    assert!(lines.len() >= 1_000);
    let verdicts = grade(&lines);
    assert_eq!(verdicts.len(), lines.len());
    for ((line, expected), verdict) in lines.iter().zip(&expected).zip(&verdicts) {
        assert!(near(&expected["value"], &verdict["value"]), "{line}\nlm-eval {expected}\nours {verdict}");
        for (name, score) in expected["sub_scores"].as_object().into_iter().flatten() {
            assert!(near(score, &verdict["sub_scores"][name]), "{name} of {line}\nlm-eval {expected}\nours {verdict}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_line_is_said() {
    let lines = [json!({ "scorer": "gsm8k", "sample": { "answer": "5", "target": null } })];
    let reason = grade(&lines)[0]["reason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("grader-failed: bad-target"), "{reason}");
}
