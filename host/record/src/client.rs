//! The measuring client in a record: what it used, who stamped, and how wrong its times are.

use bench_machine::ProcessCpu;
use bench_metrics::ErrorBar;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The measuring client.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Client {
    /// What this program used of the processor while it measured, in all threads.
    pub cpu: Option<ProcessCpu>,
    /// Processor seconds per second of measuring; close to the number of workers means that they were busy all the time.
    pub cpu_share: Option<f64>,
    /// Threads that sent and received.
    #[serde(default)]
    pub workers: Option<u32>,
    /// The threads never slept while a window was open, so what they used of the processor says nothing about the load.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub busy_poll: bool,
    /// Who took the stamps of the reads: `packet`, `kernel`, `user-space` or `mixed`.
    pub stamp_source: Option<String>,
    /// Longest time that bytes lay in the kernel before the client read them, in milliseconds; known with kernel stamps.
    pub longest_lag_ms: Option<f64>,
    /// Reads that held at least a byte of an answer.
    #[serde(default)]
    pub reads: u64,
    /// Reads that held more than one piece of content, whose times therefore cannot be told apart.
    #[serde(default)]
    pub merged_reads: u64,
    /// Share of the stamps, from 0 to 1, that are known to be 1 ms or more too late: taken in user space after the bytes had
    /// lain in the kernel for so long, or for a read that the kernel had merged. Absent when nothing tells.
    #[serde(default)]
    pub late_share: Option<f64>,
    /// The client was the limit of what was measured.
    pub limited: bool,
    /// The client's own error, measured against a server that says when it sent each event; one entry per load.
    #[serde(default)]
    pub calibrations: Vec<Calibration>,
}

impl Client {
    /// The calibration that stands for `streams` at once: the one with the fewest streams that has at least as many, else the
    /// one with the most.
    pub fn calibration_for(&self, streams: u32) -> Option<&Calibration> {
        let enough = self.calibrations.iter().filter(|one| one.streams >= streams).min_by_key(|one| one.streams);
        enough.or_else(|| self.calibrations.iter().max_by_key(|one| one.streams))
    }
}

/// How wrong the client's times are: what it stamped against what a server says that it did, on the same clock. The way over
/// the loopback is included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Calibration {
    /// What it was measured against.
    pub against: String,
    /// Streams at once.
    pub streams: u32,
    /// Time between two events of a stream, in microseconds.
    pub gap_us: u64,
    /// Who took the stamps: `packet`, `kernel`, `user-space` or `mixed`.
    pub stamp_source: String,
    /// Events stamped.
    pub events: u64,
    /// Events that shared a read with another one.
    pub merged_events: u64,
    /// Error of the time to first token: as the client measured it, minus as the server emitted it.
    pub ttft: Option<ErrorBar>,
    /// Error of the time between two events: as the client measured it, minus as the server emitted it.
    pub itl: Option<ErrorBar>,
    /// From the emission of an event to its stamp.
    pub receipt: ErrorBar,
    /// From the intended moment of a request to its first byte written.
    pub send: Option<ErrorBar>,
    /// Processor time of the client per event, in microseconds, decoding left out.
    pub cpu_us_per_event: Option<f64>,
    /// How late the server itself emitted against its own schedule. It is no error of the client, and bounds what the
    /// calibration can show.
    pub emission_late: Option<ErrorBar>,
}

impl Calibration {
    /// The client's error in the metric called `name`, where the calibration says: in times to first token, and in times
    /// between tokens.
    pub fn error_of(&self, name: &str) -> Option<&ErrorBar> {
        match name {
            "ttft_ms" | "ttft_started_ms" | "ttft_intended_ms" | "ttft_visible_ms" | "first_chunk_ms" => {
                self.ttft.as_ref()
            }
            _ if name.starts_with("decode_p") || name.starts_with("token_p") || name.starts_with("itl") => {
                self.itl.as_ref()
            }
            _ => None,
        }
    }
}
