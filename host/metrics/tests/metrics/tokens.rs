//! Which tokens came with which fragment.

use bench_metrics::{Event, Flag, FragmentBasis, TokenSource, Usage};

use super::stream::{Stream, asked, finish, reasoning, so_far, stop, text, usage};

#[test]
fn counts_with_each_chunk_say_what_each_fragment_carried() {
    // 2 tokens, then 3, then 1, as speculative decoding sends them.
    let m = Stream::new()
        .read(100, [text(), so_far(2)])
        .read(130, [text(), so_far(5)])
        .read(140, [text(), so_far(6), finish()])
        .measure(&asked(10, 6));
    assert_eq!(m.output_tokens, Some(6));
    assert_eq!(m.output_tokens_source, TokenSource::ChunkUsage);
    assert_eq!(m.first_fragment_basis, FragmentBasis::ChunkUsage);
    assert_eq!(m.first_fragment_tokens, Some(2));
    // 4 tokens in 40 ms, not 2 chunks in 40 ms.
    assert_eq!(m.decode_tps, Some(100.0));
    assert_eq!(m.raw_timings, Some(vec![10.0, 10.0, 10.0, 10.0]));
    assert!(m.raw_timings_derived);
    assert_eq!(m.itl_chunk.each_ms, [30.0, 10.0]);
    assert!(m.flags.contains(&Flag::TokenTimesDerived));
}

#[test]
fn an_end_token_without_text_is_output_but_not_decode_time() {
    // The role with a count of 0, two tokens of text, the end token, and the totals: as vLLM sends them.
    let m = Stream::new()
        .read(90, [Event::Start, so_far(0)])
        .read(100, [text(), so_far(1)])
        .read(120, [text(), so_far(2)])
        .read(140, [so_far(3), stop()])
        .read(141, [usage(10, 0, 3)])
        .measure(&asked(10, 8));
    assert_eq!((m.output_tokens, m.first_fragment_tokens), (Some(3), Some(1)));
    assert_eq!(m.decode_tps, Some(50.0));
    assert_eq!(m.raw_timings, Some(vec![20.0]));
}

#[test]
fn one_token_more_than_fragments_after_a_stop_is_the_end_token() {
    let m = Stream::new()
        .read(100, [text()])
        .read(120, [text()])
        .read(141, [usage(10, 0, 3), stop()])
        .measure(&asked(10, 8));
    assert_eq!(m.first_fragment_basis, FragmentBasis::OnePerChunk);
    assert_eq!(m.decode_tps, Some(50.0));
}

#[test]
fn token_ids_serve_where_counts_are_missing() {
    let m = Stream::new()
        .read(100, [text(), Event::TokenIds(2)])
        .read(120, [text(), Event::TokenIds(2)])
        .read(121, [finish()])
        .measure(&asked(10, 4));
    assert_eq!((m.output_tokens, m.output_tokens_source), (Some(4), TokenSource::TokenIds));
    assert_eq!((m.first_fragment_tokens, m.first_fragment_basis), (Some(2), FragmentBasis::TokenIds));
    assert_eq!(m.decode_tps, Some(100.0));
    assert_eq!((m.prompt_tokens, m.prompt_tokens_source), (Some(10), TokenSource::Tokenizer));
}

#[test]
fn a_token_without_text_goes_to_the_next_fragment() {
    let m = Stream::new()
        .read(100, [text(), Event::TokenIds(1)])
        .read(110, [Event::TokenIds(1)])
        .read(120, [text(), Event::TokenIds(1)])
        .read(121, [finish()])
        .measure(&asked(10, 3));
    assert_eq!(m.raw_timings, Some(vec![10.0, 10.0]));
    assert_eq!(m.decode_tps, Some(100.0));
}

