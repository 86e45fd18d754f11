//! Chats: one question about one text in one phase, one session at a time. They differ in sizes and words only.

use super::{About, Param, Params, Questions, Single, Spec, Wording, headline, variable};
use crate::workload::{Facts, PhaseMeasures, Summary};

/// What one chat states about itself; [`OneTurn`](super::OneTurn) makes a whole workload of it.
pub trait Chat: 'static {
    /// Who it is.
    const ABOUT: About;
    /// Its parameters, made by [`chat_params`].
    const SPEC: Spec;
    /// Its words.
    const WORDING: Wording;
}

/// Values without a word from the user: of a full run, and of a quick one.
#[derive(Debug, Clone, Copy)]
pub struct Defaults {
    /// Tokens of the whole prompt.
    pub prompt_tokens: u64,
    /// Tokens of the answer.
    pub answer_tokens: u64,
    /// Measured sessions.
    pub repeats: u64,
    /// Sessions before them.
    pub warmup: u64,
}

/// The parameters of a chat.
pub const fn chat_params(full: Defaults, quick: Defaults) -> [Param; 4] {
    [
        Param::tokens(
            "prompt-tokens",
            "Tokens of the whole prompt, chat template included.",
            full.prompt_tokens,
            quick.prompt_tokens,
        ),
        Param::tokens("answer-tokens", "Tokens of the answer.", full.answer_tokens, quick.answer_tokens),
        Param::repeats("Measured sessions, one after the other.", full.repeats, quick.repeats),
        Param::warmup("Sessions before the measured ones.", full.warmup, quick.warmup),
    ]
}

/// Measures worth a headline, in the order of importance.
const HEADLINE: &[&str] =
    &["ttft", "prefill-rate", "decode-rate", "itl-p50", "itl-p95", "e2e", "prompt-tokens", "output-tokens"];

impl<C: Chat> Questions for C {
    const ABOUT: About = C::ABOUT;
    const SPEC: Spec = C::SPEC;
    const WORDING: Wording = C::WORDING;

    fn phases(params: &Params, _facts: &Facts) -> Vec<Single> {
        let variables = vec![
            variable("prompt", params.integer("prompt-tokens"), "tokens"),
            variable("answer", params.integer("answer-tokens"), "tokens"),
        ];
        vec![Single::sequential("chat".into(), variables, params.small("prompt-tokens"), params)]
    }

    fn summarise(phases: &[PhaseMeasures]) -> Summary {
        let headline = phases.first().map(|phase| headline(phase, HEADLINE)).unwrap_or_default();
        Summary { headline, curves: Vec::new() }
    }
}
