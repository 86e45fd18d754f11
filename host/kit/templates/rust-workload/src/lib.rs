//! The workload {name}: a short question about a short text, one at a time, cold.

use bench_sdk::workload_kit::{About, Chat, Defaults, OneTurn, Spec, Wording, chat_params};

/// What it states about itself.
#[derive(Debug)]
pub struct Questions;

impl Chat for Questions {
    const ABOUT: About = About {
        label: "X1",
        title: "{name}",
        version: env!("CARGO_PKG_VERSION"),
        summary: "A short question about a short text, one at a time, cold.",
    };
    const SPEC: Spec = Spec {
        workload: "{name}",
        params: &chat_params(
            Defaults { prompt_tokens: 256, answer_tokens: 128, repeats: 3, warmup: 1 },
            Defaults { prompt_tokens: 64, answer_tokens: 16, repeats: 1, warmup: 1 },
        ),
    };
    const WORDING: Wording = Wording {
        opening: "From a notebook:\n",
        // A text that the suite supplies under this name.
        corpus: "prose",
        questions: &["\n\nWhat does this passage say?", "\n\nContinue this passage in the same voice."],
    };
}

/// The workload.
pub type Plugin = OneTurn<Questions>;
bench_sdk::export_workload!(Plugin);
