//! Workload chat-short (W1): a short question about a short text, one at a time, cold. 128 tokens in, 256 out unless the
//! parameters say otherwise. The baseline that every backend can run: it shows TTFT and decode speed with next to no
//! context.

use bench_sdk::workload_kit::{About, Chat, Defaults, OneTurn, Spec, Wording, chat_params};

/// What it states about itself.
#[derive(Debug)]
pub struct Short;

impl Chat for Short {
    const ABOUT: About = About {
        label: "W1",
        title: "Short chat",
        version: env!("CARGO_PKG_VERSION"),
        summary: "A short question about a short text, one at a time, cold: 128 tokens in, 256 out.",
    };
    const SPEC: Spec = Spec {
        workload: "chat-short",
        params: &chat_params(
            Defaults { prompt_tokens: 128, answer_tokens: 256, repeats: 5, warmup: 1 },
            Defaults { prompt_tokens: 128, answer_tokens: 32, repeats: 1, warmup: 1 },
        ),
    };
    const WORDING: Wording = Wording {
        opening: "From a notebook:\n",
        corpus: "prose",
        questions: &[
            "\n\nWhat does this passage say? Explain it in your own words.",
            "\n\nContinue this passage in the same voice.",
            "\n\nWhat would a careful reader ask about this passage, and why?",
        ],
    };
}

/// The workload.
pub type ChatShort = OneTurn<Short>;
bench_sdk::export_workload!(ChatShort);
