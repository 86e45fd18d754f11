//! One answer in the words of each tool, by hand.

use bench_metrics::peers::{PEERS, Peer, PeerInput, PeerView, restate};
use bench_metrics::{Event, Expectation, RequestMetrics};

use super::stream::{Stream, asked, finish, reasoning, so_far, text, usage};

/// Taken up 3 ms before the first byte is written. From there: the role at 5, one token at 10, three at 30, an end by itself at 40,
/// the counts at 50.
fn stream() -> Stream {
    Stream::new()
        .read(5, [Event::Start])
        .read(10, [text(), so_far(1)])
        .read(30, [text(), so_far(4)])
        .read(40, [finish()])
        .read(50, [usage(100, 0, 4)])
}

fn view(stream: &Stream, asked: &Expectation, peer: Peer) -> PeerView {
    let metrics: RequestMetrics = stream.measure(asked);
    restate(&[PeerInput { observation: &stream.0, metrics: &metrics }], peer)
}

fn number(view: &PeerView, metric: &str, statistic: &str) -> Option<f64> {
    let found = view.numbers.iter().find(|number| number.metric == metric && number.statistic == statistic);
    found.map(|number| number.value)
}

#[track_caller]
fn expect(peer: Peer, numbers: &[(&str, &str, f64)]) {
    let found = view(&stream(), &asked(100, 4), peer);
    for (metric, statistic, value) in numbers {
        let number = number(&found, metric, statistic).unwrap_or_else(|| panic!("{metric} {statistic} in {found:?}"));
        assert!((number - value).abs() < 1e-9 * value.abs().max(1.0), "{metric} {statistic}: {number}, not {value}");
    }
}

#[test]
fn vllm_counts_messages_from_the_role_to_the_end() {
    // Messages 8, 13, 33 and 43 ms after the start.
    expect(
        Peer::Vllm,
        &[
            ("ttft_ms", "mean", 8.0),
            ("itl_ms", "mean", 35.0 / 3.0),
            ("itl_ms", "median", 10.0),
            // Deviations from 35/3 of 5, 20 and 10.
            ("itl_ms", "std", ((525.0 - 1225.0 / 3.0) / 3.0_f64).sqrt()),
            ("itl_ms", "p99", 10.0 + 0.98 * 10.0),
            ("e2el_ms", "p99", 43.0),
            ("tpot_ms", "mean", 35.0 / 3.0),
            ("request_throughput", "total", 1.0 / 0.053),
            ("output_throughput", "total", 4.0 / 0.053),
            ("total_token_throughput", "total", 104.0 / 0.053),
        ],
    );
    expect(Peer::VllmRs, &[("ttft_ms", "mean", 8.0), ("e2el_ms", "mean", 53.0), ("tpot_ms", "mean", 15.0)]);
}

#[test]
fn guidellm_has_the_prefill_in_its_time_per_token() {
    expect(
        Peer::Guidellm,
        &[
            ("time_to_first_token_ms", "median", 13.0),
            ("inter_token_latency_ms", "mean", 20.0 / 3.0),
            ("time_per_output_token_ms", "mean", 33.0 / 4.0),
            ("request_latency", "p95", 0.053),
        ],
    );
}

#[test]
fn nvidias_tools_differ_from_each_other() {
    expect(
        Peer::Aiperf,
        &[
            ("time_to_first_token", "mean", 13.0),
            ("inter_token_latency", "mean", 20.0 / 3.0),
            ("inter_chunk_latency", "max", 20.0),
            ("output_token_throughput_per_user", "median", 150.0),
            ("prefill_throughput", "min", 100.0 / 0.013),
            ("request_latency", "p90", 33.0),
        ],
    );
    expect(
        Peer::GenaiPerf,
        &[
            ("time_to_first_token", "mean", 8.0),
            ("inter_token_latency", "mean", 20.0 / 3.0),
            ("request_latency", "p99", 53.0),
        ],
    );
}

