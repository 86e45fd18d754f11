//! The measuring client: how wrong its times are, and how busy it was.

use bench_metrics::ErrorBar;
use bench_record::{Calibration, RunRecord};

use super::words::{Table, facts, with_below, worst};
use crate::text::{count, esc, figure, known, percent, put};

/// The section about the client.
pub(crate) fn client(page: &mut String, record: &RunRecord) {
    let client = &record.client;
    page.push_str("<section><h2>How far to trust the client</h2>");
    if client.calibrations.is_empty() {
        page.push_str("<p>The client's own error was not measured, so the numbers above have no error bar.</p>");
    } else {
        errors(page, &client.calibrations);
    }
    let cpu = client.cpu.as_ref();
    let milliseconds = |ms: f64| format!("{} ms", figure(ms));
    let maybe = |text: Option<String>| text.unwrap_or_default();
    let sampled = client.reads > 0;
    let merged = client.merged_reads as f64 / client.reads as f64;
    let limited = if client.limited { "<b class=\"bad\">yes</b>" } else { "no" };
    facts(
        page,
        &[
            ("Stamps taken by", maybe(client.stamp_source.as_deref().map(|source| esc(source).to_string()))),
            ("Worker threads", maybe(client.workers.map(|n| count(u64::from(n))))),
            ("Processors busy while measuring", known(client.cpu_share)),
            (
                "Peak memory",
                maybe(cpu.map(|cpu| format!("{} MiB", figure(cpu.peak_memory_bytes as f64 / 1_048_576.0)))),
            ),
            ("Times it was pushed off a processor", maybe(cpu.map(|cpu| count(cpu.involuntary_switches)))),
            ("Reads", maybe(sampled.then(|| count(client.reads)))),
            (
                "Reads that merged several chunks",
                maybe(sampled.then(|| format!("{} ({})", count(client.merged_reads), percent(merged)))),
            ),
            ("Stamps known to be late by 1 ms", maybe(client.late_share.map(percent))),
            ("Longest wait in the kernel", maybe(client.longest_lag_ms.map(milliseconds))),
            ("The client was the limit", limited.to_owned()),
        ],
    );
    page.push_str("</section>");
}

fn errors(page: &mut String, calibrations: &[Calibration]) {
    let titles = [
        "Streams",
        "Events",
        "TTFT off by ms",
        "Between events off by ms",
        "Receipt after emission ms",
        "Sent late by ms",
        "CPU µs per event",
        "The ruler itself late by ms",
    ];
    let mut table = Table::new(&titles, 0);
    for one in calibrations.iter().take(50) {
        let gap =
            if one.gap_us > 0 { vec![format!("every {} ms", figure(one.gap_us as f64 / 1e3))] } else { Vec::new() };
        let merged =
            if one.merged_events > 0 { vec![format!("{} merged", count(one.merged_events))] } else { Vec::new() };
        table.row(vec![
            with_below(&count(u64::from(one.streams)), &gap),
            with_below(&count(one.events), &merged),
            bar(one.ttft.as_ref()),
            bar(one.itl.as_ref()),
            bar(Some(&one.receipt)),
            bar(one.send.as_ref()),
            known(one.cpu_us_per_event),
            bar(one.emission_late.as_ref()),
        ]);
    }
    table.write(page);
    let against = calibrations.first().map_or("", |one| one.against.as_str());
    let stamps = calibrations.first().map_or("", |one| one.stamp_source.as_str());
    put!(
        page,
        "<p class=\"caption\">Against {} with {} stamps: a server on this machine that writes into each event when it sent it, on the \
         same clock. Large: the median error; below: the 99th percentile and the largest. How late the server was against its own \
         schedule is no error of the client, because its stamps say when it did send.</p>",
        esc(against),
        esc(stamps)
    );
}

fn bar(error: Option<&ErrorBar>) -> String {
    let Some(error) = error else { return "–".to_owned() };
    let mut below = Vec::new();
    if error.p99_ms.is_some() {
        below.push(format!("p99 {}", figure(worst(error))));
    }
    below.push(format!("max {}", figure(error.max_ms)));
    with_below(&figure(error.p50_ms), &below)
}
