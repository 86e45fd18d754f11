//! A request that has been sent and answered, before and after its bytes are sorted out.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::exchange::{Exchange, Head, Read, StampSource};
use crate::http1::{self, End, Mapped};
use crate::stamp::WallOffset;
use crate::stream::{Log, RawRead};
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
    pub(crate) log: Log,
    /// Between the kernel's clock and ours when it was over.
    pub(crate) offset: Option<WallOffset>,
    /// Bytes of the body as HTTP counted them.
    pub(crate) counted: u64,
    pub(crate) bodiless: bool,
    pub(crate) ended: Stamp,
    pub(crate) outcome: Result<(), WireError>,
    pub(crate) resends: u32,
    pub(crate) max_head: usize,
    pub(crate) endpoint: Endpoint,
    pub(crate) secrets: Arc<Secrets>,
}

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

    /// Finds the body in the bytes and matches it to the reads that brought it.
    #[must_use]
    pub fn into_exchange(self) -> Exchange {
        let ends: Vec<usize> = self.log.reads.iter().map(|read| read.end).collect();
        let mapped = http1::map(&self.log.raw, &ends, self.log.eof, self.bodiless);
        let outcome = self.judge(&mapped);
        let (stamps, source) = self.stamps();
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
            reads: mapped.reads.iter().map(|(end, read)| Read { end: *end, at: at(*read) }).collect(),
            body: Bytes::from(mapped.body),
            ended: self.ended,
            outcome,
            stamps: source,
            longest_lag: match source {
                StampSource::Kernel => {
                    self.log.reads.iter().zip(&stamps).map(|(read, arrival)| read.at.since(*arrival)).max()
                }
                StampSource::UserSpace => None,
            },
            resends: self.resends,
        }
    }

    /// The stamp of each read: the kernel's where it gave one for every read and they make sense, else ours.
    fn stamps(&self) -> (Vec<Stamp>, StampSource) {
        match self.arrivals() {
            Some(stamps) if !stamps.is_empty() => (stamps, StampSource::Kernel),
            _ => (self.log.reads.iter().map(|read| read.at).collect(), StampSource::UserSpace),
        }
    }

    fn arrivals(&self) -> Option<Vec<Stamp>> {
        let offset = self.log.offset?;
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
        self.log.reads.iter().map(arrival).collect()
    }

    fn judge(&self, mapped: &Mapped) -> Result<(), WireError> {
        if let Some(head) = &mapped.head {
            let header = |name: &str| {
                head.headers.iter().find(|(found, _)| found == name).map(|(_, value)| String::from_utf8_lossy(value))
            };
            redirected(&self.endpoint, &self.secrets, head.status, header("location"))?;
            if head.length > self.max_head {
                return Err(WireError::HeadTooLarge { limit: self.max_head });
            }
            if self.outcome.is_ok() {
                encoded(&self.secrets, header("content-encoding"))?;
            }
        }
        match (&self.outcome, mapped.end) {
            // Nothing is wrong with it but that HTTP gave up on it.
            (Err(WireError::MalformedHttp { .. }), End::Partial) if mapped.head.is_none() => {
                Err(WireError::HeadTooLarge { limit: self.max_head })
            }
            (Err(WireError::MalformedHttp { reason }), End::Malformed(why)) => {
                Err(malformed(&format!("{reason}: {why}"), &self.log.raw, &self.secrets))
            }
            (Err(WireError::MalformedHttp { reason }), _) => Err(malformed(reason, &self.log.raw, &self.secrets)),
            (Err(error), _) => Err(self.with_count(error.clone(), mapped.body.len() as u64)),
            (Ok(()), End::Malformed(why)) => Err(malformed(why, &self.log.raw, &self.secrets)),
            (Ok(()), End::Complete { .. }) if self.agrees(mapped) => Ok(()),
            (Ok(()), _) => {
                let reason = format!(
                    "two readings of the same bytes differ: {} and {} bytes of body",
                    self.counted,
                    mapped.body.len()
                );
                Err(WireError::MalformedHttp { reason })
            }
        }
    }

    fn agrees(&self, mapped: &Mapped) -> bool {
        mapped.body.len() as u64 == self.counted && mapped.head.as_ref().map(|head| head.status) == self.status
    }

    /// HTTP may not have counted what lay in the last read before the end.
    fn with_count(&self, mut error: WireError, count: u64) -> WireError {
        match &mut error {
            WireError::Stalled { bytes, .. } => *bytes = count,
            WireError::ClosedEarly { bytes, reason } => {
                *bytes = count;
                *reason = self.secrets.redact(reason);
            }
            WireError::MalformedHttp { reason } => *reason = self.secrets.redact(reason),
            _ => {}
        }
        error
    }
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
