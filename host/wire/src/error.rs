//! Everything that can go wrong between a request and the last byte of its answer.

use std::time::Duration;

use bench_text::{clean_name, clean_sentence};
use thiserror::Error;

/// Why an exchange failed. An answer with a status other than 2xx is no error here: the server answered.
///
/// No message holds the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WireError {
    /// The endpoint's address cannot be used.
    #[error(
        "the endpoint {endpoint:?} cannot be used: {reason}",
        endpoint = clean_sentence(.endpoint),
        reason = clean_sentence(.reason),
    )]
    BadEndpoint {
        /// The address, without credentials.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The request cannot be sent as it is; found before anything was sent.
    #[error("the request cannot be sent: {reason}", reason = clean_sentence(.reason))]
    BadRequest {
        /// What is wrong with it.
        reason: String,
    },
    /// The certificates to trust cannot be used.
    #[error("the certificates to trust cannot be used: {reason}", reason = clean_sentence(.reason))]
    BadTrust {
        /// What is wrong with them.
        reason: String,
    },
    /// A header names a secret that nobody supplied.
    #[error("the request needs the secret {name:?}, which is not set", name = clean_name(.name))]
    MissingSecret {
        /// The secret's name.
        name: String,
    },
    /// The host name has no address.
    #[error("{host} cannot be resolved: {reason}", host = clean_name(.host), reason = clean_sentence(.reason))]
    Dns {
        /// Host and port.
        host: String,
        /// The resolver's words.
        reason: String,
    },
    /// Nothing listens there.
    #[error("{host} refuses connections", host = clean_name(.host))]
    ConnectRefused {
        /// Host and port.
        host: String,
    },
    /// Connecting failed for another reason, such as an unreachable network.
    #[error("cannot connect to {host}: {reason}", host = clean_name(.host), reason = clean_sentence(.reason))]
    ConnectFailed {
        /// Host and port.
        host: String,
        /// The operating system's words.
        reason: String,
    },
    /// No connection within the limit.
    #[error("no connection to {host} within {after:?}", host = clean_name(.host))]
    ConnectTimeout {
        /// Host and port.
        host: String,
        /// The limit.
        after: Duration,
    },
    /// The text is no address of a proxy.
    #[error("`{proxy}` is no proxy for measured requests: {reason}", proxy = clean_name(.proxy), reason = clean_sentence(.reason))]
    BadProxy {
        /// What was written.
        proxy: String,
        /// Why it does not do.
        reason: String,
    },
    /// The proxy opened no tunnel.
    #[error("the proxy {proxy} opened no way to {host}: {reason}", proxy = clean_name(.proxy), host = clean_name(.host), reason = clean_sentence(.reason))]
    NoTunnel {
        /// The proxy.
        proxy: String,
        /// Host and port of the endpoint.
        host: String,
        /// What it said.
        reason: String,
    },
    /// The TLS handshake failed or the encrypted stream is damaged.
    #[error("TLS with {host} failed: {reason}", host = clean_name(.host), reason = clean_sentence(.reason))]
    Tls {
        /// Host and port.
        host: String,
        /// What the TLS library says.
        reason: String,
    },
    /// No byte of the body within the limit.
    #[error("no byte of an answer within {after:?}")]
    FirstByteTimeout {
        /// The limit.
        after: Duration,
    },
    /// The body began and then stopped.
    #[error("the answer stalled for {after:?} after {bytes} bytes")]
    Stalled {
        /// The limit.
        after: Duration,
        /// Bytes of the body until then.
        bytes: u64,
    },
    /// The exchange took too long as a whole.
    #[error("the exchange was not over after {after:?}")]
    TotalTimeout {
        /// The limit.
        after: Duration,
    },
    /// The connection ended before the answer did.
    #[error(
        "the connection ended after {bytes} bytes of the answer's body: {reason}",
        reason = clean_sentence(.reason),
    )]
    ClosedEarly {
        /// Bytes of the body until then.
        bytes: u64,
        /// How it ended.
        reason: String,
    },
    /// The answer is not HTTP/1.1.
    #[error("the answer is not valid HTTP/1.1: {reason}", reason = clean_sentence(.reason))]
    MalformedHttp {
        /// Where it goes wrong.
        reason: String,
    },
    /// The head is larger than the limit.
    #[error("the answer's head is larger than {limit} bytes")]
    HeadTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body is larger than the limit.
    #[error("the answer's body is larger than {limit} bytes")]
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// What frames the body is out of proportion: the server sends bytes that no bound on the body counts.
    #[error("the answer has more {what} than an answer may have: the limit is {limit} bytes")]
    FramingTooLarge {
        /// Which bytes are too many.
        what: &'static str,
        /// The limit in bytes, as it was when it was reached.
        limit: u64,
    },
    /// The answer came in more reads than are kept.
    #[error("the answer came in more than {limit} reads")]
    TooManyReads {
        /// The limit.
        limit: u64,
    },
    /// The answers of a window take more room than the window has.
    #[error("the answers of this window do not fit into the room that they have: {reason}", reason = clean_sentence(.reason))]
    WindowBudget {
        /// Which room, and how large it is.
        reason: String,
    },
    /// The body is compressed although the request forbids it.
    #[error(
        "the answer is encoded as {encoding:?} although the request asks for none",
        encoding = clean_name(.encoding),
    )]
    EncodedBody {
        /// The encoding.
        encoding: String,
    },
    /// The answer sends the client to another host, which is never followed.
    #[error("the answer (status {status}) redirects to another host, {host}", host = clean_name(.host))]
    Redirect {
        /// The answer's status.
        status: u16,
        /// Scheme, host and port of the other place.
        host: String,
    },
    /// A reused connection was closed by the server before a byte of the answer came.
    #[error("the server closed a kept-alive connection as the request was sent on it")]
    ConnectionRaced,
    /// Packets were to be captured and cannot be.
    #[error(transparent)]
    Capture(#[from] crate::packet::CaptureError),
    /// The answer came, and what was kept of it cannot be read back.
    #[error("the answer was received but not kept: {reason}", reason = clean_sentence(.reason))]
    TraceLost {
        /// The operating system's words.
        reason: String,
    },
    /// The run was stopped.
    #[error("the request was cancelled")]
    Cancelled,
}

