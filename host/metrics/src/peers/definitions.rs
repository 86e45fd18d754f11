//! The definitions of each tool, as read in its source.

use crate::observation::Channel;

use super::Peer;
use super::seen::{Piece, Seen, gaps};
use super::statistics::Statistic::{self, Max, Mean, Median, Min, Percentile, RateAt, Sd};

/// Takes a value of a metric.
type Sink<'a> = dyn FnMut(&'static str, f64) + 'a;

/// A metric's name, its unit, and the statistics that the tool prints of it.
type Metric = (&'static str, &'static str, &'static [Statistic]);

/// How a tool measures.
pub(super) struct Definition {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) revision: &'static str,
    pub(super) metrics: &'static [Metric],
    pub(super) measure: fn(&Seen<'_>, &mut Sink<'_>),
    /// Tokens produced, as the tool counts them.
    pub(super) output: fn(&Seen<'_>) -> Option<u64>,
    pub(super) totals: Totals,
    pub(super) differs: &'static [&'static str],
}

/// Which rates of the whole run a tool prints.
#[derive(Clone, Copy)]
pub(super) enum Totals {
    None,
    PerSecond,
    PerMinute,
}

const BY_VLLM: &[Statistic] = &[Mean, Median, Sd, Percentile(99)];
const BY_GUIDELLM: &[Statistic] = &[Mean, Median, Percentile(95), Percentile(99)];
const BY_NVIDIA: &[Statistic] = &[Mean, Min, Max, Percentile(99), Percentile(90), Median, Sd];
const BY_INFERENCE_PERF: &[Statistic] = &[Mean, Min, Median, Percentile(90), Percentile(99), Max];
const BY_MLPERF: &[Statistic] = &[Percentile(90), Median, Percentile(99), Mean];
const BY_LLMPERF: &[Statistic] =
    &[Percentile(25), Median, Percentile(75), Percentile(90), Percentile(95), Percentile(99), Mean, Min, Max];
const BY_LLM_SPEED: &[Statistic] = &[Median, Percentile(95)];
const BY_LLAMA_BENCHY: &[Statistic] = &[Mean, Sd];

const TEXT: &[Channel] = &[Channel::Text];
const WORDS: &[Channel] = &[Channel::Text, Channel::Reasoning];
const ANY: &[Channel] = &[Channel::Text, Channel::Reasoning, Channel::ToolCall];

pub(super) fn of(peer: Peer) -> &'static Definition {
    match peer {
        Peer::Vllm => &VLLM,
        Peer::VllmRs => &VLLM_RS,
        Peer::Guidellm => &GUIDELLM,
        Peer::Aiperf => &AIPERF,
        Peer::InferencePerf => &INFERENCE_PERF,
        Peer::Sglang => &SGLANG,
        Peer::Mlperf => &MLPERF,
        Peer::GenaiPerf => &GENAI_PERF,
        Peer::Llmperf => &LLMPERF,
        Peer::LlmSpeed => &LLM_SPEED,
        Peer::LlamaBenchy => &LLAMA_BENCHY,
    }
}

/// Tokens as the backend or its tokenizer counts them.
fn reported(seen: &Seen<'_>) -> Option<u64> {
    seen.metrics.streamed_tokens()
}

/// Hands on `value` where there is one.
fn give(sink: &mut Sink<'_>, metric: &'static str, value: Option<f64>) {
    if let Some(value) = value {
        sink(metric, value);
    }
}

/// `part / (tokens − 1)`, where there are at least two tokens.
fn per_later_token(part: f64, tokens: Option<f64>) -> Option<f64> {
    tokens.filter(|tokens| *tokens > 1.0).map(|tokens| part / (tokens - 1.0))
}

fn ends(pieces: &[Piece]) -> Option<(u64, u64)> {
    Some((pieces.first()?.at, pieces.last()?.at))
}

const VLLM_METRICS: &[Metric] =
    &[("ttft_ms", "ms", BY_VLLM), ("tpot_ms", "ms", BY_VLLM), ("itl_ms", "ms", BY_VLLM), ("e2el_ms", "ms", BY_VLLM)];

