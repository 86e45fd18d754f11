//! Whether a run may be published, from the record alone, so that a server reaches the same verdict.

use bench_metrics::Flag;

use crate::{
    EvalStatus, Note, PhaseRecord, PluginSource, Publishable, RequestStatus, RunRecord, RunStatus, WorkloadStatus,
};

/// The share of the asked rate that the client has to send.
pub const LEAST_ACHIEVED: f64 = 0.99;

/// The share of stamps that may be late. Medians do not notice so few, and 99th percentiles do.
pub const MOST_LATE: f64 = 0.01;

/// The most that the median error of a calibration may be, in milliseconds: as much as makes a request late.
pub const MOST_ERROR_MS: f64 = bench_metrics::LATE_MS;

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
    // What only bears on times is no matter where only answers were graded.
    let timed = !record.workloads.is_empty() || record.evals.is_empty();
    let measured = record.workloads.iter().any(|w| w.status == WorkloadStatus::Completed)
        || record.evals.iter().any(|eval| eval.status == EvalStatus::Completed);
    unless(measured, "nothing-measured", "No workload and no task completed.");
    let partial = record.evals.iter().any(|eval| eval.status != EvalStatus::Completed);
    unless(!partial, "partial-evals", "A task was not asked and graded to its end.");
    let bounded = record.eval_options.limit.is_some();
    unless(!bounded, "limited-evals", "Tasks were asked about some of their items only.");
    let from_files = record.plugins.iter().any(|plugin| plugin.source == PluginSource::File);
    unless(!from_files, "local-plugin", "A plugin came from a local file, which others cannot obtain.");
    unless(!record.client.limited, "client-limited", "The client was the limit of what was measured.");
    let slowest = record.workloads.iter().flat_map(|workload| &workload.phases).filter_map(achieved).reduce(f64::min);
    unless(
        slowest.is_none_or(|share| share >= LEAST_ACHIEVED),
        "rate-not-achieved",
        "The client sent less than 99 % of the requests per second that were asked for.",
    );
    unless(
        !stamps_late(record),
        "late-stamps",
        "More than 1 % of the client's stamps are late by 1 ms or more, or their median error is 10 ms or more.",
    );
    unless(
        !reads_paused(record),
        "reads-paused",
        "The client's disk held reads back, which slowed the server, so the times are not the server's own.",
    );
    unless(
        !timed || !record.client.calibrations.is_empty(),
        "no-calibration",
        "The client's own error was not measured, so the numbers have no error bar.",
    );
    unless(!record.model.digests.is_empty(), "no-model-digest", "The model's weights are not identified by a digest.");
    unless(
        !timed || record.trace.is_some(),
        "no-trace",
        "The raw trace was not kept, so nobody can recompute the numbers.",
    );
    let failed = record
        .workloads
        .iter()
        .flat_map(|workload| &workload.phases)
        .flat_map(|phase| &phase.requests)
        .any(|request| !request.warmup && request.status != RequestStatus::Completed);
    unless(!failed, "failed-requests", "Some requests failed or were not sent.");
    Publishable { ok: reasons.is_empty(), reasons }
}

fn achieved(phase: &PhaseRecord) -> Option<f64> {
    phase.pacing.as_ref()?.achieved_share()
}

/// Whether the client stopped reading in any measured request.
fn reads_paused(record: &RunRecord) -> bool {
    let phases = record.workloads.iter().flat_map(|workload| &workload.phases);
    let measured = phases.flat_map(|phase| &phase.requests).filter(|request| !request.warmup);
    measured.filter_map(|request| request.metrics.as_ref()).any(|metrics| metrics.flags.contains(&Flag::ReadsPaused))
}

/// Whether too many stamps are known to be late, or half of them were when the client was calibrated.
fn stamps_late(record: &RunRecord) -> bool {
    let client = &record.client;
    client.late_share.is_some_and(|share| share > MOST_LATE)
        || client.calibrations.iter().any(|calibration| calibration.receipt.p50_ms >= MOST_ERROR_MS)
}