impl WireError {
    /// Stable identifier in kebab case.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadEndpoint { .. } => "bad-endpoint",
            Self::BadRequest { .. } => "bad-request",
            Self::BadTrust { .. } => "bad-trust",
            Self::MissingSecret { .. } => "missing-secret",
            Self::Dns { .. } => "dns",
            Self::ConnectRefused { .. } => "connect-refused",
            Self::ConnectFailed { .. } => "connect-failed",
            Self::ConnectTimeout { .. } => "connect-timeout",
            Self::BadProxy { .. } => "bad-proxy",
            Self::NoTunnel { .. } => "no-tunnel",
            Self::Tls { .. } => "tls",
            Self::FirstByteTimeout { .. } => "first-byte-timeout",
            Self::Stalled { .. } => "stalled",
            Self::TotalTimeout { .. } => "total-timeout",
            Self::ClosedEarly { .. } => "closed-early",
            Self::MalformedHttp { .. } => "malformed-http",
            Self::HeadTooLarge { .. } => "head-too-large",
            Self::BodyTooLarge { .. } => "body-too-large",
            Self::FramingTooLarge { .. } => "framing-too-large",
            Self::TooManyReads { .. } => "too-many-reads",
            Self::WindowBudget { .. } => "window-budget",
            Self::EncodedBody { .. } => "encoded-body",
            Self::Redirect { .. } => "redirect",
            Self::ConnectionRaced => "connection-raced",
            Self::Capture(error) => error.code(),
            Self::TraceLost { .. } => "trace-lost",
            Self::Cancelled => "cancelled",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::BadEndpoint { .. } => {
                "give an address such as http://127.0.0.1:8080, without user name, query or fragment"
            }
            Self::BadRequest { .. } => "this is a fault of the driver or of its parameters; check them",
            Self::BadTrust { .. } => {
                "give a PEM file with at least one certificate, or install the system's certificate store"
            }
            Self::MissingSecret { .. } => {
                "set the environment variable that holds the key, or name another with --api-key-env"
            }
            Self::Dns { .. } => "check the host name and the network",
            Self::ConnectRefused { .. } => "start the engine, or name its address with --endpoint",
            Self::ConnectFailed { .. } | Self::ConnectTimeout { .. } => {
                "check the address, the network and any firewall in between"
            }
            Self::Tls { .. } => {
                "check that the port speaks https and that the certificate names this host; a private authority or a self-signed \
                 certificate is named with --ca-cert FILE, one certificate pinned with --pin-cert sha256:HEX"
            }
            Self::BadProxy { .. } => "write --proxy http://HOST:PORT",
            Self::NoTunnel { .. } => "check that the proxy allows CONNECT to this host and port, or leave --proxy out",
            Self::FirstByteTimeout { .. } => {
                "the engine may still be loading or busy with other work; look at its log, or raise the limit"
            }
            Self::Stalled { .. } | Self::TotalTimeout { .. } => {
                "look at the engine's log; it may be overloaded or out of memory"
            }
            Self::ClosedEarly { .. } => {
                "the engine ended the connection in the middle; look at its log for a crash or a limit"
            }
            Self::MalformedHttp { .. } => "check that the address and port are those of the engine's HTTP interface",
            Self::HeadTooLarge { .. } | Self::BodyTooLarge { .. } => {
                "check that the address is an engine's and not another service's"
            }
            Self::FramingTooLarge { .. } => {
                "the server or a proxy before it sends broken or hostile chunks; ask the server directly, or look at its log"
            }
            Self::TooManyReads { .. } => {
                "the server or a proxy before it sends single bytes; let it send each event as a whole"
            }
            Self::WindowBudget { .. } => {
                "make room on the disk that holds the runs, use a faster one, or ask for less load or a shorter window"
            }
            Self::EncodedBody { .. } => "turn off compression in the proxy before the engine",
            Self::Redirect { .. } => {
                "give the final address with --endpoint; secrets are never sent to a host that the user did not name"
            }
            Self::ConnectionRaced => "run again; the request never reached the engine",
            Self::Capture(error) => return error.hint(),
            Self::TraceLost { .. } => "make room in the folder for temporary files, or name another one with TMPDIR",
            Self::Cancelled => return None,
        };
        Some(hint.to_owned())
    }
}