/// First and later choices, and an end that each caller chooses.
fn choices(seen: &Seen<'_>, end: Option<u64>, tokens: Option<f64>, sink: &mut Sink<'_>) {
    let (Some(first), Some(end)) = (seen.choices.first(), end) else { return };
    let (ttft, latency) = (seen.since_start(*first), seen.since_start(end));
    sink("ttft_ms", ttft);
    give(sink, "tpot_ms", per_later_token(latency - ttft, tokens));
    for gap in gaps(seen.choices.iter().copied()) {
        sink("itl_ms", gap);
    }
    sink("e2el_ms", latency);
}

static VLLM: Definition = Definition {
    id: "vllm",
    title: "vllm bench serve (Python)",
    revision: "vllm-project/vllm vllm/benchmarks/serve.py@009e6d4, lib/endpoint_request_func.py@02cfb53",
    metrics: VLLM_METRICS,
    measure: |seen, sink| choices(seen, seen.choices.last().copied(), seen.output(), sink),
    output: reported,
    totals: Totals::PerSecond,
    differs: &[
        "TTFT runs from the moment at which the request leaves the client's queue, connecting included, to the first message with a choice, even one that only names the role.",
        "ITL is the gap between messages, pooled over all requests: one of several tokens counts once, and so does an empty one at the end.",
        "TPOT is the time from that first message to the last divided by the tokens less one, over requests of at least two tokens.",
        "E2E ends at the last message with a choice; the message with the token counts is not in it.",
        "Waiting for a free slot is in none of its times (coordinated omission).",
    ],
};

static VLLM_RS: Definition = Definition {
    id: "vllm-rs",
    title: "vllm-bench (Rust)",
    revision: "vllm-project/vllm-bench@f313182 (v0.1.0)",
    metrics: VLLM_METRICS,
    measure: |seen, sink| {
        let tokens = seen.output().or(Some(seen.choices.len() as f64));
        choices(seen, seen.any.map(|(_, last)| last), tokens, sink);
    },
    output: |seen| reported(seen).or(Some(seen.choices.len() as u64)),
    totals: Totals::PerSecond,
    differs: &[
        "TTFT runs from the moment at which the request leaves the client's queue, connecting included, to the first message with a choice, even one that only names the role.",
        "ITL is the gap between messages, pooled over all requests: one of several tokens counts once, and so does an empty one at the end.",
        "TPOT and E2E run to the last message of any kind, the one with the token counts included.",
        "Where the server reports no tokens, it counts messages in their place.",
        "Its clock starts anew with each silent retry; here the time of a request that was sent again counts from the first.",
    ],
};

static GUIDELLM: Definition = Definition {
    id: "guidellm",
    title: "GuideLLM",
    revision: "vllm-project/guidellm@ee7a774",
    metrics: &[
        ("request_latency", "s", BY_GUIDELLM),
        ("time_to_first_token_ms", "ms", BY_GUIDELLM),
        ("inter_token_latency_ms", "ms", BY_GUIDELLM),
        ("time_per_output_token_ms", "ms", BY_GUIDELLM),
    ],
    measure: |seen, sink| {
        sink("request_latency", seen.whole() / 1000.0);
        let Some((first, last)) = ends(&seen.pieces) else { return };
        let (ttft, until_last) = (seen.since_start(first), seen.since_start(last));
        sink("time_to_first_token_ms", ttft);
        give(sink, "inter_token_latency_ms", per_later_token(until_last - ttft, seen.output()));
        give(sink, "time_per_output_token_ms", seen.output().filter(|n| *n > 0.0).map(|n| until_last / n));
    },
    output: reported,
    totals: Totals::PerSecond,
    differs: &[
        "ITL is one number per request: the time from the first to the last token divided by the tokens less one. It keeps no times of single tokens.",
        "TPOT holds the prefill: the time from the start to the last token divided by all tokens.",
        "It reads the wall clock, which can be set while a request runs.",
    ],
};

