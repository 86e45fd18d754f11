//! What chat-short asks for, played without a backend.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::collections::BTreeSet;

use bench_sdk::types::{CacheMode, Metric};
use bench_sdk::workload::{Decision, Facts, Measure, PhaseMeasures, SessionKey, Step, Turns, Workload};
use bench_sdk::workload_kit::trial::{facts, fitted, play, play_all};
use proptest::prelude::*;
use workload_chat_short::ChatShort;

type Session = <ChatShort as Workload>::Session;

#[test]
fn five_repeats_of_128_and_256_tokens_cold() {
    let (phases, sessions) = play_all::<ChatShort>("", &facts(Some(2048)), 1).unwrap();
    assert_eq!(phases.len(), 1);
    assert_eq!(sessions.iter().filter(|session| !session.warmup).count(), 5);
    assert_eq!(sessions.iter().filter(|session| session.warmup).count(), 1);
    for session in &sessions {
        let [turn] = session.turns.as_slice() else { panic!("{session:?}") };
        let generation = &turn.generation;
        assert_eq!((generation.max_tokens, generation.force_length, generation.cache), (256, true, CacheMode::Cold));
        assert_eq!(generation.sampling.temperature, Some(0.0));
        assert_eq!(turn.fit.as_ref().unwrap().prompt_tokens, 128);
    }
}

#[test]
fn no_prompt_comes_twice_and_the_same_key_gives_the_same_turn() {
    let (_, sessions) = play_all::<ChatShort>(r#"{"repeats": 200, "warmup": 50}"#, &facts(None), 1).unwrap();
    let places: BTreeSet<u64> =
        sessions.iter().map(|session| session.turns[0].fit.as_ref().unwrap().offset % 70_001).collect();
    let salts: BTreeSet<_> = sessions.iter().map(|session| session.turns[0].generation.salt.clone()).collect();
    assert_eq!((places.len(), salts.len()), (250, 250));
    let (_, again) = play_all::<ChatShort>(r#"{"repeats": 200, "warmup": 50}"#, &facts(None), 1).unwrap();
    assert_eq!(sessions, again);
    let (_, other_run) = play_all::<ChatShort>("", &facts(None), 2).unwrap();
    assert!(other_run.iter().all(|session| !salts.contains(&session.turns[0].generation.salt)));
}

#[test]
fn a_model_without_room_skips_with_the_figures() {
    let (phases, sessions) = play_all::<ChatShort>("", &facts(Some(383)), 1).unwrap();
    assert!(sessions.is_empty());
    let Decision::Skip(reason) = &phases[0].decision else { panic!("{phases:?}") };
    assert!(reason.contains("384") && reason.contains("383"), "{reason}");
}

#[test]
fn a_quick_run_is_short_unless_told_otherwise() {
    let quick = Facts { quick: true, ..facts(None) };
    let (phases, sessions) = play_all::<ChatShort>("", &quick, 1).unwrap();
    assert_eq!((phases.len(), sessions.len(), sessions[0].turns[0].generation.max_tokens), (1, 2, 32));
    let (_, sessions) = play_all::<ChatShort>(r#"{"answer-tokens": 8}"#, &quick, 1).unwrap();
    assert_eq!(sessions[0].turns[0].generation.max_tokens, 8);
}

#[test]
fn a_bad_parameter_or_phase_is_a_problem_of_plan_and_session() {
    let problem = ChatShort::plan(r#"{"promt-tokens": 1}"#.into(), facts(None)).unwrap_err();
    assert_eq!(problem.code, "unknown-parameter");
    assert!(problem.message.contains("promt-tokens") && problem.hint.unwrap().contains("prompt-tokens"));
    let key = SessionKey { phase: "elsewhere".into(), warmup: false, index: 0, seed: 0 };
    assert_eq!(play::<ChatShort>("{", &facts(None), &key, |_| None).unwrap_err().code, "bad-params");
    assert_eq!(play::<ChatShort>("", &facts(None), &key, |_| None).unwrap_err().code, "unknown-phase");
}

#[test]
fn the_summary_takes_what_there_is() {
    let measure = |name: &str, value| Measure {
        metric: Metric { name: name.into(), value, unit: "ms".into(), higher_is_better: Some(false) },
        half_width: None,
        samples: 5,
    };
    let phase = PhaseMeasures {
        phase: "chat".into(),
        variables: Vec::new(),
        completed: 5,
        failed: 0,
        measures: vec![measure("other", 1.0), measure("decode-rate", f64::NAN), measure("ttft", 142.0)],
    };
    let summary = ChatShort::summarise(vec![phase]).unwrap();
    assert_eq!(
        summary.headline.iter().map(|metric| (metric.name.as_str(), metric.value)).collect::<Vec<_>>(),
        [("ttft", 142.0)]
    );
    assert!(ChatShort::summarise(Vec::new()).unwrap().headline.is_empty());
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(
        params in prop_oneof![
            "\\PC{0,40}",
            Just(String::new()),
            (any::<u64>(), any::<i64>()).prop_map(|(a, b)| format!(r#"{{"prompt-tokens": {a}, "repeats": {b}}}"#)),
            (1_u64..1 << 24, 1..1000).prop_map(|(a, b)| format!(r#"{{"answer-tokens": {a}, "repeats": {b}}}"#)),
        ],
        context_length: Option<u64>,
        slots: Option<u32>,
        (tools, quick, warmup) in any::<(bool, bool, bool)>(),
        (index, seed) in any::<(u32, u64)>(),
    ) {
        let facts = Facts { model: String::new(), context_length, slots, tools, quick };
        let _ = ChatShort::plan(params.clone(), facts.clone());
        let session = Session::new(params, facts, SessionKey { phase: "chat".into(), warmup, index, seed });
        if let Ok(Step::Turn(turn)) = session.next(None) {
            prop_assert_eq!(session.next(Some(fitted(&turn))), Ok(Step::Done));
        }
    }
}
