//! The raw trace of a run: every read from the socket with its stamp and its bytes, in one Parquet file.
//!
//! The trace is what the host itself saw, before any plugin looked at it; whoever has it and the plugins can compute every
//! metric again. Any Parquet reader opens it.
//!
//! Layout 1, named by the key `bench.trace.layout` in the file's metadata. Requests follow one another in the order of their
//! ordinals. Each is one row about the request (`read` is null) and then one row per read of its body:
//!
//! | column | type | on | meaning |
//! |---|---|---|---|
//! | `request` | u32 | all | ordinal, as in the record |
//! | `read` | u32? | reads | index of the read, from 0 |
//! | `at_ns` | i64 | all | start of the request; stamp of the read |
//! | `end` | u32? | reads | offset in the body after the read's last byte |
//! | `bytes` | bytes? | reads | the bytes of the read |
//! | `intended_ns` | i64? | request | when it should have started |
//! | `connected_ns` | i64? | request | when a new connection stood; null when one was reused |
//! | `first_byte_written_ns` | i64? | request | when its first byte was written |
//! | `last_byte_written_ns` | i64? | request | when its last byte was written |
//! | `head_ns` | i64? | request | when the head of the answer was complete |
//! | `ended_ns` | i64? | request | when the answer had ended |
//! | `status` | i32? | request | status of the answer |
//! | `headers` | string? | request | headers of the answer, a JSON array of `[name, value]` pairs |
//! | `outcome` | string? | request | code of the failure; null when the exchange succeeded |
//!
//! Times are nanoseconds since one origin per run; the metadata key `bench.run.id` names the run. The bytes of an answer can
//! hold what the model wrote, so a trace stays on the machine unless its owner shares it.

mod columns;
mod read;
mod write;

use bytes::Bytes;

pub use read::{TraceLimits, read_trace};
pub use write::TraceWriter;

/// Version of the layout above.
pub const LAYOUT: &str = "1";

/// One request as the host saw it. Times are nanoseconds since the origin of the run, at most `i64::MAX`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceRequest {
    /// Number of the request in the run.
    pub ordinal: u32,
    /// When it should have started.
    pub intended_ns: u64,
    /// When it started.
    pub started_ns: u64,
    /// When a new connection stood; `None` when one was reused.
    pub connected_ns: Option<u64>,
    /// When its first byte was written.
    pub first_byte_written_ns: Option<u64>,
    /// When its last byte was written.
    pub last_byte_written_ns: Option<u64>,
    /// When the answer had ended.
    pub ended_ns: u64,
    /// The head of the answer, where one came.
    pub head: Option<TraceHead>,
    /// Code of the failure; `None` when the exchange succeeded.
    pub outcome: Option<String>,
    /// The body of the answer.
    pub body: Bytes,
    /// The reads that brought it: ends ascending, the last one the length of `body`.
    pub reads: Vec<TraceRead>,
}

/// The head of an answer. Whoever fills it leaves out headers that hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceHead {
    /// Status.
    pub status: u16,
    /// When it was complete.
    pub at_ns: u64,
    /// Headers in the order of the answer.
    pub headers: Vec<(String, String)>,
}

/// One read from the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceRead {
    /// Offset in the body after its last byte.
    pub end: u32,
    /// Its stamp.
    pub at_ns: u64,
}