static AIPERF: Definition = Definition {
    id: "aiperf",
    title: "NVIDIA AIPerf",
    revision: "ai-dynamo/aiperf, sources of October 2025 and documents of 2026",
    metrics: &[
        ("time_to_first_token", "ms", BY_NVIDIA),
        ("time_to_first_output_token", "ms", BY_NVIDIA),
        ("inter_token_latency", "ms", BY_NVIDIA),
        ("inter_chunk_latency", "ms", BY_NVIDIA),
        ("output_token_throughput_per_user", "tok/s", BY_NVIDIA),
        ("prefill_throughput", "tok/s", BY_NVIDIA),
        ("request_latency", "ms", BY_NVIDIA),
    ],
    measure: |seen, sink| {
        let pieces = seen.of_channels(WORDS);
        let Some((first, last)) = ends(&pieces) else { return };
        let (ttft, latency) = (seen.since_start(first), seen.since_start(last));
        sink("time_to_first_token", ttft);
        let shown = seen.of_channels(TEXT).first().map(|piece| seen.since_start(piece.at));
        give(sink, "time_to_first_output_token", shown);
        let itl = per_later_token(latency - ttft, seen.output());
        give(sink, "inter_token_latency", itl);
        for gap in gaps(pieces.iter().map(|piece| piece.at)) {
            sink("inter_chunk_latency", gap);
        }
        give(sink, "output_token_throughput_per_user", itl.map(|itl| 1000.0 / itl));
        let prompt = seen.prompt();
        give(sink, "prefill_throughput", prompt.map(|tokens| tokens / ttft * 1000.0));
        sink("request_latency", latency);
    },
    output: reported,
    totals: Totals::PerSecond,
    differs: &[
        "ITL is one number per request: the time from the first to the last content divided by the tokens less one, whatever number came with the first message. The gaps between messages are called inter-chunk latency.",
        "Its rate per user is the inverse of that ITL, so the prefill is not in it.",
        "Its prefill rate counts all tokens of the prompt, those served from a cache included.",
        "The answer ends with its last content; tool calls are not content.",
        "By default it counts tokens by tokenizing the text again; here they are the backend's.",
    ],
};

static INFERENCE_PERF: Definition = Definition {
    id: "inference-perf",
    title: "inference-perf (Kubernetes)",
    revision: "kubernetes-sigs/inference-perf@7de5ef2",
    metrics: &[
        ("request_latency", "s", BY_INFERENCE_PERF),
        ("time_to_first_token", "s", BY_INFERENCE_PERF),
        ("time_per_output_token", "s", BY_INFERENCE_PERF),
        ("inter_token_latency", "s", BY_INFERENCE_PERF),
        ("normalized_time_per_output_token", "s", BY_INFERENCE_PERF),
    ],
    measure: |seen, sink| {
        let whole = seen.whole() / 1000.0;
        sink("request_latency", whole);
        give(sink, "normalized_time_per_output_token", seen.output().filter(|n| *n > 0.0).map(|n| whole / n));
        let pieces = seen.of_channels(TEXT);
        let Some((first, last)) = ends(&pieces) else { return };
        sink("time_to_first_token", seen.since_start(first) / 1000.0);
        let decode = (seen.since_start(last) - seen.since_start(first)) / 1000.0;
        give(sink, "time_per_output_token", per_later_token(decode, seen.output()));
        for gap in tokens_at_their_chunk(&pieces) {
            sink("inter_token_latency", gap / 1000.0);
        }
    },
    output: reported,
    totals: Totals::PerSecond,
    differs: &[
        "Only visible text counts: an answer that begins with reasoning has a TTFT that holds it.",
        "Every token takes the time of its message, so the tokens of one message are 0 apart; where the tokens of messages are not known, each message counts as one here.",
        "Normalised time per output token is the whole time divided by all tokens, prefill included.",
        "It counts tokens by tokenizing each message by itself; here they are the backend's.",
    ],
};

/// The gaps between tokens when each token takes the time of its chunk.
fn tokens_at_their_chunk(pieces: &[Piece]) -> Vec<f64> {
    let each = |piece: &Piece| usize::try_from(piece.tokens.unwrap_or(1)).unwrap_or(1);
    gaps(pieces.iter().flat_map(|piece| std::iter::repeat_n(piece.at, each(piece))))
}

static SGLANG: Definition = Definition {
    id: "sglang",
    title: "sglang.bench_serving",
    revision: "sgl-project/sglang python/sglang/bench_serving.py@0033168",
    metrics: VLLM_METRICS,
    measure: |seen, sink| {
        let pieces = seen.of_channels(TEXT);
        let latency = seen.any.map_or_else(|| seen.whole(), |(_, last)| seen.since_start(last));
        sink("e2el_ms", latency);
        let Some((first, _)) = ends(&pieces) else { return };
        let ttft = seen.since_start(first);
        sink("ttft_ms", ttft);
        let tokens = seen.output().or(Some(seen.metrics.requested_output_tokens as f64));
        give(sink, "tpot_ms", per_later_token(latency - ttft, tokens));
        for gap in gaps(pieces.iter().map(|piece| piece.at)) {
            sink("itl_ms", gap);
        }
    },
    output: |seen| reported(seen).or(Some(seen.metrics.requested_output_tokens)),
    totals: Totals::PerSecond,
    differs: &[
        "TTFT ends at the first visible text, and the gaps are those between messages with such text.",
        "TPOT is the time from there to the last line of the answer divided by the tokens less one.",
        "Where the server reports no tokens, the number that was asked for stands in their place.",
        "Under speculative decoding it divides its gaps by the accepted length that the server reports; that is not done here.",
    ],
};

