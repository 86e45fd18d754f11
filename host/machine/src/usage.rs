//! Processor time of this very process. When the client was busy, the client may have been the limit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Found;

/// What this process has used since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessCpu {
    /// Processor time in the program, in seconds, over all threads.
    pub user_seconds: f64,
    /// Processor time in the kernel on its behalf, in seconds.
    pub system_seconds: f64,
    /// How often it had to give way to others while it wanted to run.
    pub involuntary_switches: u64,
    /// The most memory that it ever held, in bytes.
    pub peak_memory_bytes: u64,
}

impl ProcessCpu {
    /// Reads the counters (`getrusage`).
    #[cfg(unix)]
    pub fn sample() -> Found<Self> {
        let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: the pointer is to a properly aligned `rusage`, which the call fills.
        let answer = unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) };
        if answer != 0 {
            return Found::failed("getrusage refused");
        }
        // SAFETY: the call succeeded; besides, all zero bytes are a valid `rusage`.
        let usage = unsafe { usage.assume_init() };
        let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
        // Linux counts in KiB, macOS in bytes.
        let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
        Found::present(Self {
            user_seconds: seconds(usage.ru_utime),
            system_seconds: seconds(usage.ru_stime),
            involuntary_switches: u64::try_from(usage.ru_nivcsw).unwrap_or(0),
            peak_memory_bytes: u64::try_from(usage.ru_maxrss).unwrap_or(0).saturating_mul(unit),
        })
    }

    /// Reads the counters.
    #[cfg(not(unix))]
    pub fn sample() -> Found<Self> {
        Found::not_present("getrusage")
    }

    /// What was used between an earlier sample and this one. The peak is this sample's.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            user_seconds: (self.user_seconds - earlier.user_seconds).max(0.0),
            system_seconds: (self.system_seconds - earlier.system_seconds).max(0.0),
            involuntary_switches: self.involuntary_switches.saturating_sub(earlier.involuntary_switches),
            peak_memory_bytes: self.peak_memory_bytes,
        }
    }

    /// Processor time altogether, in seconds.
    pub fn total_seconds(&self) -> f64 {
        self.user_seconds + self.system_seconds
    }
}
