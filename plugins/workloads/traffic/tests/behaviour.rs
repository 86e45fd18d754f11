//! What traffic asks for, played without a backend.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::collections::{BTreeMap, BTreeSet};

use bench_sdk::types::{CacheMode, Metric, Role};
use bench_sdk::workload::{
    Arrivals, Decision, Facts, LoadStage, Measure, OpenLoop, PhaseMeasures, SessionKey, Shape, Step, Turn, Turns,
    Workload,
};
use bench_sdk::workload_kit::trial::{Played, facts, fitted, messages, play, play_all};
use proptest::prelude::*;
use workload_traffic::Traffic;

type Session = <Traffic as Workload>::Session;

fn key(index: u32) -> SessionKey {
    SessionKey { phase: "traffic".into(), warmup: false, index, seed: 7 }
}

fn played(params: &str, key: &SessionKey) -> Played {
    play::<Traffic>(params, &facts(None), key, |turn| Some(fitted(turn))).unwrap()
}

fn only_turn(params: &str, index: u32) -> Turn {
    let mut turns = played(params, &key(index)).turns;
    assert_eq!(turns.len(), 1);
    turns.remove(0)
}

/// The text that is the same for whoever shares it, without what the host appends.
fn made(turn: &Turn) -> &str {
    &messages(turn)[0].content
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn tokens(turn: &Turn) -> (u32, u32) {
    (turn.fit.as_ref().unwrap().prompt_tokens, turn.generation.max_tokens)
}

#[test]
fn without_a_word_it_is_a_closed_loop_of_cold_chats() {
    let (phases, sessions) = play_all::<Traffic>("", &facts(None), 1).unwrap();
    let Decision::Run(run) = &phases[0].decision else { panic!("{phases:?}") };
    assert_eq!((run.shape.clone(), run.sessions, run.repeats, run.turns), (Shape::ClosedLoop(8), 64, 1, 1));
    assert_eq!(sessions.len(), 68);
    for session in &sessions {
        let [turn] = session.turns.as_slice() else { panic!("{session:?}") };
        assert_eq!((tokens(turn), turn.generation.cache), ((512, 128), CacheMode::Cold));
        assert!(made(turn).is_empty() && turn.generation.force_length);
    }
    let salts: BTreeSet<_> = sessions.iter().map(|session| session.turns[0].generation.salt.clone()).collect();
    let offsets: BTreeSet<_> =
        sessions.iter().map(|session| session.turns[0].fit.as_ref().unwrap().offset % 73_550).collect();
    assert_eq!((salts.len(), offsets.len()), (68, 68));
    assert_eq!(Traffic::describe().corpora, ["prose"]);
}

#[test]
fn any_index_is_a_session_and_the_same_key_gives_the_same() {
    let params = r#"{"sessions": 1, "prompt-tokens": {"min": 10, "max": 99}}"#;
    assert_eq!(played(params, &key(1_000_000)), played(params, &key(1_000_000)));
    assert_ne!(only_turn(params, 5), only_turn(params, 6));
}

#[test]
fn lengths_are_drawn_for_each_session() {
    let params = r#"{"prompt-tokens": {"median": 300, "sigma": 0.8, "min": 20, "max": 4000}, "answer-tokens": {"min": 8, "max": 64}}"#;
    let sizes: Vec<(u32, u32)> = (0..500).map(|index| tokens(&only_turn(params, index))).collect();
    assert!(sizes.iter().all(|(prompt, answer)| (20..=4000).contains(prompt) && (8..=64).contains(answer)));
    let mut prompts: Vec<u32> = sizes.iter().map(|size| size.0).collect();
    prompts.sort_unstable();
    assert!((260..340).contains(&prompts[250]), "{}", prompts[250]);
    assert!(prompts.iter().collect::<BTreeSet<_>>().len() > 200);
}

#[test]
fn sessions_of_a_group_begin_alike_and_share_a_salt() {
    let params = r#"{"prefix-tokens": 300, "prefix-groups": 3, "prefix-share": 0.75, "prompt-tokens": 50}"#;
    let turns: Vec<Turn> = (0..400).map(|index| only_turn(params, index)).collect();
    let mut groups: BTreeMap<Option<String>, BTreeSet<&str>> = BTreeMap::new();
    let mut shared = 0;
    for turn in &turns {
        assert_eq!(tokens(turn), (350, 128));
        if turn.generation.cache == CacheMode::Warm {
            groups.entry(turn.generation.salt.clone()).or_default().insert(made(turn));
            assert_eq!(words(made(turn)), 300);
            shared += 1;
        } else {
            assert!(made(turn).is_empty());
        }
    }
    assert_eq!(groups.keys().flatten().collect::<Vec<_>>(), ["prefix-0", "prefix-1", "prefix-2"]);
    assert!(groups.values().all(|texts| texts.len() == 1));
    assert_eq!(groups.values().flatten().collect::<BTreeSet<_>>().len(), 3);
    assert!((270..330).contains(&shared), "{shared}");
    // Warm-up sessions take the groups in turn.
    let warm = |index| played(params, &SessionKey { warmup: true, ..key(index) }).turns[0].generation.salt.clone();
    assert_eq!(
        (warm(0), warm(1), warm(3)),
        (Some("prefix-0".into()), Some("prefix-1".into()), Some("prefix-0".into()))
    );
}

#[test]
fn a_turn_repeats_the_conversation_before_it() {
    let params = r#"{"turns": 3, "prompt-tokens": 100, "answer-tokens": 20}"#;
    let session = played(params, &key(0));
    assert_eq!(session.turns.iter().map(tokens).collect::<Vec<_>>(), [(100, 20), (220, 20), (340, 20)]);
    for (earlier, later) in session.turns.iter().zip(&session.turns[1..]) {
        let (before, after) = (messages(earlier), messages(later));
        assert_eq!(after.len(), before.len() + 2);
        // The last message of a turn is sent with the host's text in it, which `fitted` stands in for.
        assert_eq!(after[..before.len() - 1], before[..before.len() - 1]);
        assert_eq!(Some(&after[before.len() - 1].content), fitted(earlier).fitted.as_ref());
        let answer = &after[before.len()];
        assert_eq!((answer.role, words(&answer.content)), (Role::Assistant, 20));
        assert_eq!(later.fit.as_ref().unwrap().message as usize, after.len() - 1);
    }
    assert!(
        session.turns.iter().all(|turn| turn.generation.cache == CacheMode::Warm && turn.generation.salt.is_none())
    );
    let ids: BTreeSet<&str> = session.turns.iter().map(|turn| turn.id.as_str()).collect();
    assert_eq!(ids.len(), 3);
}

#[test]
fn what_does_not_fit_is_skipped_one_by_one() {
    let limit = facts(Some(300));
    let params = r#"{"turns": 3, "prompt-tokens": 100, "answer-tokens": 20}"#;
    let session = play::<Traffic>(params, &limit, &key(0), |_| None).unwrap();
    assert_eq!((session.turns.len(), session.skipped.len()), (2, 1));
    assert!(session.skipped[0].1.contains("340") && session.skipped[0].1.contains("300"), "{:?}", session.skipped);
    let phases = Traffic::plan(r#"{"prompt-tokens": {"min": 200, "max": 900}}"#.into(), limit.clone()).unwrap();
    let Decision::Skip(reason) = &phases[0].decision else { panic!("{phases:?}") };
    assert!(reason.contains("328"), "{reason}");
    let phases = Traffic::plan(r#"{"prompt-tokens": {"min": 20, "max": 900}}"#.into(), limit).unwrap();
    assert!(matches!(&phases[0].decision, Decision::Run(run) if run.largest_prompt == 900), "{phases:?}");
}

fn replayed(request: &str) -> Turn {
    only_turn(&format!(r#"{{"request": {request}, "prompt-tokens": 9, "turns": 5, "prefix-tokens": 9}}"#), 3)
}

#[test]
fn a_replayed_request_has_the_lengths_and_the_blocks_of_the_trace() {
    let first = replayed(r#"{"input": 1300, "output": 11, "prefix": [5, 6, 7], "block-tokens": 512}"#);
    let second = replayed(r#"{"input": 1540, "output": 12, "prefix": [5, 6, 8, 9], "block-tokens": 512}"#);
    let third = replayed(r#"{"input": 1100, "output": 12, "prefix": [4, 6, 9], "block-tokens": 512}"#);
    assert_eq!((tokens(&first), tokens(&second)), ((1300, 11), (1540, 12)));
    // The first block is shorter, for the template; the last one is left to the host.
    assert_eq!((words(made(&first)), words(made(&second))), (1024 - 40, 3 * 512 - 40));
    assert!(made(&second).starts_with(made(&first)));
    assert!(!made(&third).starts_with(&made(&first)[..100]));
    for turn in [&first, &second, &third] {
        assert_eq!((turn.generation.cache, turn.generation.salt.as_deref()), (CacheMode::Warm, Some("replay")));
    }
    // Equal requests are equal to the end, also from other sessions.
    let again =
        only_turn(r#"{"request": {"input": 1300, "output": 11, "prefix": [5, 6, 7], "block-tokens": 512}}"#, 99);
    assert_eq!((made(&again), &again.fit), (made(&first), &first.fit));
    assert_ne!(first.fit.as_ref().unwrap().offset, second.fit.as_ref().unwrap().offset);
}

#[test]
fn a_replayed_request_without_blocks_is_cold() {
    for request in
        [r#"{"input": 374, "output": 44}"#, r#"{"input": 374, "output": 44, "prefix": [], "block-tokens": 512}"#]
    {
        let turn = replayed(request);
        assert_eq!((tokens(&turn), turn.generation.cache), ((374, 44), CacheMode::Cold));
        assert!(made(&turn).is_empty());
    }
    // More blocks than the prompt has tokens for.
    let turn = replayed(r#"{"input": 100, "output": 1, "prefix": [1, 2, 3], "block-tokens": 512}"#);
    assert_eq!(words(made(&turn)), 60);
}

#[test]
fn shapes_are_those_of_the_interface() {
    let shape = |json: &str| {
        let phases = Traffic::plan(format!(r#"{{"shape": {json}}}"#), facts(None)).unwrap();
        match &phases[0].decision {
            Decision::Run(run) => run.shape.clone(),
            Decision::Skip(reason) => panic!("{reason}"),
        }
    };
    assert_eq!(shape(r#""sequential""#), Shape::Sequential);
    assert_eq!(shape(r#"{"closed-loop": 3}"#), Shape::ClosedLoop(3));
    assert_eq!(
        shape(
            r#"{"open-loop": {"arrivals": {"gamma": 0.5}, "stages": [{"seconds": 60, "from-rate": 1, "to-rate": 5.5}]}}"#
        ),
        Shape::OpenLoop(OpenLoop {
            arrivals: Arrivals::Gamma(0.5),
            stages: vec![LoadStage { seconds: 60.0, from_rate: 1.0, to_rate: 5.5 }],
        })
    );
}

#[test]
fn a_bad_parameter_is_named() {
    for (params, name) in [
        (r#"{"prompt-tokens": 0}"#, "prompt-tokens"),
        (r#"{"answer-tokens": {"min": 3}}"#, "answer-tokens"),
        (r#"{"prefix-share": 1.5}"#, "prefix-share"),
        (r#"{"prefix-groups": 0}"#, "prefix-groups"),
        (r#"{"shape": "closed"}"#, "shape"),
        (r#"{"shape": {"closed-loop": 0}}"#, "shape"),
        (r#"{"shape": {"open-loop": {"arrivals": "poisson", "stages": []}}}"#, "shape"),
        (
            r#"{"shape": {"open-loop": {"arrivals": {"gamma": -1}, "stages": [{"seconds": 1, "from-rate": 1, "to-rate": 1}]}}}"#,
            "shape",
        ),
        (
            r#"{"shape": {"open-loop": {"arrivals": "constant", "stages": [{"seconds": 0, "from-rate": 1, "to-rate": 1}]}}}"#,
            "shape",
        ),
        (r#"{"request": {"input": 0, "output": 1}}"#, "request"),
        (r#"{"request": {"input": 1, "output": 1, "prefix": [1, 2], "block-tokens": 4294967295}}"#, "request"),
        (r#"{"request": 1}"#, "request"),
    ] {
        let problem = Traffic::plan(params.into(), facts(None)).unwrap_err();
        assert_eq!(problem.code, "bad-parameter", "{params}");
        assert!(problem.message.contains(&format!("`{name}`")) && problem.hint.is_some(), "{problem:?}");
    }
    let elsewhere = SessionKey { phase: "elsewhere".into(), ..key(0) };
    assert_eq!(play::<Traffic>("", &facts(None), &elsewhere, |_| None).unwrap_err().code, "unknown-phase");
}

#[test]
fn the_summary_takes_what_there_is() {
    let measure = |name: &str, value| Measure {
        metric: Metric { name: name.into(), value, unit: "ms".into(), higher_is_better: Some(false) },
        half_width: None,
        samples: 5,
    };
    let phase = PhaseMeasures {
        phase: "traffic".into(),
        variables: Vec::new(),
        completed: 5,
        failed: 0,
        measures: vec![measure("other", 1.0), measure("e2e", f64::NAN), measure("ttft", 142.0)],
    };
    let summary = Traffic::summarise(vec![phase]).unwrap();
    assert_eq!(summary.headline.iter().map(|metric| metric.name.as_str()).collect::<Vec<_>>(), ["ttft"]);
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(
        params in prop_oneof![
            "\\PC{0,40}",
            "\\{\"(prompt-tokens|answer-tokens)\": ?\\{\"(min|mean|median)\": ?[0-9]{1,9}, ?\"(max|stddev|sigma)\": ?[0-9]{1,9}\\}\\}",
            (1_u32..20_000_000, 0_u64..2_000_000, 1_u32..65).prop_map(|(prompt, prefix, turns)| {
                format!(r#"{{"prompt-tokens": {prompt}, "prefix-tokens": {prefix}, "turns": {turns}}}"#)
            }),
            (any::<u32>(), prop::collection::vec(any::<u64>(), 0..5), 0_u32..2000).prop_map(|(input, prefix, block)| {
                format!(r#"{{"request": {{"input": {input}, "output": 1, "prefix": {prefix:?}, "block-tokens": {block}}}}}"#)
            }),
        ],
        context_length: Option<u64>,
        (quick, warmup) in any::<(bool, bool)>(),
        (index, seed) in any::<(u32, u64)>(),
    ) {
        let facts = Facts { quick, ..facts(context_length) };
        let _ = Traffic::plan(params.clone(), facts.clone());
        let session = Session::new(params, facts, SessionKey { phase: "traffic".into(), warmup, index, seed });
        let mut previous = None;
        for _ in 0..66 {
            match session.next(previous.take()) {
                Ok(Step::Turn(turn)) => previous = Some(fitted(&turn)),
                Ok(Step::Skip(_)) => {}
                Ok(Step::Done) => return Ok(()),
                Err(problem) => {
                    prop_assert!(problem.code.starts_with("bad-") || problem.code == "unknown-parameter");
                    return Ok(());
                }
            }
        }
        prop_assert!(false, "the session has no end");
    }
}
