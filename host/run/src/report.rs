//! What a run says while it runs. The run itself prints nothing: whoever watches decides what to show.

use bench_record::{EvalRecord, PhaseRecord, WorkloadRecord};
use bench_wire::Progress;

/// Something that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Update<'a> {
    /// Looking for an engine.
    Detecting,
    /// No engine was found; the embedded simulation stands in.
    Simulating {
        /// Its address.
        endpoint: &'a str,
    },
    /// Starting an engine.
    Launching {
        /// The program and its arguments.
        command: &'a str,
    },
    /// An engine was found.
    Connected {
        /// The driver's name for people.
        title: &'a str,
        /// The address.
        endpoint: &'a str,
        /// Its version, where it says.
        version: Option<&'a str>,
        /// The model that will be asked.
        model: &'a str,
        /// Tokens that a request may occupy.
        context_length: Option<u64>,
    },
    /// The model's files are being hashed.
    Hashing {
        /// Bytes hashed.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// How long the run will take, by a first request and the plan.
    Estimate {
        /// Seconds.
        seconds: f64,
        /// Requests.
        requests: u64,
    },
    /// A workload begins.
    Workload {
        /// Short label.
        label: &'a str,
        /// Title.
        title: &'a str,
        /// Its place, counted from 1.
        number: usize,
        /// Workloads in all.
        of: usize,
    },
    /// Prompts of a phase are being made.
    Preparing {
        /// The phase.
        phase: &'a str,
        /// Prompts made.
        done: u64,
        /// Prompts in all.
        of: u64,
    },
    /// A window opens; `progress` counts while it is open.
    Window {
        /// The phase.
        phase: &'a str,
        /// The repeat, counted from 1; `None` for a warm-up.
        repeat: Option<u32>,
        /// Repeats in all.
        of: u32,
        /// Requests in this window.
        requests: u64,
        /// Live counters.
        progress: &'a Progress,
    },
    /// A window has closed.
    WindowClosed,
    /// A phase is over.
    PhaseDone {
        /// Its record.
        phase: &'a PhaseRecord,
    },
    /// A workload is over.
    WorkloadDone {
        /// Its record.
        workload: &'a WorkloadRecord,
    },
    /// An eval task begins.
    Task {
        /// Its name.
        name: &'a str,
        /// Its title.
        title: &'a str,
        /// Its place, counted from 1.
        number: usize,
        /// Tasks in all.
        of: usize,
    },
    /// Samples of it are finished.
    Samples {
        /// So many.
        done: u64,
        /// Of so many.
        of: u64,
    },
    /// It is over, or one of its formats is.
    TaskDone {
        /// Its record.
        eval: &'a EvalRecord,
    },
    /// Something that the user should know.
    Note {
        /// Stable identifier.
        code: &'a str,
        /// The sentence.
        text: &'a str,
    },
}

/// Takes updates.
pub trait Reporter {
    /// Something happened.
    fn update(&mut self, update: Update<'_>);
}

/// Takes updates and says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Reporter for Silent {
    fn update(&mut self, _update: Update<'_>) {}
}
