//! `bench calibrate`.

use bench_run::{CalibrationPlan, calibrate as measure};

use super::runtime;
use crate::cli::CalibrateArgs;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::numbers::{figure, known};
use crate::output;

/// Measures how much later than they were sent events are stamped.
pub fn calibrate(args: &CalibrateArgs) -> Outcome {
    let plan = CalibrationPlan { streams: args.streams, events: args.events, gap_us: args.gap_us };
    let result = runtime()?.block_on(measure(&plan))?;
    if args.json {
        output::json(&result);
        return Ok(Exit::Success);
    }
    output::data(&format!(
        "{} streams, {} events against {}\nreceipt after emission, ms: p50 {}, p95 {}, p99 {}, max {}",
        result.streams,
        result.events,
        result.against,
        figure(result.p50_ms),
        known(result.p95_ms),
        known(result.p99_ms),
        figure(result.max_ms),
    ));
    Ok(Exit::Success)
}
