//! The best Rust peer on such a machine: the simulated engine on one core, the client on another, 50 ms to the first
//! token, then one every 10 ms. Its numbers are facts of an earlier measurement, printed beside ours in the same form.

use serde::Serialize;

use super::judge::{Measured, least};
use super::report::{Calibration, Report};
use super::scenario::GAP_US;

/// How many times better the errors have to be.
const ERRORS: f64 = 10.0;
/// How many times less processor time has to be used.
const CPU: f64 = 3.0;

/// A number of the peer's: streams, what it is, how much. Errors of the median TTFT in ms, the 99th percentile of the
/// measured ITL in ms, processor time in seconds for a million events.
const PEER: [(u32, What, f64); 5] = [
    (1000, What::TtftError, 106.0),
    (1000, What::ItlP99, 167.0),
    (1000, What::Cpu, 8.7),
    (100, What::TtftError, 7.9),
    (100, What::ItlP99, 18.0),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    TtftError,
    ItlP99,
    Cpu,
}

/// The peer's number beside ours.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub streams: u32,
    pub stamps: &'static str,
    pub what: &'static str,
    pub unit: &'static str,
    pub peer: f64,
    pub ours: Option<f64>,
    /// How many times better ours is: of errors, those beyond the schedule's own gap.
    pub ratio: Option<f64>,
    pub wanted: f64,
}

impl Row {
    pub fn holds(&self) -> bool {
        self.ratio.is_some_and(|ratio| ratio >= self.wanted)
    }
}

/// Every number of the peer's beside ours, for both kinds of stamps.
pub fn compare(measured: &Measured) -> Vec<Row> {
    let of = |stamps| PEER.iter().map(move |(streams, what, peer)| row(measured, *streams, stamps, *what, *peer));
    of("kernel").chain(of("user")).collect()
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a gap")]
fn row(measured: &Measured, streams: u32, stamps: &'static str, what: What, peer: f64) -> Row {
    let scenario = format!("{}-{stamps}", if streams == 1000 { "loaded" } else { "hundred" });
    let error = |number: fn(&Calibration) -> Option<f64>| {
        least(&measured.values(&scenario, |report| number(&report.calibration)))
    };
    let gap = GAP_US as f64 / 1e3;
    let (what, unit, ours, ratio, wanted) = match what {
        What::TtftError => {
            let ours = error(Calibration::ttft_p50);
            ("TTFT error, median", "ms", ours, ours.map(|ours| peer / ours), ERRORS)
        }
        // The gap plus the error's percentile is an upper bound of the measured percentile.
        What::ItlP99 => {
            let ours = error(Calibration::itl_p99);
            let ratio = ours.map(|ours| (peer - gap) / ours);
            ("ITL p99 of 10 ms gaps", "ms", ours.map(|ours| gap + ours), ratio, ERRORS)
        }
        What::Cpu => {
            let ours = least(&measured.values(&scenario, Report::cpu_us_per_event));
            ("CPU for a million events", "s", ours, ours.map(|ours| peer / ours), CPU)
        }
    };
    Row { streams, stamps, what, unit, peer, ours, ratio, wanted }
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::text;
    use super::*;

    fn measured(itl_p99: f64, cpu: f64) -> Measured {
        let mut measured = Measured::default();
        measured.take("loaded-kernel", Report::parse(&text(itl_p99, cpu)).map(|report| vec![report]));
        measured
    }

    fn rows(measured: &Measured, what: &str) -> Vec<Row> {
        compare(measured)
            .into_iter()
            .filter(|row| row.streams == 1000 && row.stamps == "kernel" && row.what.contains(what))
            .collect()
    }

    #[test]
    fn errors_are_compared_beyond_the_gap() {
        let found = rows(&measured(1.57, 2.0), "ITL");
        assert_eq!(found.iter().map(|row| (row.ours, row.ratio)).collect::<Vec<_>>(), [(Some(11.57), Some(100.0))]);
        assert!(found.iter().all(Row::holds));
        assert!(!rows(&measured(15.8, 2.0), "ITL").iter().all(Row::holds));
    }

    #[test]
    fn processor_time_has_to_be_a_third() {
        assert!(rows(&measured(0.1, 2.9), "CPU").iter().all(Row::holds));
        assert!(!rows(&measured(0.1, 3.0), "CPU").iter().all(Row::holds));
    }

    #[test]
    fn what_was_not_measured_does_not_hold() {
        assert!(compare(&Measured::default()).iter().all(|row| row.ratio.is_none() && !row.holds()));
    }
}
