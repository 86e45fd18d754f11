//! Hands what was seen on the wire to the trace file, request by request, between windows.

use std::time::Duration;

use bench_load::Turn;
use bench_record::trace::{TraceHead, TraceRead, TraceRequest, TraceWriter};
use bench_record::{RecordError, RunId, Store, TraceFile};
use bench_wire::{Exchange, Secrets, Stamp, StampSource};

/// The trace of a run while it is being written.
pub(crate) struct TraceLog {
    ordinal: u32,
    writer: TraceWriter,
    /// Takes the user's keys out of bodies in which a server repeats them.
    secrets: Secrets,
    stamps: Stamps,
}

/// How the reads of a run were stamped.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stamps {
    by_kernel: bool,
    by_user: bool,
    longest_lag: Option<Duration>,
}

impl Stamps {
    fn add(&mut self, exchange: &Exchange) {
        match exchange.stamps {
            StampSource::Kernel => self.by_kernel = true,
            StampSource::UserSpace => self.by_user = true,
        }
        self.longest_lag = self.longest_lag.max(exchange.longest_lag);
    }

    /// Who took them, in the record's words.
    pub(crate) fn source(self) -> Option<&'static str> {
        match (self.by_kernel, self.by_user) {
            (true, true) => Some("mixed"),
            (true, false) => Some("kernel"),
            (false, true) => Some("user-space"),
            (false, false) => None,
        }
    }

    /// Longest time that bytes waited to be read, in milliseconds.
    pub(crate) fn longest_lag_ms(self) -> Option<f64> {
        self.longest_lag.map(|lag| lag.as_secs_f64() * 1e3)
    }
}

impl TraceLog {
    /// Begins the trace of a run.
    pub(crate) fn create(store: &Store, run: &RunId, secrets: Secrets) -> Result<TraceLog, RecordError> {
        let writer = TraceWriter::create(store.trace_path(run), run)?;
        Ok(TraceLog { ordinal: 0, writer, secrets, stamps: Stamps::default() })
    }

    /// A number for the next request.
    pub(crate) fn next_ordinal(&mut self) -> u32 {
        let ordinal = self.ordinal;
        self.ordinal = self.ordinal.saturating_add(1);
        ordinal
    }

    /// Keeps a turn that was sent.
    pub(crate) fn add(&mut self, ordinal: u32, turn: &Turn) -> Result<(), RecordError> {
        let Ok(exchange) = turn else { return Ok(()) };
        self.stamps.add(exchange);
        self.writer.push(&TraceRequest {
            ordinal,
            intended_ns: exchange.intended.as_nanos(),
            started_ns: exchange.started.as_nanos(),
            connected_ns: exchange.connected.map(Stamp::as_nanos),
            first_byte_written_ns: exchange.first_byte_written.map(Stamp::as_nanos),
            last_byte_written_ns: exchange.last_byte_written.map(Stamp::as_nanos),
            ended_ns: exchange.ended.as_nanos(),
            head: exchange.head.as_ref().map(|head| TraceHead {
                status: head.status,
                at_ns: head.at.as_nanos(),
                headers: head.headers.clone(),
            }),
            outcome: exchange.outcome.as_ref().err().map(|error| error.code().to_owned()),
            body: self.secrets.mask(&exchange.body),
            reads: exchange.reads.iter().map(|read| TraceRead { end: read.end, at_ns: read.at.as_nanos() }).collect(),
        })
    }

    /// How the reads so far were stamped.
    pub(crate) fn stamps(&self) -> Stamps {
        self.stamps
    }

    /// Closes the file.
    pub(crate) fn finish(self) -> Result<TraceFile, RecordError> {
        self.writer.finish()
    }
}
