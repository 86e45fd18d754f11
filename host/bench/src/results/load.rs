//! How the load of a phase went: objectives, pacing, steady window, stages, the search for the capacity.

use std::collections::BTreeMap;

use bench_metrics::{ErrorBar, Goodput, SteadyWindow, Summary};
use bench_record::{InFlightCap, Pacing, PhaseRecord, RequestStatus, ShapeRecord, StageRecord, SweepRecord};
use bench_text::clean_name;

use super::client::percent;
use super::{align_numbers, indented, table};
use crate::numbers::{figure, known, short};

/// Stages in a table; a load may have a thousand.
const MOST_STAGES: usize = 40;

/// What there is to say, each line with the name of the phase.
pub(super) fn lines(phase: &PhaseRecord) -> String {
    let mut text = String::new();
    let mut line = |words: String| text.push_str(&format!("  {}: {words}\n", clean_name(&phase.id)));
    if let Some(goodput) = &phase.goodput {
        line(objectives(goodput));
    }
    if let Some(words) = phase.pacing.as_ref().and_then(|paced| pacing(paced, phase.sweep.as_ref())) {
        line(words);
    }
    if let Some(words) = phase.in_flight.as_ref().and_then(waits) {
        line(words);
    }
    let alone = phase.shape.as_ref().and_then(ShapeRecord::streams) == Some(1);
    if let Some(window) = phase.steady.as_ref().filter(|_| !alone && phase.sweep.is_none()) {
        line(steady(window));
    }
    if let Some(words) = models(phase) {
        line(words);
    }
    if !phase.server_series.is_empty() {
        line(format!("{} series of the engine's own metrics are in the record", phase.server_series.len()));
    }
    match &phase.sweep {
        Some(sweep) => {
            line(capacity(sweep));
            text.push_str(&steps(sweep));
        }
        None if phase.stages.len() > 1 => text.push_str(&stages(&phase.stages)),
        None => {}
    }
    text
}

/// How many requests kept the objectives, and which bounds the others missed.
fn objectives(goodput: &Goodput) -> String {
    let judged = goodput.met + goodput.missed + goodput.failed;
    let bounds = goodput.slo.to_string().replace('=', " ≤ ").replace(',', ", ");
    let share = goodput.share.map_or_else(|| "none".to_owned(), percent);
    let mut text = format!("goodput {} req/s", known(goodput.per_second));
    if let Some(tokens) = goodput.tokens_per_second {
        text.push_str(&format!(", {} tok/s", figure(tokens)));
    }
    text.push_str(&format!(": {share} of {judged} requests kept {bounds}"));
    let missed: Vec<String> =
        goodput.missed_by.iter().map(|(bound, count)| format!("{} {count}", clean_name(bound))).collect();
    if !missed.is_empty() {
        text.push_str(&format!("; missed by {}", missed.join(", ")));
    }
    if goodput.failed > 0 {
        text.push_str(&format!("; {} failed", goodput.failed));
    }
    if goodput.unjudged > 0 {
        text.push_str(&format!("; {} more cannot be judged", goodput.unjudged));
    }
    text
}

/// Whether requests left when they should; `None` where no moments were fixed. The steps of a search have rates of their own.
fn pacing(pacing: &Pacing, sweep: Option<&SweepRecord>) -> Option<String> {
    let asked = pacing.asked_rate?;
    let mut parts = Vec::new();
    if sweep.is_none() {
        let share = pacing.achieved_share().map(|share| format!(" ({})", percent(share))).unwrap_or_default();
        parts.push(format!("sent {} of {} req/s{share}", known(pacing.achieved_rate), figure(asked)));
    }
    parts.extend(pacing.send_error.as_ref().map(|error| format!("first byte after its moment by {}", spread(error))));
    parts.extend(pacing.queue.as_ref().map(|queue| format!("waited in the client {}", spread(queue))));
    Some(parts.join("; "))
}

/// What waited for a place among the requests in flight; `None` where nothing did.
fn waits(cap: &InFlightCap) -> Option<String> {
    let longest = short(cap.longest_ms);
    (cap.waited > 0).then(|| {
        format!(
            "{} requests waited for the cap of {} in flight, the longest {longest}; --max-in-flight raises the cap",
            cap.waited, cap.most,
        )
    })
}