static MLPERF: Definition = Definition {
    id: "mlperf",
    title: "MLPerf Endpoints",
    revision: "mlcommons/endpoints@ea33275, endpoints_rules.md 1.0 draft",
    metrics: &[
        ("ttft_ms", "ms", BY_MLPERF),
        ("tpot_ms", "ms", BY_MLPERF),
        ("chunk_delta_ms", "ms", BY_MLPERF),
        ("tps_per_user", "tok/s", &[RateAt(90)]),
        ("latency_ms", "ms", BY_MLPERF),
    ],
    measure: |seen, sink| {
        let pieces = seen.of_channels(ANY);
        sink("latency_ms", seen.whole());
        let Some((first, _)) = ends(&pieces) else { return };
        let ttft = seen.since_start(first);
        sink("ttft_ms", ttft);
        let first_tokens = pieces.first().and_then(|piece| piece.tokens).map_or(1.0, |tokens| tokens as f64);
        let later = seen.output().map(|tokens| tokens - first_tokens).filter(|tokens| *tokens > 0.0);
        if let Some(tpot) = later.map(|tokens| (seen.whole() - ttft) / tokens) {
            sink("tpot_ms", tpot);
            sink("tps_per_user", tpot);
        }
        for gap in gaps(pieces.iter().map(|piece| piece.at)) {
            sink("chunk_delta_ms", gap);
        }
    },
    output: reported,
    totals: Totals::PerSecond,
    differs: &[
        "TTFT ends at the first content of any channel, as here, and is judged at its 90th percentile.",
        "TPOT runs from the first content to the end of the whole answer, divided by the tokens after the first message.",
        "Its rate per user is 1000 divided by the 90th percentile of TPOT.",
        "Its stamps are taken in another process than the one that reads, which its documents put at 20 to 100 µs of TTFT.",
        "It counts tokens by tokenizing the text with a reference tokenizer; here they are the backend's.",
    ],
};

static GENAI_PERF: Definition = Definition {
    id: "genai-perf",
    title: "NVIDIA GenAI-Perf",
    revision: "triton-inference-server/perf_analyzer, as described in its documents and issues 339 and 410",
    metrics: &[
        ("time_to_first_token", "ms", BY_NVIDIA),
        ("inter_token_latency", "ms", BY_NVIDIA),
        ("request_latency", "ms", BY_NVIDIA),
    ],
    measure: |seen, sink| {
        let Some((first, last)) = seen.any else { return };
        sink("time_to_first_token", seen.since_start(first));
        sink("request_latency", seen.since_start(last));
        for [before, after] in seen.pieces.array_windows::<2>() {
            if let Some(tokens) = after.tokens.filter(|tokens| *tokens > 0) {
                let gap = seen.since_start(after.at) - seen.since_start(before.at);
                sink("inter_token_latency", gap / tokens as f64);
            }
        }
    },
    output: reported,
    totals: Totals::PerSecond,
    differs: &[
        "TTFT ends at the first message of any kind.",
        "ITL is the gap before a message divided by the message's tokens, once per message; this program counts it once per token.",
        "It counts tokens by tokenizing each message; here they are the backend's, and ITL is absent where the tokens of single messages are not known.",
    ],
};

