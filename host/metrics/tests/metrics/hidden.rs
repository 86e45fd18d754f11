//! Tokens that a backend counts and does not stream, and counts that its stream contradicts.

use bench_metrics::peers::{PEERS, Peer, PeerInput, restate};
use bench_metrics::{Event, Flag, FragmentBasis, RequestMetrics, ServerTiming, TokenSource, Usage};

use super::stream::{Stream, asked, reasoning, stop, text, timing, usage};

/// The last report of a service that says how many of the tokens are reasoning.
fn thought(completion: u64, reasoning: u64) -> Event {
    Event::Usage(Usage { prompt: Some(100), cached: Some(0), completion: Some(completion), reasoning: Some(reasoning) })
}

/// 400 tokens of reasoning that are not streamed, then 40 of text, 20 ms apart.
fn hidden(completion: u64, reasoning: u64) -> Stream {
    let words = (0..40).fold(Stream::new(), |stream, n| stream.read(8000 + 20 * n, [text()]));
    words.read(8790, [thought(completion, reasoning), stop()])
}

#[test]
fn hidden_reasoning_is_in_no_rate() {
    let m = hidden(440, 400).measure(&asked(100, 2048));
    assert_eq!((m.output_tokens, m.reasoning_tokens, m.streamed_tokens()), (Some(440), Some(400), Some(40)));
    assert_eq!(m.first_fragment_basis, FragmentBasis::OnePerChunk);
    // 39 tokens in 780 ms, not 439.
    assert_eq!(m.decode_tps, Some(50.0));
    assert_eq!(m.decode_p50_latency_ms, Some(20.0));
    assert!(m.output_tps.is_some_and(|rate| (4.0..5.0).contains(&rate)), "{:?}", m.output_tps);
    // TTFT is what the user waits, and the thinking is in it.
    assert_eq!((m.ttft_ms, m.prefill_tps), (Some(8000.0), None));
    assert!(m.flags.contains(&Flag::HiddenTokens));
}

#[test]
fn a_service_may_leave_reasoning_out_of_its_count() {
    for (completion, reasoning) in [(40, 400), (40, 30)] {
        let m = hidden(completion, reasoning).measure(&asked(100, 2048));
        assert_eq!((m.streamed_tokens(), m.decode_tps, m.prefill_tps), (Some(40), Some(50.0), None), "{reasoning}");
        assert!(m.flags.contains(&Flag::HiddenTokens));
    }
}

#[test]
fn what_was_streamed_may_be_unknown() {
    // A summary of 400 tokens of reasoning in 4 bytes.
    let summary = Stream::new()
        .read(3000, [reasoning()])
        .read(8000, [text()])
        .read(8020, [text()])
        .read(8040, [thought(440, 400), stop()])
        .measure(&asked(100, 2048));
    // More fragments than the tokens that are left.
    let crowded = hidden(440, 430).measure(&asked(100, 2048));
    // Nothing is said of reasoning, but two fragments of four bytes are no 440 tokens.
    let silent = Stream::new()
        .read(8000, [text()])
        .read(8020, [text()])
        .read(8040, [usage(100, 0, 440), stop()])
        .measure(&asked(100, 2048));
    for m in [summary, crowded, silent] {
        assert_eq!((m.streamed_tokens(), m.decode_tps, m.tpot_ms, m.output_tps), (None, None, None, None));
        assert_eq!((m.prefill_tps, m.first_fragment_basis), (None, FragmentBasis::None));
        assert!(m.flags.contains(&Flag::HiddenTokens));
    }
}

#[test]
fn streamed_reasoning_is_not_hidden() {
    let words = (0..100).fold(Stream::new(), |stream, n| stream.read(100 + 10 * n, [reasoning()]));
    let m = words.read(1100, [text()]).read(1101, [thought(101, 100), stop()]).measure(&asked(100, 2048));
    assert_eq!((m.streamed_tokens(), m.decode_tps), (Some(101), Some(100.0)));
    assert!(m.prefill_tps.is_some() && !m.flags.contains(&Flag::HiddenTokens));
}

#[test]
fn a_forced_length_may_have_tokens_without_text() {
    let stream = Stream::new().read(100, [text()]).read(200, [text()]).read(1100, [usage(100, 0, 101), stop()]);
    let mut forced = asked(100, 101);
    forced.forced_length = true;
    let m = stream.measure(&forced);
    assert_eq!(m.streamed_tokens(), Some(101));
    assert!(!m.flags.contains(&Flag::HiddenTokens));
}