fn spread(bar: &ErrorBar) -> String {
    match bar.p99_ms {
        Some(p99) => format!("p50 {}, p99 {}", short(bar.p50_ms), short(p99)),
        None => format!("p50 {}, at most {}", short(bar.p50_ms), short(bar.max_ms)),
    }
}

fn steady(window: &SteadyWindow) -> String {
    let spans = window.windows.iter().map(|span| span.to_ns.saturating_sub(span.from_ns));
    let seconds = spans.sum::<u64>() as f64 / 1e9;
    format!(
        "steady for {} s with {} requests at once: {} requests, {} tok/s",
        figure(seconds),
        known(window.summary.median("concurrency")),
        window.requests,
        known(window.summary.median("aggregate_tps")),
    )
}

/// How the requests of a mix of models went.
fn models(phase: &PhaseRecord) -> Option<String> {
    let mut counts: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for request in phase.measured() {
        let (ok, all) = counts.entry(request.model.as_deref()?).or_default();
        *all += 1;
        *ok += u32::from(request.status == RequestStatus::Completed);
    }
    let each: Vec<String> =
        counts.iter().map(|(model, (ok, all))| format!("{} {ok}/{all}", clean_name(model))).collect();
    (!each.is_empty()).then(|| format!("ok by model: {}", each.join(", ")))
}

/// The columns that stages have in common: TTFT, time between tokens.
fn times(summary: &Summary) -> [String; 3] {
    let ttft = summary.metrics.get("ttft_intended_ms");
    let itl = summary.median("token_p50_ms").or(summary.median("tpot_ms"));
    [known(ttft.map(|values| values.median)), known(ttft.and_then(|values| values.p99)), known(itl)]
}

fn stages(stages: &[StageRecord]) -> String {
    let judged = stages.iter().any(|stage| stage.goodput.is_some());
    let mut header =
        vec!["stage", "asked/s", "sent/s", "ok", "TTFT p50 ms", "TTFT p99 ms", "ITL p50 ms", "total tok/s"];
    header.extend(judged.then_some("kept"));
    let mut rows = table(&header);
    for stage in stages.iter().take(MOST_STAGES) {
        let summary = &stage.summary;
        let mut row = vec![
            stage.name.clone(),
            known(stage.asked_rate),
            known(stage.achieved_rate),
            format!("{}/{}", summary.completed, summary.completed + summary.failed + summary.not_sent),
        ];
        row.extend(times(summary));
        row.push(known(summary.median("aggregate_tps")));
        let share = stage.goodput.as_ref().and_then(|goodput| goodput.share);
        row.extend(judged.then(|| share.map_or_else(|| "–".to_owned(), percent)));
        rows.add_row(row);
    }
    align_numbers(&mut rows, 1);
    let mut text = indented(&rows, 4);
    if let Some(more @ 1..) = stages.len().checked_sub(MOST_STAGES) {
        text.push_str(&format!("    and {more} more\n"));
    }
    text
}

/// What the search found, in a sentence.
fn capacity(sweep: &SweepRecord) -> String {
    let found = &sweep.result;
    let why: Vec<String> = found.overload.iter().map(ToString::to_string).collect();
    match (found.capacity_rps, found.first_bad) {
        (Some(capacity), Some(bad)) => {
            format!("capacity {} req/s; at {} {}", figure(capacity), figure(bad), why.join("; "))
        }
        (None, Some(bad)) => format!("no capacity found: at {} req/s already {}", figure(bad), why.join("; ")),
        _ => format!("no capacity found. {}", found.reason.sentence()),
    }
}

fn steps(sweep: &SweepRecord) -> String {
    let header = ["asked/s", "came/s", "left/s", "requests", "failed", "at once", "TTFT p50 ms", "kept", ""];
    let mut rows = table(&header);
    for step in &sweep.steps {
        let overload = step.overload();
        rows.add_row([
            figure(step.asked_rate),
            figure(step.offered_rate),
            figure(step.achieved_rate),
            step.requests.to_string(),
            step.failed.to_string(),
            figure(step.in_flight),
            known(step.ttft_p50_ms),
            step.slo_share.map_or_else(|| "–".to_owned(), percent),
            if overload.is_empty() { "held" } else { "too much" }.to_owned(),
        ]);
    }
    align_numbers(&mut rows, 0);
    indented(&rows, 4)
}