static LLMPERF: Definition = Definition {
    id: "llmperf",
    title: "LLMPerf",
    revision: "ray-project/llmperf, and its issue 99",
    metrics: &[
        ("ttft_s", "s", BY_LLMPERF),
        ("inter_token_latency_s", "s", BY_LLMPERF),
        ("end_to_end_latency_s", "s", BY_LLMPERF),
        ("request_output_throughput_token_per_s", "tok/s", BY_LLMPERF),
    ],
    measure: |seen, sink| {
        let whole = seen.whole() / 1000.0;
        sink("end_to_end_latency_s", whole);
        let tokens = seen.output().filter(|tokens| *tokens > 0.0);
        give(sink, "request_output_throughput_token_per_s", tokens.map(|tokens| tokens / whole));
        let pieces = seen.of_channels(TEXT);
        let Some((first, last)) = ends(&pieces) else { return };
        sink("ttft_s", seen.since_start(first) / 1000.0);
        give(sink, "inter_token_latency_s", tokens.map(|tokens| seen.since_start(last) / 1000.0 / tokens));
    },
    output: reported,
    totals: Totals::PerMinute,
    differs: &[
        "ITL holds the prefill: the sum of all gaps, that before the first token included, divided by all tokens.",
        "Its rate per request is all tokens divided by the whole time, prefill included.",
        "Only visible text counts.",
        "It counts the tokens of every model with one tokenizer of Llama; here they are the backend's.",
    ],
};

static LLM_SPEED: Definition = Definition {
    id: "llm-speed",
    title: "llm-speed",
    revision: "meadow-kun/llm-speed, its methodology",
    metrics: &[
        ("ttft_ms", "ms", BY_LLM_SPEED),
        ("prefill_tps", "tok/s", BY_LLM_SPEED),
        ("decode_tps", "tok/s", BY_LLM_SPEED),
        ("decode_latency_ms", "ms", BY_LLM_SPEED),
        ("wall_ms", "ms", BY_LLM_SPEED),
    ],
    measure: |seen, sink| {
        sink("wall_ms", seen.whole());
        let Some((first, last)) = ends(&seen.pieces) else { return };
        let ttft = seen.since_sent(first);
        sink("ttft_ms", ttft);
        let prompt = seen.prompt();
        give(sink, "prefill_tps", prompt.map(|tokens| tokens / ttft * 1000.0));
        let later = seen.output().map(|tokens| tokens - 1.0).filter(|tokens| *tokens > 0.0);
        let wall = seen.since_sent(last) - ttft;
        give(sink, "decode_tps", later.map(|tokens| tokens / wall * 1000.0));
        for gap in gaps(seen.pieces.iter().map(|piece| piece.at)) {
            sink("decode_latency_ms", gap);
        }
    },
    output: reported,
    totals: Totals::None,
    differs: &[
        "The prefill rate counts all tokens of the prompt, those served from a cache included.",
        "The decode rate takes the first message for one token.",
        "The decode latency is the gap between messages, over all requests together.",
        "It measures each workload once, so it has no intervals.",
    ],
};

static LLAMA_BENCHY: Definition = Definition {
    id: "llama-benchy",
    title: "llama-benchy",
    revision: "eugr/llama-benchy, its README",
    metrics: &[
        ("ttfr_ms", "ms", BY_LLAMA_BENCHY),
        ("est_ppt_ms", "ms", BY_LLAMA_BENCHY),
        ("e2e_ttft_ms", "ms", BY_LLAMA_BENCHY),
        ("pp_tps", "tok/s", BY_LLAMA_BENCHY),
        ("tg_tps", "tok/s", BY_LLAMA_BENCHY),
    ],
    measure: |seen, sink| {
        if let Some((first, _)) = seen.any {
            let ttfr = seen.since_start(first);
            sink("ttfr_ms", ttfr);
            sink("est_ppt_ms", ttfr);
            let prompt = seen.prompt();
            give(sink, "pp_tps", prompt.map(|tokens| tokens / ttfr * 1000.0));
        }
        let Some((first, last)) = ends(&seen.pieces) else { return };
        sink("e2e_ttft_ms", seen.since_start(first));
        let seconds = (seen.since_start(last) - seen.since_start(first)) / 1000.0;
        let later = seen.output().map(|tokens| tokens - 1.0).filter(|tokens| *tokens > 0.0);
        give(sink, "tg_tps", later.map(|tokens| tokens / seconds));
    },
    output: reported,
    totals: Totals::None,
    differs: &[
        "TTFR ends at the first message of any kind; the first content is called end-to-end TTFT.",
        "It subtracts a network latency, measured apart, before it computes the prompt rate; nothing is subtracted here.",
        "The prompt rate counts all tokens of the prompt, those served from a cache included.",
        "The generation rate takes the first message for one token.",
    ],
};
