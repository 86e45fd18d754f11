//! Connections that stamp every read and write.
//!
//! The only crate that opens sockets to a measured engine. A measured request runs on a connection of its own making:
//! TCP without delay, below it nothing but the kernel, above it a layer that stamps each read and write, then TLS where
//! the endpoint asks for it, then HTTP/1.1. Stamps are the kernel's own where it offers them, else taken where bytes leave
//! the kernel, so that nothing above can move a time: not TLS, not HTTP framing, not the decoding.
//!
//! What a read carried is worked out after the exchange ([`http1`]) from the raw bytes, so that the hot path copies and
//! stamps and looks for the end, and does nothing else. Requests that are not measured go through [`Control`].

mod attempt;
mod calendar;
mod client;
mod connect;
mod control;
mod endpoint;
mod error;
mod exchange;
pub mod http1;
mod kernel;
mod limits;
mod notice;
pub mod packet;
mod pool;
mod prepare;
mod progress;
mod proxy;
mod secrets;
mod spool;
pub mod sse;
mod stamp;
mod stop;
mod stream;
mod tape;
mod tls;
mod transmit;

pub use calendar::unix_seconds;
pub use client::{Client, Desk, Route};
pub use control::{Answer, Control, Response};
pub use endpoint::Endpoint;
pub use error::WireError;
pub use exchange::{Exchange, Head, Read, StampMode, StampSource};
pub use limits::{Limits, OnRace};
pub use prepare::{Header, Part, Prepared, Request};
pub use progress::{Progress, Snapshot};
pub use proxy::Proxy;
pub use secrets::Secrets;
pub use spool::{Spool, SpoolBudget};
pub use stamp::Stamp;
pub use stop::{Stop, Stopper};
pub use stream::stamped_reads;
pub use tls::{Fingerprint, Trust};
pub use transmit::Transmission;
