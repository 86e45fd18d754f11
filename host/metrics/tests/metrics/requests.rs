//! One request, calculated by hand.

use bench_metrics::{Cache, Event, Finish, Flag, FragmentBasis, ServerTiming, TokenSource};

use super::stream::{MS, Stream, asked, finish, reasoning, stop, text, timing, usage};

fn close(found: Option<f64>, wanted: f64) {
    let found = found.unwrap();
    assert!((found - wanted).abs() <= 1e-9 * wanted.abs().max(1.0), "{found} is not {wanted}");
}

/// Role at 50 ms, tokens at 100, 110, 130, 140 ms, usage at the end.
fn four_tokens() -> Stream {
    Stream::new()
        .read(50, [Event::Start])
        .read(100, [text()])
        .read(110, [text()])
        .read(130, [text()])
        .read(140, [text(), finish()])
        .read(141, [usage(200, 0, 4)])
}

#[test]
fn times_and_rates_of_a_plain_stream() {
    let m = four_tokens().measure(&asked(200, 4));
    // First byte written at 1,005 ms, started at 1,002, intended at 1,000.
    close(m.ttft_ms, 100.0);
    close(m.ttft_started_ms, 103.0);
    close(m.ttft_intended_ms, 105.0);
    close(m.ttft_visible_ms, 100.0);
    close(m.first_chunk_ms, 50.0);
    close(Some(m.queue_ms), 2.0);
    close(m.connect_ms, 3.0);
    close(m.send_ms, 1.0);
    close(Some(m.wall_ms), 144.0);
    close(Some(m.e2e_ms), 146.0);
    // 200 prompt tokens in 100 ms; 3 tokens in the 40 ms after the first; 4 tokens in 144 ms.
    close(m.prefill_tps, 2000.0);
    close(m.decode_tps, 75.0);
    close(m.tpot_ms, 40.0 / 3.0);
    close(m.output_tps, 4000.0 / 144.0);
    assert_eq!(m.raw_timings, Some(vec![10.0, 20.0, 10.0]));
    assert_eq!(m.itl_chunk.each_ms, [10.0, 20.0, 10.0]);
    assert_eq!((m.chunks, m.reads, m.merged_reads), (4, 6, 0));
    assert_eq!(m.first_fragment_basis, FragmentBasis::OnePerChunk);
    assert_eq!(m.output_tokens_source, TokenSource::FinalUsage);
    assert_eq!(m.prompt_tokens_source, TokenSource::FinalUsage);
    assert_eq!(m.finish, Some(Finish::Length));
    assert_eq!(m.flags, []);
}

#[test]
fn too_few_tokens_have_no_percentiles() {
    let m = four_tokens().measure(&asked(200, 4));
    assert_eq!((m.decode_p50_latency_ms, m.decode_p95_latency_ms), (None, None));
}

#[test]
fn the_256_tokens_of_a_short_chat_have_p50_and_p95_but_no_p99() {
    let mut stream = Stream::new();
    for token in 0..256 {
        // A gap of 10 ms, every tenth of 30 ms.
        stream = stream.read(100 + token * 10 + token / 10 * 20, [text()]);
    }
    let m = stream.read(4000, [usage(128, 0, 256), finish()]).measure(&asked(128, 256));
    close(m.decode_p50_latency_ms, 10.0);
    // 25 of 255 gaps are 30 ms, so the 95th percentile is one of them.
    close(m.decode_p95_latency_ms, 30.0);
    assert_eq!(m.decode_p99_latency_ms, None);
    assert_eq!(m.raw_timings.unwrap().len(), 255);
}

#[test]
fn reasoning_ends_ttft_and_visible_text_is_kept_apart() {
    let m = Stream::new()
        .read(80, [reasoning()])
        .read(90, [text()])
        .read(95, [usage(10, 0, 2), finish()])
        .measure(&asked(10, 2));
    close(m.ttft_ms, 80.0);
    close(m.ttft_visible_ms, 90.0);
}

