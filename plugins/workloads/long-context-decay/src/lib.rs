//! Workload long-context-decay (W3): the same question at growing context lengths, cold, one phase for each. 32768, 65536
//! and 131072 tokens in, 256 out unless the parameters say otherwise. It shows how prefill and decode slow down as the
//! context grows. A context that the model has no room for is skipped with the reason, so the list can stay as it is for
//! every model.

use bench_sdk::workload::{
    Facts, Info, Metric, Outcome, Phase, PhaseMeasures, Problem, SessionKey, Shape, Step, Summary, Turns, Workload,
};
use bench_sdk::workload_kit::{
    Kind, MOST_TOKENS, OneTurn, Param, Single, Spec, Wording, as_metric, curve, ratio, value_of, variable, variable_of,
};

const NAME: &str = "long-context-decay";

const SPEC: Spec = Spec {
    workload: NAME,
    params: &[
        Param {
            name: "contexts",
            about: "Tokens of the whole prompt, chat template included: one phase for each.",
            kind: Kind::List {
                default: &[32_768, 65_536, 131_072],
                quick: &[128, 256],
                min: 1,
                max: MOST_TOKENS,
                longest: 16,
            },
        },
        Param {
            name: "answer-tokens",
            about: "Tokens of the answer.",
            kind: Kind::Integer { default: 256, quick: 16, min: 1, max: MOST_TOKENS },
        },
        Param {
            name: "repeats",
            about: "Measured sessions of each phase, one after the other.",
            kind: Kind::Integer { default: 3, quick: 1, min: 1, max: 1000 },
        },
        Param {
            name: "warmup",
            about: "Sessions before the measured ones of each phase.",
            kind: Kind::Integer { default: 1, quick: 0, min: 0, max: 1000 },
        },
    ],
};

const WORDING: Wording = Wording {
    workload: NAME,
    opening: "Below is a long record, in the order in which it was kept.\n\n",
    corpus: "prose",
    questions: &[
        "\n\nThat is the end of the record. What changed between its beginning and its end?",
        "\n\nThat is the end of the record. Which of its observations contradict one another?",
        "\n\nThat is the end of the record. Sum it up for somebody who has to go on with it tomorrow.",
    ],
};

/// The workload.
pub struct LongContextDecay;

/// One of its sessions: a single question.
pub struct Session(OneTurn);

fn phases(params: &str, facts: &Facts) -> Result<Vec<Single>, Problem> {
    let params = SPEC.parse(params, facts.quick)?;
    let phases = params.list("contexts").iter().map(|&context| Single {
        id: format!("context-{context}"),
        variables: vec![variable("context", context, "tokens")],
        shape: Shape::Sequential,
        prompt_tokens: u32::try_from(context).unwrap_or(u32::MAX),
        answer_tokens: params.small("answer-tokens"),
        sessions: 1,
        warmup_sessions: params.small("warmup"),
        repeats: params.small("repeats"),
    });
    Ok(phases.collect())
}

impl Workload for LongContextDecay {
    type Session = Session;

    fn describe() -> Info {
        Info {
            name: NAME.into(),
            label: "W3".into(),
            title: "Long-context decay".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "The same question at growing context lengths, cold: 32k, 64k and 128k tokens in, 256 out.".into(),
            params_schema: SPEC.schema(),
            corpora: vec![WORDING.corpus.into()],
        }
    }

    fn plan(params: String, facts: Facts) -> Result<Vec<Phase>, Problem> {
        Ok(phases(&params, &facts)?.iter().map(|phase| phase.phase(&facts)).collect())
    }

    fn summarise(phases: Vec<PhaseMeasures>) -> Result<Summary, Problem> {
        let curves = [("prefill-rate", "tok/s"), ("decode-rate", "tok/s"), ("ttft", "ms")];
        Ok(Summary {
            headline: headline(&phases),
            curves: curves.iter().filter_map(|(name, unit)| curve(&phases, name, unit, "context", "tokens")).collect(),
        })
    }
}

/// Rates at the longest context that was measured, and how much of the shortest context's rates is left there.
fn headline(phases: &[PhaseMeasures]) -> Vec<Metric> {
    let mut measured: Vec<(f64, &PhaseMeasures)> =
        phases.iter().filter_map(|phase| Some((variable_of(phase, "context")?, phase))).collect();
    measured.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (Some((shortest, first)), Some((longest, last))) = (measured.first(), measured.last()) else {
        return Vec::new();
    };
    let mut headline: Vec<Metric> = [
        ("ttft", "ttft-at-longest"),
        ("prefill-rate", "prefill-rate-at-longest"),
        ("decode-rate", "decode-rate-at-longest"),
    ]
    .iter()
    .filter_map(|(name, new_name)| as_metric(last, name, new_name))
    .collect();
    if shortest < longest {
        let retained = [("prefill-rate", "prefill-retention"), ("decode-rate", "decode-retention")];
        headline
            .extend(retained.iter().filter_map(|(name, new)| ratio(new, value_of(last, name), value_of(first, name))));
    }
    headline
}

impl Turns for Session {
    fn new(params: String, facts: Facts, key: SessionKey) -> Self {
        Self(OneTurn::new(&WORDING, phases(&params, &facts), &facts, &key))
    }

    fn next(&self, previous: Option<Outcome>) -> Result<Step, Problem> {
        self.0.next(previous)
    }
}

bench_sdk::export_workload!(LongContextDecay);
