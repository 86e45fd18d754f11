//! What is to be known of the client itself.

use bench_metrics::ErrorBar;
use bench_record::{Calibration, RunRecord};
use bench_text::clean_name;

use crate::numbers::{figure, known, short};

/// One line for what the client did, one for each load at which its error was measured.
pub(super) fn lines(record: &RunRecord) -> String {
    let mut text = String::new();
    let used = used(record);
    if !used.is_empty() {
        text.push_str(&format!("client: {}\n", used.join(", ")));
    }
    for calibration in &record.client.calibrations {
        text.push_str(&error_line(calibration));
    }
    text
}

fn used(record: &RunRecord) -> Vec<String> {
    let client = &record.client;
    let mut parts = Vec::new();
    if client.limited {
        parts.push("WAS THE LIMIT of what was measured".to_owned());
    }
    parts.extend(
        client.workers.map(|workers| if workers == 1 { "1 thread".to_owned() } else { format!("{workers} threads") }),
    );
    if client.busy_poll {
        parts.push("busy polling".to_owned());
    }
    parts.extend(client.cpu_share.map(|share| format!("{} of a processor busy", percent(share))));
    if client.reads > 0 {
        parts.push(format!("{} reads", whole(client.reads)));
    }
    if client.merged_reads > 0 {
        parts.push(format!("{} of them with several events", whole(client.merged_reads)));
    }
    parts.extend(client.stamp_source.as_ref().map(|source| format!("stamps by {}", clean_name(source))));
    parts.extend(client.longest_lag_ms.map(|lag| format!("longest lag {}", short(lag))));
    parts.extend(
        client.late_share.filter(|share| *share > 0.0).map(|share| format!("{} of the stamps late", percent(share))),
    );
    parts
}

/// How wrong the client's times are at one load.
fn error_line(calibration: &Calibration) -> String {
    let bar = |bar: Option<&ErrorBar>| match bar {
        Some(bar) => format!("p50 {}, p99 {}", figure(bar.p50_ms), known(bar.p99_ms)),
        None => "–".to_owned(),
    };
    format!(
        "client error in ms at {} streams, stamps by {}: TTFT {}; ITL {} ({} events against {})\n",
        calibration.streams,
        clean_name(&calibration.stamp_source),
        bar(calibration.ttft.as_ref()),
        bar(calibration.itl.as_ref()),
        calibration.events,
        clean_name(&calibration.against),
    )
}

/// A share as a percentage, never rounded up to all of it.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let tenths = if share < 1.0 { (percent * 10.0).floor() / 10.0 } else { percent.round() };
    if tenths.fract() == 0.0 { format!("{tenths:.0} %") } else { format!("{tenths:.1} %") }
}

fn whole(count: u64) -> String {
    if count < 100 { count.to_string() } else { figure(count as f64) }
}