#[test]
fn a_fragment_without_a_token_hands_its_gap_on() {
    // One chunk ends the reasoning and begins the text, so that its count follows two fragments.
    let m = Stream::new()
        .read(100, [reasoning(), so_far(1)])
        .read(110, [reasoning(), text(), so_far(2)])
        .read(120, [text(), so_far(2)])
        .read(130, [text(), so_far(3), finish()])
        .measure(&asked(10, 3));
    assert_eq!(m.first_fragment_basis, FragmentBasis::ChunkUsage);
    assert_eq!(m.raw_timings, Some(vec![10.0, 20.0]));
}

#[test]
fn a_total_alone_does_not_say_what_the_first_fragment_carried() {
    let m = Stream::new()
        .read(100, [text()])
        .read(150, [text()])
        .read(200, [text()])
        .read(201, [usage(10, 0, 31), finish()])
        .measure(&asked(10, 31));
    assert_eq!((m.first_fragment_tokens, m.first_fragment_basis), (Some(1), FragmentBasis::Estimated));
    assert_eq!(m.decode_tps, Some(300.0));
    assert_eq!(m.raw_timings, None);
    assert_eq!(m.itl_chunk.each_ms, [50.0, 50.0]);
    for flag in [Flag::FirstFragmentEstimated, Flag::TokenTimesUnknown] {
        assert!(m.flags.contains(&flag), "{flag:?}");
    }
}

#[test]
fn a_constant_count_with_every_chunk_is_not_believed() {
    for constant in [0, 1] {
        let m = Stream::new()
            .read(100, [text(), so_far(constant)])
            .read(110, [text(), so_far(constant)])
            .read(120, [text(), so_far(constant)])
            .read(130, [text(), so_far(constant)])
            .read(131, [usage(10, 0, 4), finish()])
            .measure(&asked(10, 4));
        assert_eq!(m.output_tokens_source, TokenSource::FinalUsage);
        assert_eq!(m.first_fragment_basis, FragmentBasis::OnePerChunk);
        assert_eq!(m.decode_tps, Some(100.0));
    }
}

#[test]
fn merged_reads_are_counted_and_not_spread() {
    let m = Stream::new()
        .read(100, [text()])
        .read(130, [text(), text(), text()])
        .read(140, [text()])
        .read(141, [usage(10, 0, 5), finish()])
        .measure(&asked(10, 5));
    assert_eq!(m.merged_reads, 1);
    assert_eq!(m.raw_timings, Some(vec![30.0, 0.0, 0.0, 10.0]));
    assert_eq!(m.decode_tps, Some(100.0));
    assert!(m.flags.contains(&Flag::MergedReads));
}

#[test]
fn everything_in_the_first_read_came_before_decoding_was_timed() {
    // Three fragments share the first stamp: the two tokens after it took 20 ms.
    let m = Stream::new()
        .read(100, [text(), text(), text()])
        .read(110, [text()])
        .read(120, [text()])
        .read(121, [usage(10, 0, 5), finish()])
        .measure(&asked(10, 5));
    assert_eq!(m.first_fragment_tokens, Some(3));
    assert_eq!(m.decode_tps, Some(100.0));
}

#[test]
fn a_tokenizer_counts_what_nobody_else_does() {
    let counted = bench_metrics::Expectation { output_tokens: Some(2), ..asked(10, 2) };
    let m = Stream::new().read(100, [text()]).read(110, [text()]).read(111, [finish()]).measure(&counted);
    assert_eq!((m.output_tokens, m.output_tokens_source), (Some(2), TokenSource::Tokenizer));
    assert_eq!(m.decode_tps, Some(100.0));
}

#[test]
fn more_reasoning_than_output_is_flagged() {
    let odd = Event::Usage(Usage { prompt: Some(10), cached: Some(0), completion: Some(2), reasoning: Some(40) });
    let m = Stream::new().read(100, [reasoning()]).read(110, [text()]).read(111, [odd, stop()]).measure(&asked(10, 8));
    assert!(m.flags.contains(&Flag::ReasoningExceedsOutput));
    assert_eq!(m.reasoning_tokens, Some(40));
}