#[test]
fn inference_perf_puts_the_tokens_of_a_message_at_one_moment() {
    // 13, then three times 33: gaps of 20, 0 and 0.
    expect(
        Peer::InferencePerf,
        &[
            ("time_to_first_token", "mean", 0.013),
            ("inter_token_latency", "median", 0.0),
            ("inter_token_latency", "max", 0.020),
            ("inter_token_latency", "mean", 0.020 / 3.0),
            ("time_per_output_token", "mean", 0.020 / 3.0),
            ("normalized_time_per_output_token", "mean", 0.053 / 4.0),
        ],
    );
}

#[test]
fn sglang_ends_with_the_last_line_and_mlperf_with_the_answer() {
    expect(
        Peer::Sglang,
        &[
            ("ttft_ms", "mean", 13.0),
            ("itl_ms", "mean", 20.0),
            ("tpot_ms", "mean", 40.0 / 3.0),
            ("e2el_ms", "mean", 53.0),
        ],
    );
    expect(
        Peer::Mlperf,
        &[
            ("ttft_ms", "p90", 13.0),
            ("chunk_delta_ms", "p90", 20.0),
            ("tpot_ms", "p90", 40.0 / 3.0),
            ("tps_per_user", "1000 / p90", 75.0),
        ],
    );
}

#[test]
fn the_smaller_tools() {
    expect(
        Peer::Llmperf,
        &[
            ("ttft_s", "p25", 0.013),
            ("inter_token_latency_s", "mean", 0.033 / 4.0),
            ("request_output_throughput_token_per_s", "mean", 4.0 / 0.053),
            ("num_completed_requests_per_min", "total", 60.0 / 0.053),
        ],
    );
    expect(
        Peer::LlmSpeed,
        &[("ttft_ms", "median", 10.0), ("prefill_tps", "median", 10_000.0), ("decode_tps", "median", 150.0)],
    );
    expect(
        Peer::LlamaBenchy,
        &[
            ("ttfr_ms", "mean", 8.0),
            ("e2e_ttft_ms", "mean", 13.0),
            ("pp_tps", "mean", 12_500.0),
            ("tg_tps", "mean", 150.0),
        ],
    );
}

#[test]
fn reasoning_moves_the_first_token_of_some() {
    let stream = Stream::new()
        .read(10, [reasoning(), so_far(1)])
        .read(30, [text(), so_far(2)])
        .read(31, [finish(), usage(9, 0, 2)]);
    let first = |peer: Peer, metric: &str| number(&view(&stream, &asked(9, 2), peer), metric, "mean");
    assert_eq!(first(Peer::Mlperf, "ttft_ms"), Some(13.0));
    assert_eq!(first(Peer::Aiperf, "time_to_first_token"), Some(13.0));
    assert_eq!(first(Peer::Aiperf, "time_to_first_output_token"), Some(33.0));
    assert_eq!(first(Peer::Sglang, "ttft_ms"), Some(33.0));
    assert_eq!(first(Peer::InferencePerf, "time_to_first_token"), Some(0.033));
}

#[test]
fn an_end_that_shares_its_read_is_no_message_of_its_own() {
    let stream = Stream::new().read(10, [text(), so_far(1)]).read(30, [text(), so_far(2), finish()]);
    let found = view(&stream, &asked(9, 2), Peer::Vllm);
    assert_eq!((number(&found, "itl_ms", "mean"), number(&found, "e2el_ms", "mean")), (Some(20.0), Some(33.0)));
}

#[test]
fn what_a_run_does_not_have_is_left_out() {
    for peer in PEERS {
        let nothing = restate(&[], peer);
        assert_eq!((nothing.requests, nothing.numbers.len()), (0, 0), "{peer:?}");
        assert!(nothing.differs.len() >= 2 && nothing.differs.iter().all(|sentence| sentence.ends_with('.')));
        assert_eq!(Peer::named(peer.id()), Some(peer));
        assert_eq!(serde_json::to_value(peer).unwrap(), serde_json::Value::from(peer.id()));
        assert!(!peer.title().is_empty() && !peer.revision().is_empty());
        // An answer without content and without counts.
        let silent = view(&Stream::new().read(10, [finish()]), &asked(9, 2), peer);
        assert!(silent.numbers.iter().all(|number| number.value.is_finite()), "{silent:?}");
    }
    assert_eq!(Peer::named("nonsense"), None);
}
