//! `bench calibrate`.

use std::time::Duration;

use bench_machine::ProcessCpu;
use bench_metrics::ErrorBar;
use bench_run::{Calibrated, CalibrationPlan, calibrate as measure};
use bench_text::clean_name;
use serde_json::json;

use super::runtime;
use crate::cli::CalibrateArgs;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::numbers::{figure, known};
use crate::output;
use crate::results::{align_numbers, table};

/// Measures how wrong the client is: what it stamps against what the simulated engine says that it did.
pub fn calibrate(args: &CalibrateArgs) -> Outcome {
    let plan = CalibrationPlan {
        streams: args.streams,
        events: args.events,
        gap_us: args.gap_us,
        ttft_us: args.ttft_us,
        endpoint: args.endpoint.clone(),
        stamps: args.stamps.into(),
        workers: args.workers.map(usize::from),
        waiting: super::waiting(args.busy_poll),
        rate: args.rate,
        lasts: args.seconds.map(Duration::from_secs),
    };
    let result = runtime()?.block_on(measure(&plan))?;
    if args.json {
        let peak = ProcessCpu::sample().into_value();
        output::json(&json!({
            "calibration": result.calibration,
            "cpu_seconds": result.cpu_seconds,
            "max_rss_kib": peak.map(|used| used.peak_memory_bytes / 1024),
            "seconds": result.seconds,
            "requests": result.requests,
            "failed": result.failed,
        }));
    } else {
        output::data(&text(&result));
    }
    Ok(Exit::Success)
}

fn text(result: &Calibrated) -> String {
    let calibration = &result.calibration;
    let mut bars = table(&["error, ms", "p50", "p95", "p99", "max"]);
    let rows: [(&str, Option<&ErrorBar>); 5] = [
        ("time to first token", calibration.ttft.as_ref()),
        ("time between events", calibration.itl.as_ref()),
        ("receipt after emission", Some(&calibration.receipt)),
        ("sent after intended", calibration.send.as_ref()),
        ("emitted after due (the simulation's own)", calibration.emission_late.as_ref()),
    ];
    for (name, bar) in rows {
        if let Some(bar) = bar {
            let (p95, p99) = (known(bar.p95_ms), known(bar.p99_ms));
            bars.add_row([name, &figure(bar.p50_ms), &p95, &p99, &figure(bar.max_ms)]);
        }
    }
    align_numbers(&mut bars, 1);
    let cpu = calibration
        .cpu_us_per_event
        .map_or_else(String::new, |cpu| format!(", {} µs of processor time per event", figure(cpu)));
    format!(
        "{} requests ({} failed), {} events in {} s against {}\nstamps: {}; {} events shared a read with the one before{cpu}\n\n{bars}",
        result.requests,
        result.failed,
        calibration.events,
        figure(result.seconds),
        clean_name(&calibration.against),
        clean_name(&calibration.stamp_source),
        calibration.merged_events,
    )
}
