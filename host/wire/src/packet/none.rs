//! Systems without packet rings.

use std::net::SocketAddr;

use super::{CaptureError, CaptureStats, ConnectionLog};

/// There is none here.
#[derive(Debug)]
pub enum Capture {}

impl Capture {
    /// Refuses.
    ///
    /// # Errors
    ///
    /// [`CaptureError::NotOffered`], always.
    pub fn start(_: SocketAddr) -> Result<Self, CaptureError> {
        Err(CaptureError::NotOffered { reason: "packet rings are a feature of Linux".to_owned() })
    }

    /// Never called.
    ///
    /// # Errors
    ///
    /// None.
    pub fn settle(&self) -> Result<(), CaptureError> {
        match *self {}
    }

    /// Never called.
    #[must_use]
    pub fn take(&self, _: SocketAddr) -> Option<ConnectionLog> {
        match *self {}
    }

    /// Never called.
    #[must_use]
    pub fn take_as_of(&self, _: SocketAddr, _: u64) -> Option<ConnectionLog> {
        match *self {}
    }

    /// Never called.
    #[must_use]
    pub fn take_until(&self, _: SocketAddr, _: u64) -> Option<ConnectionLog> {
        match *self {}
    }

    /// Never called.
    pub fn trim(&self, _: SocketAddr, _: u64) {
        match *self {}
    }

    /// Never called.
    #[must_use]
    pub fn stats(&self) -> CaptureStats {
        match *self {}
    }
}