#[test]
fn an_answer_of_reasoning_alone_has_no_visible_ttft() {
    let m = Stream::new().read(80, [reasoning()]).read(90, [usage(10, 0, 1), finish()]).measure(&asked(10, 1));
    close(m.ttft_ms, 80.0);
    assert_eq!(m.ttft_visible_ms, None);
}

#[test]
fn an_empty_fragment_does_not_end_ttft() {
    let empty = Event::Fragment { channel: bench_metrics::Channel::Text, bytes: 0 };
    let m = Stream::new()
        .read(10, [empty])
        .read(80, [text()])
        .read(90, [text()])
        .read(95, [usage(10, 0, 2), finish()])
        .measure(&asked(10, 2));
    close(m.ttft_ms, 80.0);
    assert_eq!(m.chunks, 2);
    assert!(m.flags.contains(&Flag::EmptyFragments));
}

#[test]
fn a_cold_request_that_hit_a_cache_has_no_prefill_rate() {
    let m = Stream::new()
        .read(10, [text()])
        .read(20, [text()])
        .read(21, [usage(100, 64, 2), finish()])
        .measure(&asked(100, 2));
    assert_eq!(m.prefill_tps, None);
    assert!(m.flags.contains(&Flag::ColdHitCache));
    close(m.prefix_cache_hit_rate, 0.64);
}

#[test]
fn a_cold_request_without_a_cache_report_is_flagged() {
    let unknown = Event::Usage(bench_metrics::Usage { prompt: Some(100), completion: Some(1), ..Default::default() });
    let m = Stream::new().read(50, [text()]).read(51, [unknown, finish()]).measure(&asked(100, 1));
    close(m.prefill_tps, 2000.0);
    assert!(m.flags.contains(&Flag::ColdUnverified));
}

#[test]
fn a_warm_request_counts_only_what_was_computed() {
    let warm = bench_metrics::Expectation { cache: Cache::Warm, ..asked(100, 1) };
    let m = Stream::new().read(10, [text()]).read(20, [usage(100, 60, 1), finish()]).measure(&warm);
    close(m.prefill_tps, 4000.0);
    assert_eq!(m.flags, [Flag::SingleFragment]);
}

#[test]
fn a_warm_request_served_wholly_from_the_cache_has_no_prefill_rate() {
    let warm = bench_metrics::Expectation { cache: Cache::Warm, ..asked(100, 1) };
    let m = Stream::new().read(10, [text()]).read(20, [usage(100, 100, 1), finish()]).measure(&warm);
    assert_eq!(m.prefill_tps, None);
    close(m.prefix_cache_hit_rate, 1.0);
}

#[test]
fn a_warm_request_without_a_cache_report_has_no_prefill_rate() {
    let warm = bench_metrics::Expectation { cache: Cache::Warm, ..asked(100, 1) };
    let m = Stream::new().read(10, [text()]).read(20, [finish()]).measure(&warm);
    assert_eq!(m.prefill_tps, None);
    assert!(m.flags.contains(&Flag::CacheUnknown));
}

#[test]
fn one_fragment_has_no_decode_rate() {
    let m = Stream::new().read(10, [text()]).read(20, [usage(5, 0, 1), finish()]).measure(&asked(5, 1));
    assert_eq!((m.decode_tps, m.tpot_ms), (None, None));
    assert!(m.flags.contains(&Flag::SingleFragment));
}

#[test]
fn no_content_has_no_ttft() {
    let m = Stream::new().read(10, [Event::Start]).read(20, [usage(5, 0, 0), stop()]).measure(&asked(5, 1));
    assert_eq!((m.ttft_ms, m.prefill_tps, m.decode_tps, m.output_tps), (None, None, None, None));
    assert_eq!(m.flags, [Flag::NoOutput, Flag::ShorterThanAsked]);
}

