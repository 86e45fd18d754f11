//! The best Rust peer on such a machine: the simulated engine on one core, the client on another, 50 ms to the first
//! token, then one every 10 ms. Its numbers are facts of an earlier measurement, printed beside ours in the same form.
//!
//! The peer's processor time is of its whole process. Ours stands there three times: of the window alone, with the decoding
//! that a run does after it, and of the whole process of `bench calibrate`, which parses every event for its emission stamp
//! and sorts millions of errors, as neither a run nor the peer does; the last is therefore only reported.

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
const PEER: [(u32, What, f64); 7] = [
    (1000, What::TtftError, 106.0),
    (1000, What::ItlP99, 167.0),
    (1000, What::WindowCpu, 8.7),
    (1000, What::DecodedCpu, 8.7),
    (1000, What::ProcessCpu, 8.7),
    (100, What::TtftError, 7.9),
    (100, What::ItlP99, 18.0),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    TtftError,
    ItlP99,
    WindowCpu,
    DecodedCpu,
    ProcessCpu,
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
    /// The least that the ratio may be; `None` where it is only reported.
    pub wanted: Option<f64>,
}

impl Row {
    pub fn holds(&self) -> bool {
        self.ratio.is_some_and(|ratio| self.wanted.is_none_or(|wanted| ratio >= wanted))
    }

    /// In words.
    pub fn verdict(&self) -> &'static str {
        match (self.ratio, self.wanted) {
            (None, _) => "not measured",
            (Some(_), None) => "reported",
            _ if self.holds() => "met",
            _ => "not met",
        }
    }
}

/// Every number of the peer's beside ours, for both kinds of stamps.
pub fn compare(measured: &Measured) -> Vec<Row> {
    let kernel = PEER.iter().map(|(streams, what, peer)| row(measured, *streams, "kernel", *what, *peer));
    // Decoding was measured beside a window with stamps of the kernel.
    let user = PEER.iter().filter(|(_, what, _)| *what != What::DecodedCpu);
    let user = user.map(|(streams, what, peer)| row(measured, *streams, "user", *what, *peer));
    kernel.chain(user).collect()
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a gap")]
fn row(measured: &Measured, streams: u32, stamps: &'static str, what: What, peer: f64) -> Row {
    let scenario = format!("{}-{stamps}", if streams == 1000 { "loaded" } else { "hundred" });
    let error = |number: fn(&Calibration) -> Option<f64>| {
        least(&measured.values(&scenario, |report| number(&report.calibration)))
    };
    let of = |number: fn(&Report) -> Option<f64>| least(&measured.values(&scenario, number));
    let cpu = |what, ours: Option<f64>, wanted| (what, "s", ours, ours.map(|ours| peer / ours), wanted);
    let gap = GAP_US as f64 / 1e3;
    let (what, unit, ours, ratio, wanted) = match what {
        What::TtftError => {
            let ours = error(Calibration::ttft_p50);
            ("TTFT error, median", "ms", ours, ours.map(|ours| peer / ours), Some(ERRORS))
        }
        // The gap plus the error's percentile is an upper bound of the measured percentile.
        What::ItlP99 => {
            let ours = error(Calibration::itl_p99);
            let ratio = ours.map(|ours| (peer - gap) / ours);
            ("ITL p99 of 10 ms gaps", "ms", ours.map(|ours| gap + ours), ratio, Some(ERRORS))
        }
        What::WindowCpu => cpu("CPU for a million events, window", of(Report::cpu_us_per_event), Some(CPU)),
        What::DecodedCpu => {
            let costs = measured.overall.iter().find(|costs| costs.scenario == format!("{streams} streams"));
            let ours = costs.map(|costs| costs.seconds_per_million);
            cpu("CPU for a million events, window and decoding", ours, Some(CPU))
        }
        What::ProcessCpu => cpu("CPU for a million events, whole process", of(Report::process_cpu_us_per_event), None),
    };
    Row { streams, stamps, what, unit, peer, ours, ratio, wanted }
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::text;
    use super::*;

    fn measured(itl_p99: f64, cpu: f64) -> Measured {
        let mut measured = Measured::default();
        measured.take("loaded-kernel", Report::parse(&text(itl_p99, cpu)));
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
        let verdicts = |cpu| rows(&measured(0.1, cpu), "CPU").iter().map(Row::verdict).collect::<Vec<_>>();
        assert_eq!(verdicts(2.9), ["met", "not measured", "not measured"]);
        assert_eq!(verdicts(3.0), ["not met", "not measured", "not measured"]);
    }

    #[test]
    fn the_whole_process_is_only_reported() {
        let mut measured = Measured::default();
        let report = Report::parse(&text(0.1, 2.0)).map(|report| Report { process_cpu_seconds: Some(9.0), ..report });
        measured.take("loaded-kernel", report);
        let whole: Vec<_> = rows(&measured, "whole").iter().map(|row| (row.ours, row.verdict())).collect();
        assert_eq!(whole, [(Some(9.0), "reported")]);
    }

    #[test]
    fn what_was_not_measured_does_not_hold() {
        assert!(compare(&Measured::default()).iter().all(|row| row.ratio.is_none() && !row.holds()));
    }
}
