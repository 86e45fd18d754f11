//! Workload chat-long (W2): a question about a long text with a long answer, one at a time, cold. 4096 tokens in, 1024 out
//! unless the parameters say otherwise. Beside chat-short it shows how prefill scales and whether decode holds its speed
//! over a long answer.

use bench_sdk::workload_kit::{About, Chat, Defaults, OneTurn, Spec, Wording, chat_params};

/// What it states about itself.
#[derive(Debug)]
pub struct Long;

impl Chat for Long {
    const ABOUT: About = About {
        label: "W2",
        title: "Long chat",
        version: env!("CARGO_PKG_VERSION"),
        summary: "A question about a long text with a long answer, one at a time, cold: 4096 tokens in, 1024 out.",
    };
    const SPEC: Spec = Spec {
        workload: "chat-long",
        params: &chat_params(
            Defaults { prompt_tokens: 4096, answer_tokens: 1024, repeats: 3, warmup: 1 },
            Defaults { prompt_tokens: 320, answer_tokens: 32, repeats: 1, warmup: 0 },
        ),
    };
    const WORDING: Wording = Wording {
        opening: "Here are notes from a long notebook.\n\n",
        corpus: "prose",
        questions: &[
            "\n\nWrite a thorough report on these notes: the main themes, what holds them together, and what is missing.",
            "\n\nRewrite these notes as an essay for a reader who has never seen them. Leave nothing important out.",
            "\n\nGo through these notes in order and comment on each point at length.",
        ],
    };
}

/// The workload.
pub type ChatLong = OneTurn<Long>;
bench_sdk::export_workload!(ChatLong);
