//! The spread of the times, where there were enough samples for more than a median.

use bench_metrics::{Distribution, Summary};
use bench_record::{PhaseRecord, WorkloadRecord};

use super::{align_numbers, indented, table as plain};
use crate::numbers::{figure, known};

/// The times of requests: what the row says, metric.
const TIMES: [(&str, &str); 3] = [
    ("TTFT from intended start", "ttft_intended_ms"),
    ("TTFT from actual start", "ttft_started_ms"),
    ("end to end, from intended", "e2e_ms"),
];

/// One row per phase and time; empty where no percentile beyond the median is known.
pub(super) fn table(workload: &WorkloadRecord) -> String {
    let mut table = plain(&["latency percentiles, ms", "of", "p50", "p90", "p95", "p99", "max"]);
    for phase in &workload.phases {
        let several = workload.phases.len() > 1;
        let name = |time: &str| if several { format!("{} {time}", phase.id) } else { time.to_owned() };
        for (time, metric) in TIMES {
            let known_spread = |values: &&Distribution| values.p90.is_some();
            if let Some(values) = phase.summary.metrics.get(metric).filter(known_spread) {
                table.add_row(of_requests(&name(time), values));
            }
        }
        if let Some(row) = of_tokens(&name("between tokens"), phase) {
            table.add_row(row);
        }
    }
    if table.row_count() == 0 {
        return String::new();
    }
    align_numbers(&mut table, 2);
    indented(&table, 2)
}

fn of_requests(name: &str, values: &Distribution) -> Vec<String> {
    let numbers = [Some(values.median), values.p90, values.p95, values.p99, Some(values.max)];
    let mut row = vec![name.to_owned(), format!("{} requests", figure_of_count(values.n))];
    row.extend(numbers.map(known));
    row
}

/// Percentiles over the tokens of a repeat; of several repeats, their median.
fn of_tokens(name: &str, phase: &PhaseRecord) -> Option<Vec<String>> {
    let summary: &Summary = &phase.summary;
    let of = |metric: &str| summary.metrics.get(metric);
    let p95 = of("token_p95_ms")?;
    let each = if phase.repeats > 1 { "tokens of a repeat" } else { "all tokens" };
    let binned = if p95.binned { ", to 3 digits" } else { "" };
    let value = |metric: &str| known(of(metric).map(|values| values.median));
    let most = summary.metrics.get("itl_chunk.max_ms").map(|values| values.max);
    let row = [
        name.to_owned(),
        format!("{each}{binned}"),
        value("token_p50_ms"),
        "–".to_owned(),
        figure(p95.median),
        value("token_p99_ms"),
        known(most),
    ];
    Some(row.into())
}

fn figure_of_count(count: u32) -> String {
    if count < 100 { count.to_string() } else { figure(f64::from(count)) }
}