#[test]
fn hidden_tokens_between_fragments_leave_no_rate() {
    let so_far = |completion, reasoning| {
        Event::Usage(Usage { completion: Some(completion), reasoning: Some(reasoning), ..Usage::default() })
    };
    let before = Stream::new()
        .read(1000, [text(), so_far(401, 400)])
        .read(1010, [text(), so_far(402, 400)])
        .read(1020, [text(), so_far(403, 400), stop()])
        .measure(&asked(100, 2048));
    assert_eq!((before.streamed_tokens(), before.decode_tps), (Some(3), Some(100.0)));
    let between = Stream::new()
        .read(1000, [text(), so_far(1, 0)])
        .read(5010, [text(), so_far(402, 400)])
        .read(5020, [text(), so_far(403, 400), stop()])
        .measure(&asked(100, 2048));
    assert_eq!((between.streamed_tokens(), between.decode_tps), (Some(3), None));
}

#[test]
fn every_peer_leaves_hidden_tokens_out() {
    let stream = hidden(440, 400);
    let metrics = stream.measure(&asked(100, 2048));
    let plain = hidden(40, 0);
    let bare = plain.measure(&asked(100, 2048));
    let of = |stream: &Stream, metrics: &RequestMetrics, peer: Peer| {
        restate(&[PeerInput { observation: &stream.0, metrics }], peer)
    };
    for peer in PEERS {
        let (with, without) = (of(&stream, &metrics, peer), of(&plain, &bare, peer));
        assert!(with.differs.iter().any(|sentence| sentence.starts_with("1 of 1 requests")), "{peer:?}");
        assert!(!without.differs.iter().any(|sentence| sentence.starts_with("1 of 1 requests")), "{peer:?}");
        for number in &with.numbers {
            assert!(without.numbers.contains(number), "{peer:?}: {number:?}");
        }
        let left_out: Vec<&str> = without
            .numbers
            .iter()
            .filter(|number| !with.numbers.contains(number))
            .map(|number| number.metric.as_str())
            .collect();
        let rates = ["prefill_throughput", "prefill_tps", "pp_tps", "est_ppt_ms"];
        assert!(left_out.iter().all(|metric| rates.contains(metric)), "{peer:?}: {left_out:?}");
    }
}

#[test]
fn no_tokens_beside_text_is_no_count() {
    let m = Stream::new()
        .read(100, [text()])
        .read(120, [text()])
        .read(121, [usage(0, 0, 0), stop()])
        .measure(&asked(100, 16));
    assert_eq!((m.output_tokens, m.output_tokens_source), (None, TokenSource::None));
    assert_eq!((m.decode_tps, m.output_tps, m.cached_tokens), (None, None, None));
    // The prompt was counted by the tokenizer.
    assert_eq!((m.prompt_tokens, m.prompt_tokens_source), (Some(100), TokenSource::Tokenizer));
    assert!(m.flags.contains(&Flag::CountContradicted) && m.flags.contains(&Flag::NoTokenCount));
    let ids = Stream::new()
        .read(100, [text(), Event::TokenIds(1)])
        .read(120, [text(), Event::TokenIds(1)])
        .read(121, [usage(100, 0, 0), stop()])
        .measure(&asked(100, 16));
    assert_eq!((ids.output_tokens, ids.output_tokens_source), (Some(2), TokenSource::TokenIds));
    assert_eq!(ids.decode_tps, Some(50.0));
}

#[test]
fn far_fewer_tokens_than_fragments_are_no_count() {
    let words = (0..40).fold(Stream::new(), |stream, n| stream.read(100 + 10 * n, [text()]));
    let m = words.read(491, [usage(100, 0, 1), stop()]).measure(&asked(100, 64));
    assert_eq!((m.output_tokens, m.decode_tps), (None, None));
    assert!(m.flags.contains(&Flag::CountContradicted));
}

#[test]
fn a_model_that_was_loaded_leaves_no_prefill_rate() {
    let load = |load_ms| {
        let own = ServerTiming { load_ms: Some(load_ms), ..ServerTiming::default() };
        Stream::new()
            .read(3100, [text()])
            .read(3120, [text()])
            .read(3121, [usage(100, 0, 2), timing(own), stop()])
            .measure(&asked(100, 2))
    };
    let (cold, warm) = (load(3000.0), load(12.0));
    assert_eq!((cold.prefill_tps, cold.ttft_ms, cold.decode_tps), (None, Some(3100.0), Some(50.0)));
    assert!(cold.flags.contains(&Flag::ModelLoaded));
    assert!(warm.prefill_tps.is_some() && !warm.flags.contains(&Flag::ModelLoaded));
}
