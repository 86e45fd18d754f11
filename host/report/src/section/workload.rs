//! A workload: its headline, its curves, and its phases.

use bench_record::{PhaseStatus, RunRecord, WorkloadRecord, WorkloadStatus};

use super::phase;
use crate::chart;
use crate::text::{esc, known, put};

/// Phases that get charts of their own.
const MOST: usize = 48;

/// The section of a workload.
pub(crate) fn workload(page: &mut String, record: &RunRecord, workload: &WorkloadRecord) {
    put!(page, "<section><h2>{}", esc(&workload.label));
    if workload.label != workload.name {
        put!(page, " <span>{}</span>", esc(&workload.name));
    }
    page.push_str("</h2>");
    let state = match workload.status {
        WorkloadStatus::Completed => None,
        WorkloadStatus::Failed => Some("Failed"),
        WorkloadStatus::Skipped => Some("Skipped"),
        WorkloadStatus::Cancelled => Some("Not run"),
    };
    if let Some(state) = state {
        let why = workload.problem.as_ref().map_or("", |problem| problem.message.as_str());
        put!(page, "<div class=\"verdict doubt\"><strong>{state}.</strong> {}</div>", esc(why));
    }
    if !workload.headline.is_empty() {
        page.push_str("<div class=\"tiles\">");
        for metric in workload.headline.iter().take(12) {
            put!(
                page,
                "<div class=\"tile\"><span>{}</span><strong>{}</strong><span>{}</span></div>",
                esc(&metric.name),
                known(metric.value),
                esc(&metric.unit)
            );
        }
        page.push_str("</div>");
    }
    chart::tradeoff(page, workload);
    if !workload.curves.is_empty() {
        page.push_str("<div class=\"two\">");
        for curve in workload.curves.iter().take(24) {
            chart::curve(page, curve);
        }
        page.push_str("</div>");
    }
    for phase in workload.phases.iter().take(MOST) {
        if phase.status == PhaseStatus::Skipped {
            let why = phase.skip_reason.as_deref().unwrap_or("");
            put!(page, "<p class=\"caption\">{} skipped: {}</p>", esc(&phase.id), esc(why));
        } else {
            phase::phase(page, record, phase);
        }
    }
    if let Some(left_out) = workload.phases.len().checked_sub(MOST).filter(|left_out| *left_out > 0) {
        put!(page, "<p class=\"caption\">{left_out} more phases are in the table above and in the record.</p>");
    }
    page.push_str("</section>");
}
