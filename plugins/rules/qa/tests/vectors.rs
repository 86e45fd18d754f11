//! Replays what the references said about recorded samples; `tests/references/inspect_scorers.py --record` writes them.

use bench_scoring::testkit::replay;
use rules_qa::{Ruler, Squad};

#[test]
fn squad_agrees_with_the_official_script() {
    replay::<Squad>(include_str!("../../../../tests/references/vectors/squad.jsonl"));
}

#[test]
fn ruler_agrees_with_lm_eval() {
    replay::<Ruler>(include_str!("../../../../tests/references/vectors/ruler.jsonl"));
}
