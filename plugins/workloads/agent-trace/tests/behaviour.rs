//! What agent-trace asks for, played without a backend: growth, reuse of the prefix, skips, and the two ways of writing the
//! conversation.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::collections::BTreeSet;

use bench_sdk::types::{CacheMode, Message, Metric, Role};
use bench_sdk::workload::{Decision, Facts, Measure, Outcome, PhaseMeasures, SessionKey, Shape, Turn, Workload};
use bench_sdk::workload_kit::trial::{Played, facts, fitted, messages, play, play_all};
use proptest::prelude::*;
use workload_agent_trace::AgentTrace;

const TARGETS: [u32; 10] = [1536, 3072, 4608, 6144, 7680, 9216, 11_264, 13_312, 14_848, 16_384];

fn with_tools(context_length: Option<u64>) -> Facts {
    Facts { tools: true, ..facts(context_length) }
}

fn key(index: u32) -> SessionKey {
    SessionKey { phase: "trace".into(), warmup: false, index, seed: 3 }
}

fn whole_story(facts: &Facts) -> Played {
    play::<AgentTrace>("", facts, &key(0), |turn| Some(fitted(turn))).unwrap()
}

/// The messages as they were sent, with the fitted text in its place.
fn as_sent(turn: &Turn) -> Vec<Message> {
    let mut sent = messages(turn).to_vec();
    let place = turn.fit.as_ref().unwrap().message as usize;
    sent[place].content = fitted(turn).fitted.unwrap();
    sent
}

#[test]
fn ten_turns_grow_to_16384_tokens_warm() {
    let played = whole_story(&with_tools(Some(32_768)));
    let targets: Vec<u32> = played.turns.iter().map(|turn| turn.fit.as_ref().unwrap().prompt_tokens).collect();
    assert_eq!(targets, TARGETS);
    let ids: BTreeSet<&str> = played.turns.iter().map(|turn| turn.id.as_str()).collect();
    assert_eq!(ids.len(), 10);
    for turn in &played.turns {
        let generation = &turn.generation;
        assert_eq!((generation.cache, generation.salt.as_deref()), (CacheMode::Warm, None));
        assert!(generation.force_length && (64..=256).contains(&generation.max_tokens), "{}", generation.max_tokens);
        assert_eq!(turn.fit.as_ref().unwrap().message as usize, messages(turn).len() - 1);
    }
}

#[test]
fn every_turn_begins_with_exactly_what_was_sent_before() {
    for facts in [with_tools(None), facts(None)] {
        let played = whole_story(&facts);
        for pair in played.turns.windows(2) {
            let (before, now) = (as_sent(&pair[0]), messages(&pair[1]));
            assert_eq!(now.get(..before.len()), Some(before.as_slice()));
            assert_eq!(now.len(), before.len() + 2);
            assert_eq!(pair[0].generation.tools, pair[1].generation.tools);
        }
    }
}

#[test]
fn without_outcomes_the_story_is_the_same_but_unfitted() {
    let facts = with_tools(None);
    let silent = |_: &Turn| None;
    let (first, second) =
        (play::<AgentTrace>("", &facts, &key(0), silent), play::<AgentTrace>("", &facts, &key(0), silent));
    assert_eq!(first, second);
    let turns = first.unwrap().turns;
    assert_eq!(turns.len(), 10);
    for pair in turns.windows(2) {
        let (before, now) = (messages(&pair[0]), messages(&pair[1]));
        let last = before.len() - 1;
        assert_eq!(now.get(..last), before.get(..last));
        assert_eq!(now[last].content, format!("{}{}", before[last].content, pair[0].suffix));
    }
}

#[test]
fn a_failed_turn_whose_text_was_sent_still_counts_as_prefix() {
    let failed = |turn: &Turn| Some(Outcome { ok: false, text: String::new(), ..fitted(turn) });
    let played = play::<AgentTrace>("", &with_tools(None), &key(0), failed).unwrap();
    assert_eq!(played, whole_story(&with_tools(None)));
}

#[test]
fn calls_and_results_belong_together() {
    let played = whole_story(&with_tools(None));
    let last = messages(played.turns.last().unwrap());
    let declared: BTreeSet<&str> = played.turns[0].generation.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(declared, ["list_dir", "read_file", "run_tests", "search", "write_file"].into());
    for tool in &played.turns[0].generation.tools {
        assert!(serde_json::from_str::<serde_json::Value>(&tool.parameters).unwrap().is_object());
    }
    assert_eq!(last[0].role, Role::System);
    for pair in last[2..].chunks(2) {
        let [call, result] = pair else { panic!("{pair:?}") };
        assert_eq!((call.role, result.role), (Role::Assistant, Role::Tool));
        assert_eq!(result.tool_call_id.as_ref(), Some(&call.tool_calls[0].id));
        assert!(call.tool_calls[0].id.len() == 9 && call.tool_calls[0].id.chars().all(|c| c.is_ascii_alphanumeric()));
        assert!(declared.contains(call.tool_calls[0].name.as_str()));
        assert!(serde_json::from_str::<serde_json::Value>(&call.tool_calls[0].arguments).unwrap().is_object());
    }
}

