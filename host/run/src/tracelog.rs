//! Hands what was seen on the wire to the trace file, request by request, between windows.

use std::time::Duration;

use bench_load::NotSent;
use bench_record::trace::{TraceHead, TraceRead, TraceRequest, TraceWriter};
use bench_record::{RecordError, RunId, Store, TraceFile};
use bench_wire::{Exchange, Read, Secrets, Stamp, StampSource};

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
    by_packet: bool,
    by_kernel: bool,
    by_user: bool,
    longest_lag: Option<Duration>,
    reads: u64,
    merged: u64,
    /// Merged reads that were also read late, and the reads of which that can be known.
    late: u64,
    known: u64,
    workers: usize,
}

/// A stamp that is later than the truth by this much is late.
const LATE: Duration = Duration::from_millis(1);

impl Stamps {
    /// Takes in how an exchange was stamped.
    pub(crate) fn add(&mut self, exchange: &Exchange) {
        match exchange.stamps {
            StampSource::Packet => self.by_packet = true,
            StampSource::Kernel => self.by_kernel = true,
            StampSource::UserSpace => self.by_user = true,
        }
        self.longest_lag = self.longest_lag.max(exchange.longest_lag);
        self.reads += exchange.reads.len() as u64;
        if exchange.stamps != StampSource::UserSpace {
            self.known += exchange.reads.len() as u64;
        }
    }

    /// Who took them, in the record's words.
    pub(crate) fn source(self) -> Option<&'static str> {
        match (self.by_packet, self.by_kernel, self.by_user) {
            (false, false, false) => None,
            (true, false, false) => Some("packet"),
            (false, true, false) => Some("kernel"),
            (false, false, true) => Some("user-space"),
            _ => Some("mixed"),
        }
    }

    /// Reads that carried bytes of an answer.
    pub(crate) fn reads(self) -> u64 {
        self.reads
    }

    /// Reads that brought several pieces of content, which then share a stamp.
    pub(crate) fn merged(self) -> u64 {
        self.merged
    }

    /// Share of the reads whose stamps are late; `None` where nothing tells.
    pub(crate) fn late_share(self) -> Option<f64> {
        (self.known > 0).then(|| self.late as f64 / self.known as f64)
    }

    /// Most threads that sent and received in a window.
    pub(crate) fn workers(self) -> usize {
        self.workers
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
    pub(crate) fn add(&mut self, ordinal: u32, turn: &Result<Exchange, NotSent>) -> Result<(), RecordError> {
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

    /// These reads of an exchange brought several pieces of content. The kernel stamps such a read with its last segment. Where
    /// the server wrote the pieces at once that is right; where they had waited to be read it is late for all but the last.
    pub(crate) fn saw_merged<'r>(&mut self, reads: impl Iterator<Item = &'r Read>) {
        for read in reads {
            self.stamps.merged += 1;
            self.stamps.late += u64::from(read.lag.is_some_and(|lag| lag >= LATE));
        }
    }

    /// So many threads sent and received in a window.
    pub(crate) fn saw_workers(&mut self, workers: usize) {
        self.stamps.workers = self.stamps.workers.max(workers);
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
