//! A stored run in the definitions of other tools: the raw reads of its trace, decoded once more by the same driver.

use bench_metrics as metrics;
use bench_metrics::peers::{Peer, PeerInput, PeerView, restate as by_definition};
use bench_plugin::Driver;
use bench_record::trace::{TraceLimits, TraceRequest, read_trace};
use bench_record::{Note, RunRecord};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

use crate::answer::Answer;
use crate::catalog::Catalog;
use crate::convert;
use crate::error::RunError;

/// A phase as another tool would have reported it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Restated {
    /// Label of the workload.
    pub workload: String,
    /// The phase.
    pub phase: String,
    /// The numbers.
    pub view: PeerView,
}

/// Restates every phase that has completed requests. `trace` is the trace of the run `record`. The second part is what to know
/// about the result as a whole.
pub fn restate(
    catalog: &Catalog,
    record: &RunRecord,
    trace: &Path,
    peer: Peer,
) -> Result<(Vec<Restated>, Vec<Note>), RunError> {
    let mut notes = Vec::new();
    let identity = record.plugins.iter().find(|plugin| plugin.kind == "driver");
    let name = identity.map_or("openai", |identity| identity.name.as_str());
    let (mut driver, found) = catalog.driver(name)?;
    if identity.is_some_and(|identity| identity.sha256 != found.sha256) {
        let message = format!("The driver {name} is not the one that the run used, so events may be read differently.");
        notes.push(Note::new("another-driver", message));
    }
    let mut traced: BTreeMap<u32, TraceRequest> =
        read_trace(trace, TraceLimits::default())?.into_iter().map(|request| (request.ordinal, request)).collect();
    let mut restated = Vec::new();
    for workload in &record.workloads {
        for phase in &workload.phases {
            let mut seen: Vec<(metrics::Observation, &metrics::RequestMetrics)> = Vec::new();
            for request in phase.measured() {
                let (Some(numbers), Some(raw)) = (&request.metrics, traced.remove(&request.ordinal)) else { continue };
                if let Some(observation) = observe(&mut driver, &raw) {
                    seen.push((observation, numbers));
                }
            }
            let inputs: Vec<PeerInput<'_>> =
                seen.iter().map(|(observation, metrics)| PeerInput { observation, metrics }).collect();
            if !inputs.is_empty() {
                restated.push(Restated {
                    workload: workload.label.clone(),
                    phase: phase.id.clone(),
                    view: by_definition(&inputs, peer),
                });
            }
        }
    }
    Ok((restated, notes))
}

/// What was seen of a request; `None` where the answer cannot be decoded.
fn observe(driver: &mut Driver, raw: &TraceRequest) -> Option<metrics::Observation> {
    let head = raw.head.as_ref()?;
    let ends: Vec<u32> = raw.reads.iter().map(|read| read.end).collect();
    let mut answer = Answer::default();
    let headers = convert::headers(&head.headers);
    driver.decode_each(&headers, &raw.body, &ends, &mut |event| answer.take(event)).ok()?;
    if answer.too_large().is_some() {
        return None;
    }
    Some(metrics::Observation {
        intended: raw.intended_ns,
        started: raw.started_ns,
        first_byte_written: raw.first_byte_written_ns,
        last_byte_written: raw.last_byte_written_ns,
        ended: raw.ended_ns,
        reads: raw.reads.iter().map(|read| read.at_ns).collect(),
        events: answer.located,
        completed: raw.outcome.is_none(),
    })
}
