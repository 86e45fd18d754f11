//! Replays what the references said about recorded samples; `tests/references/inspect_scorers.py --record` writes them.

use bench_scoring::testkit::replay;
use rules_inspect::{Answer, Choice, Includes, Match, Pattern};

#[test]
fn match_agrees_with_inspect() {
    replay::<Match>(include_str!("../../../../tests/references/vectors/match.jsonl"));
}

#[test]
fn includes_agrees_with_inspect() {
    replay::<Includes>(include_str!("../../../../tests/references/vectors/includes.jsonl"));
}

#[test]
fn answer_agrees_with_inspect() {
    replay::<Answer>(include_str!("../../../../tests/references/vectors/answer.jsonl"));
}

#[test]
fn pattern_agrees_with_inspect() {
    replay::<Pattern>(include_str!("../../../../tests/references/vectors/pattern.jsonl"));
}

#[test]
fn choice_agrees_with_inspect() {
    replay::<Choice>(include_str!("../../../../tests/references/vectors/choice.jsonl"));
}
