//! Which runs may be published.

use bench_record::{Pacing, PluginSource, RequestStatus, RunRecord, RunStatus, assess};

use super::fixture::run;

fn reasons(change: fn(&mut RunRecord)) -> Vec<String> {
    let mut record = run("a", &[5000, 5100, 5200]);
    change(&mut record);
    let found = assess(&record);
    assert_eq!(found.ok, found.reasons.is_empty());
    found.reasons.into_iter().map(|note| note.code).collect()
}

#[test]
fn a_sound_run_may_be_published() {
    assert!(reasons(|_| {}).is_empty());
}

#[test]
fn each_flaw_is_named() {
    assert_eq!(reasons(|run| run.simulated = true), ["simulated"]);
    assert_eq!(reasons(|run| run.suite.quick = true), ["quick"]);
    assert_eq!(reasons(|run| run.status = RunStatus::Incomplete), ["not-completed"]);
    assert_eq!(reasons(|run| run.workloads.clear()), ["nothing-measured"]);
    assert_eq!(reasons(|run| run.plugins[0].source = PluginSource::File), ["local-plugin"]);
    assert_eq!(reasons(|run| run.client.limited = true), ["client-limited"]);
    assert_eq!(reasons(|run| run.model.digests.clear()), ["no-model-digest"]);
    assert_eq!(reasons(|run| run.trace = None), ["no-trace"]);
    assert_eq!(reasons(|run| run.client.calibrations.clear()), ["no-calibration"]);
    assert_eq!(reasons(|run| run.client.late_share = Some(0.02)), ["late-stamps"]);
    assert_eq!(reasons(|run| run.client.calibrations[0].receipt.p50_ms = 12.0), ["late-stamps"]);
    assert_eq!(reasons(|run| run.workloads[0].phases[0].pacing = paced(9.8)), ["rate-not-achieved"]);
    assert_eq!(
        reasons(|run| run.workloads[0].phases[0].requests[0].status = RequestStatus::Failed),
        ["failed-requests"]
    );
}

fn paced(achieved: f64) -> Option<Pacing> {
    Some(Pacing { asked_rate: Some(10.0), achieved_rate: Some(achieved), ..Pacing::default() })
}

#[test]
fn small_flaws_of_the_client_are_none() {
    assert!(reasons(|run| run.client.late_share = Some(0.005)).is_empty());
    assert!(reasons(|run| run.workloads[0].phases[0].pacing = paced(9.95)).is_empty());
}

#[test]
fn all_flaws_are_named_at_once() {
    assert_eq!(
        reasons(|run| {
            run.simulated = true;
            run.trace = None;
        }),
        ["simulated", "no-trace"]
    );
}
