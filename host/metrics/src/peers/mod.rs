//! One run in the words of other tools.
//!
//! The same name means different things in different tools: a first token may be an empty chunk that names the role, a time between
//! tokens may be one between chunks, a time per token may hold the prefill. To compare a result with one of theirs, it has to be
//! restated by their definitions, which is done here from the same stamps and events that our own numbers come from. What cannot be
//! restated, such as a clock that is read later than ours, is said in a sentence.
//!
//! The definitions were read in the tools' sources, at the revisions that [`Peer::revision`] names.

mod definitions;
mod seen;
mod statistics;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::flag::Flag;
use crate::observation::Observation;
use crate::request::RequestMetrics;

use definitions::{Definition, Totals};
use seen::Seen;
use statistics::Gathered;

/// A tool whose definitions are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the tool of its name; `Peer::title` has it in full")]
pub enum Peer {
    Vllm,
    VllmRs,
    Guidellm,
    Aiperf,
    InferencePerf,
    Sglang,
    Mlperf,
    GenaiPerf,
    Llmperf,
    LlmSpeed,
    LlamaBenchy,
}

/// Every tool whose definitions are known.
pub const PEERS: [Peer; 11] = [
    Peer::Vllm,
    Peer::VllmRs,
    Peer::Guidellm,
    Peer::Aiperf,
    Peer::InferencePerf,
    Peer::Sglang,
    Peer::Mlperf,
    Peer::GenaiPerf,
    Peer::Llmperf,
    Peer::LlmSpeed,
    Peer::LlamaBenchy,
];

impl Peer {
    fn definition(self) -> &'static Definition {
        definitions::of(self)
    }

    /// Its identifier in kebab case.
    pub fn id(self) -> &'static str {
        self.definition().id
    }

    /// Its name.
    pub fn title(self) -> &'static str {
        self.definition().title
    }

    /// The version of its source or documents that the definitions were read in.
    pub fn revision(self) -> &'static str {
        self.definition().revision
    }

    /// The tool called `id`.
    pub fn named(id: &str) -> Option<Self> {
        PEERS.into_iter().find(|peer| peer.id() == id)
    }
}

/// A completed request, as it was seen and as it was measured.
#[derive(Debug, Clone, Copy)]
pub struct PeerInput<'a> {
    /// Stamps and events.
    pub observation: &'a Observation,
    /// The numbers that came of them, for the token counts.
    pub metrics: &'a RequestMetrics,
}

/// A run in the definitions of one tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PeerView {
    /// The tool.
    pub peer: Peer,
    /// Completed requests behind the numbers.
    pub requests: u32,
    /// Its numbers, in the order in which it has them.
    pub numbers: Vec<PeerNumber>,
    /// What differs from the numbers of this program, and what could not be restated; one sentence each.
    pub differs: Vec<String>,
}

/// A number by the definition of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PeerNumber {
    /// The metric, in the tool's word.
    pub metric: String,
    /// The statistic over requests or gaps, such as `mean` or `p99`; `total` for one of the whole run.
    pub statistic: String,
    /// The unit.
    pub unit: String,
    /// The value.
    pub value: f64,
}

/// What is true of all of them.
const COMMON: &str = "Percentiles are interpolated linearly and given for any number of values, as the tool does; this program withholds those with too few. The stamps are this program's, so the tool's own delay between the arrival of bytes and its clock is not in the numbers.";

/// What is left out of the numbers of requests with these flags, though the tools themselves would count it.
const FLAGGED: &[(Flag, &str)] = &[
    (
        Flag::HiddenTokens,
        "the backend counts tokens that it did not stream. They are left out of every rate and time per token, though the tool would count them; the time to the first token holds their time, so rates of the prompt are left out.",
    ),
    (
        Flag::ModelLoaded,
        "the backend loaded the model within the request. The time to the first token holds the loading, so rates of the prompt are left out.",
    ),
];

/// Restates completed requests by the definitions of `peer`. A number that none of them has is left out.
pub fn restate(requests: &[PeerInput<'_>], peer: Peer) -> PeerView {
    let definition = peer.definition();
    let mut gathered = Gathered::default();
    let mut bounds: Option<(u64, u64)> = None;
    let (mut prompt, mut output) = (Some(0_u64), Some(0_u64));
    for request in requests {
        let seen = Seen::of(request);
        let (first, last) = (request.observation.started, request.observation.ended);
        bounds = Some(bounds.map_or((first, last), |(from, to)| (from.min(first), to.max(last))));
        let sum = |total: Option<u64>, more: Option<u64>| total?.checked_add(more?);
        prompt = sum(prompt, request.metrics.prompt_tokens);
        output = sum(output, (definition.output)(&seen));
        (definition.measure)(&seen, &mut |metric, value| gathered.add(metric, value));
    }
    let mut numbers = Vec::new();
    for (metric, unit, statistics) in definition.metrics {
        let values = gathered.take(metric);
        let Some(values) = values else { continue };
        let number = |statistic: &statistics::Statistic| {
            Some(PeerNumber {
                metric: (*metric).to_owned(),
                statistic: statistic.name(),
                unit: (*unit).to_owned(),
                value: values.value(*statistic)?,
            })
        };
        numbers.extend(statistics.iter().filter_map(number));
    }
    let seconds = bounds.map(|(from, to)| to.saturating_sub(from) as f64 / 1e9).filter(|seconds| *seconds > 0.0);
    numbers.extend(totals(definition.totals, requests.len(), prompt, output, seconds));
    let mut differs: Vec<String> = definition.differs.iter().map(|sentence| (*sentence).to_owned()).collect();
    for (flag, sentence) in FLAGGED {
        let flagged = requests.iter().filter(|request| request.metrics.flags.contains(flag)).count();
        if flagged > 0 {
            differs.push(format!("{flagged} of {} requests: {sentence}", requests.len()));
        }
    }
    differs.push(COMMON.to_owned());
    PeerView { peer, requests: u32::try_from(requests.len()).unwrap_or(u32::MAX), numbers, differs }
}

/// Rates of the whole run, from the first request's start to the last answer's end.
fn totals(
    kind: Totals,
    requests: usize,
    prompt: Option<u64>,
    output: Option<u64>,
    seconds: Option<f64>,
) -> Vec<PeerNumber> {
    let per_second = |amount: Option<f64>| Some(amount? / seconds?);
    let requests = Some(requests as f64);
    let tokens = |count: Option<u64>| count.map(|count| count as f64);
    let both = prompt.zip(output).and_then(|(prompt, output)| prompt.checked_add(output));
    let found: Vec<(&str, &str, Option<f64>)> = match kind {
        Totals::None => Vec::new(),
        Totals::PerSecond => vec![
            ("request_throughput", "requests/s", per_second(requests)),
            ("output_throughput", "tok/s", per_second(tokens(output))),
            ("total_token_throughput", "tok/s", per_second(tokens(both))),
        ],
        Totals::PerMinute => vec![
            ("num_completed_requests_per_min", "requests/min", per_second(requests).map(|rate| rate * 60.0)),
            ("mean_output_throughput_token_per_s", "tok/s", per_second(tokens(output))),
        ],
    };
    let number = |(metric, unit, value): (&str, &str, Option<f64>)| {
        Some(PeerNumber {
            metric: metric.to_owned(),
            statistic: "total".to_owned(),
            unit: unit.to_owned(),
            value: value.filter(|value| value.is_finite())?,
        })
    };
    found.into_iter().filter_map(number).collect()
}
