//! What a lying driver gets, and that nothing makes the host panic or run out of memory.

use bench_metrics::{
    Cache, Channel, Event, Expectation, Finish, Inconsistency, Located, MAX_TOKENS, Observation, ServerTiming, Usage,
    request,
};
use proptest::prelude::*;

use super::stream::{MS, Stream, asked, finish, so_far, text, usage};

fn codes(stream: &Stream) -> Vec<&'static str> {
    request(&stream.0, &asked(10, 10)).unwrap_err().iter().map(Inconsistency::code).collect()
}

#[test]
fn a_read_that_never_happened_is_an_error() {
    let mut stream = Stream::new().read(10, [text()]);
    stream.0.events.push(Located { read: 7, event: text() });
    assert_eq!(codes(&stream), ["read-out-of-range"]);
    let error = request(&stream.0, &asked(1, 1)).unwrap_err().remove(0);
    assert_eq!(error.to_string(), "event 1 names read 7, but there were 1 reads");
    assert!(error.hint().is_some());
}

#[test]
fn events_that_go_back_are_an_error() {
    let mut stream = Stream::new().read(10, [text()]).read(20, [text()]);
    stream.0.events.push(Located { read: 0, event: text() });
    assert_eq!(codes(&stream), ["events-out-of-order"]);
}

#[test]
fn stamps_that_go_back_are_an_error() {
    let mut stream = Stream::new().read(10, [text()]).read(20, [text()]).read(30, [finish()]);
    stream.0.reads.swap(0, 1);
    assert_eq!(codes(&stream), ["stamps-out-of-order"]);
    let mut stream = Stream::new().read(10, [text()]);
    stream.0.started = 2000 * MS;
    assert!(codes(&stream).iter().all(|code| *code == "stamps-out-of-order"));
}

#[test]
fn counts_that_fall_are_an_error() {
    assert_eq!(codes(&Stream::new().read(10, [text(), so_far(5)]).read(20, [text(), so_far(4)])), ["count-decreased"]);
    let prompt = |n| Event::Usage(Usage { prompt: Some(n), ..Usage::default() });
    assert_eq!(codes(&Stream::new().read(10, [prompt(5), prompt(4), prompt(3)])), ["count-decreased"]);
}

#[test]
fn more_cached_than_prompt_is_an_error() {
    assert_eq!(codes(&Stream::new().read(10, [text(), usage(10, 11, 1)])), ["cached-exceeds-prompt"]);
}

#[test]
fn fewer_tokens_than_ids_is_an_error() {
    let stream = Stream::new().read(10, [text(), Event::TokenIds(3)]).read(20, [usage(10, 0, 2)]);
    assert_eq!(codes(&stream), ["fewer-tokens-than-ids"]);
}

#[test]
fn an_absurd_count_is_an_error_and_costs_no_memory() {
    let stream = Stream::new().read(10, [text(), so_far(1)]).read(20, [text(), so_far(u64::MAX)]);
    assert_eq!(codes(&stream), ["implausible-count"]);
    let stream = Stream::new().read(10, [text(), so_far(1)]).read(20, [text(), so_far(MAX_TOKENS)]);
    assert!(request(&stream.0, &asked(10, 10)).is_ok());
}

fn event() -> impl Strategy<Value = Event> {
    let small = || proptest::option::of(prop_oneof![0_u64..20, Just(u64::MAX), any::<u64>()]);
    let time = || proptest::option::of(any::<f64>());
    prop_oneof![
        Just(Event::Start),
        (0_u32..3).prop_map(|bytes| Event::Fragment { channel: Channel::Text, bytes }),
        (0_u32..3).prop_map(|bytes| Event::Fragment { channel: Channel::ToolCall, bytes }),
        prop_oneof![0_u32..4, any::<u32>()].prop_map(Event::TokenIds),
        (small(), small(), small(), small()).prop_map(|(prompt, cached, completion, reasoning)| Event::Usage(Usage {
            prompt,
            cached,
            completion,
            reasoning
        })),
        (time(), time(), small(), time(), small()).prop_map(
            |(queue_ms, prefill_ms, prefill_tokens, decode_ms, decode_tokens)| {
                let rest = ServerTiming {
                    draft_tokens: decode_tokens,
                    accepted_tokens: prefill_tokens,
                    ..ServerTiming::default()
                };
                Event::ServerTiming(ServerTiming {
                    queue_ms,
                    prefill_ms,
                    prefill_tokens,
                    decode_ms,
                    decode_tokens,
                    ..rest
                })
            }
        ),
        Just(Event::Finish(Finish::Stop)),
        Just(Event::Error),
        Just(Event::Other),
    ]
}

