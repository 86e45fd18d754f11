//! One measured request as it went over the wire.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Stamp, WireError};

/// Everything that was seen of one request, successful or not.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// When the request was meant to be sent.
    pub intended: Stamp,
    /// When the client began to work on it. Later than `intended` where the client was late.
    pub started: Stamp,
    /// When the connection was open (TLS included); `None` when one was reused or none came about.
    pub connected: Option<Stamp>,
    /// Just before the write that took the request's first byte.
    pub first_byte_written: Option<Stamp>,
    /// Just after the write that took the request's last byte.
    pub last_byte_written: Option<Stamp>,
    /// The answer's head; `None` when none came.
    pub head: Option<Head>,
    /// The body as far as it came, without transfer framing, otherwise raw: it may repeat a secret.
    pub body: Bytes,
    /// The socket reads that carried bytes of the body, in order. Reads are neither merged nor split; one that carried
    /// several events is one entry, one that carried only framing is none.
    pub reads: Vec<Read>,
    /// When the outcome was known.
    pub ended: Stamp,
    /// Whether the answer came in full, whatever its status.
    pub outcome: Result<(), WireError>,
    /// Where the stamps of reads and of the head come from: all of them from the same source.
    pub stamps: StampSource,
    /// The longest time that bytes lay in the kernel before the client read them; `None` without stamps of the kernel. A
    /// lag that is not small against the gaps between reads says that the client was the limit.
    pub longest_lag: Option<Duration>,
    /// How long the client read nothing because its disk could not keep up with what came. Other than zero it says that the server
    /// was slowed by the client, so the times are not the server's.
    pub waited: Duration,
    /// Times that the request was sent again because a reused connection had been closed, 0 or 1. An exchange that was
    /// resent is to be counted as such.
    pub resends: u32,
}

impl Exchange {
    /// The answer came in full and its status is 2xx.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.outcome.is_ok() && self.head.as_ref().is_some_and(|head| (200..300).contains(&head.status))
    }
}

/// The head of the final answer; interim answers (1xx) are skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Status code.
    pub status: u16,
    /// Header fields in the order in which they came, names in lower case. Cookies, credentials and everything that repeats
    /// a secret are replaced by a mark.
    pub headers: Vec<(String, String)>,
    /// The read that brought the last byte of the head.
    pub at: Stamp,
}

/// One socket read that carried bytes of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// Offset in the body after the last byte of this read.
    pub end: u32,
    /// When it came.
    pub at: Stamp,
    /// How long its last segment lay in the kernel before it was read; `None` where the kernel does not say.
    pub lag: Option<Duration>,
}

/// Where the stamps of reads come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StampSource {
    /// The client read the clock when its runtime said that there was something to read, or as soon as the read returned: where
    /// nothing had been said, and where the read brought several messages.
    UserSpace,
    /// The kernel noted when the last segment of the read arrived.
    Kernel,
    /// A capture of packets noted when each segment arrived; the reads of the exchange are segments then.
    Packet,
}

/// Whose stamps of reads to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StampMode {
    /// The kernel's where it offers them, else the client's.
    #[default]
    Kernel,
    /// The client's own.
    UserSpace,
    /// Those of a capture of packets, which sees every segment by itself. Needs a privilege.
    Packet,
}