#[test]
fn the_servers_own_rates_stand_beside_the_clients() {
    let own = ServerTiming {
        prefill_ms: Some(80.0),
        prefill_tokens: Some(200),
        decode_ms: Some(40.0),
        decode_tokens: Some(3),
        draft_tokens: Some(8),
        accepted_tokens: Some(6),
        queue_ms: Some(f64::NAN),
        ..ServerTiming::default()
    };
    let m = four_tokens().read(142, [timing(own)]).measure(&asked(200, 4));
    let server = m.server.unwrap();
    close(server.prefill_tps, 2500.0);
    close(server.decode_tps, 75.0);
    close(server.prefill_disagreement, -0.2);
    close(server.decode_disagreement, 0.0);
    assert_eq!(server.queue_ms, None);
    close(m.draft_acceptance_rate, 0.75);
    assert_eq!(m.flags, [Flag::ServerTimingInvalid, Flag::ServerPrefillDisagrees]);
}

#[test]
fn a_server_time_of_ages_is_none() {
    let own =
        |decode_ms| ServerTiming { decode_ms: Some(decode_ms), decode_tokens: Some(3), ..ServerTiming::default() };
    let m = four_tokens().read(142, [timing(own(1e300))]).measure(&asked(200, 4));
    assert_eq!(m.server.unwrap().decode_ms, None);
    assert_eq!(m.flags, [Flag::ServerTimingInvalid]);
    // A rate that no variance could be computed of is none either.
    let m = four_tokens().read(142, [timing(own(1e-300))]).measure(&asked(200, 4));
    assert_eq!(m.server.unwrap().decode_tps, None);
}

#[test]
fn a_broken_off_answer_keeps_what_arrived() {
    let mut stream = Stream::new().read(100, [text()]).read(110, [text()]);
    stream.0.completed = false;
    let m = stream.measure(&asked(200, 4));
    close(m.ttft_ms, 100.0);
    assert_eq!(m.decode_tps, None);
    for flag in [Flag::Incomplete, Flag::NoFinish, Flag::NoTokenCount] {
        assert!(m.flags.contains(&flag), "{flag:?}");
    }
}

#[test]
fn a_late_start_is_flagged_and_counts_from_the_intended_time() {
    let mut stream = four_tokens();
    stream.0.intended = 902 * MS;
    let m = stream.measure(&asked(200, 4));
    assert_eq!(m.flags, [Flag::Late]);
    close(m.ttft_intended_ms, 203.0);
    close(m.ttft_ms, 100.0);
}

#[test]
fn without_write_stamps_times_count_from_the_start() {
    let mut stream = four_tokens();
    (stream.0.first_byte_written, stream.0.last_byte_written) = (None, None);
    let m = stream.measure(&asked(200, 4));
    close(m.ttft_ms, 103.0);
    assert_eq!((m.connect_ms, m.send_ms), (None, None));
    assert_eq!(m.flags, [Flag::NoWriteStamp]);
}

#[test]
fn another_length_than_the_forced_one_is_flagged() {
    let forced = |output| bench_metrics::Expectation { forced_length: true, ..asked(200, output) };
    assert_eq!(four_tokens().measure(&forced(4)).flags, []);
    assert_eq!(four_tokens().measure(&forced(8)).flags, [Flag::LengthNotForced]);
    assert_eq!(four_tokens().measure(&forced(3)).flags, [Flag::LengthNotForced, Flag::LongerThanAsked]);
}

#[test]
fn a_free_answer_that_is_shorter_than_asked_is_flagged() {
    assert_eq!(four_tokens().measure(&asked(200, 8)).flags, [Flag::ShorterThanAsked]);
}

#[test]
fn a_prompt_count_that_differs_from_the_tokenizers_is_flagged() {
    let m = four_tokens().measure(&asked(199, 4));
    assert_eq!((m.prompt_tokens, m.prompt_tokens_counted), (Some(200), Some(199)));
    assert_eq!(m.flags, [Flag::PromptCountDiffers]);
}

#[test]
fn content_after_the_end_is_flagged() {
    let m = four_tokens().read(150, [text()]).measure(&asked(200, 4));
    assert!(m.flags.contains(&Flag::ContentAfterFinish));
    assert!(m.flags.contains(&Flag::MoreChunksThanTokens));
}