#[test]
fn without_tools_user_and_assistant_take_turns() {
    let played = whole_story(&facts(None));
    let last = messages(played.turns.last().unwrap());
    for (index, message) in last.iter().enumerate() {
        assert_eq!(message.role, if index % 2 == 0 { Role::User } else { Role::Assistant });
        assert!(message.tool_calls.is_empty() && message.tool_call_id.is_none());
    }
    assert!(played.turns.iter().all(|turn| turn.generation.tools.is_empty()));
    assert!(last[0].content.contains("run_tests") && last[1].content.contains("CALL list_dir"));
}

#[test]
fn turns_beyond_the_limit_are_skipped_with_the_reason() {
    let limit = Some(6144 + 128);
    let played = whole_story(&with_tools(limit));
    assert_eq!((played.turns.len(), played.skipped.len()), (4, 6));
    assert!(played.skipped[0].1.contains("7680") && played.skipped[0].1.contains("6272"), "{:?}", played.skipped);
    let phases = AgentTrace::plan(String::new(), with_tools(limit)).unwrap();
    let Decision::Run(run) = &phases[0].decision else { panic!("{phases:?}") };
    assert_eq!((run.shape.clone(), run.turns, run.largest_prompt), (Shape::Sequential, 4, 6144));
}

#[test]
fn nothing_follows_a_skipped_turn_even_where_it_would_fit() {
    // The second turn's answer has 64 tokens, the third's 96, the fourth's 128.
    let played =
        play::<AgentTrace>(r#"{"turn-tokens": "1000,1010"}"#, &with_tools(Some(1095)), &key(0), |_| None).unwrap();
    assert!(played.turns.is_empty() && played.skipped.len() == 2, "{played:?}");
    assert!(played.skipped[1].1.contains("skipped"));
}

#[test]
fn a_model_without_room_for_the_task_skips_the_phase() {
    let phases = AgentTrace::plan(String::new(), facts(Some(1024))).unwrap();
    assert!(matches!(&phases[0].decision, Decision::Skip(reason) if reason.contains("1536")), "{phases:?}");
}

#[test]
fn sessions_differ_from_their_first_words() {
    for facts in [with_tools(None), facts(None)] {
        let (_, sessions) = play_all::<AgentTrace>("", &facts, 5).unwrap();
        assert_eq!(sessions.len(), 4);
        let heads: BTreeSet<String> =
            sessions.iter().map(|session| messages(&session.turns[0])[0].content.chars().take(24).collect()).collect();
        assert_eq!(heads.len(), 4);
        let tools: BTreeSet<String> = sessions
            .iter()
            .filter_map(|session| session.turns[0].generation.tools.first())
            .map(|tool| tool.description.clone())
            .collect();
        assert!(tools.is_empty() || tools.len() == 4);
    }
}

#[test]
fn a_quick_run_has_three_short_turns() {
    let (_, sessions) = play_all::<AgentTrace>("", &Facts { quick: true, ..with_tools(None) }, 5).unwrap();
    assert_eq!((sessions.len(), sessions[0].turns.len()), (1, 3));
    assert!(sessions[0].turns.iter().all(|turn| turn.generation.max_tokens == 12));
}

#[test]
fn the_summary_takes_what_there_is() {
    let measure = |name: &str, value, unit: &str| Measure {
        metric: Metric { name: name.into(), value, unit: unit.into(), higher_is_better: None },
        half_width: None,
        samples: 3,
    };
    let phase = PhaseMeasures {
        phase: "trace".into(),
        variables: Vec::new(),
        completed: 30,
        failed: 0,
        measures: vec![
            measure("turn-time-p50", 900.0, "ms"),
            measure("wall", 9000.0, "ms"),
            measure("prefix-cache-hit-rate", 0.8, "ratio"),
        ],
    };
    let summary = AgentTrace::summarise(vec![phase]).unwrap();
    let names: Vec<&str> = summary.headline.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, ["wall", "turn-time-p50", "prefix-cache-hit-rate"]);
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(
        params in "\\PC{0,40}|\\{\"(turn-tokens|longest-answer)\": ?\\[?[0-9]{1,9}(,[0-9]{1,9}){0,4}\\]?\\}",
        context_length: Option<u64>,
        (tools, quick, ok) in any::<(bool, bool, bool)>(),
        (index, seed) in any::<(u32, u64)>(),
        sent in prop::option::of("\\PC{0,20}"),
    ) {
        let facts = Facts { tools, quick, ..facts(context_length) };
        let _ = AgentTrace::plan(params.clone(), facts.clone());
        let key = SessionKey { phase: "trace".into(), warmup: false, index, seed };
        let outcome = Outcome { ok, fitted: sent, text: String::new(), tool_calls: Vec::new(), prompt_tokens: Some(u64::MAX) };
        if let Ok(played) = play::<AgentTrace>(&params, &facts, &key, |_| Some(outcome.clone())) {
            prop_assert!(played.turns.len() + played.skipped.len() <= 10);
        }
    }
}
