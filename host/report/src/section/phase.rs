//! One phase: what was asked for, what came of it, and how.

use bench_metrics::{ErrorBar, Goodput};
use bench_record::{ArrivalLaw, FitKind, PhaseRecord, RunRecord, ShapeRecord, StageRecord, SweepRecord};

use super::words::{Table, load, median, p95, with_below, worst};
use crate::chart;
use crate::text::{count, counted, esc, figure, known, percent, put, round};

/// Stages in a table.
const MOST_STAGES: usize = 200;

/// The part of a phase.
pub(crate) fn phase(page: &mut String, record: &RunRecord, phase: &PhaseRecord) {
    put!(page, "<article><h3>{} <span>{}</span></h3>", esc(&phase.id), esc(&load(phase)));
    if let Some(problem) = &phase.problem {
        put!(page, "<div class=\"verdict doubt\">{} <code>{}</code></div>", esc(&problem.message), esc(&problem.code));
    }
    tiles(page, phase);
    chart::distributions(page, phase);
    chart::timeline(page, record, phase);
    if let Some(sweep) = &phase.sweep {
        capacity(page, sweep);
    }
    stages(page, phase);
    if let Some(goodput) = &phase.goodput {
        objectives(page, goodput);
    }
    pacing(page, phase);
    chart::series(page, phase);
    page.push_str("</article>");
}

fn tiles(page: &mut String, phase: &PhaseRecord) {
    let mut tiles = Vec::new();
    let mut tile = |name: &str, value: Option<f64>, unit: &str| {
        tiles.extend(value.map(|value| (name.to_owned(), figure(value), unit.to_owned())));
    };
    let summary = &phase.summary;
    tile("TTFT, median", summary.median("ttft_ms"), "ms");
    tile("between tokens, median", summary.median("token_p50_ms").or(summary.median("tpot_ms")), "ms");
    tile("output, all requests", summary.median("aggregate_tps"), "tok/s");
    tile("running at once, mean", summary.median("concurrency"), "requests");
    if let Some(steady) = &phase.steady {
        tile("output, steady window", steady.summary.median("aggregate_tps"), "tok/s");
    }
    if let Some(goodput) = phase.goodput.as_ref().and_then(|goodput| goodput.per_second) {
        tile("goodput", Some(goodput), "req/s");
    }
    page.push_str("<div class=\"tiles\">");
    for (name, value, unit) in tiles {
        put!(page, "<div class=\"tile\"><span>{name}</span><strong>{value}</strong><span>{unit}</span></div>");
    }
    page.push_str("</div>");
    let mut words = vec![format!("{} measured", counted(u64::from(summary.requests), "request"))];
    let tokens = |name: &str| summary.median(name).map(|tokens| format!("{} tokens", round(tokens)));
    words.extend(tokens("prompt_tokens").map(|tokens| format!("prompts of {tokens} (median)")));
    words.extend(tokens("output_tokens").map(|tokens| format!("answers of {tokens} (median)")));
    if phase.repeats > 1 {
        words.push(format!("{} repeats", phase.repeats));
    }
    if phase.prompt_fit == Some(FitKind::Nominal) {
        words.push("prompt lengths are estimates".to_owned());
    }
    put!(page, "<p class=\"caption\">{}.</p>", esc(&words.join("; ")));
}

fn capacity(page: &mut String, sweep: &SweepRecord) {
    let found = &sweep.result;
    page.push_str("<h4>Capacity</h4><p>");
    match found.capacity_rps {
        Some(rate) => put!(page, "<strong>The server holds {} requests per second.</strong> ", figure(rate)),
        None => page.push_str("<strong>The capacity was not enclosed.</strong> "),
    }
    page.push_str(found.reason.sentence());
    if let Some(rate) = found.first_bad {
        let why: Vec<String> = found.overload.iter().map(ToString::to_string).collect();
        put!(page, " At {} per second {}.", figure(rate), why.join("; "));
    }
    page.push_str("</p>");
}

