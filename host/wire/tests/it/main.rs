//! Tests over real sockets, one binary so that it links once.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod control;
mod exchange;
mod http1;
mod packet;
mod reuse;
mod secrets;
mod spool;
mod sse;
mod support;
mod tls;
