//! What chat-long asks for, played without a backend. What it shares with chat-short is tested there.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::workload::{Decision, Facts, Workload};
use bench_sdk::workload_kit::trial::{facts, play_all};
use proptest::prelude::*;
use workload_chat_long::ChatLong;

#[test]
fn three_repeats_of_4096_and_1024_tokens() {
    let (_, sessions) = play_all::<ChatLong>("", &facts(Some(5120)), 1).unwrap();
    assert_eq!(sessions.iter().filter(|session| !session.warmup).count(), 3);
    for session in &sessions {
        assert_eq!(session.turns[0].generation.max_tokens, 1024);
        assert_eq!(session.turns[0].fit.as_ref().unwrap().prompt_tokens, 4096);
    }
    let names: Vec<String> = ChatLong::describe().corpora;
    assert_eq!(names, [sessions[0].turns[0].fit.as_ref().unwrap().corpus.clone()]);
}

#[test]
fn a_model_of_2048_tokens_skips_it() {
    let phases = ChatLong::plan(String::new(), facts(Some(2048))).unwrap();
    let Decision::Skip(reason) = &phases[0].decision else { panic!("{phases:?}") };
    assert!(reason.contains("4096 prompt + 1024 answer") && reason.contains("2048"), "{reason}");
    let quick = Facts { quick: true, ..facts(Some(2048)) };
    assert!(matches!(ChatLong::plan(String::new(), quick).unwrap()[0].decision, Decision::Run(_)));
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(params in "\\PC{0,40}|\\{\"[a-z-]{0,14}\": ?[0-9]{1,30}\\}", context_length: Option<u64>, quick: bool) {
        let _ = ChatLong::plan(params, Facts { quick, ..facts(context_length) });
    }
}
