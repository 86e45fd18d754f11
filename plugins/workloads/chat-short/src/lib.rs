//! Workload chat-short (W1): a short question about a short text, one at a time, cold. 128 tokens in, 256 out unless the
//! parameters say otherwise. The baseline that every backend can run: it shows TTFT and decode speed with next to no
//! context.

use bench_sdk::workload::{
    Facts, Info, Outcome, Phase, PhaseMeasures, Problem, SessionKey, Shape, Step, Summary, Turns, Workload,
};
use bench_sdk::workload_kit::{Kind, MOST_TOKENS, OneTurn, Param, Single, Spec, Wording, headline, variable};

const NAME: &str = "chat-short";

const SPEC: Spec = Spec {
    workload: NAME,
    params: &[
        Param {
            name: "prompt-tokens",
            about: "Tokens of the whole prompt, chat template included.",
            kind: Kind::Integer { default: 128, quick: 128, min: 1, max: MOST_TOKENS },
        },
        Param {
            name: "answer-tokens",
            about: "Tokens of the answer.",
            kind: Kind::Integer { default: 256, quick: 32, min: 1, max: MOST_TOKENS },
        },
        Param {
            name: "repeats",
            about: "Measured sessions, one after the other.",
            kind: Kind::Integer { default: 5, quick: 1, min: 1, max: 1000 },
        },
        Param {
            name: "warmup",
            about: "Sessions before the measured ones.",
            kind: Kind::Integer { default: 1, quick: 1, min: 0, max: 1000 },
        },
    ],
};

const WORDING: Wording = Wording {
    workload: NAME,
    opening: "From a notebook:\n",
    corpus: "prose",
    questions: &[
        "\n\nWhat does this passage say? Explain it in your own words.",
        "\n\nContinue this passage in the same voice.",
        "\n\nWhat would a careful reader ask about this passage, and why?",
    ],
};

/// Measures worth a headline, in the order of importance.
const HEADLINE: &[&str] =
    &["ttft", "prefill-rate", "decode-rate", "itl-p50", "itl-p95", "e2e", "prompt-tokens", "output-tokens"];

/// The workload.
pub struct ChatShort;

/// One of its sessions: a single question.
pub struct Session(OneTurn);

fn phases(params: &str, facts: &Facts) -> Result<Vec<Single>, Problem> {
    let params = SPEC.parse(params, facts.quick)?;
    Ok(vec![Single {
        id: "chat".into(),
        variables: vec![
            variable("prompt", params.integer("prompt-tokens"), "tokens"),
            variable("answer", params.integer("answer-tokens"), "tokens"),
        ],
        shape: Shape::Sequential,
        prompt_tokens: params.small("prompt-tokens"),
        answer_tokens: params.small("answer-tokens"),
        sessions: 1,
        warmup_sessions: params.small("warmup"),
        repeats: params.small("repeats"),
    }])
}

impl Workload for ChatShort {
    type Session = Session;

    fn describe() -> Info {
        Info {
            name: NAME.into(),
            label: "W1".into(),
            title: "Short chat".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "A short question about a short text, one at a time, cold: 128 tokens in, 256 out.".into(),
            params_schema: SPEC.schema(),
            corpora: vec![WORDING.corpus.into()],
        }
    }

    fn plan(params: String, facts: Facts) -> Result<Vec<Phase>, Problem> {
        Ok(phases(&params, &facts)?.iter().map(|phase| phase.phase(&facts)).collect())
    }

    fn summarise(phases: Vec<PhaseMeasures>) -> Result<Summary, Problem> {
        let headline = phases.first().map(|phase| headline(phase, HEADLINE)).unwrap_or_default();
        Ok(Summary { headline, curves: Vec::new() })
    }
}

impl Turns for Session {
    fn new(params: String, facts: Facts, key: SessionKey) -> Self {
        Self(OneTurn::new(&WORDING, phases(&params, &facts), &facts, &key))
    }

    fn next(&self, previous: Option<Outcome>) -> Result<Step, Problem> {
        self.0.next(previous)
    }
}

bench_sdk::export_workload!(ChatShort);
