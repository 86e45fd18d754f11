//! A request that has been sent and answered, before and after its bytes are sorted out.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::exchange::{Exchange, Head, Read, StampSource};
use crate::http1::{End, Mapped, Mapper};
use crate::packet::ConnectionLog;
use crate::stamp::WallOffset;
use crate::tape::{RawRead, Tape};
use crate::{Endpoint, Secrets, Stamp, WireError};

/// How closely the real-time clock can be brought back to ours.
const CLOCKS_AGREE: Duration = Duration::from_micros(100);

/// A request that is over, with its answer still as it was read. Cheap to come by inside a timed window; sort it out with
/// [`Transmission::into_exchange`] afterwards.
#[derive(Debug)]
pub struct Transmission {
    pub(crate) intended: Stamp,
    pub(crate) started: Stamp,
    pub(crate) connected: Option<Stamp>,
    pub(crate) first_byte_written: Option<Stamp>,
    pub(crate) last_byte_written: Option<Stamp>,
    pub(crate) status: Option<u16>,
    pub(crate) tape: Tape,
    /// Between the kernel's clock and ours when it was over.
    pub(crate) offset: Option<WallOffset>,
    /// What a capture of packets saw of the answer.
    pub(crate) packets: Option<ConnectionLog>,
    pub(crate) bodiless: bool,
    pub(crate) ended: Stamp,
    /// How long nothing was read because the spool had no room.
    pub(crate) waited: Duration,
    pub(crate) outcome: Result<(), WireError>,
    pub(crate) resends: u32,
    pub(crate) endpoint: Endpoint,
    pub(crate) secrets: Arc<Secrets>,
}

/// When each piece of an answer arrived.
struct Stamped {
    stamps: Vec<Stamp>,
    /// How long each piece lay in the kernel; empty where that is not known.
    lags: Vec<Duration>,
    source: StampSource,
}

/// An answer that was read back.
struct Played {
    /// The first bytes, heads and framing included.
    start: Vec<u8>,
    reads: Vec<RawRead>,
    mapped: Mapped,
}

/// Bytes at the start of an answer that an error may quote from.
const QUOTED: usize = 4096;

impl Transmission {
    /// The answer came in full and its status is 2xx, as far as is known without looking at the bytes.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.outcome.is_ok() && self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// It was stopped on its way.
    #[must_use]
    pub const fn was_cancelled(&self) -> bool {
        matches!(self.outcome, Err(WireError::Cancelled))
    }

    /// When the outcome was known.
    #[must_use]
    pub const fn ended(&self) -> Stamp {
        self.ended
    }

    /// Finds the body in the bytes and matches it to the reads that brought it. Only to be called once the window is closed:
    /// it waits for whatever of the answer went to a file.
    #[must_use]
    pub fn into_exchange(mut self) -> Exchange {
        let mut segments = self.segments();
        let played = match self.play(segments.as_ref().map(|(ends, _)| ends.as_slice())) {
            Ok(played) => played,
            Err(reason) => {
                // What was kept cannot be read back, which is nothing that the server did.
                self.outcome = Err(WireError::TraceLost { reason });
                segments = None;
                Played {
                    start: Vec::new(),
                    reads: Vec::new(),
                    mapped: Mapper::new(self.bodiless).finish(self.tape.eof),
                }
            }
        };
        let Played { start, reads, mapped } = played;
        let Stamped { mut stamps, lags, source } = match segments {
            Some((_, stamps)) => Stamped { stamps, lags: Vec::new(), source: StampSource::Packet },
            None => self.stamps(&reads),
        };
        if source == StampSource::UserSpace {
            undo_notices(&mut stamps, &reads, &mapped);
        }
        let outcome = self.judge(&mapped, &start);
        let at = |read: usize| stamps.get(read).copied().unwrap_or(self.ended);
        let head = mapped.head.as_ref().map(|head| Head {
            status: head.status,
            headers: head
                .headers
                .iter()
                .map(|(name, value)| (self.secrets.redact(name), self.secrets.header(name, value)))
                .collect(),
            at: at(head.read),
        });
        Exchange {
            intended: self.intended,
            started: self.started,
            connected: self.connected,
            first_byte_written: self.first_byte_written,
            last_byte_written: self.last_byte_written,
            head,
            reads: mapped
                .reads
                .iter()
                .map(|(end, read)| Read { end: *end, at: at(*read), lag: lags.get(*read).copied() })
                .collect(),
            body: Bytes::from(mapped.body),
            ended: self.ended,
            outcome,
            stamps: source,
            longest_lag: lags.iter().max().copied(),
            waited: self.waited,
            resends: self.resends,
        }
    }

