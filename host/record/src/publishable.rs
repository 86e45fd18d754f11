//! Whether a run may be published, from the record alone, so that a server reaches the same verdict.

use crate::{Note, PluginSource, Publishable, RequestStatus, RunRecord, RunStatus, WorkloadStatus};

/// Judges `record`. Every reason against publishing is listed, not only the first.
pub fn assess(record: &RunRecord) -> Publishable {
    let mut reasons = Vec::new();
    let mut unless = |fine: bool, code: &str, message: &str| {
        if !fine {
            reasons.push(Note::new(code, message));
        }
    };
    unless(!record.simulated, "simulated", "The backend was a simulation.");
    unless(!record.suite.quick, "quick", "A quick run has too few repeats to be compared.");
    unless(record.status == RunStatus::Completed, "not-completed", "The run did not complete.");
    let measured = record.workloads.iter().any(|w| w.status == WorkloadStatus::Completed);
    unless(measured, "nothing-measured", "No workload completed.");
    let from_files = record.plugins.iter().any(|plugin| plugin.source == PluginSource::File);
    unless(!from_files, "local-plugin", "A plugin came from a local file, which others cannot obtain.");
    unless(!record.client.limited, "client-limited", "The client was the limit of what was measured.");
    unless(!record.model.digests.is_empty(), "no-model-digest", "The model's weights are not identified by a digest.");
    unless(record.trace.is_some(), "no-trace", "The raw trace was not kept, so nobody can recompute the numbers.");
    let failed = record
        .workloads
        .iter()
        .flat_map(|workload| &workload.phases)
        .flat_map(|phase| &phase.requests)
        .any(|request| !request.warmup && request.status != RequestStatus::Completed);
    unless(!failed, "failed-requests", "Some requests failed or were not sent.");
    Publishable { ok: reasons.is_empty(), reasons }
}
