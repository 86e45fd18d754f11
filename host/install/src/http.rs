//! A registry over HTTP. Connections, redirects and time limits are the wire's affair; here are paths, statuses and sizes.

use std::time::Duration;

use bench_wire::{Control, Endpoint, Header, Limits, Request, Secrets, Trust, WireError};

use crate::transport::{Fetching, Sink, Transport, TransportError, kept, plain};

/// A registry behind an address.
#[derive(Debug)]
pub struct Http {
    control: Control,
    base: String,
}

/// How long things may take. A registry is a file server: one that says nothing for half a minute is not there.
#[must_use]
pub fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(10),
        first_byte: Duration::from_secs(30),
        stall: Duration::from_secs(30),
        total: Duration::from_secs(3600),
        max_body: usize::MAX >> 1,
        ..Limits::default()
    }
}

impl Http {
    /// The registry at `url`.
    ///
    /// # Errors
    /// When it is no address.
    pub fn new(url: &str) -> Result<Self, TransportError> {
        Self::with(url, limits(), &Trust::platform())
    }

    /// With its own limits and idea of whom to trust.
    ///
    /// # Errors
    /// When `url` is no address.
    pub fn with(url: &str, limits: Limits, trust: &Trust) -> Result<Self, TransportError> {
        let endpoint = Endpoint::parse(url)?;
        // The wire joins a base and a path by an engine's rules; here a path always stands below the base.
        let root = Endpoint::parse(&format!(
            "{}://{}",
            if endpoint.is_tls() { "https" } else { "http" },
            endpoint.authority()
        ))?;
        let base = endpoint.base().to_owned();
        Ok(Self { control: Control::with_trust(root.clone(), Secrets::new(root), limits, trust)?, base })
    }

    fn request(&self, path: &str) -> Request {
        Request::get(format!("{}/{path}", self.base))
    }
}

impl Transport for Http {
    fn get<'a>(&'a self, path: &'a str, limit: u64) -> Fetching<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let mut answer = self.control.open(self.request(path)).await?;
            if let Some(plain) = plain(path).filter(|_| matches!(answer.status, 403 | 404 | 410)) {
                answer = self.control.open(self.request(&plain)).await?;
            }
            match answer.status {
                200 => {}
                // Buckets that do not show what they hold answer 403 for what they do not have.
                403 | 404 | 410 => return Ok(None),
                status => return Err(TransportError::Status { path: path.to_owned(), status }),
            }
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await? {
                if body.len() as u64 + chunk.len() as u64 > limit {
                    return Err(TransportError::TooLong { path: path.to_owned(), limit });
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Some(body))
        })
    }

    fn fetch<'a>(&'a self, path: &'a str, from: u64, limit: u64, sink: &'a mut dyn Sink) -> Fetching<'a, ()> {
        Box::pin(async move {
            let ranged = |path: &str| {
                let mut request = self.request(path);
                if from > 0 {
                    request.headers.push(Header::text("range", format!("bytes={from}-")));
                }
                request
            };
            let mut answer = self.control.open(ranged(path)).await?;
            if let Some(plain) = plain(path).filter(|_| matches!(answer.status, 403 | 404 | 410)) {
                answer = self.control.open(ranged(&plain)).await?;
            }
            let mut received = match answer.status {
                200 => 0,
                206 if from > 0 => from,
                403 | 404 | 410 => return Err(TransportError::Missing { path: path.to_owned() }),
                status => return Err(TransportError::Status { path: path.to_owned(), status }),
            };
            let starts = format!("bytes {from}-");
            let range =
                answer.headers.iter().find(|(name, _)| name == "content-range").map(|(_, value)| value.as_str());
            if received > 0 && !range.is_some_and(|range| range.starts_with(&starts)) {
                let reason = "the server sends another range than was asked for".to_owned();
                return Err(WireError::MalformedHttp { reason }.into());
            }
            sink.begin(received).map_err(kept(path))?;
            while let Some(chunk) = answer.chunk().await? {
                received += chunk.len() as u64;
                if received > limit {
                    return Err(TransportError::TooLong { path: path.to_owned(), limit });
                }
                sink.write(&chunk).map_err(kept(path))?;
            }
            Ok(())
        })
    }
}