    /// Reads the answer back and finds its body. Its pieces are the segments that end at `ends`, or else the reads.
    fn play(&self, ends: Option<&[usize]>) -> Result<Played, String> {
        let mut mapper = Mapper::new(self.bodiless);
        let mut start = Vec::new();
        let mut reads: Vec<RawRead> = Vec::new();
        let (mut at, mut segment) = (0, 0);
        self.tape.play(|piece| {
            let quoted = QUOTED.saturating_sub(start.len()).min(piece.bytes.len());
            start.extend_from_slice(piece.bytes.get(..quoted).unwrap_or_default());
            if !piece.continued || reads.is_empty() {
                reads.push(piece.read);
            }
            let Some(ends) = ends else { return mapper.push(reads.len() - 1, piece.bytes) };
            let mut rest = piece.bytes;
            while !rest.is_empty() {
                while segment + 1 < ends.len() && ends.get(segment).is_some_and(|end| *end <= at) {
                    segment += 1;
                }
                let left = ends.get(segment).filter(|_| segment + 1 < ends.len()).map_or(rest.len(), |end| end - at);
                let (bytes, after) = rest.split_at(left.min(rest.len()));
                mapper.push(segment, bytes);
                at += bytes.len();
                rest = after;
            }
        })?;
        Ok(Played { start, reads, mapped: mapper.finish(self.tape.eof) })
    }

    /// A stamp for each read: the kernel's where it gave one for every read and they make sense, else our own: when the runtime
    /// gave notice of the read, or when it returned where there was no notice.
    fn stamps(&self, reads: &[RawRead]) -> Stamped {
        match self.arrivals(reads) {
            Some(stamps) if !stamps.is_empty() => {
                let lags = reads.iter().zip(&stamps).map(|(read, arrival)| read.at.since(*arrival)).collect();
                Stamped { stamps, lags, source: StampSource::Kernel }
            }
            _ => {
                // Arrivals are on the kernel's clock where there is an offset to it.
                let noticed =
                    |read: &RawRead| read.arrival.filter(|_| self.tape.offset.is_none()).map(Stamp::from_nanos);
                let stamps = reads.iter().map(|read| noticed(read).unwrap_or(read.at).min(read.at)).collect();
                Stamped { stamps, lags: Vec::new(), source: StampSource::UserSpace }
            }
        }
    }

    /// The ends and the stamps of the segments that brought the answer; `None` where the capture does not know all of them.
    fn segments(&self) -> Option<(Vec<usize>, Vec<Stamp>)> {
        let (log, offset) = (self.packets.as_ref()?, self.tape.offset?);
        self.offset.filter(|after| after.is_close_to(offset))?;
        let before = self.tape.place?.1;
        let length = usize::try_from(self.tape.bytes).ok()?;
        let (mut ends, mut stamps) = (Vec::new(), Vec::new());
        let (mut covered, mut last) = (0, Stamp::default());
        log.arrival(before)?;
        for mark in log.marks() {
            let Some(end) = mark.end.checked_sub(before).and_then(|end| usize::try_from(end).ok()) else { continue };
            if end == 0 || covered == length {
                continue;
            }
            covered = end.min(length);
            last = offset.stamp(mark.at_ns)?.max(last);
            ends.push(covered);
            stamps.push(last);
        }
        (covered == length && length > 0).then_some((ends, stamps))
    }

    fn arrivals(&self, reads: &[RawRead]) -> Option<Vec<Stamp>> {
        let offset = self.tape.offset?;
        // Somebody has set the clock in between.
        self.offset.filter(|after| after.is_close_to(offset))?;
        let mut last = Stamp::default();
        let arrival = |read: &RawRead| {
            let arrival = offset.stamp(read.arrival?)?;
            // Nothing is read before it arrives; the two clocks are not compared more closely than this.
            if arrival.since(read.at) > CLOCKS_AGREE {
                return None;
            }
            // A segment that overtook another could not be used before that one came.
            last = arrival.min(read.at).max(last);
            Some(last)
        };
        reads.iter().map(arrival).collect()
    }

