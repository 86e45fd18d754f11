//! Workload concurrent-decode (W4): the same load at growing numbers of streams, cold, one phase for each. 1, 4, 8 and 16
//! streams of 1024 tokens in and 256 out unless the parameters say otherwise. It shows what batching gives in total and
//! what it costs each stream.
//!
//! A phase with more streams than the backend has slots runs all the same: the surplus requests wait in the backend, as
//! they would for real users, and the phase's `slots` and `queued` variables say so.

use bench_sdk::workload::{
    Facts, Info, Metric, Outcome, Phase, PhaseMeasures, Problem, SessionKey, Shape, Step, Summary, Turns, Workload,
};
use bench_sdk::workload_kit::{
    Kind, MOST_TOKENS, OneTurn, Param, Single, Spec, Wording, as_metric, curve, metric, ratio, value_of, variable,
    variable_of,
};

const NAME: &str = "concurrent-decode";

const SPEC: Spec = Spec {
    workload: NAME,
    params: &[
        Param {
            name: "streams",
            about: "Requests in flight at once: one phase for each number. Each repeat has as many sessions.",
            kind: Kind::List { default: &[1, 4, 8, 16], quick: &[1, 4], min: 1, max: 1024, longest: 16 },
        },
        Param {
            name: "prompt-tokens",
            about: "Tokens of each whole prompt, chat template included.",
            kind: Kind::Integer { default: 1024, quick: 64, min: 1, max: MOST_TOKENS },
        },
        Param {
            name: "answer-tokens",
            about: "Tokens of each answer.",
            kind: Kind::Integer { default: 256, quick: 24, min: 1, max: MOST_TOKENS },
        },
        Param {
            name: "repeats",
            about: "Times that each phase's sessions are repeated.",
            kind: Kind::Integer { default: 3, quick: 1, min: 1, max: 1000 },
        },
        Param {
            name: "warmup",
            about: "Rounds before the measured ones of each phase, each of as many sessions as there are streams.",
            kind: Kind::Integer { default: 1, quick: 0, min: 0, max: 1000 },
        },
    ],
};

const WORDING: Wording = Wording {
    workload: NAME,
    opening: "Read this.\n",
    corpus: "prose",
    questions: &[
        "\n\nList its claims.",
        "\n\nWhat follows from it?",
        "\n\nTell it again, briefly.",
        "\n\nWho wrote it, and for whom?",
    ],
};

/// The workload.
pub struct ConcurrentDecode;

/// One of its sessions: a single question.
pub struct Session(OneTurn);

fn phases(params: &str, facts: &Facts) -> Result<Vec<Single>, Problem> {
    let params = SPEC.parse(params, facts.quick)?;
    let phases = params.list("streams").iter().map(|&count| {
        let streams = u32::try_from(count).unwrap_or(u32::MAX);
        let mut variables = vec![variable("streams", count, "streams")];
        if let Some(slots) = facts.slots {
            variables.push(variable("slots", slots.into(), "streams"));
            variables.push(variable("queued", streams.saturating_sub(slots).into(), "streams"));
        }
        Single {
            id: format!("streams-{count}"),
            variables,
            shape: Shape::ClosedLoop(streams),
            prompt_tokens: params.small("prompt-tokens"),
            answer_tokens: params.small("answer-tokens"),
            sessions: streams,
            // Every batch size is warmed up at that size: engines build graphs and buffers per batch.
            warmup_sessions: params.small("warmup").saturating_mul(streams),
            repeats: params.small("repeats"),
        }
    });
    Ok(phases.collect())
}

impl Workload for ConcurrentDecode {
    type Session = Session;

    fn describe() -> Info {
        Info {
            name: NAME.into(),
            label: "W4".into(),
            title: "Concurrent decode".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "1, 4, 8 and 16 streams at once, cold: 1024 tokens in, 256 out each. With more streams than the \
                      backend has slots, requests wait in the backend."
                .into(),
            params_schema: SPEC.schema(),
            corpora: vec![WORDING.corpus.into()],
        }
    }

    fn plan(params: String, facts: Facts) -> Result<Vec<Phase>, Problem> {
        Ok(phases(&params, &facts)?.iter().map(|phase| phase.phase(&facts)).collect())
    }

    fn summarise(phases: Vec<PhaseMeasures>) -> Result<Summary, Problem> {
        let curves = [("aggregate-rate", "tok/s"), ("per-stream-rate", "tok/s"), ("ttft", "ms")];
        Ok(Summary {
            headline: headline(&phases),
            curves: curves.iter().filter_map(|(name, unit)| curve(&phases, name, unit, "streams", "streams")).collect(),
        })
    }
}

/// The best total rate and the streams that gave it, each stream's rate at the most streams, and how much the total grew
/// over the fewest streams.
fn headline(phases: &[PhaseMeasures]) -> Vec<Metric> {
    let mut measured: Vec<(f64, &PhaseMeasures)> =
        phases.iter().filter_map(|phase| Some((variable_of(phase, "streams")?, phase))).collect();
    measured.sort_by(|a, b| a.0.total_cmp(&b.0));
    let best = measured
        .iter()
        .filter_map(|(streams, phase)| Some((value_of(phase, "aggregate-rate")?, *streams, *phase)))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let mut headline = Vec::new();
    if let Some((_, streams, phase)) = best {
        headline.extend(as_metric(phase, "aggregate-rate", "peak-aggregate-rate"));
        headline.push(metric("streams-at-peak", streams, "streams", None));
    }
    if let (Some((fewest, first)), Some((most, last))) = (measured.first(), measured.last()) {
        headline.extend(as_metric(last, "per-stream-rate", "per-stream-rate-at-most"));
        if fewest < most {
            let (before, after) = (value_of(first, "aggregate-rate"), value_of(last, "aggregate-rate"));
            headline.extend(ratio("aggregate-scaling", after, before));
        }
        if let Some(queued) = variable_of(last, "queued").filter(|&queued| queued > 0.0) {
            headline.push(metric("queued-streams-at-most", queued, "streams", None));
        }
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

bench_sdk::export_workload!(ConcurrentDecode);
