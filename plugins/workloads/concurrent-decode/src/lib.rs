//! Workload concurrent-decode (W4): the same load at growing numbers of streams, cold, one phase for each. 1, 4, 8 and 16
//! streams of 1024 tokens in and 256 out unless the parameters say otherwise. It shows what batching gives in total and
//! what it costs each stream.
//!
//! A phase with more streams than the backend has slots runs all the same: the surplus requests wait in the backend, as
//! they would for real users, and the phase's `slots` and `queued` variables say so.

use bench_sdk::workload::{Facts, Metric, PhaseMeasures, Shape, Summary};
use bench_sdk::workload_kit::{
    About, Kind, OneTurn, Param, Params, Questions, Single, Spec, Wording, as_metric, by_variable, curves, metric,
    ratio, value_of, variable, variable_of,
};

/// What it states about itself.
#[derive(Debug)]
pub struct Streams;

impl Questions for Streams {
    const ABOUT: About = About {
        label: "W4",
        title: "Concurrent decode",
        version: env!("CARGO_PKG_VERSION"),
        summary: "1, 4, 8 and 16 streams at once, cold: 1024 tokens in, 256 out each. With more streams than the \
                  backend has slots, requests wait in the backend.",
    };
    const SPEC: Spec = Spec {
        workload: "concurrent-decode",
        params: &[
            Param {
                name: "streams",
                about: "Requests in flight at once: one phase for each number. Each repeat has as many sessions.",
                kind: Kind::List { default: &[1, 4, 8, 16], quick: &[1, 4], min: 1, max: 1024, longest: 16 },
            },
            Param::tokens("prompt-tokens", "Tokens of each whole prompt, chat template included.", 1024, 64),
            Param::tokens("answer-tokens", "Tokens of each answer.", 256, 24),
            Param::repeats("Times that each phase's sessions are repeated.", 3, 1),
            Param::warmup(
                "Rounds before the measured ones of each phase, each of as many sessions as there are streams.",
                1,
                0,
            ),
        ],
    };
    const WORDING: Wording = Wording {
        opening: "Read this.\n",
        corpus: "prose",
        questions: &[
            "\n\nList its claims.",
            "\n\nWhat follows from it?",
            "\n\nTell it again, briefly.",
            "\n\nWho wrote it, and for whom?",
        ],
    };

    fn phases(params: &Params, facts: &Facts) -> Vec<Single> {
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
        phases.collect()
    }

    fn summarise(phases: &[PhaseMeasures]) -> Summary {
        let measures = [("aggregate-rate", "tok/s"), ("per-stream-rate", "tok/s"), ("ttft", "ms")];
        Summary { headline: headline(phases), curves: curves(phases, &measures, "streams", "streams") }
    }
}

/// The best total rate and the streams that gave it, each stream's rate at the most streams, and how much the total grew
/// over the fewest streams.
fn headline(phases: &[PhaseMeasures]) -> Vec<Metric> {
    let measured = by_variable(phases, "streams");
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

/// The workload.
pub type ConcurrentDecode = OneTurn<Streams>;
bench_sdk::export_workload!(ConcurrentDecode);
