//! What `bench calibrate --json` prints.

use serde::{Deserialize, Serialize};

use crate::Error;

/// A calibration and what it took.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Report {
    pub calibration: Calibration,
    /// Processor time of the client while the window was open, in seconds: sending, receiving, stamping and keeping.
    pub cpu_seconds: Option<f64>,
    /// Processor time of the whole process: also starting, opening connections, and afterwards parsing every event for its
    /// emission stamp and sorting the errors, which a run does not do. Taken from the process, not from what it printed.
    #[serde(skip_deserializing)]
    pub process_cpu_seconds: Option<f64>,
    pub max_rss_kib: Option<u64>,
    /// How long the window was open.
    pub seconds: f64,
    pub requests: u64,
    /// Requests without a whole answer.
    pub failed: u64,
}

/// How wrong the client was.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Calibration {
    pub streams: u32,
    pub stamp_source: String,
    pub events: u64,
    #[serde(default)]
    pub merged_events: u64,
    #[serde(default)]
    pub ttft: Option<Errors>,
    #[serde(default)]
    pub itl: Option<Errors>,
    #[serde(default)]
    pub receipt: Option<Errors>,
    #[serde(default)]
    pub send: Option<Errors>,
    /// How late the engine itself was.
    #[serde(default)]
    pub emission_late: Option<Errors>,
}

/// The distribution of an error, in milliseconds. Percentiles are absent where there were too few samples.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
pub struct Errors {
    pub p50_ms: f64,
    #[serde(default)]
    pub p99_ms: Option<f64>,
    pub max_ms: f64,
    pub samples: u64,
}

impl Report {
    /// Reads what was printed.
    pub fn parse(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text)
            .map_err(|error| Error::Manifest("what `bench calibrate --json` printed".to_owned(), error))
    }

    /// Refuses a report of other stamps than were asked for, of fewer than 99 % of the events that there should be, or with
    /// failures.
    pub fn checked(self, stamps: &str, events: u64) -> Result<Self, Error> {
        let Calibration { stamp_source, events: seen, .. } = &self.calibration;
        let problem = if !stamp_source.starts_with(stamps) {
            format!("was asked for {stamps} stamps and took {stamp_source} ones")
        } else if *seen < events / 100 * 99 {
            format!("saw {seen} of {events} events")
        } else if self.failed > 0 {
            format!("{} of {} requests failed", self.failed, self.requests)
        } else {
            return Ok(self);
        };
        Err(Error::Child { command: "bench calibrate".to_owned(), problem })
    }

    /// Processor time of the window in microseconds for each event, or in seconds for a million.
    pub fn cpu_us_per_event(&self) -> Option<f64> {
        self.per_event(self.cpu_seconds)
    }

    /// The same of the whole process.
    pub fn process_cpu_us_per_event(&self) -> Option<f64> {
        self.per_event(self.process_cpu_seconds)
    }

    fn per_event(&self, seconds: Option<f64>) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a count of events fits a double exactly")]
        let events = self.calibration.events as f64;
        seconds.filter(|_| events > 0.0).map(|seconds| seconds * 1e6 / events)
    }
}

impl Calibration {
    pub fn ttft_p50(&self) -> Option<f64> {
        self.ttft.map(|errors| errors.p50_ms)
    }

    pub fn ttft_p99(&self) -> Option<f64> {
        self.ttft.and_then(|errors| errors.p99_ms)
    }

    pub fn ttft_max(&self) -> Option<f64> {
        self.ttft.map(|errors| errors.max_ms)
    }

    pub fn itl_p50(&self) -> Option<f64> {
        self.itl.map(|errors| errors.p50_ms)
    }

    pub fn itl_p99(&self) -> Option<f64> {
        self.itl.and_then(|errors| errors.p99_ms)
    }

    pub fn send_p99(&self) -> Option<f64> {
        self.send.and_then(|errors| errors.p99_ms)
    }
}

#[cfg(test)]
pub mod tests {
    use super::Report;

    /// A report with these errors, in the form in which they are printed.
    pub fn text(itl_p99: f64, cpu_seconds: f64) -> String {
        let errors = |p50: f64, p99: f64| serde_json::json!({"samples": 1000, "p50_ms": p50, "p95_ms": p50, "p99_ms": p99, "max_ms": p99 * 2.0, "mean_ms": p50});
        serde_json::json!({
            "calibration": {
                "against": "bench-sim 0.1.0", "streams": 1000, "gap_us": 10_000, "stamp_source": "kernel",
                "events": 1_000_000, "merged_events": 3, "ttft": errors(0.02, 0.04), "itl": errors(0.01, itl_p99),
                "receipt": errors(0.02, 0.04), "send": null, "cpu_us_per_event": 1.5, "emission_late": errors(0.001, 0.1),
            },
            "cpu_seconds": cpu_seconds, "max_rss_kib": 50_000, "seconds": 10.1, "requests": 1000, "failed": 0,
        })
        .to_string()
    }

    #[test]
    fn what_calibration_prints_is_read() {
        let report = Report::parse(&text(0.08, 2.5)).ok();
        assert_eq!(report.as_ref().and_then(|report| report.calibration.itl_p99()), Some(0.08));
        assert_eq!(report.as_ref().and_then(Report::cpu_us_per_event), Some(2.5));
        assert_eq!(report.and_then(|report| report.calibration.send_p99()), None);
    }

    #[test]
    fn percentiles_may_be_absent() {
        let text = text(0.08, 2.5).replace("\"p99_ms\":0.08,", "\"p99_ms\":null,");
        assert_eq!(Report::parse(&text).ok().and_then(|report| report.calibration.itl_p99()), None);
    }

    #[test]
    fn a_report_of_something_else_is_refused() {
        let checked =
            |stamps, events| Report::parse(&text(0.08, 2.5)).and_then(|report| report.checked(stamps, events));
        assert!(checked("kernel", 1_000_000).is_ok() && checked("", 1_010_000).is_ok());
        assert!(checked("user", 1_000_000).is_err());
        assert!(checked("kernel", 1_100_000).is_err());
        let failures = Report::parse(&text(0.08, 2.5).replace("\"failed\":0", "\"failed\":1"));
        assert!(failures.and_then(|report| report.checked("kernel", 1_000_000)).is_err());
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "{}", "[1]", "{\"calibration\":{}}"] {
            assert!(Report::parse(text).is_err(), "{text}");
        }
    }
}
