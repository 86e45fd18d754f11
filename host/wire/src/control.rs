//! Requests that nobody times: looking for engines, counting tokens, reading counters.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::client::check_binding;
use crate::transmit::redirected;
use crate::{Endpoint, Limits, Prepared, Request, Secrets, Trust, WireError, connect, prepare};

/// Sends requests that are not measured. Under the same rules as measured ones: the same checks, no proxy, secrets to the
/// endpoint alone, no redirect followed.
#[derive(Clone)]
pub struct Control {
    endpoint: Endpoint,
    secrets: Arc<Secrets>,
    limits: Limits,
    http: reqwest::Client,
}

/// An answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header fields, names in lower case, credentials and secrets replaced by a mark.
    pub headers: Vec<(String, String)>,
    /// Body, raw.
    pub body: Bytes,
}

/// An answer whose body is still to come.
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Header fields, as in [`Response`].
    pub headers: Vec<(String, String)>,
    response: reqwest::Response,
    control: Control,
    received: u64,
}

impl Answer {
    /// The next piece of the body, or `None` at its end.
    ///
    /// # Errors
    /// When the body stalls, breaks off or exceeds [`Limits::max_body`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, WireError> {
        let limits = &self.control.limits;
        let bytes = self.received;
        let chunk = tokio::time::timeout(limits.stall, self.response.chunk())
            .await
            .map_err(|_| WireError::Stalled { after: limits.stall, bytes })?
            .map_err(|error| self.control.classify(&error, bytes))?;
        if let Some(chunk) = &chunk {
            self.received += chunk.len() as u64;
            if self.received > limits.max_body as u64 {
                return Err(WireError::BodyTooLarge { limit: limits.max_body });
            }
        }
        Ok(chunk)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("received", &self.received).finish_non_exhaustive()
    }
}

impl Control {
    /// For an endpoint, trusting what the operating system trusts.
    ///
    /// # Errors
    /// As for [`Client::new`](crate::Client::new).
    pub fn new(endpoint: Endpoint, secrets: Secrets, limits: Limits) -> Result<Self, WireError> {
        Self::with_trust(endpoint, secrets, limits, &Trust::platform())
    }

    /// With its own idea of whom to trust.
    ///
    /// # Errors
    /// As for [`Client::new`](crate::Client::new).
    pub fn with_trust(endpoint: Endpoint, secrets: Secrets, limits: Limits, trust: &Trust) -> Result<Self, WireError> {
        check_binding(&endpoint, &secrets)?;
        let builder = reqwest::Client::builder();
        // Proxies of the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`) are for the way out of this machine.
        let builder = if endpoint.is_loopback() { builder.no_proxy() } else { builder };
        let builder = builder
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .http1_only()
            .retry(reqwest::retry::never())
            .connect_timeout(limits.connect)
            .timeout(limits.total);
        // Where there is no TLS, no certificate store is needed either.
        let tls = if endpoint.is_tls() { trust.config()? } else { Trust::none()? };
        let http = builder
            .tls_backend_preconfigured(tls)
            .build()
            .map_err(|error| WireError::BadTrust { reason: connect::reason(&error) })?;
        Ok(Self { endpoint, secrets: Arc::new(secrets), limits, http })
    }

    /// Where requests go.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What redacts texts that came from the endpoint.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Sends a request and takes in the answer.
    ///
    /// # Errors
    /// What can go wrong before and during an exchange; an answer with a status other than 2xx is no error, except a
    /// redirect to another host.
    pub async fn send(&self, request: Request) -> Result<Response, WireError> {
        let mut answer = self.open(request).await?;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status: answer.status, headers: answer.headers, body: body.freeze() })
    }

    /// Sends a request and takes in the answer's head; the body comes piece by piece.
    ///
    /// # Errors
    /// As for [`Control::send`].
    pub async fn open(&self, request: Request) -> Result<Answer, WireError> {
        let answer = self.open_as_it_is(request).await?;
        let location = answer.headers.iter().find(|(name, _)| name == "location").map(|(_, value)| value.into());
        redirected(&self.endpoint, &self.secrets, answer.status, location)?;
        Ok(answer)
    }

    /// The same for protocols in which a server may name another place: a redirect to one is an answer like any other. It is not
    /// followed here either; who follows it needs a control of its own for there, which has no secrets of this one.
    ///
    /// # Errors
    /// As for [`Control::send`], but for the redirect.
    pub async fn open_as_it_is(&self, request: Request) -> Result<Answer, WireError> {
        let prepared = prepare::prepare(&self.endpoint, &self.secrets, request)?;
        let body = prepared.body();
        let Prepared { method, target, headers, .. } = prepared;
        let scheme = if self.endpoint.is_tls() { "https" } else { "http" };
        let url = format!("{scheme}://{}{target}", self.endpoint.authority());
        let sending = self.http.request(method, url).headers(Arc::unwrap_or_clone(headers)).body(body).send();
        let response = tokio::time::timeout(self.limits.first_byte.saturating_add(self.limits.connect), sending)
            .await
            .map_err(|_| WireError::FirstByteTimeout { after: self.limits.first_byte })?
            .map_err(|error| self.classify(&error, 0))?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (self.secrets.redact(name.as_str()), self.secrets.header(name.as_str(), value.as_bytes()))
            })
            .collect();
        Ok(Answer { status, headers, response, control: self.clone(), received: 0 })
    }

    /// What reqwest's error means. Its own words are not used: they repeat the address.
    fn classify(&self, error: &reqwest::Error, bytes: u64) -> WireError {
        let host = self.endpoint.authority();
        let reason = self.secrets.redact(&connect::reason(error));
        if error.is_timeout() {
            return if error.is_connect() {
                WireError::ConnectTimeout { host, after: self.limits.connect }
            } else {
                WireError::TotalTimeout { after: self.limits.total }
            };
        }
        if find::<rustls::Error>(error).is_some() {
            return WireError::Tls { host, reason };
        }
        let io = find::<io::Error>(error);
        let kind = io.map(io::Error::kind);
        if error.is_connect() {
            return match kind {
                Some(io::ErrorKind::ConnectionRefused) => WireError::ConnectRefused { host },
                Some(io::ErrorKind::UnexpectedEof) => WireError::Tls { host, reason },
                // The resolver's errors are the only ones without a number.
                Some(_) if io.and_then(io::Error::raw_os_error).is_none() => WireError::Dns { host, reason },
                _ => WireError::ConnectFailed { host, reason },
            };
        }
        match find::<hyper::Error>(error) {
            Some(http) if http.is_parse() => WireError::MalformedHttp { reason },
            _ if matches!(kind, Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)) => {
                WireError::MalformedHttp { reason }
            }
            _ if error.is_builder() => WireError::BadRequest { reason },
            _ => WireError::ClosedEarly { bytes, reason },
        }
    }
}

/// The first cause of this type.
fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        // An I/O error names what is behind that which it wraps, but not that itself.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("endpoint", &self.endpoint.to_string()).finish_non_exhaustive()
    }
}