fn stages(page: &mut String, phase: &PhaseRecord) {
    if phase.stages.is_empty() {
        return;
    }
    let titles = [
        "Stage",
        "Asked req/s",
        "Sent req/s",
        "Answered",
        "TTFT ms, from intended",
        "Per output token ms",
        "Total tok/s",
        "Within objectives",
    ];
    let mut table = Table::new(&titles, 1);
    for stage in phase.stages.iter().take(MOST_STAGES) {
        table.row(stage_row(stage));
    }
    page.push_str("<h4>Stages</h4>");
    table.write(page);
    page.push_str(
        "<p class=\"caption\">Tokens per second are over the time until the last answer of the stage had come.</p>",
    );
    if matches!(&phase.shape, Some(ShapeRecord::OpenLoop { arrivals, .. }) if *arrivals != ArrivalLaw::Constant) {
        page.push_str(
            "<p class=\"caption\">Asked is the mean of a random schedule, which in a short stage has more or fewer requests; \
             whether the client kept to the schedule as drawn is under Pacing.</p>",
        );
    }
}

fn stage_row(stage: &StageRecord) -> Vec<String> {
    let summary = &stage.summary;
    let timed = |name: &str| {
        let below: Vec<String> = p95(summary, name).map(|value| format!("p95 {}", figure(value))).into_iter().collect();
        with_below(&median(summary, name), &below)
    };
    vec![
        esc(&stage.name).to_string(),
        stage.asked_rate.map_or_else(|| "–".to_owned(), round),
        known(stage.achieved_rate),
        format!("{}/{}", count(u64::from(summary.completed)), count(u64::from(summary.requests))),
        timed("ttft_intended_ms"),
        timed("tpot_ms"),
        median(summary, "aggregate_tps"),
        stage.goodput.as_ref().and_then(|goodput| goodput.share).map_or_else(|| "–".to_owned(), percent),
    ]
}

fn objectives(page: &mut String, goodput: &Goodput) {
    let parts = [
        ("met", "within every objective", goodput.met),
        ("missed", "too slow", goodput.missed),
        ("failed", "failed or not sent", goodput.failed),
        ("unjudged", "cannot be judged", goodput.unjudged),
    ];
    let whole: u64 = parts.iter().map(|(.., n)| u64::from(*n)).sum();
    if whole == 0 {
        return;
    }
    put!(page, "<h4>Objectives: {}</h4><div class=\"stack\">", esc(&goodput.slo.to_string()));
    for (class, _, n) in parts.iter().filter(|(.., n)| *n > 0) {
        put!(page, "<span class=\"{class}\" style=\"width:{:.2}%\"></span>", f64::from(*n) / whole as f64 * 100.0);
    }
    page.push_str("</div><p class=\"legend\">");
    for (class, words, n) in parts.iter().filter(|(.., n)| *n > 0) {
        put!(page, "<span><i class=\"{class}\"></i>{words}: {}</span>", count(u64::from(*n)));
    }
    page.push_str("</p>");
    if !goodput.missed_by.is_empty() {
        let missed: Vec<String> =
            goodput.missed_by.iter().take(32).map(|(bound, n)| format!("{bound} {}", count(u64::from(*n)))).collect();
        put!(
            page,
            "<p class=\"caption\">Missed: {}; a request can miss several. TTFT and end to end count from the intended start.</p>",
            esc(&missed.join(", "))
        );
    }
}

fn pacing(page: &mut String, phase: &PhaseRecord) {
    let Some(pacing) = &phase.pacing else { return };
    let bar = |bar: &ErrorBar| {
        format!("median {} ms, p99 {} ms, at most {} ms", figure(bar.p50_ms), figure(worst(bar)), figure(bar.max_ms))
    };
    let mut words = Vec::new();
    if let (Some(asked), Some(achieved)) = (pacing.asked_rate, pacing.achieved_rate) {
        let share = pacing.achieved_share().map_or_else(String::new, |share| format!(" ({})", percent(share)));
        words.push(format!("{} requests per second were due and {} were sent{share}", figure(asked), figure(achieved)));
    }
    words.extend(
        pacing
            .send_error
            .as_ref()
            .map(|error| format!("the first byte left after its intended moment by: {}", bar(error))),
    );
    words.extend(pacing.queue.as_ref().map(|queue| format!("of that, waiting in the client: {}", bar(queue))));
    if !words.is_empty() {
        put!(page, "<p class=\"caption\"><b>Pacing.</b> {}.</p>", esc(&words.join("; ")));
    }
}