fn anything() -> impl Strategy<Value = Observation> {
    let stamp = || prop_oneof![0_u64..100, any::<u64>()];
    let located = (0_u32..6, event()).prop_map(|(read, event)| Located { read, event });
    let events = proptest::collection::vec(located, 0..12);
    let reads = proptest::collection::vec(stamp(), 0..6);
    (
        stamp(),
        stamp(),
        proptest::option::of(stamp()),
        proptest::option::of(stamp()),
        stamp(),
        reads,
        events,
        any::<bool>(),
    )
        .prop_map(|(intended, started, first_byte_written, last_byte_written, ended, reads, events, completed)| {
            Observation { intended, started, first_byte_written, last_byte_written, ended, reads, events, completed }
        })
}

/// A stream that contradicts nothing: stamps ascend, events go forward, counts grow.
fn honest() -> impl Strategy<Value = (Observation, u64)> {
    proptest::collection::vec((0_u64..50, 0_u64..4, 1_u32..9), 1..60).prop_map(|chunks| {
        let mut stream = Stream::new();
        let (mut at, mut total) = (10, 0);
        for (gap, tokens, bytes) in chunks {
            at += gap;
            total += if total == 0 { tokens.max(1) } else { tokens };
            stream = stream.read(at, [Event::Fragment { channel: Channel::Text, bytes }, so_far(total)]);
        }
        (stream.read(at + 1, [usage(100, 0, total), finish()]).0, total)
    })
}

proptest! {
    #[test]
    fn nothing_panics_and_every_number_is_finite(seen in anything(), cold: bool, forced: bool, prompt: Option<u64>, output: Option<u64>) {
        let cache = if cold { Cache::Cold } else { Cache::Warm };
        let asked = Expectation { prompt_tokens: prompt, output_tokens: output, requested_output: 5, cache, forced_length: forced };
        match request(&seen, &asked) {
            Err(found) => prop_assert!(!found.is_empty()),
            Ok(metrics) => {
                let json = serde_json::to_string(&metrics).unwrap();
                // JSON has no NaN: a number that is none would come back as null, and unequal.
                let back: bench_metrics::RequestMetrics = serde_json::from_str(&json).unwrap();
                prop_assert_eq!(back, metrics);
            }
        }
    }

    #[test]
    fn the_same_observation_yields_the_same_metrics((seen, _) in honest()) {
        prop_assert_eq!(request(&seen, &asked(100, 10)), request(&seen, &asked(100, 10)));
    }

    #[test]
    fn shifting_every_stamp_changes_nothing((seen, _) in honest(), shift in 0_u64..1 << 40) {
        let mut later = seen.clone();
        for stamp in [&mut later.intended, &mut later.started, &mut later.ended] {
            *stamp += shift;
        }
        later.first_byte_written = later.first_byte_written.map(|at| at + shift);
        later.last_byte_written = later.last_byte_written.map(|at| at + shift);
        later.reads.iter_mut().for_each(|at| *at += shift);
        prop_assert_eq!(request(&seen, &asked(100, 10)), request(&later, &asked(100, 10)));
    }

    #[test]
    fn token_times_add_up_to_the_decode_time((seen, total) in honest()) {
        let metrics = request(&seen, &asked(100, 1000)).unwrap();
        prop_assert_eq!(metrics.output_tokens, Some(total));
        if let (Some(raw), Some(rate)) = (&metrics.raw_timings, metrics.decode_tps) && metrics.first_fragment_basis == bench_metrics::FragmentBasis::ChunkUsage {
            let trailing: f64 = metrics.itl_chunk.each_ms.iter().sum::<f64>() - raw.iter().sum::<f64>();
            let tokens = raw.len() as f64;
            // What is left over are fragments at the end that brought no token.
            prop_assert!(trailing >= -1e-6);
            prop_assert!((tokens / (raw.iter().sum::<f64>() + trailing) * 1000.0 - rate).abs() < 1e-6 * rate);
        }
    }
}
