//! Properties of the emission schedule, checked on the pure function.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sim::schedule::{Act, Ask, Beat, Item, first_token_ns, schedule};
use bench_sim::{FaultKind, Framing, Head, Jitter, Pace, RoleChunk, SimConfig};
use proptest::prelude::*;

fn any_config() -> impl Strategy<Value = SimConfig> {
    let head = prop_oneof![Just(Head::WithFirstEvent), (0..5_000_u64).prop_map(Head::AfterUs)];
    let pace = prop_oneof![Just(Pace::Chunk), Just(Pace::Token)];
    let jitter = prop_oneof![
        Just(Jitter::None),
        (0..20_000_u64).prop_map(Jitter::UniformUs),
        (0..20_000_u64).prop_map(Jitter::ExponentialUs)
    ];
    let role = prop_oneof![Just(RoleChunk::Absent), Just(RoleChunk::Early), Just(RoleChunk::WithFirstToken)];
    let framing = (0..4_u32, 0..3_u32, 1..5_u32).prop_map(|(comments, empty_choices, coalesce)| Framing {
        comments,
        empty_choices,
        coalesce,
        ..Framing::default()
    });
    let times = (5_000..50_000_u64, 0..20_000_u64, 0..10_000_u64, 0..5_000_u64);
    let pattern = prop::collection::vec(1..6_u32, 1..4);
    (head, pace, jitter, role, framing, times, pattern, any::<u64>()).prop_map(
        |(head, pace, jitter, role_chunk, framing, (ttft_us, prefill, gap_us, tail_us), chunk_tokens, seed)| {
            SimConfig {
                head,
                pace,
                jitter,
                role_chunk,
                framing,
                ttft_us,
                prefill_ns_per_token: prefill,
                gap_us,
                tail_us,
                chunk_tokens,
                seed,
                ..SimConfig::default()
            }
        },
    )
}

fn any_faults() -> impl Strategy<Value = Vec<FaultKind>> {
    let after = 0..50_u32;
    let fault = prop_oneof![
        (after.clone(), prop::option::of(0..50_000_u64))
            .prop_map(|(after_tokens, for_us)| FaultKind::Stall { after_tokens, for_us }),
        after.clone().prop_map(|after_tokens| FaultKind::Disconnect { after_tokens }),
        after.clone().prop_map(|after_tokens| FaultKind::BadJson { after_tokens }),
        after.prop_map(|after_tokens| FaultKind::ErrorEvent { after_tokens, message: "x".to_owned() }),
    ];
    prop::collection::vec(fault, 0..3)
}

fn any_ask() -> impl Strategy<Value = Ask> {
    (1..100_u64, any::<bool>(), any::<bool>(), 1..500_u32, 0..600_u32, 0..40_u32, 0..50_u32, any::<bool>()).prop_map(
        |(number, stream, chat, prompt_tokens, cached, tokens, reasoning, final_usage)| Ask {
            number,
            stream,
            chat,
            prompt_tokens,
            cached_tokens: cached.min(prompt_tokens),
            tokens,
            reasoning_tokens: reasoning.min(tokens),
            final_usage,
            faults: Vec::new(),
        },
    )
}

fn items(beats: &[Beat]) -> Vec<&Item> {
    beats
        .iter()
        .filter_map(|beat| if let Act::Write(items) = &beat.act { Some(items) } else { None })
        .flatten()
        .collect()
}

/// The token chunks with the times of their writes.
fn chunks(beats: &[Beat]) -> Vec<(u32, u32, u64)> {
    let mut found = Vec::new();
    for beat in beats {
        let Act::Write(items) = &beat.act else { continue };
        for item in items {
            if let Item::Tokens { from, to } = item {
                found.push((*from, *to, beat.at_ns));
            }
        }
    }
    found
}

