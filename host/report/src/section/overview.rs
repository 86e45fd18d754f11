//! The numbers of all phases in one table.

use bench_metrics::{Distribution, ErrorBar};
use bench_record::{PhaseRecord, PhaseStatus, RunRecord, WorkloadRecord};

use super::words::{Table, load, median, name_of, with_below, worst};
use crate::text::{count, esc, figure, known, percent};

/// The table of results.
pub(crate) fn overview(page: &mut String, record: &RunRecord) {
    // A run of tasks alone has none.
    if record.workloads.is_empty() && !record.evals.is_empty() {
        return;
    }
    let titles = [
        "Phase",
        "Answered",
        "TTFT ms",
        "Between tokens ms",
        "Decode tok/s",
        "End to end ms",
        "Total tok/s",
        "Requests/s",
        "Within objectives",
    ];
    let mut table = Table::new(&titles, 1);
    for workload in &record.workloads {
        for phase in workload.phases.iter().filter(|phase| phase.status != PhaseStatus::Skipped) {
            table.row(row(record, workload, phase));
        }
    }
    page.push_str("<section><h2>Results</h2>");
    table.write(page);
    page.push_str(
        "<p class=\"caption\">Medians over requests. ± is half of the 95 % interval over repeats. <em>Client ±</em> is this client's \
         own error at the nearest load: 99 % of its times are no further off (the largest error seen, where there are too few to \
         say), measured against a server that stamps what it sends. A missing percentile had too few samples.</p></section>",
    );
}

fn row(record: &RunRecord, workload: &WorkloadRecord, phase: &PhaseRecord) -> Vec<String> {
    let summary = &phase.summary;
    let calibration = record.client.calibration_for(phase.concurrency());
    let lost = summary.failed + summary.not_sent;
    let answered = format!("{}/{}", count(u64::from(summary.completed)), count(u64::from(summary.requests)));
    let answered = if lost > 0 {
        with_below(&answered, &[format!("<b class=\"bad\">{} not</b>", count(u64::from(lost)))])
    } else {
        answered
    };
    vec![
        with_below(
            &esc(&name_of(workload, phase)).to_string(),
            &[esc(&load(phase)).to_string().replace(',', ",<wbr>")],
        ),
        answered,
        timed(phase, &["ttft_ms"], calibration.and_then(|one| one.ttft.as_ref())),
        between(phase, calibration.and_then(|one| one.itl.as_ref())),
        plain(phase, "decode_tps"),
        timed(phase, &["e2e_ms"], None),
        plain(phase, "aggregate_tps"),
        median(summary, "request_rate"),
        phase.goodput.as_ref().and_then(|goodput| goodput.share).map_or_else(|| "–".to_owned(), percent),
    ]
}

fn found<'a>(phase: &'a PhaseRecord, names: &[&str]) -> Option<&'a Distribution> {
    names.iter().find_map(|name| phase.summary.metrics.get(*name))
}

fn spread(found: &Distribution) -> String {
    let half = found.half_width.map_or_else(String::new, |half| format!(" <i>±{}</i>", figure(half)));
    format!("{}{half}", figure(found.median))
}

fn plain(phase: &PhaseRecord, name: &str) -> String {
    found(phase, &[name]).map_or_else(|| "–".to_owned(), spread)
}

fn below(p95: Option<f64>, p99: Option<f64>, error: Option<&ErrorBar>) -> Vec<String> {
    let mut below = Vec::new();
    let percentiles = [("p95", p95), ("p99", p99)];
    let known: Vec<String> =
        percentiles.iter().filter_map(|(name, value)| Some(format!("{name} {}", figure((*value)?)))).collect();
    if !known.is_empty() {
        below.push(known.join(" · "));
    }
    below.extend(error.map(|bar| format!("<em>client ±{}</em>", figure(worst(bar)))));
    below
}

fn timed(phase: &PhaseRecord, names: &[&str], error: Option<&ErrorBar>) -> String {
    match found(phase, names) {
        Some(found) => with_below(&spread(found), &below(found.p95, found.p99, error)),
        None => "–".to_owned(),
    }
}

/// Over all tokens of a repeat where they can be told apart, else the mean of each request.
fn between(phase: &PhaseRecord, error: Option<&ErrorBar>) -> String {
    let pooled = |name: &str| phase.summary.median(name);
    match found(phase, &["token_p50_ms", "tpot_ms"]) {
        Some(middle) => with_below(&spread(middle), &below(pooled("token_p95_ms"), pooled("token_p99_ms"), error)),
        None => known(None),
    }
}