    fn judge(&self, mapped: &Mapped, raw: &[u8]) -> Result<(), WireError> {
        if let Some(head) = &mapped.head {
            let header = |name: &str| {
                head.headers.iter().find(|(found, _)| found == name).map(|(_, value)| String::from_utf8_lossy(value))
            };
            redirected(&self.endpoint, &self.secrets, head.status, header("location"))?;
            if self.outcome.is_ok() {
                encoded(&self.secrets, header("content-encoding"))?;
            }
        }
        match (&self.outcome, mapped.end) {
            (Err(WireError::MalformedHttp { reason }), _) => Err(malformed(reason, raw, &self.secrets)),
            (Err(error), _) => Err(self.shown(error.clone())),
            (Ok(()), End::Malformed(why)) => Err(malformed(why, raw, &self.secrets)),
            (Ok(()), End::Complete { .. }) => Ok(()),
            (Ok(()), End::Partial) => {
                Err(WireError::TraceLost { reason: "what was kept of it is not the whole answer".to_owned() })
            }
        }
    }

    /// An error without what a server may have repeated.
    fn shown(&self, mut error: WireError) -> WireError {
        if let WireError::ClosedEarly { reason, .. } = &mut error {
            *reason = self.secrets.redact(reason);
        }
        error
    }
}

/// A read of several messages counts from when it returned: all but the first may have come after the notice.
fn undo_notices(stamps: &mut [Stamp], reads: &[RawRead], mapped: &Mapped) {
    let mut from = 0;
    for (end, read) in &mapped.reads {
        let end = *end as usize;
        let several = mapped.body.get(from..end).is_some_and(has_several_messages);
        if let (true, Some(stamp), Some(read)) = (several, stamps.get_mut(*read), reads.get(*read)) {
            *stamp = read.at;
        }
        from = end;
    }
}

/// Whether a piece of a stream holds the end of one message and some of the next: events are parted by an empty line, and lines
/// of JSON begin with a brace.
fn has_several_messages(piece: &[u8]) -> bool {
    let piece = piece.trim_ascii();
    [&b"\n\n"[..], b"\r\n\r\n", b"\n{"].iter().any(|part| memchr::memmem::find(piece, part).is_some())
}

/// A redirect to another host is an error: it is not followed, and what it says is not the engine's answer.
pub(crate) fn redirected(
    endpoint: &Endpoint,
    secrets: &Secrets,
    status: u16,
    location: Option<Cow<'_, str>>,
) -> Result<(), WireError> {
    let Some(location) = location.filter(|_| (300..400).contains(&status)) else { return Ok(()) };
    endpoint.stays(&location).map_err(|host| WireError::Redirect { status, host: secrets.redact(&host) })
}

/// A body that is compressed although `accept-encoding: identity` was sent cannot be attributed to reads.
fn encoded(secrets: &Secrets, encoding: Option<Cow<'_, str>>) -> Result<(), WireError> {
    match encoding {
        Some(encoding) if !encoding.trim().is_empty() && !encoding.trim().eq_ignore_ascii_case("identity") => {
            Err(WireError::EncodedBody { encoding: secrets.redact(&encoding.chars().take(80).collect::<String>()) })
        }
        _ => Ok(()),
    }
}

/// Says what came instead, since that tells most.
fn malformed(reason: &str, raw: &[u8], secrets: &Secrets) -> WireError {
    let what = match raw {
        [0x15 | 0x16, 0x03, ..] => "; this is TLS, use https".to_owned(),
        _ if raw.starts_with(b"HTTP/") => String::new(),
        _ => {
            // Redacted before it is cut, so that no half of a secret remains.
            let text = secrets.redact(&String::from_utf8_lossy(raw.get(..4096).unwrap_or(raw)));
            let start: String = text.chars().take(40).collect();
            format!("; it begins with {start:?}")
        }
    };
    WireError::MalformedHttp { reason: format!("{}{what}", secrets.redact(reason)) }
}

#[cfg(test)]
mod tests {
    use super::has_several_messages;

    #[test]
    fn messages_of_a_read_are_told_apart() {
        for one in ["", "data: {}\n\n", "event: a\r\ndata: {}\r\n\r\n", "{\"a\":1}\n", ": ping\n\n", "\n\ndata: half"] {
            assert!(!has_several_messages(one.as_bytes()), "{one:?}");
        }
        for several in ["data: {}\n\ndata: [DONE]\n\n", "data: a\r\n\r\ndata", "{}\n{", "half\n\ndata: {}"] {
            assert!(has_several_messages(several.as_bytes()), "{several:?}");
        }
    }
}
