//! Which requests of two phases belong together, and the difference between them.
//!
//! A request has a twin in the other run when both stand at the same place: same repeat, session, turn and turn name. Runs with the
//! same seed send twins the same text but for its salt; with other seeds twins still have the same lengths and the same neighbours.

use std::collections::{BTreeMap, BTreeSet};

use bench_metrics::{Difference, MetricDef, Outcome, Pair, RequestMetrics, Sample, Side, Summary, WindowSpan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::PhaseRecord;
use crate::request::sample;

/// Part of the smaller run's requests that must have a twin, else nothing is paired.
const LEAST_PAIRED: f64 = 0.5;

/// What is taken for independent of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Clusters {
    /// Repeats: requests that share a server at the same time are not independent.
    Repeats,
    /// Sessions, where there are fewer than three repeats. Sessions that ran side by side may yet depend on each other.
    Sessions,
}

/// A phase as one side of a comparison.
pub(super) struct SideOfPhase<'a> {
    /// Completed requests by place.
    requests: BTreeMap<Place<'a>, &'a RequestMetrics>,
    /// The summary of each repeat by itself, for what only a phase as a whole has.
    repeats: BTreeMap<u32, Summary>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'a> {
    repeat: u32,
    session: u32,
    turn: u32,
    turn_id: &'a str,
}

impl<'a> SideOfPhase<'a> {
    pub(super) fn of(phase: &'a PhaseRecord) -> Self {
        let mut samples: BTreeMap<u32, Vec<Sample<'a>>> = BTreeMap::new();
        let mut requests = BTreeMap::new();
        for request in phase.measured() {
            let found = sample(request);
            if let Outcome::Completed(metrics) = &found.outcome {
                let place = Place {
                    repeat: request.repeat,
                    session: request.session,
                    turn: request.turn,
                    turn_id: &request.turn_id,
                };
                requests.insert(place, *metrics);
            }
            samples.entry(request.repeat).or_default().push(found);
        }
        let spans: Vec<WindowSpan> = phase.windows.iter().map(span).collect();
        let alone = |(repeat, samples): (u32, Vec<Sample<'a>>)| {
            let own: Vec<WindowSpan> = spans.iter().copied().filter(|span| span.repeat == repeat).collect();
            (repeat, bench_metrics::summarise(&samples, &own))
        };
        Self { requests, repeats: samples.into_iter().map(alone).collect() }
    }
}

fn span(window: &crate::Window) -> WindowSpan {
    WindowSpan { repeat: window.repeat, opened: window.opened_ns, closed: window.closed_ns }
}

/// Two phases side by side.
pub(super) struct Pairing<'a> {
    reference: &'a SideOfPhase<'a>,
    value: &'a SideOfPhase<'a>,
    paired: bool,
    clusters: Clusters,
}

impl<'a> Pairing<'a> {
    pub(super) fn of(reference: &'a SideOfPhase<'a>, value: &'a SideOfPhase<'a>) -> Self {
        let twins = reference.requests.keys().filter(|place| value.requests.contains_key(place));
        let smaller = reference.requests.len().min(value.requests.len());
        let paired = smaller > 0 && twins.count() as f64 >= LEAST_PAIRED * smaller as f64;
        let repeats = |side: &SideOfPhase<'_>| side.requests.keys().map(|place| place.repeat).collect::<BTreeSet<_>>();
        let (ours, theirs) = (repeats(reference), repeats(value));
        let count = if paired { ours.intersection(&theirs).count() } else { ours.len().min(theirs.len()) };
        let clusters = if count >= bench_metrics::FEWEST_CLUSTERS { Clusters::Repeats } else { Clusters::Sessions };
        Self { reference, value, paired, clusters }
    }

    /// The difference in a metric, and what it takes for independent. `None` when one of the two has no such number.
    pub(super) fn difference(&self, def: &MetricDef) -> Option<(Difference, Clusters)> {
        match def.value {
            Some(value) => self.of_requests(value).map(|found| (found, self.clusters)),
            None => self.of_repeats(def.name).map(|found| (found, Clusters::Repeats)),
        }
    }

    fn of_requests(&self, value: fn(&RequestMetrics) -> Option<f64>) -> Option<Difference> {
        let pair = |(place, metrics): (&Place<'_>, &&RequestMetrics)| {
            let twin = self.value.requests.get(place)?;
            Some(Pair { cluster: self.cluster(place), reference: value(metrics)?, value: value(twin)? })
        };
        if self.paired {
            let pairs: Vec<Pair> = self.reference.requests.iter().filter_map(pair).collect();
            return bench_metrics::paired(&pairs);
        }
        let side = |side: &SideOfPhase<'_>| {
            Side::of(side.requests.iter().filter_map(|(place, metrics)| Some((self.cluster(place), value(metrics)?))))
        };
        bench_metrics::unpaired(side(self.reference)?, side(self.value)?)
    }

    /// The difference in a metric of a phase as a whole, of which each repeat has one value.
    fn of_repeats(&self, name: &str) -> Option<Difference> {
        let value = |side: &SideOfPhase<'_>, repeat: u32| side.repeats.get(&repeat)?.median(name);
        if self.paired {
            let pair = |repeat: &u32| {
                let (reference, value) = (value(self.reference, *repeat)?, value(self.value, *repeat)?);
                Some(Pair { cluster: u64::from(*repeat), reference, value })
            };
            return bench_metrics::paired(&self.reference.repeats.keys().filter_map(pair).collect::<Vec<_>>());
        }
        let side = |side: &SideOfPhase<'_>| {
            Side::of(side.repeats.keys().filter_map(|repeat| Some((u64::from(*repeat), value(side, *repeat)?))))
        };
        bench_metrics::unpaired(side(self.reference)?, side(self.value)?)
    }

    fn cluster(&self, place: &Place<'_>) -> u64 {
        u64::from(match self.clusters {
            Clusters::Repeats => place.repeat,
            Clusters::Sessions => place.session,
        })
    }
}
