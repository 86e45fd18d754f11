//! Workload long-context-decay (W3): the same question at growing context lengths, cold, one phase for each. 32768, 65536
//! and 131072 tokens in, 256 out unless the parameters say otherwise. It shows how prefill and decode slow down as the
//! context grows. A context that the model has no room for is skipped with the reason, so the list can stay as it is for
//! every model.

use bench_sdk::workload::{Facts, Metric, PhaseMeasures, Summary};
use bench_sdk::workload_kit::{
    About, Kind, MOST_TOKENS, OneTurn, Param, Params, Questions, Single, Spec, Wording, as_metric, by_variable, curves,
    ratio, value_of, variable,
};

/// What it states about itself.
#[derive(Debug)]
pub struct Contexts;

impl Questions for Contexts {
    const ABOUT: About = About {
        label: "W3",
        title: "Long-context decay",
        version: env!("CARGO_PKG_VERSION"),
        summary: "The same question at growing context lengths, cold: 32k, 64k and 128k tokens in, 256 out.",
    };
    const SPEC: Spec = Spec {
        workload: "long-context-decay",
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
            Param::tokens("answer-tokens", "Tokens of the answer.", 256, 16),
            Param::repeats("Measured sessions of each phase, one after the other.", 3, 1),
            Param::warmup("Sessions before the measured ones of each phase.", 1, 0),
        ],
    };
    const WORDING: Wording = Wording {
        opening: "Below is a long record, in the order in which it was kept.\n\n",
        corpus: "prose",
        questions: &[
            "\n\nThat is the end of the record. What changed between its beginning and its end?",
            "\n\nThat is the end of the record. Which of its observations contradict one another?",
            "\n\nThat is the end of the record. Sum it up for somebody who has to go on with it tomorrow.",
        ],
    };

    fn phases(params: &Params, _facts: &Facts) -> Vec<Single> {
        let phases = params.list("contexts").iter().map(|&context| {
            let prompt_tokens = u32::try_from(context).unwrap_or(u32::MAX);
            let variables = vec![variable("context", context, "tokens")];
            Single::sequential(format!("context-{context}"), variables, prompt_tokens, params)
        });
        phases.collect()
    }

    fn summarise(phases: &[PhaseMeasures]) -> Summary {
        let measures = [("prefill-rate", "tok/s"), ("decode-rate", "tok/s"), ("ttft", "ms")];
        Summary { headline: headline(phases), curves: curves(phases, &measures, "context", "tokens") }
    }
}

/// Rates at the longest context that was measured, and how much of the shortest context's rates is left there.
fn headline(phases: &[PhaseMeasures]) -> Vec<Metric> {
    let measured = by_variable(phases, "context");
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

/// The workload.
pub type LongContextDecay = OneTurn<Contexts>;
bench_sdk::export_workload!(LongContextDecay);