proptest! {
    #[test]
    fn beats_never_go_back_in_time(config in any_config(), ask in any_ask(), faults in any_faults()) {
        let beats = schedule(&config, &Ask { faults, ..ask });
        prop_assert!(!beats.is_empty());
        prop_assert!(beats.is_sorted_by_key(|beat| beat.at_ns));
        prop_assert!(beats.iter().all(|beat| beat.at_ns < u64::MAX));
    }

    #[test]
    fn a_stream_has_every_token_once_between_one_head_and_one_end(config in any_config(), ask in any_ask()) {
        let beats = schedule(&config, &Ask { stream: true, ..ask.clone() });
        let items = items(&beats);
        prop_assert_eq!(items.first(), Some(&&Item::Head));
        prop_assert_eq!(items.last(), Some(&&Item::End));
        let count = |wanted: &Item| items.iter().filter(|item| **item == wanted).count();
        prop_assert_eq!((count(&Item::Head), count(&Item::Finish), count(&Item::End)), (1, 1, 1));
        prop_assert_eq!(count(&Item::Usage), usize::from(ask.final_usage));
        prop_assert_eq!(count(&Item::Role), usize::from(ask.chat && config.role_chunk != RoleChunk::Absent));
        let mut next = 0;
        for (from, to, _) in chunks(&beats) {
            prop_assert_eq!(from, next);
            prop_assert!(to > from);
            prop_assert!(to <= ask.reasoning_tokens || from >= ask.reasoning_tokens, "a chunk mixes channels");
            next = to;
        }
        prop_assert_eq!(next, ask.tokens);
    }

    #[test]
    fn without_jitter_chunk_k_is_due_k_gaps_after_the_first(config in any_config(), ask in any_ask()) {
        let config = SimConfig {
            jitter: Jitter::None,
            pace: Pace::Chunk,
            framing: Framing { coalesce: 1, ..config.framing },
            ..config
        };
        let first = first_token_ns(&config, &ask);
        prop_assert_eq!(
            first,
            config.ttft_us * 1_000 + config.prefill_ns_per_token * u64::from(ask.prompt_tokens - ask.cached_tokens)
        );
        for (index, (_, _, at_ns)) in chunks(&schedule(&config, &Ask { stream: true, ..ask })).into_iter().enumerate() {
            prop_assert_eq!(at_ns, first + u64::try_from(index).unwrap() * config.gap_us * 1_000);
        }
    }

    #[test]
    fn token_pace_makes_a_chunk_due_when_its_last_token_is(config in any_config(), ask in any_ask()) {
        let config = SimConfig {
            jitter: Jitter::None,
            pace: Pace::Token,
            framing: Framing { coalesce: 1, ..config.framing },
            ..config
        };
        let chunks = chunks(&schedule(&config, &Ask { stream: true, ..ask.clone() }));
        let Some((_, first_to, first_ns)) = chunks.first().copied() else { return Ok(()) };
        for (_, to, at_ns) in chunks {
            prop_assert_eq!(at_ns, first_ns + u64::from(to - first_to) * config.gap_us * 1_000);
        }
    }

    #[test]
    fn uniform_jitter_stays_within_its_bounds(config in any_config(), ask in any_ask(), bound in 0..20_000_u64) {
        let framing = Framing { coalesce: 1, ..config.framing };
        let exact = SimConfig { jitter: Jitter::None, framing, ..config };
        let moved = SimConfig { jitter: Jitter::UniformUs(bound), ..exact.clone() };
        let ask = Ask { stream: true, ..ask };
        for (exact, moved) in chunks(&schedule(&exact, &ask)).into_iter().zip(chunks(&schedule(&moved, &ask))) {
            prop_assert!(exact.2.abs_diff(moved.2) <= bound * 1_000);
        }
    }

    #[test]
    fn coalescing_groups_chunks_and_loses_none(config in any_config(), ask in any_ask(), group in 1..5_u32) {
        let one = SimConfig { framing: Framing { coalesce: 1, ..config.framing }, ..config };
        let many = SimConfig { framing: Framing { coalesce: group, ..one.framing }, ..one.clone() };
        let ask = Ask { stream: true, ..ask };
        let (one, many) = (chunks(&schedule(&one, &ask)), chunks(&schedule(&many, &ask)));
        prop_assert_eq!(one.len(), many.len());
        let group = usize::try_from(group).unwrap();
        for (index, (one_chunk, many_chunk)) in one.iter().zip(&many).enumerate() {
            prop_assert_eq!((one_chunk.0, one_chunk.1), (many_chunk.0, many_chunk.1));
            let last = (index / group * group + group - 1).min(one.len() - 1);
            prop_assert_eq!(many_chunk.2, one[last].2);
        }
    }

    #[test]
    fn a_stall_makes_everything_after_it_late_by_its_length(
        config in any_config(), ask in any_ask(), after_tokens in 0..50_u32, time in 0..50_000_u64,
    ) {
        let config = SimConfig { framing: Framing { coalesce: 1, ..config.framing }, ..config };
        let ask = Ask { stream: true, ..ask };
        let stalled = Ask { faults: vec![FaultKind::Stall { after_tokens, for_us: Some(time) }], ..ask.clone() };
        let (calm, late) = (schedule(&config, &ask), schedule(&config, &stalled));
        for (calm, late) in chunks(&calm).into_iter().zip(chunks(&late)) {
            let expected = if calm.1 > after_tokens { calm.2 + time * 1_000 } else { calm.2 };
            prop_assert_eq!(late.2, expected);
        }
        prop_assert_eq!(late.last().unwrap().at_ns, calm.last().unwrap().at_ns + time * 1_000);
    }

    #[test]
    fn a_break_leaves_no_token_after_it(config in any_config(), ask in any_ask(), after_tokens in 0..50_u32) {
        let ask = Ask { stream: true, ..ask };
        for fault in [
            FaultKind::Disconnect { after_tokens },
            FaultKind::Stall { after_tokens, for_us: None },
            FaultKind::ErrorEvent { after_tokens, message: "x".to_owned() },
        ] {
            let beats = schedule(&config, &Ask { faults: vec![fault], ..ask.clone() });
            prop_assert!(chunks(&beats).iter().all(|(_, to, _)| *to <= after_tokens));
            prop_assert!(!items(&beats).contains(&&Item::Finish));
        }
    }
}

#[test]
fn jitter_differs_between_requests_and_repeats_with_the_seed() {
    let config = SimConfig { jitter: Jitter::ExponentialUs(1_000), ..SimConfig::default() };
    let ask = |number| Ask { number, stream: true, tokens: 20, ..Ask::default() };
    assert_eq!(schedule(&config, &ask(1)), schedule(&config, &ask(1)));
    assert_ne!(schedule(&config, &ask(1)), schedule(&config, &ask(2)));
    let reseeded = SimConfig { seed: 1, ..config.clone() };
    assert_ne!(schedule(&config, &ask(1)), schedule(&reseeded, &ask(1)));
}

#[test]
fn a_head_that_waits_for_the_first_event_shares_its_write() {
    let config = SimConfig { head: Head::WithFirstEvent, role_chunk: RoleChunk::Absent, ..SimConfig::default() };
    let ask = Ask { stream: true, chat: true, tokens: 2, ..Ask::default() };
    let beats = schedule(&config, &ask);
    assert_eq!(
        beats.first(),
        Some(&Beat { at_ns: 20_000_000, act: Act::Write(vec![Item::Head, Item::Tokens { from: 0, to: 1 }]) })
    );
    let cut = Ask { faults: vec![FaultKind::Disconnect { after_tokens: 0 }], ..ask };
    assert_eq!(schedule(&config, &cut), vec![Beat { at_ns: 20_000_000, act: Act::Cut }]);
}
